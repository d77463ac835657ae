//! A running `eid-agent` in a temporary directory.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent::token::Source;
use fixtures::plugin::Plugin;
use tempfile::{NamedTempFile, TempDir};
use tokio::net::TcpSocket;

use crate::here::Here;
use crate::pcscd::{Pcscd, SOCKET};
use crate::process::{Process, last_lines};
use crate::programs;

/// How a daemon is set up, before it is started.
pub struct Setup {
    folder: TempDir,
    software: bool,
    cards: bool,
    modules: Vec<PathBuf>,
    literal: Vec<String>,
    prompt: String,
    environment: Vec<(OsString, OsString)>,
    extra: String,
    operations_per_minute: u32,
    language: &'static str,
    log: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Setup {
    /// No tokens at all, and a person who never answers.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary directory"),
            software: false,
            cards: false,
            modules: Vec::new(),
            literal: Vec::new(),
            prompt: "prompt.kind = \"terminal\"\n".to_owned(),
            environment: Vec::new(),
            extra: String::new(),
            operations_per_minute: 1000,
            language: "en",
            log: "trace",
        }
    }

    /// Where everything of this daemon lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// With the embedded software token.
    pub fn software(mut self) -> Self {
        self.software = true;
        self
    }

    /// With a PKCS#11 module.
    pub fn module(mut self, path: &Path) -> Self {
        self.modules.push(path.to_owned());
        self
    }

    /// With an environment variable, for the modules.
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With the cards in the readers of this `pcscd`; the agent and its modules find it.
    pub fn pcscd(self, pcscd: &Pcscd) -> Self {
        self.cards(&pcscd.socket())
    }

    /// The same of whatever listens at `socket`, if anything. Without either, no reader is ever touched.
    pub fn cards(mut self, socket: &Path) -> Self {
        self.cards = true;
        self.environment(SOCKET, socket)
    }

    /// `cms-challenge` is allowed for this origin.
    pub fn literal(mut self, origin: &str) -> Self {
        self.literal.push(origin.to_owned());
        self
    }

    /// The language of the windows, `en` unless told.
    pub fn language(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// More lines of configuration: whole dotted keys, `deadlines.operation = 5`.
    pub fn configure(mut self, lines: &str) -> Self {
        self.extra.push_str(lines);
        self
    }

    /// Logs warnings only, for measurements.
    pub fn quiet(mut self) -> Self {
        self.log = "warn";
        self
    }

    /// Lets one plugin ask this often a minute; 1000 times unless told.
    pub fn rates(mut self, per_minute: u32) -> Self {
        self.operations_per_minute = per_minute;
        self
    }

    /// Nobody is asked: a policy of this text approves.
    pub fn unattended(mut self, policy: &str) -> Self {
        let path = self.folder.path().join("policy.toml");
        std::fs::write(&path, policy).expect("the policy can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it can be made private");
        self.prompt = format!("prompt.kind = \"unattended\"\nprompt.policy = {path:?}\n");
        self
    }

    /// A pinentry asks.
    pub fn pinentry(mut self, program: &Path) -> Self {
        self.prompt = format!("prompt.kind = \"pinentry\"\nprompt.pinentry = {program:?}\n");
        self
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The runtime directory, where the file `port` is.
    pub fn runtime(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// The command line of any subcommand for this set-up: nothing of the machine's own set-up shows through.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let config = self.folder.path().join("config.toml");
        self.write(&config);
        let mut command = Command::new(programs::path("eid-agent"));
        command.arg("--config").arg(config);
        command.arg("--state").arg(self.state());
        command.arg("--runtime").arg(self.runtime());
        command.args(arguments);
        for name in [
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "GPG_TTY",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_RUNTIME_DIR",
            "SOFTHSM2_CONF",
        ] {
            command.env_remove(name);
        }
        command.env("HOME", self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// As a whole: a daemon that a host has started meanwhile may be about to read it.
    fn write(&self, config: &Path) {
        let new = NamedTempFile::new_in(self.folder()).and_then(|mut new| {
            new.write_all(self.config().as_bytes())?;
            Ok(new.persist(config)?)
        });
        new.expect("the configuration can be written");
    }

    pub(crate) fn config(&self) -> String {
        let modules: Vec<String> = self
            .modules
            .iter()
            .map(|path| format!("{{ path = {path:?} }}"))
            .collect();
        let Self {
            extra,
            prompt,
            language,
            operations_per_minute,
            software,
            cards,
            literal,
            ..
        } = self;
        // Without any, the shipped ones.
        let literal = match literal.is_empty() {
            true => String::new(),
            false => format!("literal.origins = {literal:?}\n"),
        };
        let requests_per_minute = operations_per_minute.saturating_mul(10);
        let modules = modules.join(", ");
        format!(
            "{extra}\n{prompt}\
             prompt.language = {language:?}\n\
             software.enabled = {software}\n\
             cards.enabled = {cards}\n\
             {literal}\
             rates.operations_per_minute = {operations_per_minute}\n\
             rates.requests_per_minute = {requests_per_minute}\n\
             pkcs11.search = false\n\
             pkcs11.modules = [{modules}]\n"
        )
    }

    /// Starts the daemon and waits until it listens.
    pub fn start(self) -> Agent {
        let held = HeldPort::any();
        let process = Agent::spawn(&self, held.port);
        let base = process.wait_for("listening on ");
        Agent {
            setup: self,
            running: Running::Process(process, held),
            base,
        }
    }

    /// The same in this process, with these tokens and no others.
    pub fn start_here(self, sources: Vec<Box<dyn Source>>) -> Agent {
        let here = Here::start(&self, sources);
        let base = here.base().to_owned();
        Agent {
            setup: self,
            running: Running::Here { _here: here },
            base,
        }
    }
}

/// A running daemon.
pub struct Agent {
    setup: Setup,
    running: Running,
    base: String,
}

enum Running {
    Process(Process, HeldPort),
    /// Kept, for it ends when it is dropped.
    Here {
        _here: Here,
    },
}

/// A port of this computer that the system gives to nobody else, also while no agent listens on it: a socket that is bound
/// to it and does not listen. Whoever names the port can listen, as all do who say so beforehand (SO_REUSEADDR, socket(7)).
struct HeldPort {
    port: u16,
    _socket: TcpSocket,
}

impl HeldPort {
    fn any() -> Self {
        let bound = TcpSocket::new_v4().and_then(|socket| {
            socket.set_reuseaddr(true)?;
            socket.bind(([127, 0, 0, 1], 0).into())?;
            Ok((socket.local_addr()?.port(), socket))
        });
        let (port, socket) = bound.expect("a free port");
        Self { port, _socket: socket }
    }
}

impl Agent {
    fn spawn(setup: &Setup, port: u16) -> Process {
        let command = setup.command(&["run", "--port", &port.to_string(), "--log", setup.log]);
        Process::start(command, &setup.folder().join("agent.log"))
    }

    /// Starts it again in the same place, on the same port, after it ended.
    pub fn restart(&mut self) {
        if let Running::Process(process, held) = &mut self.running {
            *process = Self::spawn(&self.setup, held.port);
            self.base = process.wait_for("listening on ");
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> &str {
        self.base.strip_prefix("http://").expect("the base is an http URL")
    }

    /// How it was set up.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The process.
    ///
    /// # Panics
    /// When it has none of its own.
    pub fn process(&mut self) -> &mut Process {
        match &mut self.running {
            Running::Process(process, _) => process,
            Running::Here { .. } => panic!("it runs in this process"),
        }
    }

    /// Everything it logged, at level trace; nothing where it runs in this process.
    pub fn log(&self) -> String {
        match &self.running {
            Running::Process(process, _) => process.log(),
            Running::Here { .. } => String::new(),
        }
    }

    /// A plugin that is not paired.
    pub fn stranger(&self) -> Plugin {
        Plugin::new(&self.base).expect("the base is a URL")
    }

    /// A plugin, paired with whoever answers for the person.
    pub async fn paired(&self) -> Plugin {
        let mut plugin = self.stranger();
        plugin
            .pair("system tests", |_| ())
            .await
            .unwrap_or_else(|error| panic!("{error}; its log:\n{}", self.log()));
        plugin
    }

    /// Runs a subcommand beside the daemon and gives its standard output, whatever its exit status.
    pub fn cli(&self, arguments: &[&str]) -> std::process::Output {
        self.setup.command(arguments).output().expect("the program starts")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the end of the agent's log:\n{}", last_lines(&self.log(), 100));
        }
    }
}
