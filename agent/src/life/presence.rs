//! Whether the client of an operation still waits for it.
//!
//! A client shows that it waits by asking for its operation (PROTOCOL.md, "Operations"):
//! while such a request is open it is there. When the last one was answered it has
//! [`CLIENT_ABSENCE`] to ask again. When the last one broke off (its connection was closed
//! before the answer) it has [`CLIENT_RECONNECT`], and until it is back no PIN is tried:
//! what the person agreed to meanwhile waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugin_protocol::limits::{CLIENT_ABSENCE, CLIENT_RECONNECT};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// What is known of the client's requests for one operation.
#[derive(Debug)]
pub struct Presence {
    seen: Mutex<Seen>,
    changed: Notify,
}

#[derive(Debug)]
struct Seen {
    open: usize,
    /// When the last request ended; at first, when the operation began.
    left: Instant,
    broke_off: bool,
}

impl Default for Presence {
    fn default() -> Self {
        Self {
            seen: Mutex::new(Seen {
                open: 0,
                left: Instant::now(),
                broke_off: false,
            }),
            changed: Notify::new(),
        }
    }
}

impl Presence {
    /// Returns when the client is gone for good.
    pub(super) async fn gone(&self) {
        loop {
            let changed = self.changed.notified();
            let patience = self.seen().patience();
            tokio::select! {
                () = changed => {}
                () = until(patience) => return,
            }
        }
    }

    /// Returns when the client is back whose connection broke off; at once if none did.
    pub(super) async fn back(&self) {
        loop {
            // Made before looking: it hears of every change from here on.
            let changed = self.changed.notified();
            if !self.seen().is_broken_off() {
                return;
            }
            changed.await;
        }
    }

    /// Whether the client's last sign of life was a connection that broke off.
    pub(super) fn has_left(&self) -> bool {
        let seen = self.seen();
        seen.is_broken_off() || seen.patience().is_some_and(|end| Instant::now() >= end)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_broken_off(&self) -> bool {
        self.open == 0 && self.broke_off
    }

    /// Until when the client may stay away; `None` while it is there.
    fn patience(&self) -> Option<Instant> {
        let grace = if self.broke_off {
            CLIENT_RECONNECT
        } else {
            CLIENT_ABSENCE
        };
        (self.open == 0).then(|| self.left + Duration::from_secs(grace))
    }
}

async fn until(patience: Option<Instant>) {
    match patience {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// A request that waits for the operation. Dropped without [`Poll::answered`], it broke off.
#[derive(Debug)]
pub struct Poll {
    presence: Arc<Presence>,
    answered: bool,
}

impl Poll {
    pub(super) fn begin(presence: &Arc<Presence>) -> Self {
        presence.seen().open += 1;
        presence.changed.notify_waiters();
        Self {
            presence: Arc::clone(presence),
            answered: false,
        }
    }

    /// The request is about to be answered.
    pub fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        let mut seen = self.presence.seen();
        seen.open -= 1;
        seen.left = Instant::now();
        seen.broke_off = !self.answered;
        drop(seen);
        self.presence.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, timeout};

    async fn gone_within(presence: &Presence, seconds: u64) -> bool {
        timeout(Duration::from_secs(seconds), presence.gone()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_asks_is_gone_after_its_absence() {
        let presence = Presence::default();
        assert!(!presence.has_left());
        assert!(!gone_within(&presence, CLIENT_ABSENCE - 1).await);
        assert!(gone_within(&presence, 2).await);
        assert!(presence.has_left());
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_request_is_presence_however_long() {
        let presence = Arc::new(Presence::default());
        let poll = Poll::begin(&presence);
        assert!(!gone_within(&presence, 1000).await);
        poll.answered();
        assert!(!presence.has_left());
        assert!(!gone_within(&presence, CLIENT_ABSENCE - 1).await);
        Poll::begin(&presence).answered();
        assert!(
            !gone_within(&presence, CLIENT_ABSENCE - 1).await,
            "each request begins it anew"
        );
        assert!(gone_within(&presence, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_connection_leaves_less_time_and_no_pin_try() {
        let presence = Arc::new(Presence::default());
        drop(Poll::begin(&presence));
        assert!(presence.has_left());
        assert!(!gone_within(&presence, CLIENT_RECONNECT - 1).await);
        assert!(
            timeout(Duration::from_secs(1), presence.back()).await.is_err(),
            "it is not back"
        );
        let back = Poll::begin(&presence);
        assert!(!presence.has_left(), "it came back in time");
        presence.back().await;
        drop(back);
        assert!(gone_within(&presence, CLIENT_RECONNECT + 1).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_request_keeps_it_there() {
        let presence = Arc::new(Presence::default());
        let first = Poll::begin(&presence);
        let second = Poll::begin(&presence);
        drop(first);
        assert!(!presence.has_left());
        advance(Duration::from_secs(500)).await;
        assert!(!gone_within(&presence, 500).await);
        second.answered();
        assert!(!presence.has_left());
    }
}
