//! What a universal electronic card signs with: two suites, and two orders of octets.
//!
//! All of it is of an age that has ended; nothing here is used for anything but these cards.

use gost3410::{Algorithm, ParameterSet, Signature};
use plugin_protocol::uec::UecApplication;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents};

/// GOST R 34.10-2001 and its hash; the curve is the same in both versions.
const GOST: Algorithm = Algorithm::Gost2001;
const CURVE: ParameterSet = ParameterSet::CryptoProA;
/// Octets of a GOST public key and of a signature.
const GOST_PAIR: usize = 64;
/// Octets of an RSA modulus: 1024 to 2048 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 128..=256;
/// The public exponents that these cards have.
const EXPONENTS: [&[u8]; 2] = [&[3], &[1, 0, 1]];

/// The algorithms of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UecSuite {
    /// GOST R 34.10-2001 on id-GostR3410-2001-CryptoPro-A-ParamSet, with GOST R 34.11-94.
    Gost,
    /// RSA PKCS #1 v1.5 of 1024 to 2048 bits, with SHA-1.
    Rsa,
}

impl UecSuite {
    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gost => "GOST R 34.10-2001",
            Self::Rsa => "RSA with SHA-1",
        }
    }

    /// The suite's hash of a statement, what the card's internal authentication has in `DF02`: 32 or 20 octets.
    pub(crate) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Gost => GOST.digest(bytes),
            Self::Rsa => digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec(),
        }
    }
}

/// How a pair of numbers and a digest are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ByteOrder {
    /// Application 1.0: `r || s`, each big-endian; the digest's octets are a big-endian number.
    BigEndian,
    /// Application 1.1: `r || s`, each little-endian; the digest's octets are a little-endian number.
    LittleEndian,
}

impl ByteOrder {
    /// The order of a version of the identification application.
    pub const fn of(application: UecApplication) -> Self {
        match application {
            UecApplication::V10 => Self::BigEndian,
            UecApplication::V11 => Self::LittleEndian,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BigEndian => "big-endian",
            Self::LittleEndian => "little-endian",
        }
    }

    /// Whether `signature` is `key`'s over these octets of a digest.
    pub(crate) fn verifies(self, key: &gost3410::PublicKey, digest: &[u8], signature: &[u8]) -> bool {
        let (signature, digest) = match self {
            Self::BigEndian => (Signature::from_r_s(signature), digest.iter().rev().copied().collect()),
            Self::LittleEndian => (Signature::from_cryptoapi(signature), digest.to_vec()),
        };
        signature.is_ok_and(|signature| key.verify_digest(&digest, &signature).is_ok())
    }
}

/// A public key of a card's world, its point or its size checked.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Gost(gost3410::PublicKey, ByteOrder),
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
}

impl PublicKey {
    /// The key in `7F49`: 64 octets, or modulus and exponent.
    pub(crate) fn read(application: UecApplication, first: &[u8], exponent: Option<&[u8]>) -> Option<Self> {
        match exponent {
            None => Self::gost(ByteOrder::of(application), first),
            Some(exponent) => {
                let fits = MODULUS.contains(&first.len()) && first[0] & 0x80 != 0 && EXPONENTS.contains(&exponent);
                fits.then(|| Self::Rsa {
                    modulus: first.to_vec(),
                    exponent: exponent.to_vec(),
                })
            }
        }
    }

    fn gost(order: ByteOrder, pair: &[u8]) -> Option<Self> {
        if pair.len() != GOST_PAIR {
            return None;
        }
        let key = match order {
            ByteOrder::BigEndian => gost3410::PublicKey::from_x_y(GOST, CURVE, pair),
            ByteOrder::LittleEndian => gost3410::PublicKey::from_x509(GOST, CURVE, pair),
        };
        key.ok().map(|key| Self::Gost(key, order))
    }

