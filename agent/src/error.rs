//! What can go wrong, once, and how it is told to a caller, once.

use std::fmt;
use std::time::Duration;

use plugin_protocol::limits::MAX_PAIRINGS;
use plugin_protocol::{ErrorCode, Problem};

use crate::token::Strange;

/// Everything that ends a request or an operation without a result.
///
/// The text says what happened, to what, and what helps: for the person, the command line and the log. It never holds
/// a PIN or a name from a certificate. Who asked over the API gets [`Error::problem`], which says less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A window is open for another operation.
    Busy,
    /// The caller, or the person closing a waiting window, ended it.
    Cancelled,
    /// The person said no.
    Declined,
    /// What keeps the whole card from being used, and what of it is known: for windows, the log and the command line.
    CardClosed(String),
    /// Another program holds the card for itself alone.
    CardInUse,
    /// The time ran out.
    Expired,
    /// The history could not be written: what, and why.
    History(String),
    /// A fault of ours; the text is for the log and names no secret.
    Internal(String),
    /// A member of the body: its name, and what is wrong.
    InvalidField(&'static str, String),
    /// A module crashed, hung or answered nonsense: its file name, and what it did.
    ModuleFailed(String, String),
    /// A module failed too often and rests: its file name, and how long still.
    ModuleUnavailable(String, Duration),
    /// A token is there, but no certificate on it that could be taken: why, in a module's words or with a file's name.
    NoCertificate(String),
    /// Certificates are there, and none fits: how many were left out for what, in words of ours alone.
    NoneFits(String),
    /// No token appeared.
    NoToken,
    /// No token appeared, though a card is in a reader. Which reader is for the window and the log.
    StrangeCard(Box<Strange>),
    /// No such path or object for this caller.
    NotFound,
    /// As many plugins are paired as may be.
    TooManyPairings,
    /// The origin's policy does not allow the format.
    OriginNotAllowed(String),
    /// The token refused the PIN for its form or length, and did not say whether that cost a try.
    PinForm,
    /// The PIN has something other than digits; it was not tried.
    PinFormat,
    /// The PIN was wrong; tries left where the token tells.
    PinIncorrect(Option<u8>),
    /// The PIN is shorter or longer than the token takes (bytes); it was not tried.
    PinLength(usize, usize),
    /// The PIN is locked.
    PinLocked,
    /// The PIN must be changed before first use.
    PinMustChange,
    /// The new PIN is not taken: too simple, or the old one. The PIN is what it was.
    PinRefused,
    /// Nobody can be asked: why, and what helps.
    PromptUnavailable(String),
    /// The code that unblocks the PIN was wrong; its tries left where the token tells.
    PukIncorrect(Option<u8>),
    /// The code that unblocks the PIN is locked itself.
    PukLocked,
    /// Too many requests; when to try again.
    RateLimited(Duration),
    /// The service that speaks to card readers (PC/SC) does not answer: why.
    ReaderService(String),
    /// A problem of the door (signature, pairing, context): its code and detail.
    Refused(ErrorCode, String),
    /// The token's signature does not verify with its certificate.
    SignatureMismatch,
    /// The token was removed, or another took its place.
    TokenRemoved,
    /// The token has no mechanism for this.
    UnsupportedAlgorithm(String),
    /// The format's name is unknown.
    UnsupportedFormat(String),
}

