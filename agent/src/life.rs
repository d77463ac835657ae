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

    /// Returns once no connection of the client is broken off: at once, or when it is back.
    ///
    /// Bounded as everything else is: by [`CLIENT_RECONNECT`](plugin_protocol::limits::CLIENT_RECONNECT),
    /// the deadline and [`Life::cancel`].
    pub async fn client_back(&self) -> Result<(), Error> {
        match &self.presence {
            Some(presence) => self.race(presence.back()).await,
            None => Ok(()),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wait_for_a_client_is_no_longer_than_the_operation() {
        let life = Life::watched(Duration::from_secs(5));
        assert_eq!(life.client_back().await, Ok(()), "nothing broke off");
        drop(life.poll());
        assert_eq!(life.check(), Err(Error::Cancelled));
        assert_eq!(life.client_back().await, Err(Error::Expired));
        assert!(Instant::now() >= life.deadline());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_a_client_hears_that_it_is_back_and_that_it_is_not() {
        let life = Life::watched(Duration::from_secs(120));
        drop(life.poll());
        let (first, second, poll) = tokio::join!(life.client_back(), life.client_back(), async { life.poll() });
        assert_eq!((first, second), (Ok(()), Ok(())));
        drop(poll);
        let (first, second) = tokio::join!(life.client_back(), life.client_back());
        assert_eq!((first, second), (Err(Error::Cancelled), Err(Error::Cancelled)));
    }
}
