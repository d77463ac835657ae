//! Who is signed in: sessions the server remembers, made anew at every sign-in.
//!
//! The cookie of somebody who is not signed in means nothing but "the same browser as before", and
//! may be anything a stranger planted. A sign-in therefore never keeps it: the signed-in
//! session is a new one, and the old one, with all its open challenges, is worth nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};

use super::session::Session;

/// How long a session lives with nobody asking anything.
pub const IDLE: Duration = Duration::minutes(30);
/// How long it lives at most.
pub const LONGEST: Duration = Duration::hours(8);
/// Sessions at once; a new one pushes out the one that was idle longest.
pub const CAPACITY: usize = 10_000;

/// The sessions that are signed in.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<HashMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    account: String,
    since: OffsetDateTime,
    last: OffsetDateTime,
}

impl Entry {
    fn is_over(&self, now: OffsetDateTime) -> bool {
        now >= self.last + IDLE || now >= self.since + LONGEST
    }
}

impl Sessions {
    /// A new session for this account; the one before it ends. `None` when the system's random generator fails.
    pub fn sign_in(&self, before: Option<&Session>, account: &str, now: OffsetDateTime) -> Option<Session> {
        let session = Session::new()?;
        let mut open = self.lock();
        if let Some(before) = before {
            open.remove(before.as_str());
        }
        if open.len() >= CAPACITY {
            open.retain(|_, entry| !entry.is_over(now));
        }
        if open.len() >= CAPACITY {
            let idlest = open
                .iter()
                .min_by_key(|(_, entry)| entry.last)
                .map(|(id, _)| id.clone());
            idlest.map(|id| open.remove(&id));
        }
        let entry = Entry {
            account: account.to_owned(),
            since: now,
            last: now,
        };
        open.insert(session.as_str().to_owned(), entry);
        Some(session)
    }

    /// The account that is signed in with this session.
    pub fn account(&self, session: &Session, now: OffsetDateTime) -> Option<String> {
        let mut open = self.lock();
        let entry = open.get_mut(session.as_str())?;
        if entry.is_over(now) {
            open.remove(session.as_str());
            return None;
        }
        entry.last = now;
        Some(entry.account.clone())
    }

    /// Ends it.
    pub fn sign_out(&self, session: &Session) {
        self.lock().remove(session.as_str());
    }

    /// A panic elsewhere cannot leave an entry half-made.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-26 01:00 UTC);

    #[test]
    fn a_sign_in_makes_a_new_session_and_ends_the_old() {
        let sessions = Sessions::default();
        let anonymous = Session::new().unwrap();
        assert_eq!(sessions.account(&anonymous, NOW), None);
        let first = sessions.sign_in(Some(&anonymous), "vera", NOW).unwrap();
        assert_ne!(first, anonymous);
        let second = sessions.sign_in(Some(&first), "ivan", NOW).unwrap();
        assert_eq!(sessions.account(&first, NOW), None);
        assert_eq!(sessions.account(&second, NOW).as_deref(), Some("ivan"));
        sessions.sign_out(&second);
        assert_eq!(sessions.account(&second, NOW), None);
    }

    #[test]
    fn it_ends_when_idle_and_at_its_longest() {
        let sessions = Sessions::default();
        let idle = sessions.sign_in(None, "vera", NOW).unwrap();
        let busy = sessions.sign_in(None, "vera", NOW).unwrap();
        let mut now = NOW;
        while now + IDLE - Duration::SECOND < NOW + LONGEST {
            now += IDLE - Duration::SECOND;
            assert!(sessions.account(&busy, now).is_some(), "{now}");
        }
        assert_eq!(sessions.account(&idle, NOW + IDLE), None);
        assert_eq!(sessions.account(&busy, NOW + LONGEST), None);
    }

    #[test]
    fn a_full_house_turns_out_who_was_idle_longest() {
        let sessions = Sessions::default();
        let mut all: Vec<_> = (0..CAPACITY)
            .map(|_| sessions.sign_in(None, "vera", NOW).unwrap())
            .collect();
        let idlest = all.pop().unwrap();
        for session in &all {
            sessions.account(session, NOW + Duration::SECOND).unwrap();
        }
        sessions.sign_in(None, "ivan", NOW + Duration::SECOND).unwrap();
        assert_eq!(sessions.account(&idlest, NOW + Duration::SECOND), None);
        assert!(sessions.account(&all[0], NOW + Duration::SECOND).is_some());
    }
}
