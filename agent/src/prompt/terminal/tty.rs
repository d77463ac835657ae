//! A terminal in raw mode, read without blocking; its settings are put back when dropped.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::io::unix::AsyncFd;
use zeroize::Zeroizing;

use crate::prompt::PromptError;

/// Most bytes of a line; further ones are ignored.
const MAX_LINE: usize = 256;

/// Whether what is typed appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It does.
    Shown,
    /// It does not: a PIN.
    Hidden,
}

/// What a byte does to a line.
enum Edit {
    /// Nothing more to do.
    Going,
    /// The line is complete.
    Done,
    /// Control-C, or Control-D on an empty line.
    Cancel,
}

/// The open terminal.
pub(super) struct Tty {
    file: AsyncFd<File>,
    before: Termios,
    /// Read, but after the end of the line that was asked for; empty before every read.
    ahead: Zeroizing<Vec<u8>>,
}

impl Tty {
    /// Opens it, throws away what was typed before, and takes over editing, echo and Control-C.
    pub(super) fn open(path: &Path) -> Result<Self, PromptError> {
        let file = open(path)?;
        let before = tcgetattr(&file).map_err(|error| unavailable(path, &error.to_string()))?;
        let mut raw = before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        // `new` is deprecated because a type's `AsRawFd` may lie; that of `File` does not.
        #[allow(deprecated)]
        let file = AsyncFd::new(file).map_err(|error| unavailable(path, &error.to_string()))?;
        let ahead = Zeroizing::new(Vec::with_capacity(MAX_LINE));
        let tty = Self { file, before, ahead };
        tcsetattr(tty.file.get_ref(), OptionalActions::Flush, &raw)
            .map_err(|error| unavailable(path, &error.to_string()))?;
        Ok(tty)
    }

    /// Writes text; a terminal that is gone counts as one that was closed.
    pub(super) async fn write(&mut self, text: &str) -> Result<(), PromptError> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let mut ready = self.file.writable().await.map_err(|_| PromptError::Cancelled)?;
            match ready.try_io(|file| file.get_ref().write(rest)) {
                Ok(Ok(written)) => rest = &rest[written..],
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => (),
                Ok(Err(_)) => return Err(PromptError::Cancelled),
                Err(_would_block) => (),
            }
        }
        Ok(())
    }

    /// Writes `prompt`, and reads a line.
    pub(super) async fn ask(&mut self, prompt: &str, line: Line) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        self.write(&format!("{prompt} ")).await?;
        let mut typed = Zeroizing::new(Vec::with_capacity(MAX_LINE));
        loop {
            let chunk = self.read().await?;
            let mut echo = String::new();
            for (index, byte) in chunk.iter().enumerate() {
                let edit = edit(&mut typed, *byte, &mut echo);
                match edit {
                    Edit::Going => (),
                    Edit::Done | Edit::Cancel => {
                        let rest = &chunk[index + 1..];
                        self.ahead.extend_from_slice(rest);
                        let shown = if line == Line::Shown { echo.as_str() } else { "" };
                        self.write(&format!("{shown}\n")).await?;
                        return match edit {
                            Edit::Cancel => Err(PromptError::Cancelled),
                            _ => Ok(typed),
                        };
                    }
                }
            }
            if line == Line::Shown {
                self.write(&echo).await?;
            }
        }
    }

    /// Some bytes, at least one.
    async fn read(&mut self) -> Result<Zeroizing<Vec<u8>>, PromptError> {
        if !self.ahead.is_empty() {
            let empty = Zeroizing::new(Vec::with_capacity(MAX_LINE));
            return Ok(std::mem::replace(&mut self.ahead, empty));
        }
        let mut chunk = Zeroizing::new(vec![0; MAX_LINE]);
        loop {
            let mut ready = self.file.readable().await.map_err(|_| PromptError::Cancelled)?;
            match ready.try_io(|file| file.get_ref().read(&mut chunk)) {
                Ok(Ok(0)) => return Err(PromptError::Cancelled),
                Ok(Ok(read)) => {
                    chunk.truncate(read);
                    return Ok(chunk);
                }
                Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => (),
                Ok(Err(_)) => return Err(PromptError::Cancelled),
                Err(_would_block) => (),
            }
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // What is left of a PIN must not reach the shell: the queue is thrown away.
        if foreground(self.file.get_ref()) {
            let _ = tcsetattr(self.file.get_ref(), OptionalActions::Flush, &self.before);
        }
    }
}

