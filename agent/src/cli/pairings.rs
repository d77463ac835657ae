//! `eid-agent pairings`: which plugins may speak.

use std::fmt::Write;
use std::process::ExitCode;

use agent::pairing;
use clap::Subcommand;
use serde_json::json;

use super::speak::{print, print_json};
use super::{Failure, Flags};

#[derive(Subcommand)]
pub(crate) enum Pairings {
    /// List them, oldest first
    List,
    /// End one: its plugin is refused from now on, by a running daemon too
    Revoke {
        /// Its id, or the first characters of it
        // One id in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
}

impl Pairings {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let pairings = pairing::Pairings::open(&flags.places()?.state)?;
        match self {
            Self::List => list(&pairings, flags.json),
            Self::Revoke { id } => revoke(&pairings, id),
        }
    }
}

fn list(pairings: &pairing::Pairings, json: bool) -> Result<ExitCode, Failure> {
    let list = pairings.list()?;
    if json {
        return print_json(&json!({ "pairings": list }));
    }
    let mut text = String::new();
    for pairing in &list {
        let _ = writeln!(
            text,
            "{}  since {}  calls itself {:?}",
            pairing.id, pairing.created, pairing.name
        );
    }
    print(if text.is_empty() { "No plugin is paired." } else { &text })
}

fn revoke(pairings: &pairing::Pairings, id: &str) -> Result<ExitCode, Failure> {
    let list = pairings.list()?;
    let named: Vec<_> = list
        .iter()
        .filter(|pairing| !id.is_empty() && pairing.id.starts_with(id))
        .collect();
    match named[..] {
        [one] => {
            pairings.revoke(&one.id)?;
            print(&format!("{:?} ({}) is no longer paired.", one.name, one.id))
        }
        [] => Err(Failure::other(format!(
            "no pairing has the id {id}; see `eid-agent pairings list`"
        ))),
        _ => Err(Failure::usage(format!(
            "{} pairings begin with {id}; give more of it",
            named.len()
        ))),
    }
}
