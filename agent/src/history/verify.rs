//! The walk along the chain, and the first place where it breaks.

use std::fmt;

use super::chain::{self, NO_HASH};

/// A chain without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Records in it.
    pub records: u64,
    /// Bytes of a torn line at the end, which the next record will set aside.
    pub torn: usize,
    /// The hash of the last record: whoever keeps it can tell later that nothing before it was cut off.
    pub head: String,
}

/// Where the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// The walk so far.
#[derive(Default)]
pub(super) struct Walk {
    records: u64,
    torn: usize,
    head: Option<String>,
    broken: Option<Broken>,
}

impl Walk {
    /// Takes the next line; whether to go on.
    pub(super) fn step(&mut self, number: u64, line: &[u8]) -> bool {
        if !line.ends_with(b"\n") {
            self.torn = line.len();
            return false;
        }
        match self.follow(line) {
            Ok(hash) => {
                self.records += 1;
                self.head = Some(hash);
            }
            Err(why) => self.broken = Some(Broken { line: number, why }),
        }
        self.broken.is_none()
    }

    fn follow(&self, line: &[u8]) -> Result<String, String> {
        let (entry, hash) = chain::parse(line)?;
        let expected = self.records + 1;
        if entry.seq != expected {
            return Err(format!(
                "its number is {}, not {expected}: records are missing",
                entry.seq
            ));
        }
        if entry.prev != self.head.as_deref().unwrap_or(NO_HASH) {
            return Err("it does not follow the line before: that one was changed or replaced".to_owned());
        }
        Ok(hash)
    }

    pub(super) fn end(self) -> Result<Verified, Broken> {
        match self.broken {
            Some(broken) => Err(broken),
            None => Ok(Verified {
                records: self.records,
                torn: self.torn,
                head: self.head.unwrap_or_else(|| NO_HASH.to_owned()),
            }),
        }
    }
}
