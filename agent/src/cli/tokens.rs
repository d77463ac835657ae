//! `eid-agent tokens`: what is plugged in, and what is on it.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use agent::certificate::{Role, Summary, Unfit};
use agent::clock::Clock;
use agent::config::Config;
use agent::legible::legible;
use agent::prompt::{Language, Texts};
use agent::token::pkcs11::discover::Origin;
use agent::token::worker::Tokens;
use agent::token::{Credential, Discovered, ReaderInfo, TokenInfo, discover};
use agent::{Error, private_file};
use clap::Args;
use plugin_protocol::encoding::{hex, sha256};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::speak::{counted, print, print_json, word};
use super::{Failure, Flags, Overrides, runtime};
use crate::setup::Setup;

pub(in crate::cli) mod readers;

/// The exit code where something could not be looked at: the rest is listed all the same.
const INCOMPLETE: u8 = 3;

/// Lists the tokens present now with their certificates, fit or not. No PIN is needed.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 all was looked at (a PC/SC service that is not there counts as no reader); 3 a module, \
                        a card or a file that is configured could not be: the last lines, or `failed` in JSON, say which and \
                        why, and the rest is listed; 1 failed; 2 wrong usage or configuration."
)]
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
        let found = discover(&setup.config, &setup.places.state);
        let mut failures: Vec<String> = missing(&setup.config, &found).collect();
        let tokens = Tokens::new(found.sources);
        let (shown, readers, failed) = runtime()?.block_on(async {
            let (shown, failed) = look(&tokens).await;
            (shown, readers(&tokens).await, failed)
        });
        let is_complete = failures.is_empty() && !failed.iter().any(|(_, error)| counts(error));
        failures.extend(failed.iter().map(|(source, error)| format!("{source}: {error}")));
        let now = Clock::system().now();
        if flags.json {
            let list: Vec<Value> = shown.iter().map(|token| as_json(token, now)).collect();
            let readers: Vec<Value> = readers.iter().map(readers::as_json).collect();
            print_json(&json!({ "tokens": list, "readers": readers, "failed": failures }))?;
        } else {
            print(&as_lines(&shown, &readers, &failures, now))?;
        }
        Ok(match is_complete {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(INCOMPLETE),
        })
    }
}

fn as_lines(shown: &[Shown], readers: &[ReaderInfo], failures: &[String], now: OffsetDateTime) -> String {
    let mut text: String = shown.iter().map(|token| as_text(token, now)).collect();
    if text.is_empty() && failures.is_empty() {
        text += "No token is present.\n";
    }
    text.extend(readers.iter().map(readers::as_text));
    for failure in failures {
        let _ = writeln!(text, "{failure}");
    }
    text
}

/// What the configuration names and is not there, or may not be used. No failure of a token's, but it was asked for.
fn missing<'a>(config: &'a Config, found: &'a Discovered) -> impl Iterator<Item = String> {
    let modules = found.modules.skipped.iter();
    let modules = modules.filter(|skipped| skipped.origin == Origin::Config && !is_off(config, &skipped.path));
    let modules = modules.map(|skipped| format!("{}: {}", skipped.path.display(), skipped.reason));
    let files = config.software.pkcs12.iter().filter(|file| !file.exists());
    modules.chain(files.map(|file| format!("{} is not there", file.display())))
}

fn is_off(config: &Config, path: &Path) -> bool {
    let mut named = config.pkcs11.modules.iter().filter(|module| module.path == path);
    named.any(|module| !module.enabled)
}

/// Whether the list lacks something because of it. Where no service for readers runs, nobody has a card in one.
fn counts(error: &Error) -> bool {
    !matches!(error, Error::ReaderService(_))
}

/// The card readers; a service that does not answer was told of already.
async fn readers(tokens: &Tokens) -> Vec<ReaderInfo> {
    let told = tokens.readers().await;
    told.into_iter()
        .flat_map(|(_, readers)| readers.unwrap_or_default())
        .collect()
}

async fn look(tokens: &Tokens) -> (Vec<Shown>, Vec<(String, Error)>) {
    let (mut shown, mut failures) = (Vec::new(), Vec::new());
    for listed in tokens.listing().await {
        failures.extend(listed.shortfall.map(|error| (listed.source.clone(), error)));
        match listed.tokens {
            Err(error) => failures.push((listed.source, error)),
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
        let _ = write!(text, " ({} left)", counted(left.into(), "try", "tries"));
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
        Err(error) => {
            value["problem"] = json!(error.problem());
            // Its owner is told the whole, of which a page is not.
            value["problem"]["detail"] = json!(error.to_string());
        }
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
