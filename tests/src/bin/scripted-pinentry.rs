//! A pinentry that answers by a script and remembers what it was shown.
//!
//! `scripted-pinentry FOLDER` takes the first line of `FOLDER/answers` away at each
//! question and does what it says: `pin 1234`, `yes`, `no`, `cancel`, `hang`, `die`.
//! With no line left it cancels. What it was shown is appended to `FOLDER/shown`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

const CANCELLED: &str = "ERR 83886179 Operation cancelled <Pinentry>";
const NOT_CONFIRMED: &str = "ERR 83886194 Not confirmed <Pinentry>";

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: scripted-pinentry FOLDER"));
    let mut output = io::stdout();
    writeln!(output, "OK scripted-pinentry at your service")?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command {
            "GETPIN" | "CONFIRM" | "MESSAGE" => {
                remember(&folder, command, rest)?;
                answer(&mut output, &next_answer(&folder)?)?;
            }
            "BYE" => {
                writeln!(output, "OK")?;
                return Ok(());
            }
            command => {
                if command.starts_with("SET") {
                    remember(&folder, command, &unescape(rest))?;
                }
                writeln!(output, "OK")?;
            }
        }
        output.flush()?;
    }
    // Standard input closed in the middle: the agent closed the window.
    remember(&folder, "CLOSED", "")
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

fn next_answer(folder: &Path) -> io::Result<String> {
    let path = folder.join("answers");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    fs::write(&path, rest)?;
    Ok(first.to_owned())
}

fn remember(folder: &Path, command: &str, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("shown"))?;
    file.write_all(format!("{command} {text}\n").as_bytes())
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
