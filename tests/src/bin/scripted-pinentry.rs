//! A pinentry that answers by a script and remembers what it was shown.
//!
//! `scripted-pinentry FOLDER` takes the first line of `FOLDER/answers` away at each
//! question and does what it says: `pin 1234`, `yes`, `no`, `cancel`, `hang`, `die`.
//! `held pin 1234` answers when `FOLDER/go` is there. [`Script`] says for which questions a line is. With no line left it
//! cancels. Pages before the last are turned without an answer.
//! What it was shown is appended to `FOLDER/shown`, its process id as `OPENED id`; a question is there once its answer is
//! taken.
//!
//! `scripted-pinentry FOLDER will-answer ANSWER...` makes these the answers to come.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use system_tests::pinentry::script::{Asked, Script};

const CANCELLED: &str = "ERR 83886179 Operation cancelled <Pinentry>";
/// What the button says that turns a page.
const NEXT_PAGE: [&str; 2] = ["Next page", "Следующая страница"];
const NOT_CONFIRMED: &str = "ERR 83886194 Not confirmed <Pinentry>";

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .expect("usage: scripted-pinentry FOLDER [will-answer ANSWER...]");
    let folder = PathBuf::from(folder);
    let script = Script::new(&folder);
    if arguments.next().is_some_and(|word| word == "will-answer") {
        let answers: Vec<String> = arguments.collect();
        return script.replace(&answers.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let mut output = io::stdout();
    let mut button = String::new();
    // Opened once: what this window says after the person has forgotten it is no part of what comes next.
    let mut shown = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("shown"))?;
    remember(&mut shown, "OPENED", &std::process::id().to_string())?;
    writeln!(output, "OK scripted-pinentry at your service")?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command {
            "GETPIN" | "CONFIRM" | "MESSAGE" => {
                let asked = if command == "GETPIN" {
                    Asked::Pin
                } else {
                    Asked::Agreement
                };
                let said = match NEXT_PAGE.contains(&button.as_str()) {
                    true => "yes".to_owned(),
                    false => script.take(asked)?,
                };
                remember(&mut shown, command, rest)?;
                answer(&mut output, &released(&folder, said))?;
            }
            "BYE" => {
                writeln!(output, "OK")?;
                return Ok(());
            }
            command => {
                if command.starts_with("SET") {
                    remember(&mut shown, command, &unescape(rest))?;
                }
                if command == "SETOK" {
                    button = unescape(rest);
                }
                writeln!(output, "OK")?;
            }
        }
        output.flush()?;
    }
    // Standard input closed in the middle: the agent closed the window.
    Ok(())
}

fn answer(output: &mut impl Write, answer: &str) -> io::Result<()> {
    match answer.split_once(' ').unwrap_or((answer, "")) {
        ("pin", pin) => writeln!(output, "D {pin}\nOK"),
        ("yes", _) => writeln!(output, "OK"),
        ("no", _) => writeln!(output, "{NOT_CONFIRMED}"),
        ("hang", _) => Ok(()),
        ("die", _) => std::process::exit(1),
        _ => writeln!(output, "{CANCELLED}"),
    }
}

/// An answer that is held back, once the test lets it go.
fn released(folder: &Path, answer: String) -> String {
    match answer.strip_prefix("held ") {
        None => answer,
        Some(held) => {
            while !folder.join("go").exists() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            held.to_owned()
        }
    }
}

fn remember(shown: &mut File, command: &str, text: &str) -> io::Result<()> {
    shown.write_all(format!("{command} {text}\n").as_bytes())
}

/// Assuan's percent escapes.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'%').then(|| [rest.next(), rest.next()]);
        match escaped {
            Some([Some(high), Some(low)]) => {
                let digits = [high, low];
                let digits = std::str::from_utf8(&digits).unwrap_or("3f");
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
