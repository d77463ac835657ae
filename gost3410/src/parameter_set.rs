//! The named parameter sets: which curve a key's identifier means.

use crate::Size;
use crate::curves::Curve;
use const_oid::ObjectIdentifier;
use core::fmt;

/// A parameter set of GOST R 34.10, as the parameters of a key name it.
///
/// Several names stand for one curve ([`ParameterSet::same_curve`]); a key keeps the name it came with, since its
/// encoding is made again from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterSet {
    /// 1.2.643.2.2.35.0 (RFC 4357), the example curve of RFC 7091 A.1. For tests.
    CryptoProTest,
    /// 1.2.643.2.2.35.1 (RFC 4357).
    CryptoProA,
    /// 1.2.643.2.2.35.2 (RFC 4357).
    CryptoProB,
    /// 1.2.643.2.2.35.3 (RFC 4357).
    CryptoProC,
    /// 1.2.643.2.2.36.0 (RFC 4357): the curve of CryptoPro-A, for key exchange; most 256-bit certificates have it.
    CryptoProXchA,
    /// 1.2.643.2.2.36.1 (RFC 4357): the curve of CryptoPro-C, for key exchange.
    CryptoProXchB,
    /// 1.2.643.7.1.2.1.1.1 (RFC 7836): a twisted Edwards curve, cofactor 4.
    Tc26_256A,
    /// 1.2.643.7.1.2.1.1.2 (RFC 9215): the curve of CryptoPro-A.
    Tc26_256B,
    /// 1.2.643.7.1.2.1.1.3 (RFC 9215): the curve of CryptoPro-B.
    Tc26_256C,
    /// 1.2.643.7.1.2.1.1.4 (RFC 9215): the curve of CryptoPro-C.
    Tc26_256D,
    /// 1.2.643.7.1.2.1.2.0, the example curve of RFC 7091 A.2. For tests.
    Tc26_512Test,
    /// 1.2.643.7.1.2.1.2.1 (RFC 7836).
    Tc26_512A,
    /// 1.2.643.7.1.2.1.2.2 (RFC 7836).
    Tc26_512B,
    /// 1.2.643.7.1.2.1.2.3 (RFC 7836): a twisted Edwards curve, cofactor 4.
    Tc26_512C,
}

impl ParameterSet {
    /// Every parameter set.
    pub const ALL: [ParameterSet; 14] = [
        ParameterSet::CryptoProTest,
        ParameterSet::CryptoProA,
        ParameterSet::CryptoProB,
        ParameterSet::CryptoProC,
        ParameterSet::CryptoProXchA,
        ParameterSet::CryptoProXchB,
        ParameterSet::Tc26_256A,
        ParameterSet::Tc26_256B,
        ParameterSet::Tc26_256C,
        ParameterSet::Tc26_256D,
        ParameterSet::Tc26_512Test,
        ParameterSet::Tc26_512A,
        ParameterSet::Tc26_512B,
        ParameterSet::Tc26_512C,
    ];

