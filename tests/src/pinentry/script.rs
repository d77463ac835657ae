//! The answers to come, in a folder that a person in a script shares with the windows it answers.
//!
//! A window may be killed at any moment, and another may open before it is gone: whoever reads or writes the answers holds
//! a lock that ends with its process, and the file is replaced as a whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// The kind of a question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Assuan's GETPIN.
    Pin,
    /// CONFIRM or MESSAGE.
    Agreement,
}

/// The answers in a folder: a line each, in the order in which they are given.
///
/// A line that begins with `GETPIN: ` is for a question for a PIN, one with `CONFIRM: ` for one of the others, and with
/// `each GETPIN: ` or `each CONFIRM: ` for all of these that come.
pub struct Script {
    folder: PathBuf,
}

impl Script {
    /// The answers in this folder, which is there.
    pub fn new(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    /// These are the answers to come, and no others.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn replace(&self, answers: &[&str]) -> io::Result<()> {
        let _lock = self.lock()?;
        self.write(answers)
    }

    /// The first answer that is for such a question; none is left when it is empty.
    ///
    /// # Errors
    /// When the answers cannot be read or written.
    pub fn take(&self, asked: Asked) -> io::Result<String> {
        let _lock = self.lock()?;
        let text = fs::read_to_string(self.answers())?;
        let mut lines: Vec<&str> = text.lines().collect();
        let fitting = |(place, line): (usize, &&str)| answer(line, asked).map(|said| (place, said.to_owned()));
        let Some((place, said)) = lines.iter().enumerate().find_map(fitting) else {
            return Ok(String::new());
        };
        if !lines[place].starts_with(EACH) {
            lines.remove(place);
            self.write(&lines)?;
        }
        Ok(said)
    }

    fn answers(&self) -> PathBuf {
        self.folder.join("answers")
    }

    fn lock(&self) -> io::Result<File> {
        let file = File::create(self.folder.join("answers.lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn write(&self, lines: &[&str]) -> io::Result<()> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let new = self.folder.join("answers.new");
        fs::write(&new, text)?;
        fs::rename(new, self.answers())
    }
}

const EACH: &str = "each ";

/// What a person does until a card is in. The window that asks for one opens anew whenever what it says of the cards that are
/// in is no longer so.
pub const NO_CARD_YET: &str = "each CONFIRM: hang";

/// What a line answers to such a question.
fn answer(line: &str, asked: Asked) -> Option<&str> {
    let said = line.strip_prefix(EACH).unwrap_or(line);
    match (said.strip_prefix("GETPIN: "), said.strip_prefix("CONFIRM: ")) {
        (Some(said), _) => (asked == Asked::Pin).then_some(said),
        (_, Some(said)) => (asked == Asked::Agreement).then_some(said),
        _ => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_once_to_a_question_of_its_kind() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let script = Script::new(folder.path());
        let answers = ["each CONFIRM: hang", "GETPIN: pin 1", "pin 2", "CONFIRM: yes"];
        script.replace(&answers).expect("the folder can be written to");
        let mut said = [Asked::Agreement, Asked::Pin, Asked::Agreement, Asked::Pin, Asked::Pin].into_iter();
        for expected in ["hang", "pin 1", "hang", "pin 2", ""] {
            let asked = said.next().expect("as many");
            assert_eq!(script.take(asked).expect("the answers can be read"), expected);
        }
    }

    /// Whoever has the file open sees all of what it was: it is replaced, and never half written.
    #[test]
    fn a_window_that_is_killed_in_the_middle_loses_no_answer() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let script = Script::new(folder.path());
        script.replace(&["yes", "no"]).expect("the folder can be written to");
        let before = File::open(folder.path().join("answers")).expect("it is there");
        // What one leaves that was killed just before.
        fs::write(folder.path().join("answers.new"), "n").expect("it can be written");
        assert_eq!(script.take(Asked::Pin).expect("the answers can be read"), "yes");
        assert_eq!(io::read_to_string(before).expect("it can be read"), "yes\nno\n");
        assert_eq!(script.take(Asked::Pin).expect("the answers can be read"), "no");
    }

    #[test]
    fn windows_that_ask_at_the_same_time_get_each_answer_once() {
        const WINDOWS: usize = 8;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let answers: Vec<String> = (0..WINDOWS * 25).map(|number| format!("pin {number:04}")).collect();
        let lines: Vec<&str> = answers.iter().map(String::as_str).collect();
        Script::new(folder.path())
            .replace(&lines)
            .expect("the folder can be written to");
        let take = || {
            let script = Script::new(folder.path());
            let one = |_| script.take(Asked::Pin).expect("the answers can be read");
            (0..answers.len() / WINDOWS).map(one).collect::<Vec<_>>()
        };
        let mut taken: Vec<String> = std::thread::scope(|scope| {
            let windows: Vec<_> = (0..WINDOWS).map(|_| scope.spawn(take)).collect();
            windows
                .into_iter()
                .flat_map(|window| window.join().expect("it does not panic"))
                .collect()
        });
        taken.sort();
        assert_eq!(taken, answers);
    }
}
