//! Private keys: making, import, export, signing.

use crate::nonce::Nonces;
use crate::octets::Octets;
use crate::{Algorithm, Error, ParameterSet, PublicKey, Signature, pkcs8, sign};
use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

/// A private key. It is wiped when it goes, and has neither `Debug` nor `Clone`.
pub struct SecretKey {
    public: PublicKey,
    secret: Zeroizing<Octets>,
}

impl SecretKey {
    /// Makes a new key from the operating system's randomness.
    pub fn generate(algorithm: Algorithm, set: ParameterSet) -> Result<Self, Error> {
        if algorithm.size() != set.size() {
            return Err(Error::AlgorithmMismatch);
        }
        let unused = 8 * set.size().bytes() as u32 - sign::order_bits(set.curve());
        loop {
            let mut secret = Zeroizing::new(Octets::zero(set.size()));
            getrandom::fill((*secret).as_mut()).map_err(|_| Error::Randomness)?;
            (*secret).as_mut()[0] &= 0xff >> unused;
            match SecretKey::checked(algorithm, set, secret) {
                Err(Error::PrivateKeyRange) => continue,
                done => return done,
            }
        }
    }

    /// Takes the number little-endian, as PKCS#8, CryptoAPI and tokens (CKA_VALUE) have it.
    pub fn from_le_bytes(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<Self, Error> {
        SecretKey::checked(algorithm, set, Zeroizing::new(Octets::from_le(set.size(), octets)?))
    }

    /// Takes the number big-endian, as RFC 7091 writes it and as libgcrypt takes it.
    pub fn from_be_bytes(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<Self, Error> {
        SecretKey::checked(algorithm, set, Zeroizing::new(Octets::from_be(set.size(), octets)?))
    }

    /// Takes the DER of a PKCS#8 PrivateKeyInfo, with the number in any of the forms that OpenSSL's engine reads:
    ///
    /// * the number, little-endian, bare or in an OCTET STRING;
    /// * the same multiplied by up to seven masks, which follow it (R 50.1.112-2016);
    /// * an INTEGER;
    /// * a SEQUENCE of a masked number and a public key.
    ///
    /// Where the structure carries a public key, it must belong to the private one.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        pkcs8::read(der)
    }

    /// Gives the number, little-endian ([`SecretKey::from_le_bytes`]).
    pub fn to_le_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(self.secret.size().bytes()));
        self.secret.push_le(&mut octets);
        octets
    }

    /// Gives the number, big-endian ([`SecretKey::from_be_bytes`]).
    pub fn to_be_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(self.secret.size().bytes()));
        self.secret.push_be(&mut octets);
        octets
    }

    /// Gives the DER of a PKCS#8 PrivateKeyInfo, the number in it little-endian and bare, as OpenSSL's engine writes it.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        pkcs8::write(self)
    }

    /// The public key that belongs to it.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a digest: the octets of the algorithm's hash function, as they come.
    ///
    /// The nonce is derived from key and digest (RFC 6979 with HMAC-Streebog) and from fresh randomness, so the same
    /// digest gives another signature each time.
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Signature, Error> {
        let mut randomness = Zeroizing::new([0; 32]);
        getrandom::fill(randomness.as_mut()).map_err(|_| Error::Randomness)?;
        self.sign_mixed(digest, randomness.as_ref())
    }

    /// Signs a digest without randomness: the same digest gives the same signature.
    pub fn sign_digest_deterministic(&self, digest: &[u8]) -> Result<Signature, Error> {
        self.sign_mixed(digest, &[])
    }

    /// Hashes a message with the algorithm's hash function and signs the digest.
    pub fn sign_message(&self, message: &[u8]) -> Result<Signature, Error> {
        self.sign_digest(&self.public.algorithm().digest(message))
    }

    pub(crate) fn secret(&self) -> &Octets {
        &self.secret
    }

    fn sign_mixed(&self, digest: &[u8], randomness: &[u8]) -> Result<Signature, Error> {
        let curve = self.public.parameter_set().curve();
        let number = sign::digest_number(curve, digest)?;
        let mut nonces = Nonces::new(curve, &self.secret, &number, randomness);
        sign::sign(curve, &self.secret, digest, &mut || nonces.next())
    }

    pub(crate) fn checked(algorithm: Algorithm, set: ParameterSet, secret: Zeroizing<Octets>) -> Result<Self, Error> {
        if algorithm.size() != set.size() {
            return Err(Error::AlgorithmMismatch);
        }
        let point = sign::public_point(set.curve(), &secret).ok_or(Error::PrivateKeyRange)?;
        Ok(SecretKey {
            public: PublicKey::from_point(algorithm, set, point),
            secret,
        })
    }
}

impl Zeroize for SecretKey {
    /// Wipes the number. The key refuses to sign afterwards; dropping it does the same.
    fn zeroize(&mut self) {
        self.secret.zeroize();
    }
}

impl zeroize::ZeroizeOnDrop for SecretKey {}

impl signature::Signer<Signature> for SecretKey {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        Ok(self.sign_message(message)?)
    }
}

impl signature::hazmat::PrehashSigner<Signature> for SecretKey {
    fn sign_prehash(&self, digest: &[u8]) -> Result<Signature, signature::Error> {
        Ok(self.sign_digest(digest)?)
    }
}

impl signature::Keypair for SecretKey {
    type VerifyingKey = PublicKey;

    fn verifying_key(&self) -> PublicKey {
        self.public.clone()
    }
}
