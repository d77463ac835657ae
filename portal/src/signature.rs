//! Signature verification: the one file that knows `ring` and `p521`.
//!
//! Used for proofs, certificates, CRLs and OCSP responses alike. What is not
//! named here is not accepted: no SHA-1, no RSA below 2048 bits, no PSS whose
//! salt is not as long as its hash, no curve but P-256, P-384 and P-521.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use der::asn1::UintRef;
use der::{Decode, Encode, Sequence};
use p521::ecdsa::signature::hazmat::PrehashVerifier;
use plugin_protocol::api::SignatureScheme;
use plugin_protocol::{HashFunction, SignatureAlgorithm};
use ring::signature as rs;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

const RSASSA_PSS: ObjectIdentifier = rfc5912::ID_RSASSA_PSS;

/// A public key this portal can verify with, borrowed from a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug)]
pub struct PublicKey<'a> {
    kind: KeyKind,
    bytes: &'a [u8],
}

/// The kinds of public keys (RFC 3279, RFC 4055, RFC 5480).
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
}

/// First octet of an uncompressed point (SEC 1 section 2.3.3); no other form is taken.
const UNCOMPRESSED: u8 = 4;

impl KeyKind {
    /// Octets of an uncompressed point; `None` for RSA.
    const fn point_length(self) -> Option<usize> {
        match self {
            Self::Rsa | Self::RsaPss(_) => None,
            Self::P256 => Some(65),
            Self::P384 => Some(97),
            Self::P521 => Some(133),
        }
    }
}

/// How ECDSA's two numbers are written; RSA has one form.
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
    /// ECDSA, RSASSA-PKCS1-v1_5 or RSASSA-PSS.
    pub scheme: SignatureScheme,
    /// The hash function; for PSS also the one of MGF1.
    pub hash: HashFunction,
}

