//! What was signed, where, when: an append-only text file that its owner can read without this program.
//!
//! One record a line, each line bound to the one before it (the file `chain.rs` says how),
//! written and flushed before anything signed leaves the agent. [`History::verify`] walks all of it.

mod chain;
mod record;
mod tail;
mod verify;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use plugin_protocol::api::HistoryEntry;
use plugin_protocol::statement::rfc3339;
use rustix::fs::{FlockOperation, flock};
use time::OffsetDateTime;

use crate::error::Error;
pub use chain::Entry;
pub use record::{Action, CertificateRef, ClientRef, Record, SignedBytes, TokenRef};
pub use verify::{Broken, Verified};

/// The history file. The daemon and the command line append to it side by side:
/// each record is written under the file's lock (flock(2)), after a look at its end.
#[derive(Clone, Debug)]
pub struct History {
    path: PathBuf,
}

impl History {
    /// The history in the file `path`, which the first record creates (mode 0600).
    ///
    /// Fails if the file is there and cannot be read and written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let history = Self {
            path: path.as_ref().to_owned(),
        };
        if history.path.exists() {
            history.file().map_err(|error| history.fault(&error))?;
        }
        Ok(history)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record with the next number, and returns when it is on the disk; its number.
    ///
    /// A line torn by a power cut, which nobody was answered for, is first set aside in
    /// a file beside this one. Blocks for the disk's time: call it off the async threads.
    pub fn append(&self, now: OffsetDateTime, record: &Record) -> Result<u64, Error> {
        self.try_append(now, record).map_err(|error| self.fault(&error))
    }

    fn try_append(&self, now: OffsetDateTime, record: &Record) -> std::io::Result<u64> {
        let is_new = !self.path.exists();
        let mut file = self.file()?;
        flock(&file, FlockOperation::LockExclusive)?;
        let last = tail::mend(&mut file, &self.path)?;
        let (seq, prev) = match last {
            Some(last) => (last.seq + 1, last.hash),
            None => (1, chain::NO_HASH.to_owned()),
        };
        let entry = Entry {
            seq,
            time: rfc3339(now),
            record: record.clone(),
            prev,
        };
        // One write: a reader never meets half a line unless the power failed.
        file.write_all(chain::line(&entry).as_bytes())?;
        file.sync_data()?;
        if is_new {
            sync_folder(&self.path)?;
        }
        Ok(seq)
    }

    /// The newest `limit` records of one client, newest first. Blocks, as [`History::append`] does.
    pub fn for_client(&self, client: &str, limit: usize) -> Result<Vec<HistoryEntry>, Error> {
        let mine = self.newest(limit, |entry| {
            entry.record.client.id == client && !entry.record.action.is_about_pin()
        })?;
        let told = mine.into_iter().rev().filter_map(|entry| {
            Some(HistoryEntry {
                seq: entry.seq,
                time: entry.time,
                action: entry.record.action.name().to_owned(),
                origin: entry.record.origin?,
                top_origin: entry.record.top_origin,
                origin_attested: entry.record.origin_attested,
                outcome: entry.record.outcome,
            })
        });
        Ok(told.collect())
    }

    /// The newest `limit` records that `wanted` picks, oldest first. Damaged lines are
    /// left out here; [`History::verify`] tells of them.
    pub fn newest(&self, limit: usize, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, Error> {
        let mut found = VecDeque::new();
        self.each_line(|_, line| {
            if let Ok((entry, _)) = chain::parse(line)
                && wanted(&entry)
            {
                if found.len() == limit {
                    found.pop_front();
                }
                found.push_back(entry);
            }
            true
        })?;
        found.truncate(limit);
        Ok(found.into())
    }

    /// Walks the whole chain.
    pub fn verify(&self) -> Result<Result<Verified, Broken>, Error> {
        let mut walk = verify::Walk::default();
        self.each_line(|number, line| walk.step(number, line))?;
        Ok(walk.end())
    }

    /// Calls `each` with every line (its number from 1, its bytes with their line feed)
    /// until it returns `false`. No file, no lines.
    fn each_line(&self, mut each: impl FnMut(u64, &[u8]) -> bool) -> Result<(), Error> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.fault(&error)),
        };
        flock(&file, FlockOperation::LockShared).map_err(|error| self.fault(&error.into()))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = reader
                .read_until(b'\n', &mut line)
                .map_err(|error| self.fault(&error))?;
            if read == 0 || !each(number, &line) {
                break;
            }
        }
        Ok(())
    }

    fn file(&self) -> std::io::Result<File> {
        OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
    }

    fn fault(&self, error: &std::io::Error) -> Error {
        tracing::error!(path = %self.path.display(), %error, "the history");
        Error::History(error.to_string())
    }
}

/// Makes a new file's name as durable as its contents.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
