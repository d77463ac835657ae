//! One pinentry process, from its greeting to its end.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::{Flavour, Pinentry, layout};
use crate::pin::Pin;
use crate::prompt::PromptError;
use crate::prompt::assuan::{Assuan, Broken, Reply};
use crate::prompt::text::Text;
use crate::prompt::text::clean::clean;

/// How long it may take to end when told to.
const GOODBYE: Duration = Duration::from_secs(1);

/// GPG_ERR_TIMEOUT.
const TIMEOUT: u32 = 62;
/// GPG_ERR_CANCELED.
const CANCELED: u32 = 99;
/// GPG_ERR_NOT_CONFIRMED.
const NOT_CONFIRMED: u32 = 114;
/// GPG_ERR_FULLY_CANCELED: also what closing a window gives in some flavours.
const FULLY_CANCELED: u32 = 198;

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Button {
    /// The one that agrees.
    Ok,
    /// The third one, where a flavour has three.
    NotOk,
    /// The one that declines, or the window was closed.
    Cancel,
}

/// A running pinentry. Dropping it kills the process, which closes the window.
pub(super) struct Session {
    name: String,
    wrap: bool,
    promptly: Duration,
    patience: Duration,
    assuan: Assuan<ChildStdout, ChildStdin>,
    // The terminal is restored after the process that used it is gone: fields drop in this order.
    process: Process,
    _terminal: Option<Restore>,
}

impl Session {
    /// Starts the process and tells it where it is.
    pub(super) async fn open(pinentry: &Pinentry) -> Result<Self, PromptError> {
        let unavailable = |why: &str| PromptError::Unavailable(format!("{} {why}", pinentry.name));
        let terminal = match (pinentry.flavour, &pinentry.tty) {
            (Flavour::Text, Some(tty)) => Restore::of(tty),
            _ => None,
        };
        let mut child = Command::new(&pinentry.program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| unavailable(&format!("cannot be started: {error}")))?;
        let pipes = child.stdout.take().zip(child.stdin.take());
        let (stdout, stdin) = pipes.ok_or_else(|| unavailable("has no pipes"))?;
        let mut session = Self {
            name: pinentry.name.clone(),
            wrap: pinentry.flavour != Flavour::Window,
            promptly: pinentry.promptly,
            patience: pinentry.patience,
            assuan: Assuan::new(stdout, stdin),
            process: Process(Some(child)),
            _terminal: terminal,
        };
        let greeting = timeout(session.promptly, session.assuan.greeting()).await;
        match greeting {
            Err(_) => return Err(session.broken("does not answer")),
            Ok(Err(broken)) => return Err(session.no_assuan(broken)),
            Ok(Ok(())) => (),
        }
        session.options(pinentry).await?;
        Ok(session)
    }

    async fn options(&mut self, pinentry: &Pinentry) -> Result<(), PromptError> {
        let mut options = vec![format!("lc-ctype={}", utf8_locale())];
        if let Some(tty) = &pinentry.tty {
            options.push(format!("ttyname={}", tty.display()));
            let kind = std::env::var("TERM").unwrap_or_else(|_| "vt100".to_owned());
            options.push(format!("ttytype={kind}"));
        }
        for option in options {
            // A flavour that does not know an option says so, and does without.
            self.call("OPTION", &option).await?;
        }
        self.call("SETTIMEOUT", &self.patience.as_secs().to_string()).await?;
        Ok(())
    }

    /// The text in pages for this flavour.
    pub(super) fn pages(&self, text: &Text) -> Vec<String> {
        layout::pages(text, self.wrap)
    }

    /// The page of one candidate for this flavour.
    pub(super) fn choice(&self, text: &Text, index: usize) -> String {
        layout::choice(text, index, self.wrap)
    }

    /// Whether its windows can have a third button; `pinentry-gnome3` cannot.
    pub(super) async fn three_buttons(&mut self) -> Result<bool, PromptError> {
        match self.call("GETINFO", "flavor").await? {
            Reply::Ok(flavour) => Ok(!flavour.starts_with(b"gnome3")),
            Reply::Err(..) => Ok(true),
        }
    }

    /// The next window's title and description.
    pub(super) async fn show(&mut self, title: &str, description: &str) -> Result<(), PromptError> {
        self.set("SETTITLE", title).await?;
        self.set("SETDESC", description).await
    }

    /// The next window's buttons.
    pub(super) async fn buttons(&mut self, ok: &str, cancel: &str) -> Result<(), PromptError> {
        self.set("SETOK", ok).await?;
        self.set("SETCANCEL", cancel).await
    }

