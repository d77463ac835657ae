//! A reader in this process: PC/SC as `agent` sees it, with nothing below.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use agent::config::Config;
use agent::token::Source;
use agent::token::card::families;
use agent::token::card::pcsc::{self, Connection, Context, Ending, Seen, Stack, Watched};
use agent::token::card::source::{Cards, Options};
use agent::token::card::transport::Protocol;
use agent::token::card::uec::{Terminals, Uec};
use fixtures::card::VirtualCard;
use fixtures::card::vpcd::{Fault, What, When};

use crate::apdu_log::Exchange;

/// Its name.
pub(super) const READER: &str = "VPCD 00 00";

/// A reader; copies are the same one.
#[derive(Clone, Default)]
pub(super) struct Drawer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    inside: Option<Inside>,
    /// A card that a fault has pulled.
    pulled: Option<Box<dyn VirtualCard>>,
    events: u16,
    exchanges: Vec<Exchange>,
}

struct Inside {
    card: Box<dyn VirtualCard>,
    faults: Vec<Fault>,
    commands: Vec<u8>,
}

impl State {
    fn pull(&mut self) {
        if let Some(inside) = self.inside.take() {
            self.pulled = Some(inside.card);
            self.events = self.events.wrapping_add(1);
        }
    }

    fn seen(&self) -> Seen {
        Seen {
            present: self.inside.is_some(),
            mute: false,
            events: self.events,
            flags: if self.inside.is_some() { 0x20 } else { 0x10 },
        }
    }
}

impl Inside {
    fn fault(&mut self, command: &[u8]) -> Option<What> {
        let instruction = command.get(1).copied().unwrap_or(0);
        self.commands.push(instruction);
        let nth = self.commands.iter().filter(|before| **before == instruction).count();
        let now = |fault: &&Fault| match fault.when {
            When::Command(n) => n == self.commands.len(),
            When::Instruction(wanted) => wanted == instruction && nth == 1,
            When::NthInstruction(wanted, n) => wanted == instruction && nth == n,
        };
        self.faults.iter().find(now).map(|fault| fault.what)
    }
}

impl Drawer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nobody panics with it")
    }

    pub(super) fn insert(&self, mut card: Box<dyn VirtualCard>, faults: &[Fault]) {
        card.reset();
        let mut state = self.state();
        assert!(state.inside.is_none(), "a card is in already");
        state.inside = Some(Inside {
            card,
            faults: faults.to_vec(),
            commands: Vec::new(),
        });
        state.events = state.events.wrapping_add(1);
        self.0.moved.notify_all();
    }

    pub(super) fn remove(&self) -> Option<Box<dyn VirtualCard>> {
        let mut state = self.state();
        state.pull();
        self.0.moved.notify_all();
        state.pulled.take()
    }

    /// Takes the card out and puts it back.
    pub(super) fn put_back_at_once(&self) {
        if let Some(card) = self.remove() {
            self.insert(card, &[]);
        }
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.state().exchanges.clone()
    }

    /// Whether a fault has pulled the card.
    pub(super) fn is_pulled(&self) -> bool {
        self.state().pulled.is_some()
    }

    /// The agent's own wing over this reader, with the families that this configuration gives it.
    pub(super) fn source(&self, config: &Config) -> Box<dyn Source> {
        let options = Options {
            pads: true,
            leave: Vec::new(),
        };
        let mut families = families::all();
        families.push(Box::new(Uec::new(Arc::new(Terminals::load(&config.uec)))));
        Box::new(Cards::new(Arc::new(self.clone()), families, options))
    }
}

impl Stack for Drawer {
    fn establish(&self) -> Result<Box<dyn Context>, pcsc::Fault> {
        Ok(Box::new(Line {
            drawer: self.clone(),
            cancelled: Mutex::new(false),
        }))
    }
}

struct Line {
    drawer: Drawer,
    cancelled: Mutex<bool>,
}

impl Context for Line {
    fn readers(&self) -> Result<Vec<String>, pcsc::Fault> {
        Ok(vec![READER.to_owned()])
    }

