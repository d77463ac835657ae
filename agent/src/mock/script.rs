//! The script: the outcomes of the next operations, in a file that anyone may rewrite while the mock runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::outcome::Outcome;
use crate::error::Error;
use crate::private_file;

/// The file: one outcome a line, the next one first; the last one repeats.
#[derive(Clone, Debug)]
pub struct Script {
    path: PathBuf,
}

impl Script {
    /// At this path; it need not be there.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces what is to come.
    pub fn write(&self, outcomes: &[Outcome]) -> io::Result<()> {
        let _one_at_a_time = private_file::lock(&self.path)?;
        self.replace(outcomes)
    }

    /// The outcome of the next operation.
    pub fn next(&self) -> Result<Outcome, Error> {
        Ok(self.read()?[0])
    }

    /// Takes the outcome of an operation that begins; the last one stays.
    pub(super) fn take(&self) -> Result<Outcome, Error> {
        let failed = |error: io::Error| self.wrong(&error.to_string());
        let _one_at_a_time = private_file::lock(&self.path).map_err(failed)?;
        let outcomes = self.read()?;
        if outcomes.len() > 1 {
            self.replace(&outcomes[1..]).map_err(failed)?;
        }
        Ok(outcomes[0])
    }

    fn replace(&self, outcomes: &[Outcome]) -> io::Result<()> {
        let lines: String = outcomes.iter().map(|outcome| format!("{outcome}\n")).collect();
        private_file::replace(&self.path, lines.as_bytes())
    }

    /// At least one.
    fn read(&self) -> Result<Vec<Outcome>, Error> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(self.wrong(&error.to_string())),
        };
        let names = text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
        let outcomes: Result<Vec<Outcome>, _> = names.map(str::parse).collect();
        match outcomes {
            Ok(none) if none.is_empty() => Ok(vec![Outcome::Confirmed]),
            Ok(outcomes) => Ok(outcomes),
            Err(unknown) => Err(self.wrong(&unknown.to_string())),
        }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Internal(format!("the mock's script {}: {why}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_one_repeats_and_a_new_script_takes_over() {
        let folder = tempfile::tempdir().unwrap();
        let script = Script::at(folder.path().join("script"));
        assert_eq!(script.take().unwrap(), Outcome::Confirmed, "without a script");
        script.write(&[Outcome::Declined, Outcome::Busy]).unwrap();
        assert_eq!(script.next().unwrap(), Outcome::Declined, "looking takes nothing");
        for outcome in [Outcome::Declined, Outcome::Busy, Outcome::Busy] {
            assert_eq!(script.take().unwrap(), outcome);
        }
        fs::write(script.path(), "no-token, confirmed\n").unwrap();
        assert_eq!(script.take().unwrap(), Outcome::NoToken);
        assert_eq!(script.take().unwrap(), Outcome::Confirmed);
        fs::write(script.path(), "conformed\n").unwrap();
        assert!(script.take().unwrap_err().to_string().contains("conformed"));
    }
}
