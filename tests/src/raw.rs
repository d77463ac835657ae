//! HTTP/1.1 by hand: bytes on a socket, for what no client library would send.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fixtures::plugin::Plugin;
use fixtures::plugin::signing::unix_now;
use hyper::Request;
use hyper::body::Bytes;
use plugin_protocol::ErrorCode;
use plugin_protocol::http_signature::{content_digest, signature_header};

/// Far longer than any answer here takes; only a hang meets it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The components that the profile covers, for [`sign_freely`].
pub const COMPONENTS: [&str; 3] = ["@method", "@target-uri", "content-digest"];
/// The parameters of the profile, for [`sign_freely`].
pub const PARAMETERS: &str = r#"{};alg="ecdsa-p256-sha256";tag="eid-agent-request""#;

/// A request as it will be written, nothing added and nothing checked.
#[derive(Clone, Debug)]
pub struct Raw {
    /// The method's text.
    pub method: String,
    /// The request target.
    pub target: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// What follows the empty line.
    pub body: Vec<u8>,
}

impl Raw {
    /// With `Host` alone.
    pub fn new(method: &str, target: &str, host: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned())],
            body: Vec::new(),
        }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with this value instead of every header of that name, or added.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// The same without the headers of this name.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self
    }

    /// The same with a body, its length declared.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.set("Content-Length", &length)
    }

    /// The value of a header.
    ///
    /// # Panics
    /// When there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        &found.unwrap_or_else(|| panic!("no {name}")).1
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

impl From<&Request<Bytes>> for Raw {
    fn from(request: &Request<Bytes>) -> Self {
        let value = |value: &hyper::header::HeaderValue| value.to_str().expect("ASCII").to_owned();
        let raw = Self {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            headers: request
                .headers()
                .iter()
                .map(|(name, own)| (name.to_string(), value(own)))
                .collect(),
            body: Vec::new(),
        };
        match request.body().is_empty() {
            true => raw,
            false => raw.body(request.body().to_vec()),
        }
    }
}

/// A request signed by `plugin` the way PROTOCOL.md says.
pub fn signed(plugin: &Plugin, method: &str, target: &str, body: &[u8]) -> Raw {
    let body = (!body.is_empty()).then(|| body.to_vec());
    Raw::from(&plugin.signed(method.parse().expect("a method"), target, body))
}

