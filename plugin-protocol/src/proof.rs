//! The proof: what the agent hands back and the portal verifies.

use serde::{Deserialize, Serialize};

use crate::{ProofFormat, SignatureAlgorithm};

pub use crate::uec::UecProof;

/// A proof, told apart by `format`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "format")]
pub enum Proof {
    /// The Web eID authentication token: with its `format` member this is the very object a Web eID validator takes.
    #[serde(rename = "web-eid:1.0")]
    WebEid(WebEidToken),
    /// A compact JWS over the confirmation statement.
    #[serde(rename = "jws")]
    Jws {
        /// Compact serialisation, three dots-separated parts.
        jws: String,
    },
    /// CAdES-BES over the confirmation statement.
    #[serde(rename = "cms")]
    Cms(CmsProof),
    /// CAdES-BES over the literal challenge.
    #[serde(rename = "cms-challenge")]
    CmsChallenge(CmsProof),
    /// What a universal electronic card proves of itself, and its holder's signature where asked.
    #[serde(rename = "uec")]
    Uec(UecProof),
}

/// The members of a Web eID authentication token besides `format`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebEidToken {
    /// The signer's certificate, base64 DER. Honest name: nobody has verified it yet.
    pub unverified_certificate: String,
    /// The signature algorithm.
    pub algorithm: SignatureAlgorithm,
    /// base64; ECDSA as raw `r || s`.
    pub signature: String,
    /// A URL that names the agent and its version; informative.
    pub app_version: String,
}

/// A CMS SignedData (RFC 5652) of profile CAdES-BES (ETSI EN 319 122-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CmsProof {
    /// The ContentInfo, base64 DER.
    pub cms: String,
    /// The signed content, base64, when it is detached from `cms`; absent when attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Proof {
    /// The name of this proof's format.
    pub fn format(&self) -> ProofFormat {
        match self {
            Self::WebEid(_) => ProofFormat::WebEid,
            Self::Jws { .. } => ProofFormat::Jws,
            Self::Cms(_) => ProofFormat::Cms,
            Self::CmsChallenge(_) => ProofFormat::CmsChallenge,
            Self::Uec(_) => ProofFormat::Uec,
        }
    }
}
