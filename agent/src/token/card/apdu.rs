//! Command and response APDUs (ISO/IEC 7816-4:2013, 5.1), and the one place that sends them.

use std::fmt;

use zeroize::Zeroizing;

use super::error::CardError;
use super::transport::Transport;

/// Bytes of which nothing is shown but their number.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; they are wiped when this is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the call that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

/// What a command carries to the card.
#[derive(Debug)]
pub enum Data {
    /// Nothing.
    None,
    /// Bytes that may be shown in a log.
    Plain(Vec<u8>),
    /// A PIN, or what is made of one.
    Secret(Secret),
}

/// How many bytes a command wants back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Le {
    /// None; no Le is sent.
    None,
    /// As many as there are.
    Max,
    /// This many, 1 to 65,536.
    Exactly(usize),
}

/// A command, before it is cut to what the card's protocol takes.
#[derive(Debug)]
pub struct Command {
    /// Class.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// What goes to the card.
    pub data: Data,
    /// What is wanted back.
    pub le: Le,
}

impl Command {
    /// A command without data that wants nothing back.
    pub fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self {
            cla,
            ins,
            p1,
            p2,
            data: Data::None,
            le: Le::None,
        }
    }

    /// With data that may be shown.
    pub fn with(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = Data::Plain(data.into());
        self
    }

    /// With data that bears a PIN.
    pub fn with_secret(mut self, data: Secret) -> Self {
        self.data = Data::Secret(data);
        self
    }

    /// Wanting data back.
    pub fn wanting(mut self, le: Le) -> Self {
        self.le = le;
        self
    }
}

/// The status word of a response: SW1 in the upper byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// 9000: done.
    pub const OK: Self = Self(0x9000);

    /// Whether the command was carried out.
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// A response, put together from all its parts.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Its data.
    pub data: Vec<u8>,
    /// Its last status word.
    pub status: Status,
}

/// What the card says is nobody's business in a log: only how much it was.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes) {}", self.data.len(), self.status)
    }
}

/// Speaks with the card of one transaction: the rules of every card stand here, once.
pub struct Link<'a> {
    transport: &'a mut dyn Transport,
}

impl<'a> Link<'a> {
    /// Speaks through `transport`.
    pub fn new(transport: &'a mut dyn Transport) -> Self {
        Self { transport }
    }

    /// The card below, for what is not a command of its own: its protocol, the reader's keys.
    pub fn transport(&mut self) -> &mut dyn Transport {
        self.transport
    }

    /// Sends a command and gathers its whole answer: 61xx is followed by GET RESPONSE, 6Cxx by the
    /// same command with that Le, once; data over 255 bytes is chained (CLA bit 5).
    ///
    /// A status word other than 9000 is an answer here, not an error.
    pub fn send(&mut self, _command: &Command) -> Result<Response, CardError> {
        Err(CardError::Unsupported("not yet".to_owned()))
    }

    /// The data of a command that has to succeed; `what` names it in the error.
    pub fn expect(&mut self, what: &'static str, command: &Command) -> Result<Vec<u8>, CardError> {
        let response = self.send(command)?;
        match response.status.is_ok() {
            true => Ok(response.data),
            false => Err(CardError::Refused(what, response.status)),
        }
    }
}