    pub(crate) fn suite(&self) -> UecSuite {
        match self {
            Self::Gost(..) => UecSuite::Gost,
            Self::Rsa { .. } => UecSuite::Rsa,
        }
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Gost(key, order) => order.verifies(key, &GOST.digest(message), signature),
            Self::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                let parameters = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
                key.verify(parameters, message, signature).is_ok()
            }
        }
    }

    /// The key in 33 octets, as `9F1D` has it: of GOST the parity of y and x big-endian; of RSA the first octet of the
    /// modulus and its last 32.
    pub(crate) fn compressed(&self) -> Vec<u8> {
        match self {
            Self::Gost(key, _) => {
                let pair = key.to_x_y();
                let odd = pair[GOST_PAIR - 1] & 1;
                [&[2 | odd], &pair[..GOST_PAIR / 2]].concat()
            }
            Self::Rsa { modulus, .. } => [&modulus[..1], &modulus[modulus.len() - 32..]].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(byte).collect()
    }

    fn sequence(first: u8, length: u8) -> Vec<u8> {
        (first..first + length).collect()
    }

    /// Synthetic vectors, computed by another implementation of these formulas.
    const Q_IFD: &str = "D4572C4A208AC360480314E38F9E087904BE0AA145C2E4F70F9FB47DE60CECD3\
                         42052B8DAC9A81DD2FDFBF7CEFEBD0596F694E87E71861FF9560CF1709312BC6";
    const S_11: &str = "C59077DC4DD7E1B4632DE0F5177D39CD7F5DF39DD4ADEA62109A3FE173FFC97D\
                        A4035FE353B434F687017920172D8B4B5D4D1D856B64E315655C9445F966E5BB";

    #[test]
    fn version_1_1_is_little_endian_throughout() {
        let key = PublicKey::read(UecApplication::V11, &unhex(Q_IFD), None).unwrap();
        let message = [sequence(0xa0, 16), sequence(0xb0, 16)].concat();
        assert!(key.verifies(&message, &unhex(S_11)));
        let (mut other, mut reversed) = (message.clone(), unhex(S_11));
        other[0] ^= 1;
        reversed.reverse();
        assert!(!key.verifies(&other, &unhex(S_11)));
        assert!(!key.verifies(&message, &reversed), "the order of X.509");
        assert!(
            PublicKey::read(UecApplication::V10, &unhex(Q_IFD), None).is_none(),
            "no point, read big-endian"
        );
    }

    /// The same key and signature with every number turned round, over a digest turned round.
    #[test]
    fn version_1_0_is_the_same_turned_round() {
        let turned = |octets: &[u8]| -> Vec<u8> {
            let half = octets.len() / 2;
            let each = [&octets[..half], &octets[half..]].map(|half| half.iter().rev().copied().collect::<Vec<_>>());
            each.concat()
        };
        let key = PublicKey::read(UecApplication::V10, &turned(&unhex(Q_IFD)), None).unwrap();
        let PublicKey::Gost(key, order) = key else {
            unreachable!()
        };
        let mut digest = GOST.digest(&[sequence(0xa0, 16), sequence(0xb0, 16)].concat());
        assert!(!order.verifies(&key, &digest, &turned(&unhex(S_11))));
        digest.reverse();
        assert!(order.verifies(&key, &digest, &turned(&unhex(S_11))));
    }

    #[test]
    fn the_hash_is_that_of_the_cards() {
        let digest = UecSuite::Gost.digest(b"abc");
        assert_eq!((digest[0], digest[31], digest.len()), (0xb2, 0x2c, 32));
        assert_eq!(UecSuite::Rsa.digest(b"abc")[..4], [0xa9, 0x99, 0x3e, 0x36]);
    }

    #[test]
    fn keys_of_other_sizes_are_none() {
        let read = |first: &[u8], exponent| PublicKey::read(UecApplication::V11, first, exponent).is_some();
        assert!(read(&[0x80; 128], Some(&[3])) && read(&[0x80; 256], Some(&[1, 0, 1])));
        assert!(!read(&[0x80; 127], Some(&[3])) && !read(&[0x80; 257], Some(&[3])) && !read(&[0x7f; 128], Some(&[3])));
        assert!(!read(&[0x80; 128], Some(&[1])) && !read(&[0x80; 128], Some(&[])) && !read(&[0x80; 128], None));
        assert!(!read(&[0; 64], None) && !read(&[], None));
    }
}
