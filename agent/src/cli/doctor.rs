//! `eid-agent doctor`: what works here, what does not, and what helps.

mod browsers;
mod cards;
mod checks;
mod port;

pub(in crate::cli) use port::{agent_answers, running};

use std::process::ExitCode;

use agent::config::Config;
use agent::history::History;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::speak::{print, print_json};
use super::{Failure, Flags, Overrides, runtime};

/// Checks configuration, state directory, history, port, modules, tokens, prompt, browsers
/// and clock: one line each, with a remedy where one is needed. Needs no PIN.
#[derive(Args)]
pub(crate) struct Doctor {
    /// The port to look at on 127.0.0.1 [default: the first free one of 47290, 47291, 47292]
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    overrides: Overrides,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    verdict: Verdict,
    what: String,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            what: what.to_owned(),
            found: found.into(),
            remedy: None,
        }
    }

    fn warn(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            remedy: Some(remedy.into()),
            ..Self::ok(what, found)
        }
    }

    fn fail(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(what, found, remedy)
        }
    }

    fn line(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        let remedy = self.remedy.as_ref().map(|remedy| format!("; {remedy}"));
        format!(
            "{verdict}  {}: {}{}\n",
            self.what,
            self.found,
            remedy.unwrap_or_default()
        )
    }
}

impl Doctor {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let places = flags.places()?;
        let (config_check, mut config) = checks::config(&places);
        self.overrides.apply(&mut config);
        let mut checks = vec![config_check];
        checks.extend(checks::state(&places));
        checks.push(checks::history(&History::open(places.history())));
        let (port_check, running) = port::check(&places, self.port.or(config.port));
        checks.push(port_check);
        checks.extend(checks::universal_card(&config));
        checks.extend(tokens(&config, &places)?);
        checks.push(checks::prompt(&config.prompt, running));
        checks.extend(browsers::check(&places));
        checks.push(checks::clock(&places));
        tell(&checks, flags.json)
    }
}

fn tokens(config: &Config, places: &crate::places::Places) -> Result<Vec<Check>, Failure> {
    Ok(runtime()?.block_on(checks::tokens(config, places)))
}

fn tell(checks: &[Check], json: bool) -> Result<ExitCode, Failure> {
    let text: String = checks.iter().map(Check::line).collect();
    match json {
        true => print_json(&json!({ "checks": checks }))?,
        false => print(&text)?,
    };
    let failed = checks.iter().any(|check| check.verdict == Verdict::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
