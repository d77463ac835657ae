//! A signature, in each of the orders that its halves travel in.

use crate::octets::Octets;
use crate::{Error, Size};
use alloc::vec::Vec;
use core::fmt;

/// A signature: the numbers r and s, each of 32 or 64 octets.
///
/// Standards and devices order the same octets differently, and nothing in the octets tells how. So there is no
/// "default" constructor: each order has its name, and [`SignatureOrder`] lists them.
///
/// A value of this type has the right length and no more; whether r and s lie between 1 and q - 1 is seen by whoever
/// verifies it with a key.
///
/// ```
/// use gost3410::{Signature, SignatureOrder};
///
/// // What a token gave in an unknown order, put into the order of CMS once the order is known.
/// let from_token: Vec<u8> = (0..64).collect();
/// let signature = Signature::from_order(SignatureOrder::RS, &from_token)?;
/// assert_eq!(signature.to_x509()[..32], from_token[32..]);
/// # Ok::<(), gost3410::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    r: Octets,
    s: Octets,
}

/// How the octets of a signature are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureOrder {
    /// `s || r`, each big-endian: X.509, CMS, PKCS#10, CRL, OCSP (RFC 4491 section 2.2.2, RFC 9215 section 2), and
    /// what most PKCS#11 modules put out.
    X509,
    /// `r || s`, each big-endian: RFC 7091, XML signatures, OpenPGP, libgcrypt, some PKCS#11 modules.
    RS,
    /// `r || s`, each little-endian: the order of X.509 reversed as a whole. CryptoAPI (`CryptSignHash`) and the raw
    /// commands of Rutoken cards.
    CryptoApi,
    /// `s || r`, each little-endian: the order of RFC 7091 reversed as a whole.
    ReversedRS,
}

impl SignatureOrder {
    /// Every order, the likeliest first.
    pub const ALL: [SignatureOrder; 4] = [
        SignatureOrder::X509,
        SignatureOrder::RS,
        SignatureOrder::CryptoApi,
        SignatureOrder::ReversedRS,
    ];
}

impl Signature {
    /// Takes 64 or 128 octets in the given order.
    pub fn from_order(order: SignatureOrder, octets: &[u8]) -> Result<Self, Error> {
        let size = match octets.len() {
            64 => Size::Bits256,
            128 => Size::Bits512,
            got => {
                return Err(Error::Length {
                    what: "signature",
                    expected: 64,
                    got,
                });
            }
        };
        let (first, second) = octets.split_at(size.bytes());
        let read = match order {
            SignatureOrder::X509 | SignatureOrder::RS => Octets::from_be,
            SignatureOrder::CryptoApi | SignatureOrder::ReversedRS => Octets::from_le,
        };
        let (first, second) = (read(size, first)?, read(size, second)?);
        Ok(match order {
            SignatureOrder::RS | SignatureOrder::CryptoApi => Signature { r: first, s: second },
            SignatureOrder::X509 | SignatureOrder::ReversedRS => Signature { r: second, s: first },
        })
    }

    /// Takes `s || r`, each big-endian, as X.509 and CMS have it ([`SignatureOrder::X509`]).
    pub fn from_x509(octets: &[u8]) -> Result<Self, Error> {
        Signature::from_order(SignatureOrder::X509, octets)
    }

    /// Takes `r || s`, each big-endian, as RFC 7091 has it ([`SignatureOrder::RS`]).
    pub fn from_r_s(octets: &[u8]) -> Result<Self, Error> {
        Signature::from_order(SignatureOrder::RS, octets)
    }

    /// Takes `r || s`, each little-endian: X.509's octets reversed as a whole ([`SignatureOrder::CryptoApi`]).
    pub fn from_cryptoapi(octets: &[u8]) -> Result<Self, Error> {
        Signature::from_order(SignatureOrder::CryptoApi, octets)
    }

    /// Takes `s || r`, each little-endian: RFC 7091's octets reversed as a whole ([`SignatureOrder::ReversedRS`]).
    pub fn from_reversed_r_s(octets: &[u8]) -> Result<Self, Error> {
        Signature::from_order(SignatureOrder::ReversedRS, octets)
    }

    /// Gives the octets in the given order.
    pub fn to_order(&self, order: SignatureOrder) -> Vec<u8> {
        let (first, second) = match order {
            SignatureOrder::RS | SignatureOrder::CryptoApi => (&self.r, &self.s),
            SignatureOrder::X509 | SignatureOrder::ReversedRS => (&self.s, &self.r),
        };
        let push = match order {
            SignatureOrder::X509 | SignatureOrder::RS => Octets::push_be,
            SignatureOrder::CryptoApi | SignatureOrder::ReversedRS => Octets::push_le,
        };
        let mut octets = Vec::with_capacity(self.size().pair_bytes());
        push(first, &mut octets);
        push(second, &mut octets);
        octets
    }

    /// Gives `s || r`, each big-endian, as X.509 and CMS have it.
    pub fn to_x509(&self) -> Vec<u8> {
        self.to_order(SignatureOrder::X509)
    }

    /// Gives `r || s`, each big-endian, as RFC 7091 has it.
    pub fn to_r_s(&self) -> Vec<u8> {
        self.to_order(SignatureOrder::RS)
    }

    /// Gives `r || s`, each little-endian: X.509's octets reversed as a whole.
    pub fn to_cryptoapi(&self) -> Vec<u8> {
        self.to_order(SignatureOrder::CryptoApi)
    }

    /// Gives `s || r`, each little-endian: RFC 7091's octets reversed as a whole.
    pub fn to_reversed_r_s(&self) -> Vec<u8> {
        self.to_order(SignatureOrder::ReversedRS)
    }

    /// The length of its halves.
    pub fn size(&self) -> Size {
        self.r.size()
    }

    #[cfg(feature = "signing")]
    pub(crate) fn new(r: Octets, s: Octets) -> Self {
        Signature { r, s }
    }

    pub(crate) fn r(&self) -> &Octets {
        &self.r
    }

    pub(crate) fn s(&self) -> &Octets {
        &self.s
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("r", &self.r)
            .field("s", &self.s)
            .finish()
    }
}

/// The traits of the `signature` crate see a signature in X.509's order.
impl signature::SignatureEncoding for Signature {
    type Repr = Vec<u8>;
}

/// Takes X.509's order, as [`Signature::from_x509`].
impl TryFrom<&[u8]> for Signature {
    type Error = Error;

    fn try_from(octets: &[u8]) -> Result<Self, Error> {
        Signature::from_x509(octets)
    }
}

/// Gives X.509's order, as [`Signature::to_x509`].
impl From<Signature> for Vec<u8> {
    fn from(signature: Signature) -> Vec<u8> {
        signature.to_x509()
    }
}
