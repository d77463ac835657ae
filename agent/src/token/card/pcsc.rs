//! PC/SC, as much of it as cards need, behind traits: the system's own ([`System`]), and one in tests whose faults are
//! scripted.
//!
//! What the traits promise is what pcsc-lite and Windows do: calls block, a context whose service ended is dead for
//! ever, and a connection whose card was taken out stays dead even when the card is back.

use std::fmt;
use std::time::Duration;

use super::transport::Protocol;

#[cfg(test)]
pub(crate) mod mock;
mod system;

pub use system::System;

/// Where contexts come from.
pub trait Stack: Send + Sync {
    /// A new context. Each thread that waits has one of its own.
    fn establish(&self) -> Result<Box<dyn Context>, Fault>;
}

/// One line to the service.
pub trait Context: Send + Sync {
    /// The readers' names. One that comes or goes from then on ends the next [`Context::wait`] for arrivals, where the
    /// service counts them; where it does not, only one that comes during the wait.
    fn readers(&self) -> Result<Vec<String>, Fault>;

    /// Waits until a reader of `watched` is not as `known` says, or one came or went where `arrivals` asks for that;
    /// then sets `found` of all. Without `timeout` it waits for as long as that takes.
    fn wait(&self, watched: &mut [Watched], arrivals: bool, timeout: Option<Duration>) -> Result<(), Fault>;

    /// Ends a wait that is under way, which is then [`Fault::Cancelled`]. One that is not under way yet is not ended.
    fn cancel(&self);

    /// Connects to the card in a reader, beside other programs.
    fn connect(&self, reader: &str) -> Result<Box<dyn Connection>, Fault>;
}

/// A reader that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its name.
    pub reader: String,
    /// What the caller knows; `None`: nothing, so that the wait returns at once.
    pub known: Option<Seen>,
    /// What is so.
    pub found: Seen,
    /// The answer to reset of the card that is in.
    pub atr: Vec<u8>,
}

impl Watched {
    /// A reader of which nothing is known.
    pub fn new(reader: &str) -> Self {
        Self {
            reader: reader.to_owned(),
            known: None,
            found: Seen::default(),
            atr: Vec::new(),
        }
    }
}

/// What PC/SC says of a reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A card is in.
    pub present: bool,
    /// It does not answer a reset.
    pub mute: bool,
    /// How often cards came and went, modulo 2^16: two looks with different numbers saw different insertions.
    pub events: u16,
    /// The flags as they came (SCARD_STATE_*), to be handed back as what is known.
    pub flags: u32,
}

/// A connection to a card that other programs may have, too.
pub trait Connection: Send {
    /// Waits until nobody else has a transaction, runs `script` in one, and ends it; what the script returns is done
    /// with the card while nobody else can reach it. Whether the script ran is the caller's to know.
    fn transacted(&mut self, script: &mut dyn FnMut(&mut dyn Exchange) -> Ending) -> Result<(), Fault>;

    /// Ends the connection.
    fn disconnect(self: Box<Self>, ending: Ending);
}

/// How a card is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it is.
    Leave,
    /// Reset: what was verified is forgotten.
    Reset,
}

/// A transaction.
pub trait Exchange {
    /// What the card was reset to.
    fn protocol(&self) -> Protocol;

    /// One command, one answer. An answer of less than two bytes is none: pcsc-lite says so when the card was pulled.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault>;

    /// A command to the reader, by its whole control code.
    fn control(&mut self, code: u32, input: &[u8]) -> Result<Vec<u8>, Fault>;
}

/// The control code of a reader's function, as this system counts.
pub fn control_code(function: u32) -> u32 {
    // 32 bits on every system: the highest is 42000000h and the function.
    pcsc::ctl_code(function.into()) as u32
}

/// What PC/SC fails of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `cancel` ended the wait.
    Cancelled,
    /// The card does not answer.
    Mute,
    /// No card is in the reader, or it was taken out.
    NoCard,
    /// No such reader, or no more.
    NoReader,
    /// The service is not running, or ended: this context is dead.
    NoService(String),
    /// Another program reset the card since we connected.
    Reset,
    /// Another program has the card for itself.
    Sharing,
    /// The time ran out.
    Timeout,
    /// Anything else, in PC/SC's words.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::Mute => f.write_str("the card does not answer"),
            Self::NoCard => f.write_str("no card is in the reader"),
            Self::NoReader => f.write_str("the reader is gone"),
            Self::NoService(why) | Self::Other(why) => f.write_str(why),
            Self::Reset => f.write_str("another program reset the card"),
            Self::Sharing => f.write_str("another program has the card for itself"),
            Self::Timeout => f.write_str("the time ran out"),
        }
    }
}

impl std::error::Error for Fault {}
