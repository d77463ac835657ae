//! A client of PC/SC that does what it is told: `pcsc-client`, with a command in each line of its standard input.
//!
//! The PC/SC library takes its socket from the environment, once in a process: a test that speaks to readers beside the
//! agent does it through a process of this. Each command is answered with one line, `ok …` or `error NAME`:
//!
//! - `readers`: their names, with a tab between two;
//! - `wait READER present|empty [SECONDS]`: waits for that, 45 seconds at most where no others are said;
//! - `connect READER shared|exclusive`, `disconnect leave|reset`;
//! - `begin`, `end`: a transaction;
//! - `send HEX`: the response in hexadecimal;
//! - `time COUNT HEX`: the median time of so many sendings, nanoseconds.
//!
//! At the end of its input it goes as a program does that ends: without saying goodbye.

use std::ffi::CString;
use std::io::{BufRead, StdinLock, Write};
use std::time::{Duration, Instant};

use pcsc::{Card, Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};

/// The longest wait, unless another is said: so long that only a hang meets it, and over before whoever asked for it gives
/// up.
const BOUND: Duration = Duration::from_secs(45);

fn main() {
    let mut client = Client::default();
    let mut input = std::io::stdin().lock();
    while let Some(words) = next(&mut input) {
        let answered = client.obey(&words, &mut input);
        answer(answered);
    }
    // A card that is dropped is reset, which nobody has asked for.
    std::mem::forget(client);
}

fn next(input: &mut StdinLock<'_>) -> Option<Vec<String>> {
    let mut line = String::new();
    let read = input.read_line(&mut line).ok()?;
    // Readers' names have blanks, so words are parted by tabs.
    (read > 0).then(|| line.trim_end_matches('\n').split('\t').map(str::to_owned).collect())
}

fn answer(answered: Result<String, Error>) {
    let line = match answered {
        Ok(text) => format!("ok {text}"),
        Err(error) => format!("error {error:?}"),
    };
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

#[derive(Default)]
struct Client {
    context: Option<Context>,
    card: Option<Card>,
}

impl Client {
    fn obey(&mut self, words: &[String], input: &mut StdinLock<'_>) -> Result<String, Error> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["readers"] => {
                let names = self.context()?.list_readers_owned()?;
                let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
                Ok(names.join("\t"))
            }
            ["wait", reader, state] => self.wait(reader, state == "present", BOUND),
            ["wait", reader, state, seconds] => {
                let seconds = seconds.parse().map_err(|_| Error::InvalidParameter)?;
                self.wait(reader, state == "present", Duration::from_secs(seconds))
            }
            ["connect", reader, mode] => {
                let mode = match mode {
                    "exclusive" => ShareMode::Exclusive,
                    _ => ShareMode::Shared,
                };
                let card = self.context()?.connect(&name(reader), mode, Protocols::ANY)?;
                self.card = Some(card);
                Ok(String::new())
            }
            ["disconnect", what] => {
                let disposition = match what {
                    "leave" => Disposition::LeaveCard,
                    _ => Disposition::ResetCard,
                };
                let card = self.card.take().ok_or(Error::InvalidHandle)?;
                card.disconnect(disposition).map_err(|(card, error)| {
                    std::mem::forget(card);
                    error
                })?;
                Ok(String::new())
            }
            ["begin"] => {
                let card = self.card.as_mut().ok_or(Error::InvalidHandle)?;
                transaction(card, input)
            }
            ["send", hex] => send(self.card.as_ref().ok_or(Error::InvalidHandle)?, hex),
            ["time", count, hex] => time(self.card.as_ref().ok_or(Error::InvalidHandle)?, count, hex),
            _ => Err(Error::InvalidParameter),
        }
    }

    fn context(&mut self) -> Result<&Context, Error> {
        if self.context.is_none() {
            self.context = Some(Context::establish(Scope::User)?);
        }
        self.context.as_ref().ok_or(Error::InvalidHandle)
    }

    fn wait(&mut self, reader: &str, present: bool, bound: Duration) -> Result<String, Error> {
        let context = self.context()?;
        let mut states = [ReaderState::new(name(reader), State::UNAWARE)];
        let deadline = Instant::now() + bound;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            context.get_status_change(left, &mut states)?;
            let state = states[0].event_state();
            let there = state.contains(State::PRESENT) && !state.contains(State::MUTE);
            if there == present {
                return Ok(format!("{state:?}"));
            }
            states[0].sync_current_state();
        }
    }
}

/// Obeys until `end`: the transaction borrows the card.
fn transaction(card: &mut Card, input: &mut StdinLock<'_>) -> Result<String, Error> {
    let transaction = card.transaction()?;
    answer(Ok(String::new()));
    while let Some(words) = next(input) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answered = match words[..] {
            ["end"] => {
                return transaction
                    .end(Disposition::LeaveCard)
                    .map(|()| String::new())
                    .map_err(|(kept, error)| {
                        std::mem::forget(kept);
                        error
                    });
            }
            ["send", hex] => send(&transaction, hex),
            ["time", count, hex] => time(&transaction, count, hex),
            _ => Err(Error::InvalidParameter),
        };
        answer(answered);
    }
    std::mem::forget(transaction);
    Ok(String::new())
}

fn send(card: &Card, hex: &str) -> Result<String, Error> {
    let command = bytes(hex).ok_or(Error::InvalidParameter)?;
    let mut buffer = vec![0; pcsc::MAX_BUFFER_SIZE_EXTENDED];
    let response = card.transmit(&command, &mut buffer)?;
    Ok(response.iter().map(|byte| format!("{byte:02X}")).collect())
}

fn time(card: &Card, count: &str, hex: &str) -> Result<String, Error> {
    let count: usize = count.parse().map_err(|_| Error::InvalidParameter)?;
    let command = bytes(hex).ok_or(Error::InvalidParameter)?;
    let mut buffer = vec![0; pcsc::MAX_BUFFER_SIZE_EXTENDED];
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        card.transmit(&command, &mut buffer)?;
        times.push(begun.elapsed());
    }
    times.sort();
    let median = times.get(count / 2).ok_or(Error::InvalidParameter)?;
    Ok(median.as_nanos().to_string())
}

fn name(reader: &str) -> CString {
    CString::new(reader).unwrap_or_default()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    let pairs = digits.map(|pair| {
        std::str::from_utf8(pair)
            .ok()
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    pairs.collect()
}
