//! From a port to answers: bind, announce, serve, end.

mod patient;

use std::fs::File;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use plugin_protocol::limits::PORTS;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::patient::Patient;
use crate::api;
use crate::app::App;
use crate::events::Audience;
use crate::guard::Peer;
use crate::private_file;
use crate::token::Notice;
use crate::token::worker::TokenEvent;
use plugin_protocol::event::EventKind;

/// Connections served at a time; further ones wait in the listener's queue.
const MAX_CONNECTIONS: usize = 64;
/// A connection that sends no whole head within this time, idle ones included, is closed. (Tests wait it out.)
const HEAD_TIMEOUT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 10 });
/// A peer that takes nothing of its answers for so long is left.
const ANSWER_TIMEOUT: Duration = HEAD_TIMEOUT;
/// Bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;
/// Between two looks at tokens that keep changing, while a plugin waits for events.
const LOOK_PAUSE: Duration = Duration::from_millis(250);
/// How long open connections may take to end once the agent is told to.
const FAREWELL: Duration = Duration::from_secs(3);

/// Listens on `127.0.0.1`: on `port` (0 takes any), or on the first free one of the protocol's list.
pub fn bind(port: Option<u16>) -> io::Result<StdListener> {
    let ports = port.as_ref().map_or(&PORTS[..], std::slice::from_ref);
    let listen = |port: &u16| StdListener::bind((Ipv4Addr::LOCALHOST, *port));
    let mut tried = ports.iter().map(listen);
    let listener = tried.find_map(Result::ok).ok_or_else(|| {
        let list: Vec<_> = ports.iter().map(u16::to_string).collect();
        let what = format!(
            "port {} on 127.0.0.1 is taken; is an agent running already?",
            list.join(", ")
        );
        io::Error::new(io::ErrorKind::AddrInUse, what)
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// More than a port and its line feed take, bytes.
const MAX_PORT_FILE: u64 = 16;

/// The file `port` in the runtime directory, for native clients; removed when dropped,
/// unless a daemon that began later has put its own port there.
pub struct PortFile {
    path: PathBuf,
    line: String,
}

impl PortFile {
    /// Writes it: the decimal port and a line feed, mode 0600.
    pub fn write(runtime_dir: &Path, port: u16) -> io::Result<Self> {
        private_file::create_directory(runtime_dir)?;
        let path = runtime_dir.join("port");
        let line = format!("{port}\n");
        private_file::replace(&path, line.as_bytes())?;
        Ok(Self { path, line })
    }

    /// The port that such a file names. It proves nothing: the file may be left over, or anybody's.
    pub fn read(path: &Path) -> Option<u16> {
        let mut text = String::new();
        File::open(path)
            .ok()?
            .take(MAX_PORT_FILE)
            .read_to_string(&mut text)
            .ok()?;
        text.trim_end().parse().ok().filter(|port| *port != 0)
    }
}

impl Drop for PortFile {
    fn drop(&mut self) {
        if std::fs::read_to_string(&self.path).is_ok_and(|line| line == self.line) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Ready with the first SIGTERM or SIGINT after this call, which is made within a runtime.
pub fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Serves until `shutdown`, then closes windows, answers long polls and lets connections end.
pub async fn run(app: Arc<App>, listener: StdListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let closing = CancellationToken::new();
    let router = api::router(app.clone(), listener.local_addr()?, closing.clone());
    let mut background = JoinSet::new();
    background.spawn(forward_token_events(app.clone()));
    background.spawn(look_while_listened(app.clone()));
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listener, router, &closing, &mut connections) => {}
        () = shutdown => {}
    }
    drop(listener);
    // Their plugins, which poll, are told so before the connections end.
    app.operations.close().await;
    closing.cancel();
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, ended).await.is_err() {
        tracing::info!("connections that did not end were cut");
    }
    Ok(())
}

/// Accepts for ever. Each connection holds a permit, so a flood of them costs a bounded amount.
async fn accept(listener: &TcpListener, router: Router, closing: &CancellationToken, connections: &mut JoinSet<()>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let serving = serve(stream, peer, router.clone(), closing.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            // Out of file descriptors, or a connection gone before it was taken: try again, but not in a spin.
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, HTTP/1.1 with keep-alive. When its peer goes, the request being answered is dropped.
async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, closing: CancellationToken) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(Patient::new(stream, ANSWER_TIMEOUT)), answer)
    );
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What the token threads notice becomes events. Waits without waking while nothing is noticed.
async fn forward_token_events(app: Arc<App>) {
    let mut noticed = app.tokens.subscribe();
    loop {
        match noticed.recv().await {
            Ok(event) => {
                if let Some(kind) = told(event) {
                    app.events.publish(kind, Audience::All);
                }
            }
            Err(broadcast::error::RecvError::Lagged(lost)) => tracing::warn!(lost, "token events were lost"),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

fn told(event: TokenEvent) -> Option<EventKind> {
    Some(match event {
        TokenEvent::Added(token) => EventKind::TokenAdded {
            token: token.to_string(),
        },
        TokenEvent::Removed(token) => EventKind::TokenRemoved {
            token: token.to_string(),
        },
        TokenEvent::Noticed(Notice::ReaderAdded(reader)) => EventKind::ReaderAdded { reader },
        TokenEvent::Noticed(Notice::ReaderRemoved(reader)) => EventKind::ReaderRemoved { reader },
        TokenEvent::Noticed(Notice::CardInserted(reader)) => EventKind::CardInserted { reader },
        TokenEvent::Noticed(Notice::CardRemoved(reader)) => EventKind::CardRemoved { reader },
        TokenEvent::Noticed(Notice::ReaderHung(reader)) => EventKind::ReaderHung { reader },
        TokenEvent::Noticed(Notice::ReaderRecovered(reader)) => EventKind::ReaderRecovered { reader },
        TokenEvent::Noticed(Notice::Changed) => return None,
        TokenEvent::WorkerFailed { module, suspended } => EventKind::WorkerFailed { module, suspended },
    })
}

/// Looks for tokens as long as some plugin waits for events, once for all of them.
async fn look_while_listened(app: Arc<App>) {
    let listeners = app.events.listeners();
    loop {
        listeners.arrived().await;
        tokio::select! {
            () = look(&app) => {}
            () = listeners.left() => {}
        }
    }
}

async fn look(app: &App) {
    loop {
        let present: Vec<_> = app.tokens.list().await.into_iter().map(|token| token.id).collect();
        app.tokens.changed(&present).await;
        // A source that flickers is not asked in a spin.
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
