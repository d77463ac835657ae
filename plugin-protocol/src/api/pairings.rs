//! Pairings.

use serde::{Deserialize, Serialize};

use crate::pairing::{Bytes32, Jwk};

/// `POST /v1/pairings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairingRequest {
    /// Who asks.
    #[serde(deserialize_with = "crate::shape::object")]
    pub client: Client,
    /// SHA-256 over label, key thumbprint and nonce (PROTOCOL.md section 5).
    pub commitment: Bytes32,
}

/// Who a plugin says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Client {
    /// Shown to the person as "calls itself …": 1 to 64 characters, none of them a control, invisible or
    /// bidirectional-control character.
    pub name: String,
    /// Its public key.
    #[serde(deserialize_with = "crate::shape::object")]
    pub jwk: Jwk,
}

/// Answer to `POST /v1/pairings`, 201.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairingOffer {
    /// Names this attempt in the next call.
    pub id: String,
    /// The agent's key for this pairing.
    pub agent_jwk: Jwk,
    /// The agent's nonce.
    pub agent_nonce: Bytes32,
    /// Seconds until the attempt ends.
    pub expires_in: u64,
}

/// `POST /v1/pairings/{id}/reveal`; sent again with the same nonce it waits for the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevealRequest {
    /// The nonce that opens the commitment.
    pub nonce: Bytes32,
}

/// Answer to reveal: 202 while the person compares, 200 when paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairingStatus {
    /// The attempt's id.
    pub id: String,
    /// Where it stands.
    pub state: PairingState,
}

/// Where a pairing stands. The other ends are problems: `declined`, `expired`, `commitment_mismatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PairingState {
    /// The person compares the digits.
    AwaitingConsent,
    /// The keys know each other.
    Paired,
}

/// One entry of `GET /v1/pairings`; a plugin sees its own alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairing {
    /// The plugin key's thumbprint, base64url.
    pub id: String,
    /// The name it gave itself.
    pub name: String,
    /// When it was paired, RFC 3339.
    pub created: String,
}

/// `GET /v1/pairings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairings {
    /// The caller's pairing.
    pub pairings: Vec<Pairing>,
}
