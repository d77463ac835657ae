//! A transaction as families see it, with the reader's keys (PC/SC part 10, 2.5 and 2.6).

use std::time::Duration;

use super::super::apdu::Secret;
use super::super::error::CardError;
use super::super::pad::{Features, GET_FEATURE_REQUEST, is_false_pad};
use super::super::pcsc::{Ending, Exchange, Fault, control_code};
use super::super::pin::PadEntry;
use super::super::transport::{Protocol, Transport};
use super::lane::Turn;
use super::progress::{Limit, Progress};

/// VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER: after these the card may know its holder.
const BEARS_PIN: [u8; 3] = [0x20, 0x24, 0x2C];
/// GET RESPONSE: a card that is in answers it, if only with an error, and does nothing.
const ANYBODY: [u8; 5] = [0x00, 0xC0, 0x00, 0x00, 0x00];
/// How often GET_KEY_PRESSED is asked for while a PIN is typed, at most: a reader gives up long before.
const KEY_PRESSES: usize = 10_000;

/// What a reader's keys can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys(Features);

impl Keys {
    /// Asks the reader, where its keys are `wanted`. Most have none and say so by refusing the question.
    pub(super) fn ask(exchange: &mut dyn Exchange, wanted: bool) -> Self {
        if !wanted {
            return Self::default();
        }
        let Ok(answer) = exchange.control(control_code(GET_FEATURE_REQUEST), &[]) else {
            return Self::default();
        };
        let features = Features::parse(&answer);
        let properties = features
            .properties
            .filter(|_| features.has_pad())
            .and_then(|code| exchange.control(code, &[]).ok());
        match properties.is_some_and(|properties| is_false_pad(&properties)) {
            true => Self::default(),
            false => Self(features),
        }
    }
}

/// Until when a script may have the card: one that hangs, or talks for ever, must not keep it from everybody.
#[derive(Clone, Copy)]
pub(super) struct Leave<'a> {
    /// Of the whole script; a person who types on the reader's keys may take so long.
    pub(super) script: Limit,
    /// Of each call.
    pub(super) call: Duration,
    pub(super) turn: &'a Turn,
    pub(super) progress: &'a Progress,
    /// Waits for so long for the service to say that the card is gone, and gives whether it did.
    pub(super) gone: &'a dyn Fn(Duration) -> bool,
    /// How long it may take for that.
    pub(super) look: Duration,
}

impl Leave<'_> {
    /// An error once the time is over, or whoever asked has gone.
    fn check(&self) -> Result<(), CardError> {
        // Asked first: who left because the time was over finds that said.
        let left = self.turn.is_left();
        self.script.check()?;
        match left {
            true => Err(CardError::Silent(self.script.begun.elapsed())),
            false => Ok(()),
        }
    }
}

/// One transaction over PC/SC.
pub(super) struct Wire<'a> {
    exchange: &'a mut dyn Exchange,
    keys: &'a Keys,
    leave: Leave<'a>,
    /// The card may have been given a PIN.
    touched: bool,
    /// It has not answered its last command.
    silent: bool,
}

impl<'a> Wire<'a> {
    pub(super) fn new(exchange: &'a mut dyn Exchange, keys: &'a Keys, leave: Leave<'a>) -> Self {
        Self {
            exchange,
            keys,
            leave,
            touched: false,
            silent: false,
        }
    }

    /// A command to the reader during which a person types.
    fn control(&mut self, code: u32, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let exchange = &mut self.exchange;
        let time = self.leave.script.time;
        self.leave.progress.during(time, || exchange.control(code, input))
    }

    /// How the card must be left: nobody shall ride on a PIN that was given here.
    ///
    /// A card that is gone has forgotten it and is not reset: pcsc-lite takes a reset that fails of its absence for the
    /// news that the reader is empty, and where the card is back before it looks (every 400 ms), keeps to that until
    /// somebody takes the card out once more.
    ///
    /// That two commands failed does not mean that it is gone: a card that kept its power keeps its login, too. The
    /// service has the last word; what it says is present is reset.
    pub(super) fn ending(&mut self) -> Ending {
        match self.touched && !self.is_gone() {
            true => Ending::Reset,
            false => Ending::Leave,
        }
    }

    /// Whether the card that has not answered gives no answer now either, and the service says that it is gone.
    fn is_gone(&mut self) -> bool {
        if !self.silent || self.leave.check().is_err() {
            return false;
        }
        let (exchange, leave) = (&mut self.exchange, self.leave);
        let silent = match leave.progress.during(leave.call, || exchange.transmit(&ANYBODY)) {
            Ok(answer) => answer.len() < 2,
            Err(fault) => fault == Fault::NoCard,
        };
        silent
            && leave
                .progress
                .during(leave.call + leave.look, || (leave.gone)(leave.look))
    }

    fn on_keys(&mut self, entry: &PadEntry) -> Result<Vec<u8>, Fault> {
        let structure = entry.verify_structure();
        let Features {
            direct,
            start,
            finish,
            key_pressed,
            ..
        } = self.keys.0;
        if let Some(code) = direct {
            return self.control(code, &structure);
        }
        let missing = || Fault::Other("the reader has no keys for a PIN".to_owned());
        let (start, finish) = start.zip(finish).ok_or_else(missing)?;
        self.control(start, &structure)?;
        let followed = key_pressed.map_or(Ok(()), |code| self.follow_keys(code));
        // Whatever became of it, the reader is let out of the entry it began.
        let finished = self.control(finish, &[]);
        followed.and(finished)
    }

    /// Asks which key was pressed until it is one that ends the entry (part 10, 2.5.6): 0D OK, 1B cancel, 0E timeout,
    /// 40 the reader gave up.
    fn follow_keys(&mut self, code: u32) -> Result<(), Fault> {
        for _ in 0..KEY_PRESSES {
            if self.leave.check().is_err() {
                return Err(Fault::Timeout);
            }
            match self.control(code, &[])?.first() {
                Some(0x0D | 0x1B | 0x0E | 0x40) => return Ok(()),
                // Drivers that do not wait for a key answer at once that there was none.
                Some(0x00) | None => std::thread::sleep(Duration::from_millis(20)),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Transport for Wire<'_> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        self.leave.check()?;
        let bytes = command.expose();
        let bears_pin = bytes.get(1).is_some_and(|ins| BEARS_PIN.contains(ins)) && bytes.len() > 5;
        self.touched |= bears_pin;
        let (exchange, leave) = (&mut self.exchange, self.leave);
        let answer = leave.progress.during(leave.call, || exchange.transmit(bytes));
        // Pulled during a command, pcsc-lite says "success" and hands over nothing.
        self.silent = match &answer {
            Ok(answer) => answer.len() < 2,
            Err(fault) => *fault == Fault::NoCard,
        };
        match self.silent {
            true => Err(CardError::Removed),
            false => Ok(answer?),
        }
    }

    fn protocol(&self) -> Protocol {
        self.exchange.protocol()
    }

    fn has_pad(&self) -> bool {
        self.keys.0.has_pad()
    }

    fn verify_on_pad(&mut self, entry: &PadEntry) -> Result<[u8; 2], CardError> {
        self.leave.check()?;
        self.touched = true;
        let answer = match self.on_keys(entry) {
            Err(Fault::Timeout) => return self.leave.check().and(Err(CardError::Removed)),
            answer => answer?,
        };
        let status = answer.last_chunk::<2>().copied();
        status.ok_or(CardError::Removed)
    }
}
