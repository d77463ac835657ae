//! A reader's own thread: scripts run on it one after the other, each in one connection and one transaction.
//!
//! PC/SC has no time limit for the wait until another program's transaction ends, nor for a command. The one who
//! asked waits for so long as [`Bounds`] say; a script that has not begun by then never will, and one that has sends
//! nothing more, so no PIN is spent for somebody who has left. A thread that hangs costs its reader, and nobody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::apdu::Link;
use super::super::error::CardError;
use super::super::pcsc::{Connection, Context, Ending, Fault, Stack, Watched};
use super::progress::{Limit, Progress};
use super::transport::{Keys, Leave, Wire};
use super::{Board, Insertion};

/// How often a connection is made anew because another program reset the card before our transaction began.
const RESETS: usize = 3;

/// How long is waited for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until the script has the card for itself.
    pub begin: Duration,
    /// From then on until it is done.
    pub script: Duration,
    /// For each call into the driver: one that has not returned by then hangs. Where a person types on the reader's
    /// keys, `script` holds instead.
    pub call: Duration,
    /// For the service to say that a card which was given a PIN and answers nothing is gone; else it is reset. Services
    /// look at readers that tell nothing themselves every so often only: pcsc-lite every 400 ms.
    pub look: Duration,
}

/// A reader's thread. It ends when this is dropped, after the script at hand.
pub struct Lane {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
    progress: Arc<Progress>,
    /// Of the jobs that are in line or under way.
    gates: Mutex<Vec<Weak<Gate>>>,
}

struct Job {
    turn: Turn,
    script: Arc<Held>,
}

/// A script until it is run, or given up: with it goes the PIN that was typed for it, however long its turn is in line.
struct Held(Mutex<Option<Script>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, Option<Script>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Script> {
        self.lock().take()
    }

    /// It was run, or given up.
    fn is_spent(&self) -> bool {
        self.lock().is_none()
    }
}

/// Whose card a script is for, and who waits for it.
struct Turn {
    insertion: Insertion,
    gate: Arc<Gate>,
    bounds: Bounds,
    begun: mpsc::Sender<Instant>,
}

