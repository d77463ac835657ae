//! The confirmation statement: what a person signs, readable years later.

use serde::{Deserialize, Serialize};

use crate::encoding::{hex, sha256};
use crate::{Challenge, Origin};

/// What the person is asked to agree to. A closed set: the page's own words are never shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Raise an account to "confirmed".
    #[default]
    ConfirmIdentity,
    /// Sign in to an account.
    SignIn,
}

/// The value of `type`.
pub const STATEMENT_TYPE: &str = "eid-confirmation";
/// The value of `version`.
pub const STATEMENT_VERSION: u32 = 1;

/// The confirmation statement, serialised as canonical JSON (RFC 8785).
///
/// Members are declared in the order that RFC 8785 section 3.2.3 sorts them, and
/// hold only strings of printable ASCII and one small integer, for which
/// `serde_json`'s output is the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// SHA-256 of the signer's certificate (DER), lower-case hexadecimal.
    pub certificate_sha256: String,
    /// The portal's challenge.
    pub challenge: Challenge,
    /// The portal's origin.
    pub origin: Origin,
    /// What was agreed to.
    pub purpose: Purpose,
    /// When, UTC, RFC 3339 with whole seconds and `Z`.
    pub time: String,
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// [`STATEMENT_VERSION`].
    pub version: u32,
}

impl Statement {
    /// A statement of this version. `time` is cut to whole seconds and put in UTC.
    pub fn new(
        origin: Origin,
        challenge: Challenge,
        purpose: Purpose,
        time: time::OffsetDateTime,
        certificate: &[u8],
    ) -> Self {
        Self {
            certificate_sha256: hex(&sha256(certificate)),
            challenge,
            origin,
            purpose,
            time: rfc3339(time),
            kind: STATEMENT_TYPE.to_owned(),
            version: STATEMENT_VERSION,
        }
    }

    /// The canonical bytes (RFC 8785, UTF-8).
    pub fn to_canonical_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of strings serialises")
    }

    /// Parses bytes and accepts them only if they are canonical: re-serialising
    /// gives the same bytes, so nothing hides in spelling, order or duplicates.
    pub fn from_canonical_json(bytes: &[u8]) -> Option<Self> {
        let statement: Self = serde_json::from_slice(bytes).ok()?;
        (statement.to_canonical_json() == bytes).then_some(statement)
    }
}

/// UTC, whole seconds, `Z`: `2026-11-25T21:38:12Z`.
pub fn rfc3339(time: time::OffsetDateTime) -> String {
    let utc = time
        .to_offset(time::UtcOffset::UTC)
        .replace_nanosecond(0)
        .expect("zero nanoseconds are valid");
    utc.format(&time::format_description::well_known::Rfc3339)
        .expect("a year of four digits")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn is_canonical_json() {
        let statement = Statement::new(
            "https://portal.example".parse().unwrap(),
            "c".repeat(44).parse().unwrap(),
            Purpose::ConfirmIdentity,
            time::OffsetDateTime::from_unix_timestamp(1_795_642_692).unwrap(),
            b"certificate",
        );
        let bytes = statement.to_canonical_json();
        let sorted: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            bytes,
            serde_json::to_vec(&sorted).unwrap(),
            "serde_json's map sorts its keys"
        );
        assert_eq!(Statement::from_canonical_json(&bytes), Some(statement));
        let spaced = [b" ", &bytes[..]].concat();
        assert_eq!(Statement::from_canonical_json(&spaced), None);
    }
}
