//! The person as an interface: typed questions, typed outcomes.
//!
//! A question is asked by awaiting [`Prompt::ask`]; dropping the future closes
//! the window. One window is open at a time; the use case sees to that.

mod assuan;
mod detect;
#[cfg(test)]
mod fixture;
mod pinentry;
mod renewal;
mod terminal;
mod text;
mod unattended;

use std::fmt;
use std::future::Future;
use std::pin::Pin as Boxed;

use plugin_protocol::api::CertificateRole;
use plugin_protocol::pairing::Digits;
use plugin_protocol::{HashFunction, Origin, Purpose};

use crate::certificate::Summary;
use crate::pin::Pin;
use crate::token::{Stranger, TokenInfo};

pub use detect::{Nobody, detect};
pub use pinentry::{Flavour, Pinentry};
pub use renewal::{Mishap, Renewal, Step, Task};
pub use terminal::Terminal;
pub use text::{Language, Room, Text, Texts};
pub use unattended::Unattended;

/// What the person is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// "Insert your card": answered by the person closing it, or dropped when a token appears.
    /// With the cards that are in and show none.
    InsertToken(Request, Vec<Stranger>),
    /// Which of several certificates.
    Choose(Request, Vec<Candidate>),
    /// Agreement to one request with one certificate, and the PIN if one is needed here.
    Consent(Consent),
    /// One try is left before the PIN locks: go on? Asked before the PIN.
    LastTry(Request, Candidate),
    /// A step of changing or unblocking a PIN.
    Renew(Renewal),
    /// Do the six digits match?
    Pair {
        /// The name the plugin gave itself; it proves nothing.
        client: String,
        /// The digits.
        digits: Digits,
    },
}

/// Who asks for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The portal; where `attested` is false, the service that the plugin stands for.
    pub origin: Origin,
    /// Whether the plugin knows that a page of `origin` asks. If not, the person is told that the site is not known.
    pub attested: bool,
    /// The page in the browser's address bar, where the portal is embedded in another one's.
    pub top_origin: Option<Origin>,
    /// What for.
    pub action: Action,
    /// The plugin that passes it on.
    pub client: String,
}

/// What the person's yes is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Confirm identity, or sign in.
    Confirm(Purpose),
    /// The same, but the bytes are the portal's literal challenge.
    ConfirmLiteral(Purpose),
    /// The same by a universal electronic card, which hands out what it holds of the person.
    ConfirmCard {
        /// What for.
        purpose: Purpose,
        /// With the holder's signature (PIN2) instead of the holder's data (PIN1).
        signed: bool,
    },
    /// Sign documents.
    Sign(Vec<Document>),
    /// Hand over the certificate of a key meant for this; nothing is signed.
    Certificate(CertificateRole),
}

/// A document to be signed: of what it holds, only the digest is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The name the portal gives it, if any; it proves nothing.
    pub name: Option<String>,
    /// The hash function of the digest.
    pub hash: HashFunction,
    /// The digest, lower-case hexadecimal.
    pub digest: String,
}

/// A token and a certificate on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The token.
    pub token: TokenInfo,
    /// The certificate.
    pub certificate: Summary,
}

/// One consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who asks for what.
    pub request: Request,
    /// With which certificate.
    pub candidate: Candidate,
    /// How the PIN is given.
    pub pin: PinEntry,
    /// 1 for the first question; more when the PIN before was wrong.
    pub attempt: u32,
    /// What was wrong before, where it was not that the PIN is another.
    pub refused: Option<Refused>,
}

/// Why a PIN was refused that nothing says to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token does not take its form or length; whether that cost a try, it does not say.
    Form,
    /// It has something other than digits. It was not tried.
    Letters,
    /// It is shorter or longer than this (characters). It was not tried.
    Length(usize, usize),
}

/// How the PIN is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinEntry {
    /// Typed in the window.
    Window,
    /// Typed on the reader; the window only says so.
    Pad,
    /// None is needed; consent alone.
    None,
}

/// What the person answered.
pub enum Answer {
    /// Yes.
    Yes,
    /// Yes, with the PIN.
    Pin(Pin),
    /// This one of the candidates.
    Chosen(usize),
}

/// How a question ends without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptError {
    /// The person said no.
    Declined,
    /// The person closed the window.
    Cancelled,
    /// Nobody answered in time.
    TimedOut,
    /// Nobody can be asked: why, and what helps.
    Unavailable(String),
}

impl From<PromptError> for crate::Error {
    fn from(error: PromptError) -> Self {
        match error {
            PromptError::Declined => Self::Declined,
            PromptError::Cancelled => Self::Cancelled,
            PromptError::TimedOut => Self::Expired,
            PromptError::Unavailable(why) => Self::PromptUnavailable(why),
        }
    }
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::Error::from(self.clone()).fmt(f)
    }
}

/// A boxed future, so that prompts can be trait objects.
pub type Asking<'a> = Boxed<Box<dyn Future<Output = Result<Answer, PromptError>> + Send + 'a>>;

/// Someone, or something, that can be asked.
pub trait Prompt: Send + Sync {
    /// What `doctor` and the log call it.
    fn name(&self) -> &str;

    /// Approves without a person: everything it touches is marked as a test.
    fn unattended(&self) -> bool {
        false
    }

    /// Whether it could ask now, and if not, why and what helps. For `doctor`.
    fn check(&self) -> Result<(), PromptError>;

    /// Asks. Dropping the future closes the window.
    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a>;
}

#[cfg(test)]
mod tests;
