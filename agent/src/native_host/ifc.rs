//! `ru.rtlabs.ifcplugin`: the commands of the official Gosuslugi extension, which ESIA's sign-in page gives.
//!
//! Unlike the other names this one is a conversation: the browser starts a host for each page when the page is
//! loaded, and the page gives commands until it goes, one after the other, which is the end of the input. So
//! nothing is written before the first command and no error ends the host: each command has its answer, in their order,
//! with a number that says what went wrong ([`Code`]).
//!
//! The extension passes on what any page on its list says, and not which page it is. Therefore the daemon is
//! told that the origin is not attested, and takes the literal form of ESIA's challenge from here and nothing
//! else; and the PIN that the page asks for in a window of its own is not even read ([`command`]): the
//! agent asks in its window.

mod certificate;
mod code;
mod command;
mod input;
mod person;
mod session;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use self::code::Code;
use self::input::{Incoming, listen};
use self::session::Session;
use super::frame;
use super::{Daemon, Host};
use crate::server;

/// Bytes of an answer at most: browsers take 1 MiB.
const MAX_ANSWER: usize = 1024 * 1024 - 1;

/// Serves commands until `input` ends or a signal comes; an open window is closed then.
///
/// What comes to nothing is also told on standard error, without words of the page or of a certificate.
pub(super) async fn serve(
    arguments: &[OsString],
    daemon: &Daemon,
    input: impl Read + Send + 'static,
    output: &mut impl Write,
) -> Result<(), String> {
    let unwritable = |error: io::Error| format!("the browser does not read: {error}");
    let (mut commands, gone) = listen(input);
    let stopped = gone.clone();
    if let Ok(signal) = server::signals() {
        tokio::spawn(async move {
            signal.await;
            stopped.stop();
        });
    }
    let stranger = Host::Ifc.check_caller(arguments).err();
    let mut session = Session::new(daemon, gone.clone());
    loop {
        let incoming = tokio::select! {
            incoming = commands.recv() => incoming,
            () = gone.stopped() => None,
        };
        let Some(incoming) = incoming else {
            return Ok(());
        };
        let answer = match (&stranger, incoming) {
            (Some(why), _) => Some(complain("", Code::Init, why)),
            (None, Incoming::TooLong(length)) => {
                let why = format!("a command of {length} bytes");
                Some(complain("", Code::BadParams, &why))
            }
            (None, Incoming::Command(message)) => session.answer(&message).await,
        };
        let Some(answer) = answer else {
            return Ok(());
        };
        match frame::write(output, &answer, MAX_ANSWER) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let refused = complain("", Code::General, &error.to_string());
                frame::write(output, &refused, MAX_ANSWER).map_err(unwritable)?;
            }
            written => written.map_err(unwritable)?,
        }
    }
}

/// Complaints of one host that are written. A page causes as many as it likes, and the logs that browsers write
/// to know no bound.
const MAX_COMPLAINTS: usize = 64;

/// Counts what was written.
struct Complaints(AtomicUsize);

impl Complaints {
    /// Whether there is room for another.
    fn another(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) < MAX_COMPLAINTS
    }
}

/// The answer of a command that came to nothing; `why` is for whoever looks at the browser's own log.
fn complain(command: &str, code: Code, why: &str) -> Value {
    static WRITTEN: Complaints = Complaints(AtomicUsize::new(0));
    let before = if command.is_empty() { "" } else { ": " };
    if WRITTEN.another() {
        eprintln!("{}{before}{command}: {why}", Host::Ifc.name());
    }
    code.answer()
}

#[cfg(test)]
mod tests;
