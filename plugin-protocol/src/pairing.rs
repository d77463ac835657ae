//! Pairing: keys, the commitment, and the bytes behind the six digits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::encoding::{base64url, from_base64url, sha256};

/// A P-256 public key as a JWK (RFC 7517, RFC 7518 section 6.2) with exactly `crv`, `kty`, `x`, `y`.
///
/// Other members that WebCrypto exports (`ext`, `key_ops`, `alg`) are ignored on input.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Jwk {
    crv: String,
    kty: String,
    x: String,
    y: String,
}

impl Jwk {
    /// From the 32-byte big-endian coordinates.
    pub fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self {
            crv: "P-256".into(),
            kty: "EC".into(),
            x: base64url(x),
            y: base64url(y),
        }
    }

    /// From the uncompressed point `04 || x || y`; `None` for another length or form.
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let rest = point.strip_prefix(&[4])?;
        let (x, y) = rest.split_at_checked(32)?;
        Some(Self::from_coordinates(x.try_into().ok()?, y.try_into().ok()?))
    }

    /// The uncompressed point `04 || x || y`, 65 bytes.
    pub fn to_point(&self) -> [u8; 65] {
        let mut point = [4; 65];
        let coordinates = [&self.x, &self.y].map(|text| from_base64url(text).expect("checked when parsed"));
        point[1..33].copy_from_slice(&coordinates[0]);
        point[33..].copy_from_slice(&coordinates[1]);
        point
    }

    /// The thumbprint (RFC 7638): SHA-256 of the canonical JWK, 32 bytes.
    pub fn thumbprint(&self) -> [u8; 32] {
        sha256(&serde_json::to_vec(self).expect("a struct of strings serialises"))
    }

    /// [`Jwk::thumbprint`] in base64url: the `keyid` of message signatures, 43 characters.
    pub fn key_id(&self) -> String {
        base64url(&self.thumbprint())
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            crv: String,
            kty: String,
            x: String,
            y: String,
        }
        let members = Members::deserialize(deserializer)?;
        let coordinate = |text: &str| from_base64url(text).is_some_and(|bytes| bytes.len() == 32);
        if members.kty != "EC" || members.crv != "P-256" || !coordinate(&members.x) || !coordinate(&members.y) {
            return Err(serde::de::Error::custom(
                "the key must be a P-256 public key in JWK form",
            ));
        }
        Ok(Self {
            crv: members.crv,
            kty: members.kty,
            x: members.x,
            y: members.y,
        })
    }
}

/// Thirty-two bytes as base64url on the wire: pairing nonces and commitments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes32(pub [u8; 32]);

impl Serialize for Bytes32 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = from_base64url(&text).and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("expected 32 bytes as 43 characters of base64url"))
    }
}

#[cfg(feature = "openapi")]
crate::schema::string_schema!(Bytes32, "32 bytes in base64url without padding", 43);

const COMMITMENT_LABEL: &[u8] = b"eid-agent pairing commitment v1\0";
const DIGITS_LABEL: &[u8] = b"eid-agent pairing digits v1\0";

/// The plugin's commitment: `SHA-256(label || plugin key thumbprint || plugin nonce)`.
///
/// It binds the plugin to its nonce before it has seen the agent's, so nobody in
/// the middle can search for a nonce that makes two comparisons agree.
pub fn commitment(plugin: &Jwk, plugin_nonce: &Bytes32) -> Bytes32 {
    Bytes32(sha256(
        &[COMMITMENT_LABEL, &plugin.thumbprint(), &plugin_nonce.0].concat(),
    ))
}

/// The six digits both sides show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits(u32);

/// `SHA-256(label || plugin thumbprint || agent thumbprint || plugin nonce || agent nonce)`,
/// the first eight bytes as a big-endian integer, modulo 1,000,000.
pub fn digits(plugin: &Jwk, agent: &Jwk, plugin_nonce: &Bytes32, agent_nonce: &Bytes32) -> Digits {
    let hash = sha256(
        &[
            DIGITS_LABEL,
            &plugin.thumbprint(),
            &agent.thumbprint(),
            &plugin_nonce.0,
            &agent_nonce.0,
        ]
        .concat(),
    );
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    Digits((u64::from_be_bytes(first) % 1_000_000) as u32)
}

impl fmt::Display for Digits {
    /// Two groups of three: `042 917`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {:03}", self.0 / 1000, self.0 % 1000)
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits({self})")
    }
}
