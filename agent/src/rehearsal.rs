//! The seam for the mock: what it does that a real agent never does.
//!
//! [`App::rehearsal`](crate::app::App) is empty in every real agent: no flag, no
//! configuration and no file fills it. [`crate::mock`] alone implements the trait and
//! builds an [`App`] that has one; `tests/tests/tidy.rs` sees to that.

use crate::app::App;
use crate::error::Error;

/// What a mock has to say in the course of an operation.
pub trait Rehearsal: Send + Sync {
    /// An operation begins: the turn is held until it has ended. An error refuses it at once.
    fn begin(&self) -> Result<Turn, Error>;

    /// Whether this check of the agent's own is left to the portal in the present turn.
    fn waives(&self, check: Check) -> bool;
}

/// Something to drop when an operation has ended.
pub type Turn = Box<dyn Send>;

/// What a real agent refuses by itself, so that no portal ever sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A certificate that is not valid now is not offered.
    Validity,
    /// A signature that does not verify with its certificate is not handed out.
    OwnSignature,
}

impl App {
    /// Begins a turn of the mock; nothing in a real agent.
    pub(crate) fn begin_turn(&self) -> Result<Option<Turn>, Error> {
        self.rehearsal.as_ref().map(|rehearsal| rehearsal.begin()).transpose()
    }

    /// Whether a check is waived; never in a real agent.
    pub(crate) fn waives(&self, check: Check) -> bool {
        self.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.waives(check))
    }
}
