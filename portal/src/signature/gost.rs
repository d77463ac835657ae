//! GOST R 34.10-2012 (RFC 7091) in the encodings of X.509 and CMS (RFC 9215), over `gost3410`.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use const_oid::ObjectIdentifier;
use der::Encode;
use gost3410::Algorithm;
use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::identifier::null_or_absent;
use super::{PublicKey, Scheme, SignatureError};

/// Whether the key is of GOST R 34.10, 2001 included.
pub(super) fn is_key(spki: &SubjectPublicKeyInfoOwned) -> bool {
    Algorithm::from_key_oid(&spki.algorithm.oid).is_some()
}

/// The key, its point checked: on its curve, and in the group that signatures live in.
///
/// The digest parameter may be there or not; one that contradicts the key's algorithm is refused.
pub(super) fn import(spki: &SubjectPublicKeyInfoOwned) -> Result<gost3410::PublicKey, SignatureError> {
    if let Some(name) = ended_algorithm(spki.algorithm.oid) {
        return Err(SignatureError::Ended(name));
    }
    let der = spki.to_der().map_err(|_| SignatureError::InvalidKey)?;
    gost3410::PublicKey::from_spki_der(&der).map_err(|_| SignatureError::InvalidKey)
}

/// Verifies `s || r` over a digest of Streebog.
pub(super) fn verify(key: &gost3410::PublicKey, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let signature = gost3410::Signature::from_x509(signature).map_err(|_| SignatureError::Invalid)?;
    key.verify_digest(digest, &signature)
        .map_err(|_| SignatureError::Invalid)
}

/// The name of the algorithm that an identifier of GOST R 34.10-2001 or 34.11-94 means: their use ended.
pub(crate) fn ended_algorithm(oid: ObjectIdentifier) -> Option<&'static str> {
    let ended = Algorithm::Gost2001;
    if oid == ended.digest_oid() {
        return Some("GOST R 34.11-94");
    }
    (oid == ended.key_oid() || oid == ended.signature_oid()).then_some("GOST R 34.10-2001")
}

/// Verifies a signature of GOST R 34.10-2001 with GOST R 34.11-94 (RFC 4491 section 2.2.2) in a certificate: for the
/// holders of universal electronic cards, and nobody else.
pub(crate) fn verify_ended(
    algorithm: &AlgorithmIdentifierOwned,
    spki: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let verified = || {
        let key = gost3410::PublicKey::from_spki_der(&spki.to_der().ok()?).ok()?;
        let of_its_time = key.algorithm() == Algorithm::Gost2001
            && algorithm.oid == Algorithm::Gost2001.signature_oid()
            && null_or_absent(algorithm);
        let signature = gost3410::Signature::from_x509(signature).ok()?;
        of_its_time
            .then(|| key.verify_message(message, &signature).ok())
            .flatten()
    };
    verified().is_some()
}

/// The scheme that a key's own identifier means where CMS has it as the algorithm of a signature,
/// as OpenSSL's engine and CryptoPro write it: the hash is of the key's size.
pub(crate) fn key_scheme(identifier: &AlgorithmIdentifierOwned) -> Option<Scheme> {
    let hash = match Algorithm::from_key_oid(&identifier.oid)? {
        Algorithm::Gost2012_256 => HashFunction::Streebog256,
        Algorithm::Gost2012_512 => HashFunction::Streebog512,
        Algorithm::Gost2001 => return None,
    };
    let scheme = SignatureScheme::Gost;
    null_or_absent(identifier).then_some(Scheme { scheme, hash })
}

/// A certificate's GOST key, checked once however often it is used: on the curves of cofactor 4 the check
/// costs as much as a signature's. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckedKey(Arc<OnceLock<Result<gost3410::PublicKey, SignatureError>>>);

impl CheckedKey {
    /// The key in `spki`, which must always be the same; keys of other kinds are read as they are.
    pub(crate) fn read<'a>(&'a self, spki: &'a SubjectPublicKeyInfoOwned) -> Result<PublicKey<'a>, SignatureError> {
        if !is_key(spki) {
            return PublicKey::from_spki(spki);
        }
        match self.0.get_or_init(|| import(spki)) {
            Ok(key) => Ok(PublicKey::of_gost(Cow::Borrowed(key))),
            Err(error) => Err(*error),
        }
    }
}
