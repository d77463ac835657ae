//! A PC/SC service in memory: readers, cards and every fault by a call.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fixtures::card::VirtualCard;
use plugin_protocol::encoding::hex;

use super::{Connection, Context, Ending, Exchange, Fault, Seen, Stack, Watched};
use crate::token::card::transport::Protocol;

/// Nothing in these tests waits longer.
const PATIENCE: Duration = Duration::from_secs(20);

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

    /// Returns once calls of this kind do.
    fn returned(&self, plugged: u64, call: Call) {
        let hangs = |state: &mut State| state.hangs.contains(&(plugged, call));
        drop(self.0.moved.wait_while(self.state(), hangs).unwrap());
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

impl Stack for World {
    fn establish(&self) -> Result<Box<dyn Context>, Fault> {
        let mut state = self.state();
        state.established += 1;
        let run = state.running.ok_or_else(gone)?;
        state.contexts += 1;
        state.open += 1;
        Ok(Box::new(Line {
            world: self.clone(),
            run,
            id: state.contexts,
            listed: Mutex::default(),
        }))
    }
}

fn gone() -> Fault {
    Fault::NoService("the mock is not running".to_owned())
}

struct Line {
    world: World,
    run: u64,
    id: u64,
    /// The count of arrivals when the readers were listed last.
    listed: Mutex<u64>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.world.state().open -= 1;
        self.world.0.moved.notify_all();
    }
}

impl Line {
    /// The state, where this context is not dead.
    fn alive(&self) -> Result<MutexGuard<'_, State>, Fault> {
        let state = self.world.state();
        match state.running == Some(self.run) {
            true => Ok(state),
            false => Err(gone()),
        }
    }
}

impl Context for Line {
    fn readers(&self) -> Result<Vec<String>, Fault> {
        let mut state = self.alive()?;
        *self.listed.lock().unwrap() = state.arrivals;
        let names = state.readers.keys().cloned().collect();
        match state.late.take() {
            Some((0, late)) => state.plug(&late),
            Some((lists, late)) => state.late = Some((lists - 1, late)),
            None => {}
        }
        Ok(names)
    }

    fn wait(&self, watched: &mut [Watched], arrivals: bool, timeout: Option<Duration>) -> Result<(), Fault> {
        let mut state = self.alive()?;
        let begun = Instant::now();
        let known = match state.counts {
            true => *self.listed.lock().unwrap(),
            false => state.arrivals,
        };
        state.waits += usize::from(timeout.is_none());
        loop {
            if state.running != Some(self.run) {
                return Err(gone());
            }
            let mut news = arrivals && state.arrivals != known;
            for one in watched.iter_mut() {
                let slot = state.readers.get(&one.reader).ok_or(Fault::NoReader)?;
                (one.found, one.atr) = (slot.seen(), slot.atr.clone());
                news |= one.known != Some(one.found);
            }
            if news {
                return Ok(());
            }
            if let Some(at) = state.cancelled.iter().position(|id| *id == self.id) {
                state.cancelled.remove(at);
                return Err(Fault::Cancelled);
            }
            let left = timeout.map_or(PATIENCE, |timeout| timeout.saturating_sub(begun.elapsed()));
            if left.is_zero() {
                return Err(Fault::Timeout);
            }
            let endless = usize::from(timeout.is_none());
            state.waiting += 1;
            state.endless += endless;
            self.world.0.moved.notify_all();
            state = self.world.0.moved.wait_timeout(state, left).unwrap().0;
            state.waiting -= 1;
            state.endless -= endless;
        }
    }

    fn cancel(&self) {
        let mut state = self.world.state();
        if state.waiting > 0 {
            state.cancelled.push(self.id);
        }
        self.world.0.moved.notify_all();
    }

