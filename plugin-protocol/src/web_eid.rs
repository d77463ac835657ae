//! The bytes signed by a Web eID authentication token, version 1.0.

use crate::{Challenge, Origin, SignatureAlgorithm};

/// `H(origin) || H(challenge)`, with `H` the hash of `algorithm`.
///
/// Both are hashed as their ASCII text; the challenge is not decoded. The
/// signature algorithm hashes the result once more, so a token that signs
/// digests is given `H(H(origin) || H(challenge))`.
pub fn to_be_signed(origin: &Origin, challenge: &Challenge, algorithm: SignatureAlgorithm) -> Vec<u8> {
    let hash = algorithm.hash();
    let mut bytes = hash.digest(origin.as_str().as_bytes());
    bytes.extend(hash.digest(challenge.as_str().as_bytes()));
    bytes
}
