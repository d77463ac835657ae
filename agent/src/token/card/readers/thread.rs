//! The thread that waits for readers and cards.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::super::pcsc::{Context, Fault, Seen, Stack, Watched};
use super::{Board, QUIET, SETTLE, Seat, Service, State};
use crate::token::Notice;

/// A service that ends sooner than this after it was reached is not tried again unasked.
const BRIEF: Duration = Duration::from_secs(1);

/// Reaches the service, follows it until it ends, rests until somebody asks; again and again until closing.
///
/// A service that restarted answers at once, to a new context; only one that is gone is waited for.
pub(super) fn run(stack: &dyn Stack, board: &Board) {
    loop {
        let begun = Instant::now();
        let reached = establish(stack, board).map(|context| follow(context.as_ref(), board));
        let (fault, again) = match reached {
            Ok(fault) => (fault, begun.elapsed() >= BRIEF),
            Err(fault) => (fault, false),
        };
        lost(board);
        if board.lock().closing {
            return;
        }
        tracing::info!(%fault, again, "the PC/SC service ended, or is not there");
        if !again && rest(board, fault.to_string()) {
            return;
        }
    }
}

fn establish(stack: &dyn Stack, board: &Board) -> Result<Arc<dyn Context>, Fault> {
    let context: Arc<dyn Context> = stack.establish()?.into();
    let mut state = board.lock();
    state.run += 1;
    state.context = Some(context.clone());
    Ok(context)
}

/// The service is not there: nor are its readers, until a new context says otherwise.
fn lost(board: &Board) {
    let mut state = board.lock();
    state.context = None;
    let followed = std::mem::take(&mut state.service) == Service::Up;
    for (name, seat) in std::mem::take(&mut state.seats) {
        if seat.announced {
            state.tell(Notice::CardRemoved(name.clone()));
        }
        state.tell(Notice::ReaderRemoved(name));
    }
    if followed {
        state.tell(Notice::Changed);
    }
}

/// Says why there is nothing, and sleeps until somebody asks. `true`: closing.
fn rest(board: &Board, why: String) -> bool {
    let mut state = board.lock();
    state.asked = false;
    state.service = Service::Down(why);
    board.told.notify_all();
    let idle = |state: &mut State| !state.asked && !state.closing;
    let state = board
        .told
        .wait_while(state, idle)
        .unwrap_or_else(PoisonError::into_inner);
    state.closing
}

/// Follows the service with this context until it dies or is cancelled for closing.
fn follow(context: &dyn Context, board: &Board) -> Fault {
    let mut watched: Vec<Watched> = Vec::new();
    let mut list = true;
    // A reader that comes between a list and the wait after it is not noticed by every service (see `Context::wait`).
    // Readers come together, those of one hub, or of one reader with two slots: after a change the list is read once more.
    let mut again = Some(Instant::now() + QUIET);
    loop {
        if board.lock().closing {
            return Fault::Cancelled;
        }
        if list {
            match context.readers() {
                Ok(names) => {
                    if arrange(board, &mut watched, &names) {
                        again = Some(Instant::now() + QUIET);
                    }
                }
                Err(fault) => return fault,
            }
        }
        // Readers that are new are told of first; one that came since the list was made is in the next one.
        let fresh = watched.iter().any(|one| one.known.is_none());
        if !fresh {
            up(board);
        }
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        let timeout = match fresh {
            true => Some(Duration::ZERO),
            false => [settling(board), again.map(until)].into_iter().flatten().min(),
        };
        match context.wait(&mut watched, !fresh, timeout) {
            Ok(()) => {
                note(board, &mut watched);
                list = true;
            }
            Err(Fault::Timeout) => {
                note(board, &mut watched);
                let due = again.take_if(|at| *at <= Instant::now()).is_some();
                list = fresh || due;
            }
            // A reader went between the list and the wait.
            Err(Fault::NoReader) => list = true,
            Err(Fault::Cancelled) => list = false,
            Err(fault) => return fault,
        }
        settle(board);
    }
}

/// The seats are true now.
fn up(board: &Board) {
    let mut state = board.lock();
    if state.service != Service::Up {
        state.service = Service::Up;
        board.told.notify_all();
        state.tell(Notice::Changed);
    }
}

/// Readers that came and went; whether there were any.
fn arrange(board: &Board, watched: &mut Vec<Watched>, names: &[String]) -> bool {
    let mut state = board.lock();
    watched.retain(|one| names.contains(&one.reader));
    let gone: Vec<String> = state
        .seats
        .keys()
        .filter(|name| !names.contains(name))
        .cloned()
        .collect();
    let mut changed = !gone.is_empty();
    for name in gone {
        if state.seats.remove(&name).is_some_and(|seat| seat.announced) {
            state.tell(Notice::CardRemoved(name.clone()));
        }
        state.tell(Notice::ReaderRemoved(name));
    }
    for name in names {
        if !state.seats.contains_key(name) {
            state.seats.insert(name.clone(), Seat::default());
            state.tell(Notice::ReaderAdded(name.clone()));
            changed = true;
        }
        if !watched.iter().any(|one| one.reader == *name) {
            watched.push(Watched::new(name));
        }
    }
    changed
}

/// What a wait found.
fn note(board: &Board, watched: &mut [Watched]) {
    let mut state = board.lock();
    let now = Instant::now();
    for one in watched {
        one.known = Some(one.found);
        change(&mut state, &one.reader, one.found, now);
    }
}

fn change(state: &mut State, name: &str, found: Seen, now: Instant) {
    let Some(mut seat) = state.seats.remove(name) else {
        return;
    };
    let before = std::mem::replace(&mut seat.seen, found);
    let same = seat.insertion.is_some() == found.present && (!found.present || before.events == found.events);
    if !same {
        let quiet = seat.changed.is_none_or(|changed| now.duration_since(changed) >= QUIET);
        seat.changed = Some(now);
        seat.settles = found.present.then(|| if quiet { now } else { now + SETTLE });
        seat.insertion = found.present.then(|| {
            state.insertions += 1;
            state.insertions
        });
        if std::mem::replace(&mut seat.announced, false) {
            state.tell(Notice::CardRemoved(name.to_owned()));
        }
    }
    state.seats.insert(name.to_owned(), seat);
}

/// Tells of the cards that have stayed long enough.
fn settle(board: &Board) {
    let mut state = board.lock();
    let now = Instant::now();
    let mut settled = Vec::new();
    for (name, seat) in &mut state.seats {
        if seat.settles.is_some_and(|at| at <= now) {
            seat.settles = None;
            seat.announced = true;
            settled.push(name.clone());
        }
    }
    for name in settled {
        state.tell(Notice::CardInserted(name));
    }
}

/// How long until the next card has stayed long enough; `None`: there is none to wait for.
fn settling(board: &Board) -> Option<Duration> {
    let state = board.lock();
    let next = state.seats.values().filter_map(|seat| seat.settles).min();
    next.map(|at| at.saturating_duration_since(Instant::now()))
}
