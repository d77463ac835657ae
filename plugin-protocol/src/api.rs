//! The bodies of the localhost API, version 1.
//!
//! Unknown members are ignored, so a newer side can add some. Here is what is asked of the agent itself; what is asked of
//! tokens and persons is in the modules, one for each kind of path.

use serde::{Deserialize, Serialize};

use crate::{Origin, ProofFormat, SignatureAlgorithm};

mod operations;
mod pairings;
mod requests;
mod tokens;

pub use operations::{
    Operation, OperationState, SignatureMethod, SignatureOutcome, SignatureScheme, Signatures, SigningCertificate,
};
pub use pairings::{
    Client, Pairing, PairingOffer, PairingRequest, PairingState, PairingStatus, Pairings, RevealRequest,
};
pub use requests::{CertificateRequest, CertificateRole, ConfirmationRequest, SignatureItem, SignatureRequest};
pub use tokens::{PinState, SourceKind, TokenKind, TokenSummary, Tokens, Unavailable};

/// `GET /v1/hello`: the constant body.
pub const HELLO: &str = r#"{"protocol":"eid-agent","api":["1"]}"#;

/// `GET /v1/info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Info {
    /// The agent's version, SemVer.
    pub version: String,
    /// Versions of the localhost API.
    pub api: Vec<String>,
    /// Proof formats; those unknown to this version are left out when read.
    #[serde(deserialize_with = "crate::lenient::known")]
    pub formats: Vec<ProofFormat>,
    /// Signature algorithms; those unknown to this version are left out when read.
    #[serde(deserialize_with = "crate::lenient::known")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Whether unattended test approval is on: nothing it signs proves a person.
    pub test: bool,
    /// Numbers a caller can run into.
    pub limits: Limits,
}

/// The limits a caller may want to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Bytes of a request body.
    pub max_body: usize,
    /// Seconds of a long poll.
    pub max_wait: u64,
    /// Seconds an operation waits for token and person.
    pub operation_lifetime: u64,
    /// Seconds a result is kept.
    pub result_lifetime: u64,
    /// Documents under one consent.
    pub max_signature_items: usize,
}

/// One record of the history as its plugin may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    /// Its number.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// `confirmation`, `signatures` or `certificate`.
    pub action: String,
    /// The portal.
    pub origin: Origin,
    /// The page that embedded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_origin: Option<Origin>,
    /// `false`: which page asked was not known; `origin` is the service that the plugin stood for.
    #[serde(default = "requests::attested", skip_serializing_if = "Clone::clone")]
    pub origin_attested: bool,
    /// `done`, or the error code.
    pub outcome: String,
}

/// `GET /v1/history`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// At most 100 records.
    pub entries: Vec<HistoryEntry>,
}
