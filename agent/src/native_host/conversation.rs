//! One conversation: version, command, answer, end. The host does not wait for its input to close.
//! (Gosuslugi's extension has another kind: [`ifc`].)

use std::ffi::OsString;
use std::io::{self, Read, Write};

use plugin_protocol::ErrorCode;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::frame::{self, FrameError};
use super::{Daemon, Host, Refusal, ifc, plugin, web_eid};
use crate::server;

type Command = Result<Option<Vec<u8>>, FrameError>;

/// A host that serves one command.
#[derive(Clone, Copy)]
enum Once {
    WebEid,
    Plugin,
}

impl Once {
    fn version(self) -> Value {
        match self {
            Self::WebEid => web_eid::version(),
            Self::Plugin => plugin::version(),
        }
    }

    async fn answer(self, command: &[u8], daemon: &Daemon, gone: &CancellationToken) -> Result<Value, Refusal> {
        match self {
            Self::WebEid => web_eid::answer(command, daemon, gone).await,
            Self::Plugin => plugin::answer(command, daemon, gone).await,
        }
    }

    fn error(self, refusal: &Refusal) -> Value {
        match self {
            Self::WebEid => web_eid::error(refusal),
            Self::Plugin => plugin::error(refusal),
        }
    }
}

/// Serves one command, or as many as come where the extension keeps its connection. `arguments` are the browser's
/// own. Ends when the answer is written, or when
/// `input` ends or a signal comes while the answer is awaited; an operation is cancelled then.
///
/// An error is for standard error: it has no words of a page and no certificate in it.
pub async fn converse(
    host: Host,
    arguments: &[OsString],
    daemon: &Daemon,
    input: impl Read + Send + 'static,
    output: &mut impl Write,
) -> Result<(), String> {
    let once = match host {
        Host::WebEid => Once::WebEid,
        Host::Plugin => Once::Plugin,
        Host::Ifc => return ifc::serve(arguments, daemon, input, output).await,
    };
    let unwritable = |error: io::Error| format!("the browser does not read: {error}");
    frame::write(output, &once.version(), frame::MAX_ANSWER).map_err(unwritable)?;
    let gone = CancellationToken::new();
    if let Ok(signal) = server::signals() {
        let on_signal = gone.clone();
        tokio::spawn(async move {
            signal.await;
            on_signal.cancel();
        });
    }
    let command = listen(input, gone.clone());
    let answer = match command.await {
        None | Some(Ok(None)) => return Ok(()),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(Some(command))) => match host.check_caller(arguments) {
            Err(why) => Err(Refusal::new(ErrorCode::ForbiddenContext, why)),
            Ok(()) => once.answer(&command, daemon, &gone).await,
        },
    };
    let refused = match answer {
        Err(Refusal::Gone) => return Ok(()),
        Err(refusal) => refusal,
        Ok(answer) => match frame::write(output, &answer, frame::MAX_ANSWER) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Refusal::new(ErrorCode::TooLarge, error.to_string())
            }
            written => return written.map_err(unwritable),
        },
    };
    frame::write(output, &once.error(&refused), frame::MAX_ANSWER).map_err(unwritable)?;
    Err(format!("{}: {}", host.name(), refused.reason()))
}

/// Reads the command on a thread of its own, then whatever follows until the input ends, which
/// cancels `gone`. `None` when `gone` came first.
async fn listen(mut input: impl Read + Send + 'static, gone: CancellationToken) -> Option<Command> {
    let (sender, command) = oneshot::channel();
    let ended = gone.clone();
    std::thread::spawn(move || {
        let command = frame::read(&mut input, frame::REQUEST);
        let more = matches!(command, Ok(Some(_)));
        let _ = sender.send(command);
        if more {
            let _ = io::copy(&mut input, &mut io::sink());
            ended.cancel();
        }
    });
    tokio::select! {
        // A command that came whole is answered even if the input ended right behind it.
        biased;
        command = command => command.ok(),
        () = gone.cancelled() => None,
    }
}
