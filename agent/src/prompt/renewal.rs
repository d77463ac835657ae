//! Changing and unblocking a PIN as the person is asked for it: one step, one question.

use super::Request;
use crate::token::{PinInfo, TokenInfo, UnblockCode};

/// What is done about a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// It gets a new value from who knows the old one.
    Change,
    /// The same, because it may not be used before: it is still the issuer's.
    ChangeFirst,
    /// It gets a new value and its tries back, with this code.
    Unblock(UnblockCode),
}

/// Which question of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Whether to do it now. Asked where the person came for something else.
    Offer,
    /// One try is left of what is typed next: go on?
    LastTry,
    /// The old PIN, or the code that unblocks.
    Key,
    /// The new PIN.
    New,
    /// The new PIN once more.
    Repeat,
}

/// What was wrong with what was typed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The old PIN, or the code, was wrong; tries left where the token tells.
    Wrong(Option<u8>),
    /// The card does not take the form or length of the old PIN, the code or the new PIN.
    Form,
    /// The new PIN was typed in two ways. Nothing was tried.
    Differs,
    /// The new PIN is the old one. Nothing was tried.
    Same,
    /// The card does not take the new PIN.
    Refused,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// What is done.
    pub task: Task,
    /// Which question of it.
    pub step: Step,
    /// The token whose PIN it is, as it is now.
    pub token: TokenInfo,
    /// What the person is in the middle of, and goes on with afterwards.
    pub within: Option<Request>,
    /// What was wrong before.
    pub mishap: Option<Mishap>,
}

impl Renewal {
    /// Whether something is typed that nobody may see; the other steps are answered yes or no.
    pub fn is_typed(&self) -> bool {
        matches!(self.step, Step::Key | Step::New | Step::Repeat)
    }

    /// Shortest and longest of what is typed, where that is known.
    pub fn length(&self) -> Option<(usize, usize)> {
        match (&self.task, self.step) {
            (Task::Unblock(code), Step::Key) => Some(code.length),
            _ => self.token.pin.length,
        }
        .filter(|(least, most)| least <= most && *most > 0)
    }

    /// Tries left of what is typed first, where the token tells.
    pub fn tries_left(&self) -> Option<u8> {
        match &self.task {
            Task::Unblock(code) => code.tries_left,
            Task::Change | Task::ChangeFirst => self.token.pin.tries_left,
        }
    }

    /// The PIN.
    pub fn pin(&self) -> &PinInfo {
        &self.token.pin
    }
}
