//! `eid-agent install-browser`: tells browsers of the native hosts, or takes that back.

mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent::native_host::{Host, identity};
use clap::Args;
use serde_json::json;

use self::work::{Outcome, Step, Where};
use super::speak::{print, print_json};
use super::{Failure, Flags};
use crate::browsers::{Browser, Family, Home, SYSTEM_WRAPPERS, wrapper::Wrapper};

/// Tells browsers of this agent: writes the manifests by which the browser plugin and the official
/// Web eID extension find it, and the scripts that these name; on request also those for the official Gosuslugi
/// extension. With --remove, takes them away.
#[derive(Args)]
pub(crate) struct InstallBrowser {
    /// For this user alone (the default)
    #[arg(long, conflicts_with_all = ["system", "user_data_dir"])]
    user: bool,
    /// For every user of this machine; takes the administrator's rights
    #[arg(long, conflicts_with = "user_data_dir")]
    system: bool,
    /// Only this browser; may be given several times [default: all of them]
    #[arg(long, value_enum)]
    browser: Vec<Browser>,
    /// Only for the Chromium profile kept in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "browser")]
    user_data_dir: Option<PathBuf>,
    /// Also for the official Gosuslugi extension (with --remove: only for that one)
    #[arg(long)]
    gosuslugi: bool,
    /// Take away what was written, and put back what it replaced
    #[arg(long)]
    remove: bool,
    /// Replace another program's manifest; it is kept, and --remove puts it back
    #[arg(long, conflicts_with = "remove")]
    force: bool,
    /// With --system, put everything below this directory (for packages)
    #[arg(long, value_name = "DIR", requires = "system", hide = true)]
    destdir: Option<PathBuf>,
    /// The agent's program that browsers shall start [default: this one]
    #[arg(long, value_name = "PROGRAM", hide = true)]
    program: Option<PathBuf>,
}

impl InstallBrowser {
    pub(crate) fn run(&self, flags: &Flags) -> Result<ExitCode, Failure> {
        let places = self.places()?;
        let given = self.given(flags)?;
        let hosts = self.hosts(&self.all_places()?);
        let mut steps = match self.remove {
            true => work::remove(&places, &self.all_places()?, &hosts),
            false => work::install(&places, &self.wrappers(&given, &hosts)?, self.force),
        };
        if !self.system {
            steps.extend(self.identities(flags, &steps, &hosts)?);
        }
        tell(&steps, flags.json)
    }

    /// Gosuslugi's host is registered on request only; once it is, it is kept up to date and removed with the others.
    fn hosts(&self, all: &[Where]) -> Vec<Host> {
        let wanted = |host: &Host| match host {
            Host::Ifc => self.gosuslugi || work::is_installed(all, *host),
            Host::WebEid | Host::Plugin => !(self.remove && self.gosuslugi),
        };
        Host::ALL.into_iter().filter(wanted).collect()
    }

    /// Where manifests go.
    fn places(&self) -> Result<Vec<Where>, Failure> {
        let chosen: &[Browser] = match self.browser.is_empty() {
            true => &Browser::ALL,
            false => &self.browser,
        };
        Ok(self
            .all_places()?
            .into_iter()
            .filter(|place| place.browser.is_none_or(|browser| chosen.contains(&browser)))
            .collect())
    }

    /// Of every browser: whether a wrapper is still needed depends on them all.
    fn all_places(&self) -> Result<Vec<Where>, Failure> {
        if let Some(profile) = &self.user_data_dir {
            let directory = std::path::absolute(profile)?.join("NativeMessagingHosts");
            let wrappers = directory.clone();
            return Ok(vec![Where {
                browser: None,
                family: Family::Chromium,
                directory,
                wrappers: wrappers.clone(),
                wrappers_named: wrappers,
                shared: false,
            }]);
        }
        let root = match &self.destdir {
            Some(root) => std::path::absolute(root)?,
            None => PathBuf::from("/"),
        };
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        let home = Home::find();
        let place = |browser: Browser| {
            let (directory, wrappers, wrappers_named) = match (self.system, &home) {
                (true, _) => (
                    below(browser.system_directory()),
                    below(SYSTEM_WRAPPERS),
                    PathBuf::from(SYSTEM_WRAPPERS),
                ),
                (false, Some(home)) => (browser.user_directory(home), home.wrappers(), home.wrappers()),
                (false, None) => {
                    let why = "there is no home directory; set HOME, or use --system or --user-data-dir";
                    return Err(Failure::usage(why.to_owned()));
                }
            };
            Ok(Where {
                browser: Some(browser),
                family: browser.family(),
                directory,
                wrappers,
                wrappers_named,
                shared: self.system,
            })
        };
        Browser::ALL.into_iter().map(place).collect()
    }

