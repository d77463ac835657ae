//! What a portal accepts of universal electronic cards. Nothing, unless it says so.

use super::certificate::{CardCertificate, Type};
use super::tlv::Reader;
use crate::error::Place;
use crate::policy::PolicyError;

/// What a portal accepts of universal electronic cards (УЭК), for
/// [`PolicyBuilder::universal_cards`](crate::policy::PolicyBuilder::universal_cards).
///
/// Only cards under the roots given here; no RSA with SHA-1, and no holder's signature demanded, unless told.
///
/// ```
/// # fn main() -> Result<(), portal::policy::PolicyError> {
/// # let file = [];
/// let cards = portal::UecPolicy::new();
/// assert!(cards.root(&file).is_err(), "an empty file holds no root");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct UecPolicy {
    pub(crate) roots: Vec<Root>,
    pub(crate) rsa: bool,
    pub(crate) holder_signature: bool,
}

/// A root of the cards. Trusted as it is: its own signature is not looked at, its days are.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) certificate: CardCertificate,
    pub(crate) test: bool,
}

impl UecPolicy {
    /// No root yet: it accepts nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts cards under this root: one CV certificate of type 01 or several one after the other, binary (`7F21…`).
    pub fn root(self, certificates: &[u8]) -> Result<Self, PolicyError> {
        self.with(certificates, false)
    }

    /// The same for roots of tests: identities under them say that they are a test's.
    pub fn test_root(self, certificates: &[u8]) -> Result<Self, PolicyError> {
        self.with(certificates, true)
    }

    /// Takes cards of the RSA suite too. Who can make collisions of SHA-1 can have a card sign for another statement
    /// than the one it was shown; RSA of 1024 bits is within reach of some.
    pub fn accept_rsa_sha1(mut self) -> Self {
        self.rsa = true;
        self
    }

    /// Demands the holder's signature (PIN2) by a certificate that leads to one of the policy's X.509 trust anchors
    /// and names the SNILS of the card. Keys and signatures of GOST R 34.10-2001 are taken in that path, and nowhere else.
    pub fn demand_holder_signature(mut self) -> Self {
        self.holder_signature = true;
        self
    }

    /// Whether the holder's signature is demanded: the plugin is to ask for it then.
    pub fn demands_holder_signature(&self) -> bool {
        self.holder_signature
    }

    fn with(mut self, certificates: &[u8], test: bool) -> Result<Self, PolicyError> {
        let mut reader = Reader::new(certificates);
        loop {
            let one = reader
                .next()
                .map_err(|_| PolicyError::NoCardRoot("not CV certificates"))?;
            let certificate = CardCertificate::read(one.whole, Place::Anchor)?;
            if !certificate.is(Type::Authority) {
                return Err(PolicyError::NoCardRoot("not of type 01, a root's"));
            }
            self.roots.push(Root { certificate, test });
            if reader.is_empty() {
                return Ok(self);
            }
        }
    }
}
