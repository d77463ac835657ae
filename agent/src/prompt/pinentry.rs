//! The person asked through a pinentry program, any flavour of it.
//!
//! One process per question; it lives as long as the future that asks.

mod find;
mod layout;
mod session;

use std::path::{Path, PathBuf};
use std::time::Duration;

use plugin_protocol::limits::OPERATION_LIFETIME;

use crate::pin::Pin;
use crate::prompt::text::{Language, Room, Text, Texts};
use crate::prompt::{Answer, Asking, PinEntry, Prompt, PromptError, Question};

pub use find::Flavour;
pub(in crate::prompt) use find::has_display;
use session::{Button, Session};

/// A pinentry program and where it can show itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinentry {
    name: String,
    program: PathBuf,
    flavour: Flavour,
    tty: Option<PathBuf>,
    language: Language,
    promptly: Duration,
    patience: Duration,
}

/// How long a pinentry may take to answer what needs no person.
const PROMPTLY: Duration = Duration::from_secs(10);
/// How long the person may take: no operation lives longer.
const PATIENCE: Duration = Duration::from_secs(OPERATION_LIFETIME);

impl Pinentry {
    /// The program at `program`; its flavour is read off the name of the file it leads to.
    pub fn new(program: PathBuf, language: Language) -> Self {
        let flavour = Flavour::of(&program);
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            name,
            program,
            flavour,
            tty: find::tty(),
            language,
            promptly: PROMPTLY,
            patience: PATIENCE,
        }
    }

    /// The first flavour on `PATH` that can show a window here, else the first that works in a terminal.
    pub fn find(language: Language) -> Option<Self> {
        find::programs()
            .map(|program| Self::new(program, language))
            .min_by_key(|found| found.check().is_err())
    }

    /// Uses the terminal at `tty` for the flavours that need one.
    pub fn on_tty(mut self, tty: PathBuf) -> Self {
        self.tty = Some(tty);
        self
    }

    /// How it shows itself.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    async fn answer(&self, question: &Question) -> Result<Answer, PromptError> {
        self.check()?;
        let texts = Texts::new(self.language);
        let text = texts.question(question, Room::Window);
        let mut session = Session::open(self).await?;
        let answer = match question {
            Question::InsertToken(..) => insert(&mut session, &text).await,
            Question::Choose(_, candidates) => choose(&mut session, &text, candidates.len()).await,
            Question::Consent(consent) if consent.pin == PinEntry::Window => {
                let unfit = |typed: &Pin| texts.unfit_pin(typed.expose().len(), &consent.candidate.token.pin);
                pin(&mut session, text, unfit).await
            }
            Question::Renew(renewal) if renewal.is_typed() => {
                let unfit = |typed: &Pin| texts.unfit_renewal(typed.expose(), renewal);
                pin(&mut session, text, unfit).await
            }
            Question::Consent(_) | Question::Renew(_) | Question::LastTry(..) | Question::Pair { .. } => {
                agree(&mut session, &text).await
            }
        };
        session.close().await;
        answer
    }
}

impl Prompt for Pinentry {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self) -> Result<(), PromptError> {
        if !find::is_program(&self.program) {
            let why = format!("{} is not a program that can be started", self.name);
            return Err(PromptError::Unavailable(format!("{why}; {}", find::REMEDY)));
        }
        match self.flavour {
            Flavour::Window if !find::has_display() => Err(PromptError::Unavailable(format!(
                "{} needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set; \
                 start the agent inside the desktop session, or use pinentry-curses with GPG_TTY set",
                self.name
            ))),
            Flavour::Text if self.tty.is_none() => Err(PromptError::Unavailable(format!(
                "{} needs a terminal; set GPG_TTY=$(tty) before the agent starts, or install a pinentry \
                 with windows (pinentry-gnome3, pinentry-qt)",
                self.name
            ))),
            Flavour::Text if self.tty.as_deref().is_some_and(find::in_background) => {
                Err(PromptError::Unavailable(format!(
                    "{} would be stopped, because the agent runs in its terminal's background; start the agent in \
                     the foreground (`fg` brings it there), or install a pinentry with windows (pinentry-gnome3, \
                     pinentry-qt)",
                    self.name
                )))
            }
            _ => Ok(()),
        }
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(self.answer(question))
    }
}

/// A window with one button, which gives up; where it takes several pages, the last has that, and the others turn to it.
async fn insert(session: &mut Session, text: &Text) -> Result<Answer, PromptError> {
    let pages = session.pages(text);
    match leaf_through(session, text, &pages).await {
        Ok(()) => session.message().await?,
        // Nothing was asked that could be declined.
        Err(PromptError::Declined) => {}
        Err(failed) => return Err(failed),
    }
    Err(PromptError::Cancelled)
}

/// One window per candidate: use this one, show the next, decline; round and round.
///
/// Where a flavour has two buttons alone, the second shows the next, and declines on the last.
async fn choose(session: &mut Session, text: &Text, count: usize) -> Result<Answer, PromptError> {
    let three = session.three_buttons().await?;
    if three {
        session.buttons(&text.ok, &text.cancel).await?;
        session.set("SETNOTOK", &text.next).await?;
    }
    for index in (0..count).cycle() {
        let title = format!("{} ({}/{count})", text.title, index + 1);
        session.show(&title, &session.choice(text, index)).await?;
        let last = index + 1 == count;
        if !three {
            session
                .buttons(&text.ok, if last { &text.cancel } else { &text.next })
                .await?;
        }
        match session.confirm().await? {
            Button::Ok => return Ok(Answer::Chosen(index)),
            Button::NotOk | Button::Cancel if !three && !last => (),
            Button::NotOk if three => (),
            Button::NotOk | Button::Cancel => break,
        }
    }
    Err(PromptError::Declined)
}

/// The pages before the last, each with a button to the next.
async fn leaf_through(session: &mut Session, text: &Text, pages: &[String]) -> Result<(), PromptError> {
    for (index, page) in pages.iter().enumerate() {
        let last = index + 1 == pages.len();
        let title = match pages.len() {
            1 => text.title.clone(),
            count => format!("{} ({}/{count})", text.title, index + 1),
        };
        session.show(&title, page).await?;
        session
            .buttons(if last { &text.ok } else { &text.next }, &text.cancel)
            .await?;
        if !last && session.confirm().await? != Button::Ok {
            return Err(PromptError::Declined);
        }
    }
    Ok(())
}

async fn agree(session: &mut Session, text: &Text) -> Result<Answer, PromptError> {
    let pages = session.pages(text);
    leaf_through(session, text, &pages).await?;
    match session.confirm().await? {
        Button::Ok => Ok(Answer::Yes),
        Button::NotOk | Button::Cancel => Err(PromptError::Declined),
    }
}

/// A text with a field for a PIN in one window; asked again, without spending a try, when what was typed cannot be
/// right.
async fn pin(session: &mut Session, text: Text, unfit: impl Fn(&Pin) -> Option<String>) -> Result<Answer, PromptError> {
    let pages = session.pages(&text);
    leaf_through(session, &text, &pages).await?;
    session.set("SETPROMPT", &text.prompt).await?;
    let mut error = text.error;
    loop {
        if let Some(error) = &error {
            session.set("SETERROR", error).await?;
        }
        let pin = session.pin().await?;
        match unfit(&pin) {
            None => return Ok(Answer::Pin(pin)),
            wrong => error = wrong,
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(in crate::prompt) use tests::fake;
