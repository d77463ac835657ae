//! `eid-agent history`: what was signed or handed over, where, when.

use std::fmt::Write;
use std::process::ExitCode;

use agent::history::{self, Entry};
use clap::{Args, Subcommand};
use serde_json::json;

use super::speak::{counted, print, print_json, word};
use super::{Failure, Flags};

/// Shows the newest records, or checks the chain of all of them.
#[derive(Args)]
pub(crate) struct History {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Show the newest records, oldest of them first
    Show {
        /// How many
        #[arg(long, default_value_t = NEWEST)]
        limit: usize,
    },
    /// Check every record against its hash and the record before it
    Verify,
}

const NEWEST: usize = 20;

impl History {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let history = history::History::open(flags.places()?.history())?;
        match self.what {
            None => show(&history, NEWEST, flags.json),
            Some(What::Show { limit }) => show(&history, limit, flags.json),
            Some(What::Verify) => verify(&history, flags.json),
        }
    }
}

fn show(history: &history::History, limit: usize, json: bool) -> Result<ExitCode, Failure> {
    let entries = history.newest(limit, |_| true)?;
    if json {
        return print_json(&json!({ "file": history.path(), "entries": entries }));
    }
    let mut text = format!("{}\n", history.path().display());
    if entries.is_empty() {
        text += "Nothing was asked for yet.\n";
    }
    entries.iter().for_each(|entry| text += &line(entry));
    print(&text)
}

fn line(entry: &Entry) -> String {
    let record = &entry.record;
    let mut line = format!(
        "{:>5}  {}  {}  {}  {}",
        entry.seq,
        entry.time,
        record.action.name(),
        record.origin.as_ref().map_or("-", |origin| origin.as_str()),
        record.outcome
    );
    if let Some(top) = &record.top_origin {
        let _ = write!(line, "  in {top}");
    }
    if !record.origin_attested {
        line += "  (page not known)";
    }
    if let Some(format) = record.format {
        let _ = write!(line, "  {format}");
    }
    if let Some(token) = &record.token {
        let _ = write!(line, "  {}", word(&token.kind));
    }
    if let Some(certificate) = &record.certificate {
        let _ = write!(
            line,
            "  certificate {}",
            certificate.sha256.get(..16).unwrap_or_default()
        );
    }
    let _ = write!(line, "  for {:?}", record.client.name);
    line += if record.test { "  (test)\n" } else { "\n" };
    line
}

fn verify(history: &history::History, json: bool) -> Result<ExitCode, Failure> {
    let path = history.path().display();
    match history.verify()? {
        Err(broken) => Err(Failure::refused(format!("{path}, {broken}"))),
        Ok(verified) if json => print_json(&json!({
            "file": history.path(),
            "records": verified.records,
            "torn_bytes": verified.torn,
            "head": verified.head,
        })),
        Ok(verified) => {
            let mut text = format!(
                "{path}: {}, each follows the one before it\nhead {}\n",
                counted(verified.records, "record", "records"),
                verified.head
            );
            if verified.torn > 0 {
                let _ = writeln!(
                    text,
                    "{} bytes at its end are a torn line, for which nobody was answered; the next record sets them aside",
                    verified.torn
                );
            }
            print(&text)
        }
    }
}
