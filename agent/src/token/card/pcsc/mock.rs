//! A PC/SC service in memory: readers, cards and every fault by a call. Here is what tests do to it and ask of it; what
//! it does for the agent is in `service`.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use fixtures::card::VirtualCard;

use super::{Fault, Seen};

mod service;

/// Nothing in these tests waits longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The service and all its readers; clones are the same.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// The run of the service; `None`: it is not running.
    running: Option<u64>,
    runs: u64,
    readers: BTreeMap<String, Slot>,
    plugged: u64,
    /// Calls that do not return: of which reader, and of what kind.
    hangs: Vec<(u64, Call)>,
    contexts: u64,
    cancelled: Vec<u64>,
    /// Waits that are under way, those of them without an end, and how many of these there were.
    waiting: usize,
    endless: usize,
    waits: usize,
    /// Counts comings and goings of readers.
    arrivals: u64,
    /// It tells them, so that none is missed between a list and a wait.
    counts: bool,
    /// Comes right after the list after so many.
    late: Option<(usize, String)>,
    established: usize,
    /// Contexts that are not released.
    open: usize,
}

/// Calls that may be made to hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Connect,
    Transmit,
    Control,
    /// The transaction's.
    End,
}

#[derive(Default)]
struct Slot {
    card: Option<Arc<Mutex<Box<dyn VirtualCard>>>>,
    atr: Vec<u8>,
    mute: bool,
    events: u16,
    /// Another program connected exclusively.
    exclusive: bool,
    /// Another program is in a transaction.
    held: bool,
    /// Our begin finds that the card was reset, so often.
    resets: usize,
    /// Commands until the card is pulled during one; then until the service dies.
    pull_after: Option<usize>,
    die_after: Option<usize>,
    /// Commands answer with these faults first.
    faults: VecDeque<Fault>,
    /// Counts readers that were plugged in: one that is back is another.
    plugged: u64,
    /// Answers to control codes.
    controls: BTreeMap<u32, Vec<u8>>,
    log: Vec<String>,
}

