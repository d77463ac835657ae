//! Signature verification for certificates: the one place that knows `ring`, `p521` and `gost3410` for them.
//!
//! Used for proofs, certificates, CRLs and OCSP responses alike. What is not
//! named here is not accepted: no SHA-1, no RSA below 2048 bits, no PSS whose
//! salt is not as long as its hash, no curve but P-256, P-384, P-521 and those of
//! GOST R 34.10-2012. GOST R 34.10-2001 is recognised, to be refused by its name; only the path of the holder of a
//! universal electronic card may ask for it (`verify_ended`), and those cards themselves are verified in
//! [`crate::uec`].

mod gost;
mod identifier;

use std::borrow::Cow;

use const_oid::db::rfc5912;
use der::asn1::UintRef;
use der::{Decode, Sequence};
use p521::ecdsa::signature::hazmat::PrehashVerifier;
use plugin_protocol::api::SignatureScheme;
use plugin_protocol::{HashFunction, SignatureAlgorithm};
use ring::signature as rs;
use spki::SubjectPublicKeyInfoOwned;

pub(crate) use self::gost::{CheckedKey, ended_algorithm, key_scheme, verify_ended};
pub use self::identifier::hash_from_identifier;
pub(crate) use self::identifier::null_or_absent;
use self::identifier::{RSASSA_PSS, named_curve, pss_key_hash};

/// A public key this portal can verify with, borrowed from a SubjectPublicKeyInfo.
#[derive(Clone, Debug)]
pub struct PublicKey<'a> {
    kind: KeyKind,
    material: Material<'a>,
}

/// What a key is verified with.
#[derive(Clone, Debug)]
enum Material<'a> {
    /// The content of the BIT STRING; checked each time it is used.
    Octets(&'a [u8]),
    /// A point that was checked once.
    Gost(Cow<'a, gost3410::PublicKey>),
}

/// The kinds of public keys (RFC 3279, RFC 4055, RFC 5480, RFC 9215).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// rsaEncryption, 2048 to 8192 bits.
    Rsa,
    /// id-RSASSA-PSS: the key is for RSASSA-PSS alone, and for this hash if one is named.
    RsaPss(Option<HashFunction>),
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// GOST R 34.10-2012 of 256 bits, on any curve that has a name.
    Gost256,
    /// GOST R 34.10-2012 of 512 bits, on any curve that has a name.
    Gost512,
}

/// First octet of an uncompressed point (SEC 1 section 2.3.3); no other form is taken.
const UNCOMPRESSED: u8 = 4;

impl KeyKind {
    /// Octets of an uncompressed point; `None` where the key is something else.
    const fn point_length(self) -> Option<usize> {
        match self {
            Self::Rsa | Self::RsaPss(_) | Self::Gost256 | Self::Gost512 => None,
            Self::P256 => Some(65),
            Self::P384 => Some(97),
            Self::P521 => Some(133),
        }
    }
}

/// How ECDSA's two numbers are written; RSA and GOST have one form each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `r || s`, each as long as the group order (RFC 7518 section 3.4): JWS and Web eID.
    Fixed,
    /// `ECDSA-Sig-Value` in DER (RFC 3279 section 2.2.3): X.509 and CMS.
    Asn1,
}

/// A signature scheme with its hash, as an AlgorithmIdentifier names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// ECDSA, RSASSA-PKCS1-v1_5, RSASSA-PSS or GOST R 34.10-2012.
    pub scheme: SignatureScheme,
    /// The hash function; for PSS also the one of MGF1.
    pub hash: HashFunction,
}

/// Why a key or an algorithm is not taken, or a signature is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// An algorithm whose use ended, by its name.
    Ended(&'static str),
    /// The signature does not fit the message and the key.
    Invalid,
    /// The key is none: a point off its curve or out of its group, a parameter that contradicts another.
    InvalidKey,
    /// The key is of a kind, or the algorithm of parameters, that are not supported.
    Unsupported,
    /// The algorithm is for keys of another kind.
    WrongKey,
}

