//! What can go wrong between the agent and a card.

use super::apdu::Status;
use crate::error::Error;

/// Why a card did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardError {
    /// Another program holds the card for itself alone.
    InUse,
    /// The card says what its family's documents do not let it say: what was asked, and what is wrong.
    Malformed(&'static str, String),
    /// The PIN, and what became of it.
    Pin(PinFailure),
    /// The reader's service is not there, or ended.
    Service(String),
    /// The card refused a command: which, and its status word.
    Refused(&'static str, Status),
    /// The card was taken out, or stopped answering.
    Removed,
    /// The card or the reader cannot do this; a sentence that says what.
    Unsupported(String),
}

/// What became of a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinFailure {
    /// It was wrong; tries left where the card tells.
    Wrong(Option<u8>),
    /// No tries are left.
    Blocked,
    /// It was not tried: shortest and longest length, digits.
    Length(usize, usize),
    /// It was not tried: something other than digits.
    Format,
    /// It must be changed before its first use.
    MustChange,
    /// The new PIN is not taken: too simple, or the old one.
    NewRefused,
    /// The person pressed "cancel" on the reader.
    PadCancelled,
    /// The person typed nothing on the reader in time.
    PadTimedOut,
}

impl From<CardError> for Error {
    fn from(error: CardError) -> Self {
        match error {
            CardError::Pin(PinFailure::Wrong(left)) => Self::PinIncorrect(left),
            CardError::Pin(PinFailure::Blocked) => Self::PinLocked,
            CardError::Pin(PinFailure::Length(min, max)) => Self::PinLength(min, max),
            CardError::Pin(PinFailure::MustChange) => Self::PinMustChange,
            CardError::Pin(PinFailure::NewRefused) => Self::PinRefused,
            CardError::Pin(PinFailure::PadCancelled) => Self::Cancelled,
            CardError::Pin(PinFailure::PadTimedOut) => Self::Expired,
            CardError::Removed => Self::TokenRemoved,
            CardError::Unsupported(what) => Self::UnsupportedAlgorithm(what),
            other => Self::Internal(format!("card: {other:?}")),
        }
    }
}