impl World {
    /// A running service without readers.
    pub(crate) fn running() -> Self {
        let world = Self::default();
        world.start();
        world
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn slot<T>(&self, reader: &str, change: impl FnOnce(&mut Slot) -> T) -> T {
        let mut state = self.state();
        let changed = change(state.readers.get_mut(reader).unwrap());
        self.0.moved.notify_all();
        changed
    }

    pub(crate) fn start(&self) {
        let mut state = self.state();
        state.runs += 1;
        state.running = Some(state.runs);
        self.0.moved.notify_all();
    }

    /// Every context is dead from now on.
    pub(crate) fn stop(&self) {
        self.state().running = None;
        self.0.moved.notify_all();
    }

    pub(crate) fn plug(&self, reader: &str) {
        self.state().plug(reader);
        self.0.moved.notify_all();
    }

    /// A reader that comes right after the readers were listed, after so many lists before that.
    pub(crate) fn plug_after_list(&self, reader: &str, lists: usize) {
        self.state().late = Some((lists, reader.to_owned()));
    }

    /// Comings and goings of readers are counted from now on, as pcsc-lite does since 2.3.
    pub(crate) fn counting(&self) {
        self.state().counts = true;
    }

    pub(crate) fn unplug(&self, reader: &str) {
        let mut state = self.state();
        state.readers.remove(reader);
        state.arrivals += 1;
        drop(state);
        self.0.moved.notify_all();
    }

    pub(crate) fn insert(&self, reader: &str, mut card: impl VirtualCard + 'static) {
        card.reset();
        self.slot(reader, |slot| {
            slot.atr = card.atr();
            slot.card = Some(Arc::new(Mutex::new(Box::new(card))));
            slot.events = slot.events.wrapping_add(1);
        });
    }

    pub(crate) fn remove(&self, reader: &str) {
        self.slot(reader, Slot::pull);
    }

    pub(crate) fn mute(&self, reader: &str, mute: bool) {
        self.slot(reader, |slot| slot.mute = mute);
    }

    pub(crate) fn exclusive(&self, reader: &str, exclusive: bool) {
        self.slot(reader, |slot| slot.exclusive = exclusive);
    }

    pub(crate) fn hold(&self, reader: &str, held: bool) {
        self.slot(reader, |slot| slot.held = held);
    }

    pub(crate) fn resets(&self, reader: &str, times: usize) {
        self.slot(reader, |slot| slot.resets = times);
    }

    /// The card is pulled during the command after so many.
    pub(crate) fn pull_after(&self, reader: &str, commands: usize) {
        self.slot(reader, |slot| slot.pull_after = Some(commands));
    }

    /// The service dies during the command after so many.
    pub(crate) fn die_after(&self, reader: &str, commands: usize) {
        self.slot(reader, |slot| slot.die_after = Some(commands));
    }

    pub(crate) fn fault(&self, reader: &str, fault: Fault) {
        self.slot(reader, |slot| slot.faults.push_back(fault));
    }

    /// Calls of this kind to the reader do not return from now on, be it plugged in or not.
    pub(crate) fn hang(&self, reader: &str, call: Call) {
        let mut state = self.state();
        let plugged = state.readers[reader].plugged;
        state.hangs.push((plugged, call));
    }

    /// All calls that hang return.
    pub(crate) fn let_go(&self) {
        self.state().hangs.clear();
        self.0.moved.notify_all();
    }

    /// The reader answers a control code so.
    pub(crate) fn control(&self, reader: &str, code: u32, answer: &[u8]) {
        self.slot(reader, |slot| slot.controls.insert(code, answer.to_vec()));
    }

    /// What was done at a reader, and forgets it.
    pub(crate) fn log(&self, reader: &str) -> Vec<String> {
        self.slot(reader, |slot| std::mem::take(&mut slot.log))
    }

    pub(crate) fn waits(&self) -> usize {
        self.state().waits
    }

    pub(crate) fn established(&self) -> usize {
        self.state().established
    }

    /// Returns when the state is so.
    fn until(&self, what: &str, so: impl Fn(&State) -> bool) {
        let (state, timeout) = self
            .0
            .moved
            .wait_timeout_while(self.state(), PATIENCE, |state| !so(state))
            .unwrap();
        drop(state);
        assert!(!timeout.timed_out(), "{what} did not happen");
    }

    /// Returns when somebody blocks in a wait.
    pub(crate) fn until_waiting(&self) {
        self.until("a wait", |state| state.waiting > 0);
    }

    /// Returns when somebody blocks in a wait that ends with a change alone.
    pub(crate) fn until_asleep(&self) {
        self.until("a wait without an end", |state| state.endless > 0);
    }

    /// Returns when somebody blocks in a wait that has an end.
    pub(crate) fn until_looking(&self) {
        self.until("a wait with an end", |state| state.waiting > state.endless);
    }

    /// Returns when so many contexts are not released yet.
    pub(crate) fn until_open(&self, contexts: usize) {
        self.until("a context's release", |state| state.open == contexts);
    }

    /// Returns when a log has a line that begins so.
    pub(crate) fn until_logged(&self, reader: &str, line: &str) {
        self.until(line, |state| {
            state.readers[reader].log.iter().any(|logged| logged.starts_with(line))
        });
    }
}

impl State {
    fn plug(&mut self, reader: &str) {
        self.plugged += 1;
        self.arrivals += 1;
        let slot = Slot {
            plugged: self.plugged,
            ..Slot::default()
        };
        self.readers.insert(reader.to_owned(), slot);
    }
}

impl Slot {
    fn pull(&mut self) {
        self.card = None;
        self.atr.clear();
        self.events = self.events.wrapping_add(1);
    }

    fn seen(&self) -> Seen {
        let present = self.card.is_some();
        let flags = if present { 0x20 } else { 0x10 } | u32::from(self.mute) << 9;
        Seen {
            present,
            mute: self.mute,
            events: self.events,
            flags: flags | u32::from(self.events) << 16,
        }
    }
}
