//! What several tests need: bytes written as text, the keys of the vectors.
#![allow(clippy::unwrap_used)]

use gost3410::{Algorithm, ParameterSet, SecretKey};

use super::kind::Version;

/// Hexadecimal digits; blanks between them are for the reader.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// `length` bytes from `first` up.
pub(super) fn seq(first: u8, length: u8) -> Vec<u8> {
    (first..first + length).collect()
}

/// The number `seq(first, 32)` as a key, in the version's byte order.
pub(super) fn gost_key(version: Version, first: u8) -> SecretKey {
    let (algorithm, set, number) = (Algorithm::Gost2001, ParameterSet::CryptoProA, seq(first, 32));
    match version {
        Version::V11 => SecretKey::from_le_bytes(algorithm, set, &number).unwrap(),
        Version::V10 => SecretKey::from_be_bytes(algorithm, set, &number).unwrap(),
    }
}
