//! Which readers there are and what is in them, told by a thread that sleeps until PC/SC wakes it.
//!
//! The thread starts with the first question, blocks in the wait for a change, and is woken for shutdown alone.
//! When the service ends it says so and rests until somebody asks again; then it tries anew, with a new context,
//! for the old one is dead for ever. Nothing polls.
//!
//! A card that comes to a quiet reader is told of at once. In a reader where one came or went less than `QUIET` ago
//! it has to stay for `SETTLE` first: contactless cards at the edge of the field flicker.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::error::CardError;
use super::pcsc::{Context, Seen, Stack};
use crate::token::{Announcer, Notice};

mod lane;
mod progress;
mod thread;
mod transport;

pub use lane::{Bounds, Lane, Pending};

/// After a change a reader is quiet once nothing came or went for so long.
const QUIET: Duration = Duration::from_secs(1);
/// In a reader that is not quiet a card has to stay for so long before it counts.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a question waits for the service to say what there is; pcscd that systemd starts needs up to half a second.
/// (No test waits it out.)
const FIRST_LOOK: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 5 });
/// How long shutdown waits for the thread. (Tests tell by it whether the thread has ended by itself.)
const FAREWELL: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 1 });

/// One insertion of one card: what is known of a card is true for this long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Insertion {
    /// The reader's name.
    pub reader: String,
    /// Counts insertions of all readers, over restarts of the service.
    pub number: u64,
    /// The reader's own count of comings and goings while this card is in.
    pub events: u16,
    /// Counts runs of the service.
    pub service: u64,
}

/// A reader, as PC/SC tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub name: String,
    /// The card in it; one that has not settled yet does not count.
    pub card: Option<Insertion>,
    /// The card in it does not answer a reset.
    pub mute: bool,
}

/// The thread, and what it knows.
pub struct Readers {
    stack: Arc<dyn Stack>,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who ask share.
struct Board {
    state: Mutex<State>,
    told: Condvar,
}

#[derive(Default)]
struct State {
    /// What the thread does.
    service: Service,
    /// Counts runs of the service.
    run: u64,
    /// Counts insertions.
    insertions: u64,
    seats: BTreeMap<String, Seat>,
    announcer: Option<Announcer>,
    /// Somebody asked while the thread rested.
    asked: bool,
    closing: bool,
    context: Option<Arc<dyn Context>>,
}

/// What is known of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Service {
    /// It has not been asked yet, or is being asked.
    #[default]
    Unknown,
    /// It answers; the seats are true.
    Up,
    /// It does not: why. The thread rests.
    Down(String),
}

/// A reader and its card.
#[derive(Clone, Debug, Default)]
struct Seat {
    seen: Seen,
    /// The number of the card's insertion, where one is in.
    insertion: Option<u64>,
    /// The card that is in was told of.
    announced: bool,
    /// When a card came or went last.
    changed: Option<Instant>,
    /// When the card that is in counts.
    settles: Option<Instant>,
}

impl Readers {
    /// Of this stack; nothing is asked before the first question.
    pub fn new(stack: Arc<dyn Stack>) -> Self {
        let board = Board {
            state: Mutex::default(),
            told: Condvar::new(),
        };
        Self {
            stack,
            board: Arc::new(board),
            thread: None,
        }
    }

    /// Who is told of changes, from now on.
    pub fn announce(&mut self, announcer: Announcer) {
        self.board.lock().announcer = Some(announcer);
    }

    /// The readers now; why there are none, where the service does not answer.
    pub fn list(&mut self) -> Result<Vec<Reader>, String> {
        self.ensure_thread()?;
        let mut state = self.board.lock();
        if let Service::Down(_) = state.service {
            state.service = Service::Unknown;
            state.asked = true;
            self.board.told.notify_all();
        }
        let pending = |state: &mut State| state.service == Service::Unknown;
        let (state, _) = self
            .board
            .told
            .wait_timeout_while(state, FIRST_LOOK, pending)
            .unwrap_or_else(PoisonError::into_inner);
        match &state.service {
            Service::Up => Ok(state
                .seats
                .iter()
                .map(|(name, seat)| seat.reader(name, state.run))
                .collect()),
            Service::Down(why) => Err(why.clone()),
            Service::Unknown => Err(format!("it did not answer within {} s", FIRST_LOOK.as_secs())),
        }
    }

    /// Whether the card of this insertion is still in, as far as the thread knows.
    pub fn holds(&self, insertion: &Insertion) -> bool {
        self.board.holds(insertion)
    }

    /// Starts the thread of a reader. `pads`: keys of the reader may be used.
    pub fn lane(&self, reader: &str, pads: bool) -> Result<Lane, CardError> {
        Lane::start(self.stack.clone(), self.board.clone(), reader, pads)
    }

    fn ensure_thread(&mut self) -> Result<(), String> {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        self.board.lock().service = Service::Unknown;
        let (stack, board) = (self.stack.clone(), self.board.clone());
        let thread = std::thread::Builder::new().name("readers".to_owned());
        let thread = thread.spawn(move || thread::run(stack.as_ref(), &board));
        self.thread = Some(thread.map_err(|error| format!("no thread for it: {error}"))?);
        Ok(())
    }
}

/// Ends the thread. A wait that begins just now is not ended by one cancellation, so it is cancelled again.
impl Drop for Readers {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let context = {
            let mut state = self.board.lock();
            state.closing = true;
            state.announcer = None;
            self.board.told.notify_all();
            state.context.take()
        };
        let begun = Instant::now();
        while !thread.is_finished() && begun.elapsed() < FAREWELL {
            if let Some(context) = &context {
                context.cancel();
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Board {
    /// A lock whose holder panicked still guards whole data: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self, insertion: &Insertion) -> bool {
        let state = self.lock();
        let seat = state.seats.get(&insertion.reader);
        state.run == insertion.service && seat.and_then(|seat| seat.insertion) == Some(insertion.number)
    }
}

impl State {
    /// Tells of what happened. The announcer returns at once and asks nothing of us.
    fn tell(&self, notice: Notice) {
        tracing::debug!(?notice, "readers");
        if let Some(announcer) = &self.announcer {
            announcer(notice);
        }
    }
}

impl Seat {
    fn reader(&self, name: &str, service: u64) -> Reader {
        let settled = self.announced;
        let card = self.insertion.filter(|_| settled).map(|number| Insertion {
            reader: name.to_owned(),
            number,
            events: self.seen.events,
            service,
        });
        Reader {
            name: name.to_owned(),
            card,
            mute: self.seen.mute,
        }
    }
}

#[cfg(test)]
mod tests;