    fn wait(&self, watched: &mut [Watched], _arrivals: bool, timeout: Option<Duration>) -> Result<(), pcsc::Fault> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut state = self.drawer.state();
        loop {
            if std::mem::take(&mut *self.cancelled.lock().expect("nobody panics with it")) {
                return Err(pcsc::Fault::Cancelled);
            }
            let seen = state.seen();
            for reader in watched.iter_mut() {
                reader.found = seen;
                reader.atr = state
                    .inside
                    .as_ref()
                    .map(|inside| inside.card.atr())
                    .unwrap_or_default();
            }
            if watched.iter().any(|reader| reader.known != Some(seen)) {
                return Ok(());
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err(pcsc::Fault::Timeout);
            }
            let left = left.unwrap_or(Duration::from_secs(3600));
            let waited = self.drawer.0.moved.wait_timeout(state, left);
            state = waited.expect("nobody panics with it").0;
        }
    }

    fn cancel(&self) {
        *self.cancelled.lock().expect("nobody panics with it") = true;
        self.drawer.0.moved.notify_all();
    }

    fn connect(&self, _reader: &str) -> Result<Box<dyn Connection>, pcsc::Fault> {
        let state = self.drawer.state();
        match state.inside {
            None => Err(pcsc::Fault::NoCard),
            Some(_) => Ok(Box::new(Open {
                drawer: self.drawer.clone(),
                events: state.events,
            })),
        }
    }
}

struct Open {
    drawer: Drawer,
    /// Of the insertion that it is a connection to.
    events: u16,
}

impl Open {
    fn end(&self, ending: Ending) {
        let mut state = self.drawer.state();
        if ending == Ending::Reset
            && state.events == self.events
            && let Some(inside) = &mut state.inside
        {
            inside.card.reset();
        }
    }
}

impl Connection for Open {
    fn transacted(&mut self, script: &mut dyn FnMut(&mut dyn pcsc::Exchange) -> Ending) -> Result<(), pcsc::Fault> {
        if self.drawer.state().events != self.events {
            return Err(pcsc::Fault::NoCard);
        }
        let ending = script(self);
        self.end(ending);
        Ok(())
    }

    fn disconnect(self: Box<Self>, ending: Ending) {
        self.end(ending);
    }
}

impl pcsc::Exchange for Open {
    /// As `pcscd` chooses where a client takes both: T=1 where the card offers it.
    fn protocol(&self) -> Protocol {
        let state = self.drawer.state();
        match &state.inside {
            Some(inside) if offers_t1(&inside.card.atr()) => Protocol::T1,
            _ => Protocol::T0,
        }
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, pcsc::Fault> {
        let mut state = self.drawer.state();
        if state.events != self.events {
            return Err(pcsc::Fault::NoCard);
        }
        let Some(inside) = &mut state.inside else {
            return Err(pcsc::Fault::NoCard);
        };
        let fault = inside.fault(command);
        let response = match fault {
            Some(What::Pulled | What::Mute) => Vec::new(),
            _ => inside.card.transmit(command),
        };
        let pulled = matches!(fault, Some(What::Pulled | What::PulledAfter));
        // As pcsc-lite has it: a success of no bytes.
        let response = if pulled { Vec::new() } else { response };
        state.exchanges.push(Exchange {
            command: command.to_vec(),
            response: response.clone(),
        });
        if pulled {
            state.pull();
            self.drawer.0.moved.notify_all();
        }
        Ok(response)
    }

    fn control(&mut self, _code: u32, _input: &[u8]) -> Result<Vec<u8>, pcsc::Fault> {
        Err(pcsc::Fault::Other("this reader knows no control codes".to_owned()))
    }
}

/// Whether an answer to reset offers T=1: in the lower half of one of its TD (ISO/IEC 7816-3, 8.2.3), of which each also
/// says in its upper half what comes before the next.
fn offers_t1(atr: &[u8]) -> bool {
    let mut place = 1;
    while let Some(format) = atr.get(place).filter(|format| **format & 0x80 != 0) {
        place += (format >> 4).count_ones() as usize;
        if atr.get(place).is_some_and(|offered| offered & 0x0F == 1) {
            return true;
        }
    }
    false
}
