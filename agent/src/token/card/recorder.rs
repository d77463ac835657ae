//! What went over a transport: how many commands, and which, without what bears a PIN.

use std::fmt;

use super::apdu::Secret;
use super::error::CardError;
use super::pin::PadEntry;
use super::transport::{Protocol, Transport};

/// VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER: their data is never kept.
const BEARS_PIN: [u8; 3] = [0x20, 0x24, 0x2C];

/// One command and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The command APDU; of one that bears a PIN the header and Lc alone.
    pub command: Vec<u8>,
    /// How many bytes of data came back.
    pub answered: usize,
    /// The status word; `None` where the transport failed.
    pub status: Option<[u8; 2]>,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        match self.status {
            Some([sw1, sw2]) => write!(f, " -> ({} bytes) {sw1:02X}{sw2:02X}", self.answered),
            None => f.write_str(" -> no answer"),
        }
    }
}

/// A transport that remembers what went over it: for tests, and for the benchmark that counts.
pub struct Recorder<T> {
    inner: T,
    exchanges: Vec<Exchange>,
}

impl<T: Transport> Recorder<T> {
    /// Around `inner`.
    pub fn new(inner: T) -> Self {
        Self {
            inner,
            exchanges: Vec::new(),
        }
    }

    /// What went over it so far.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// How many commands went over it so far.
    pub fn count(&self) -> usize {
        self.exchanges.len()
    }

    /// How many of them have this instruction and carry data: `0x20` counts the PINs that were tried, and not the
    /// questions for the tries left.
    pub fn with_data(&self, ins: u8) -> usize {
        // Lc stands in the fifth byte; in a command without data that is Le, and nothing follows, or zero.
        let carries = |exchange: &&Exchange| match exchange.command.as_slice() {
            [_, verify, _, _, length] if BEARS_PIN.contains(verify) => *verify == ins && *length > 0,
            [_, other, _, _, _, ..] => *other == ins && exchange.command.len() > 5,
            _ => false,
        };
        self.exchanges.iter().filter(carries).count()
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.exchanges.clear();
    }

    /// What it stands around.
    pub fn inner(&mut self) -> &mut T {
        &mut self.inner
    }

    fn remember(&mut self, command: &[u8], answer: Option<&[u8]>) {
        let bears_pin = command.get(1).is_some_and(|ins| BEARS_PIN.contains(ins));
        let shown = if bears_pin { command.get(..5) } else { None };
        self.exchanges.push(Exchange {
            command: shown.unwrap_or(command).to_vec(),
            answered: answer.map_or(0, |answer| answer.len().saturating_sub(2)),
            status: answer.and_then(|answer| answer.last_chunk().copied()),
        });
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        let answer = self.inner.transmit(command);
        self.remember(command.expose(), answer.as_deref().ok());
        answer
    }

    fn protocol(&self) -> Protocol {
        self.inner.protocol()
    }

    fn has_pad(&self) -> bool {
        self.inner.has_pad()
    }

    fn verify_on_pad(&mut self, entry: &PadEntry) -> Result<[u8; 2], CardError> {
        let answer = self.inner.verify_on_pad(entry);
        self.remember(&entry.template, answer.as_ref().ok().map(<[u8; 2]>::as_slice));
        answer
    }
}
