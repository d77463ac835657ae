//! Challenges: issued once, bound to who asked, taken once.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plugin_protocol::encoding::base64;
use plugin_protocol::{Challenge, Purpose};
use ring::rand::{SecureRandom, SystemRandom};
use time::{Duration, OffsetDateTime};

/// How long a challenge lives unless told otherwise: five minutes, as Web eID does.
pub const DEFAULT_LIFETIME: Duration = Duration::minutes(5);
/// How many challenges a store holds unless told otherwise.
pub const DEFAULT_CAPACITY: usize = 100_000;
/// Challenges one session may have open; a new one pushes its oldest out.
pub const OPEN_PER_SESSION: usize = 4;

/// The outstanding challenges of a portal, in memory.
///
/// A portal of several processes keeps the same five facts (challenge, session,
/// account, purpose, expiry) in its shared store instead, and must make its own
/// [`take`](Self::take) one atomic step there (`GETDEL`, `DELETE … RETURNING`).
#[derive(Debug)]
pub struct ChallengeStore {
    lifetime: Duration,
    capacity: usize,
    random: SystemRandom,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    entries: HashMap<Challenge, Entry>,
    /// In order of expiry, since all live equally long. May name entries already taken.
    by_age: VecDeque<(OffsetDateTime, Challenge)>,
    by_session: HashMap<String, VecDeque<Challenge>>,
}

#[derive(Debug)]
struct Entry {
    session: String,
    account: String,
    purpose: Purpose,
    expires: OffsetDateTime,
}

/// A challenge that was outstanding and is no more: what [`crate::verify`] is given.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// The challenge.
    pub challenge: Challenge,
    /// The account that asked for it.
    pub account: String,
    /// What it was issued for; see [`crate::Policy::expecting`].
    pub purpose: Purpose,
}

/// Why no challenge was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueError {
    /// The store holds as many as it may; the oldest expire soon.
    Full,
    /// The system's random generator failed.
    Random,
}

/// Why a challenge was not handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeError {
    /// It was outstanding for too long. It is gone now.
    Expired,
    /// It was issued to another session. It is gone now: whoever shows it has seen it pass by.
    OtherSession,
    /// Never issued here, or already taken.
    Unknown,
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too many challenges are outstanding; try again in a few minutes",
            Self::Random => "the system's random generator failed",
        })
    }
}

impl fmt::Display for TakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the challenge has expired; ask for a new one",
            Self::OtherSession => "the challenge was issued to another session; ask for a new one",
            Self::Unknown => "the challenge is unknown or was used before; ask for a new one",
        })
    }
}

impl std::error::Error for IssueError {}
impl std::error::Error for TakeError {}

impl Default for ChallengeStore {
    fn default() -> Self {
        Self::new(DEFAULT_LIFETIME, DEFAULT_CAPACITY)
    }
}

impl ChallengeStore {
    /// A store whose challenges live for `lifetime`, and that holds `capacity` of them at most.
    pub fn new(lifetime: Duration, capacity: usize) -> Self {
        Self {
            lifetime,
            capacity,
            random: SystemRandom::new(),
            open: Mutex::default(),
        }
    }

