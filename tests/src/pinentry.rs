//! A person in a script: answers the agent's windows through a real pinentry process.

pub mod script;

use std::path::{Path, PathBuf};
use std::process::Command;

use self::script::Script;
use crate::process::{eventually, eventually_async};

/// A scripted pinentry in a folder of its own.
pub struct ScriptedPerson {
    folder: PathBuf,
}

impl ScriptedPerson {
    /// Who will give `answers` (see `scripted-pinentry` and [`Script`]), one to a window, in this order.
    pub fn new(folder: &Path, answers: &[&str]) -> Self {
        std::fs::create_dir_all(folder).expect("the folder can be created");
        let person = Self {
            folder: folder.to_owned(),
        };
        person.will_answer(answers);
        let program = crate::programs::path("scripted-pinentry");
        let script = format!("#!/bin/sh\nexec '{}' '{}'\n", program.display(), folder.display());
        // Written by another process: whatever a thread of this one starts meanwhile would hold it open for writing, and
        // what is open for writing cannot be started ("Text file busy").
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#"printf '%s' "$1" >"$2" && chmod 700 "$2""#, "sh", &script]);
        let written = shell.arg(person.program()).status().expect("/bin/sh is there");
        assert!(written.success(), "the script can be written");
        person
    }

    /// What the agent is told to use as its pinentry.
    pub fn program(&self) -> PathBuf {
        self.folder.join("pinentry")
    }

    /// Replaces the answers to come.
    pub fn will_answer(&self, answers: &[&str]) {
        let _ = std::fs::remove_file(self.folder.join("go"));
        let script = Script::new(&self.folder);
        script.replace(answers).expect("the answers can be written");
    }

    /// Gives the answer that was `held`.
    pub fn release(&self) {
        std::fs::write(self.folder.join("go"), "").expect("the marker can be written");
    }

    /// Everything shown so far.
    pub fn shown(&self) -> String {
        std::fs::read_to_string(self.folder.join("shown")).unwrap_or_default()
    }

    /// The ids of the processes whose windows were opened so far.
    pub fn windows(&self) -> Vec<u32> {
        let shown = self.shown();
        let opened = shown.lines().filter_map(|line| line.strip_prefix("OPENED "));
        opened.filter_map(|id| id.trim().parse().ok()).collect()
    }

    /// Whether this process is a window of this person: once it has ended, another may have its id.
    pub fn is_open(&self, window: u32) -> bool {
        let line = std::fs::read(format!("/proc/{window}/cmdline")).unwrap_or_default();
        let folder = self.folder.as_os_str().as_encoded_bytes();
        line.split(|byte| *byte == 0).any(|word| word == folder)
    }

    /// Waits until something containing `text` was shown, and returns all.
    pub fn wait_until_shown(&self, text: &str) -> String {
        eventually(&format!("{text:?} in a window"), || {
            let shown = self.shown();
            shown.contains(text).then_some(shown)
        })
    }

    /// How often a PIN was asked for.
    pub fn pins_asked(&self) -> usize {
        self.shown().lines().filter(|line| line.trim_end() == "GETPIN").count()
    }

    /// Forgets what was shown so far.
    pub fn forget(&self) {
        let _ = std::fs::remove_file(self.folder.join("shown"));
    }

    /// Waits until a question is open that will not be answered (`hang`, or `held`).
    pub fn wait_until_asked(&self) {
        eventually("a question", || {
            let shown = self.shown();
            shown
                .lines()
                .last()
                .is_some_and(|line| line.starts_with("GETPIN") || line.starts_with("CONFIRM"))
                .then_some(())
        });
    }

    /// Waits until no window is open: every pinentry process has ended.
    pub async fn wait_until_closed(&self) {
        for window in self.windows() {
            eventually_async("the end of a window", || (!self.is_open(window)).then_some(())).await;
        }
    }
}

impl Drop for ScriptedPerson {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let left = std::fs::read_to_string(self.folder.join("answers")).unwrap_or_default();
            eprintln!("what the person was shown:\n{}\nanswers left:\n{left}", self.shown());
        }
    }
}
