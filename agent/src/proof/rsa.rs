//! RSA signatures over a digest (RFC 8017), which `ring` verifies only over a message.
//!
//! Public values alone: nothing here needs to run in constant time.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use plugin_protocol::HashFunction;

/// Bits of the modulus that are accepted; the same as `ring`'s.
const BITS: std::ops::RangeInclusive<u32> = 2048..=8192;
/// The same for keys of the universal electronic card, which are 1024 bits long (2048 fit its buffers).
const CARD_BITS: std::ops::RangeInclusive<u32> = 1024..=2048;
/// Bytes of the public exponent that are accepted; 65537 is the one in use.
const MAX_EXPONENT: usize = 4;

/// RSASSA-PKCS1-v1_5 (section 8.2.2): the block is built and compared whole, nothing in it is parsed.
pub(super) fn verify_pkcs1(
    modulus: &[u8],
    exponent: &[u8],
    hash: HashFunction,
    digest: &[u8],
    signature: &[u8],
) -> bool {
    let Some(info) = digest_info(hash, digest) else {
        return false;
    };
    let Some(padding) = modulus.len().checked_sub(info.len() + 3).filter(|length| *length >= 8) else {
        return false;
    };
    let expected = [&[0, 1][..], &vec![0xff; padding], &[0], &info].concat();
    open(modulus, exponent, signature).is_some_and(|block| block == expected)
}

/// RSASSA-PSS (section 8.1.2) with MGF1 of the same hash and a salt as long as the digest.
pub(super) fn verify_pss(modulus: &[u8], exponent: &[u8], hash: HashFunction, digest: &[u8], signature: &[u8]) -> bool {
    let Some(bits) = bit_length(modulus) else { return false };
    open(modulus, exponent, signature).is_some_and(|block| emsa_pss_verify(&block, bits - 1, hash, digest))
}

/// RSAVP1 and RSAEP for the universal electronic card, whose keys have 1024 bits: a number below the modulus, as long
/// as it, to the power of the public exponent.
pub(crate) fn card_operation(modulus: &[u8], exponent: &[u8], block: &[u8]) -> Option<Vec<u8>> {
    let bits = bit_length(modulus).filter(|bits| CARD_BITS.contains(bits))?;
    power(modulus, exponent, bits, block)
}

/// RSAVP1 (section 5.2.2): `signature ^ exponent mod modulus`, as long as the modulus.
fn open(modulus: &[u8], exponent: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    let bits = bit_length(modulus).filter(|bits| BITS.contains(bits))?;
    power(modulus, exponent, bits, signature)
}

/// The same for a modulus of any length: `bits` bits.
fn power(modulus: &[u8], exponent: &[u8], bits: u32, signature: &[u8]) -> Option<Vec<u8>> {
    if signature.len() != modulus.len() || exponent.is_empty() || exponent.len() > MAX_EXPONENT {
        return None;
    }
    let n = BoxedUint::from_be_slice(modulus, bits).ok()?;
    let s = BoxedUint::from_be_slice(signature, n.bits_precision()).ok()?;
    let n = Odd::new(n).into_option()?;
    if s >= *n.as_ref() {
        return None;
    }
    let e = BoxedUint::from_be_slice_vartime(exponent);
    let opened = BoxedMontyForm::new(s, &BoxedMontyParams::new_vartime(n)).pow(&e);
    let bytes = opened.retrieve().to_be_bytes();
    let skip = bytes.len().checked_sub(modulus.len())?;
    Some(bytes[skip..].to_vec())
}

/// EMSA-PSS-VERIFY (section 9.1.2), from step 3.
fn emsa_pss_verify(block: &[u8], em_bits: u32, hash: HashFunction, digest: &[u8]) -> bool {
    let length = em_bits.div_ceil(8) as usize;
    let hash_length = hash.length();
    // With a modulus of 8k+1 bits the block is one zero byte longer than EM.
    let (extra, em) = block.split_at(block.len() - length);
    if extra.iter().any(|byte| *byte != 0) || length < 2 * hash_length + 2 || em.last() != Some(&0xbc) {
        return false;
    }
    let (masked, rest) = em.split_at(length - hash_length - 1);
    let seed = &rest[..hash_length];
    let unused = 8 * length as u32 - em_bits;
    let top = (0xff_u16 >> unused) as u8;
    if masked[0] & !top != 0 {
        return false;
    }
    let mask = mgf1(hash, seed, masked.len());
    let mut db: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    db[0] &= top;
    let (padding, salt) = db.split_at(db.len() - hash_length);
    let (one, zeros) = padding.split_last().expect("checked: longer than a digest and a salt");
    if *one != 1 || zeros.iter().any(|byte| *byte != 0) {
        return false;
    }
    hash.digest(&[&[0; 8][..], digest, salt].concat()) == seed
}

/// MGF1 (appendix B.2.1).
fn mgf1(hash: HashFunction, seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0_u32..).map(|counter| hash.digest(&[seed, &counter.to_be_bytes()].concat()));
    blocks.flatten().take(length).collect()
}

/// DER of `DigestInfo` (section 9.2, note 1); `None` of hash functions that RSA is not used with.
fn digest_info(hash: HashFunction, digest: &[u8]) -> Option<Vec<u8>> {
    let (last, length) = match hash {
        HashFunction::Sha256 => (1, 32),
        HashFunction::Sha384 => (2, 48),
        HashFunction::Sha512 => (3, 64),
        HashFunction::Streebog256 | HashFunction::Streebog512 => return None,
    };
    let head = [
        0x30,
        17 + length,
        0x30,
        13,
        6,
        9,
        0x60,
        0x86,
        0x48,
        1,
        0x65,
        3,
        4,
        2,
        last,
        5,
        0,
        4,
        length,
    ];
    Some([&head[..], digest].concat())
}

/// Bits of a number without leading zero bytes; `None` for none.
fn bit_length(number: &[u8]) -> Option<u32> {
    let first = number.first().filter(|byte| **byte != 0)?;
    let bytes = u32::try_from(number.len()).ok()?;
    Some(8 * bytes - first.leading_zeros())
}
