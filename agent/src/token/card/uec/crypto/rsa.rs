//! RSA of the card's second suite: PKCS#1 v1.5 with SHA-1 (uec-secure-messaging.md, 0.2).

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::super::super::error::CardError;
use super::super::kind::Suite;
use super::random;
use crate::proof::rsa::card_operation;
use crate::token::software::rsa::{private_operation, public_numbers, sign_digest_info};

/// DigestInfo of SHA-1, with the NULL.
const SHA1_INFO: [u8; 15] = [0x30, 0x21, 0x30, 9, 6, 5, 0x2B, 0x0E, 3, 2, 0x1A, 5, 0, 4, 0x14];

/// How long the key is that a session's two halves are exchanged with.
pub(in super::super) const HALF: usize = 16;

/// A public key: modulus and exponent, big-endian without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct PublicKey {
    pub(in super::super) modulus: Vec<u8>,
    pub(in super::super) exponent: Vec<u8>,
}

impl PublicKey {
    /// Whether it signed the message: the block is built and compared whole.
    pub(in super::super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify_digest(&Suite::Rsa.hash(message), signature)
    }

    /// The same with the message's SHA-1.
    pub(in super::super) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> bool {
        let info = [&SHA1_INFO, digest].concat();
        let Some(padding) = self.modulus.len().checked_sub(info.len() + 3) else {
            return false;
        };
        let expected = [&[0, 1][..], &vec![0xFF; padding], &[0], &info].concat();
        card_operation(&self.modulus, &self.exponent, signature).is_some_and(|block| block == expected)
    }

    /// Encrypts with block type 02. The padding is random and has no zero, as RFC 8017 section 7.2.1 has it; the
    /// vendor's library fills it with FF.
    pub(in super::super) fn encrypt(&self, secret: &[u8]) -> Result<Vec<u8>, CardError> {
        let weak = || CardError::Malformed("RSA key of the card", "of a length that it cannot have".to_owned());
        let padding = self.modulus.len().checked_sub(secret.len() + 3).ok_or_else(weak)?;
        let mut block = Zeroizing::new(vec![0, 2]);
        while block.len() < 2 + padding {
            let more = random::<32>()?;
            let room = 2 + padding - block.len();
            block.extend(more.into_iter().filter(|byte| *byte != 0).take(room));
        }
        block.push(0);
        block.extend_from_slice(secret);
        card_operation(&self.modulus, &self.exponent, &block).ok_or_else(weak)
    }
}

/// A terminal's private key, PKCS#8. Wiped when it goes.
pub(in super::super) struct PrivateKey {
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads PKCS#8; nothing where it is none of RSA.
    pub(in super::super) fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let (modulus, exponent) = public_numbers(&pkcs8)?;
        let public = PublicKey { modulus, exponent };
        Some(Self { pkcs8, public })
    }

    /// The public key that belongs to it.
    pub(in super::super) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs; the result is checked, for a fault in the arithmetic would give the key away.
    pub(in super::super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let info = [&SHA1_INFO[..], &Suite::Rsa.hash(message)].concat();
        let signature = sign_digest_info(&self.pkcs8, &info)?;
        self.public.verify(message, &signature).then_some(signature)
    }

    /// Decrypts the card's answer, `own half || card's half`, and gives the card's half. Everything that can be wrong
    /// with the block is found out together, so that nobody learns which it was.
    pub(in super::super) fn open(&self, secret: &[u8], own: &[u8; HALF]) -> Option<Zeroizing<[u8; HALF]>> {
        let block = private_operation(&self.pkcs8, secret)?;
        let at = block.len().checked_sub(2 * HALF + 1).filter(|at| *at > 2)?;
        let (padding, halves) = block.split_at(at);
        let right: Choice = padding[..2].ct_eq(&[0, 2]) & halves[..1].ct_eq(&[0]) & halves[1..=HALF].ct_eq(own);
        let mut card = Zeroizing::new([0; HALF]);
        card.copy_from_slice(&halves[1 + HALF..]);
        bool::from(right).then_some(card)
    }
}

/// KDF_D: the first sixteen bytes of `SHA-1(key || 00 00 00 n)`.
pub(in super::super) fn derive(key: &[u8; HALF], n: u8) -> Zeroizing<[u8; 16]> {
    let digest = Zeroizing::new(Suite::Rsa.hash(Zeroizing::new([&key[..], &[0, 0, 0, n]].concat()).as_slice()));
    let mut out = Zeroizing::new([0; 16]);
    out.copy_from_slice(&digest[..16]);
    out
}

/// A card's own key from the master's: the first sixteen bytes of `SHA-1(data)` in 3DES-CBC with a zero IV, unpadded.
///
/// Only an issuer has a master key: the agent calls this nowhere, the vectors do.
#[cfg(test)]
pub(in super::super) fn diversified(master: &[u8; 16], data: &[u8]) -> Vec<u8> {
    use super::block::{Cipher, blocks, xor};
    let cipher = super::triple_des::TripleDes::new(master);
    let mut before = [0; 8];
    let digest = Suite::Rsa.hash(data);
    let chain = blocks(&digest[..16]).flat_map(|block| {
        before = cipher.encrypt(xor(before, block));
        before
    });
    chain.collect()
}
