//! A reader's own thread: scripts run on it one after the other, each in one connection and one transaction.
//!
//! PC/SC has no time limit for the wait until another program's transaction ends, nor for a command. The one who
//! asked waits for so long as [`Bounds`] say; a script that has not begun by then never will, and one that has sends
//! nothing more, so no PIN is spent for somebody who has left. A thread that hangs costs its reader, and nobody else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::apdu::Link;
use super::super::error::CardError;
use super::super::pcsc::Stack;
use super::progress::Progress;
use super::{Board, Insertion};

mod turn;
mod worker;

use turn::Script;
pub(super) use turn::Turn;
use worker::{Job, Worker};

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
    /// Those in line, and the one under way.
    turns: Mutex<Vec<Weak<Turn>>>,
}

/// A script on its way.
pub struct Pending<T> {
    /// The thread's: where that is gone, or has done it, it is.
    turn: Weak<Turn>,
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
        let mut worker = Worker::new(stack, board, progress.clone(), pads);
        let thread = std::thread::Builder::new().name(format!("reader {reader}"));
        let started = thread.spawn(move || queue.into_iter().for_each(|job| worker.run(job)));
        let thread = started.map_err(|error| CardError::Service(format!("no thread for the reader: {error}")))?;
        Ok(Self {
            jobs,
            thread,
            progress,
            turns: Mutex::default(),
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
        let script: Script = Box::new(move |wire| {
            let answer = wire.and_then(|(wire, atr)| script(&mut Link::new(wire), atr));
            Box::new(move || drop(reply.send(answer)))
        });
        let turn = Arc::new(Turn::new(script));
        let pending = Pending {
            turn: Arc::downgrade(&turn),
            begun: began,
            answer,
            asked: Instant::now(),
            bounds,
            progress: self.progress.clone(),
        };
        if let Err(error) = self.admits() {
            turn.refuse(error);
            return pending;
        }
        self.turns().push(Arc::downgrade(&turn));
        let job = Job {
            insertion: insertion.clone(),
            bounds,
            turn,
            begun,
        };
        // Where the thread is gone, the job is dropped and its answer with it.
        let _ = self.jobs.send(job);
        pending
    }

    /// Nobody waits in line behind a reader that hangs, nor behind one who waited in vain for another program.
    fn admits(&self) -> Result<(), CardError> {
        self.progress.check()?;
        let mut turns = self.turns();
        turns.retain(|turn| turn.strong_count() > 0);
        match turns.iter().filter_map(Weak::upgrade).any(|turn| turn.is_given_up()) {
            true => Err(CardError::InUse),
            false => Ok(()),
        }
    }

    fn turns(&self) -> MutexGuard<'_, Vec<Weak<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
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
            Err(mpsc::RecvTimeoutError::Timeout) if self.turn.upgrade().is_some_and(|turn| turn.give_up()) => {
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
                if let Some(turn) = self.turn.upgrade() {
                    turn.leave();
                }
                // It may have come in this very moment.
                return self.answer.try_recv().unwrap_or(silent.and(Err(CardError::Removed)));
            }
        }
    }
}
