//! Tokens, as a plugin may know them.

use serde::{Deserialize, Serialize};

use crate::ErrorCode;

/// What kind of thing holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A smart card read over PC/SC by the agent itself.
    Card,
    /// A token behind a PKCS#11 module.
    Pkcs11,
    /// The embedded software token, or a PKCS#12 file.
    Software,
}

/// What is known of a token's PIN before it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// Nothing to report.
    Ok,
    /// A wrong PIN was given since the last right one (CKF_USER_PIN_COUNT_LOW).
    Low,
    /// One try is left (CKF_USER_PIN_FINAL_TRY).
    FinalTry,
    /// Locked (CKF_USER_PIN_LOCKED).
    Locked,
    /// Must be changed first (CKF_USER_PIN_TO_BE_CHANGED).
    MustChange,
    /// This token asks for no PIN.
    NotNeeded,
}

/// A token as a plugin may know it: no label, no name, no certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenSummary {
    /// Opaque; the same for the same token in the same place.
    pub id: String,
    /// What holds the key.
    pub kind: TokenKind,
    /// The reader's or slot's name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// The PIN's state.
    pub pin: PinState,
    /// Tries left, where the token tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// The PIN is typed on the reader (CKF_PROTECTED_AUTHENTICATION_PATH).
    pub pin_pad: bool,
    /// A token for tests: nothing it signs proves a person.
    pub test: bool,
}

/// `GET /v1/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Tokens present now.
    pub tokens: Vec<TokenSummary>,
    /// What could not be looked at, so that its tokens are missing here; those unknown to this version are left
    /// out when read.
    #[serde(
        default,
        deserialize_with = "crate::lenient::known",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub unavailable: Vec<Unavailable>,
}

/// A source of tokens that could not be looked at: neither its name nor a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unavailable {
    /// What kind of source.
    pub source: SourceKind,
    /// Why, as an error code.
    pub reason: ErrorCode,
}

/// What tokens come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A PKCS#11 module.
    Pkcs11,
    /// The PC/SC service of the smart card readers.
    Pcsc,
    /// The embedded software token, or a PKCS#12 file.
    Software,
}