/// Applies a byte to the line, and adds what to write for it.
fn edit(line: &mut Vec<u8>, byte: u8, echo: &mut String) -> Edit {
    const CONTROL_C: u8 = 3;
    const CONTROL_D: u8 = 4;
    const BACKSPACE: u8 = 8;
    const CONTROL_U: u8 = 21;
    const DELETE: u8 = 127;
    match byte {
        b'\r' | b'\n' => return Edit::Done,
        CONTROL_C => return Edit::Cancel,
        CONTROL_D if line.is_empty() => return Edit::Cancel,
        BACKSPACE | DELETE => rub_out(line, echo),
        CONTROL_U => {
            while !line.is_empty() {
                rub_out(line, echo);
            }
        }
        0..=31 => (),
        byte if line.len() < MAX_LINE => {
            line.push(byte);
            if byte.is_ascii() {
                echo.push(char::from(byte));
            } else if let Some(character) = completed(line) {
                echo.push(character);
            }
        }
        _ => (),
    }
    Edit::Going
}

/// Takes away the last character of UTF-8.
fn rub_out(line: &mut Vec<u8>, echo: &mut String) {
    let continues = |byte: u8| byte & 0xc0 == 0x80;
    while line.last().copied().is_some_and(continues) {
        line.pop();
    }
    if line.pop().is_some() {
        echo.push_str("\u{8} \u{8}");
    }
}

/// The character that the last byte completes, if it does.
fn completed(line: &[u8]) -> Option<char> {
    let start = line.iter().rposition(|byte| byte & 0xc0 != 0x80)?;
    std::str::from_utf8(&line[start..]).ok()?.chars().next()
}

/// Whether the terminal is there and ours to read.
pub(super) fn check(path: &Path) -> Result<(), PromptError> {
    open(path).map(drop)
}

fn open(path: &Path) -> Result<File, PromptError> {
    let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits() as i32;
    let file = File::options().read(true).write(true).custom_flags(flags).open(path);
    let file = file.map_err(|error| unavailable(path, &error.to_string()))?;
    if !foreground(&file) {
        return Err(unavailable(path, "the agent runs in its background"));
    }
    Ok(file)
}

/// Whether reading and setting it will not stop the process. A terminal that
/// controls another session has no say in that.
fn foreground(file: &File) -> bool {
    tcgetpgrp(file).map_or(true, |group| group == rustix::process::getpgrp())
}

fn unavailable(path: &Path, why: &str) -> PromptError {
    PromptError::Unavailable(format!(
        "the terminal {} cannot be used ({why}); start the agent in the foreground of a terminal, or install a pinentry",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_edited_by_characters() {
        for (typed, line, echo) in [
            ("ab\u{7f}c\n", "ac", "ab\u{8} \u{8}c"),
            ("да\u{8}о\r", "до", "да\u{8} \u{8}о"),
            ("\u{7f}1\n", "1", "1"),
            ("12\u{15}3\n", "3", "12\u{8} \u{8}\u{8} \u{8}3"),
            ("1\u{1b}2\u{4}\n", "12", "12"),
        ] {
            let (mut got, mut shown) = (Vec::new(), String::new());
            for byte in typed.bytes() {
                if matches!(edit(&mut got, byte, &mut shown), Edit::Done) {
                    break;
                }
            }
            assert_eq!((got.as_slice(), shown.as_str()), (line.as_bytes(), echo), "{typed:?}");
        }
        let (mut line, mut echo) = (Vec::new(), String::new());
        assert!(matches!(edit(&mut line, 3, &mut echo), Edit::Cancel));
        assert!(matches!(edit(&mut line, 4, &mut echo), Edit::Cancel));
        for _ in 0..2 * MAX_LINE {
            edit(&mut line, b'x', &mut echo);
        }
        assert_eq!(line.len(), MAX_LINE);
    }
}
