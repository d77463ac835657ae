//! DES of the RSA suite: two keys in three passes for data, the "retail" MAC.

use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};

use super::block::{Block, Cipher, blocks, padded, xor};

/// EDE with the keys K1, K2, K1. Its key schedule is wiped when it goes (feature `zeroize` of the crate).
pub(in super::super) struct TripleDes {
    passes: TdesEde2,
    first: Des,
    second: Des,
}

impl TripleDes {
    /// With K1 and K2; their parity bits are not looked at.
    pub(in super::super) fn new(key: &[u8; 16]) -> Self {
        let [mut first, mut second] = [[0; 8]; 2];
        first.copy_from_slice(&key[..8]);
        second.copy_from_slice(&key[8..]);
        Self {
            passes: TdesEde2::new(&(*key).into()),
            first: Des::new(&first.into()),
            second: Des::new(&second.into()),
        }
    }

    /// ISO/IEC 9797-1 algorithm 3, padding always added, the first four bytes: CBC under K1, then the last block
    /// backwards under K2 and forwards under K1.
    pub(in super::super) fn retail_mac(&self, message: &[u8]) -> [u8; 4] {
        let mut state = [0; 8];
        for block in blocks(&padded(message)) {
            let mut array = xor(state, block).into();
            self.first.encrypt_block(&mut array);
            state = array.into();
        }
        let mut array = state.into();
        self.second.decrypt_block(&mut array);
        self.first.encrypt_block(&mut array);
        [array[0], array[1], array[2], array[3]]
    }
}

impl Cipher for TripleDes {
    fn encrypt(&self, block: Block) -> Block {
        let mut array = block.into();
        self.passes.encrypt_block(&mut array);
        array.into()
    }

    fn decrypt(&self, block: Block) -> Block {
        let mut array = block.into();
        self.passes.decrypt_block(&mut array);
        array.into()
    }
}