    fn connect(&self, reader: &str) -> Result<Box<dyn Connection>, Fault> {
        let mut state = self.alive()?;
        let slot = state.readers.get_mut(reader).ok_or(Fault::NoReader)?;
        if slot.exclusive {
            return Err(Fault::Sharing);
        }
        let card = slot.card.clone().ok_or(Fault::NoCard)?;
        if slot.mute {
            return Err(Fault::Mute);
        }
        slot.log.push("connect".to_owned());
        let (events, plugged) = (slot.events, slot.plugged);
        drop(state);
        self.world.0.moved.notify_all();
        self.world.returned(plugged, Call::Connect);
        Ok(Box::new(Handle {
            world: self.world.clone(),
            run: self.run,
            reader: reader.to_owned(),
            events,
            plugged,
            card,
        }))
    }
}

/// Dead for ever once its card was pulled.
struct Handle {
    world: World,
    run: u64,
    reader: String,
    events: u16,
    plugged: u64,
    card: Arc<Mutex<Box<dyn VirtualCard>>>,
}

impl Handle {
    fn done(&self, what: impl Into<String>) -> Result<(), Fault> {
        let mut state = self.world.state();
        if state.running != Some(self.run) {
            return Err(gone());
        }
        let slot = state.readers.get_mut(&self.reader);
        let slot = slot
            .filter(|slot| slot.plugged == self.plugged)
            .ok_or(Fault::NoReader)?;
        slot.log.push(what.into());
        self.world.0.moved.notify_all();
        match slot.events == self.events {
            true => Ok(()),
            false => Err(Fault::NoCard),
        }
    }

    /// A fault where the reader was pulled out since, and perhaps plugged in again.
    fn plugged(&self) -> Result<(), Fault> {
        let state = self.world.state();
        let slot = state.readers.get(&self.reader);
        match slot.is_some_and(|slot| slot.plugged == self.plugged) {
            true => Ok(()),
            false => Err(Fault::NoReader),
        }
    }

    fn end(&self, what: &str, ending: Ending) {
        if ending == Ending::Reset {
            self.card.lock().unwrap().reset();
        }
        let _ = self.done(format!("{what} {ending:?}"));
    }
}

impl Connection for Handle {
    fn transacted(&mut self, script: &mut dyn FnMut(&mut dyn Exchange) -> Ending) -> Result<(), Fault> {
        self.done("begin")?;
        let held = |state: &mut State| state.readers.get(&self.reader).is_some_and(|slot| slot.held);
        let mut state = self.world.0.moved.wait_while(self.world.state(), held).unwrap();
        if let Some(slot) = state.readers.get_mut(&self.reader)
            && slot.resets > 0
        {
            slot.resets -= 1;
            return Err(Fault::Reset);
        }
        drop(state);
        self.done("begun")?;
        let ending = script(self);
        self.world.returned(self.plugged, Call::End);
        self.end("end", ending);
        Ok(())
    }

    fn disconnect(self: Box<Self>, ending: Ending) {
        self.end("disconnect", ending);
    }
}

impl Exchange for Handle {
    fn protocol(&self) -> Protocol {
        Protocol::T1
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        self.done(hex(command))?;
        self.world.returned(self.plugged, Call::Transmit);
        self.plugged()?;
        let counted = |left: &mut Option<usize>| match left {
            Some(0) => {
                *left = None;
                true
            }
            Some(more) => {
                *more -= 1;
                false
            }
            None => false,
        };
        let (fault, pulled, died) = self.world.slot(&self.reader, |slot| {
            let pulled = counted(&mut slot.pull_after);
            if pulled {
                slot.pull();
            }
            (slot.faults.pop_front(), pulled, counted(&mut slot.die_after))
        });
        if died {
            self.world.stop();
            return Err(gone());
        }
        // The card may have done what it was told before it was pulled.
        let answer = self.card.lock().unwrap().transmit(command);
        match fault {
            Some(fault) => Err(fault),
            None if pulled => Ok(Vec::new()),
            None => Ok(answer),
        }
    }

    fn control(&mut self, code: u32, input: &[u8]) -> Result<Vec<u8>, Fault> {
        self.done(format!("control {code:08x} {}", hex(input)))?;
        self.world.returned(self.plugged, Call::Control);
        self.plugged()?;
        let answer = self.world.slot(&self.reader, |slot| slot.controls.get(&code).cloned());
        answer.ok_or_else(|| Fault::Other("not supported".to_owned()))
    }
}
