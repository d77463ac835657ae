//! The mock's own state directory: marked as a mock's, and never one that a person uses.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::script::Script;
use crate::private_file;

/// The file that marks it, locked while a mock runs there.
const MARK: &str = "this-is-a-mock";

/// Whether this is a mock's state directory: its pairings were agreed to by nobody.
pub fn is_mock(state: &Path) -> bool {
    state.join(MARK).exists()
}

/// A mock's state directory.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    _lock: Option<File>,
}

impl Home {
    /// Makes or takes over a directory for a mock that runs, until this is dropped.
    ///
    /// What is neither empty nor marked is left as it is; so is one where a mock runs already.
    pub fn enter(path: &Path) -> io::Result<Self> {
        private_file::create_directory(path)?;
        if !is_mock(path) && fs::read_dir(path)?.next().is_some() {
            return Err(told(
                path,
                "is not empty and no mock's; a mock keeps away from real state, give it another --state",
            ));
        }
        let mark = path.join(MARK);
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(mark)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(told(path, "is another running mock's; give this one another --state"));
        }
        if file.metadata()?.len() == 0 {
            file.write_all(b"The state of `eid-agent mock`: whoever is paired here was agreed to by nobody.\n")?;
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: Some(file),
        })
    }

    /// Looks at a mock's directory, whether or not it runs.
    pub fn of(path: &Path) -> io::Result<Self> {
        match is_mock(path) {
            true => Ok(Self {
                path: path.to_owned(),
                _lock: None,
            }),
            false => Err(told(
                path,
                "is no mock's state; start one with `eid-agent mock`, or give its --state",
            )),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The outcomes to come.
    pub fn script(&self) -> Script {
        Script::at(self.path.join("script"))
    }
}

fn told(path: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{} {why}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_mock_keeps_out_of_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        private_file::create_directory(&real).unwrap();
        fs::write(real.join("pairings.json"), "{}").unwrap();
        let refused = Home::enter(&real).unwrap_err().to_string();
        assert!(refused.contains("keeps away from real state"), "{refused}");
        assert!(
            !is_mock(&real) && fs::read_dir(&real).unwrap().count() == 1,
            "nothing was left there"
        );
        assert!(Home::of(&real).is_err());

        let own = folder.path().join("own");
        let home = Home::enter(&own).unwrap();
        assert!(is_mock(&own));
        let second = Home::enter(&own).unwrap_err().to_string();
        assert!(second.contains("another running mock"), "{second}");
        assert!(Home::of(&own).is_ok(), "its script can be changed");
        drop(home);
        assert!(Home::enter(&own).is_ok(), "and it can be entered again");
    }
}