    /// The flags that the wrapper hands on.
    fn given(&self, flags: &Flags) -> Result<Vec<(String, PathBuf)>, Failure> {
        let named = [
            ("--state", &flags.state),
            ("--runtime", &flags.runtime),
            ("--config", &flags.config),
        ];
        let mut given = Vec::new();
        for (flag, path) in named {
            if let Some(path) = path {
                given.push((flag.to_owned(), std::path::absolute(path)?));
            }
        }
        if self.system && given.iter().any(|(flag, _)| flag != "--config") {
            let why = "--system serves every user, each with a state directory of their own; leave --state and \
                       --runtime out";
            return Err(Failure::usage(why.to_owned()));
        }
        Ok(given)
    }

    fn wrappers(&self, given: &[(String, PathBuf)], hosts: &[Host]) -> Result<Vec<(Host, String)>, Failure> {
        let program = match &self.program {
            Some(program) => std::path::absolute(program)?,
            None => std::env::current_exe()?,
        };
        let text = |host: &Host| {
            let text = Wrapper::new(program.clone(), given.to_vec(), *host).text();
            let text = text.ok_or_else(|| Failure::other(format!("{} is no UTF-8", program.display())))?;
            Ok((*host, text))
        };
        hosts.iter().map(text).collect()
    }

    /// A host's own pairing goes with its last wrapper, and comes back when it is installed anew.
    fn identities(&self, flags: &Flags, steps: &[Step], hosts: &[Host]) -> Result<Vec<Step>, Failure> {
        let state = flags.places()?.state;
        let mut told = Vec::new();
        for &host in hosts {
            let (changed, outcome) = match self.remove {
                false => (identity::allow_again(host, &state), Outcome::AllowedAgain),
                true if work::wrapper_gone(steps, host) => (identity::forget(host, &state), Outcome::Unpaired),
                true => continue,
            };
            match changed {
                Ok(true) => told.push(Step::pairing(host, &state, outcome)),
                Ok(false) => {}
                Err(refusal) => {
                    let failed = Outcome::Failed(refusal.message().to_owned());
                    told.push(Step::pairing(host, &state, failed));
                }
            }
        }
        Ok(told)
    }
}

fn tell(steps: &[Step], json: bool) -> Result<ExitCode, Failure> {
    match json {
        true => print_json(&json!({ "steps": steps }))?,
        false => print(&table(steps))?,
    };
    for step in steps {
        if let Some(why) = step.outcome.trouble() {
            eprintln!("eid-agent: {}: {why}", step.path.display());
        }
        if let Some(note) = step.in_front_of() {
            eprintln!("eid-agent: {}: {note}", step.path.display());
        }
    }
    let failed = steps.iter().any(|step| step.outcome.trouble().is_some());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Columns: what, for which host, where, what was done.
fn table(steps: &[Step]) -> String {
    let shown = |path: &Path| path.display().to_string();
    let mut rows = vec![["for", "host", "did", "file"].map(str::to_owned)];
    rows.extend(steps.iter().map(|step| {
        let whose = step.browser.map_or(step.what, Browser::name);
        [
            whose.to_owned(),
            step.host.clone(),
            step.outcome.word().to_owned(),
            shown(&step.path),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..3).map(width).collect();
    let line = |row: &[String; 4]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        line + &row[3] + "\n"
    };
    rows.iter().map(line).collect()
}