impl Error {
    /// The stable code on the wire.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Busy => ErrorCode::Busy,
            Self::Cancelled => ErrorCode::Cancelled,
            Self::CardInUse => ErrorCode::CardInUse,
            Self::Declined => ErrorCode::Declined,
            Self::Expired => ErrorCode::Expired,
            Self::History(_) => ErrorCode::HistoryFailed,
            Self::Internal(_) => ErrorCode::Internal,
            Self::InvalidField(..) => ErrorCode::InvalidField,
            Self::ModuleFailed(..) => ErrorCode::ModuleFailed,
            Self::ModuleUnavailable(..) => ErrorCode::ModuleUnavailable,
            Self::NoCertificate(_) | Self::NoneFits(_) => ErrorCode::NoCertificate,
            Self::NoToken | Self::StrangeCard(_) => ErrorCode::NoToken,
            Self::NotFound => ErrorCode::NotFound,
            Self::OriginNotAllowed(_) => ErrorCode::OriginNotAllowed,
            Self::PinForm | Self::PinFormat | Self::PinIncorrect(_) | Self::PinLength(..) => ErrorCode::PinIncorrect,
            Self::PinLocked => ErrorCode::PinLocked,
            Self::PinMustChange | Self::PinRefused => ErrorCode::PinMustChange,
            // The PIN is as locked as it was.
            Self::PukIncorrect(_) | Self::PukLocked => ErrorCode::PinLocked,
            Self::PromptUnavailable(_) => ErrorCode::PromptUnavailable,
            Self::RateLimited(_) => ErrorCode::RateLimited,
            Self::ReaderService(_) => ErrorCode::ReaderServiceUnavailable,
            Self::Refused(code, _) => *code,
            Self::SignatureMismatch => ErrorCode::SignatureMismatch,
            Self::TokenRemoved => ErrorCode::TokenRemoved,
            Self::TooManyPairings => ErrorCode::TooManyPairings,
            Self::UnsupportedAlgorithm(_) | Self::CardClosed(_) => ErrorCode::UnsupportedAlgorithm,
            Self::UnsupportedFormat(_) => ErrorCode::UnsupportedFormat,
        }
    }

    /// When the caller may try again, for `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy | Self::CardInUse | Self::ReaderService(_) => Some(Duration::from_secs(5)),
            Self::ModuleUnavailable(_, wait) | Self::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The problem document: the only way an error reaches a caller, which may hand the whole of it to a page.
    pub fn problem(&self) -> Problem {
        let detail = self.fixed().map_or_else(|| self.to_string(), str::to_owned);
        let mut problem = Problem::new(self.code(), detail);
        if let Self::PinIncorrect(tries_left) = self {
            problem.tries_left = *tries_left;
        }
        problem
    }

    /// The one sentence that callers get of the code, where the text has words of a module, a card, a file, a key or
    /// the system.
    ///
    /// Which card, token or software a person has is none of a page's business.
    fn fixed(&self) -> Option<&'static str> {
        match self.code() {
            // What we got wrong is for the log alone.
            ErrorCode::Internal => Some(""),
            ErrorCode::ModuleFailed => Some(
                "the software of a card or token, or its reader, failed; try again (`eid-agent doctor` says what is wrong)",
            ),
            ErrorCode::ModuleUnavailable => Some(
                "the software of a card or token failed repeatedly and rests for a while (`eid-agent doctor` says more)",
            ),
            ErrorCode::NoCertificate if !matches!(self, Self::NoneFits(_)) => {
                Some("there is no certificate on the card or token that could be taken (`eid-agent tokens` says why)")
            }
            ErrorCode::NoToken => Some(NO_TOKEN),
            ErrorCode::HistoryFailed => {
                Some("the history cannot be written; nothing was handed out (the log of `eid-agent` says why)")
            }
            ErrorCode::PromptUnavailable => Some(
                "the person cannot be asked: no window can be shown; start the agent in the person's session \
                 (`eid-agent doctor` says more)",
            ),
            ErrorCode::ReaderServiceUnavailable => Some(
                "the service that speaks to card readers (PC/SC) does not answer; start it and try again \
                 (`eid-agent doctor` says more)",
            ),
            ErrorCode::UnsupportedAlgorithm => Some(
                "the card or token cannot be used for this: another format or hash function may do, or another card or \
                 token (`eid-agent tokens` says what this one is for)",
            ),
            _ => None,
        }
    }

    /// Whether a caller is told less than the person.
    pub fn is_kept_short(&self) -> bool {
        self.fixed().is_some_and(|told| told != self.to_string())
    }
}

