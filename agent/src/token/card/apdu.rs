//! Command and response APDUs (ISO/IEC 7816-4:2013, 5.1), and the one place that sends them.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::CardError;
use super::transport::{Protocol, Transport};

/// The most data a short command carries, bytes (ISO/IEC 7816-4, 5.2).
const SHORT: usize = 255;
/// CLA bit 5: more of this command follows (ISO/IEC 7816-4, 5.3.3).
const CHAINED: u8 = 0x10;
/// The most an answer may grow to; what cards of our families hold is a tenth of it.
const ANSWER: usize = 1 << 16;
/// The most GET RESPONSEs that one answer may take: `ANSWER` in parts of 256 bytes, and some to spare. A card that
/// hands out single bytes would otherwise hold its reader for minutes.
const ROUNDS: usize = 300;

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
pub enum Data {
    /// Nothing.
    None,
    /// Bytes that may be shown in a log.
    Plain(Vec<u8>),
    /// A PIN, or what is made of one.
    Secret(Secret),
}

impl Data {
    /// The bytes, for what puts them on the wire.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Plain(bytes) => bytes,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Plain(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
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

    /// One APDU of it: this part of the data, this class, this Le.
    fn part(&self, cla: u8, data: &[u8], le: Le, extended: bool) -> Secret {
        // Written once into memory of the right size: nothing that bears a PIN is moved and left behind.
        let mut bytes = Vec::with_capacity(data.len() + 9);
        bytes.extend([cla, self.ins, self.p1, self.p2]);
        let [length_high, length_low] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
        match (data.is_empty(), extended) {
            (true, _) => (),
            (false, false) => bytes.push(length_low),
            (false, true) => bytes.extend([0, length_high, length_low]),
        }
        bytes.extend(data);
        let wanted = match le {
            Le::None => return Secret::new(bytes),
            Le::Max => 0,
            Le::Exactly(wanted) => wanted,
        };
        // 256 and 65,536 are written as zero; a short command that wants more says "all", and the rest is 61xx.
        match (extended, u16::try_from(wanted)) {
            (false, Ok(wanted @ 0..=255)) => bytes.push(wanted.to_be_bytes()[1]),
            (false, _) => bytes.push(0),
            (true, wanted) => {
                bytes.extend(data.is_empty().then_some(0));
                bytes.extend(wanted.unwrap_or(0).to_be_bytes());
            }
        }
        Secret::new(bytes)
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cla, ins, p1, p2, .. } = self;
        write!(f, "{cla:02X} {ins:02X} {p1:02X} {p2:02X} {:?} {:?}", self.data, self.le)
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

    /// Its two bytes.
    pub fn bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
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

impl Response {
    /// Of what a reader gave: two bytes at least, or there is no card any more.
    fn read(mut bytes: Vec<u8>) -> Result<Self, CardError> {
        let status = match bytes.last_chunk::<2>() {
            Some(status) => Status(u16::from_be_bytes(*status)),
            None => return Err(CardError::Removed),
        };
        bytes.truncate(bytes.len() - 2);
        Ok(Self { data: bytes, status })
    }
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
    extended: bool,
    resend_after: Duration,
    place: Vec<u8>,
}

impl<'a> Link<'a> {
    /// Speaks through `transport`, in short APDUs.
    pub fn new(transport: &'a mut dyn Transport) -> Self {
        Self {
            transport,
            extended: false,
            resend_after: Duration::ZERO,
            place: Vec::new(),
        }
    }

    /// What is selected, in the words of whoever selected it last in this transaction; empty where nobody said.
    /// A link lives no longer than a transaction: nobody else can have moved it.
    pub fn place(&self) -> &[u8] {
        &self.place
    }

    /// Says what is selected now. Whoever selects a file without saying so says an empty place first.
    pub fn set_place(&mut self, place: Vec<u8>) {
        self.place = place;
    }

    /// The card below, for what is not a command of its own: its protocol, the reader's keys.
    pub fn transport(&mut self) -> &mut dyn Transport {
        self.transport
    }

    /// What the card was reset to.
    pub fn protocol(&self) -> Protocol {
        self.transport.protocol()
    }

    /// Whether long commands go as extended APDUs, for cards that say they take them; under T=0 they never do.
    /// Otherwise they are chained.
    pub fn use_extended(&mut self, extended: bool) {
        self.extended = extended;
    }

