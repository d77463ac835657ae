//! GOST 28147-89 with the S-box `id-Gost28147-89-CryptoPro-A-ParamSet` (RFC 4357 section 11.2).

use magma::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use magma::{Gost89CryptoProA, Sbox};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::block::{Block, Cipher, blocks, xor};

/// The cipher with its key, in the byte order of the standard: every 32-bit word little-endian, the low half first.
///
/// The crate takes the order of GOST R 34.12-2015, which turns both round. It has no call for half of the rounds,
/// which the MAC is made of, so those are here; the S-box is the crate's.
#[derive(ZeroizeOnDrop)]
pub(in super::super) struct Gost28147 {
    #[zeroize(skip)] // the crate wipes its own
    whole: Gost89CryptoProA,
    words: [u32; 8],
}

impl Gost28147 {
    /// With this key.
    pub(in super::super) fn new(key: &[u8; 32]) -> Self {
        let mut words = [0; 8];
        let mut turned = Zeroizing::new([0; 32]);
        for (i, chunk) in key.chunks_exact(4).enumerate() {
            let word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
            words[i] = word;
            turned[4 * i..4 * i + 4].copy_from_slice(&word.to_be_bytes());
        }
        let mut array = (*turned).into();
        let whole = Gost89CryptoProA::new(&array);
        array.as_mut_slice().zeroize();
        Self { whole, words }
    }

    /// Imitovstavka (GOST 28147-89 section 5; RFC 4357 section 2.4 without meshing): zero start, the last block
    /// filled with zeros, one block is not made two; the first four bytes.
    pub(in super::super) fn imit(&self, message: &[u8]) -> [u8; 4] {
        let mut state = [0; 8];
        for block in blocks(message) {
            state = self.sixteen_rounds(xor(state, block));
        }
        [state[0], state[1], state[2], state[3]]
    }

    /// The first sixteen of the thirty-two rounds, halves not swapped at the end.
    fn sixteen_rounds(&self, block: Block) -> Block {
        let [a, b, c, d, e, f, g, h] = block;
        let mut low = u32::from_le_bytes([a, b, c, d]);
        let mut high = u32::from_le_bytes([e, f, g, h]);
        for word in self.words.iter().chain(&self.words) {
            (low, high) = (high ^ substituted(low.wrapping_add(*word)).rotate_left(11), low);
        }
        let mut out = [0; 8];
        out[..4].copy_from_slice(&low.to_le_bytes());
        out[4..].copy_from_slice(&high.to_le_bytes());
        out
    }
}

/// Each nibble through its row of the S-box.
fn substituted(word: u32) -> u32 {
    let rows = table(Gost89CryptoProA::new);
    (0..8).fold(0, |sum, i| {
        let nibble = (word >> (4 * i)) & 15;
        sum | u32::from(rows[i][nibble as usize]) << (4 * i)
    })
}

/// The S-box of a cipher's type, which the crate does not name otherwise.
const fn table<S: Sbox>(_: fn(&magma::cipher::Key<magma::Gost89<S>>) -> magma::Gost89<S>) -> [[u8; 16]; 8] {
    S::SBOX
}

impl Cipher for Gost28147 {
    fn encrypt(&self, mut block: Block) -> Block {
        block.reverse();
        let mut array = block.into();
        self.whole.encrypt_block(&mut array);
        turned(array.into())
    }

    fn decrypt(&self, mut block: Block) -> Block {
        block.reverse();
        let mut array = block.into();
        self.whole.decrypt_block(&mut array);
        turned(array.into())
    }
}

fn turned(mut block: Block) -> Block {
    block.reverse();
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Our sixteen rounds and the crate's thirty-two agree on the S-box and the order of everything: the other
    /// sixteen, with the key's words backwards in the last eight, make the whole cipher of them.
    #[test]
    fn the_rounds_are_those_of_the_crate() {
        let key: [u8; 32] = std::array::from_fn(|i| (37 * i + 11) as u8);
        let cipher = Gost28147::new(&key);
        let half = cipher.sixteen_rounds(*b"a block!");
        let mut low = u32::from_le_bytes([half[0], half[1], half[2], half[3]]);
        let mut high = u32::from_le_bytes([half[4], half[5], half[6], half[7]]);
        for word in cipher.words.iter().chain(cipher.words.iter().rev()) {
            (low, high) = (high ^ substituted(low.wrapping_add(*word)).rotate_left(11), low);
        }
        let whole = [high.to_le_bytes(), low.to_le_bytes()].concat();
        assert_eq!(cipher.encrypt(*b"a block!").as_slice(), whole);
        assert_eq!(cipher.decrypt(cipher.encrypt(*b"a block!")), *b"a block!");
    }
}
