//! A pinentry that answers by a script and remembers what it was shown.
//!
//! `scripted-pinentry FOLDER` takes the first line of `FOLDER/answers` away at each
//! question and does what it says: `pin 1234`, `yes`, `no`, `cancel`, `hang`, `die`.
//! `held pin 1234` answers when `FOLDER/go` is there. A line that begins with `GETPIN: ` waits for a question for a PIN, one
//! with `CONFIRM: ` for one of the others. With no line left it cancels. Pages before the last are turned without an answer.
//! What it was shown is appended to `FOLDER/shown`, its process id as `OPENED id`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

const CANCELLED: &str = "ERR 83886179 Operation cancelled <Pinentry>";
/// What the button says that turns a page.
const NEXT_PAGE: [&str; 2] = ["Next page", "Следующая страница"];
const NOT_CONFIRMED: &str = "ERR 83886194 Not confirmed <Pinentry>";

fn main() -> io::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: scripted-pinentry FOLDER"));
    let mut output = io::stdout();
    let mut button = String::new();
    remember(&folder, "OPENED", &std::process::id().to_string())?;
    writeln!(output, "OK scripted-pinentry at your service")?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command {
            "GETPIN" | "CONFIRM" | "MESSAGE" => {
                remember(&folder, command, rest)?;
                match NEXT_PAGE.contains(&button.as_str()) {
                    true => answer(&mut output, "yes")?,
                    false => answer(&mut output, &released(&folder, next_answer(&folder, command)?))?,
                }
            }
            "BYE" => {
                writeln!(output, "OK")?;
                return Ok(());
            }
            command => {
                if command.starts_with("SET") {
                    remember(&folder, command, &unescape(rest))?;
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

/// The first line that is for any question, or for this kind.
fn next_answer(folder: &Path, command: &str) -> io::Result<String> {
    let path = folder.join("answers");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    let for_pins = command == "GETPIN";
    let fits = |line: &&str| match line.split_once(": ") {
        Some(("GETPIN", _)) => for_pins,
        Some(("CONFIRM", _)) => !for_pins,
        _ => true,
    };
    let Some(place) = lines.iter().position(fits) else {
        return Ok(String::new());
    };
    let line = lines.remove(place);
    fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
    let said = line.strip_prefix("GETPIN: ").or(line.strip_prefix("CONFIRM: "));
    Ok(said.unwrap_or(line).to_owned())
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
