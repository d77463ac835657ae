//! Over real sockets.

#![allow(clippy::unwrap_used)]

use std::io;
use std::os::unix::fs::PermissionsExt;

use fixtures::plugin::{Plugin, PluginError};
use plugin_protocol::ErrorCode;
use plugin_protocol::pairing::Digits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::prompt::{Answer, Question};
use crate::testing::Agent;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own, and the agent behind it.
struct Served {
    agent: Agent,
    port: u16,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<io::Result<()>>,
}

fn serve_agent() -> Served {
    let agent = Agent::with_clock(Config::default(), Clock::system());
    let listener = bind(Some(0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let running = tokio::spawn(run(agent.app.clone(), listener, shutdown));
    Served {
        agent,
        port,
        stop: Some(stop),
        running,
    }
}

impl Served {
    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap()
    }

    async fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        timeout(PATIENCE, &mut self.running).await.unwrap().unwrap().unwrap();
    }
}

/// Sends bytes and reads to the end, or as far as there is an answer.
async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// Pairs a plugin with a person who says yes to the digits it was shown.
async fn pair(served: &mut Served) -> Plugin {
    let mut plugin = Plugin::new(&served.base()).unwrap();
    let (show, shown) = oneshot::channel::<Digits>();
    let questions = &mut served.agent.questions;
    let person = async {
        let (question, answer) = questions.recv().await.unwrap();
        let Question::Pair { digits, .. } = question else {
            panic!("another question");
        };
        assert_eq!(digits, shown.await.unwrap());
        assert!(answer.send(Ok(Answer::Yes)).is_ok());
    };
    let pairing = plugin.pair("reference", |digits| show.send(digits).unwrap());
    let (paired, ()) = timeout(PATIENCE, async { tokio::join!(pairing, person) })
        .await
        .unwrap();
    paired.unwrap();
    plugin
}

#[test]
fn takes_the_first_free_port_and_tells_of_a_taken_one() {
    let any = bind(Some(0)).unwrap();
    let address = any.local_addr().unwrap();
    assert!(address.ip().is_loopback());
    let taken = bind(Some(address.port())).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    assert!(taken.to_string().contains(&address.port().to_string()));
}

#[test]
fn the_port_file_is_private_and_goes_with_the_agent() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = directory.path().join("run");
    let file = PortFile::write(&runtime, 47290).unwrap();
    let path = runtime.join("port");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "47290\n");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(file);
    assert!(!path.exists());
}

#[tokio::test]
async fn the_reference_plugin_pairs_and_asks_over_one_socket() {
    let mut served = serve_agent();
    let mut plugin = pair(&mut served).await;
    plugin.hello().await.unwrap();
    assert_eq!(plugin.info().await.unwrap().api, ["1"]);
    assert!(plugin.tokens().await.unwrap().tokens.is_empty());
    plugin.unpair().await.unwrap();
    let refused = plugin.info().await.unwrap_err();
    assert!(matches!(refused, PluginError::NotPaired));
    served.stop().await;
}

#[tokio::test]
async fn answers_over_the_wire_say_no_more_than_they_must() {
    let mut served = serve_agent();
    let mut stream = served.connect().await;
    let hello = format!(
        "GET /v1/hello HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
        served.port
    );
    let answer = exchange(&mut stream, hello.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, plugin_protocol::api::HELLO);
    let mut names: Vec<_> = head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "cache-control",
            "connection",
            "content-length",
            "content-security-policy",
            "content-type",
            "date",
            "x-content-type-options"
        ]
    );
    for (request, status) in [
        (
            "GET /v1/hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            421,
        ),
        ("GET /v1/hello HTTP/1.0\r\n\r\n", 421),
        (
            "GET http://evil.example/v1/hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
            421,
        ),
        ("nonsense\r\n\r\n", 400),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
    ] {
        let answer = exchange(&mut served.connect().await, request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!(
                "HTTP/1.{} {status}",
                if request.contains("/1.0") { 0 } else { 1 }
            )),
            "{request}: {answer}"
        );
    }
    served.stop().await;
}

#[tokio::test]
async fn a_chunked_body_without_end_is_cut_off_with_an_answer() {
    let mut served = serve_agent();
    let mut stream = served.connect().await;
    let head = format!(
        "POST /v1/pairings HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        served.port
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    served.stop().await;
}

#[tokio::test]
async fn silent_and_slow_connections_do_not_keep_others_out() {
    let mut served = serve_agent();
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS + 8 {
        let mut stream = served.connect().await;
        stream.write_all(b"GET /v1/hello HTTP/1.1\r\nHo").await.unwrap();
        silent.push(stream);
    }
    // Beyond the bound nobody is served until the silent ones are closed, HEAD_TIMEOUT later.
    let plugin = Plugin::new(&served.base()).unwrap();
    timeout(HEAD_TIMEOUT + PATIENCE, plugin.hello()).await.unwrap().unwrap();
    let mut first = silent.remove(0);
    let mut rest = Vec::new();
    let closed = timeout(PATIENCE, first.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the slow one was closed");
    served.stop().await;
}

#[tokio::test]
async fn a_peer_that_reads_no_answer_is_left() {
    let mut served = serve_agent();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut flood = socket.connect((Ipv4Addr::LOCALHOST, served.port).into()).await.unwrap();
    // Refusals of the first step are bounded by no rate. At last no more of them fits anywhere.
    let requests = b"GET / HTTP/1.1\r\n\r\n".repeat(1000);
    let left = async { while flood.write_all(&requests).await.is_ok() {} };
    timeout(ANSWER_TIMEOUT + PATIENCE, left)
        .await
        .expect("the connection is kept");
    served.stop().await;
}

#[tokio::test]
async fn a_plugin_that_hangs_up_takes_its_request_with_it() {
    let mut served = serve_agent();
    let plugin = pair(&mut served).await;
    let listeners = served.agent.app.clone();
    let polling = tokio::spawn(async move { plugin.events(0, 25).await });
    timeout(PATIENCE, listeners.events.listeners().arrived()).await.unwrap();
    polling.abort();
    timeout(PATIENCE, listeners.events.listeners().left()).await.unwrap();
    served.stop().await;
}

#[tokio::test]
async fn the_end_answers_those_who_wait_and_closes_the_window() {
    let mut served = serve_agent();
    let plugin = pair(&mut served).await;
    let app = served.agent.app.clone();
    let polling = tokio::spawn(async move {
        let polled = plugin.events(0, 25).await;
        (plugin, polled)
    });
    timeout(PATIENCE, app.events.listeners().arrived()).await.unwrap();

    let stranger = Plugin::new(&served.base()).unwrap();
    let attempt = stranger.commit("second").await.unwrap();
    let revealing = tokio::spawn(async move { stranger.reveal(&attempt).await });
    let (_, answer) = timeout(PATIENCE, served.agent.questions.recv()).await.unwrap().unwrap();

    served.stop().await;
    let (plugin, polled) = polling.await.unwrap();
    assert!(polled.unwrap().events.is_empty());
    let cancelled = revealing.await.unwrap().unwrap_err();
    assert_eq!(cancelled.code(), Some(ErrorCode::Cancelled));
    assert!(answer.is_closed());
    assert!(
        matches!(plugin.hello().await, Err(PluginError::Connect { .. })),
        "nobody listens any more"
    );
}
