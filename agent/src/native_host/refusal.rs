//! Why a command of an extension comes to nothing.

use plugin_protocol::{ErrorCode, Problem};

use super::frame::FrameError;
use crate::error::Error;

/// Told to the extension, each host in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A problem of the daemon, or of the same kind found here.
    Problem(Box<Problem>),
    /// No daemon answers: what happened. A web page is not told this text, which may name files.
    Unavailable(String),
    /// The caller is gone: nobody is told anything.
    Gone,
}

impl Refusal {
    /// A problem found here.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self::Problem(Box::new(Problem::new(code, detail)))
    }

    /// Our own bodies, which do serialise.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::new(ErrorCode::Internal, error.to_string())
    }

    /// PROTOCOL.md's code, or `agent_unavailable`.
    pub fn reason(&self) -> &str {
        match self {
            Self::Problem(problem) => problem.code.name(),
            Self::Unavailable(_) => "agent_unavailable",
            Self::Gone => ErrorCode::Cancelled.name(),
        }
    }

    /// For people: what happened, and what helps where that is known.
    pub fn message(&self) -> &str {
        match self {
            Self::Problem(problem) if problem.detail.is_empty() => &problem.title,
            Self::Problem(problem) => &problem.detail,
            Self::Unavailable(what) => what,
            Self::Gone => "the caller is gone",
        }
    }

    /// PIN tries left, where known.
    pub fn tries_left(&self) -> Option<u8> {
        match self {
            Self::Problem(problem) => problem.tries_left,
            _ => None,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        // The extension of a person's own browser may know what our log would.
        match error {
            Error::Internal(why) => Self::Unavailable(why),
            other => other.problem().into(),
        }
    }
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        let code = match error {
            FrameError::Length(length) if length > 5 => ErrorCode::TooLarge,
            _ => ErrorCode::Malformed,
        };
        Self::new(code, error.to_string())
    }
}
