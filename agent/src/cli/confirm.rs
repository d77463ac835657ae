//! `eid-agent confirm`: the same use case, asked for from the terminal.

use std::process::ExitCode;

use agent::case::Client;
use agent::confirm::{Confirmation, confirm};
use agent::life::Life;
use clap::{Args, ValueEnum};
use plugin_protocol::api::{ConfirmationRequest, OperationState};
use plugin_protocol::{Challenge, Origin, Purpose};

use super::speak::print_json;
use super::{Failure, Flags, Overrides, runtime};
use crate::setup::Setup;

/// Confirms an identity to a portal whose challenge was brought here by hand. Asks as
/// the daemon does, and prints the proof as JSON.
#[derive(Args)]
pub(crate) struct Confirm {
    /// The portal: https://HOST
    #[arg(long, value_name = "URL")]
    origin: Origin,
    /// Its challenge
    #[arg(long, value_name = "TEXT")]
    challenge: Challenge,
    /// web-eid:1.0, jws, cms, cms-challenge or uec
    #[arg(long, default_value = "web-eid:1.0", value_name = "NAME")]
    format: String,
    /// For cms and cms-challenge: leave the content out
    #[arg(long)]
    detached: bool,
    /// For uec: have the holder sign as well, with PIN2
    #[arg(long)]
    holder_signature: bool,
    /// What is agreed to
    #[arg(long, value_enum, default_value = "confirm-identity")]
    purpose: For,
    /// Only the token with this id (see `eid-agent tokens`)
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    #[command(flatten)]
    overrides: Overrides,
}

/// What is agreed to.
#[derive(Clone, Copy, ValueEnum)]
enum For {
    /// Raise an account to "confirmed"
    ConfirmIdentity,
    /// Sign in to an account
    SignIn,
}

impl Confirm {
    fn request(&self) -> ConfirmationRequest {
        ConfirmationRequest {
            origin: self.origin.clone(),
            top_origin: None,
            challenge: self.challenge.clone(),
            format: self.format.clone(),
            detached: self.detached,
            holder_signature: self.holder_signature,
            purpose: match self.purpose {
                For::ConfirmIdentity => Purpose::ConfirmIdentity,
                For::SignIn => Purpose::SignIn,
            },
            token: self.token.clone(),
            certificate: None,
            origin_attested: true,
        }
    }

    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let app = Setup::load(flags, &self.overrides, "warn")?.app()?;
        let client = Client::CommandLine;
        let ending = runtime()?.block_on(async {
            let confirmation = Confirmation::parse(self.request())?;
            if let Err(why) = confirmation.allowed(&app) {
                return Err(confirmation.refuse(&app, &client, why).await);
            }
            let _window = app.window.try_open()?;
            let life = Life::new(app.config.deadlines.operation);
            Ok::<_, agent::Error>(confirm(&app, &client, &confirmation, &life, &tell).await)
        })?;
        let proof = ending.result?;
        if ending.test {
            eprintln!("eid-agent: made with a test token, or without asking anyone: this proves no person");
        }
        print_json(&proof)
    }
}

fn tell(state: OperationState) {
    match state {
        OperationState::AwaitingToken => eprintln!("eid-agent: insert a card or token"),
        OperationState::Signing => eprintln!("eid-agent: signing"),
        _ => {}
    }
}