/// Why a key or an algorithm is not taken, or a signature is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The signature does not fit the message and the key.
    Invalid,
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
    /// Reads the kind of key; the key's own bytes are checked when it is used.
    pub fn from_spki(spki: &'a SubjectPublicKeyInfoOwned) -> Result<Self, SignatureError> {
        let bytes = spki.subject_public_key.as_bytes().ok_or(SignatureError::Unsupported)?;
        let kind = match spki.algorithm.oid {
            rfc5912::RSA_ENCRYPTION if null_or_absent(&spki.algorithm) => KeyKind::Rsa,
            RSASSA_PSS => KeyKind::RsaPss(pss_key_hash(&spki.algorithm)?),
            rfc5912::ID_EC_PUBLIC_KEY => named_curve(&spki.algorithm)?,
            _ => return Err(SignatureError::Unsupported),
        };
        match kind.point_length() {
            Some(length) if bytes.len() != length || bytes[0] != UNCOMPRESSED => Err(SignatureError::Unsupported),
            _ => Ok(Self { kind, bytes }),
        }
    }

    /// The kind of key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The JOSE algorithm that `scheme` is with this key, where it is one: ECDSA
    /// with a hash of another length than the curve's has no JOSE name.
    pub fn jose(&self, scheme: Scheme) -> Option<SignatureAlgorithm> {
        SignatureAlgorithm::ALL
            .into_iter()
            .find(|algorithm| Scheme::from(*algorithm) == scheme && self.fits(*algorithm))
    }

    /// Whether `algorithm` is one for this kind of key (RFC 7518 section 3.4 fixes the curve).
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        use SignatureAlgorithm as A;
        match self.kind {
            KeyKind::Rsa => matches!(algorithm.scheme(), SignatureScheme::RsaPkcs1 | SignatureScheme::RsaPss),
            KeyKind::RsaPss(hash) => {
                algorithm.scheme() == SignatureScheme::RsaPss && hash.is_none_or(|hash| hash == algorithm.hash())
            }
            KeyKind::P256 => algorithm == A::ES256,
            KeyKind::P384 => algorithm == A::ES384,
            KeyKind::P521 => algorithm == A::ES512,
        }
    }

    /// Whether keys of this kind are for this scheme at all, whatever the hash.
    pub fn takes(&self, scheme: SignatureScheme) -> bool {
        match self.kind {
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
        if self.kind == KeyKind::P521 {
            return self.verify_p521(scheme, encoding, message, signature);
        }
        let algorithm = self.ring_algorithm(scheme, encoding)?;
        rs::UnparsedPublicKey::new(algorithm, self.bytes)
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

    fn verify_p521(
        &self,
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
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(self.bytes).map_err(|_| SignatureError::Invalid)?;
        let signature = p521_signature(encoding, signature).ok_or(SignatureError::Invalid)?;
        key.verify_prehash(&scheme.hash.digest(message), &signature)
            .map_err(|_| SignatureError::Invalid)
    }
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

impl Scheme {
    /// Reads the AlgorithmIdentifier of a signature (RFC 3279, 4055, 5754, 5758).
    ///
    /// `None` for everything this portal does not accept, among it PSS parameters
    /// whose MGF1 hash, salt length or trailer are not the only ones `ring` verifies.
    pub fn from_identifier(identifier: &AlgorithmIdentifierOwned) -> Option<Self> {
        use HashFunction::{Sha256, Sha384, Sha512};
        use SignatureScheme::{Ecdsa, RsaPkcs1};
        let (scheme, hash) = match identifier.oid {
            rfc5912::ECDSA_WITH_SHA_256 => (Ecdsa, Sha256),
            rfc5912::ECDSA_WITH_SHA_384 => (Ecdsa, Sha384),
            rfc5912::ECDSA_WITH_SHA_512 => (Ecdsa, Sha512),
            rfc5912::SHA_256_WITH_RSA_ENCRYPTION => (RsaPkcs1, Sha256),
            rfc5912::SHA_384_WITH_RSA_ENCRYPTION => (RsaPkcs1, Sha384),
            rfc5912::SHA_512_WITH_RSA_ENCRYPTION => (RsaPkcs1, Sha512),
            RSASSA_PSS => (SignatureScheme::RsaPss, pss_hash(identifier)?),
            _ => return None,
        };
        let parameters_fit = match scheme {
            Ecdsa => identifier.parameters.is_none(),
            RsaPkcs1 => null_or_absent(identifier),
            SignatureScheme::RsaPss => true,
            // No OID above leads here yet.
            SignatureScheme::Gost => false,
        };
        parameters_fit.then_some(Self { scheme, hash })
    }
}

/// The hash that a digest AlgorithmIdentifier names (RFC 5754 section 2: NULL or absent parameters).
pub fn hash_from_identifier(identifier: &AlgorithmIdentifierOwned) -> Option<HashFunction> {
    let hash = match identifier.oid {
        rfc5912::ID_SHA_256 => HashFunction::Sha256,
        rfc5912::ID_SHA_384 => HashFunction::Sha384,
        rfc5912::ID_SHA_512 => HashFunction::Sha512,
        _ => return None,
    };
    null_or_absent(identifier).then_some(hash)
}

fn null_or_absent(identifier: &AlgorithmIdentifierOwned) -> bool {
    identifier.parameters.as_ref().is_none_or(der::Any::is_null)
}

fn named_curve(identifier: &AlgorithmIdentifierOwned) -> Result<KeyKind, SignatureError> {
    let curve = identifier
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    match curve {
        Some(rfc5912::SECP_256_R_1) => Ok(KeyKind::P256),
        Some(rfc5912::SECP_384_R_1) => Ok(KeyKind::P384),
        Some(rfc5912::SECP_521_R_1) => Ok(KeyKind::P521),
        _ => Err(SignatureError::Unsupported),
    }
}

/// RSASSA-PSS-params (RFC 4055 section 3.1); every absent member means SHA-1 or its like.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt: Option<u16>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u8>,
}

fn pss_hash(identifier: &AlgorithmIdentifierOwned) -> Option<HashFunction> {
    let parameters = identifier.parameters.as_ref()?.to_der().ok()?;
    let parameters = PssParameters::from_der(&parameters).ok()?;
    let hash = hash_from_identifier(&parameters.hash?)?;
    let mask = parameters.mask?;
    let mask_hash = mask.parameters?.decode_as::<AlgorithmIdentifierOwned>().ok()?;
    let fits = mask.oid == rfc5912::ID_MGF_1
        && hash_from_identifier(&mask_hash)? == hash
        && usize::from(parameters.salt?) == hash.length()
        && parameters.trailer.unwrap_or(1) == 1;
    fits.then_some(hash)
}

/// The hash an id-RSASSA-PSS key is bound to; without parameters it is bound to none (RFC 4055 section 1.2).
fn pss_key_hash(identifier: &AlgorithmIdentifierOwned) -> Result<Option<HashFunction>, SignatureError> {
    if identifier.parameters.is_none() {
        return Ok(None);
    }
    pss_hash(identifier).map(Some).ok_or(SignatureError::Unsupported)
}
