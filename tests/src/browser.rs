//! A browser's side of native messaging: starts the host, writes frames to it, reads its answers.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::agent::Setup;
use crate::process::{PATIENCE, eventually, last_lines};

/// The official Web eID extension in Chrome's store.
pub const WEB_EID_IN_CHROME: &str = "chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/";
/// Our own extension in Chromium.
pub const PLUGIN_IN_CHROMIUM: &str = "chrome-extension://hjfdfdakhehfniplhfahbkpmaihikgao/";

/// A running host, its standard input held open until it is told otherwise.
pub struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    answers: Receiver<Option<Value>>,
}

impl Talk {
    /// Starts `eid-agent native-host` in this set-up; `caller` are the browser's own arguments.
    pub fn start(setup: &Setup, host: &str, caller: &[&str]) -> Self {
        let mut arguments = vec!["native-host", "--host", host, "--"];
        arguments.extend(caller);
        Self::with(setup.command(&arguments))
    }

    /// Starts any host.
    pub fn with(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the host starts");
        let input = child.stdin.take();
        let mut output = child.stdout.take().expect("standard output is piped");
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            loop {
                let answer = read(&mut output);
                let ended = answer.is_none();
                if sender.send(answer).is_err() || ended {
                    return;
                }
            }
        });
        Self { child, input, answers }
    }

    /// The next answer; `None` when the host has closed its output.
    ///
    /// # Panics
    /// When nothing comes within the bound.
    pub fn answer(&self) -> Option<Value> {
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the host says nothing"),
        }
    }

    /// An answer that is there already.
    pub fn heard(&self) -> Option<Value> {
        self.answers.try_recv().ok().flatten()
    }

    /// Writes a command.
    pub fn say(&mut self, command: &str, arguments: Value) {
        self.write(&framed(
            json!({ "command": command, "arguments": arguments })
                .to_string()
                .as_bytes(),
        ));
    }

    /// Writes any bytes. A host that has ended already does not read them.
    pub fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("standard input is open");
        let _ = input.write_all(bytes).and_then(|()| input.flush());
    }

    /// Closes standard input.
    pub fn hang_up(&mut self) {
        self.input = None;
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    /// Waits until it ends, with standard input as it is.
    ///
    /// # Panics
    /// When it does not end, or says something more.
    pub fn end(mut self) -> ExitStatus {
        assert_eq!(self.answer(), None, "nothing follows the answer");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => return status,
                None => assert!(Instant::now() < deadline, "the host does not end"),
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Version and answer of one command, after which the host ended by itself.
pub fn ask(setup: &Setup, host: &str, command: &str, arguments: Value) -> Value {
    let mut talk = Talk::start(setup, host, &[]);
    let version = talk.answer().expect("the version comes first");
    assert!(version["version"].is_string(), "{version}");
    talk.say(command, arguments);
    let answer = talk.answer().expect("an answer");
    talk.end();
    answer
}

/// With its length before it.
pub fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short message");
    [&length.to_ne_bytes(), body].concat()
}

fn read(output: &mut impl Read) -> Option<Value> {
    let mut length = [0; 4];
    output.read_exact(&mut length).ok()?;
    let mut body = vec![0; usize::try_from(u32::from_ne_bytes(length)).ok()?];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("an answer is JSON"))
}

/// The daemons that hosts have started for a state directory; they end with this.
pub struct Daemons(std::path::PathBuf);

impl Daemons {
    /// Those of this set-up.
    pub fn of(setup: &Setup) -> Self {
        Self(setup.state())
    }

    /// Their process ids.
    pub fn running(&self) -> Vec<u32> {
        let folders = std::fs::read_dir("/proc").expect("/proc is there").flatten();
        let ids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
        ids.filter(|id| runs_for(*id, &self.0)).collect()
    }

    /// `kill -9` for all of them, and their end.
    pub fn kill(&self) {
        for id in self.running() {
            if let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                let _ = kill_process(id, Signal::KILL);
            }
        }
        eventually("the daemon's end", || self.running().is_empty().then_some(()));
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.0.join("daemon.log")).unwrap_or_default();
            eprintln!("the end of the daemon's log:\n{}", last_lines(&log, 40));
        }
        self.kill();
    }
}

/// Whether the process is `eid-agent --state STATE … run --background`.
fn runs_for(id: u32, state: &Path) -> bool {
    let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let words: Vec<&str> = line.split('\0').collect();
    words.contains(&"--background") && words.contains(&state.to_str().expect("UTF-8"))
}
