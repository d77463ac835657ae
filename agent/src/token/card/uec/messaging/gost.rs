//! Secure messaging with GOST 28147-89.

use zeroize::Zeroizing;

use super::super::crypto::block::{Block, Cipher, cbc_decrypt, cbc_encrypt, cfb_decrypt, cfb_encrypt};
use super::super::crypto::gost::{Key, derive};
use super::super::crypto::gost28147::Gost28147;
use super::super::kind::Version;
use super::{Channel, Ciphers, Rules};

/// The two keys of a session. Their schedules are wiped when they go.
pub(in super::super) struct Keys {
    version: Version,
    encryption: Gost28147,
    mac: Gost28147,
}

impl Keys {
    /// From what the two sides agreed on.
    pub(in super::super) fn derive(version: Version, agreed: &Key) -> Self {
        Self {
            version,
            encryption: Gost28147::new(&derive(agreed, 1)),
            mac: Gost28147::new(&derive(agreed, 2)),
        }
    }

    /// Imitovstavka under the second key: the card's cryptogram, before there is a channel.
    pub(in super::super) fn imit(&self, message: &[u8]) -> [u8; 4] {
        self.mac.imit(message)
    }

    /// The session that begins with SSC0 = `start`.
    pub(in super::super) fn channel(self, start: Block) -> Channel {
        let rules = match self.version {
            Version::V11 => Rules {
                indicator: 1,
                always_le: false,
                tail: &[],
                first: 1,
            },
            Version::V10 => Rules {
                indicator: 2,
                always_le: true,
                tail: &[0x80],
                first: 1,
            },
        };
        Channel::new(Box::new(self), rules, start)
    }
}

impl Ciphers for Keys {
    fn iv(&self, counter: Block) -> Block {
        self.encryption.encrypt(counter)
    }

    fn encrypt(&self, iv: Block, plain: &[u8]) -> Vec<u8> {
        match self.version {
            Version::V11 => cbc_encrypt(&self.encryption, iv, plain),
            Version::V10 => cfb_encrypt(&self.encryption, iv, plain),
        }
    }

    fn decrypt(&self, iv: Block, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self.version {
            Version::V11 => cbc_decrypt(&self.encryption, iv, secret),
            Version::V10 => Some(cfb_decrypt(&self.encryption, iv, secret)),
        }
    }

    fn mac(&self, message: &[u8]) -> [u8; 4] {
        self.imit(message)
    }
}