impl From<SignatureAlgorithm> for Scheme {
    fn from(algorithm: SignatureAlgorithm) -> Self {
        Self {
            scheme: algorithm.scheme(),
            hash: algorithm.hash(),
        }
    }
}

impl<'a> PublicKey<'a> {
    /// Reads the kind of key. A GOST key's point is checked here, others' when they are used.
    pub fn from_spki(spki: &'a SubjectPublicKeyInfoOwned) -> Result<Self, SignatureError> {
        if gost::is_key(spki) {
            return Ok(Self::of_gost(Cow::Owned(gost::import(spki)?)));
        }
        let bytes = spki.subject_public_key.as_bytes().ok_or(SignatureError::Unsupported)?;
        let kind = match spki.algorithm.oid {
            rfc5912::RSA_ENCRYPTION if null_or_absent(&spki.algorithm) => KeyKind::Rsa,
            RSASSA_PSS => KeyKind::RsaPss(pss_key_hash(&spki.algorithm)?),
            rfc5912::ID_EC_PUBLIC_KEY => named_curve(&spki.algorithm)?,
            _ => return Err(SignatureError::Unsupported),
        };
        match kind.point_length() {
            Some(length) if bytes.len() != length || bytes[0] != UNCOMPRESSED => Err(SignatureError::Unsupported),
            _ => Ok(Self {
                kind,
                material: Material::Octets(bytes),
            }),
        }
    }

    fn of_gost(key: Cow<'a, gost3410::PublicKey>) -> Self {
        let kind = match key.algorithm().size() {
            gost3410::Size::Bits256 => KeyKind::Gost256,
            gost3410::Size::Bits512 => KeyKind::Gost512,
        };
        Self {
            kind,
            material: Material::Gost(key),
        }
    }

    /// The kind of key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The algorithm that `scheme` is with this key, where it has a name: ECDSA
    /// with a hash of another length than the curve's has none.
    pub fn algorithm(&self, scheme: Scheme) -> Option<SignatureAlgorithm> {
        SignatureAlgorithm::ALL
            .into_iter()
            .find(|algorithm| Scheme::from(*algorithm) == scheme && self.fits(*algorithm))
    }

