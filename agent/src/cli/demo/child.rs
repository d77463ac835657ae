//! A process of the demo: started, waited for, and never left behind.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cli::Failure;

/// How long a process may take to say that it listens, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs until this is dropped or ended.
pub(super) struct Server {
    child: Child,
    name: String,
    address: String,
}

impl Server {
    /// Starts it and waits for its line `listening on ADDRESS`; its errors go to `log`.
    pub(super) fn start(mut command: Command, log: &Path) -> Result<Self, Failure> {
        let name = name_of(&command);
        let errors = File::create(log).map_err(|error| Failure::other(format!("{}: {error}", log.display())))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command
            .spawn()
            .map_err(|error| Failure::other(format!("{name}: {error}")))?;
        let out = child.stdout.take();
        let mut server = Self {
            child,
            name,
            address: String::new(),
        };
        let (told, hears) = mpsc::channel();
        // Reads on to the end, so that the server never writes into a full or closed pipe.
        std::thread::spawn(move || {
            for line in out
                .into_iter()
                .flat_map(|out| BufReader::new(out).lines())
                .map_while(Result::ok)
            {
                if let Some((_, address)) = line.split_once("listening on ") {
                    let _ = told.send(address.trim().to_owned());
                }
            }
        });
        server.address = hears.recv_timeout(PATIENCE).map_err(|_| server.silent(log))?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Tells it to end and waits until it has.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(Failure::other(format!(
            "{} did not end when told to, and was killed",
            self.name
        )))
    }

    fn silent(&self, log: &Path) -> Failure {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        Failure::other(format!("{} did not start to listen\n{}", self.name, said.trim_end()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end; what it printed, and whether it succeeded.
pub(super) fn output(mut command: Command) -> Result<(String, bool), Failure> {
    let name = name_of(&command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| Failure::other(format!("{name}: {error}")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() || !printed.trim().is_empty() {
        true => Ok((printed, output.status.success())),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Failure::other(format!(
                "{name} failed ({}): {}",
                output.status,
                said.trim_end()
            )))
        }
    }
}

fn name_of(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
