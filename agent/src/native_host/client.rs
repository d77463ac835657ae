//! Signed requests to the daemon and answers that it signed (PROTOCOL.md sections 4 and 6).

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use plugin_protocol::api::{Info, Operation, Tokens};
use plugin_protocol::http_signature::{content_digest, signature_header};
use plugin_protocol::limits::MAX_WAIT;
use plugin_protocol::{ErrorCode, Problem};
use ring::rand::SystemRandom;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Refusal;
use super::identity::{Answer, Identity, random_text};

/// How long an answer may take beyond what it was asked to wait.
const PATIENCE: Duration = Duration::from_secs(10);
/// Far above any answer of the protocol, bytes.
const MAX_ANSWER: usize = 1024 * 1024;

/// What a request came to when it brought no success.
#[derive(Debug)]
pub enum ClientError {
    /// Nobody answers there, or not in time, or not in HTTP.
    NoAnswer(String),
    /// An answer that the daemon of this state directory did not sign: a refusal at its door
    /// (then there is a problem), or another program.
    Unsigned(Option<Box<Problem>>),
    /// A signed problem.
    Problem(Box<Problem>),
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NoAnswer(what) => Self::Unavailable(what),
            ClientError::Unsigned(None) => Self::Unavailable("what answers there is not the agent".to_owned()),
            ClientError::Unsigned(Some(problem)) | ClientError::Problem(problem) => Self::Problem(problem),
        }
    }
}

/// What starts an operation.
pub(super) struct Request {
    collection: &'static str,
    body: Vec<u8>,
    key: String,
}

impl Request {
    /// With an idempotency key of its own.
    pub(super) fn new(collection: &'static str, body: &impl Serialize) -> Result<Self, Refusal> {
        Ok(Self {
            collection,
            body: serde_json::to_vec(body).map_err(|error| Refusal::json(&error))?,
            key: random_text(&SystemRandom::new())?,
        })
    }
}

/// The daemon at a port, for one host.
pub struct Client {
    port: u16,
    identity: Identity,
}

impl Client {
    /// Connects only when there is something to ask.
    pub fn new(port: u16, identity: Identity) -> Self {
        Self { port, identity }
    }

    /// The port it asks.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same identity at another port.
    pub fn at(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// `GET /v1/info`: with it, the daemon has proved that it is ours.
    pub async fn info(&self) -> Result<Info, ClientError> {
        self.ask(Method::GET, "/v1/info", None, None).await
    }

    /// `GET /v1/tokens`: which tokens there are, without a name.
    pub(super) async fn tokens(&self) -> Result<Tokens, ClientError> {
        self.ask(Method::GET, "/v1/tokens", None, None).await
    }

    /// Starts an operation. The same request again is the same operation, if it had begun.
    pub(super) async fn begin(&self, request: &Request) -> Result<Operation, ClientError> {
        let body = Some(request.body.clone());
        self.ask(Method::POST, request.collection, body, Some(&request.key))
            .await
    }

    /// Waits for the end of an operation at its path. When `gone` is cancelled, so is the operation.
    pub(super) async fn finish(
        &self,
        mut operation: Operation,
        path: &str,
        gone: &CancellationToken,
    ) -> Result<Operation, Refusal> {
        while !operation.state.is_final() {
            let wait = format!("{path}?wait={MAX_WAIT}");
            tokio::select! {
                polled = self.ask(Method::GET, &wait, None, None) => operation = polled?,
                () = gone.cancelled() => {
                    self.cancel(path).await?;
                    return Err(Refusal::Gone);
                }
            }
        }
        match operation.problem.take() {
            Some(problem) => Err(problem.into()),
            None => Ok(operation),
        }
    }

    /// Cancels an operation of this host at its path.
    pub(super) async fn cancel(&self, path: &str) -> Result<Operation, ClientError> {
        self.ask(Method::DELETE, path, None, None).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &str,
        body: Option<Vec<u8>>,
        idempotency_key: Option<&str>,
    ) -> Result<T, ClientError> {
        let bound = Duration::from_secs(MAX_WAIT) + PATIENCE;
        let exchange = self.exchange(method, target, body, idempotency_key);
        let answer = timeout(bound, exchange)
            .await
            .map_err(|_| ClientError::NoAnswer("the agent does not answer".to_owned()))??;
        serde_json::from_slice(&answer).map_err(|error| {
            let what = format!("the agent's answer cannot be understood: {error}");
            ClientError::Problem(Box::new(Problem::new(ErrorCode::Internal, what)))
        })
    }

    /// One request on a connection of its own; the body of a signed success.
    async fn exchange(
        &self,
        method: Method,
        target: &str,
        body: Option<Vec<u8>>,
        idempotency_key: Option<&str>,
    ) -> Result<Bytes, ClientError> {
        let (request, signature) = self
            .request(method, target, body, idempotency_key)
            .map_err(|refusal| ClientError::NoAnswer(refusal.message().to_owned()))?;
        let response = self.send(request).await?;
        let status = response.status().as_u16();
        let signed = answer(&response).is_some_and(|answer| self.identity.verifies(&answer, &signature));
        let problem = || serde_json::from_slice::<Problem>(response.body()).ok().map(Box::new);
        if !signed {
            // Section 4: the gate's refusals are unsigned, and anyone can say them.
            let said = problem().filter(|problem| problem.status == status && problem.code.may_be_unsigned());
            return Err(ClientError::Unsigned(said));
        }
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        let other = || Box::new(Problem::new(ErrorCode::of_status(status), ""));
        Err(ClientError::Problem(problem().unwrap_or_else(other)))
    }

    fn request(
        &self,
        method: Method,
        target: &str,
        body: Option<Vec<u8>>,
        idempotency_key: Option<&str>,
    ) -> Result<(hyper::Request<Full<Bytes>>, [u8; 64]), Refusal> {
        let authority = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)).to_string();
        let digest = content_digest(body.as_deref().unwrap_or_default());
        let uri = format!("http://{authority}{target}");
        let (input, signature) = self.identity.sign(method.as_str(), &uri, &digest, idempotency_key)?;
        let mut request = hyper::Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, authority)
            .header("content-digest", digest)
            .header("signature-input", input)
            .header("signature", signature_header(&signature));
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
        let request = request.map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))?;
        Ok((request, signature))
    }

    async fn send(&self, request: hyper::Request<Full<Bytes>>) -> Result<Response<Bytes>, ClientError> {
        let failed = |error: &dyn std::fmt::Display| ClientError::NoAnswer(format!("port {}: {error}", self.port));
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .map_err(|error| failed(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        // Ends with the sender; its errors reach the request.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| failed(&error))?.to_bytes();
        Ok(Response::from_parts(head, body))
    }
}

/// What its signature needs, if it has all of it, once each.
fn answer(response: &Response<Bytes>) -> Option<Answer<'_>> {
    let headers = response.headers();
    Some(Answer {
        status: response.status().as_u16(),
        digest: only(headers, "content-digest")?,
        signature_input: only(headers, "signature-input")?,
        signature: only(headers, "signature")?,
        body: response.body(),
    })
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
