//! What can go wrong between the agent and a card.

use std::fmt;
use std::time::Duration;

use plugin_protocol::ErrorCode;

use super::apdu::Status;
use super::pcsc::Fault;
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
    /// The reader, or what speaks to it, failed in a way of its own; the card may never have been asked.
    Reader(String),
    /// The reader's service is not there, or ended.
    Service(String),
    /// The card refused a command: which, and its status word.
    Refused(&'static str, Status),
    /// The card was taken out, or stopped answering.
    Removed,
    /// The reader did not answer in this time.
    Silent(Duration),
    /// Nothing can be done with this card here; sentences that say why, in the person's language.
    Closed(String),
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
    /// The card refused it for its form or its length (6700, 6A80), and did not say whether that cost a try.
    Form,
    /// It must be changed before its first use.
    MustChange,
    /// The new PIN is not taken: too simple, or the old one.
    NewRefused,
    /// The person pressed "cancel" on the reader.
    PadCancelled,
    /// The person typed nothing on the reader in time.
    PadTimedOut,
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("another program holds the card for itself alone; close it and try again"),
            Self::Malformed(what, why) => write!(
                f,
                "the card answered {what} with something its documents do not know: {why}; take it out, insert it and try again"
            ),
            Self::Pin(failure) => failure.fmt(f),
            Self::Reader(why) => write!(f, "the reader failed: {why}; pull it out, plug it in and try again"),
            Self::Refused(what, status) => {
                write!(f, "the card refused {what} (status {status}")?;
                meaning(*status).map_or(Ok(()), |meaning| write!(f, ": {meaning}"))?;
                f.write_str("); take it out, insert it and try again")
            }
            Self::Removed => f.write_str("the card was taken out, or stopped answering; insert it and try again"),
            Self::Service(why) => write!(f, "the service that speaks to readers (PC/SC) does not answer: {why}"),
            Self::Silent(time) => write!(
                f,
                "the reader did not answer for {} s; pull it out, plug it in and try again",
                time.as_secs()
            ),
            Self::Closed(why) | Self::Unsupported(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for CardError {}

impl fmt::Display for PinFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(Some(left)) => write!(f, "the PIN is wrong; tries left: {left}"),
            Self::Wrong(None) => f.write_str("the PIN is wrong"),
            Self::Blocked => f.write_str("the PIN is locked"),
            Self::Length(min, max) => write!(f, "the PIN has {min} to {max} digits; it was not tried"),
            Self::Format => f.write_str("the PIN has digits only; it was not tried"),
            Self::Form => f.write_str("the card does not take a PIN of this form or length"),
            Self::MustChange => f.write_str("the PIN must be changed before its first use"),
            Self::NewRefused => f.write_str("the card does not take the new PIN: it is too simple, or the old one"),
            Self::PadCancelled => f.write_str("the person pressed the reader's key that cancels"),
            Self::PadTimedOut => f.write_str("no PIN was typed on the reader in time"),
        }
    }
}

/// What a status word says in every card's documents (ISO/IEC 7816-4, table 6).
fn meaning(status: Status) -> Option<&'static str> {
    Some(match status.0 {
        0x6581 => "its memory failed",
        0x6700 => "wrong length",
        0x6882 => "no secure messaging",
        0x6982 => "a PIN is needed first, or this is closed here",
        0x6983 | 0x6984 => "locked",
        0x6985 => "not now, or not activated",
        0x6A80 => "wrong data",
        0x6A81 => "it cannot do this",
        0x6A82 => "there is no such file",
        0x6A86 | 0x6B00 => "wrong parameters",
        0x6A88 => "there is no such key or PIN",
        0x6D00 => "it does not know the command",
        0x6E00 => "it does not know the class of the command",
        0x6F00 => "it does not say why",
        _ => return None,
    })
}

impl From<Fault> for CardError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoService(why) => Self::Service(why),
            Fault::Sharing => Self::InUse,
            Fault::Mute => Self::Unsupported("the card does not answer; is it the right way round?".to_owned()),
            Fault::NoCard | Fault::NoReader | Fault::Reset | Fault::Timeout | Fault::Cancelled => Self::Removed,
            Fault::Other(why) => Self::Reader(why),
        }
    }
}

impl From<CardError> for Error {
    fn from(error: CardError) -> Self {
        match error {
            CardError::Pin(PinFailure::Wrong(left)) => Self::PinIncorrect(left),
            CardError::Pin(PinFailure::Blocked) => Self::PinLocked,
            CardError::Pin(PinFailure::Length(min, max)) => Self::PinLength(min, max),
            CardError::Pin(PinFailure::Format) => Self::PinFormat,
            CardError::Pin(PinFailure::Form) => Self::PinForm,
            CardError::Pin(PinFailure::MustChange) => Self::PinMustChange,
            CardError::Pin(PinFailure::NewRefused) => Self::PinRefused,
            CardError::Pin(PinFailure::PadCancelled) => Self::Cancelled,
            CardError::Pin(PinFailure::PadTimedOut) => Self::Expired,
            CardError::Removed => Self::TokenRemoved,
            CardError::Unsupported(what) => Self::UnsupportedAlgorithm(what),
            // The whole of what is to be said: nothing of ours stands before it.
            CardError::Closed(why) => Self::CardClosed(why),
            CardError::InUse => Self::CardInUse,
            CardError::Service(why) => Self::ReaderService(why),
            error @ (CardError::Malformed(..)
            | CardError::Reader(_)
            | CardError::Refused(..)
            | CardError::Silent(_)) => Self::Refused(ErrorCode::ModuleFailed, error.to_string()),
        }
    }
}
