//! AlgorithmIdentifiers and signature values as CMS wants them.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use der::asn1::UintRef;
use der::{Any, Encode, Sequence};
use plugin_protocol::api::SignatureScheme;
use plugin_protocol::{HashFunction, SignatureAlgorithm};
use spki::AlgorithmIdentifierOwned;

/// Streebog of 256 and 512 bits (RFC 9215 section 2, table of algorithms).
const STREEBOG_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.2.2");
const STREEBOG_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.2.3");
/// Keys of GOST R 34.10-2012 of 256 and 512 bits.
const GOST_256_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.1");
const GOST_512_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.2");

/// A hash function with its parameters absent, as RFC 5754 section 2 asks writers to do.
pub(super) fn digest(hash: HashFunction) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: hash_oid(hash),
        parameters: None,
    }
}

/// The signatureAlgorithm of a SignerInfo.
///
/// RSASSA-PKCS1-v1_5 goes by rsaEncryption whatever the hash function (RFC 3370
/// section 3.2): the one name every CMS reader must know, and the one OpenSSL and
/// Bouncy Castle write. ECDSA names its hash function and has no parameters
/// (RFC 5754 section 3.3). GOST goes by the OID of its key, not by that of signature and
/// digest together: so writes OpenSSL's engine, and so Russian portals are used to it.
pub(super) fn signature(algorithm: SignatureAlgorithm) -> der::Result<AlgorithmIdentifierOwned> {
    let hash = algorithm.hash();
    let (oid, parameters) = match algorithm.scheme() {
        SignatureScheme::Ecdsa => (ecdsa_oid(hash)?, None),
        SignatureScheme::RsaPkcs1 => (rfc5912::RSA_ENCRYPTION, Some(Any::null())),
        SignatureScheme::RsaPss => (rfc5912::ID_RSASSA_PSS, Some(super::any(&PssParameters::new(hash)?)?)),
        SignatureScheme::Gost => (gost_oid(hash), None),
    };
    Ok(AlgorithmIdentifierOwned { oid, parameters })
}

fn hash_oid(hash: HashFunction) -> ObjectIdentifier {
    match hash {
        HashFunction::Sha256 => rfc5912::ID_SHA_256,
        HashFunction::Sha384 => rfc5912::ID_SHA_384,
        HashFunction::Sha512 => rfc5912::ID_SHA_512,
        HashFunction::Streebog256 => STREEBOG_256,
        HashFunction::Streebog512 => STREEBOG_512,
    }
}

fn ecdsa_oid(hash: HashFunction) -> der::Result<ObjectIdentifier> {
    match hash {
        HashFunction::Sha256 => Ok(rfc5912::ECDSA_WITH_SHA_256),
        HashFunction::Sha384 => Ok(rfc5912::ECDSA_WITH_SHA_384),
        HashFunction::Sha512 => Ok(rfc5912::ECDSA_WITH_SHA_512),
        HashFunction::Streebog256 | HashFunction::Streebog512 => Err(der::ErrorKind::Failed.into()),
    }
}

fn gost_oid(hash: HashFunction) -> ObjectIdentifier {
    match hash {
        HashFunction::Streebog512 => GOST_512_KEY,
        _ => GOST_256_KEY,
    }
}

/// `RSASSA-PSS-params` (RFC 4055 section 3.1); trailerField has its default and is left out.
///
/// Here the hash functions do carry NULL: RFC 8017 appendix A.2.3 names them so.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    hash_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT")]
    mask_gen_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT")]
    salt_length: u8,
}

impl PssParameters {
    fn new(hash: HashFunction) -> der::Result<Self> {
        let hash_algorithm = AlgorithmIdentifierOwned {
            oid: hash_oid(hash),
            parameters: Some(Any::null()),
        };
        let mask_gen_algorithm = AlgorithmIdentifierOwned {
            oid: rfc5912::ID_MGF_1,
            parameters: Some(super::any(&hash_algorithm)?),
        };
        Ok(Self {
            hash_algorithm,
            mask_gen_algorithm,
            salt_length: hash.length() as u8,
        })
    }
}

/// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3).
#[derive(Sequence)]
struct EcdsaSigValue<'a> {
    r: UintRef<'a>,
    s: UintRef<'a>,
}

/// DER of raw `r || s`: integers without superfluous zeros, with one where the top bit is set.
pub(super) fn ecdsa_sig_value(raw: &[u8]) -> der::Result<Vec<u8>> {
    let (r, s) = raw.split_at(raw.len() / 2);
    let value = EcdsaSigValue {
        r: UintRef::new(r)?,
        s: UintRef::new(s)?,
    };
    value.to_der()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn signature_integers_are_minimal() {
        let half = |bytes: &[u8]| [&vec![0; 32 - bytes.len()][..], bytes].concat();
        for (r, s, der) in [
            (&[1][..], &[0x7f][..], &[0x30, 6, 2, 1, 1, 2, 1, 0x7f][..]),
            (&[0x80], &[0xff, 1], &[0x30, 9, 2, 2, 0, 0x80, 2, 3, 0, 0xff, 1]),
            (&[1, 0], &[0], &[0x30, 7, 2, 2, 1, 0, 2, 1, 0]),
        ] {
            assert_eq!(ecdsa_sig_value(&[half(r), half(s)].concat()).unwrap(), der);
        }
        let widest = ecdsa_sig_value(&[&[1], &[0xff; 65][..], &[1], &[0xff; 65]].concat()).unwrap();
        assert_eq!(&widest[..5], &[0x30, 0x81, 136, 2, 66], "P-521 needs a long length");
    }
}
