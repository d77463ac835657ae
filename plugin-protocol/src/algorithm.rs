//! Signature algorithms: by their JOSE names (RFC 7518 section 3.1), and GOST R 34.10-2012, which has none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use streebog::Digest as _;

use crate::ProofFormat;

/// The hash functions that the protocol uses: SHA-2 and GOST R 34.11-2012 ("Streebog").
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
    /// GOST R 34.11-2012 (RFC 6986) of 256 bits, 32 bytes.
    #[serde(rename = "GOSTR3411-2012-256")]
    Streebog256,
    /// GOST R 34.11-2012 (RFC 6986) of 512 bits, 64 bytes.
    #[serde(rename = "GOSTR3411-2012-512")]
    Streebog512,
}

impl HashFunction {
    /// SHA-2, shortest digest first.
    pub const SHA2: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Every one: SHA-2, then Streebog, of each the shortest digest first.
    pub const ALL: [Self; 5] = [
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Streebog256,
        Self::Streebog512,
    ];

    /// The name on the wire, which people read too: `SHA-256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Streebog256 => "GOSTR3411-2012-256",
            Self::Streebog512 => "GOSTR3411-2012-512",
        }
    }

    /// Length of the digest, bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Streebog256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 | Self::Streebog512 => 64,
        }
    }

    /// The digest of `bytes`; of Streebog the octets in the order of X.509, CMS and tokens,
    /// which GOST R 34.10 reads as a little-endian number (RFC 6986 prints them the other way round).
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &ring::digest::SHA256,
            Self::Sha384 => &ring::digest::SHA384,
            Self::Sha512 => &ring::digest::SHA512,
            Self::Streebog256 => return streebog::Streebog256::digest(bytes).to_vec(),
            Self::Streebog512 => return streebog::Streebog512::digest(bytes).to_vec(),
        };
        ring::digest::digest(algorithm, bytes).as_ref().to_vec()
    }

    /// Whether this is of GOST R 34.11-2012.
    pub const fn is_streebog(self) -> bool {
        matches!(self, Self::Streebog256 | Self::Streebog512)
    }
}

/// A signature algorithm: `ES*` ECDSA, `RS*` RSASSA-PKCS1-v1_5, `PS*` RSASSA-PSS, `GOSTR3410-2012-*` GOST R 34.10-2012.
///
/// `ES256`, `ES384` and `ES512` fix the curve (P-256, P-384, P-521). `PS*` use
/// MGF1 with the same hash and a salt as long as the digest. The GOST ones fix the size of
/// the key and Streebog of the same size, not the curve; JOSE has no names for them, so only
/// the formats `cms` and `cms-challenge` carry them.
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
    #[serde(rename = "GOSTR3410-2012-256")]
    Gost256,
    #[serde(rename = "GOSTR3410-2012-512")]
    Gost512,
}

impl SignatureAlgorithm {
    /// The algorithms that JOSE has names for.
    pub const JOSE: [Self; 9] = [
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

    /// Every algorithm, in the order of [`crate::api::Info`].
    pub const ALL: [Self; 11] = [
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::Gost256,
        Self::Gost512,
    ];

    /// The name on the wire; JOSE's where it has one.
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
            Self::Gost256 => "GOSTR3410-2012-256",
            Self::Gost512 => "GOSTR3410-2012-512",
        }
    }

    /// The hash function: of the length that the last three digits name.
    pub const fn hash(self) -> HashFunction {
        match self {
            Self::ES256 | Self::PS256 | Self::RS256 => HashFunction::Sha256,
            Self::ES384 | Self::PS384 | Self::RS384 => HashFunction::Sha384,
            Self::ES512 | Self::PS512 | Self::RS512 => HashFunction::Sha512,
            Self::Gost256 => HashFunction::Streebog256,
            Self::Gost512 => HashFunction::Streebog512,
        }
    }

    /// Whether this is ECDSA.
    pub const fn is_ecdsa(self) -> bool {
        matches!(self, Self::ES256 | Self::ES384 | Self::ES512)
    }

    /// Whether this is GOST R 34.10-2012.
    pub const fn is_gost(self) -> bool {
        matches!(self, Self::Gost256 | Self::Gost512)
    }

    /// Length of a signature that is two numbers, bytes: of ECDSA the raw `r || s` (RFC 7518
    /// section 3.4), of GOST `s || r` as X.509 and CMS have it (RFC 4491 section 2.2.2); `None` for RSA.
    pub const fn raw_length(self) -> Option<usize> {
        match self {
            Self::ES256 | Self::Gost256 => Some(64),
            Self::ES384 => Some(96),
            Self::ES512 => Some(132),
            Self::Gost512 => Some(128),
            _ => None,
        }
    }

    /// The proof formats that carry it: GOST needs one that names algorithms by OID, which CMS does.
    pub fn formats(self) -> impl Iterator<Item = ProofFormat> {
        ProofFormat::ALL.into_iter().filter(move |format| format.carries(self))
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is none of those in [`SignatureAlgorithm::ALL`].
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
            Self::Gost256 | Self::Gost512 => SignatureScheme::Gost,
        }
    }
}