/// Runs with the card, or is told why it cannot. What it gives hands its answer out, once the card is let go.
type Script = Box<dyn FnOnce(Result<(&mut Wire<'_>, &[u8]), CardError>) -> HandOut + Send>;
type HandOut = Box<dyn FnOnce()>;

/// Who was first: the script, or the end of the asker's patience; and whether the asker stayed to its end.
pub(super) struct Gate(AtomicU8);

const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;
const LEFT: u8 = 3;

impl Gate {
    fn pass(&self, to: u8) -> bool {
        self.turn(WAITING, to)
    }

    /// The asker leaves a script that has begun.
    fn leave(&self) {
        self.turn(BEGUN, LEFT);
    }

    fn is_given_up(&self) -> bool {
        self.0.load(Ordering::SeqCst) == GIVEN_UP
    }

    /// Whether the asker has left.
    pub(super) fn is_left(&self) -> bool {
        self.0.load(Ordering::SeqCst) == LEFT
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }
}

/// A script on its way.
pub struct Pending<T> {
    gate: Arc<Gate>,
    /// The thread's: where that is gone, it is.
    script: Weak<Held>,
    begun: mpsc::Receiver<Instant>,
    answer: mpsc::Receiver<Result<T, CardError>>,
    asked: Instant,
    bounds: Bounds,
    progress: Arc<Progress>,
}

impl Lane {
    /// Starts the thread of a reader. `pads`: keys of the reader may be used.
    pub(super) fn start(stack: Arc<dyn Stack>, board: Arc<Board>, reader: &str, pads: bool) -> Result<Self, CardError> {
        let (jobs, queue) = mpsc::channel();
        let progress = Arc::new(Progress::new(board.clone(), reader));
        let mut worker = Worker {
            stack,
            board,
            progress: progress.clone(),
            context: None,
            keys: None,
            pads,
        };
        let thread = std::thread::Builder::new().name(format!("reader {reader}"));
        let started = thread.spawn(move || queue.into_iter().for_each(|job| worker.run(job)));
        let thread = started.map_err(|error| CardError::Service(format!("no thread for the reader: {error}")))?;
        Ok(Self {
            jobs,
            thread,
            progress,
            gates: Mutex::default(),
        })
    }

    /// Whether the thread is there.
    pub fn is_alive(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Whether the reader was told of as hung; it is told of again when it is not.
    pub fn is_hung(&self) -> bool {
        self.progress.is_hung()
    }

    /// Puts a script in line, for the card of this insertion and no other; nobody waits here.
    ///
    /// `script` gets the card and its answer to reset. It is run once at most, and where it fails nothing is tried again.
    pub fn put<T: Send + 'static>(
        &self,
        insertion: &Insertion,
        bounds: Bounds,
        script: impl FnOnce(&mut Link<'_>, &[u8]) -> Result<T, CardError> + Send + 'static,
    ) -> Pending<T> {
        let (reply, answer) = mpsc::channel();
        let (begun, began) = mpsc::channel();
        let gate = Arc::new(Gate(AtomicU8::new(WAITING)));
        let script: Script = Box::new(move |wire| {
            let answer = wire.and_then(|(wire, atr)| script(&mut Link::new(wire), atr));
            Box::new(move || drop(reply.send(answer)))
        });
        let script = Arc::new(Held(Mutex::new(Some(script))));
        let pending = Pending {
            gate: gate.clone(),
            script: Arc::downgrade(&script),
            begun: began,
            answer,
            asked: Instant::now(),
            bounds,
            progress: self.progress.clone(),
        };
        if let Err(error) = self.admits() {
            if let Some(script) = script.take() {
                script(Err(error))();
            }
            return pending;
        }
        self.gates().push(Arc::downgrade(&gate));
        let turn = Turn {
            insertion: insertion.clone(),
            gate,
            bounds,
            begun,
        };
        // Where the thread is gone, the job is dropped and its answer with it.
        let _ = self.jobs.send(Job { turn, script });
        pending
    }

    /// Nobody waits in line behind a reader that hangs, nor behind one who waited in vain for another program.
    fn admits(&self) -> Result<(), CardError> {
        self.progress.check()?;
        let mut gates = self.gates();
        gates.retain(|gate| gate.strong_count() > 0);
        match gates.iter().filter_map(Weak::upgrade).any(|gate| gate.is_given_up()) {
            true => Err(CardError::InUse),
            false => Ok(()),
        }
    }

    fn gates(&self) -> MutexGuard<'_, Vec<Weak<Gate>>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread ends after the script at hand, whose end is nobody's any more.
impl Drop for Lane {
    fn drop(&mut self) {
        self.progress.close();
    }
}

impl<T> Pending<T> {
    /// What the script gave, within the bounds.
    pub fn wait(self) -> Result<T, CardError> {
        let left = self.bounds.begin.saturating_sub(self.asked.elapsed());
        let begun = match self.begun.recv_timeout(left) {
            Ok(begun) => begun,
            Err(mpsc::RecvTimeoutError::Timeout) if self.gate.pass(GIVEN_UP) => {
                drop(self.script.upgrade().and_then(|script| script.take()));
                return self.progress.check().and(Err(CardError::InUse));
            }
            // Refused before it began, or began in this very moment.
            Err(_) => Instant::now(),
        };
        // Its own time, however long others were waited for before it.
        let end = begun + self.bounds.script;
        loop {
            // A call that begins only after this look has its time after the next one.
            let next = (Instant::now() + self.bounds.call).min(end);
            let due = self.progress.due().map_or(next, |due| due.min(next));
            let left = due.saturating_duration_since(Instant::now());
            match self.answer.recv_timeout(left) {
                Ok(answer) => return answer,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let why = "a fault of eid-agent's own ended what it asked of the card";
                    return Err(CardError::Service(why.to_owned()));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            let silent = match Instant::now() < end {
                true => self.progress.check(),
                false => self.progress.check().and(Err(CardError::Silent(self.bounds.script))),
            };
            if silent.is_err() {
                self.gate.leave();
                // It may have come in this very moment.
                return self.answer.try_recv().unwrap_or(silent.and(Err(CardError::Removed)));
            }
        }
    }
}

/// What the thread keeps between scripts.
struct Worker {
    stack: Arc<dyn Stack>,
    board: Arc<Board>,
    progress: Arc<Progress>,
    context: Option<Box<dyn Context>>,
    /// What the reader's keys can do, once it was asked.
    keys: Option<Keys>,
    pads: bool,
}

impl Worker {
    fn run(&mut self, job: Job) {
        let Job { turn, script } = job;
        if turn.gate.is_given_up() {
            return;
        }
        let mut answer = None;
        let fault = self.transact(&turn, &script, &mut answer);
        self.progress.end();
        if let Err(error) = fault
            && let Some(script) = script.take()
        {
            answer = Some(script(Err(error)));
        }
        if let Some(hand_out) = answer {
            hand_out();
        }
    }

    /// Connects, begins and runs the script; it is left where it was not run.
    fn transact(&mut self, turn: &Turn, script: &Held, answer: &mut Option<HandOut>) -> Result<(), CardError> {
        for _ in 0..RESETS {
            let call = turn.bounds.call;
            let mut connection = self.connect(&turn.insertion.reader, call)?;
            let context = self.context.as_deref().ok_or(CardError::Removed)?;
            let (keys, pads, board, progress) = (&mut self.keys, self.pads, &self.board, &self.progress);
            let gone = |look| is_gone(context, board, &turn.insertion, look);
            let mut refused = None;
            let mut ending = Ending::Leave;
            let ran = connection.transacted(&mut |exchange| {
                ending = match progress.during(call, || still(context, board, &turn.insertion)) {
                    Ok(atr) => match turn.gate.pass(BEGUN) {
                        true => {
                            let limit = Limit::after(turn.bounds.script);
                            progress.begin(limit);
                            let _ = turn.begun.send(limit.begun);
                            let keys = keys.get_or_insert_with(|| progress.during(call, || Keys::ask(exchange, pads)));
                            let leave = Leave {
                                script: limit,
                                call,
                                gate: &turn.gate,
                                progress,
                                gone: &gone,
                                look: turn.bounds.look,
                            };
                            let mut wire = Wire::new(exchange, keys, leave);
                            match play(script, &mut wire, &atr) {
                                Ok(hand_out) => {
                                    *answer = hand_out;
                                    wire.ending()
                                }
                                Err(Panicked) => Ending::Reset,
                            }
                        }
                        false => Ending::Leave,
                    },
                    Err(fault) => {
                        refused = Some(fault);
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
                _ if script.is_spent() || turn.gate.is_given_up() => return Ok(()),
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
fn play(script: &Held, wire: &mut Wire<'_>, atr: &[u8]) -> Result<Option<HandOut>, Panicked> {
    let Some(script) = script.take() else {
        return Ok(None);
    };
    match catch_unwind(AssertUnwindSafe(|| script(Ok((wire, atr))))) {
        Ok(hand_out) => Ok(Some(hand_out)),
        Err(_) => {
            tracing::error!("what was asked of a card ended in a panic");
            Err(Panicked)
        }
    }
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

impl From<Fault> for CardError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoService(why) => Self::Service(why),
            Fault::Sharing => Self::InUse,
            Fault::Mute => Self::Unsupported("the card does not answer; is it the right way round?".to_owned()),
            Fault::NoCard | Fault::NoReader | Fault::Reset | Fault::Timeout | Fault::Cancelled => Self::Removed,
            Fault::Other(why) => Self::Reader(why),
        }
    }
}
