//! The names of the proof formats: the protocol's one extension point.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::SignatureAlgorithm;
use crate::limits::{MIN_BOUND_CHALLENGE, MIN_CHALLENGE};

/// How a proof is built. Versioned by name; an unknown name is refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ProofFormat {
    /// The Web eID authentication token, version 1.0.
    #[serde(rename = "web-eid:1.0")]
    WebEid,
    /// A compact JWS over the confirmation statement.
    #[serde(rename = "jws")]
    Jws,
    /// CAdES-BES over the confirmation statement, attached or detached.
    #[serde(rename = "cms")]
    Cms,
    /// CAdES-BES over the challenge's literal ASCII bytes; only where the agent's policy allows it.
    #[serde(rename = "cms-challenge")]
    CmsChallenge,
    /// What a universal electronic card (УЭК) proves of itself, and its holder's signature where asked.
    #[serde(rename = "uec")]
    Uec,
}

impl ProofFormat {
    /// Every format this version speaks.
    pub const ALL: [Self; 5] = [Self::WebEid, Self::Jws, Self::Cms, Self::CmsChallenge, Self::Uec];

    /// Those that a key with an X.509 certificate signs, with a [`SignatureAlgorithm`]: all but `uec`.
    pub const X509: [Self; 4] = [Self::WebEid, Self::Jws, Self::Cms, Self::CmsChallenge];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebEid => "web-eid:1.0",
            Self::Jws => "jws",
            Self::Cms => "cms",
            Self::CmsChallenge => "cms-challenge",
            Self::Uec => "uec",
        }
    }

    /// Whether a proof of this format can be signed with `algorithm`: `web-eid:1.0` and `jws`
    /// name algorithms as JOSE does, which has no name for GOST; `uec` carries none of them, since
    /// the card's version and key fix what it signs with (GOST R 34.10-2001, or RSA with SHA-1).
    pub const fn carries(self, algorithm: SignatureAlgorithm) -> bool {
        match self {
            Self::WebEid | Self::Jws => !algorithm.is_gost(),
            Self::Cms | Self::CmsChallenge => true,
            Self::Uec => false,
        }
    }

    /// The shortest challenge this format accepts, characters.
    pub const fn min_challenge(self) -> usize {
        match self {
            Self::CmsChallenge => MIN_CHALLENGE,
            _ => MIN_BOUND_CHALLENGE,
        }
    }
}

impl fmt::Display for ProofFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is none that this version speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(pub String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = ProofFormat::ALL.iter().map(|format| format.name()).collect();
        write!(
            f,
            "unknown proof format {:?}; this version speaks {}",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for ProofFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ProofFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
