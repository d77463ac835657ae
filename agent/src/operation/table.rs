//! Who may see which operation, for how long, and which requests are the same one.

use std::collections::VecDeque;

use plugin_protocol::ErrorCode;
use plugin_protocol::encoding::base64url;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Idempotency;
use super::state::Status;
use crate::error::Error;
use crate::history::Action;
use crate::life::Life;
use crate::pairing::Caller;

/// Operations kept at most, over all callers; the oldest finished ones make room.
pub(super) const MAX_KEPT: usize = 128;

/// An operation that runs, or whose result is kept.
pub(super) struct Entry {
    pub(super) life: Life,
    id: String,
    client: String,
    action: Action,
    idempotency: Option<Idempotency>,
    status: watch::Receiver<Status>,
}

impl Entry {
    pub(super) fn new(
        caller: &Caller,
        action: Action,
        idempotency: Option<Idempotency>,
        life: Life,
        status: watch::Receiver<Status>,
    ) -> Self {
        Self {
            life,
            id: String::new(),
            client: caller.id.clone(),
            action,
            idempotency,
            status,
        }
    }
}

/// All of them, oldest first.
#[derive(Default)]
pub(super) struct Table {
    entries: VecDeque<Entry>,
    closed: bool,
}

impl Table {
    /// The operation this request started before, if it did. Each action has keys of its own.
    pub(super) fn known(
        &mut self,
        caller: &Caller,
        action: Action,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<String>, Error> {
        self.forget();
        let Some(wanted) = idempotency else { return Ok(None) };
        let same = self.of_client(&caller.id).find_map(|entry| {
            let own = entry.idempotency.as_ref()?;
            (entry.action == action && own.key == wanted.key)
                .then(|| (own.body_digest == wanted.body_digest, entry.id.clone()))
        });
        match same {
            None => Ok(None),
            Some((true, id)) => Ok(Some(id)),
            Some((false, _)) => Err(Error::Refused(
                ErrorCode::IdempotencyConflict,
                "this Idempotency-Key was used with another body; use a new one for a new request".to_owned(),
            )),
        }
    }

    /// Adds an operation under a new id.
    pub(super) fn insert(&mut self, mut entry: Entry) -> Result<String, Error> {
        if self.closed {
            return Err(Error::Cancelled);
        }
        entry.id = new_id()?;
        let id = entry.id.clone();
        if self.entries.len() >= MAX_KEPT {
            let oldest = self.entries.iter().position(|entry| entry.status.borrow().is_final());
            oldest.map(|index| self.entries.remove(index));
        }
        self.entries.push_back(entry);
        Ok(id)
    }

    /// An operation of this kind and caller; another's is not there at all.
    pub(super) fn find(
        &mut self,
        caller: &Caller,
        action: Action,
        id: &str,
    ) -> Result<(Life, watch::Receiver<Status>), Error> {
        self.forget();
        let mut own = self.of_client(&caller.id);
        let entry = own.find(|entry| entry.action == action && entry.id == id);
        let entry = entry.ok_or(Error::NotFound)?;
        Ok((entry.life.clone(), entry.status.clone()))
    }

    /// Those of one client.
    pub(super) fn of_client<'a>(&'a self, client: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.client == client)
    }

    /// Cancels all and takes no more; what to watch until they have ended.
    pub(super) fn close(&mut self) -> Vec<watch::Receiver<Status>> {
        self.closed = true;
        self.entries.iter().for_each(|entry| entry.life.cancel());
        self.entries.iter().map(|entry| entry.status.clone()).collect()
    }

    fn forget(&mut self) {
        let now = Instant::now();
        self.entries.retain(|entry| !entry.status.borrow().is_over(now));
    }
}

/// 128 random bits: nobody guesses another's.
fn new_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_| Error::Internal("the system has no random numbers".to_owned()))?;
    Ok(base64url(&bytes))
}
