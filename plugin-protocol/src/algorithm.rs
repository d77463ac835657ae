//! Signature algorithms by their JOSE names (RFC 7518 section 3.1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The hash functions of SHA-2 that the protocol uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HashFunction {
    /// SHA-256, 32 bytes.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-384, 48 bytes.
    #[serde(rename = "SHA-384")]
    Sha384,
    /// SHA-512, 64 bytes.
    #[serde(rename = "SHA-512")]
    Sha512,
}

impl HashFunction {
    /// Every one, shortest digest first.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name on the wire, which people read too: `SHA-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Length of the digest, bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &ring::digest::SHA256,
            Self::Sha384 => &ring::digest::SHA384,
            Self::Sha512 => &ring::digest::SHA512,
        };
        ring::digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// A signature algorithm: `ES*` ECDSA, `RS*` RSASSA-PKCS1-v1_5, `PS*` RSASSA-PSS.
///
/// `ES256`, `ES384` and `ES512` fix the curve (P-256, P-384, P-521). `PS*` use
/// MGF1 with the same hash and a salt as long as the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum SignatureAlgorithm {
    ES256,
    ES384,
    ES512,
    PS256,
    PS384,
    PS512,
    RS256,
    RS384,
    RS512,
}

impl SignatureAlgorithm {
    /// Every algorithm, in the order of [`crate::api::Info`].
    pub const ALL: [Self; 9] = [
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
    ];

    /// The JOSE name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
        }
    }

    /// The hash function that the last three digits name.
    pub const fn hash(self) -> HashFunction {
        match self {
            Self::ES256 | Self::PS256 | Self::RS256 => HashFunction::Sha256,
            Self::ES384 | Self::PS384 | Self::RS384 => HashFunction::Sha384,
            Self::ES512 | Self::PS512 | Self::RS512 => HashFunction::Sha512,
        }
    }

    /// Whether this is ECDSA.
    pub const fn is_ecdsa(self) -> bool {
        matches!(self, Self::ES256 | Self::ES384 | Self::ES512)
    }

    /// Length of the raw `r || s` of ECDSA, bytes (RFC 7518 section 3.4); `None` for RSA.
    pub const fn raw_length(self) -> Option<usize> {
        match self {
            Self::ES256 => Some(64),
            Self::ES384 => Some(96),
            Self::ES512 => Some(132),
            _ => None,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is none of the nine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm(pub String);

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown signature algorithm {:?}", self.0)
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl FromStr for SignatureAlgorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

impl SignatureAlgorithm {
    /// The scheme without its hash function.
    pub const fn scheme(self) -> crate::api::SignatureScheme {
        use crate::api::SignatureScheme;
        match self {
            Self::ES256 | Self::ES384 | Self::ES512 => SignatureScheme::Ecdsa,
            Self::PS256 | Self::PS384 | Self::PS512 => SignatureScheme::RsaPss,
            Self::RS256 | Self::RS384 | Self::RS512 => SignatureScheme::RsaPkcs1,
        }
    }
}
