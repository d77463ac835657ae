//! `eid-agent tokens`: what is plugged in, and what is on it.

use std::fmt::Write;
use std::process::ExitCode;

use agent::certificate::{Role, Summary, Unfit};
use agent::clock::Clock;
use agent::legible::legible;
use agent::prompt::{Language, Texts};
use agent::token::discover;
use agent::token::worker::Tokens;
use agent::token::{Credential, ReaderInfo, TokenInfo};
use agent::{Error, private_file};
use clap::Args;
use plugin_protocol::encoding::{hex, sha256};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::speak::{print, print_json, word};
use super::{Failure, Flags, Overrides, runtime};
use crate::setup::Setup;

pub(in crate::cli) mod readers;

/// Lists the tokens present now with their certificates, fit or not. No PIN is needed.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    overrides: Overrides,
}

/// A token with its certificates, or why they cannot be read.
type Shown = (TokenInfo, Result<Vec<Credential>, Error>);

impl List {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let setup = Setup::load(flags, &self.overrides, "warn")?;
        private_file::create_directory(&setup.places.state)?;
        let tokens = Tokens::new(discover(&setup.config, &setup.places.state).sources);
        let (shown, readers, mut failures) = runtime()?.block_on(async {
            let (shown, failures) = look(&tokens).await;
            (shown, readers(&tokens).await, failures)
        });
        // A file that is not there is no token, and no failure of one either; but it was asked for.
        let missing = setup.config.software.pkcs12.iter().filter(|file| !file.exists());
        failures.extend(missing.map(|file| format!("{} is not there", file.display())));
        let now = Clock::system().now();
        if flags.json {
            let list: Vec<Value> = shown.iter().map(|token| as_json(token, now)).collect();
            let readers: Vec<Value> = readers.iter().map(readers::as_json).collect();
            return print_json(&json!({ "tokens": list, "readers": readers, "failed": failures }));
        }
        let mut text: String = shown.iter().map(|token| as_text(token, now)).collect();
        if text.is_empty() && failures.is_empty() {
            text += "No token is present.\n";
        }
        text.extend(readers.iter().map(readers::as_text));
        for failure in failures {
            let _ = writeln!(text, "{failure}");
        }
        print(&text)
    }
}

/// The card readers; a service that does not answer was told of already.
async fn readers(tokens: &Tokens) -> Vec<ReaderInfo> {
    let told = tokens.readers().await;
    told.into_iter()
        .flat_map(|(_, readers)| readers.unwrap_or_default())
        .collect()
}

async fn look(tokens: &Tokens) -> (Vec<Shown>, Vec<String>) {
    let (mut shown, mut failures) = (Vec::new(), Vec::new());
    for listed in tokens.listing().await {
        match listed.tokens {
            Err(error) => failures.push(format!("{}: {error}", listed.source)),
            Ok(present) => {
                for token in present {
                    let credentials = tokens.credentials(&token.id).await;
                    shown.push((token, credentials));
                }
            }
        }
    }
    (shown, failures)
}

fn as_text((token, credentials): &Shown, now: OffsetDateTime) -> String {
    let texts = Texts::new(Language::En);
    let mut text = format!(
        "{} «{}», PIN {}",
        word(&token.kind),
        legible(&token.label),
        word(&token.pin.state)
    );
    if let Some(left) = token.pin.tries_left {
        let _ = write!(text, " ({left} tries left)");
    }
    if token.test {
        text += ", for tests only";
    }
    let _ = writeln!(text, "\n  id {}", token.id);
    match credentials {
        Err(error) => {
            let _ = writeln!(text, "  {error}");
        }
        Ok(credentials) => {
            if credentials.is_empty() {
                let _ = writeln!(text, "  no certificate with a key that signs is on it");
            }
            for credential in credentials {
                let summary = Summary::read(&credential.certificate);
                let _ = writeln!(text, "  {}", certificate_line(summary.as_ref(), credential, now));
                for claim in summary.iter().flat_map(|summary| texts.claims(&summary.qualified)) {
                    let _ = writeln!(text, "    {claim}");
                }
            }
        }
    }
    text
}

fn certificate_line(summary: Option<&Summary>, credential: &Credential, now: OffsetDateTime) -> String {
    let Some(summary) = summary else {
        return "a certificate that cannot be read".to_owned();
    };
    let until = summary.not_after.date();
    format!(
        "{}, issued by {}, serial {}, key {}, valid until {until}: {}",
        legible(&summary.name),
        legible(&summary.issuer),
        summary.serial,
        summary.key,
        uses(summary, credential, now).join(", ")
    )
}

/// What a certificate may be used for, or why for nothing.
fn uses(summary: &Summary, credential: &Credential, now: OffsetDateTime) -> Vec<&'static str> {
    if let Some(why) = credential.unusable() {
        return vec![why];
    }
    let roles = [
        (Role::Authentication, "confirms identity"),
        (Role::Signing, "signs documents"),
    ];
    let fit: Vec<_> = roles
        .iter()
        .filter(|(role, _)| summary.fit(*role, now).is_ok())
        .map(|(_, use_)| *use_)
        .collect();
    if !fit.is_empty() {
        return fit;
    }
    let why = |role| summary.fit(role, now).err();
    vec![match why(Role::Authentication)
        .filter(|unfit| *unfit != Unfit::WrongUsage)
        .or(why(Role::Signing))
    {
        Some(Unfit::Expired) => "expired",
        Some(Unfit::NotYetValid) => "not valid yet",
        Some(Unfit::Authority) => "a certification authority's own",
        _ => "its key usage allows neither confirming nor signing",
    }]
}

fn as_json((token, credentials): &Shown, now: OffsetDateTime) -> Value {
    let mut value = json!(token.summary());
    value["label"] = json!(token.label);
    match credentials {
        Err(error) => value["problem"] = json!(error.problem()),
        Ok(credentials) => {
            let list = credentials.iter().map(|credential| {
                let summary = Summary::read(&credential.certificate);
                json!({
                    "sha256": hex(&sha256(&credential.certificate)),
                    "name": summary.as_ref().map(|summary| &summary.name),
                    "issuer": summary.as_ref().map(|summary| &summary.issuer),
                    "serial": summary.as_ref().map(|summary| &summary.serial),
                    "key": summary.as_ref().map(|summary| &summary.key),
                    "not_after": summary.as_ref().map(|summary| plugin_protocol::statement::rfc3339(summary.not_after)),
                    "uses": summary.as_ref().map(|summary| uses(summary, credential, now)),
                    "qualified": summary.as_ref().map(|summary| &summary.qualified),
                })
            });
            value["certificates"] = list.collect();
        }
    }
    value
}
