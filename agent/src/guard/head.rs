//! What a request's head says about who sends it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use plugin_protocol::ErrorCode;
use plugin_protocol::http_signature::{RequestSignature, parse_signature_header};

use crate::error::Error;

/// A problem of the door.
pub(super) fn refused(code: ErrorCode, why: &str) -> Error {
    Error::Refused(code, why.to_owned())
}

/// The only value of a header; `None` when it is absent, repeated or not visible ASCII.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether it is one of the three calls that need no signature.
pub(super) fn is_open(head: &Parts) -> bool {
    let path = head.uri.path();
    match head.method {
        Method::GET => path == "/v1/hello",
        Method::POST => path == "/v1/pairings" || is_reveal(path),
        _ => false,
    }
}

fn is_reveal(path: &str) -> bool {
    let id = path
        .strip_prefix("/v1/pairings/")
        .and_then(|rest| rest.strip_suffix("/reveal"));
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

/// Seconds of `Prefer: wait=N` (RFC 7240 section 4.3); a preference that cannot be understood is none.
pub(super) fn prefer_wait(headers: &HeaderMap) -> Option<u64> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split(',')).find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let (value, _) = value.split_once(';').unwrap_or((value, ""));
        let digits = value.trim().trim_matches('"');
        let understood = name.trim().eq_ignore_ascii_case("wait") && digits.bytes().all(|b| b.is_ascii_digit());
        understood.then(|| digits.parse().ok()).flatten()
    })
}

/// The signed parts of a request, in the profile's exact form; nothing is verified yet.
pub(super) struct SignedHead {
    pub(super) input: RequestSignature,
    pub(super) signature: [u8; 64],
    pub(super) content_digest: String,
    method: Method,
    target: String,
    idempotency_key: Option<String>,
}

impl SignedHead {
    /// Step 7.1 and 7.2. Neither depends on who is paired, so a stranger learns nothing from it.
    pub(super) fn parse(head: &Parts) -> Result<Self, Error> {
        let headers = &head.headers;
        if !headers.contains_key("signature") && !headers.contains_key("signature-input") {
            let why = "the request is not signed; pair this plugin and sign as PROTOCOL.md section 6 says";
            return Err(refused(ErrorCode::NotPaired, why));
        }
        let missing = |name: &str| {
            let why = format!("there must be one {name} header, spelt exactly as PROTOCOL.md section 6 says");
            Error::Refused(ErrorCode::BadSignature, why)
        };
        let input = single(headers, "signature-input")
            .and_then(RequestSignature::parse)
            .ok_or_else(|| missing("Signature-Input"))?;
        let signature = single(headers, "signature")
            .and_then(parse_signature_header)
            .ok_or_else(|| missing("Signature"))?;
        let content_digest = single(headers, "content-digest").ok_or_else(|| missing("Content-Digest"))?;
        let idempotency_key = single(headers, "idempotency-key");
        if input.idempotent != headers.contains_key("idempotency-key") || input.idempotent != idempotency_key.is_some()
        {
            let why = "Idempotency-Key must be there once and covered by the signature, or not at all";
            return Err(refused(ErrorCode::BadSignature, why));
        }
        Ok(Self {
            input,
            signature,
            content_digest: content_digest.to_owned(),
            method: head.method.clone(),
            target: head
                .uri
                .path_and_query()
                .map_or("/", |target| target.as_str())
                .to_owned(),
            idempotency_key: idempotency_key.map(str::to_owned),
        })
    }

    /// The signature base, with the agent's own address in `@target-uri` and not the caller's idea of it.
    pub(super) fn base(&self, authority: &str) -> String {
        self.input.base(
            self.method.as_str(),
            &format!("http://{authority}{}", self.target),
            &self.content_digest,
            self.idempotency_key.as_deref(),
        )
    }
}
