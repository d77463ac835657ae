//! Numbered events: a ring of the newest, and long polls that wait for the next.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plugin_protocol::event::{Event, EventKind, Events as Body};
use plugin_protocol::limits::EVENTS_KEPT;
use tokio::sync::watch;

use crate::open_requests::OpenRequests;

/// Who may see an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every paired plugin.
    All,
    /// One plugin, by its pairing's id.
    Client(String),
}

impl Audience {
    fn includes(&self, client: &str) -> bool {
        match self {
            Self::All => true,
            Self::Client(id) => id == client,
        }
    }
}

/// The events of this run. Publishing never waits; nothing wakes up while nobody listens.
pub struct Events {
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
    listeners: OpenRequests,
}

struct Ring {
    /// One less than the first number of this run.
    before: u64,
    /// The number of the newest event; `before` where nothing has happened yet.
    newest: u64,
    kept: VecDeque<(Event, Audience)>,
}

impl Events {
    /// No events yet, numbered on from the system's clock.
    pub fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(now.as_secs())
    }

    /// No events yet, numbered on from a time in seconds since 1970-01-01 UTC.
    ///
    /// Each run starts above every number of the runs before it (short of 65,536 events
    /// a second), so a `since` from an earlier run is seen to be one, and its gap is
    /// told. The numbers stay below 2^53, which JavaScript can hold.
    pub fn starting_at(unix: u64) -> Self {
        let newest = unix << 16;
        Self {
            ring: Mutex::new(Ring {
                before: newest,
                newest,
                kept: VecDeque::with_capacity(EVENTS_KEPT),
            }),
            newest: watch::Sender::new(newest),
            listeners: OpenRequests::new(),
        }
    }

    /// Numbers an event, keeps it, and wakes whoever waits.
    pub fn publish(&self, kind: EventKind, audience: Audience) {
        let mut ring = self.ring();
        ring.newest += 1;
        let seq = ring.newest;
        if ring.kept.len() == EVENTS_KEPT {
            ring.kept.pop_front();
        }
        ring.kept.push_back((Event { seq, kind }, audience));
        // Under the lock, so that the watched number never runs backwards.
        self.newest.send_replace(seq);
    }

    /// The events after `since` that `client` may see, at once if there are some or
    /// some were lost, else as soon as there is one, else empty after `wait`.
    ///
    /// Without `since`, or with 0, it begins with the oldest kept.
    pub async fn since(&self, client: &str, since: Option<u64>, wait: Duration) -> Body {
        let since = since.filter(|&since| since != 0);
        let _listening = (!wait.is_zero()).then(|| self.listeners.enter());
        let mut newest = self.newest.subscribe();
        let deadline = tokio::time::sleep(wait);
        tokio::pin!(deadline);
        loop {
            newest.mark_unchanged();
            let body = self.ring().after(client, since);
            if body.gap || !body.events.is_empty() || wait.is_zero() {
                return body;
            }
            tokio::select! {
                () = &mut deadline => return body,
                changed = newest.changed() => if changed.is_err() { return body },
            }
        }
    }

    /// Who waits for events now.
    pub fn listeners(&self) -> &OpenRequests {
        &self.listeners
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

impl Ring {
    fn after(&self, client: &str, since: Option<u64>) -> Body {
        let oldest = self.kept.front().map_or(self.newest + 1, |(event, _)| event.seq);
        let since = since.unwrap_or(oldest - 1);
        let events = self
            .kept
            .iter()
            .filter(|(event, audience)| event.seq > since && audience.includes(client))
            .map(|(event, _)| event.clone())
            .collect();
        Body {
            events,
            next: self.newest,
            gap: since.saturating_add(1) < oldest || !(self.before..=self.newest).contains(&since),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    fn added(token: &str) -> EventKind {
        EventKind::TokenAdded { token: token.into() }
    }

    const NOW: Duration = Duration::ZERO;
    const START: u64 = 5 << 16;

    #[tokio::test]
    async fn each_client_sees_its_own_and_the_common_events() {
        let events = Events::starting_at(5);
        events.publish(added("common"), Audience::All);
        events.publish(added("a"), Audience::Client("a".into()));
        events.publish(added("b"), Audience::Client("b".into()));
        let seen = events.since("b", Some(START), NOW).await;
        let numbers: Vec<_> = seen.events.iter().map(|event| event.seq - START).collect();
        assert_eq!(numbers, [1, 3]);
        assert_eq!((seen.next, seen.gap), (START + 3, false));
        let rest = events.since("b", Some(seen.next), NOW).await;
        assert_eq!((rest.events.len(), rest.gap), (0, false));
    }

    #[tokio::test]
    async fn a_gap_is_told_when_events_fell_out_or_the_run_is_another() {
        let events = Events::starting_at(5);
        assert!(events.since("a", Some(START + 1), NOW).await.gap, "from the future");
        assert!(events.since("a", Some(START - 1), NOW).await.gap, "from an earlier run");
        for _ in 0..=EVENTS_KEPT {
            events.publish(added("t"), Audience::All);
        }
        let lost = events.since("a", Some(START), NOW).await;
        assert!(lost.gap);
        assert_eq!(lost.events.len(), EVENTS_KEPT);
        assert!(!events.since("a", Some(START + 1), NOW).await.gap);
        assert!(events.since("a", Some(u64::MAX), NOW).await.gap);
    }

    #[tokio::test(start_paused = true)]
    async fn without_since_it_begins_with_the_oldest_kept() {
        let events = Events::starting_at(5);
        let nothing = events.since("a", None, Duration::from_secs(25)).await;
        assert_eq!((nothing.events.len(), nothing.next, nothing.gap), (0, START, false));
        for _ in 0..EVENTS_KEPT + 7 {
            events.publish(added("t"), Audience::All);
        }
        for since in [None, Some(0)] {
            let all = events.since("a", since, NOW).await;
            assert_eq!((all.events.len(), all.gap), (EVENTS_KEPT, false));
            assert_eq!(all.events[0].seq, START + 8);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_ends_with_the_first_event_for_this_client() {
        let events = Arc::new(Events::starting_at(5));
        let polling = tokio::spawn({
            let events = events.clone();
            async move { events.since("a", Some(START), Duration::from_secs(25)).await }
        });
        tokio::task::yield_now().await;
        events.publish(added("other"), Audience::Client("b".into()));
        tokio::task::yield_now().await;
        assert!(!polling.is_finished());
        events.publish(added("mine"), Audience::Client("a".into()));
        let body = polling.await.unwrap();
        assert_eq!((body.events.len(), body.next), (1, START + 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_ends_empty_when_its_wait_ran_out() {
        let events = Events::starting_at(5);
        let begun = tokio::time::Instant::now();
        let body = events.since("a", Some(START), Duration::from_secs(25)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(25));
        assert_eq!((body.events.len(), body.next, body.gap), (0, START, false));
    }
}
