//! Errors on the wire: RFC 9457 problem details with a stable code.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $name:tt, $status:literal, $retryable:literal, $title:literal;)+) => {
        /// Every error code of version 1. A caller that meets an unknown one treats it by its HTTP status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $code,)+
        }

        impl ErrorCode {
            /// Every code, in the order of PROTOCOL.md.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The code on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            /// The HTTP status it is sent with. An operation's own problem travels inside a 200 and keeps this number in `status`.
            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status),+ }
            }

            /// Whether the same request may succeed later with nothing changed by the caller.
            pub const fn retryable(self) -> bool {
                match self { $(Self::$code => $retryable),+ }
            }

            /// A short summary, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),+ }
            }
        }
    };
}

error_codes! {
    /// The `Host` is not the agent's own address: DNS rebinding.
    BadHost = "bad_host", 421, false, "This is not the agent's address";
    /// The request comes from a web page, a navigation or a foreign context.
    ForbiddenContext = "forbidden_context", 403, false, "Only a plugin may ask the agent";
    /// No such path, or no such object for this caller.
    NotFound = "not_found", 404, false, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, false, "Method not allowed";
    /// A body that is not `application/json`.
    UnsupportedMediaType = "unsupported_media_type", 415, false, "The body must be application/json";
    /// The body is larger than 64 KiB.
    TooLarge = "too_large", 413, false, "The body is too large";
    /// The body is not JSON.
    Malformed = "malformed", 400, false, "The body is not JSON";
    /// The body is JSON, but a member is missing or outside its type.
    InvalidField = "invalid_field", 422, false, "A member of the body is not valid";
    /// The format's name is unknown to this version.
    UnsupportedFormat = "unsupported_format", 422, false, "This proof format is not spoken here";
    /// No signature, or one by a key that is not paired.
    NotPaired = "not_paired", 401, false, "This plugin is not paired";
    /// The signature or the digest does not fit the request.
    BadSignature = "bad_signature", 401, false, "The request signature is not valid";
    /// `created` lies more than 60 s from the agent's clock.
    StaleSignature = "stale_signature", 401, true, "The request signature is too old or from the future";
    /// The nonce was used before.
    Replayed = "replayed", 401, false, "This request was seen before";
    /// Too many requests; `Retry-After` says when.
    RateLimited = "rate_limited", 429, true, "Too many requests";
    /// Another window is open; `Retry-After` says when to try.
    Busy = "busy", 409, true, "Another request is waiting for the person";
    /// The idempotency key was used with another request.
    IdempotencyConflict = "idempotency_conflict", 422, false, "This idempotency key belongs to another request";
    /// The revealed nonce does not open the commitment.
    CommitmentMismatch = "commitment_mismatch", 403, false, "The nonce does not fit the commitment";
    /// The agent keeps as many pairings as it may.
    TooManyPairings = "too_many_pairings", 409, true, "The agent has no room for another pairing";
    /// The origin's policy does not allow this format.
    OriginNotAllowed = "origin_not_allowed", 403, false, "This format is not allowed for this origin";
    /// The person said no.
    Declined = "declined", 403, false, "The person declined";
    /// The caller, or the person closing a waiting window, ended it.
    Cancelled = "cancelled", 409, false, "The request was cancelled";
    /// The time for it ran out.
    Expired = "expired", 410, true, "The request expired";
    /// No token appeared.
    NoToken = "no_token", 412, true, "No card or token is present";
    /// A token is there, but no valid certificate for this on it.
    NoCertificate = "no_certificate", 412, false, "No suitable certificate is on the token";
    /// The token went away, or another took its place.
    TokenRemoved = "token_removed", 409, true, "The token was removed or changed";
    /// Another program uses the card and lets nobody in.
    CardInUse = "card_in_use", 409, true, "Another program uses the card";
    /// The service that speaks to card readers (PC/SC) is missing or not running.
    ReaderServiceUnavailable = "reader_service_unavailable", 503, true, "The service for card readers does not answer";
    /// The PIN was wrong; `tries_left` where known.
    PinIncorrect = "pin_incorrect", 403, false, "The PIN is wrong";
    /// The PIN is locked.
    PinLocked = "pin_locked", 423, false, "The PIN is locked";
    /// The PIN must be changed before first use.
    PinMustChange = "pin_must_change", 423, false, "The PIN must be changed first";
    /// No window can be shown here.
    PromptUnavailable = "prompt_unavailable", 503, true, "The person cannot be asked";
    /// The token's module crashed, hung or answered nonsense; it is started anew.
    ModuleFailed = "module_failed", 502, true, "The token's module failed";
    /// The token's module failed repeatedly and rests.
    ModuleUnavailable = "module_unavailable", 503, true, "The token's module is switched off for a while";
    /// The token offers no mechanism that this request needs.
    UnsupportedAlgorithm = "unsupported_algorithm", 422, false, "The token cannot make this signature";
    /// The token's signature does not verify with its certificate.
    SignatureMismatch = "signature_mismatch", 502, false, "The token's signature does not fit its certificate";
    /// The history could not be written, so nothing was handed out.
    HistoryFailed = "history_failed", 503, true, "The history cannot be written";
    /// A fault of the agent.
    Internal = "internal", 500, true, "Internal error";
}