/// That a card is in and of no use is the person's to know.
const NO_TOKEN: &str = "no card or token that can be used appeared; insert one and try again \
                        (`eid-agent tokens` says what is known of one that is in)";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("another request is waiting for the person; try again when it is done"),
            Self::Cancelled => f.write_str("the request was cancelled"),
            Self::CardInUse => f.write_str("another program is using the card; end what it does there and try again"),
            Self::Declined => f.write_str("the person declined"),
            Self::Expired => f.write_str("the request expired before the person answered"),
            Self::History(why) => write!(f, "the history cannot be written ({why}); nothing was handed out"),
            Self::Internal(why) => write!(f, "internal error: {why}"),
            Self::InvalidField(field, why) => write!(f, "{field}: {why}"),
            Self::ModuleFailed(module, what) => {
                write!(f, "the token module {module} {what}; it is started anew, try again")
            }
            Self::ModuleUnavailable(module, wait) => {
                write!(
                    f,
                    "the token module {module} failed repeatedly and rests for {} s",
                    wait.as_secs().max(1)
                )
            }
            Self::NoCertificate(why) | Self::NoneFits(why) => write!(f, "no suitable certificate: {why}"),
            Self::NoToken => f.write_str(NO_TOKEN),
            Self::StrangeCard(strange) => strange_card(strange, f),
            Self::NotFound => f.write_str("there is nothing here by that name"),
            Self::OriginNotAllowed(why) => f.write_str(why),
            Self::PinForm => f.write_str(
                "the card does not take a PIN of this form or length; whether that cost a try, it did not say \
                 (`eid-agent tokens` asks it)",
            ),
            Self::PinFormat => f.write_str("the PIN has digits only; it was not tried"),
            Self::PinIncorrect(Some(tries)) => write!(f, "the PIN is wrong; tries left: {tries}"),
            Self::PinIncorrect(None) => f.write_str("the PIN is wrong"),
            Self::PinLength(min, max) => write!(f, "the PIN has {min} to {max} characters; it was not tried"),
            Self::PinLocked => f.write_str(
                "the PIN is locked; unblock it with the PUK, with `eid-agent pin unblock` or in the token's own tool; \
                 where it has no PUK, its issuer helps",
            ),
            Self::PinMustChange => f.write_str(
                "the PIN must be changed before first use: with `eid-agent pin change`, or in the token's own tool",
            ),
            Self::PinRefused => {
                f.write_str("the new PIN is not taken: it is too simple, or the old one; the PIN is what it was")
            }
            Self::PukIncorrect(Some(tries)) => write!(
                f,
                "the code that unblocks the PIN (PUK) is wrong; tries of it left: {tries}"
            ),
            Self::PukIncorrect(None) => f.write_str("the code that unblocks the PIN (PUK) is wrong"),
            Self::PukLocked => {
                f.write_str("the code that unblocks the PIN (PUK) is locked too; only the issuer of the card can help")
            }
            Self::PromptUnavailable(why) => write!(f, "the person cannot be asked: {why}"),
            Self::RateLimited(wait) => write!(f, "too many requests; try again in {} s", wait.as_secs().max(1)),
            Self::ReaderService(why) => write!(
                f,
                "the service that speaks to card readers (PC/SC) does not answer: {why}; start it and try again"
            ),
            Self::CardClosed(why) | Self::Refused(_, why) => f.write_str(why),
            Self::SignatureMismatch => {
                f.write_str("the token's signature does not fit its certificate; nothing was handed out")
            }
            Self::TokenRemoved => {
                f.write_str("the token was removed, or another took its place; insert it and try again")
            }
            Self::TooManyPairings => write!(
                f,
                "{MAX_PAIRINGS} plugins are paired already; end a pairing that is not used with `eid-agent pairings revoke`"
            ),
            Self::UnsupportedAlgorithm(what) => write!(f, "the token cannot make this signature: {what}"),
            Self::UnsupportedFormat(what) => f.write_str(what),
        }
    }
}

