//! RSA's padding (RFC 8017 section 9), which a PIV card leaves to the host.

use plugin_protocol::HashFunction;
use ring::rand::{SecureRandom, SystemRandom};

use crate::token::pkcs11::digest_info;

/// EMSA-PKCS1-v1_5 (9.2) in a block of `length` bytes; `None` where the digest does not fit or its hash function is
/// not RSA's.
pub(super) fn pkcs1(hash: HashFunction, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let info = digest_info(hash, digest)?;
    let filling = length.checked_sub(3 + info.len()).filter(|filling| *filling >= 8)?;
    Some([&[0x00, 0x01][..], &vec![0xFF; filling], &[0x00], &info].concat())
}

/// EMSA-PSS (9.1.1) for a modulus of `8 * length` bits, with MGF1 of the same hash function and a salt as long as the
/// digest.
pub(super) fn pss(hash: HashFunction, digest: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut salt = vec![0; hash.length()];
    SystemRandom::new().fill(&mut salt).ok()?;
    pss_with(hash, digest, length, &salt)
}

fn pss_with(hash: HashFunction, digest: &[u8], length: usize, salt: &[u8]) -> Option<Vec<u8>> {
    if hash.is_streebog() || digest.len() != hash.length() {
        return None;
    }
    let seed = hash.digest(&[&[0; 8][..], digest, salt].concat());
    let zeros = length.checked_sub(seed.len() + salt.len() + 2)?;
    let mut masked = [&vec![0; zeros][..], &[0x01], salt].concat();
    let mask = mgf1(hash, &seed, masked.len());
    masked.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    // emBits is one less than the modulus's: the leftmost bit is zero.
    if let Some(first) = masked.first_mut() {
        *first &= 0x7F;
    }
    Some([&masked[..], &seed, &[0xBC]].concat())
}

/// MGF1 (appendix B.2.1).
fn mgf1(hash: HashFunction, seed: &[u8], length: usize) -> impl Iterator<Item = u8> {
    let seed = seed.to_vec();
    (0_u32..)
        .flat_map(move |counter| hash.digest(&[&seed[..], &counter.to_be_bytes()].concat()))
        .take(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512, Streebog256};

    use super::*;

    #[test]
    fn pkcs1_blocks_are_as_long_as_the_modulus() {
        for (hash, head) in [(Sha256, 19), (Sha384, 19), (Sha512, 19)] {
            let digest = vec![0xAB; hash.length()];
            let block = pkcs1(hash, &digest, 256).unwrap();
            assert_eq!(
                (block.len(), &block[..2], block[255 - hash.length() - head]),
                (256, &[0, 1][..], 0)
            );
            assert!(block[2..255 - hash.length() - head].iter().all(|byte| *byte == 0xFF));
            assert!(block.ends_with(&digest));
        }
        assert_eq!(pkcs1(Sha512, &[0; 64], 92), None, "fewer than eight FF");
        assert_eq!(pkcs1(Streebog256, &[0; 32], 256), None);
    }

    #[test]
    fn pss_blocks_unmask_to_the_salt() {
        let (digest, salt) = ([0x5A; 48], [0xC3; 48]);
        let block = pss_with(Sha384, &digest, 256, &salt).unwrap();
        assert_eq!((block.len(), block[255], block[0] & 0x80), (256, 0xBC, 0));
        let (masked, seed) = block[..255].split_at(255 - 48);
        let mut db: Vec<u8> = masked
            .iter()
            .zip(mgf1(Sha384, seed, masked.len()))
            .map(|(a, b)| a ^ b)
            .collect();
        db[0] &= 0x7F;
        assert_eq!(&db[db.len() - 49..], [&[1][..], &salt].concat());
        assert!(db[..db.len() - 49].iter().all(|byte| *byte == 0));
        assert_ne!(
            pss(Sha384, &digest, 256),
            pss(Sha384, &digest, 256),
            "the salt is fresh"
        );
        assert_eq!(pss(Sha256, &digest, 256), None, "a digest of another length");
    }
}
