//! The algorithms, their sizes, their identifiers and the hash functions that belong to them.

use alloc::vec::Vec;
use const_oid::ObjectIdentifier;
use digest::Digest;
use gost94::Gost94CryptoPro;
use streebog::{Streebog256, Streebog512};

/// How long the numbers of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Size {
    /// 256 bits: coordinates and halves of a signature of 32 octets.
    Bits256,
    /// 512 bits: coordinates and halves of a signature of 64 octets.
    Bits512,
}

impl Size {
    /// Octets of one coordinate, of r, of s and of a digest: 32 or 64.
    pub const fn bytes(self) -> usize {
        match self {
            Size::Bits256 => 32,
            Size::Bits512 => 64,
        }
    }

    /// Octets of a signature and of a public key: 64 or 128.
    pub const fn pair_bytes(self) -> usize {
        2 * self.bytes()
    }
}

/// A signature algorithm of the GOST R 34.10 family, together with its hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// GOST R 34.10-2001 with GOST R 34.11-94 (CryptoPro S-boxes). Withdrawn; old cards and archives have it.
    Gost2001,
    /// GOST R 34.10-2012 with 256 bits and GOST R 34.11-2012 (Streebog) with 256 bits.
    Gost2012_256,
    /// GOST R 34.10-2012 with 512 bits and GOST R 34.11-2012 (Streebog) with 512 bits.
    Gost2012_512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 3] = [Algorithm::Gost2001, Algorithm::Gost2012_256, Algorithm::Gost2012_512];

    /// The identifier of a key: 1.2.643.2.2.19 (RFC 4491), 1.2.643.7.1.1.1.1 and .2 (RFC 9215).
    ///
    /// CMS of OpenSSL's engine also has it as the algorithm of a signature.
    pub const fn key_oid(self) -> ObjectIdentifier {
        match self {
            Algorithm::Gost2001 => ObjectIdentifier::new_unwrap("1.2.643.2.2.19"),
            Algorithm::Gost2012_256 => ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.1"),
            Algorithm::Gost2012_512 => ObjectIdentifier::new_unwrap("1.2.643.7.1.1.1.2"),
        }
    }

    /// The identifier of the hash function: 1.2.643.2.2.9, 1.2.643.7.1.1.2.2 and .3.
    pub const fn digest_oid(self) -> ObjectIdentifier {
        match self {
            Algorithm::Gost2001 => ObjectIdentifier::new_unwrap("1.2.643.2.2.9"),
            Algorithm::Gost2012_256 => ObjectIdentifier::new_unwrap("1.2.643.7.1.1.2.2"),
            Algorithm::Gost2012_512 => ObjectIdentifier::new_unwrap("1.2.643.7.1.1.2.3"),
        }
    }

    /// The identifier of a signature with its hash function: 1.2.643.2.2.3, 1.2.643.7.1.1.3.2 and .3.
    pub const fn signature_oid(self) -> ObjectIdentifier {
        match self {
            Algorithm::Gost2001 => ObjectIdentifier::new_unwrap("1.2.643.2.2.3"),
            Algorithm::Gost2012_256 => ObjectIdentifier::new_unwrap("1.2.643.7.1.1.3.2"),
            Algorithm::Gost2012_512 => ObjectIdentifier::new_unwrap("1.2.643.7.1.1.3.3"),
        }
    }

    /// What the digest parameter of a key of this algorithm must name where it is present: the parameter set of
    /// GOST R 34.11-94 (1.2.643.2.2.30.1), or the Streebog of the key's length.
    pub const fn digest_parameter_oid(self) -> ObjectIdentifier {
        match self {
            Algorithm::Gost2001 => ObjectIdentifier::new_unwrap("1.2.643.2.2.30.1"),
            _ => self.digest_oid(),
        }
    }

    /// The algorithm whose keys carry this identifier.
    pub fn from_key_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.key_oid() == *oid)
    }

    /// The algorithm whose signatures carry this identifier in certificates.
    pub fn from_signature_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.signature_oid() == *oid)
    }

    /// The algorithm that this identifier of a hash function belongs to.
    pub fn from_digest_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.digest_oid() == *oid)
    }

    /// The length of its numbers.
    pub const fn size(self) -> Size {
        match self {
            Algorithm::Gost2001 | Algorithm::Gost2012_256 => Size::Bits256,
            Algorithm::Gost2012_512 => Size::Bits512,
        }
    }

    /// Hashes a message with the hash function of this algorithm.
    ///
    /// The octets are the hash function's output as it comes; nothing in this crate's interface reverses it.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        let mut hasher = self.hasher();
        hasher.update(message);
        hasher.finalize()
    }

    /// A hasher for a message that comes in parts.
    pub fn hasher(self) -> Hasher {
        Hasher(match self {
            Algorithm::Gost2001 => State::Gost94(Gost94CryptoPro::new()),
            Algorithm::Gost2012_256 => State::Streebog256(Streebog256::new()),
            Algorithm::Gost2012_512 => State::Streebog512(Streebog512::new()),
        })
    }
}

/// The hash function of an [`Algorithm`] at work. Made by [`Algorithm::hasher`].
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Gost94(Gost94CryptoPro),
    Streebog256(Streebog256),
    Streebog512(Streebog512),
}

impl Hasher {
    /// Takes the next part of the message.
    pub fn update(&mut self, part: &[u8]) {
        match &mut self.0 {
            State::Gost94(hash) => hash.update(part),
            State::Streebog256(hash) => hash.update(part),
            State::Streebog512(hash) => hash.update(part),
        }
    }

    /// The digest of all parts, as the hash function puts it out.
    pub fn finalize(self) -> Vec<u8> {
        match self.0 {
            State::Gost94(hash) => hash.finalize().to_vec(),
            State::Streebog256(hash) => hash.finalize().to_vec(),
            State::Streebog512(hash) => hash.finalize().to_vec(),
        }
    }
}

impl core::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}
