//! The command line: one file per command, one flat dispatch.

mod confirm;
mod demo;
mod doctor;
mod history;
mod install_browser;
mod mock;
mod native_host;
mod pairings;
mod pin;
mod run;
mod speak;
mod tokens;

use std::path::PathBuf;
use std::process::ExitCode;

use agent::Error;
use agent::config::{Config, LanguageChoice, PromptKind};
use agent::token::software::Keys;
use clap::{Args, Parser, Subcommand, ValueEnum};
use plugin_protocol::ErrorCode;

use crate::places::Places;

/// Lets a person confirm who they are to a portal with a chip: the daemon, and what belongs to it.
#[derive(Parser)]
#[command(name = "eid-agent", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done in part (tokens); \
                        5 the person did not agree; 6 the history is damaged, or the portal refused."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

/// Flags that every command takes.
#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Flags {
    /// Pairings, history and software token [default: $XDG_STATE_HOME/eid-agent, else ~/.local/state/eid-agent]
    #[arg(long, global = true, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where the port number is written [default: $XDG_RUNTIME_DIR/eid-agent, else STATE/run]
    #[arg(long, global = true, value_name = "DIR")]
    runtime: Option<PathBuf>,
    /// The configuration [default: ~/.config/eid-agent/config.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What is logged to standard error: error, warn, info, debug, trace, or by target: agent=debug,warn
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Flags {
    pub(crate) fn places(&self) -> Result<Places, Failure> {
        Places::find(self.state.as_deref(), self.runtime.as_deref(), self.config.as_deref())
            .ok_or_else(|| Failure::usage("there is no home directory; give --state DIR".to_owned()))
    }
}

/// Flags that stand above the configuration.
#[derive(Args)]
pub(crate) struct Overrides {
    /// Offer the embedded software token (for tests: it proves no person); KEYS: which of p256, p384, rsa2048,
    /// gost256, gost512, or all [default: as configured, else p256,p384,rsa2048]
    #[arg(long, value_name = "KEYS", num_args = 0..=1, require_equals = true)]
    software_token: Option<Option<Keys>>,
    /// How the person is asked
    #[arg(long, value_enum)]
    prompt: Option<Asked>,
    /// The pinentry program
    #[arg(long, value_name = "PROGRAM")]
    pinentry: Option<PathBuf>,
    /// For --prompt unattended: which test tokens and origins are approved
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The language of the windows
    #[arg(long, value_enum)]
    language: Option<Spoken>,
}

/// How the person is asked.
#[derive(Clone, Copy, ValueEnum)]
enum Asked {
    /// pinentry if it can show a window, else the terminal
    Auto,
    /// pinentry
    Pinentry,
    /// The terminal this was started in
    Terminal,
    /// Nobody is: a policy file approves test tokens, and results are marked
    Unattended,
}

/// The language of the windows.
#[derive(Clone, Copy, ValueEnum)]
enum Spoken {
    /// English
    En,
    /// Russian
    Ru,
}

impl Overrides {
    pub(crate) fn apply(&self, config: &mut Config) {
        if let Some(keys) = &self.software_token {
            config.software.enabled = true;
            config.software.keys = keys.clone().unwrap_or_else(|| config.software.keys.clone());
        }
        if let Some(asked) = self.prompt {
            config.prompt.kind = match asked {
                Asked::Auto => PromptKind::Auto,
                Asked::Pinentry => PromptKind::Pinentry,
                Asked::Terminal => PromptKind::Terminal,
                Asked::Unattended => PromptKind::Unattended,
            };
        }
        if let Some(spoken) = self.language {
            config.prompt.language = match spoken {
                Spoken::En => LanguageChoice::En,
                Spoken::Ru => LanguageChoice::Ru,
            };
        }
        let over = |given: &Option<PathBuf>, value: &mut Option<PathBuf>| {
            if given.is_some() {
                value.clone_from(given);
            }
        };
        over(&self.pinentry, &mut config.prompt.pinentry);
        over(&self.policy, &mut config.prompt.policy);
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon that plugins speak to
    Run(run::Run),
    /// Show the whole path with test parts: a portal, a plugin, the software token
    Demo(demo::Demo),
    /// Run an agent for the tests of a portal: a script answers instead of a person
    Mock(mock::Mock),
    /// List tokens and what is on them
    Tokens(tokens::List),
    /// Change a PIN, or unblock one
    #[command(subcommand)]
    Pin(pin::Pin),
    /// Confirm an identity from here; prints the proof
    Confirm(confirm::Confirm),
    /// List or revoke the plugins that may speak
    #[command(subcommand)]
    Pairings(pairings::Pairings),
    /// Show what was signed, where, when; or check that nothing in it was changed
    History(history::History),
    /// Tell browsers of this agent, or take that back
    InstallBrowser(install_browser::InstallBrowser),
    /// Check what works here and what does not, with a remedy for each
    Doctor(doctor::Doctor),
    /// What a browser starts for an extension: commands on standard input, answers on standard output
    #[command(hide = true)]
    NativeHost(native_host::NativeHost),
    /// The process that holds one PKCS#11 module
    #[command(hide = true)]
    Pkcs11Worker { module: PathBuf },
    /// Print the OpenAPI document of the localhost API
    #[command(hide = true)]
    Openapi,
}

/// Does what the arguments say.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let flags = &arguments.flags;
    match &arguments.command {
        Command::Run(command) => command.run(flags),
        Command::Demo(command) => command.run(flags),
        Command::Mock(command) => command.run(flags),
        Command::Tokens(command) => command.run(flags),
        Command::Pin(command) => command.run(flags),
        Command::Confirm(command) => command.run(flags),
        Command::Pairings(command) => command.run(flags),
        Command::History(command) => command.run(flags),
        Command::Doctor(command) => command.run(flags),
        Command::InstallBrowser(command) => command.run(flags),
        Command::NativeHost(command) => command.run(flags),
        Command::Pkcs11Worker { module } => Ok(agent::token::pkcs11::child::main(module)),
        Command::Openapi => speak::print(&agent::api::openapi()),
    }
}

/// Why a command ends without success.
pub(crate) struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    /// Wrong usage or configuration.
    pub(crate) fn usage(text: String) -> Self {
        Self { code: 2, text }
    }

    /// Anything else.
    pub(crate) fn other(text: String) -> Self {
        Self { code: 1, text }
    }

    /// Something that was checked is not as it should be.
    pub(crate) fn refused(text: String) -> Self {
        Self { code: 6, text }
    }

    /// Says it on standard error; the exit code.
    pub(crate) fn report(self) -> ExitCode {
        eprintln!("eid-agent: {}", self.text);
        ExitCode::from(self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match error.code() {
            ErrorCode::Declined | ErrorCode::Cancelled | ErrorCode::Expired => 5,
            ErrorCode::InvalidField | ErrorCode::UnsupportedFormat => 2,
            _ => 1,
        };
        Self {
            code,
            text: error.to_string(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::other(error.to_string())
    }
}

/// A runtime on this thread alone.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