    /// A property of the next window.
    pub(super) async fn set(&mut self, command: &str, value: &str) -> Result<(), PromptError> {
        match self.call(command, value).await? {
            Reply::Ok(_) => Ok(()),
            Reply::Err(_, text) => Err(self.said(&text)),
        }
    }

    /// A window with a PIN field.
    pub(super) async fn pin(&mut self) -> Result<Pin, PromptError> {
        match self.wait("GETPIN", "").await? {
            Reply::Ok(mut data) => Ok(Pin::from_bytes(std::mem::take(&mut *data))),
            Reply::Err(code, text) => Err(self.ended(code, &text)),
        }
    }

    /// A window with buttons alone.
    pub(super) async fn confirm(&mut self) -> Result<Button, PromptError> {
        match self.wait("CONFIRM", "").await? {
            Reply::Ok(_) => Ok(Button::Ok),
            Reply::Err(NOT_CONFIRMED, _) => Ok(Button::NotOk),
            Reply::Err(CANCELED | FULLY_CANCELED, _) => Ok(Button::Cancel),
            Reply::Err(code, text) => Err(self.ended(code, &text)),
        }
    }

    /// A window with one button.
    pub(super) async fn message(&mut self) -> Result<(), PromptError> {
        match self.wait("CONFIRM", "--one-button").await? {
            Reply::Ok(_) | Reply::Err(CANCELED | FULLY_CANCELED | NOT_CONFIRMED, _) => Ok(()),
            Reply::Err(code, text) => Err(self.ended(code, &text)),
        }
    }

    /// Lets it end by itself, but not for long.
    pub(super) async fn close(mut self) {
        let _ = timeout(GOODBYE, self.assuan.call("BYE", "")).await;
        let _ = timeout(GOODBYE, self.process.wait()).await;
    }

    /// A command that the program answers by itself.
    async fn call(&mut self, command: &str, argument: &str) -> Result<Reply, PromptError> {
        match timeout(self.promptly, self.assuan.call(command, argument)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(broken)) => Err(self.no_assuan(broken)),
            Err(_) => Err(self.broken("does not answer")),
        }
    }

    /// A command that the person answers.
    async fn wait(&mut self, command: &str, argument: &str) -> Result<Reply, PromptError> {
        // It was told the timeout; it has a little longer to say that it is over.
        let within = self.patience + self.promptly;
        match timeout(within, self.assuan.call(command, argument)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(broken)) => Err(self.no_assuan(broken)),
            Err(_) => Err(PromptError::TimedOut),
        }
    }

    fn ended(&self, code: u32, text: &str) -> PromptError {
        match code {
            TIMEOUT => PromptError::TimedOut,
            CANCELED | FULLY_CANCELED | NOT_CONFIRMED => PromptError::Declined,
            _ => self.said(text),
        }
    }

    fn said(&self, text: &str) -> PromptError {
        let text = clean(text, 120);
        self.broken(&format!(
            "cannot ask ({text}); try it with `echo GETPIN | {}`",
            self.name
        ))
    }

    fn no_assuan(&self, broken: Broken) -> PromptError {
        self.broken(match broken {
            Broken::Closed => "ended without an answer; is a display or terminal there?",
            Broken::TooLong | Broken::Garbage => "does not speak the pinentry protocol",
        })
    }

    fn broken(&self, what: &str) -> PromptError {
        PromptError::Unavailable(format!("{} {what}", self.name))
    }
}

/// The environment's locale if it is UTF-8, as our texts are; else one that is.
fn utf8_locale() -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(set)
        .unwrap_or_default();
    let lower = locale.to_ascii_lowercase();
    match lower.contains("utf-8") || lower.contains("utf8") {
        true => locale,
        false => "C.UTF-8".to_owned(),
    }
}

/// The process itself. Dropping it kills it and has it reaped as soon as it is dead.
struct Process(Option<Child>);

impl Process {
    async fn wait(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.wait().await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that was waited for has no id any more.
        let Some(mut child) = self.0.take().filter(|child| child.id().is_some()) else {
            return;
        };
        let _ = child.start_kill();
        // Left to tokio it would be reaped when the runtime next has something else to do, which may be long.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { child.wait().await });
        }
    }
}

/// A terminal's settings, put back when dropped: a killed pinentry leaves echo off.
struct Restore {
    tty: File,
    settings: Termios,
}

impl Restore {
    fn of(tty: &std::path::Path) -> Option<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOCTTY.bits() as i32;
        let tty = File::options()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(tty)
            .ok()?;
        let settings = tcgetattr(&tty).ok()?;
        Some(Self { tty, settings })
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        // In the background of its own terminal a process that sets it is stopped.
        let background = tcgetpgrp(&self.tty).is_ok_and(|group| group != rustix::process::getpgrp());
        if !background {
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.settings);
        }
    }
}
