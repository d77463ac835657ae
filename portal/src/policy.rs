//! What a portal accepts, prepared once and used for every proof.

use std::collections::HashMap;
use std::sync::Arc;

use const_oid::ObjectIdentifier;
use plugin_protocol::{ProofFormat, Purpose, SignatureAlgorithm};
use time::Duration;

use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::path::{CertvalValidator, KnownSignatures, PathValidator};
use crate::qualification::QualifiedDemand;
use crate::revocation::Revocation;
use crate::signature::Scheme;
use crate::uec::UecPolicy;

mod builder;

pub use builder::{LeftOut, PolicyBuilder, PolicyError};

/// TLS client authentication (RFC 5280 section 4.2.1.12), which Web eID demands.
pub const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// Which uses of the signer's key (extKeyUsage) are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// One of these must be there. Empty: not looked at.
    pub any_of: Vec<ObjectIdentifier>,
    /// A certificate without the extension is accepted too (as Web eID does).
    pub absent_allowed: bool,
}

impl Default for ExtendedKeyUsage {
    /// clientAuth, or no extension: the rule of the Web eID validators.
    fn default() -> Self {
        Self {
            any_of: vec![CLIENT_AUTH],
            absent_allowed: true,
        }
    }
}

/// How much work one proof may cause; beyond it verification ends with [`VerifyError::BudgetExceeded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of a proof, as it came in.
    pub proof_bytes: usize,
    /// Certificates inside a proof, the signer's included.
    pub certificates: usize,
    /// Intermediate authorities in a path.
    pub path_length: usize,
    /// Issuers tried while looking for paths.
    pub path_steps: usize,
    /// Signatures checked: the proof's, certificates', CRLs', OCSP responses'.
    pub signature_checks: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            proof_bytes: 64 * 1024,
            certificates: 8,
            path_length: 6,
            path_steps: 64,
            signature_checks: 32,
        }
    }
}

/// What to do with unsignedAttrs of a CMS (RFC 5652 section 5.3); they are never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsignedAttributes {
    /// Skip them: a time stamp (CAdES-T) may be among them.
    #[default]
    Ignore,
    /// Refuse a CMS that has any.
    Refuse,
}

/// What a portal accepts. Cheap to clone; prepare it once with [`Policy::builder`].
#[derive(Clone)]
pub struct Policy {
    rules: Arc<Rules>,
    pub(crate) revocation: Arc<Revocation>,
    pub(crate) purpose: Purpose,
}

/// A trust anchor.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    pub(crate) certificate: Certificate,
    pub(crate) test: bool,
}

pub(crate) struct Rules {
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) formats: Vec<ProofFormat>,
    pub(crate) algorithms: Vec<SignatureAlgorithm>,
    pub(crate) certificate_schemes: Vec<Scheme>,
    pub(crate) known_signatures: KnownSignatures,
    pub(crate) extended_key_usage: ExtendedKeyUsage,
    pub(crate) required_policies: Vec<ObjectIdentifier>,
    pub(crate) forbidden_policies: Vec<ObjectIdentifier>,
    pub(crate) qualified: QualifiedDemand,
    /// Accredited authorities: SHA-256 of a certificate, and the name in the trust list.
    pub(crate) accredited: HashMap<[u8; 32], Arc<str>>,
    pub(crate) unsigned_attributes: UnsignedAttributes,
    pub(crate) clock_skew: Duration,
    pub(crate) max_age: Duration,
    pub(crate) budget: Budget,
    pub(crate) validator: Arc<dyn PathValidator>,
    /// What is accepted of universal electronic cards; nothing unless asked for.
    pub(crate) universal_cards: Option<UecPolicy>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("anchors", &self.rules.anchors)
            .field("algorithms", &self.rules.algorithms)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}

impl Policy {
    /// Starts a policy: no trust anchors, all algorithms and formats but `cms-challenge`, Web eID's rule of
    /// extKeyUsage, no revocation checks, statements at most five minutes old, no universal electronic cards.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }

    /// The same policy for proofs of another purpose.
    pub fn expecting(&self, purpose: Purpose) -> Self {
        Self {
            purpose,
            ..self.clone()
        }
    }

    /// The same policy with this revocation evidence, e.g. an OCSP response fetched
    /// for [`crate::unverified_signer`]; replaces the evidence it had.
    pub fn with_revocation(&self, revocation: Revocation) -> Self {
        Self {
            revocation: Arc::new(revocation),
            ..self.clone()
        }
    }

    /// The proof formats accepted.
    pub fn formats(&self) -> &[ProofFormat] {
        &self.rules.formats
    }

    /// What is accepted of universal electronic cards, if anything.
    pub fn universal_cards(&self) -> Option<&UecPolicy> {
        self.rules.universal_cards.as_ref()
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn shared_rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules)
    }

    pub(crate) fn new(rules: Rules, revocation: Revocation, purpose: Purpose) -> Self {
        Self {
            rules: Arc::new(rules),
            revocation: Arc::new(revocation),
            purpose,
        }
    }
}

fn parse(der: &[u8], place: Place) -> Result<Certificate, VerifyError> {
    Certificate::from_der(der, place)
}

fn default_validator() -> Arc<dyn PathValidator> {
    Arc::new(CertvalValidator)
}
