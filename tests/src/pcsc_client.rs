//! A second client at the readers, in a process of its own (`pcsc-client`).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plugin_protocol::encoding::hex;

use crate::pcscd::{Pcscd, SOCKET};
use crate::process::PATIENCE;

/// It, obeying.
pub struct PcscClient {
    child: Child,
    commands: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl PcscClient {
    /// One that speaks to this `pcscd`.
    pub fn start(pcscd: &Pcscd) -> Self {
        Self::at(&pcscd.socket())
    }

    /// One that speaks to the service that listens here.
    pub fn at(socket: &Path) -> Self {
        let mut command = Command::new(crate::programs::path("pcsc-client"));
        command.env(SOCKET, socket).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let output = child.stdout.take().expect("standard output is piped");
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let commands = child.stdin.take();
        Self {
            child,
            commands,
            answers,
        }
    }

    /// The names of the readers; none where there is no service.
    pub fn readers(&self) -> Vec<String> {
        match self.ask(&["readers"]) {
            Ok(names) => names
                .split('\t')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Waits until the reader has a card.
    pub fn wait_for_card(&self, reader: &str) {
        let seen = self.ask(&["wait", reader, "present"]);
        seen.unwrap_or_else(|error| panic!("no card in {reader}: {error}"));
    }

    /// Waits until it has none.
    pub fn wait_for_none(&self, reader: &str) {
        let seen = self.ask(&["wait", reader, "empty"]);
        seen.unwrap_or_else(|error| panic!("a card in {reader}: {error}"));
    }

    /// Whether the reader has, or gets within this time, a card, or none. Zero asks what there is now.
    pub fn becomes(&self, reader: &str, present: bool, within: Duration) -> bool {
        let state = if present { "present" } else { "empty" };
        let words = ["wait", reader, state, &within.as_secs().to_string()];
        match self.ask_within(&words, within + PATIENCE) {
            Ok(_) => true,
            Err(error) if error == "Timeout" => false,
            Err(error) => panic!("{reader}: {error}"),
        }
    }

    /// Connects, alone or with others.
    pub fn connect(&self, reader: &str, exclusive: bool) -> Result<(), String> {
        let mode = if exclusive { "exclusive" } else { "shared" };
        self.ask(&["connect", reader, mode]).map(drop)
    }

    /// Begins a transaction: others' commands wait until its end.
    pub fn begin(&self) -> Result<(), String> {
        self.ask(&["begin"]).map(drop)
    }

    /// Ends it.
    pub fn end(&self) -> Result<(), String> {
        self.ask(&["end"]).map(drop)
    }

    /// One command APDU, one response APDU.
    pub fn send(&self, command: &[u8]) -> Result<Vec<u8>, String> {
        let answer = self.ask(&["send", &hex(command)])?;
        let digits = answer
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        let bytes = digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"));
        Ok(bytes.collect())
    }

    /// The median time of so many sendings.
    pub fn time(&self, count: usize, command: &[u8]) -> Result<Duration, String> {
        let answer = self.ask(&["time", &count.to_string(), &hex(command)])?;
        Ok(Duration::from_nanos(answer.parse().expect("a number")))
    }

    /// Disconnects, with a reset of the card or without.
    pub fn disconnect(&self, reset: bool) -> Result<(), String> {
        self.ask(&["disconnect", if reset { "reset" } else { "leave" }])
            .map(drop)
    }

    /// What it says to a command: the rest of the line after `ok`, or the name of PC/SC's error.
    pub fn ask(&self, words: &[&str]) -> Result<String, String> {
        self.ask_within(words, PATIENCE)
    }

    fn ask_within(&self, words: &[&str], patience: Duration) -> Result<String, String> {
        let mut commands = self.commands.as_ref().expect("it has not ended");
        writeln!(commands, "{}", words.join("\t")).map_err(|error| error.to_string())?;
        let answer = self.answers.recv_timeout(patience);
        let answer = answer.unwrap_or_else(|_| panic!("pcsc-client gives no answer to {words:?}"));
        match answer.split_once(' ') {
            Some(("ok", text)) => Ok(text.to_owned()),
            _ => Err(answer.trim_start_matches("error ").to_owned()),
        }
    }
}

impl Drop for PcscClient {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
