//! Errors on the wire: RFC 9457 problem details with a stable code, what helps, and a sentence for the person.

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::challenge::{IssueError, TakeError};
use crate::error::{Remedy, VerifyError};

/// What the portal itself can find wrong; refusals of a proof have the codes of [`VerifyError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Too many requests at once.
    Busy,
    /// The challenge expired, was used, or was never issued.
    ChallengeGone,
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
    /// No such path.
    NotFound,
    /// The request took too long.
    Timeout,
    /// The body is too large.
    TooLarge,
    /// The proof's format has a name this portal does not know.
    UnsupportedFormat,
    /// The body is not `application/json`.
    UnsupportedMediaType,
}

impl Code {
    const fn parts(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            Self::Busy => (
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many requests at once",
                "try-again",
            ),
            Self::ChallengeGone => (
                "challenge_gone",
                StatusCode::GONE,
                "The challenge is used up or expired",
                "try-again",
            ),
            Self::ForeignOrigin => (
                "foreign_origin",
                StatusCode::FORBIDDEN,
                "Only this portal's own page may ask",
                "proof-not-valid",
            ),
            Self::ForeignSession => (
                "foreign_session",
                StatusCode::FORBIDDEN,
                "The challenge is another session's",
                "try-again",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal error",
                "try-again",
            ),
            Self::InvalidBody => (
                "invalid_body",
                StatusCode::BAD_REQUEST,
                "The body is not valid",
                "proof-not-valid",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
                "proof-not-valid",
            ),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "Not found", "proof-not-valid"),
            Self::Timeout => (
                "timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The request took too long",
                "try-again",
            ),
            Self::TooLarge => (
                "too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "proof-not-valid",
            ),
            Self::UnsupportedFormat => (
                "unsupported_format",
                StatusCode::UNPROCESSABLE_ENTITY,
                "This proof format is not known here",
                "proof-not-valid",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json",
                "proof-not-valid",
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
    remedy: Remedy,
    message_key: &'static str,
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
    /// What helps: `try_again`, `another_certificate`, `portal_setup`, `software`.
    remedy: &'a str,
    /// A sentence for the person, in their language.
    message: &'a str,
}

impl Problem {
    /// A problem of the portal's own.
    pub fn new(code: Code) -> Self {
        let (code, status, title, message_key) = code.parts();
        let retryable = message_key == "try-again";
        Self {
            code,
            title,
            status,
            detail: String::new(),
            retryable,
            remedy: if retryable { Remedy::TryAgain } else { Remedy::Software },
            message_key,
        }
    }

    /// With these details.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The response, in the reader's language.
    pub fn for_reader(self, headers: &HeaderMap) -> Response {
        let document = Document {
            kind: format!("urn:eid-portal:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            retryable: self.retryable,
            remedy: remedy_name(self.remedy),
            message: sentence(self.message_key, Language::of(headers)),
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
            remedy: error.remedy(),
            message_key: error.user_message_key(),
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

const fn remedy_name(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::TryAgain => "try_again",
        Remedy::AnotherCertificate => "another_certificate",
        Remedy::PortalSetup => "portal_setup",
        Remedy::Software => "software",
    }
}

/// The languages the portal speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Russian.
    Russian,
}

impl Language {
    /// The one the reader prefers (RFC 9110 section 12.5.4); English when neither is named.
    pub fn of(headers: &HeaderMap) -> Self {
        let value = headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        let (mut russian, mut english) = (0.0, 0.0);
        for range in value.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let language = parts.next().and_then(|tag| tag.split('-').next()).unwrap_or("");
            let weight = parts
                .find_map(|part| part.strip_prefix("q="))
                .map_or(Ok(1.0), str::parse::<f32>);
            let weight = weight.unwrap_or(0.0);
            if language.eq_ignore_ascii_case("ru") {
                russian = f32::max(russian, weight);
            } else if language.eq_ignore_ascii_case("en") {
                english = f32::max(english, weight);
            }
        }
        if russian > english {
            Self::Russian
        } else {
            Self::English
        }
    }
}

/// The sentence of [`VerifyError::user_message_key`].
fn sentence(key: &str, language: Language) -> &'static str {
    let (english, russian) = match key {
        "certificate-expired" => (
            "Your certificate has expired. Renew it, then try again.",
            "Срок действия вашего сертификата истёк. Получите новый сертификат и повторите попытку.",
        ),
        "certificate-not-suitable" => (
            "This certificate cannot be used here. Choose another one.",
            "Этот сертификат здесь не подходит. Выберите другой.",
        ),
        "certificate-not-yet-valid" => (
            "Your certificate is not valid yet.",
            "Срок действия вашего сертификата ещё не начался.",
        ),
        "certificate-revoked" => (
            "Your certificate has been revoked. Ask its issuer for a new one.",
            "Ваш сертификат отозван. Обратитесь в удостоверяющий центр за новым.",
        ),
        "check-clock-and-try-again" => (
            "The clock of your computer seems to be wrong. Check it, then try again.",
            "Похоже, на вашем компьютере неверно идут часы. Проверьте время и повторите попытку.",
        ),
        "portal-cannot-check" => (
            "The portal cannot check your certificate at the moment.",
            "Сейчас портал не может проверить ваш сертификат.",
        ),
        "test-certificate" => (
            "This is a test certificate. It proves nobody's identity here.",
            "Это тестовый сертификат. Он здесь ничью личность не подтверждает.",
        ),
        "try-again" => (
            "That did not work. Please try once more.",
            "Не получилось. Пожалуйста, повторите попытку.",
        ),
        _ => (
            "The answer of the plugin was not valid.",
            "Ответ плагина не прошёл проверку.",
        ),
    };
    match language {
        Language::English => english,
        Language::Russian => russian,
    }
}
