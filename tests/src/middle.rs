//! Someone in the middle: a server of HTTP that takes what a plugin sends and answers what it likes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::raw::{self, Answer, Raw};

/// What it does with a request.
type Trick = dyn Fn(Raw) -> Answer + Send + Sync;

/// Listens until it is dropped.
pub struct Middle {
    authority: String,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Middle {
    /// Listens on `address`, `127.0.0.1:0` for any port.
    pub fn start(address: &str, trick: impl Fn(Raw) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(address).expect("the port is free");
        let authority = listener.local_addr().expect("it is bound").to_string();
        let ended = Arc::new(AtomicBool::new(false));
        let (stop, trick): (_, Arc<Trick>) = (ended.clone(), Arc::new(trick));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let trick = trick.clone();
                std::thread::spawn(move || serve(stream, &*trick));
            }
        });
        Self {
            authority,
            ended,
            accepting: Some(accepting),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.authority)
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.authority);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Hands a request on to the agent at `authority`, under the only `Host` it takes.
pub fn relay(authority: &str, request: Raw) -> Answer {
    let request = request.set("Host", authority);
    raw::ask(authority, &request).expect("the agent answers")
}

/// One request a connection, so that nothing of it outlives the trick.
fn serve(mut stream: TcpStream, trick: &Trick) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    if let Some(request) = read(&mut stream) {
        let _ = stream.write_all(&trick(request).bytes());
    }
}

fn read(stream: &mut TcpStream) -> Option<Raw> {
    let mut bytes = Vec::new();
    let mut more = |bytes: &mut Vec<u8>| {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&buffer[..length]);
        Some(())
    };
    let end = loop {
        match bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end,
            None => more(&mut bytes)?,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let mut request = Raw {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    while bytes.len() < end + 4 + length {
        more(&mut bytes)?;
    }
    request.body = bytes[end + 4..].to_vec();
    Some(request)
}
