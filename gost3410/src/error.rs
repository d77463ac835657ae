//! What can be wrong with a key, a signature or their encoding.

use core::fmt;

/// Why an operation of this crate was refused. The text says what was wrong with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The parameter set is of another length than the algorithm.
    AlgorithmMismatch,
    /// The two keys of an agreement are on different curves.
    CurveMismatch,
    /// The structure is not the DER it should be.
    Der(&'static str),
    /// The digest parameter of a key names another hash function than the key's own algorithm prescribes.
    DigestParameter,
    /// Octets are too many or too few.
    Length {
        /// What the octets are.
        what: &'static str,
        /// How many there must be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The private key is zero, or not smaller than the order of the group.
    PrivateKeyRange,
    /// A PKCS#8 structure carries a public key that does not belong to its private key.
    PublicKeyMismatch,
    /// A coordinate of the public key is not smaller than the field's modulus.
    PublicKeyRange,
    /// The public key does not lie on the curve.
    PublicKeyNotOnCurve,
    /// The public key lies on the curve, outside the subgroup of prime order that signatures live in.
    PublicKeyNotInSubgroup,
    /// The operating system gives no randomness.
    Randomness,
    /// The signature does not fit the key and the digest.
    SignatureInvalid,
    /// A half of the signature is zero, or not smaller than the order of the group.
    SignatureRange,
    /// The number that an agreement is diversified with is too long, or zero modulo the order of the group.
    UkmRange,
    /// The algorithm is none of GOST R 34.10.
    UnknownAlgorithm,
    /// The parameter set is unknown, or explicit.
    UnknownParameterSet,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::AlgorithmMismatch => write!(f, "the parameter set is of another length than the key's algorithm"),
            Error::CurveMismatch => write!(f, "the two keys are on different curves"),
            Error::Der(what) => write!(f, "{what} is not valid DER of the expected shape"),
            Error::DigestParameter => {
                write!(
                    f,
                    "the key's digest parameter names another hash function than the key's algorithm prescribes"
                )
            }
            Error::Length { what, expected, got } => write!(f, "the {what} must have {expected} octets and has {got}"),
            Error::PrivateKeyRange => write!(f, "the private key is not between 1 and q - 1"),
            Error::PublicKeyMismatch => write!(f, "the public key in the structure belongs to another private key"),
            Error::PublicKeyRange => write!(f, "a coordinate of the public key is not smaller than p"),
            Error::PublicKeyNotOnCurve => write!(f, "the public key is not a point of the curve"),
            Error::PublicKeyNotInSubgroup => write!(f, "the public key is not in the subgroup of prime order"),
            Error::Randomness => write!(f, "the operating system gives no randomness"),
            Error::SignatureInvalid => write!(f, "the signature does not fit the public key and the digest"),
            Error::SignatureRange => write!(f, "r or s of the signature is not between 1 and q - 1"),
            Error::UkmRange => write!(
                f,
                "the user keying material is longer than the curve's numbers, or zero modulo q"
            ),
            Error::UnknownAlgorithm => write!(f, "the algorithm is none of GOST R 34.10-2001 and 34.10-2012"),
            Error::UnknownParameterSet => write!(f, "the parameter set of the key is not a known GOST R 34.10 one"),
        }
    }
}

impl core::error::Error for Error {}

impl From<Error> for signature::Error {
    /// Drops the reason, as the `signature` crate wants: its errors are opaque.
    fn from(_: Error) -> Self {
        signature::Error::new()
    }
}
