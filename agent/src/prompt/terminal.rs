//! The person asked on the terminal the agent was started in.
//!
//! Typed characters are not echoed while a PIN is asked for, and what was typed
//! before the question is thrown away, so that it cannot answer it.

mod tty;

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

use crate::pin::Pin;
use crate::prompt::text::clean::wrap_lines;
use crate::prompt::text::{Language, Room, Text, Texts};
use crate::prompt::{Answer, Asking, PinEntry, Prompt, PromptError, Question};

use tty::{Line, Tty};

/// Columns that are written to.
const COLUMNS: usize = 72;

/// The controlling terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    path: PathBuf,
    language: Language,
}

impl Terminal {
    /// The controlling terminal of the process, `/dev/tty`.
    pub fn new(language: Language) -> Self {
        Self::at("/dev/tty".into(), language)
    }

    /// The terminal at `path`.
    pub fn at(path: PathBuf, language: Language) -> Self {
        Self { path, language }
    }

    async fn answer(&self, question: &Question) -> Result<Answer, PromptError> {
        let mut tty = Tty::open(&self.path)?;
        let mut ended = signals()?;
        // Whatever ends this, `tty` is dropped and with it the settings are put back.
        tokio::select! {
            answer = self.ask_on(&mut tty, question) => answer,
            () = &mut ended => Err(PromptError::Cancelled),
        }
    }

    async fn ask_on(&self, tty: &mut Tty, question: &Question) -> Result<Answer, PromptError> {
        let texts = Texts::new(self.language);
        let text = texts.question(question, Room::Scroll);
        tty.write(&shown(&text)).await?;
        match question {
            Question::InsertToken(..) => {
                tty.ask(&text.prompt, Line::Shown).await?;
                Err(PromptError::Cancelled)
            }
            Question::Choose(_, candidates) => number(tty, &texts, &text, candidates.len()).await,
            Question::Consent(consent) if consent.pin == PinEntry::Window => {
                let prompt = texts.say("prompt-pin-hidden");
                loop {
                    let typed = tty.ask(&prompt, Line::Hidden).await?;
                    if typed.is_empty() {
                        return Err(PromptError::Declined);
                    }
                    match texts.unfit_pin(typed.len(), &consent.candidate.token.pin) {
                        None => return Ok(Answer::Pin(pin(typed))),
                        Some(error) => tty.write(&format!("{error}\n")).await?,
                    }
                }
            }
            Question::Renew(renewal) if renewal.is_typed() => {
                let prompt = texts.hidden_field(renewal);
                loop {
                    let typed = tty.ask(&prompt, Line::Hidden).await?;
                    if typed.is_empty() {
                        return Err(PromptError::Declined);
                    }
                    match texts.unfit_renewal(&typed, renewal) {
                        None => return Ok(Answer::Pin(pin(typed))),
                        Some(error) => tty.write(&format!("{error}\n")).await?,
                    }
                }
            }
            Question::Consent(_) | Question::Renew(_) | Question::LastTry(..) | Question::Pair { .. } => {
                yes_no(tty, &texts, &text).await
            }
        }
    }
}

impl Prompt for Terminal {
    fn name(&self) -> &str {
        "terminal"
    }

    fn check(&self) -> Result<(), PromptError> {
        tty::check(&self.path)
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.answer(question))
    }
}

/// The whole text, with a rule that sets it off from the log around it.
fn shown(text: &Text) -> String {
    let rule = "─".repeat(COLUMNS);
    let mut parts = vec![format!("{rule}\n{}", text.title), text.head.clone()];
    parts.extend(text.notes.iter().chain(&text.body).cloned());
    parts.extend(text.error.clone());
    format!("\n{}\n\n", wrap_lines(&parts.join("\n\n"), COLUMNS))
}

/// Moves the typed bytes into a PIN, without a copy.
fn pin(mut typed: zeroize::Zeroizing<Vec<u8>>) -> Pin {
    Pin::from_bytes(std::mem::take(&mut *typed))
}

async fn yes_no(tty: &mut Tty, texts: &Texts, text: &Text) -> Result<Answer, PromptError> {
    loop {
        let typed = tty.ask(&text.prompt, Line::Shown).await?;
        match String::from_utf8_lossy(&typed).trim().to_lowercase().as_str() {
            "y" | "yes" | "д" | "да" => return Ok(Answer::Yes),
            "n" | "no" | "н" | "нет" => return Err(PromptError::Declined),
            _ => tty.write(&format!("{}\n", texts.say("error-yes-no"))).await?,
        }
    }
}

async fn number(tty: &mut Tty, texts: &Texts, text: &Text, count: usize) -> Result<Answer, PromptError> {
    loop {
        let typed = tty.ask(&text.prompt, Line::Shown).await?;
        let typed = String::from_utf8_lossy(&typed).trim().to_owned();
        match typed.parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => return Ok(Answer::Chosen(number - 1)),
            _ if typed.is_empty() => return Err(PromptError::Declined),
            _ => tty.write(&format!("{}\n", texts.say("error-number"))).await?,
        }
    }
}

/// A future that ends with a signal that asks the process to end.
///
/// The daemon listens for them too and stops; a command is left with a
/// cancelled question, and ends by itself.
fn signals() -> Result<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>, PromptError> {
    let listen = |kind| {
        signal(kind).map_err(|error| PromptError::Unavailable(format!("signals cannot be listened for: {error}")))
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hangup.recv() => (),
        }
    }))
}

#[cfg(test)]
mod tests;
