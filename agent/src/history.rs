//! What was signed, where, when: an append-only, hash-chained text file.

use std::path::{Path, PathBuf};

use plugin_protocol::api::HistoryEntry;

use crate::error::Error;

/// The history file.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
}

impl History {
    /// The history in the file `path`, created when the first record is written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self {
            path: path.as_ref().to_owned(),
        })
    }

    /// The newest `limit` records of one client, newest first.
    pub fn for_client(&self, _client: &str, _limit: usize) -> Result<Vec<HistoryEntry>, Error> {
        Err(Error::History(format!("{} is not built yet", self.path.display())))
    }
}