    /// Whether `algorithm` is one for this kind of key (RFC 7518 section 3.4 fixes the curve).
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        use SignatureAlgorithm as A;
        match self.kind {
            KeyKind::Rsa => !algorithm.is_ecdsa() && !algorithm.is_gost(),
            KeyKind::RsaPss(hash) => {
                algorithm.scheme() == SignatureScheme::RsaPss && hash.is_none_or(|hash| hash == algorithm.hash())
            }
            KeyKind::P256 => algorithm == A::ES256,
            KeyKind::P384 => algorithm == A::ES384,
            KeyKind::P521 => algorithm == A::ES512,
            KeyKind::Gost256 => algorithm == A::Gost256,
            KeyKind::Gost512 => algorithm == A::Gost512,
        }
    }

    /// Whether keys of this kind are for this scheme at all, whatever the hash; GOST's hash is its key's size.
    pub fn takes(&self, scheme: Scheme) -> bool {
        let hash = scheme.hash;
        let scheme = scheme.scheme;
        match self.kind {
            KeyKind::Gost256 => scheme == SignatureScheme::Gost && hash == HashFunction::Streebog256,
            KeyKind::Gost512 => scheme == SignatureScheme::Gost && hash == HashFunction::Streebog512,
            KeyKind::Rsa => matches!(scheme, SignatureScheme::RsaPkcs1 | SignatureScheme::RsaPss),
            KeyKind::RsaPss(_) => scheme == SignatureScheme::RsaPss,
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => scheme == SignatureScheme::Ecdsa,
        }
    }

    /// Verifies `signature` over `message`.
    pub fn verify(
        &self,
        scheme: Scheme,
        encoding: Encoding,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let bytes = match &self.material {
            Material::Gost(_) if !self.takes(scheme) => return Err(SignatureError::WrongKey),
            Material::Gost(key) => return gost::verify(key, &scheme.hash.digest(message), signature),
            Material::Octets(bytes) => *bytes,
        };
        if self.kind == KeyKind::P521 {
            return verify_p521(bytes, scheme, encoding, message, signature);
        }
        let algorithm = self.ring_algorithm(scheme, encoding)?;
        rs::UnparsedPublicKey::new(algorithm, bytes)
            .verify(message, signature)
            .map_err(|_| SignatureError::Invalid)
    }

    fn ring_algorithm(
        &self,
        scheme: Scheme,
        encoding: Encoding,
    ) -> Result<&'static dyn rs::VerificationAlgorithm, SignatureError> {
        use HashFunction::{Sha256, Sha384, Sha512};
        use SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
        Ok(match (self.kind, scheme.scheme, scheme.hash, encoding) {
            (KeyKind::P256, Ecdsa, Sha256, Encoding::Asn1) => &rs::ECDSA_P256_SHA256_ASN1,
            (KeyKind::P256, Ecdsa, Sha384, Encoding::Asn1) => &rs::ECDSA_P256_SHA384_ASN1,
            (KeyKind::P384, Ecdsa, Sha256, Encoding::Asn1) => &rs::ECDSA_P384_SHA256_ASN1,
            (KeyKind::P384, Ecdsa, Sha384, Encoding::Asn1) => &rs::ECDSA_P384_SHA384_ASN1,
            (KeyKind::P256, Ecdsa, Sha256, Encoding::Fixed) => &rs::ECDSA_P256_SHA256_FIXED,
            (KeyKind::P384, Ecdsa, Sha384, Encoding::Fixed) => &rs::ECDSA_P384_SHA384_FIXED,
            (KeyKind::Rsa, RsaPkcs1, Sha256, _) => &rs::RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa, RsaPkcs1, Sha384, _) => &rs::RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa, RsaPkcs1, Sha512, _) => &rs::RSA_PKCS1_2048_8192_SHA512,
            (KeyKind::RsaPss(Some(own)), RsaPss, hash, _) if own != hash => return Err(SignatureError::WrongKey),
            (KeyKind::Rsa | KeyKind::RsaPss(_), RsaPss, Sha256, _) => &rs::RSA_PSS_2048_8192_SHA256,
            (KeyKind::Rsa | KeyKind::RsaPss(_), RsaPss, Sha384, _) => &rs::RSA_PSS_2048_8192_SHA384,
            (KeyKind::Rsa | KeyKind::RsaPss(_), RsaPss, Sha512, _) => &rs::RSA_PSS_2048_8192_SHA512,
            (KeyKind::P256 | KeyKind::P384, Ecdsa, _, _) => return Err(SignatureError::Unsupported),
            _ => return Err(SignatureError::WrongKey),
        })
    }
}

fn verify_p521(
    point: &[u8],
    scheme: Scheme,
    encoding: Encoding,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if scheme.scheme != SignatureScheme::Ecdsa {
        return Err(SignatureError::WrongKey);
    }
    if scheme.hash != HashFunction::Sha512 {
        return Err(SignatureError::Unsupported);
    }
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).map_err(|_| SignatureError::Invalid)?;
    let signature = p521_signature(encoding, signature).ok_or(SignatureError::Invalid)?;
    key.verify_prehash(&scheme.hash.digest(message), &signature)
        .map_err(|_| SignatureError::Invalid)
}

fn p521_signature(encoding: Encoding, bytes: &[u8]) -> Option<p521::ecdsa::Signature> {
    match encoding {
        Encoding::Fixed => p521::ecdsa::Signature::from_slice(bytes).ok(),
        Encoding::Asn1 => {
            let numbers = EcdsaSignature::from_der(bytes).ok()?;
            let fixed = [right_aligned(numbers.r)?, right_aligned(numbers.s)?].concat();
            p521::ecdsa::Signature::from_slice(&fixed).ok()
        }
    }
}

/// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3), strict DER.
#[derive(Sequence)]
struct EcdsaSignature<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

fn right_aligned(number: UintRef<'_>) -> Option<[u8; 66]> {
    let bytes = number.as_bytes();
    let mut out = [0; 66];
    out.get_mut(66usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(out)
}
