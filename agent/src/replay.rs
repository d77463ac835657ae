//! Request signatures seen before: bounded, and never forgetful inside the window.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use plugin_protocol::encoding::sha256;
use plugin_protocol::limits::SIGNATURE_WINDOW;

/// Nonces remembered, for all plugins together: a plugin at its full rate needs about 1,800, and gets no more.
pub const CAPACITY: usize = 16 * 1024;

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Its nonce was used before.
    Seen,
    /// `created` is outside the window, or before a time whose nonces are forgotten.
    Stale,
    /// No room is left for a nonce that must not be forgotten; seconds until there is.
    Full(u64),
}

/// The nonces of all requests whose time window is still open.
pub struct ReplayCache {
    seen: HashSet<Fingerprint>,
    expiries: BinaryHeap<Reverse<(i64, Fingerprint)>>,
    /// Nonces that expired before this time are forgotten, and so their requests stay
    /// refused even if the clock is set back.
    forgotten_before: i64,
    capacity: usize,
}

type Fingerprint = [u8; 16];

impl ReplayCache {
    /// An empty cache, begun at `now` (seconds since 1970-01-01 UTC).
    ///
    /// A request signed before that is refused: an earlier run may have answered it.
    pub fn new(now: i64) -> Self {
        Self::with_capacity(now, CAPACITY)
    }

    fn with_capacity(now: i64, capacity: usize) -> Self {
        Self {
            seen: HashSet::new(),
            expiries: BinaryHeap::new(),
            forgotten_before: now.saturating_add(SIGNATURE_WINDOW),
            capacity,
        }
    }

    /// Lets each (`key_id`, `nonce`) pass once, while `created` is within the window around `now`.
    pub fn admit(&mut self, key_id: &str, nonce: &str, created: i64, now: i64) -> Result<(), Replay> {
        let fingerprint = self.check(key_id, nonce, created, now)?;
        self.seen.insert(fingerprint);
        self.expiries
            .push(Reverse((created.saturating_add(SIGNATURE_WINDOW), fingerprint)));
        Ok(())
    }

    /// Whether it would pass; nothing is remembered.
    pub fn would_admit(&mut self, key_id: &str, nonce: &str, created: i64, now: i64) -> Result<(), Replay> {
        self.check(key_id, nonce, created, now).map(|_| ())
    }

    fn check(&mut self, key_id: &str, nonce: &str, created: i64, now: i64) -> Result<Fingerprint, Replay> {
        let expiry = created.saturating_add(SIGNATURE_WINDOW);
        if created.abs_diff(now) > SIGNATURE_WINDOW.unsigned_abs() || expiry < self.forgotten_before {
            return Err(Replay::Stale);
        }
        self.forget_before(now);
        let fingerprint = fingerprint(key_id, nonce);
        if self.seen.contains(&fingerprint) {
            return Err(Replay::Seen);
        }
        if self.seen.len() >= self.capacity {
            return Err(Replay::Full(self.seconds_until_room(now)));
        }
        Ok(fingerprint)
    }

    fn forget_before(&mut self, now: i64) {
        self.forgotten_before = self.forgotten_before.max(now);
        while let Some(Reverse((expiry, fingerprint))) = self.expiries.peek() {
            if *expiry >= now {
                break;
            }
            self.seen.remove(fingerprint);
            self.expiries.pop();
        }
    }

    fn seconds_until_room(&self, now: i64) -> u64 {
        let first = self.expiries.peek().map_or(now, |Reverse((expiry, _))| *expiry);
        first.saturating_sub(now).unsigned_abs() + 1
    }
}

/// Key ids and nonces are base64url, so the newline tells them apart.
fn fingerprint(key_id: &str, nonce: &str) -> Fingerprint {
    let mut short = [0; 16];
    short.copy_from_slice(&sha256(format!("{key_id}\n{nonce}").as_bytes())[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Begun long ago.
    fn cache(capacity: usize) -> ReplayCache {
        ReplayCache::with_capacity(0, capacity)
    }

    #[test]
    fn each_passes_once() {
        let mut cache = cache(8);
        assert_eq!(cache.admit("k", "n", 1000, 1000), Ok(()));
        assert_eq!(cache.admit("k", "n", 1000, 1001), Err(Replay::Seen));
        assert_eq!(
            cache.admit("k", "n", 1001, 1001),
            Err(Replay::Seen),
            "signed anew, same nonce"
        );
        assert_eq!(cache.admit("other", "n", 1000, 1001), Ok(()));
    }

    #[test]
    fn the_window_is_closed_at_both_ends() {
        let mut cache = cache(8);
        for (created, expected) in [
            (939, Err(Replay::Stale)),
            (940, Ok(())),
            (1060, Ok(())),
            (1061, Err(Replay::Stale)),
            (i64::MIN, Err(Replay::Stale)),
            (i64::MAX, Err(Replay::Stale)),
        ] {
            assert_eq!(
                cache.admit("k", &created.to_string(), created, 1000),
                expected,
                "{created}"
            );
        }
    }

    #[test]
    fn a_nonce_is_remembered_to_the_last_second_of_its_window() {
        let mut cache = cache(8);
        assert_eq!(cache.admit("k", "n", 1060, 1000), Ok(()));
        assert_eq!(cache.admit("k", "n", 1060, 1120), Err(Replay::Seen));
        assert_eq!(cache.admit("k", "n", 1060, 1121), Err(Replay::Stale));
    }

    #[test]
    fn when_full_it_refuses_instead_of_forgetting() {
        let mut cache = cache(2);
        assert_eq!(cache.admit("k", "1", 1000, 1000), Ok(()));
        assert_eq!(cache.admit("k", "2", 1010, 1010), Ok(()));
        assert_eq!(cache.admit("k", "3", 1010, 1010), Err(Replay::Full(51)));
        assert_eq!(cache.admit("k", "1", 1000, 1060), Err(Replay::Seen));
        assert_eq!(cache.admit("k", "3", 1061, 1061), Ok(()));
        assert_eq!(cache.seen.len(), 2);
        assert_eq!(cache.expiries.len(), 2);
    }

    #[test]
    fn asking_remembers_nothing() {
        let mut cache = cache(1);
        for nonce in ["1", "2"] {
            assert_eq!(cache.would_admit("k", nonce, 1000, 1000), Ok(()));
        }
        assert_eq!(cache.admit("k", "2", 1000, 1000), Ok(()));
        assert_eq!(cache.would_admit("k", "2", 1000, 1000), Err(Replay::Seen));
        assert_eq!(cache.would_admit("k", "1", 1000, 1000), Err(Replay::Full(61)));
    }

    #[test]
    fn a_clock_set_back_opens_nothing() {
        let mut cache = cache(8);
        assert_eq!(cache.admit("k", "n", 1000, 1000), Ok(()));
        assert_eq!(cache.admit("k", "m", 5000, 5000), Ok(()));
        assert_eq!(
            cache.admit("k", "n", 1000, 1000),
            Err(Replay::Stale),
            "forgotten, but refused"
        );
    }

    #[test]
    fn what_an_earlier_run_may_have_answered_is_refused() {
        let mut cache = ReplayCache::new(1000);
        assert_eq!(cache.admit("k", "n", 999, 1000), Err(Replay::Stale));
        assert_eq!(cache.admit("k", "n", 1000, 1000), Ok(()));
    }
}
