//! What is played now: the outcome of the operation that runs, else of the one to come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Outcome;
use super::script::Script;
use crate::error::Error;
use crate::rehearsal::{Check, Rehearsal, Turn};

/// When a caller is told to come back.
const RATE_PAUSE: Duration = Duration::from_secs(30);

/// The stage that person and token share.
pub(super) struct Stage {
    script: Script,
    playing: Arc<Mutex<Playing>>,
}

#[derive(Default)]
struct Playing {
    /// Operations begun so far.
    count: u64,
    running: Option<(Outcome, Instant)>,
}

/// One look at the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scene {
    /// What is played.
    pub(super) outcome: Outcome,
    /// Operations begun so far.
    pub(super) count: u64,
    /// For how long an operation runs; none does, and the outcome is the next one's.
    pub(super) running: Option<Duration>,
}

impl Stage {
    pub(super) fn new(script: Script) -> Self {
        Self {
            script,
            playing: Arc::default(),
        }
    }

    /// What is played now. A script that cannot be read is told of when an operation begins.
    pub(super) fn scene(&self) -> Scene {
        let playing = held(&self.playing);
        let running = playing.running.map(|(outcome, since)| (outcome, since.elapsed()));
        let next = || self.script.next().unwrap_or(Outcome::Confirmed);
        Scene {
            outcome: running.map_or_else(next, |(outcome, _)| outcome),
            count: playing.count,
            running: running.map(|(_, time)| time),
        }
    }
}

impl Rehearsal for Stage {
    fn begin(&self) -> Result<Turn, Error> {
        let outcome = self.script.take()?;
        let mut playing = held(&self.playing);
        playing.count += 1;
        tracing::warn!(operation = playing.count, %outcome, "mock");
        match outcome {
            Outcome::Busy => Err(Error::Busy),
            Outcome::RateLimited => Err(Error::RateLimited(RATE_PAUSE)),
            _ => {
                playing.running = Some((outcome, Instant::now()));
                Ok(Box::new(End(Arc::clone(&self.playing))))
            }
        }
    }

    fn waives(&self, check: Check) -> bool {
        let outcome = held(&self.playing).running.map(|(outcome, _)| outcome);
        match check {
            Check::Validity => matches!(
                outcome,
                Some(Outcome::ExpiredCertificate | Outcome::NotYetValidCertificate)
            ),
            Check::OwnSignature => outcome == Some(Outcome::BrokenSignature),
        }
    }
}

/// Ends the operation on the stage.
struct End(Arc<Mutex<Playing>>);

impl Drop for End {
    fn drop(&mut self) {
        held(&self.0).running = None;
    }
}

/// A lock whose holder panicked still guards whole data: every change here is one assignment.
fn held(playing: &Mutex<Playing>) -> MutexGuard<'_, Playing> {
    playing.lock().unwrap_or_else(PoisonError::into_inner)
}
