//! `eid-agent pin`: changes the PIN of a card, or gives a locked one a new value and its tries back.

use std::process::ExitCode;

use agent::app::App;
use agent::case::Client;
use agent::legible::legible;
use agent::life::Life;
use agent::prompt::Task;
use agent::renew::Renewer;
use agent::token::{Management, TokenInfo};
use clap::{Args, Subcommand};
use plugin_protocol::api::PinState;
use serde_json::json;

use super::speak::{print, print_json, word};
use super::{Failure, Flags, Overrides, runtime};
use crate::setup::Setup;

/// PINs are typed in the agent's window or on this terminal, never in the command.
#[derive(Subcommand)]
pub(crate) enum Pin {
    /// Change a PIN that you know
    Change(Change),
    /// Give a locked PIN a new value with the code for that (PUK)
    Unblock(Unblock),
}

/// Changes a PIN. Each attempt spends one try of the old one; the last one is not spent without asking.
#[derive(Args)]
pub(crate) struct Change {
    #[command(flatten)]
    which: Which,
}

/// Unblocks a PIN. Each attempt spends one try of the code; the last one is not spent without asking.
#[derive(Args)]
pub(crate) struct Unblock {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
struct Which {
    /// The PIN: a token's id or label (see `eid-agent tokens`) or the PIN's name (PIN1); needed where there are several
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
    #[command(flatten)]
    overrides: Overrides,
}

impl Pin {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let (which, unblock) = match self {
            Self::Change(command) => (&command.which, false),
            Self::Unblock(command) => (&command.which, true),
        };
        let app = Setup::load(flags, &which.overrides, "warn")?.app()?;
        let token = runtime()?.block_on(renew(&app, which.token.as_deref(), unblock))?;
        let done = if unblock { "unblocked" } else { "changed" };
        if flags.json {
            return print_json(&json!({ "token": token.summary(), "done": done }));
        }
        print(&format!("{} is {done}.", called(&token)))
    }
}

async fn renew(app: &App, wanted: Option<&str>, unblock: bool) -> Result<TokenInfo, Failure> {
    let (token, management) = choose(app, wanted, unblock).await?;
    let task = match (unblock, management.unblock, token.pin.state) {
        (true, Some(code), _) => Task::Unblock(code),
        (_, _, PinState::MustChange) => Task::ChangeFirst,
        _ => Task::Change,
    };
    let tries = token
        .pin
        .tries_left
        .map_or(String::new(), |left| format!(", tries left: {left}"));
    eprintln!("eid-agent: {}, {}{tries}", called(&token), word(&token.pin.state));
    let _window = app.window.try_open()?;
    let renewer = Renewer {
        app,
        client: &Client::CommandLine,
        life: &Life::new(app.config.deadlines.operation),
        within: None,
    };
    Ok(renewer.renew(&token, task).await?)
}

/// The one token that is meant, of those whose PIN can be treated so here.
async fn choose(app: &App, wanted: Option<&str>, unblock: bool) -> Result<(TokenInfo, Management), Failure> {
    let mut failures = Vec::new();
    let mut present = Vec::new();
    for listed in app.tokens.listing().await {
        failures.extend(listed.shortfall.map(|error| format!("{}: {error}", listed.source)));
        match listed.tokens {
            Ok(tokens) => present.extend(tokens),
            Err(error) => failures.push(format!("{}: {error}", listed.source)),
        }
    }
    let (mut able, mut unasked) = (Vec::new(), None);
    for token in present
        .iter()
        .filter(|token| wanted.is_none_or(|name| is_called(token, name)))
    {
        // A card that another program keeps is not a reason to do nothing to the one that is meant.
        let management = match app.tokens.management(&token.id).await {
            Ok(management) => management,
            Err(error) => {
                failures.push(format!("{}: {error}", called(token)));
                unasked.get_or_insert(error);
                continue;
            }
        };
        let can = match unblock {
            true => management.unblock.is_some(),
            false => management.change,
        };
        if can {
            able.push((token.clone(), management));
        }
    }
    if able.len() > 1 {
        let list: String = able
            .iter()
            .map(|(token, _)| format!("\n  {}  {}", token.id, called(token)))
            .collect();
        let why = format!("several PINs are here; name one by the id in front of it:{list}");
        return Err(Failure::usage(why));
    }
    failures.extend(app.tokens.strangers().iter().map(ToString::to_string));
    match (able.pop(), unasked) {
        (Some(one), _) => Ok(one),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(none(&present, wanted, unblock, failures)),
    }
}

/// Why nothing can be done.
fn none(present: &[TokenInfo], wanted: Option<&str>, unblock: bool, failures: Vec<String>) -> Failure {
    let verb = if unblock { "unblocked" } else { "changed" };
    let named = |name| present.iter().any(|token| is_called(token, name));
    let why = match (present.is_empty(), wanted) {
        (true, _) if !failures.is_empty() => "no card or token that can be used is here".to_owned(),
        (true, _) => "no card or token is here; insert it and try again".to_owned(),
        (false, Some(name)) if !named(name) => {
            format!(
                "no token here has the id, label or PIN {}; see `eid-agent tokens`",
                legible(name)
            )
        }
        _ => format!(
            "the PIN of this token is not {verb} by eid-agent: what it can do here, `eid-agent tokens` says; \
             its own tool, or its issuer, may"
        ),
    };
    Failure::other([vec![why], failures].concat().join("\n"))
}

fn is_called(token: &TokenInfo, name: &str) -> bool {
    let pin = token.pin.name.as_deref();
    token.id.as_str() == name || token.label == name || pin.is_some_and(|pin| pin.eq_ignore_ascii_case(name))
}

/// The PIN as the person knows it.
fn called(token: &TokenInfo) -> String {
    let pin = token.pin.name.as_deref().unwrap_or("the PIN");
    let reader = token
        .reader
        .as_ref()
        .map_or(String::new(), |reader| format!(" in {}", legible(reader)));
    format!("{} of «{}»{reader}", legible(pin), legible(&token.label))
}
