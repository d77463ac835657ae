//! A running `eid-agent mock`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fixtures::plugin::Plugin;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::Process;
use crate::programs;

/// A running mock with a state directory of its own.
pub struct Mock {
    process: Process,
    told: Value,
    folder: TempDir,
}

impl Mock {
    /// Starts it with these arguments, on any port.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (process, told) = spawn(folder.path(), arguments);
        Self { process, told, folder }
    }

    /// Ends it and starts it again over the same state.
    pub fn restart(&mut self, arguments: &[&str]) {
        assert!(self.process.terminate().success(), "{}", self.process.log());
        (self.process, self.told) = spawn(self.folder.path(), arguments);
    }

    /// Ends it as a shell does; whether it ended well.
    pub fn end(&mut self) -> bool {
        self.process.terminate().success()
    }

    /// What its first line says: `port`, `root`, `crl`, …
    pub fn told(&self, member: &str) -> String {
        match &self.told[member] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// A plugin that the mock has paired.
    pub async fn paired(&self) -> Plugin {
        let mut plugin = Plugin::new(&self.told("listening")).expect("the address is a URL");
        plugin
            .pair("system tests", |_| ())
            .await
            .unwrap_or_else(|error| panic!("{error}; its log:\n{}", self.log()));
        plugin
    }

    /// `eid-agent mock set`.
    pub fn set(&self, outcomes: &str) {
        let output = command(self.folder.path(), &["set", outcomes])
            .output()
            .expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Its state directory.
    pub fn state(&self) -> PathBuf {
        state(self.folder.path())
    }

    /// Everything it wrote to standard error, the banner too.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// Runs `eid-agent mock` with these arguments to its end, over the state below `folder`.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("it starts")
}

fn state(folder: &Path) -> PathBuf {
    folder.join("mock")
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(programs::path("eid-agent"));
    command.arg("mock").arg("--state").arg(state(folder)).args(arguments);
    // Nothing of the machine's own set-up shows through.
    command
        .env("HOME", folder)
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_RUNTIME_DIR");
    command
}

fn spawn(folder: &Path, arguments: &[&str]) -> (Process, Value) {
    let mut command = command(folder, &["--json", "--port", "0"]);
    command.args(arguments);
    let process = Process::start(command, &folder.join("mock.log"));
    let line = format!("{{{}", process.wait_for("{"));
    let told = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    (process, told)
}
