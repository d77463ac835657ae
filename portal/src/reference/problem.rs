//! Errors on the wire: RFC 9457 problem details with a stable code, what helps, and a sentence for the person.

use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::account::LevelError;
use super::language::Language;
use super::page;
use super::person::Mismatch;
use crate::challenge::{IssueError, TakeError};
use crate::error::{Remedy, VerifyError};

/// What the portal itself can find wrong; refusals of a proof have the codes of [`VerifyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The account is confirmed; there is nothing to do.
    AlreadyConfirmed,
    /// Too many requests at once.
    Busy,
    /// The challenge expired, was used, or was never issued.
    ChallengeGone,
    /// The account's data must be checked before its owner can confirm to be the one.
    DataCheckFirst,
    /// The request comes from another site's page.
    ForeignOrigin,
    /// The challenge was issued to another session.
    ForeignSession,
    /// A fault of the portal.
    Internal,
    /// The body is not JSON, or a member is missing or not valid.
    InvalidBody,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// No confirmed account belongs to the certificate's person.
    NoAccount,
    /// The certificate names no СНИЛС to find an account by.
    NoSnils,
    /// No such path.
    NotFound,
    /// The certificate's person is not the account's; `mismatches` says in what.
    PersonMismatch,
    /// Nobody is signed in.
    SignInFirst,
    /// The request took too long.
    Timeout,
    /// The body is too large.
    TooLarge,
    /// The proof's format has a name this portal does not know.
    UnsupportedFormat,
    /// The body is not `application/json`.
    UnsupportedMediaType,
}

/// What is fixed for a code: its name, status, title, the key of its sentence, and what helps.
type Parts = (&'static str, StatusCode, &'static str, &'static str, &'static str);

impl Code {
    /// Every code, in alphabetical order.
    pub const ALL: [Self; 18] = [
        Self::AlreadyConfirmed,
        Self::Busy,
        Self::ChallengeGone,
        Self::DataCheckFirst,
        Self::ForeignOrigin,
        Self::ForeignSession,
        Self::Internal,
        Self::InvalidBody,
        Self::MethodNotAllowed,
        Self::NoAccount,
        Self::NoSnils,
        Self::NotFound,
        Self::PersonMismatch,
        Self::SignInFirst,
        Self::Timeout,
        Self::TooLarge,
        Self::UnsupportedFormat,
        Self::UnsupportedMediaType,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        self.parts().0
    }

    /// The key of the sentence a person reads.
    pub const fn message_key(self) -> &'static str {
        self.parts().3
    }

    const fn parts(self) -> Parts {
        match self {
            Self::AlreadyConfirmed => (
                "already_confirmed",
                StatusCode::CONFLICT,
                "The account is confirmed already",
                "already-confirmed",
                "nothing",
            ),
            Self::Busy => (
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many requests at once",
                "try-again",
                "try_again",
            ),
            Self::ChallengeGone => (
                "challenge_gone",
                StatusCode::GONE,
                "The challenge is used up or expired",
                "try-again",
                "try_again",
            ),
            Self::DataCheckFirst => (
                "data_check_first",
                StatusCode::CONFLICT,
                "The account's data were not checked yet",
                "data-check-first",
                "data_check",
            ),
            Self::ForeignOrigin => (
                "foreign_origin",
                StatusCode::FORBIDDEN,
                "Only this portal's own page may ask",
                "foreign-page",
                "software",
            ),
            Self::ForeignSession => (
                "foreign_session",
                StatusCode::FORBIDDEN,
                "The challenge is another session's",
                "try-again",
                "try_again",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal error",
                "try-again",
                "try_again",
            ),
            Self::InvalidBody => (
                "invalid_body",
                StatusCode::BAD_REQUEST,
                "The body is not valid",
                "proof-not-valid",
                "software",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "not-found",
                "software",
            ),
            Self::NoAccount => (
                "no_account",
                StatusCode::FORBIDDEN,
                "No confirmed account belongs to this certificate's person",
                "no-account",
                "confirm_first",
            ),
            Self::NoSnils => (
                "no_snils",
                StatusCode::FORBIDDEN,
                "The certificate names no SNILS",
                "no-snils",
                "another_certificate",
            ),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "Not found", "not-found", "software"),
            Self::PersonMismatch => (
                "person_mismatch",
                StatusCode::FORBIDDEN,
                "The certificate's person is not the account's",
                "person-mismatch",
                "another_certificate",
            ),
            Self::SignInFirst => (
                "sign_in_first",
                StatusCode::UNAUTHORIZED,
                "Nobody is signed in",
                "sign-in-first",
                "sign_in",
            ),
            Self::Timeout => (
                "timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The request took too long",
                "try-again",
                "try_again",
            ),
            Self::TooLarge => (
                "too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "proof-not-valid",
                "software",
            ),
            Self::UnsupportedFormat => (
                "unsupported_format",
                StatusCode::UNPROCESSABLE_ENTITY,
                "This proof format is not known here",
                "proof-not-valid",
                "software",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json",
                "proof-not-valid",
                "software",
            ),
        }
    }
}

