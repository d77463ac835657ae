//! Secure messaging of the RSA suite: DES in three passes, the retail MAC.

use zeroize::Zeroizing;

use super::super::crypto::block::{Block, Cipher, cbc_decrypt, cbc_encrypt};
use super::super::crypto::rsa::{HALF, derive};
use super::super::crypto::triple_des::TripleDes;
use super::super::kind::Version;
use super::{Channel, Ciphers, Rules};

struct Keys {
    encryption: TripleDes,
    mac: TripleDes,
}

/// The session that two halves and SSC0 = `start` make.
pub(in super::super) fn channel(version: Version, terminals: &[u8; HALF], cards: &[u8; HALF], start: Block) -> Channel {
    let shared = Zeroizing::new(std::array::from_fn(|i| terminals[i] ^ cards[i]));
    let [first, second] = [1, 2].map(|n| TripleDes::new(&derive(&shared, n)));
    let (keys, counted_from) = match version {
        Version::V11 => (
            Keys {
                encryption: first,
                mac: second,
            },
            1,
        ),
        Version::V10 => (
            Keys {
                encryption: second,
                mac: first,
            },
            2,
        ),
    };
    let rules = Rules {
        indicator: 1,
        always_le: false,
        tail: &[],
        first: counted_from,
    };
    Channel::new(Box::new(keys), rules, start)
}

impl Ciphers for Keys {
    fn iv(&self, counter: Block) -> Block {
        self.encryption.encrypt(counter)
    }

    fn encrypt(&self, iv: Block, plain: &[u8]) -> Vec<u8> {
        cbc_encrypt(&self.encryption, iv, plain)
    }

    fn decrypt(&self, iv: Block, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        cbc_decrypt(&self.encryption, iv, secret)
    }

    fn mac(&self, message: &[u8]) -> [u8; 4] {
        self.mac.retail_mac(message)
    }
}
