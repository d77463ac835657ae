//! The plugins that may speak, and the keys by which they and the agent know each other.
//!
//! [`Pairings`] is the list and its file; [`attempt`] is how a plugin gets on it.

pub mod attempt;
mod file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_protocol::api::{Client, Pairing};
use plugin_protocol::limits::{MAX_CLIENT_NAME, MAX_PAIRINGS};
use plugin_protocol::statement::rfc3339;
use time::OffsetDateTime;

use self::file::{Record, Stamp};
use crate::error::Error;
use crate::legible::is_deceptive;
use crate::private_file;
use crate::signature::{AgentKey, PluginKey};

/// Who asks: decided once, at the door, from the key that signed the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The pairing's id: the plugin key's JWK thumbprint, base64url.
    pub id: String,
    /// The name the plugin gave itself; it proves nothing.
    pub name: String,
}

/// One pairing with its keys ready for use.
pub struct Paired {
    /// The plugin.
    pub caller: Caller,
    /// Its key.
    pub plugin_key: PluginKey,
    /// The agent's key for this plugin alone.
    pub agent_key: AgentKey,
    created: String,
}

impl Paired {
    /// As it is listed.
    pub fn listed(&self) -> Pairing {
        Pairing {
            id: self.caller.id.clone(),
            name: self.caller.name.clone(),
            created: self.created.clone(),
        }
    }
}

/// All pairings: the file `pairings.json` of the state directory, mode 0600.
///
/// Another process (`eid-agent pairings revoke`) may change the file; each look-up
/// compares its time stamp and reads it anew when it differs.
pub struct Pairings {
    path: PathBuf,
    loaded: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    stamp: Option<Stamp>,
    by_id: HashMap<String, Arc<Paired>>,
    /// Known before, and gone at the last reading.
    revoked: Vec<String>,
}

impl Pairings {
    /// Opens the list in `state_dir`, which is created where it is missing.
    pub fn open(state_dir: &Path) -> Result<Self, Error> {
        private_file::create_directory(state_dir)
            .map_err(|error| Error::Internal(format!("state directory {}: {error}", state_dir.display())))?;
        let pairings = Self {
            path: state_dir.join("pairings.json"),
            loaded: Mutex::default(),
        };
        drop(pairings.fresh()?);
        Ok(pairings)
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Result<Vec<Pairing>, Error> {
        let mut list: Vec<_> = self.fresh()?.by_id.values().map(|paired| paired.listed()).collect();
        list.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
        Ok(list)
    }

    /// The pairing with this id, if it is there now. A file that cannot be read holds none.
    pub fn find(&self, id: &str) -> Option<Arc<Paired>> {
        match self.fresh() {
            Ok(loaded) => loaded.by_id.get(id).cloned(),
            Err(error) => {
                tracing::error!(%error, "no plugin is let in");
                None
            }
        }
    }

    /// The ids of pairings that were seen to be gone since the last call, whoever revoked them.
    pub fn take_revoked(&self) -> Vec<String> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut loaded.revoked)
    }

    /// Adds a pairing, or gives a known plugin a new agent key. `agent_pkcs8` is [`AgentKey::generate`]'s.
    ///
    /// [`Error::TooManyPairings`] when there are [`MAX_PAIRINGS`] others.
    pub fn add(&self, client: &Client, agent_pkcs8: &[u8], now: OffsetDateTime) -> Result<(), Error> {
        let record = Record::new(client, rfc3339(now), agent_pkcs8);
        self.change(|records| {
            records.retain(|other| other.id() != record.id());
            if records.len() >= MAX_PAIRINGS {
                return Err(Error::TooManyPairings);
            }
            records.push(record);
            Ok(true)
        })
        .map(|_| ())
    }

    /// Removes a pairing: whether there was one.
    pub fn revoke(&self, id: &str) -> Result<bool, Error> {
        let revoked = self.change(|records| {
            let before = records.len();
            records.retain(|record| record.id() != id);
            Ok(records.len() < before)
        })?;
        drop(self.fresh()?);
        Ok(revoked)
    }

    /// Reads, changes and, if `change` says so, replaces the file, under its lock.
    fn change(&self, change: impl FnOnce(&mut Vec<Record>) -> Result<bool, Error>) -> Result<bool, Error> {
        let _lock = private_file::lock(&self.path).map_err(|error| self.fault(&error))?;
        let mut records = file::read(&self.path).map_err(|error| self.fault(&error))?;
        let changed = change(&mut records)?;
        if changed {
            file::write(&self.path, &records).map_err(|error| self.fault(&error))?;
        }
        Ok(changed)
    }

    /// What the file holds now; costs one `stat` while it is unchanged.
    fn fresh(&self) -> Result<MutexGuard<'_, Loaded>, Error> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // The stamp first: a change after it is met by the next look-up.
        let stamp = Stamp::of(&self.path).map_err(|error| self.fault(&error))?;
        if loaded.stamp != stamp {
            let before = std::mem::take(&mut loaded.by_id);
            loaded.stamp = None;
            loaded.by_id = self.read()?;
            let gone = before.into_keys().filter(|id| !loaded.by_id.contains_key(id));
            let gone: Vec<_> = gone.collect();
            loaded.revoked.extend(gone);
            loaded.stamp = stamp;
        }
        Ok(loaded)
    }

    fn read(&self) -> Result<HashMap<String, Arc<Paired>>, Error> {
        let prepare = |record: Record| {
            let paired = record
                .prepare()
                .ok_or_else(|| self.fault(&"a key in it is no P-256 key"))?;
            Ok((paired.caller.id.clone(), Arc::new(paired)))
        };
        let records = file::read(&self.path).map_err(|error| self.fault(&error))?;
        records.into_iter().map(prepare).collect()
    }

    fn fault(&self, what: &dyn std::fmt::Display) -> Error {
        Error::Internal(format!("{}: {what}", self.path.display()))
    }
}

/// Checks the name a plugin gives itself: it is shown to the person, so it must not hide or disguise anything.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if !(1..=MAX_CLIENT_NAME).contains(&length) {
        return Err(format!("{length} characters; 1 to {MAX_CLIENT_NAME} are allowed"));
    }
    if name.trim() != name {
        return Err("it begins or ends with a space".to_owned());
    }
    match name.chars().find(|&c| is_deceptive(c)) {
        Some(c) => Err(format!("U+{:04X} is a control or invisible character", u32::from(c))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
