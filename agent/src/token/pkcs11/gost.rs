//! GOST R 34.10 keys as tokens tell them: algorithm, curve, public half.
//!
//! PKCS#11 2.40 knows one key type for 34.10-2001 and 34.10-2012 with 256 bits; the
//! hash function in CKA_GOSTR3411_PARAMS tells them apart. Keys of 512 bits are the
//! TC26 extension's. What a token does not tell is taken from the certificate; what it
//! tells and does not fit makes it another key.

use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CK_KEY_TYPE, CK_MECHANISM_TYPE, CKK_GOSTR3410};
use der::Decode;
use der::asn1::ObjectIdentifier;
use gost3410::{Algorithm, ParameterSet};
use plugin_protocol::HashFunction;

/// A key of 512 bits (TC26).
pub(super) const CKK_GOSTR3410_512: CK_KEY_TYPE = 0xD432_1003;
/// The curve of keys of 512 bits in older headers of JaCarta and Infotecs.
pub(super) const CKA_GOSTR3410_512_PARAMS: CK_ATTRIBUTE_TYPE = 0xD432_1004;
/// Signs a Streebog-512 digest (TC26).
pub(super) const CKM_GOSTR3410_512: CK_MECHANISM_TYPE = 0xD432_1006;
/// Hashes with Streebog-256 and signs (TC26).
pub(super) const CKM_GOSTR3410_WITH_GOSTR3411_12_256: CK_MECHANISM_TYPE = 0xD432_1008;
/// Hashes with Streebog-512 and signs (TC26).
pub(super) const CKM_GOSTR3410_WITH_GOSTR3411_12_512: CK_MECHANISM_TYPE = 0xD432_1009;

/// Streebog-256 as DER OBJECT IDENTIFIER, 1.2.643.7.1.1.2.2.
pub(super) const STREEBOG_256: [u8; 10] = [0x06, 0x08, 0x2A, 0x85, 0x03, 0x07, 0x01, 0x01, 0x02, 0x02];
/// Streebog-512 as DER OBJECT IDENTIFIER, 1.2.643.7.1.1.2.3.
pub(super) const STREEBOG_512: [u8; 10] = [0x06, 0x08, 0x2A, 0x85, 0x03, 0x07, 0x01, 0x01, 0x02, 0x03];
/// GOST R 34.11-94: its parameters of CryptoPro (1.2.643.2.2.30.1) and for tests (.0), and itself (1.2.643.2.2.9).
const GOST_94: [&[u8]; 3] = [
    &[0x06, 0x07, 0x2A, 0x85, 0x03, 0x02, 0x02, 0x1E, 0x01],
    &[0x06, 0x07, 0x2A, 0x85, 0x03, 0x02, 0x02, 0x1E, 0x00],
    &[0x06, 0x06, 0x2A, 0x85, 0x03, 0x02, 0x02, 0x09],
];

/// What is said to the person of keys of the old standard.
pub(super) const OLD: &str = "its key is of GOST R 34.10-2001, whose use for signing ended with 2019; \
                              a certificate of GOST R 34.10-2012 has to take its place";

/// What the attributes of a key object tell of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// One, or the two that share a key type.
    algorithms: &'static [Algorithm],
    /// Its curve, where it is told.
    set: Option<ParameterSet>,
}

/// The attributes of a key object that tell its kind, as far as it has them.
pub(super) struct Attributes<'a> {
    /// CKA_KEY_TYPE.
    pub(super) key_type: CK_KEY_TYPE,
    /// CKA_GOSTR3410_PARAMS: the curve.
    pub(super) curve: Option<&'a [u8]>,
    /// CKA_GOSTR3411_PARAMS: the hash function.
    pub(super) hash: Option<&'a [u8]>,
}

