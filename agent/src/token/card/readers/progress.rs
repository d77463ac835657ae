//! What a reader's thread is at, for those who wait for it.
//!
//! PC/SC has no time limit for a call, and `SCardCancel` ends waits for changes alone: a call into a driver that never
//! returns can be ended by nobody. So it is noticed. Who waits is let go, the reader is told of as hung and is asked
//! nothing more; when the call returns, that is told, too, and the reader is asked again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::error::CardError;
use super::Board;
use crate::token::Notice;

/// A time that something may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) begun: Instant,
    pub(super) time: Duration,
}

impl Limit {
    /// From now on for so long.
    pub(super) fn after(time: Duration) -> Self {
        Self {
            begun: Instant::now(),
            time,
        }
    }

    /// An error once the time is over.
    pub(super) fn check(&self) -> Result<(), CardError> {
        match self.begun.elapsed() < self.time {
            true => Ok(()),
            false => Err(CardError::Silent(self.time)),
        }
    }

    fn ends(&self) -> Instant {
        self.begun + self.time
    }
}

/// What the thread is at.
pub(super) struct Progress {
    board: Arc<Board>,
    reader: String,
    at: Mutex<At>,
}

#[derive(Default)]
struct At {
    /// Of the script that has the card.
    script: Option<Limit>,
    /// Of the call into PC/SC that is under way, but for the wait until another program's transaction ends.
    call: Option<Limit>,
    /// It was told that the reader hangs.
    hung: bool,
    /// Nobody asks this thread any more: what becomes of it is told to nobody.
    closed: bool,
}

impl Progress {
    pub(super) fn new(board: Arc<Board>, reader: &str) -> Self {
        Self {
            board,
            reader: reader.to_owned(),
            at: Mutex::default(),
        }
    }

    /// A lock whose holder panicked still guards whole data: each change is one assignment.
    fn at(&self) -> MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A script has the card.
    pub(super) fn begin(&self, script: Limit) {
        self.at().script = Some(script);
    }

    /// A call into PC/SC, which may take so long before the reader counts as hung.
    pub(super) fn during<T>(&self, time: Duration, call: impl FnOnce() -> T) -> T {
        self.enter(time);
        let returned = call();
        self.leave();
        returned
    }

    /// Such a call begins here.
    pub(super) fn enter(&self, time: Duration) {
        self.at().call = Some(Limit::after(time));
    }

    /// And ends.
    pub(super) fn leave(&self) {
        self.at().call = None;
    }

    /// The script, and all that was to be done for it, is done.
    pub(super) fn end(&self) {
        let mut at = self.at();
        (at.script, at.call) = (None, None);
        if std::mem::take(&mut at.hung) && !at.closed {
            tracing::info!(reader = self.reader, "the reader answers again");
            // Told under the lock, so that "hung" never comes after it.
            self.board.lock().tell(Notice::ReaderRecovered(self.reader.clone()));
        }
    }

    /// When the next limit ends.
    pub(super) fn due(&self) -> Option<Instant> {
        let at = self.at();
        [at.script, at.call].iter().flatten().map(Limit::ends).min()
    }

    /// An error where a limit has ended; a call that has not returned by then is told of.
    pub(super) fn check(&self) -> Result<(), CardError> {
        let mut at = self.at();
        let call = at.call.map_or(Ok(()), |call| call.check());
        if call.is_err() && !at.closed && !std::mem::replace(&mut at.hung, true) {
            tracing::warn!(reader = self.reader, "a call to the reader does not return");
            self.board.lock().tell(Notice::ReaderHung(self.reader.clone()));
        }
        call.and(at.script.map_or(Ok(()), |script| script.check()))
    }

    /// Whether a call is known not to return: once it does, that is told.
    pub(super) fn is_hung(&self) -> bool {
        self.at().hung
    }

    /// Nobody asks any more.
    pub(super) fn close(&self) {
        self.at().closed = true;
    }
}
