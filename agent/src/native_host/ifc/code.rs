//! The numbers by which the page's library knows what went wrong.

use plugin_protocol::ErrorCode;
use serde_json::{Value, json};

use crate::native_host::Refusal;

/// An `error_code`; the names are the library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Code {
    /// GENERAL_ERROR. The library answers it itself while another command is pending: "busy".
    General = -1,
    /// IFC_OK.
    Ok = 0,
    /// IFC_ERROR_UNKNOWN, which pages show as "interrupted": the person said no, or nothing.
    Interrupted = 1,
    /// IFC_ERROR_RECORD_MAX.
    RecordMax = 3,
    /// IFC_BAD_PARAMS.
    BadParams = 5,
    /// IFC_ERROR_STORE: here, the history cannot be written.
    Store = 8,
    /// IFC_CERT_NOT_FOUND.
    CertNotFound = 9,
    /// IFC_CONTAINER_NOT_FOUND.
    ContainerNotFound = 10,
    /// IFC_UNSUPPORTED_FORMAT: here, data that is no challenge.
    UnsupportedFormat = 11,
    /// IFC_BAD_IN_TYPE.
    BadInType = 13,
    /// IFC_BAD_SIGN_TYPE.
    BadSignType = 14,
    /// IFC_NOT_SUPPORTED.
    NotSupported = 17,
    /// IFC_ERROR_VERIFY: the token's signature does not fit its certificate.
    Verify = 19,
    /// IFC_ERROR_BASE64.
    Base64 = 20,
    /// IFC_P11_ERROR; also a locked PIN, for which there is no number.
    P11 = 23,
    /// IFC_P11_NO_TOKENS_FOUND.
    NoTokens = 25,
    /// IFC_P11_LOGIN_ERROR: a wrong PIN.
    Login = 160,
    /// IFC_INIT_ERROR: the agent cannot be reached, or does not let this host in.
    Init = 163,
    /// IFC_CRYPTO_NOT_FOUND: no such device.
    CryptoNotFound = 164,
}

impl Code {
    /// An answer with nothing but this.
    pub(super) fn answer(self) -> Value {
        json!({ "error_code": self as i32 })
    }

    /// What the daemon refused, in these numbers.
    pub(super) fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Problem(problem) => Self::of_problem(problem.code),
            Refusal::Unavailable(_) => Self::Init,
            Refusal::Gone => Self::Interrupted,
        }
    }

    fn of_problem(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Declined | ErrorCode::Cancelled | ErrorCode::Expired => Self::Interrupted,
            ErrorCode::NoToken | ErrorCode::TokenRemoved => Self::NoTokens,
            ErrorCode::NoCertificate => Self::CertNotFound,
            ErrorCode::PinIncorrect => Self::Login,
            ErrorCode::PinLocked
            | ErrorCode::PinMustChange
            | ErrorCode::ModuleFailed
            | ErrorCode::ModuleUnavailable => Self::P11,
            ErrorCode::UnsupportedAlgorithm | ErrorCode::UnsupportedFormat | ErrorCode::OriginNotAllowed => {
                Self::NotSupported
            }
            ErrorCode::SignatureMismatch => Self::Verify,
            ErrorCode::HistoryFailed => Self::Store,
            ErrorCode::NotPaired | ErrorCode::BadSignature | ErrorCode::StaleSignature => Self::Init,
            _ => Self::General,
        }
    }
}