impl Kind {
    /// `None` where this is no GOST key, or one of a kind that is not known.
    pub(super) fn told(attributes: &Attributes<'_>) -> Option<Self> {
        use Algorithm::{Gost2001, Gost2012_256, Gost2012_512};
        let algorithms: &[Algorithm] = match (attributes.key_type, attributes.hash) {
            (CKK_GOSTR3410, None | Some([])) => &[Gost2012_256, Gost2001],
            (CKK_GOSTR3410, Some(hash)) if hash == STREEBOG_256 => &[Gost2012_256],
            (CKK_GOSTR3410, Some(hash)) if GOST_94.contains(&hash) => &[Gost2001],
            (CKK_GOSTR3410_512, None | Some([])) => &[Gost2012_512],
            (CKK_GOSTR3410 | CKK_GOSTR3410_512, Some(hash)) if hash == STREEBOG_512 => &[Gost2012_512],
            _ => return None,
        };
        let set = match attributes.curve {
            None | Some([]) => None,
            Some(curve) => Some(ParameterSet::from_oid(&ObjectIdentifier::from_der(curve).ok()?)?),
        };
        let sized = set.is_none_or(|set| algorithms.iter().all(|algorithm| algorithm.size() == set.size()));
        sized.then_some(Self { algorithms, set })
    }

    /// Whether a key of this kind may be the certificate's.
    pub(super) fn fits(self, key: &Key) -> bool {
        self.algorithms.contains(&key.algorithm) && self.set.is_none_or(|set| set.same_curve(key.set))
    }
}

/// A certificate's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    set: ParameterSet,
    /// `X || Y`, each little-endian.
    point: Vec<u8>,
}

impl Key {
    /// From a SubjectPublicKeyInfo, DER: `None` where it is not a GOST key with a point on its curve.
    pub(super) fn of_spki(der: &[u8]) -> Option<Self> {
        let key = gost3410::PublicKey::from_spki_der(der).ok()?;
        Some(Self {
            algorithm: key.algorithm(),
            set: key.parameter_set(),
            point: key.to_x509(),
        })
    }

    /// Whether the other is the same key: some curves have several names.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.set.same_curve(other.set) && self.point == other.point
    }

    /// Whether `value`, the CKA_VALUE of a public key, is this key; `None` where it tells nothing.
    ///
    /// PKCS#11 wants `X || Y` little-endian, as certificates have it; some modules wrap it in an
    /// OCTET STRING. A value in another order is taken for this key only where it cannot be
    /// another one: where it is no point of the curve as it stands.
    pub(super) fn is(&self, value: &[u8]) -> Option<bool> {
        let value = unwrapped(value, self.point.len())?;
        if value == self.point {
            return Some(true);
        }
        let same = other_orders(value).contains(&self.point);
        Some(same && gost3410::PublicKey::from_x509(self.algorithm, self.set, value).is_err())
    }

    /// `X || Y`, each little-endian.
    #[cfg(test)]
    pub(super) fn value(&self) -> &[u8] {
        &self.point
    }

    /// The hash function that its signatures are over; `None` for keys that sign no more.
    pub(super) fn hash(&self) -> Option<HashFunction> {
        hash(self.algorithm)
    }

    /// The length of its signatures, bytes.
    pub(super) fn signature_length(&self) -> usize {
        self.point.len()
    }
}

/// The hash function of the algorithm's signatures; `None` for the one that is not used any more.
pub(super) fn hash(algorithm: Algorithm) -> Option<HashFunction> {
    match algorithm {
        Algorithm::Gost2012_256 => Some(HashFunction::Streebog256),
        Algorithm::Gost2012_512 => Some(HashFunction::Streebog512),
        _ => None,
    }
}

/// The bare `length` octets: as they are, behind the `04` of an uncompressed point, or in an OCTET STRING.
fn unwrapped(value: &[u8], length: usize) -> Option<&[u8]> {
    let told = u8::try_from(length).ok()?;
    let before = value.len().checked_sub(length)?;
    let (header, bare) = value.split_at(before);
    let known = match header {
        [] | [0x04] => true,
        [0x04, length] => *length == told && told < 0x80,
        [0x04, 0x81, length] => *length == told && told >= 0x80,
        _ => false,
    };
    known.then_some(bare)
}

/// `X || Y` with each half reversed, with the halves exchanged, and the whole reversed.
fn other_orders(value: &[u8]) -> [Vec<u8>; 3] {
    let (x, y) = value.split_at(value.len() / 2);
    let whole: Vec<u8> = value.iter().rev().copied().collect();
    let halves = x.iter().rev().chain(y.iter().rev()).copied().collect();
    [halves, [y, x].concat(), whole]
}

#[cfg(test)]
mod tests;
