//! A script in line, and who was first: its turn, or the end of the asker's patience.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::super::error::CardError;
use super::super::transport::Wire;

/// Runs with the card, or is told why it cannot. What it gives hands its answer out, once the card is let go.
pub(super) type Script = Box<dyn FnOnce(Result<(&mut Wire<'_>, &[u8]), CardError>) -> HandOut + Send>;
pub(super) type HandOut = Box<dyn FnOnce()>;

/// A script's turn.
pub(in super::super) struct Turn(Mutex<Stage>);

enum Stage {
    /// In line. With the script goes the PIN that was typed for it, however long this has to wait yet.
    Waiting(Script),
    /// It has the card, or was told why it cannot have it.
    Begun,
    /// The asker had no more patience before it began: it never will.
    GivenUp,
    /// The asker has left since it began.
    Left,
}

impl Turn {
    pub(super) fn new(script: Script) -> Self {
        Self(Mutex::new(Stage::Waiting(script)))
    }

    /// A lock whose holder panicked still guards whole data: each change is one assignment.
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the script out of its line, where it is still there.
    fn take(&self, next: Stage) -> Option<Script> {
        let mut stage = self.stage();
        match &*stage {
            Stage::Waiting(_) => match std::mem::replace(&mut *stage, next) {
                Stage::Waiting(script) => Some(script),
                _ => None,
            },
            _ => None,
        }
    }

    /// The script, to be run now; `None` where it was, or will never be.
    pub(super) fn begin(&self) -> Option<Script> {
        self.take(Stage::Begun)
    }

    /// The asker waits no longer for it to begin. Whether it was still in line; it is dropped then.
    pub(super) fn give_up(&self) -> bool {
        self.take(Stage::GivenUp).is_some()
    }

    /// Tells it why it cannot be run, where it was not; the asker has that at once.
    pub(super) fn refuse(&self, error: CardError) {
        if let Some(script) = self.begin() {
            script(Err(error))();
        }
    }

    /// The asker leaves a script that has begun.
    pub(super) fn leave(&self) {
        let mut stage = self.stage();
        if let Stage::Begun = *stage {
            *stage = Stage::Left;
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.stage(), Stage::Waiting(_))
    }

    pub(super) fn is_given_up(&self) -> bool {
        matches!(*self.stage(), Stage::GivenUp)
    }

    /// Whether the asker has left.
    pub(in super::super) fn is_left(&self) -> bool {
        matches!(*self.stage(), Stage::Left)
    }
}
