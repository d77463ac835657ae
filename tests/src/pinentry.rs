//! A person in a script: answers the agent's windows through a real pinentry process.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::process::eventually;

/// A scripted pinentry in a folder of its own.
pub struct ScriptedPerson {
    folder: PathBuf,
}

impl ScriptedPerson {
    /// Who will give `answers` (see `scripted-pinentry`), one to a window, in this order.
    pub fn new(folder: &Path, answers: &[&str]) -> Self {
        std::fs::create_dir_all(folder).expect("the folder can be created");
        let person = Self {
            folder: folder.to_owned(),
        };
        person.will_answer(answers);
        let program = crate::programs::path("scripted-pinentry");
        let script = format!("#!/bin/sh\nexec '{}' '{}'\n", program.display(), folder.display());
        std::fs::write(person.program(), script).expect("the script can be written");
        std::fs::set_permissions(person.program(), std::fs::Permissions::from_mode(0o700)).expect("it can be marked");
        person
    }

    /// What the agent is told to use as its pinentry.
    pub fn program(&self) -> PathBuf {
        self.folder.join("pinentry")
    }

    /// Replaces the answers to come.
    pub fn will_answer(&self, answers: &[&str]) {
        let text: String = answers.iter().map(|answer| format!("{answer}\n")).collect();
        std::fs::write(self.folder.join("answers"), text).expect("the answers can be written");
    }

    /// Everything shown so far.
    pub fn shown(&self) -> String {
        std::fs::read_to_string(self.folder.join("shown")).unwrap_or_default()
    }

    /// Waits until something containing `text` was shown, and returns all.
    pub fn wait_until_shown(&self, text: &str) -> String {
        eventually(&format!("{text:?} in a window"), || {
            let shown = self.shown();
            shown.contains(text).then_some(shown)
        })
    }
}
