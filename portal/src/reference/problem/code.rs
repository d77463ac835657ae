//! The codes of the portal's own problems, and what is fixed for each.

use axum::http::StatusCode;

/// What the portal itself can find wrong; refusals of a proof have the codes of [`VerifyError`](crate::VerifyError).
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
    /// A card was read, and nobody but the agent says that its holder was there.
    HolderNotProven,
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
pub(super) type Parts = (&'static str, StatusCode, &'static str, &'static str, &'static str);

impl Code {
    /// Every code, in alphabetical order.
    pub const ALL: [Self; 19] = [
        Self::AlreadyConfirmed,
        Self::Busy,
        Self::ChallengeGone,
        Self::DataCheckFirst,
        Self::ForeignOrigin,
        Self::ForeignSession,
        Self::HolderNotProven,
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

    pub(super) const fn parts(self) -> Parts {
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
            Self::HolderNotProven => (
                "holder_not_proven",
                StatusCode::FORBIDDEN,
                "Who held the card is not proven",
                "holder-not-proven",
                "another_certificate",
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