    /// Its object identifier.
    pub const fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            ParameterSet::CryptoProTest => "1.2.643.2.2.35.0",
            ParameterSet::CryptoProA => "1.2.643.2.2.35.1",
            ParameterSet::CryptoProB => "1.2.643.2.2.35.2",
            ParameterSet::CryptoProC => "1.2.643.2.2.35.3",
            ParameterSet::CryptoProXchA => "1.2.643.2.2.36.0",
            ParameterSet::CryptoProXchB => "1.2.643.2.2.36.1",
            ParameterSet::Tc26_256A => "1.2.643.7.1.2.1.1.1",
            ParameterSet::Tc26_256B => "1.2.643.7.1.2.1.1.2",
            ParameterSet::Tc26_256C => "1.2.643.7.1.2.1.1.3",
            ParameterSet::Tc26_256D => "1.2.643.7.1.2.1.1.4",
            ParameterSet::Tc26_512Test => "1.2.643.7.1.2.1.2.0",
            ParameterSet::Tc26_512A => "1.2.643.7.1.2.1.2.1",
            ParameterSet::Tc26_512B => "1.2.643.7.1.2.1.2.2",
            ParameterSet::Tc26_512C => "1.2.643.7.1.2.1.2.3",
        })
    }

    /// The parameter set that an object identifier names.
    pub fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        ParameterSet::ALL.into_iter().find(|set| set.oid() == *oid)
    }

    /// Its name in the standards and in OpenSSL's GOST engine.
    pub const fn name(self) -> &'static str {
        match self {
            ParameterSet::CryptoProTest => "id-GostR3410-2001-TestParamSet",
            ParameterSet::CryptoProA => "id-GostR3410-2001-CryptoPro-A-ParamSet",
            ParameterSet::CryptoProB => "id-GostR3410-2001-CryptoPro-B-ParamSet",
            ParameterSet::CryptoProC => "id-GostR3410-2001-CryptoPro-C-ParamSet",
            ParameterSet::CryptoProXchA => "id-GostR3410-2001-CryptoPro-XchA-ParamSet",
            ParameterSet::CryptoProXchB => "id-GostR3410-2001-CryptoPro-XchB-ParamSet",
            ParameterSet::Tc26_256A => "id-tc26-gost-3410-2012-256-paramSetA",
            ParameterSet::Tc26_256B => "id-tc26-gost-3410-2012-256-paramSetB",
            ParameterSet::Tc26_256C => "id-tc26-gost-3410-2012-256-paramSetC",
            ParameterSet::Tc26_256D => "id-tc26-gost-3410-2012-256-paramSetD",
            ParameterSet::Tc26_512Test => "id-tc26-gost-3410-2012-512-paramSetTest",
            ParameterSet::Tc26_512A => "id-tc26-gost-3410-2012-512-paramSetA",
            ParameterSet::Tc26_512B => "id-tc26-gost-3410-2012-512-paramSetB",
            ParameterSet::Tc26_512C => "id-tc26-gost-3410-2012-512-paramSetC",
        }
    }

    /// The parameter set of this [`ParameterSet::name`]; the case of letters does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        ParameterSet::ALL
            .into_iter()
            .find(|set| set.name().eq_ignore_ascii_case(name))
    }

    /// The length of its numbers.
    pub const fn size(self) -> Size {
        match self {
            ParameterSet::Tc26_512Test
            | ParameterSet::Tc26_512A
            | ParameterSet::Tc26_512B
            | ParameterSet::Tc26_512C => Size::Bits512,
            _ => Size::Bits256,
        }
    }

    /// Whether both names mean the same curve, so that a key of one is a key of the other.
    pub fn same_curve(self, other: ParameterSet) -> bool {
        self.curve() == other.curve()
    }

    /// Whether this is one of the example curves of the standard, which no real key has.
    pub const fn is_test(self) -> bool {
        matches!(self, ParameterSet::CryptoProTest | ParameterSet::Tc26_512Test)
    }

    /// Whether an encoded key with this parameter set names its hash function too, as OpenSSL's engine writes it and
    /// RFC 9215 section 4.2 allows: the CryptoPro sets, and those of 512 bits but C.
    pub(crate) const fn names_digest(self) -> bool {
        !matches!(
            self,
            ParameterSet::Tc26_256A
                | ParameterSet::Tc26_256B
                | ParameterSet::Tc26_256C
                | ParameterSet::Tc26_256D
                | ParameterSet::Tc26_512C
        )
    }

    pub(crate) const fn curve(self) -> Curve {
        match self {
            ParameterSet::CryptoProTest => Curve::Test256,
            ParameterSet::CryptoProA | ParameterSet::CryptoProXchA | ParameterSet::Tc26_256B => Curve::CryptoProA,
            ParameterSet::CryptoProB | ParameterSet::Tc26_256C => Curve::CryptoProB,
            ParameterSet::CryptoProC | ParameterSet::CryptoProXchB | ParameterSet::Tc26_256D => Curve::CryptoProC,
            ParameterSet::Tc26_256A => Curve::Tc26A256,
            ParameterSet::Tc26_512Test => Curve::Test512,
            ParameterSet::Tc26_512A => Curve::Tc26A512,
            ParameterSet::Tc26_512B => Curve::Tc26B512,
            ParameterSet::Tc26_512C => Curve::Tc26C512,
        }
    }
}

impl fmt::Display for ParameterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
