//! `eid-agent demo`: the whole path with real processes and test parts.

mod child;
mod stage;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use agent::history::History;
use clap::Args;

use self::stage::{Programs, Stage};
use self::words::Words;
use super::speak::print;
use super::{Failure, Flags};

/// Starts a portal, an agent with the software token and a plugin, lets the three meet,
/// and says what happened. Nothing it does proves anything about a person.
#[derive(Args)]
pub(crate) struct Demo {}

/// The formats shown and the key, by the name of its files; the one that is told of at length first.
const SHOWN: [(&str, &str); 5] = [
    ("jws", "p256"),
    ("web-eid:1.0", "p256"),
    ("cms", "p256"),
    ("cms", "gost256"),
    ("cms", "gost512"),
];

impl Demo {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let words = Words::choose();
        let programs = Programs::beside_this_one()?;
        let state = self.state(flags)?;
        print(&words.begin())?;

        let started = Instant::now();
        let mut stage = Stage::set(&programs, &state)?;
        let set = started.elapsed();
        print(&words.portal(stage.portal()))?;
        let digits = stage.pair(&programs)?;
        print(&words.paired(stage.agent(), &digits))?;

        for (index, (format, key)) in SHOWN.into_iter().enumerate() {
            let confirmed = stage.confirm(&programs, format, key)?;
            match index {
                0 => print(&words.confirmed(&confirmed))?,
                _ => print(&words.also(&confirmed))?,
            };
        }
        stage.end()?;
        self.history(&state, &words)?;
        print(&words.end(set, rounded(started.elapsed())))
    }

    /// Its own directory, so that nothing of the person's is touched.
    fn state(&self, flags: &Flags) -> Result<PathBuf, Failure> {
        Ok(match flags.state.clone() {
            Some(given) => given,
            None => flags.places()?.state.join("demo"),
        })
    }

    fn history(&self, state: &std::path::Path, words: &Words) -> Result<(), Failure> {
        let history = History::open(state.join("history.jsonl"))?;
        match history.verify()? {
            Ok(verified) => print(&words.history(history.path(), verified.records)).map(|_| ()),
            Err(broken) => Err(Failure::refused(format!("{}, {broken}", history.path().display()))),
        }
    }
}

fn rounded(time: Duration) -> Duration {
    Duration::from_millis(time.as_millis() as u64)
}
