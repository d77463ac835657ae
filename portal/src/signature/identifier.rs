//! AlgorithmIdentifiers: which of them name a scheme, a hash or a curve that is accepted.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use der::{Decode, Encode, Sequence};
use gost3410::Algorithm;
use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;
use spki::AlgorithmIdentifierOwned;

use super::{KeyKind, Scheme, SignatureError};

/// Keys and signatures of RSASSA-PSS (RFC 4055 section 3.1).
pub(super) const RSASSA_PSS: ObjectIdentifier = rfc5912::ID_RSASSA_PSS;

const GOST_256_WITH_STREEBOG: ObjectIdentifier = Algorithm::Gost2012_256.signature_oid();
const GOST_512_WITH_STREEBOG: ObjectIdentifier = Algorithm::Gost2012_512.signature_oid();
const STREEBOG_256: ObjectIdentifier = Algorithm::Gost2012_256.digest_oid();
const STREEBOG_512: ObjectIdentifier = Algorithm::Gost2012_512.digest_oid();

impl Scheme {
    /// Reads the AlgorithmIdentifier of a signature (RFC 3279, 4055, 5754, 5758, 9215).
    ///
    /// `None` for everything this portal does not accept, among it PSS parameters
    /// whose MGF1 hash, salt length or trailer are not the only ones `ring` verifies.
    pub fn from_identifier(identifier: &AlgorithmIdentifierOwned) -> Option<Self> {
        use HashFunction::{Sha256, Sha384, Sha512, Streebog256, Streebog512};
        use SignatureScheme::{Ecdsa, Gost, RsaPkcs1};
        let (scheme, hash) = match identifier.oid {
            GOST_256_WITH_STREEBOG => (Gost, Streebog256),
            GOST_512_WITH_STREEBOG => (Gost, Streebog512),
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
            // RFC 9215 leaves GOST's out; OpenSSL's engine writes NULL.
            RsaPkcs1 | Gost => null_or_absent(identifier),
            SignatureScheme::RsaPss => true,
        };
        parameters_fit.then_some(Self { scheme, hash })
    }
}

/// The hash that a digest AlgorithmIdentifier names (RFC 5754 section 2, RFC 9215 section 2: NULL or absent parameters).
pub fn hash_from_identifier(identifier: &AlgorithmIdentifierOwned) -> Option<HashFunction> {
    let hash = match identifier.oid {
        rfc5912::ID_SHA_256 => HashFunction::Sha256,
        rfc5912::ID_SHA_384 => HashFunction::Sha384,
        rfc5912::ID_SHA_512 => HashFunction::Sha512,
        STREEBOG_256 => HashFunction::Streebog256,
        STREEBOG_512 => HashFunction::Streebog512,
        _ => return None,
    };
    null_or_absent(identifier).then_some(hash)
}

pub(crate) fn null_or_absent(identifier: &AlgorithmIdentifierOwned) -> bool {
    identifier.parameters.as_ref().is_none_or(der::Any::is_null)
}

/// The curve that id-ecPublicKey names (RFC 5480 section 2.1.1.1).
pub(super) fn named_curve(identifier: &AlgorithmIdentifierOwned) -> Result<KeyKind, SignatureError> {
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
    let fits = !hash.is_streebog()
        && mask.oid == rfc5912::ID_MGF_1
        && hash_from_identifier(&mask_hash)? == hash
        && usize::from(parameters.salt?) == hash.length()
        && parameters.trailer.unwrap_or(1) == 1;
    fits.then_some(hash)
}

/// The hash an id-RSASSA-PSS key is bound to; without parameters it is bound to none (RFC 4055 section 1.2).
pub(super) fn pss_key_hash(identifier: &AlgorithmIdentifierOwned) -> Result<Option<HashFunction>, SignatureError> {
    if identifier.parameters.is_none() {
        return Ok(None);
    }
    pss_hash(identifier).map(Some).ok_or(SignatureError::Unsupported)
}