/// Signs `raw` with the plugin's key over `components` and `parameters` of the caller's choice: a valid
/// signature of RFC 9421, whatever the profile says of it. `{}` in the parameters stands for a fresh
/// `created`, nonce and key id.
pub fn sign_freely(plugin: &Plugin, raw: Raw, components: &[&str], parameters: &str) -> Raw {
    let usual = format!(
        "created={};nonce=\"{}\";keyid=\"{}\"",
        unix_now(),
        fixtures::plugin::key::request_nonce(),
        plugin.key().jwk().key_id()
    );
    let raw = match raw.body.is_empty() {
        true => raw.set("Content-Digest", &content_digest(b"")),
        false => {
            let digest = content_digest(&raw.body);
            raw.set("Content-Digest", &digest)
        }
    };
    let parameters = parameters.replace("{}", &usual);
    let quoted: Vec<String> = components.iter().map(|name| format!("\"{name}\"")).collect();
    let input = format!("({});{parameters}", quoted.join(" "));
    let mut base = String::new();
    for name in components {
        let value = match *name {
            "@method" => raw.method.clone(),
            "@target-uri" => format!("{}{}", plugin.base(), raw.target),
            "@path" => raw.target.clone(),
            "@authority" => raw.header("host").to_owned(),
            name => raw.header(name).to_owned(),
        };
        let _ = writeln!(base, "\"{name}\": {value}");
    }
    let _ = write!(base, "\"@signature-params\": {input}");
    let signature = plugin.key().sign(base.as_bytes());
    raw.set("Signature-Input", &format!("sig={input}"))
        .set("Signature", &signature_header(&signature))
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Status line and headers, without the empty line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer made up, of JSON.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json");
        Self {
            status,
            head,
            body: body.into(),
        }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let _ = write!(self.head, "\r\n{name}: {value}");
        self
    }

    /// The bytes of it, as the last answer of a connection, whatever length it had.
    pub fn bytes(&self) -> Vec<u8> {
        let kept = self.head.lines().filter(|line| {
            let line = line.to_ascii_lowercase();
            !line.starts_with("content-length:") && !line.starts_with("connection:")
        });
        let mut head = kept.collect::<Vec<_>>().join("\r\n");
        let _ = write!(
            head,
            "\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.body.len()
        );
        [head.as_bytes(), &self.body].concat()
    }

    /// The only value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.head.lines().skip(1).filter_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = found.next();
        assert!(found.next().is_none(), "{name} twice in {}", self.head);
        value
    }

    /// The problem's code, if it is one.
    pub fn code(&self) -> Option<ErrorCode> {
        let problem: plugin_protocol::Problem = serde_json::from_slice(&self.body).ok()?;
        assert_eq!(problem.status, self.status, "{self:?}");
        Some(problem.code)
    }

    /// Whether it carries a signature; that it verifies is the plugin's affair.
    pub fn is_signed(&self) -> bool {
        self.header("signature").is_some()
    }

    /// Asserts what holds for every answer of the agent: a browser gets no leave to read, keep or guess it.
    ///
    /// # Panics
    /// When it does not.
    pub fn assert_tells_browsers_nothing(&self, what: &str) {
        let head = self.head.to_ascii_lowercase();
        for banned in ["access-control-", "server:", "set-cookie:", "x-powered-by:", "via:"] {
            assert!(!head.contains(banned), "{what}: {banned} in {head}");
        }
        // What was no HTTP at all is refused below the agent's own code, with nothing but a status.
        if self.body.is_empty() && [400, 414, 431].contains(&self.status) {
            return;
        }
        assert_eq!(self.header("cache-control"), Some("no-store"), "{what}: {head}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{what}: {head}");
        assert!(self.header("content-security-policy").is_some(), "{what}: {head}");
        if !self.body.is_empty() {
            let json = ["application/json", "application/problem+json"];
            let media_type = self.header("content-type").unwrap_or_default();
            assert!(json.contains(&media_type), "{what}: {head}");
        }
    }

    /// Everything but the date.
    pub fn comparable(&self) -> (String, Vec<u8>) {
        let lines = self
            .head
            .lines()
            .filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
        (lines.collect::<Vec<_>>().join("\n"), self.body.clone())
    }
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    pending: Vec<u8>,
}

impl Wire {
    /// Connects to `127.0.0.1:PORT`.
    pub fn connect(authority: &str) -> Self {
        let stream = TcpStream::connect(authority).expect("the agent listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket option");
        stream.set_nodelay(true).expect("a socket option");
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    /// Writes; whether the peer still took it.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Says that nothing more will be written.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// Waits at most so long for bytes from now on.
    pub fn patience(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).expect("a socket option");
    }

    /// The next answer; `None` when the connection ended first.
    ///
    /// # Panics
    /// When neither happens in time.
    pub fn answer(&mut self, to: &str) -> Option<Answer> {
        let end = loop {
            match self.pending.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end,
                None if !self.more() => return None,
                None => {}
            }
        };
        let head = String::from_utf8(self.pending.drain(..end + 4).collect()).expect("a head is text");
        let head = head.trim_end().to_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut answer = Answer {
            status: status.unwrap_or_else(|| panic!("no status in {head}")),
            head,
            body: Vec::new(),
        };
        assert!(answer.header("transfer-encoding").is_none(), "{}", answer.head);
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().expect("a number"));
        if to != "HEAD" {
            while self.pending.len() < length {
                assert!(self.more(), "a body ended early after {}", answer.head);
            }
            answer.body = self.pending.drain(..length).collect();
        }
        Some(answer)
    }

    /// All answers until the connection ends.
    pub fn answers(&mut self) -> Vec<Answer> {
        std::iter::from_fn(|| self.answer("GET")).collect()
    }

    /// Whether the peer closes without a byte more.
    pub fn is_closed(&mut self) -> bool {
        self.pending.is_empty() && !self.more() && self.pending.is_empty()
    }

    /// Reads; `false` at the end of the connection.
    fn more(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.pending.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("neither an answer nor an end: {error}"),
        }
    }
}

/// One request on a connection of its own; `None` when it was ended without an answer.
pub fn ask(authority: &str, raw: &Raw) -> Option<Answer> {
    let mut wire = Wire::connect(authority);
    wire.write(&raw.bytes());
    wire.answer(&raw.method)
}
