//! The agent's check of its own token: nothing leaves that does not verify.
//!
//! Tokens and their modules are foreign code; one that signs with another key,
//! or garbles its answer, must not become somebody else's puzzle.

use plugin_protocol::api::SignatureScheme;
use plugin_protocol::{HashFunction, SignatureAlgorithm};
use ring::signature::{self as rs, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

use super::key::Key;
use super::rsa;
use crate::error::Error;
use crate::token::SignData;

/// Whether `signature` over `data` verifies with the key of `certificate` (DER).
///
/// ECDSA signatures are raw `r || s`, each as long as the curve's order, those of GOST
/// `s || r`; RSASSA-PSS has MGF1 with the same hash and a salt as long as the digest.
/// Messages are verified by `ring` where it can; a bare digest, which `ring` cannot
/// verify, and everything of GOST, by the curve's own arithmetic or by that of RSA.
pub fn verify_own(
    certificate: &[u8],
    scheme: SignatureScheme,
    hash: HashFunction,
    data: &SignData,
    signature: &[u8],
) -> Result<(), Error> {
    let key = Key::read(certificate)?;
    let verdict = match data {
        SignData::Message(message) => match by_ring(&key, scheme, hash, message, signature) {
            Some(verdict) => verdict,
            None => over_digest(&key, scheme, hash, &hash.digest(message), signature),
        },
        SignData::Digest(digest) => over_digest(&key, scheme, hash, digest, signature),
    };
    verdict.then_some(()).ok_or(Error::SignatureMismatch)
}

/// The verdict of `ring`; `None` where it has no such algorithm.
fn by_ring(key: &Key, scheme: SignatureScheme, hash: HashFunction, message: &[u8], signature: &[u8]) -> Option<bool> {
    let ecdsa = |algorithm: &'static dyn VerificationAlgorithm, point: &[u8]| {
        // `ring` takes uncompressed points alone.
        (point.first() == Some(&4)).then(|| {
            UnparsedPublicKey::new(algorithm, point)
                .verify(message, signature)
                .is_ok()
        })
    };
    match (key, scheme, hash) {
        (Key::P256(point), SignatureScheme::Ecdsa, HashFunction::Sha256) => ecdsa(&rs::ECDSA_P256_SHA256_FIXED, point),
        (Key::P384(point), SignatureScheme::Ecdsa, HashFunction::Sha384) => ecdsa(&rs::ECDSA_P384_SHA384_FIXED, point),
        (Key::Rsa { modulus, exponent }, scheme, hash) => {
            let parameters = rsa_parameters(scheme, hash)?;
            let key = RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            };
            Some(key.verify(parameters, message, signature).is_ok())
        }
        _ => None,
    }
}

fn rsa_parameters(scheme: SignatureScheme, hash: HashFunction) -> Option<&'static rs::RsaParameters> {
    Some(match (scheme, hash) {
        (SignatureScheme::RsaPkcs1, HashFunction::Sha256) => &rs::RSA_PKCS1_2048_8192_SHA256,
        (SignatureScheme::RsaPkcs1, HashFunction::Sha384) => &rs::RSA_PKCS1_2048_8192_SHA384,
        (SignatureScheme::RsaPkcs1, HashFunction::Sha512) => &rs::RSA_PKCS1_2048_8192_SHA512,
        (SignatureScheme::RsaPss, HashFunction::Sha256) => &rs::RSA_PSS_2048_8192_SHA256,
        (SignatureScheme::RsaPss, HashFunction::Sha384) => &rs::RSA_PSS_2048_8192_SHA384,
        (SignatureScheme::RsaPss, HashFunction::Sha512) => &rs::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// Verifies with public-key operations alone: there is no secret whose use could be timed.
fn over_digest(key: &Key, scheme: SignatureScheme, hash: HashFunction, digest: &[u8], signature: &[u8]) -> bool {
    if digest.len() != hash.length() {
        return false;
    }
    /// ECDSA over a digest with one of the three curve crates, whose types share names.
    macro_rules! ecdsa {
        ($curve:ident, $point:expr) => {{
            use $curve::ecdsa::signature::hazmat::PrehashVerifier as _;
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes($point);
            let signature = $curve::ecdsa::Signature::from_slice(signature);
            matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(digest, &signature).is_ok())
        }};
    }
    match (key, scheme) {
        (Key::P256(point), SignatureScheme::Ecdsa) => ecdsa!(p256, point),
        (Key::P384(point), SignatureScheme::Ecdsa) => ecdsa!(p384, point),
        (Key::P521(point), SignatureScheme::Ecdsa) => ecdsa!(p521, point),
        (Key::Rsa { modulus, exponent }, SignatureScheme::RsaPkcs1) => {
            rsa::verify_pkcs1(modulus, exponent, hash, digest, signature)
        }
        (Key::Rsa { modulus, exponent }, SignatureScheme::RsaPss) => {
            rsa::verify_pss(modulus, exponent, hash, digest, signature)
        }
        (Key::Gost(gost), SignatureScheme::Gost) => {
            // The key prescribes its hash function.
            let own = SignatureAlgorithm::ALL
                .into_iter()
                .find(|algorithm| key.fits(*algorithm));
            let signature = gost3410::Signature::from_x509(signature);
            own.is_some_and(|own| own.hash() == hash)
                && signature.is_ok_and(|signature| gost.verify_digest(digest, &signature).is_ok())
        }
        _ => false,
    }
}
