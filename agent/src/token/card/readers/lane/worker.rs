//! What a reader's thread does with a script: connects, begins, and looks whose card it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::super::super::error::CardError;
use super::super::super::pcsc::{Connection, Context, Ending, Fault, Stack, Watched};
use super::super::progress::{Limit, Progress};
use super::super::transport::{Keys, Leave, Wire};
use super::super::{Board, Insertion};
use super::Bounds;
use super::turn::{HandOut, Script, Turn};

/// How often a connection is made anew because another program reset the card before our transaction began.
const RESETS: usize = 3;

/// A script in line, and for whose card it is.
pub(super) struct Job {
    pub(super) insertion: Insertion,
    pub(super) bounds: Bounds,
    pub(super) turn: Arc<Turn>,
    /// Told when it has the card.
    pub(super) begun: mpsc::Sender<Instant>,
}

/// What the thread keeps between scripts.
pub(super) struct Worker {
    stack: Arc<dyn Stack>,
    board: Arc<Board>,
    progress: Arc<Progress>,
    context: Option<Box<dyn Context>>,
    /// What the reader's keys can do, once it was asked.
    keys: Option<Keys>,
    pads: bool,
}

impl Worker {
    pub(super) fn new(stack: Arc<dyn Stack>, board: Arc<Board>, progress: Arc<Progress>, pads: bool) -> Self {
        Self {
            stack,
            board,
            progress,
            context: None,
            keys: None,
            pads,
        }
    }

    pub(super) fn run(&mut self, job: Job) {
        if job.turn.is_given_up() {
            return;
        }
        let mut answer = None;
        let fault = self.transact(&job, &mut answer);
        // One that was given up keeps nobody out any more when it is told that the reader answers again.
        let turn = Some(job.turn).filter(|turn| !turn.is_given_up());
        self.progress.end();
        if let (Err(error), Some(turn)) = (fault, turn) {
            turn.refuse(error);
        }
        if let Some(hand_out) = answer {
            hand_out();
        }
    }

    /// Connects, begins and runs the script; it is left where it was not run.
    fn transact(&mut self, job: &Job, answer: &mut Option<HandOut>) -> Result<(), CardError> {
        for _ in 0..RESETS {
            let call = job.bounds.call;
            let mut connection = self.connect(&job.insertion.reader, call)?;
            let context = self.context.as_deref().ok_or(CardError::Removed)?;
            let (keys, pads, board, progress) = (&mut self.keys, self.pads, &self.board, &self.progress);
            let gone = |look| is_gone(context, board, &job.insertion, look);
            let mut refused = None;
            let mut ending = Ending::Leave;
            let ran = connection.transacted(&mut |exchange| {
                let atr = progress.during(call, || still(context, board, &job.insertion));
                ending = match atr.map(|atr| (job.turn.begin(), atr)) {
                    Ok((Some(script), atr)) => {
                        let limit = Limit::after(job.bounds.script);
                        progress.begin(limit);
                        let _ = job.begun.send(limit.begun);
                        let keys = keys.get_or_insert_with(|| progress.during(call, || Keys::ask(exchange, pads)));
                        let leave = Leave {
                            script: limit,
                            call,
                            turn: &job.turn,
                            progress,
                            gone: &gone,
                            look: job.bounds.look,
                        };
                        let mut wire = Wire::new(exchange, keys, leave);
                        match play(script, &mut wire, &atr) {
                            Ok(hand_out) => {
                                *answer = Some(hand_out);
                                wire.ending()
                            }
                            Err(Panicked) => Ending::Reset,
                        }
                    }
                    // Given up meanwhile.
                    Ok((None, _)) => Ending::Leave,
                    Err(error) => {
                        refused = Some(error);
                        Ending::Leave
                    }
                };
                // The transaction's end is a call, too.
                progress.enter(call);
                ending
            });
            // The transaction's end has reset the card where it had to, unless it failed.
            let ending = if ran.is_ok() { Ending::Leave } else { ending };
            progress.during(call, || connection.disconnect(ending));
            match (refused, ran) {
                (Some(error), _) => return Err(error),
                _ if !job.turn.is_waiting() => return Ok(()),
                (None, Err(Fault::Reset)) => {}
                (None, Err(fault)) => return Err(self.failed(fault)),
                (None, Ok(())) => return Ok(()),
            }
        }
        Err(CardError::InUse)
    }

    fn connect(&mut self, reader: &str, call: Duration) -> Result<Box<dyn Connection>, CardError> {
        if self.context.is_none() {
            let context = self.progress.during(call, || self.stack.establish());
            self.context = Some(context.map_err(|fault| self.failed(fault))?);
        }
        let context = self.context.as_deref().ok_or(CardError::Removed)?;
        let connected = self.progress.during(call, || context.connect(reader));
        connected.map_err(|fault| self.failed(fault))
    }

    /// A context whose service ended is dead for ever: the next script makes a new one.
    fn failed(&mut self, fault: Fault) -> CardError {
        if let Fault::NoService(_) = fault {
            self.context = None;
        }
        CardError::from(fault)
    }
}

/// The fault is ours; its words were written where all panics are.
struct Panicked;

/// Runs the script. One that panics must not take the transaction along, nor leave the card as it is.
fn play(script: Script, wire: &mut Wire<'_>, atr: &[u8]) -> Result<HandOut, Panicked> {
    catch_unwind(AssertUnwindSafe(|| script(Ok((wire, atr))))).map_err(|_| {
        tracing::error!("what was asked of a card ended in a panic");
        Panicked
    })
}

/// Whether the card that is in now is the one of this insertion. Asked within the transaction: a card that was
/// exchanged before that has another number, one that is exchanged later has none of our connections. Its answer to reset.
fn still(context: &dyn Context, board: &Board, insertion: &Insertion) -> Result<Vec<u8>, CardError> {
    let mut watched = [Watched::new(&insertion.reader)];
    context.wait(&mut watched, false, Some(Duration::ZERO))?;
    match is_in(&watched[0], board, insertion) {
        true => Ok(std::mem::take(&mut watched[0].atr)),
        false => Err(CardError::Removed),
    }
}

fn is_in(watched: &Watched, board: &Board, insertion: &Insertion) -> bool {
    watched.found.present && watched.found.events == insertion.events && board.holds(insertion)
}

/// Whether the service says within this time that the card of this insertion is gone, or has nobody left to say it.
fn is_gone(context: &dyn Context, board: &Board, insertion: &Insertion, look: Duration) -> bool {
    let end = Instant::now() + look;
    let mut watched = [Watched::new(&insertion.reader)];
    loop {
        // The first returns at once, each further one with a change.
        match context.wait(&mut watched, false, Some(end.saturating_duration_since(Instant::now()))) {
            Ok(()) if !is_in(&watched[0], board, insertion) => return true,
            Ok(()) if Instant::now() < end => watched[0].known = Some(watched[0].found),
            Err(Fault::NoReader | Fault::NoService(_)) => return true,
            Ok(()) | Err(_) => return false,
        }
    }
}
