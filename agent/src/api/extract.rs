//! From bytes to types, with errors a developer can act on.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use plugin_protocol::ErrorCode;
use plugin_protocol::limits::MAX_WAIT;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::error::Error;
use crate::guard::Entrance;
use crate::pairing::Caller;

/// A JSON body, with its bytes for the idempotency digest.
pub(super) struct Json<T> {
    pub(super) value: T,
    pub(super) bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let unreadable = |_| Error::Internal("the body was read twice".to_owned());
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// Not JSON is `malformed`; JSON of another shape is `invalid_field`, naming the member.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let malformed = |why: &dyn Display| Error::Refused(ErrorCode::Malformed, format!("the body is not JSON: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|error| malformed(&error))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    // The whole text decides what is JSON, wherever the first fault of shape was.
    let is_json = match &parsed {
        Ok(_) => deserializer.end(),
        Err(_) => serde_json::from_str::<IgnoredAny>(text).map(|_| ()),
    };
    is_json.map_err(|error| malformed(&error))?;
    // An array of the members' values in their order would pass for the object.
    if !text.trim_start().starts_with('{') {
        let what = "the body: it must be a JSON object".to_owned();
        return Err(Error::Refused(ErrorCode::InvalidField, what));
    }
    parsed.map_err(|error| {
        let path = error.path().to_string();
        let text = error.into_inner().to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let member = if path == "." { "the body" } else { &path };
        Error::Refused(ErrorCode::InvalidField, format!("{member}: {what}"))
    })
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    /// Fails closed: a paired route without a caller would be a fault of the guard.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let missing = || Error::Internal("a paired route was reached without a caller".to_owned());
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Entrance {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl Entrance {
    /// `Prefer: wait=N`, at most [`MAX_WAIT`].
    pub(super) fn wait(&self, otherwise: u64) -> Duration {
        seconds(self.prefer_wait.unwrap_or(otherwise))
    }
}

/// `?wait=N` and `?since=N`; other parameters are ignored.
pub(super) struct Poll {
    pub(super) wait: Duration,
    pub(super) since: Option<u64>,
}

impl<S: Send + Sync> FromRequestParts<S> for Poll {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            wait: seconds(number(query, "wait")?.unwrap_or(0)),
            since: number(query, "since")?,
        })
    }
}

fn seconds(asked: u64) -> Duration {
    Duration::from_secs(asked.min(MAX_WAIT))
}

/// A parameter that is a decimal number, there once or not at all. One too large for 64 bits is the largest.
fn number(query: &str, name: &'static str) -> Result<Option<u64>, Error> {
    let mut values = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, _)| *key == name);
    let Some((_, value)) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Error::InvalidField(name, "it is there more than once".to_owned()));
    }
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::InvalidField(name, "it must be a decimal number".to_owned()));
    }
    Ok(Some(value.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plugin_protocol::api::{ConfirmationRequest, PairingRequest, SignatureRequest};

    fn told<T: DeserializeOwned>(body: &str) -> (ErrorCode, String) {
        let error = parse::<T>(body.as_bytes()).err().unwrap();
        (error.code(), error.to_string())
    }

    #[test]
    fn the_member_at_fault_is_named() {
        let challenge = "c".repeat(44);
        let good = format!(r#"{{"origin":"https://a.example","challenge":"{challenge}","format":"jws","new":[1]}}"#);
        assert!(
            parse::<ConfirmationRequest>(good.as_bytes()).is_ok(),
            "unknown members are ignored"
        );
        for (body, member) in [
            (good.replace("https://a", "https://A"), "origin: the origin's host"),
            (good.replace(&challenge, "short"), "challenge: the challenge has 5"),
            (good.replace(r#""jws""#, "7"), "format: invalid type: integer"),
            (
                good.replace(r#""new":[1]"#, r#""purpose":"fun""#),
                "purpose: unknown variant `fun`",
            ),
            (good.replace("\"format\"", "\"x\""), "the body: missing field `format`"),
            (good.replace("\"new\"", "\"format\""), "format: "),
        ] {
            let (code, text) = told::<ConfirmationRequest>(&body);
            assert_eq!(code, ErrorCode::InvalidField, "{body}: {text}");
            assert!(text.starts_with(member) || member == "format: ", "{body}: {text}");
            assert!(!text.contains("at line"), "{text}");
        }
        let nested = r#"{"client":{"name":"x","jwk":{"kty":"RSA","crv":"","x":"","y":""}},"commitment":""}"#;
        assert!(
            told::<PairingRequest>(nested)
                .1
                .starts_with("client.jwk: the key must be")
        );
        let item = r#"{"origin":"https://a.example","items":[{"hash_function":"MD5","hash":""}]}"#;
        assert!(
            told::<SignatureRequest>(item)
                .1
                .starts_with("items[0].hash_function: unknown variant")
        );
        let array = item.replace(r#"{"hash_function":"MD5","hash":""}"#, r#"[null,"SHA-256",""]"#);
        let (code, text) = told::<SignatureRequest>(&array);
        assert_eq!(
            (code, text.as_str()),
            (
                ErrorCode::InvalidField,
                "items[0]: invalid type: sequence, expected an object"
            )
        );
        let null = good.replace(r#""new":[1]"#, r#""token":null"#);
        assert_eq!(
            told::<ConfirmationRequest>(&null),
            (
                ErrorCode::InvalidField,
                "token: invalid type: null, expected a string".to_owned()
            )
        );
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = format!("{{\"x\":{}", "[".repeat(60_000));
        for body in [
            "",
            "{",
            "{} {}",
            "origin=a&challenge=b",
            "{\"origin\":\"\u{1}\"}",
            &deep,
        ] {
            assert_eq!(
                told::<ConfirmationRequest>(body).0,
                ErrorCode::Malformed,
                "{:.40}",
                body
            );
        }
        assert_eq!(
            parse::<ConfirmationRequest>(b"\"\xff\"").err().unwrap().code(),
            ErrorCode::Malformed
        );
    }

    #[test]
    fn an_array_of_the_members_is_no_object() {
        let members =
            r#"["https://portal.example","AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","jws",false,"sign_in",null]"#;
        for body in [members, "[]", "\"x\"", "7", "null"] {
            let told = told::<ConfirmationRequest>(body);
            let expected = (ErrorCode::InvalidField, "the body: it must be a JSON object".to_owned());
            assert_eq!(told, expected, "{body}");
        }
    }

    #[test]
    fn parameters_are_plain_numbers_there_once() {
        assert_eq!(number("since=7&wait=25&x", "since"), Ok(Some(7)));
        assert_eq!(number("wait=25", "since"), Ok(None));
        assert_eq!(number("since=99999999999999999999999", "since"), Ok(Some(u64::MAX)));
        for bad in [
            "since=",
            "since",
            "since=-1",
            "since=1&since=1",
            "since=0x1",
            "since=1.5",
            "since=%31",
        ] {
            assert_eq!(
                number(bad, "since").unwrap_err().code(),
                ErrorCode::InvalidField,
                "{bad}"
            );
        }
    }
}
