//! The count of PIN tries left, kept on disk as a card keeps it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::private_file;

/// The count, held exclusively while a PIN is compared.
pub(super) struct Tries {
    path: PathBuf,
    most: u8,
    _lock: File,
}

impl Tries {
    /// Reads the count without waiting for anyone; what is no number counts as no try.
    pub(super) fn left(path: &Path, most: u8) -> io::Result<u8> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(text.trim().parse().unwrap_or(0).min(most)),
            // Removed by hand: the documented way to unlock.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(most),
            Err(error) => Err(error),
        }
    }

    /// Spends a try on disk before the PIN is looked at; `None` where none is left.
    pub(super) fn spend(path: &Path, most: u8) -> io::Result<Option<(Self, u8)>> {
        let tries = Self {
            path: path.to_owned(),
            most,
            _lock: private_file::lock(path)?,
        };
        match Self::left(path, most)?.checked_sub(1) {
            Some(left) => tries.write(left).map(|()| Some((tries, left))),
            None => Ok(None),
        }
    }

    /// Sets the count, whatever it was.
    pub(super) fn reset(path: &Path, left: u8) -> io::Result<()> {
        let tries = Self {
            path: path.to_owned(),
            most: left,
            _lock: private_file::lock(path)?,
        };
        tries.write(left)
    }

    /// The PIN was right: all tries are there again.
    pub(super) fn right(self) -> io::Result<()> {
        self.write(self.most)
    }

    fn write(&self, left: u8) -> io::Result<()> {
        private_file::replace(&self.path, format!("{left}\n").as_bytes())
    }
}
