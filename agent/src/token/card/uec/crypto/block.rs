//! Modes over a cipher with blocks of eight bytes.

use zeroize::Zeroizing;

/// A block.
pub(in super::super) type Block = [u8; 8];

/// A block cipher with its key.
pub(in super::super) trait Cipher {
    /// One block forwards (ECB).
    fn encrypt(&self, block: Block) -> Block;
    /// One block backwards.
    fn decrypt(&self, block: Block) -> Block;
}

/// CBC with ISO/IEC 7816-4 padding, which is always added: eight bytes become sixteen.
pub(in super::super) fn cbc_encrypt(cipher: &impl Cipher, iv: Block, plain: &[u8]) -> Vec<u8> {
    let padded = padded(plain);
    let mut before = iv;
    let mut out = Vec::with_capacity(padded.len());
    for block in blocks(&padded) {
        before = cipher.encrypt(xor(before, block));
        out.extend(before);
    }
    out
}

/// The same backwards; nothing where the length or the padding is wrong.
///
/// The answer's MAC is checked before: what the padding is tells nobody anything.
pub(in super::super) fn cbc_decrypt(cipher: &impl Cipher, iv: Block, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if secret.is_empty() || !secret.len().is_multiple_of(8) {
        return None;
    }
    let mut before = iv;
    let mut out = Zeroizing::new(Vec::with_capacity(secret.len()));
    for block in blocks(secret) {
        out.extend(xor(cipher.decrypt(block), before));
        before = block;
    }
    let end = out.iter().rposition(|byte| *byte != 0)?;
    (out[end] == 0x80 && out.len() - end <= 8).then(|| {
        out.truncate(end);
        out
    })
}

/// CFB over whole blocks, "gamma with feedback"; the last block may be short, nothing is padded.
pub(in super::super) fn cfb_encrypt(cipher: &impl Cipher, iv: Block, plain: &[u8]) -> Vec<u8> {
    let mut before = iv;
    let mut out = Vec::with_capacity(plain.len());
    for part in plain.chunks(8) {
        let gamma = cipher.encrypt(before);
        let start = out.len();
        out.extend(part.iter().zip(gamma).map(|(byte, gamma)| byte ^ gamma));
        before = filled(&out[start..]);
    }
    out
}

/// The same backwards.
pub(in super::super) fn cfb_decrypt(cipher: &impl Cipher, iv: Block, secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut before = iv;
    let mut out = Zeroizing::new(Vec::with_capacity(secret.len()));
    for part in secret.chunks(8) {
        let gamma = cipher.encrypt(before);
        out.extend(part.iter().zip(gamma).map(|(byte, gamma)| byte ^ gamma));
        before = filled(part);
    }
    out
}

/// `80` and zeros up to a whole block.
pub(in super::super) fn padded(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut padded = Zeroizing::new(Vec::with_capacity(bytes.len() + 8));
    padded.extend_from_slice(bytes);
    padded.push(0x80);
    let end = padded.len().next_multiple_of(8);
    padded.resize(end, 0);
    padded
}

/// Whole blocks; what is short at the end is filled with zeros.
pub(in super::super) fn blocks(bytes: &[u8]) -> impl Iterator<Item = Block> + '_ {
    bytes.chunks(8).map(filled)
}

pub(in super::super) fn xor(a: Block, b: Block) -> Block {
    std::array::from_fn(|i| a[i] ^ b[i])
}

fn filled(part: &[u8]) -> Block {
    let mut block = [0; 8];
    block[..part.len()].copy_from_slice(part);
    block
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::gost28147::Gost28147;
    use super::*;

    fn cipher() -> Gost28147 {
        Gost28147::new(&[7; 32])
    }

    #[test]
    fn both_modes_come_back_at_every_length() {
        for length in 0..40 {
            let plain: Vec<u8> = (0..length).collect();
            let secret = cbc_encrypt(&cipher(), [1; 8], &plain);
            assert_eq!(secret.len(), (plain.len() + 1).next_multiple_of(8));
            assert_eq!(*cbc_decrypt(&cipher(), [1; 8], &secret).unwrap(), plain);
            let secret = cfb_encrypt(&cipher(), [1; 8], &plain);
            assert_eq!(secret.len(), plain.len());
            assert_eq!(*cfb_decrypt(&cipher(), [1; 8], &secret), plain);
        }
    }

    #[test]
    fn what_was_not_padded_so_is_refused() {
        let of = |plain: [u8; 8]| cipher().encrypt(plain);
        assert!(cbc_decrypt(&cipher(), [0; 8], &of([0; 8])).is_none());
        assert!(cbc_decrypt(&cipher(), [0; 8], &of([1, 2, 3, 4, 5, 6, 7, 8])).is_none());
        assert!(
            cbc_decrypt(&cipher(), [0; 8], &of([0x80, 0, 0, 0, 0, 0, 0, 0]))
                .unwrap()
                .is_empty()
        );
        assert!(cbc_decrypt(&cipher(), [0; 8], &[0; 7]).is_none());
        assert!(cbc_decrypt(&cipher(), [0; 8], &[]).is_none());
        // A whole block of zeros after the padding byte is more padding than there can be.
        let first = of([1, 2, 3, 4, 5, 6, 7, 0x80]);
        let second = cipher().encrypt(first);
        assert!(cbc_decrypt(&cipher(), [0; 8], &[first, second].concat()).is_none());
    }
}