/// What is said at the end to a person whose card showed no token.
fn strange_card(strange: &Strange, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match strange {
        Strange::Unserved => f.write_str(
            "a card is in a reader, but not one that this agent can use; insert another one and try again \
             (`eid-agent tokens` says what is known of the card)",
        ),
        Strange::Unread => f.write_str(
            "a card is in a reader and could not be read; take it out, insert it the right way round and try again \
             (`eid-agent tokens` says why)",
        ),
        Strange::InUse => {
            f.write_str("another program is using the card in a reader; close that program and try again")
        }
        Strange::Hung => f.write_str(
            "a card is in a reader that does not answer; pull the reader out, plug it in again and try again",
        ),
        Strange::Closed(card) => {
            write!(
                f,
                "the card in a reader cannot be used here: {card}; insert another one and try again"
            )
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::card::apdu::Status;
    use crate::token::card::error::CardError;
    use crate::token::{CardKind, Closed, ClosedCard};

    /// A page may get the whole of a problem document.
    #[test]
    fn a_problem_tells_neither_that_a_strange_card_is_in_nor_what_a_card_is() {
        let nothing = Error::NoToken.problem();
        let card = ClosedCard {
            kind: CardKind {
                id: "uec",
                name: "Universal electronic card",
                ended: Some(2016),
            },
            why: Closed::TerminalMissing,
        };
        let reasons = [
            Strange::Unserved,
            Strange::Unread,
            Strange::InUse,
            Strange::Hung,
            Strange::Closed(card),
        ];
        for strange in reasons.map(|why| Error::StrangeCard(Box::new(why))) {
            assert_eq!(strange.problem(), nothing);
            assert!(strange.is_kept_short());
            assert_ne!(strange.to_string(), nothing.detail, "the person is told more");
        }
        let why = "the universal card takes a PIN only from a terminal, and its programme ended with 2016";
        let closed = Error::CardClosed(why.to_owned());
        assert_eq!(closed.to_string(), why);
        let problem = closed.problem();
        assert_eq!(problem, Error::CardClosed("another reason".to_owned()).problem());
        assert_eq!(problem.code, ErrorCode::UnsupportedAlgorithm);
        assert!(problem.detail.contains("eid-agent tokens") && !problem.detail.contains("universal"));
    }

    #[test]
    fn a_problem_has_no_word_of_a_module_a_card_a_file_or_a_key() {
        let told = |word: &str| {
            let said = || word.to_owned();
            [
                Error::ModuleFailed(said(), said()),
                Error::ModuleUnavailable(said(), Duration::from_secs(word.len() as u64)),
                Error::NoCertificate(said()),
                Error::UnsupportedAlgorithm(said()),
                Error::CardClosed(said()),
                Error::History(said()),
                Error::PromptUnavailable(said()),
                Error::ReaderService(said()),
                CardError::Refused("SIGN", Status(word.len() as u16)).into(),
                CardError::Malformed("SIGN", said()).into(),
                CardError::Reader(said()).into(),
                CardError::Unsupported(said()).into(),
                CardError::Closed(said()).into(),
            ]
        };
        for (one, other) in told("libivanov.so").into_iter().zip(told("a GOST key of Ivanov's")) {
            let problem = one.problem();
            assert_eq!(problem, other.problem(), "one sentence for each code");
            assert!(!problem.detail.contains("ivanov") && problem.detail.contains("eid-agent"));
            assert!(one.is_kept_short() && one.to_string() != other.to_string(), "{one}");
        }
        let internal = Error::Internal("a name".to_owned());
        assert!(internal.problem().detail.is_empty() && internal.is_kept_short());
        // Of these a page reads what the person does.
        for open in [
            Error::NoneFits("1 expired".to_owned()),
            Error::NoToken,
            Error::PinLocked,
        ] {
            assert_eq!(open.problem().detail, open.to_string());
            assert!(!open.is_kept_short());
        }
    }
}