    /// How long its challenges live.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A new challenge, 32 random bytes in base64 (44 characters), for this session, account and purpose.
    pub fn issue(
        &self,
        session: &str,
        account: &str,
        purpose: Purpose,
        now: OffsetDateTime,
    ) -> Result<Challenge, IssueError> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|_| IssueError::Random)?;
        let challenge: Challenge = base64(&bytes).parse().expect("44 characters of base64");
        let mut open = self.lock();
        open.forget_expired(now);
        open.make_room_for(session);
        if open.entries.len() >= self.capacity {
            return Err(IssueError::Full);
        }
        let entry = Entry {
            session: session.to_owned(),
            account: account.to_owned(),
            purpose,
            expires: now + self.lifetime,
        };
        open.insert(challenge.clone(), entry);
        Ok(challenge)
    }

    /// Looks a challenge up and removes it, in one step: whatever comes of the
    /// verification, and even of this call, it cannot be taken again.
    pub fn take(&self, challenge: &Challenge, session: &str, now: OffsetDateTime) -> Result<Taken, TakeError> {
        let entry = self.lock().remove(challenge).ok_or(TakeError::Unknown)?;
        if entry.session != session {
            return Err(TakeError::OtherSession);
        }
        if now >= entry.expires {
            return Err(TakeError::Expired);
        }
        Ok(Taken {
            challenge: challenge.clone(),
            account: entry.account,
            purpose: entry.purpose,
        })
    }

    /// How many are outstanding, expired ones not yet swept included.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether none is outstanding.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A panic elsewhere cannot leave the maps half-changed in a way that matters: entries decide.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn insert(&mut self, challenge: Challenge, entry: Entry) {
        self.by_age.push_back((entry.expires, challenge.clone()));
        let session = self.by_session.entry(entry.session.clone()).or_default();
        session.push_back(challenge.clone());
        self.entries.insert(challenge, entry);
    }

    fn remove(&mut self, challenge: &Challenge) -> Option<Entry> {
        let entry = self.entries.remove(challenge)?;
        if let Some(session) = self.by_session.get_mut(&entry.session) {
            session.retain(|other| other != challenge);
            if session.is_empty() {
                self.by_session.remove(&entry.session);
            }
        }
        self.compact();
        Some(entry)
    }

    /// Drops the queue's notes of challenges taken long ago, so that it stays within twice the map.
    fn compact(&mut self) {
        if self.by_age.len() > 2 * self.entries.len() + 64 {
            let entries = &self.entries;
            self.by_age.retain(|(_, challenge)| entries.contains_key(challenge));
        }
    }

    fn forget_expired(&mut self, now: OffsetDateTime) {
        while self.by_age.front().is_some_and(|(expires, _)| *expires <= now) {
            if let Some((_, challenge)) = self.by_age.pop_front() {
                self.remove(&challenge);
            }
        }
    }

    fn make_room_for(&mut self, session: &str) {
        let open = self.by_session.get(session);
        if let Some(oldest) = open
            .filter(|open| open.len() >= OPEN_PER_SESSION)
            .and_then(|open| open.front().cloned())
        {
            self.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-25 22:00 UTC);

    fn issue(store: &ChallengeStore, session: &str) -> Challenge {
        store.issue(session, "account", Purpose::SignIn, NOW).unwrap()
    }

    #[test]
    fn is_taken_once_by_its_session() {
        let store = ChallengeStore::default();
        let challenge = issue(&store, "a");
        assert_eq!(challenge.as_str().len(), 44);
        assert_ne!(challenge, issue(&store, "a"));
        let taken = store.take(&challenge, "a", NOW).unwrap();
        assert_eq!((taken.challenge, taken.purpose), (challenge.clone(), Purpose::SignIn));
        assert_eq!(taken.account, "account");
        assert_eq!(store.take(&challenge, "a", NOW), Err(TakeError::Unknown));
    }

    #[test]
    fn another_session_burns_it() {
        let store = ChallengeStore::default();
        let challenge = issue(&store, "a");
        assert_eq!(store.take(&challenge, "b", NOW), Err(TakeError::OtherSession));
        assert_eq!(store.take(&challenge, "a", NOW), Err(TakeError::Unknown));
        assert!(store.is_empty());
    }

    #[test]
    fn expires_at_its_lifetime() {
        let store = ChallengeStore::new(Duration::seconds(60), 10);
        let challenge = issue(&store, "a");
        let almost = issue(&store, "a");
        assert!(store.take(&almost, "a", NOW + Duration::seconds(59)).is_ok());
        let expired = store.take(&challenge, "a", NOW + Duration::seconds(60));
        assert_eq!(expired, Err(TakeError::Expired));
    }

    #[test]
    fn is_bounded_and_sweeps_what_expired() {
        let store = ChallengeStore::new(Duration::seconds(60), 3);
        for session in ["a", "b", "c"] {
            issue(&store, session);
        }
        assert_eq!(store.issue("d", "account", Purpose::SignIn, NOW), Err(IssueError::Full));
        let later = NOW + Duration::seconds(61);
        assert!(store.issue("d", "account", Purpose::SignIn, later).is_ok());
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_session_pushes_out_only_its_own() {
        let store = ChallengeStore::default();
        let other = issue(&store, "other");
        let mine: Vec<_> = (0..=OPEN_PER_SESSION).map(|_| issue(&store, "mine")).collect();
        assert_eq!(store.len(), OPEN_PER_SESSION + 1);
        assert_eq!(store.take(&mine[0], "mine", NOW), Err(TakeError::Unknown));
        assert!(store.take(&mine[1], "mine", NOW).is_ok());
        assert!(store.take(&other, "other", NOW).is_ok());
    }

    #[test]
    fn its_queue_stays_small_while_challenges_come_and_go() {
        let store = ChallengeStore::default();
        for _ in 0..1000 {
            let challenge = issue(&store, "a");
            store.take(&challenge, "a", NOW).unwrap();
        }
        assert!(store.lock().by_age.len() <= 65);
        assert!(store.lock().by_session.is_empty());
    }

    #[test]
    fn one_of_many_threads_gets_it() {
        let store = ChallengeStore::default();
        let challenge = issue(&store, "a");
        let wins = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| store.take(&challenge, "a", NOW).is_ok()))
                .collect();
            threads
                .into_iter()
                .map(|t| t.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(wins, 1);
    }
}
