//! Which plugins may speak.

/// Who asks: decided once, at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The plugin key's JWK thumbprint (RFC 7638), base64url.
    pub id: String,
    /// The name it gave itself.
    pub name: String,
}

/// The paired plugins.
#[derive(Debug, Default)]
pub struct Pairings {}