/// Something to be answered as a problem document.
#[derive(Clone, Debug)]
pub struct Problem {
    code: &'static str,
    title: &'static str,
    status: StatusCode,
    detail: String,
    retryable: bool,
    remedy: &'static str,
    message_key: &'static str,
    mismatches: Vec<Mismatch>,
}

/// The document, media type `application/problem+json`.
#[derive(Serialize)]
struct Document<'a> {
    /// `urn:eid-portal:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    /// What happened, to what.
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    code: &'a str,
    /// Whether the same request with a new challenge may succeed.
    retryable: bool,
    /// What helps: `try_again`, `another_certificate`, `portal_setup`, `software`; for the page's
    /// routes also `sign_in`, `data_check`, `confirm_first`, `nothing`.
    remedy: &'a str,
    /// In what the certificate's person is not the account's; never what the certificate says.
    #[serde(skip_serializing_if = "<[Mismatch]>::is_empty")]
    mismatches: &'a [Mismatch],
    /// A sentence for the person, in their language.
    message: &'a str,
}

impl Problem {
    /// A problem of the portal's own.
    pub fn new(code: Code) -> Self {
        let (code, status, title, message_key, remedy) = code.parts();
        Self {
            code,
            title,
            status,
            detail: String::new(),
            retryable: remedy == "try_again",
            remedy,
            message_key,
            mismatches: Vec::new(),
        }
    }

    /// The certificate's person is not the account's, in these points.
    pub fn not_the_person(mismatches: Vec<Mismatch>) -> Self {
        Self {
            mismatches,
            ..Self::new(Code::PersonMismatch)
        }
    }

    /// With these details.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The stable name.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence a person reads.
    pub fn message(&self, language: Language) -> &'static str {
        sentence(self.message_key, language)
    }

    /// The response, in the reader's language: a page for who navigated here, a problem document for everyone else.
    pub fn for_reader(self, headers: &HeaderMap) -> Response {
        if is_navigation(headers) {
            return (self.status, page::problem(&self, headers)).into_response();
        }
        self.document(headers)
    }

    fn document(self, headers: &HeaderMap) -> Response {
        let document = Document {
            kind: format!("urn:eid-portal:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            retryable: self.retryable,
            remedy: self.remedy,
            mismatches: &self.mismatches,
            message: self.message(Language::of(headers)),
        };
        let body = serde_json::to_vec(&document).expect("a struct of strings serialises");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<&VerifyError> for Problem {
    fn from(error: &VerifyError) -> Self {
        Self {
            code: error.code(),
            title: "The proof was refused",
            status: match error.remedy() {
                Remedy::Software => StatusCode::UNPROCESSABLE_ENTITY,
                Remedy::TryAgain | Remedy::AnotherCertificate | Remedy::PortalSetup => StatusCode::FORBIDDEN,
            },
            detail: error.to_string(),
            retryable: error.is_retryable(),
            remedy: remedy_name(error.remedy()),
            message_key: error.user_message_key(),
            mismatches: Vec::new(),
        }
    }
}

impl From<TakeError> for Problem {
    fn from(error: TakeError) -> Self {
        let code = match error {
            TakeError::OtherSession => Code::ForeignSession,
            TakeError::Expired | TakeError::Unknown => Code::ChallengeGone,
        };
        Self::new(code).detail(error.to_string())
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        let code = match error {
            IssueError::Full => Code::Busy,
            IssueError::Random => Code::Internal,
        };
        Self::new(code).detail(error.to_string())
    }
}

impl From<LevelError> for Problem {
    fn from(error: LevelError) -> Self {
        Self::new(match error {
            LevelError::Already => Code::AlreadyConfirmed,
            LevelError::DataCheckFirst => Code::DataCheckFirst,
            LevelError::Unknown => Code::SignInFirst,
        })
    }
}

/// A person's browser that went somewhere asks for HTML; a script's or a program's request does not.
fn is_navigation(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// The sentence of this key, in both languages' texts.
fn sentence(key: &str, language: Language) -> &'static str {
    language.say(&format!("message.{key}"))
}

const fn remedy_name(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::TryAgain => "try_again",
        Remedy::AnotherCertificate => "another_certificate",
        Remedy::PortalSetup => "portal_setup",
        Remedy::Software => "software",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::every_error;

    #[test]
    fn every_code_has_a_sentence_in_both_languages() {
        let own = Code::ALL.iter().map(|code| code.message_key());
        let errors = every_error();
        let keys = own.chain(errors.iter().map(VerifyError::user_message_key));
        for key in keys {
            for language in Language::ALL {
                assert!(language.words().contains_key(&format!("message.{key}")), "{key}");
            }
        }
    }

    #[test]
    fn codes_stand_in_alphabetical_order() {
        assert!(Code::ALL.iter().map(|code| code.name()).is_sorted());
    }
}
