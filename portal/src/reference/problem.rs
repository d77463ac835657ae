//! Errors on the wire: RFC 9457 problem details with a stable code, what helps, and a sentence for the person.

mod code;

use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use plugin_protocol::ProofFormat;
use serde::Serialize;

pub use self::code::Code;
use super::account::LevelError;
use super::language::Language;
use super::page;
use super::person::Mismatch;
use crate::challenge::{IssueError, TakeError};
use crate::error::{Remedy, VerifyError};

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

    /// The person of a proof of this format is not the account's, in these points.
    pub fn not_the_person(mismatches: Vec<Mismatch>, format: ProofFormat) -> Self {
        let problem = Self::new(Code::PersonMismatch);
        Self {
            mismatches,
            message_key: of_format(problem.message_key, format),
            ..problem
        }
    }

    /// A proof of this format was refused: a card is not spoken of as a certificate.
    pub fn refused(error: &VerifyError, format: ProofFormat) -> Self {
        let problem = Self::from(error);
        Self {
            message_key: of_format(problem.message_key, format),
            ..problem
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

/// What is said of a certificate, said of a card.
const OF_CARDS: [(&str, &str); 7] = [
    ("certificate-expired", "card-expired"),
    ("certificate-not-suitable", "card-not-suitable"),
    ("certificate-not-yet-valid", "card-not-yet-valid"),
    ("certificate-revoked", "card-holder-revoked"),
    ("person-mismatch", "card-person-mismatch"),
    ("portal-cannot-check", "card-cannot-be-checked"),
    ("test-certificate", "card-of-tests"),
];

fn of_format(key: &'static str, format: ProofFormat) -> &'static str {
    let of_card = OF_CARDS.iter().find(|(certificate, _)| *certificate == key);
    match (format, of_card) {
        (ProofFormat::Uec, Some((_, card))) => card,
        _ => key,
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
        let keys: Vec<_> = keys.collect();
        for (certificate, card) in OF_CARDS {
            assert!(keys.contains(&certificate), "{certificate} is nobody's");
            for language in Language::ALL {
                assert!(language.words().contains_key(&format!("message.{card}")), "{card}");
            }
        }
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
