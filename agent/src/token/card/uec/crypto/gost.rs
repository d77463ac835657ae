//! GOST R 34.10-2001 and what is derived with GOST R 34.11-94, in the encodings of each version of the card.
//!
//! | | v1.1 | v1.0 |
//! |---|---|---|
//! | private number, coordinates, r and s | little-endian | big-endian |
//! | a digest as a number | little-endian | big-endian |

use gost3410::{Algorithm, Error, ParameterSet, PublicKey, SecretKey, Signature};
use zeroize::Zeroizing;

use super::super::kind::{Suite, Version};

/// The card's only curve.
const SET: ParameterSet = ParameterSet::CryptoProA;

/// A key derived for one session.
pub(in super::super) type Key = Zeroizing<[u8; 32]>;

/// Reads 64 bytes of a public key; both coordinates are checked to be a point of the group.
pub(in super::super) fn public_key(version: Version, octets: &[u8]) -> Result<PublicKey, Error> {
    match version {
        Version::V11 => PublicKey::from_x509(Algorithm::Gost2001, SET, octets),
        Version::V10 => PublicKey::from_x_y(Algorithm::Gost2001, SET, octets),
    }
}

/// Writes a public key as the version does.
pub(in super::super) fn public_octets(version: Version, key: &PublicKey) -> Vec<u8> {
    match version {
        Version::V11 => key.to_x509(),
        Version::V10 => key.to_x_y(),
    }
}

/// Whether the 64 bytes are a signature of the message.
pub(in super::super) fn verify(version: Version, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    verify_digest(version, key, &Suite::Gost.hash(message), signature)
}

/// Whether the 64 bytes are a signature of what has this digest, its octets as the hash function gives them.
pub(in super::super) fn verify_digest(version: Version, key: &PublicKey, digest: &[u8], signature: &[u8]) -> bool {
    let read = match version {
        Version::V11 => Signature::from_cryptoapi(signature),
        Version::V10 => Signature::from_r_s(signature),
    };
    read.is_ok_and(|signature| {
        key.verify_digest(&number_of(version, digest.to_vec()), &signature)
            .is_ok()
    })
}

/// Signs a message with the terminal's key.
pub(in super::super) fn sign(version: Version, key: &SecretKey, message: &[u8]) -> Result<Vec<u8>, Error> {
    let signature = key.sign_digest(&number_of(version, Suite::Gost.hash(message)))?;
    Ok(match version {
        Version::V11 => signature.to_cryptoapi(),
        Version::V10 => signature.to_r_s(),
    })
}

/// `gost3410` takes a digest little-endian; v1.0 means the other number.
fn number_of(version: Version, mut digest: Vec<u8>) -> Vec<u8> {
    if version == Version::V10 {
        digest.reverse();
    }
    digest
}

/// A fresh key on the card's curve.
pub(in super::super) fn ephemeral() -> Result<SecretKey, Error> {
    SecretKey::generate(Algorithm::Gost2001, SET)
}

/// 33 bytes: `02` or `03` by the lowest bit of y, then x, big-endian; the same of both versions.
pub(in super::super) fn compressed(key: &PublicKey) -> [u8; 33] {
    let x_y = key.to_x_y();
    let mut out = [0; 33];
    out[0] = 2 | (x_y[63] & 1);
    out[1..].copy_from_slice(&x_y[..32]);
    out
}

/// VKO GOST R 34.10-2001 (RFC 4357 section 5.2) as v1.1 uses it: the UKM is the first eight bytes of
/// `H(randoms)`, little-endian.
pub(in super::super) fn vko(own: &SecretKey, peer: &PublicKey, randoms: &[u8]) -> Result<Key, Error> {
    let ukm = Suite::Gost.hash(randoms);
    let point = own.agree(peer, &ukm[..8])?.to_x509();
    Ok(hashed(&[&point]))
}

/// Plain Diffie-Hellman as v1.0 uses it: x, big-endian, of the point.
pub(in super::super) fn ecdh(own: &SecretKey, peer: &PublicKey) -> Result<Key, Error> {
    let point = own.agree(peer, &[1])?.to_x_y();
    let mut x = Key::default();
    x.copy_from_slice(&point[..32]);
    Ok(x)
}

/// KDF_G: `H(key || 00 00 00 n)`.
pub(in super::super) fn derive(key: &[u8; 32], n: u8) -> Key {
    hashed(&[key, &[0, 0, 0, n]])
}

/// A card's own key from the master's, by what the card is (PAN and SNILS): h = H(data), its four blocks in CBC
/// under the master with a zero IV.
///
/// Only an issuer has a master key: the agent calls this nowhere, the vectors do.
#[cfg(test)]
pub(in super::super) fn diversified(master: &[u8; 32], data: &[u8]) -> Vec<u8> {
    use super::block::{Cipher, blocks, xor};
    let cipher = super::gost28147::Gost28147::new(master);
    let mut before = [0; 8];
    let digest = Suite::Gost.hash(data);
    let chain = blocks(&digest).flat_map(|block| {
        before = cipher.encrypt(xor(before, block));
        before
    });
    chain.collect()
}

fn hashed(parts: &[&[u8]]) -> Key {
    use digest::Digest;
    let mut hash = gost94::Gost94CryptoPro::new();
    parts.iter().for_each(|part| hash.update(part));
    Zeroizing::new(hash.finalize().into())
}
