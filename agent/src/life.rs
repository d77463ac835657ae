//! How long an operation goes on: one deadline, one way to cancel it, and whether anyone still waits for it.

mod presence;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
pub use presence::{Poll, Presence};

/// The life of one operation. Clones share it.
#[derive(Clone, Debug)]
pub struct Life {
    deadline: Instant,
    cancel: CancellationToken,
    presence: Option<Arc<Presence>>,
}

impl Life {
    /// A life of `length` from now that nobody has to watch over: the command line's.
    pub fn new(length: Duration) -> Self {
        Self {
            deadline: Instant::now() + length,
            cancel: CancellationToken::new(),
            presence: None,
        }
    }

    /// A life of `length` from now that also ends when its client goes away.
    pub fn watched(length: Duration) -> Self {
        Self {
            presence: Some(Arc::default()),
            ..Self::new(length)
        }
    }

    /// Ends it: whoever waits in [`Life::race`] gets [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// When it ends by itself.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Says that the client waits for the result, until the poll is dropped or answered.
    pub fn poll(&self) -> Option<Poll> {
        self.presence.as_ref().map(Poll::begin)
    }

    /// Awaits something a person does, unless the operation ends first: then `work` is
    /// dropped, which closes its window.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::Cancelled),
            () = sleep_until(self.deadline) => Err(Error::Expired),
            () = self.client_gone() => Err(Error::Cancelled),
            done = work => Ok(done),
        }
    }

    /// Whether a PIN try may be spent, or a result handed out, now.
    pub fn check(&self) -> Result<(), Error> {
        let gone = self.presence.as_ref().is_some_and(|presence| presence.has_left());
        match () {
            () if self.cancel.is_cancelled() || gone => Err(Error::Cancelled),
            () if Instant::now() >= self.deadline => Err(Error::Expired),
            () => Ok(()),
        }
    }

    async fn client_gone(&self) {
        match &self.presence {
            Some(presence) => presence.gone().await,
            None => std::future::pending().await,
        }
    }
}