impl ErrorCode {
    /// The `type` member: a URN ending in the code.
    pub fn urn(self) -> String {
        format!("urn:eid-agent:problem:{}", self.name())
    }

    /// Whether the gate may send it before it knows the caller, and therefore unsigned (PROTOCOL.md section 4).
    ///
    /// Any other unsigned answer to a signed request is a forgery.
    pub const fn may_be_unsigned(self) -> bool {
        matches!(
            self,
            Self::BadHost
                | Self::ForbiddenContext
                | Self::MethodNotAllowed
                | Self::UnsupportedMediaType
                | Self::TooLarge
                | Self::NotPaired
                | Self::BadSignature
                | Self::StaleSignature
                | Self::Replayed
                | Self::RateLimited
        )
    }
}

impl ErrorCode {
    /// What stands for a code that this version does not know, by its HTTP status (RFC 9110 section 15:
    /// an unknown status is treated as the first of its class).
    pub const fn of_status(status: u16) -> Self {
        match status {
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMediaType,
            429 => Self::RateLimited,
            400..=499 => Self::InvalidField,
            _ => Self::Internal,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A problem document, media type `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(from = "AnyProblem")]
pub struct Problem {
    /// `urn:eid-agent:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short summary, the same for every occurrence of the code.
    pub title: String,
    /// The HTTP status of the code; kept when an operation's problem travels inside a 200.
    pub status: u16,
    /// What happened, to what, and what helps.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The stable code. One that this version does not know is read as [`ErrorCode::of_status`]; [`Problem::kind`] still names it.
    pub code: ErrorCode,
    /// Whether the same request may succeed later with nothing changed by the caller.
    pub retryable: bool,
    /// PIN tries left, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
}

impl Problem {
    /// A problem of this code; `detail` may be empty.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            kind: code.urn(),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            retryable: code.retryable(),
            tries_left: None,
        }
    }
}

/// A problem as it comes, from an agent that may be newer.
#[derive(Deserialize)]
struct AnyProblem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    #[serde(default)]
    detail: String,
    code: String,
    retryable: bool,
    #[serde(default)]
    tries_left: Option<u8>,
}

impl From<AnyProblem> for Problem {
    fn from(any: AnyProblem) -> Self {
        let known = ErrorCode::ALL.iter().find(|code| code.name() == any.code);
        Self {
            kind: any.kind,
            title: any.title,
            status: any.status,
            detail: any.detail,
            code: known.copied().unwrap_or(ErrorCode::of_status(any.status)),
            retryable: any.retryable,
            tries_left: any.tries_left,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn problems_round_trip() {
        for code in ErrorCode::ALL {
            let mut problem = Problem::new(*code, "what happened");
            problem.tries_left = Some(2);
            let text = serde_json::to_string(&problem).unwrap();
            assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
            assert_eq!(
                serde_json::from_str::<ErrorCode>(&format!("\"{code}\"")).unwrap(),
                *code
            );
        }
        let short = serde_json::to_string(&Problem::new(ErrorCode::Busy, "")).unwrap();
        assert!(!short.contains("detail") && !short.contains("tries_left"));
    }

    #[test]
    fn a_code_of_a_newer_agent_is_read_by_its_status() {
        for (status, code) in [
            (409, ErrorCode::InvalidField),
            (404, ErrorCode::NotFound),
            (507, ErrorCode::Internal),
        ] {
            let text = format!(
                r#"{{"type":"urn:eid-agent:problem:new","title":"New","status":{status},"code":"new","retryable":true,"more":1}}"#
            );
            let problem: Problem = serde_json::from_str(&text).unwrap();
            assert_eq!((problem.code, problem.status, problem.retryable), (code, status, true));
            assert_eq!(problem.kind, "urn:eid-agent:problem:new");
        }
    }
}
