//! The card's algorithms (uec-secure-messaging.md, section 0), as functions of bytes.
//!
//! Ciphers and hashes are other people's crates; here are the modes, the encodings of each version, and the
//! derivation of keys.

pub(super) mod block;
pub(super) mod gost;
pub(super) mod gost28147;
pub(super) mod rsa;
pub(super) mod triple_des;

/// The system's randomness.
pub(super) fn random<const N: usize>() -> Result<[u8; N], super::super::error::CardError> {
    use ring::rand::SecureRandom;
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| {
        super::super::error::CardError::Unsupported("the operating system gives no randomness".to_owned())
    })?;
    Ok(bytes)
}