    /// How long to wait after 6Cxx before the command is sent again; old cards fall silent otherwise.
    pub fn resend_after(&mut self, wait: Duration) {
        self.resend_after = wait;
    }

    /// Sends a command and gathers its whole answer: 61xx is followed by GET RESPONSE, 6Cxx by the
    /// same command with that Le, once, where it went out with one; data over 255 bytes is chained (CLA bit 5).
    ///
    /// A command that bears a secret is never sent again, whatever the card says: it may have cost a try.
    /// A status word other than 9000 is an answer here, not an error.
    pub fn send(&mut self, command: &Command) -> Result<Response, CardError> {
        let first = self.command(command)?;
        let response = self.rest(first)?;
        tracing::trace!(?command, ?response, "card");
        Ok(response)
    }

    /// The data of a command that has to succeed; `what` names it in the error.
    pub fn expect(&mut self, what: &'static str, command: &Command) -> Result<Vec<u8>, CardError> {
        let response = self.send(command)?;
        match response.status.is_ok() {
            true => Ok(response.data),
            false => Err(CardError::Refused(what, response.status)),
        }
    }

    /// The command in as many APDUs as it takes; what the card says to the last of them, or to the first it refuses.
    fn command(&mut self, command: &Command) -> Result<Response, CardError> {
        let t0 = self.transport.protocol() == Protocol::T0;
        let data = command.data.bytes();
        if data.len() > usize::from(u16::MAX) {
            return Err(CardError::Unsupported("a command of more than 65,535 bytes".to_owned()));
        }
        let long = data.len() > SHORT || matches!(command.le, Le::Exactly(wanted) if wanted > SHORT + 1);
        let extended = self.extended && long && !t0;
        let mut data = data;
        while data.len() > SHORT && !extended {
            let (part, rest) = data.split_at(SHORT);
            let answer = self.exchange(&command.part(command.cla | CHAINED, part, Le::None, false))?;
            if !answer.status.is_ok() {
                return Ok(answer);
            }
            data = rest;
        }
        // Under T=0 a command that carries data has no room for Le: its answer is 61xx.
        let le = if t0 && !data.is_empty() { Le::None } else { command.le };
        let answer = self.exchange(&command.part(command.cla, data, le, extended))?;
        match (answer.status.bytes(), &command.data) {
            (_, Data::Secret(_)) => Ok(answer),
            // Where no Le went out there is none to correct: under T=0 one behind data would be a byte of data too many.
            ([0x6C, wanted], _) if le != Le::None => {
                let le = exactly(wanted);
                self.wait();
                self.exchange(&command.part(command.cla, data, le, extended))
            }
            _ => Ok(answer),
        }
    }

    /// What 61xx promises (ISO/IEC 7816-4, 11.8.1), appended.
    fn rest(&mut self, mut answer: Response) -> Result<Response, CardError> {
        let mut rounds = 0;
        while let [0x61, left] = answer.status.bytes() {
            let next = self.more(exactly(left))?;
            rounds += 1;
            let goes_on = next.status.bytes()[0] == 0x61;
            let endless = goes_on && (next.data.is_empty() || rounds == ROUNDS);
            answer.data.extend(next.data);
            answer.status = next.status;
            if endless || answer.data.len() > ANSWER {
                return Err(CardError::Malformed(
                    "GET RESPONSE",
                    format!("it promises data without end after {} bytes", answer.data.len()),
                ));
            }
        }
        Ok(answer)
    }

    /// GET RESPONSE; once more where the card corrects its length.
    fn more(&mut self, le: Le) -> Result<Response, CardError> {
        let get_response = Command::new(0, 0xC0, 0, 0);
        let next = self.exchange(&get_response.part(0, &[], le, false))?;
        match next.status.bytes() {
            [0x6C, wanted] => {
                self.wait();
                self.exchange(&get_response.part(0, &[], exactly(wanted), false))
            }
            _ => Ok(next),
        }
    }

    fn exchange(&mut self, apdu: &Secret) -> Result<Response, CardError> {
        Response::read(self.transport.transmit(apdu)?)
    }

    fn wait(&self) {
        if !self.resend_after.is_zero() {
            std::thread::sleep(self.resend_after);
        }
    }
}

/// SW2 as a length: zero is 256.
fn exactly(sw2: u8) -> Le {
    match sw2 {
        0 => Le::Exactly(256),
        length => Le::Exactly(length.into()),
    }
}

#[cfg(test)]
mod tests;
