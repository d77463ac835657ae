//! What kinds of universal card there are: versions of its application, and suites of algorithms.

use digest::Digest;
use gost3410::Algorithm;

/// Version of the identification application (value of tag 9F08). It decides every byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// `10`: numbers of GOST big-endian, sessions with an ephemeral key of the terminal.
    V10,
    /// `11`: numbers of GOST little-endian, sessions of the two static keys.
    V11,
}

impl Version {
    /// The version that the byte names, if it is a known one.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x10 => Some(Self::V10),
            0x11 => Some(Self::V11),
            _ => None,
        }
    }

    /// The value of tag 9F08.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::V10 => 0x10,
            Self::V11 => 0x11,
        }
    }

    /// "1.0" or "1.1".
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V11 => "1.1",
        }
    }
}

/// A suite of algorithms that a card and a terminal both have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suite {
    /// GOST R 34.10-2001 on CryptoPro-A, GOST R 34.11-94, GOST 28147-89.
    Gost,
    /// RSA, SHA-1, DES with three passes.
    Rsa,
}

impl Suite {
    /// Both, the one that wins first (FuncLib.c flAppSelect).
    pub(crate) const ALL: [Self; 2] = [Self::Gost, Self::Rsa];

    /// Its bit in the card's AUC (tag C2, first byte) and in a terminal's flags.
    pub(crate) fn flag(self) -> u8 {
        match self {
            Self::Gost => 0x80,
            Self::Rsa => 0x40,
        }
    }

    /// "GOST" or "RSA".
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gost => "GOST",
            Self::Rsa => "RSA",
        }
    }

    /// Reference of the CA's key in the card (KeyType.h).
    pub(crate) fn ca_key(self) -> u8 {
        match self {
            Self::Gost => 0x15,
            Self::Rsa => 0x16,
        }
    }

    /// Reference of the application's key that signs a cryptogram for whoever has its certificate (KeyType.h).
    pub(crate) fn application_key(self) -> u8 {
        match self {
            Self::Gost => 0x17,
            Self::Rsa => 0x18,
        }
    }

    /// Its hash function: 32 octets of GOST R 34.11-94 (CryptoPro parameters), 20 of SHA-1.
    pub(crate) fn hash(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Gost => Algorithm::Gost2001.digest(message),
            Self::Rsa => sha1::Sha1::digest(message).to_vec(),
        }
    }
}
