//! For tests: an agent in memory, a person who answers when told, and a plugin that signs.

#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, Response};
use fixtures::plugin::PluginKey;
use fixtures::plugin::key::request_nonce;
use fixtures::plugin::signing::{SignatureChoices, request_signature, sign_request, verify_response};
use plugin_protocol::api::Client;
use plugin_protocol::pairing::Jwk;
use plugin_protocol::{ErrorCode, Problem};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::app::{App, Window};
use crate::clock::Clock;
use crate::config::Config;
use crate::events::Events;
use crate::guard::Peer;
use crate::history::History;
use crate::operation::Operations;
use crate::pairing::Pairings;
use crate::prompt::{Answer, Asking, Prompt, PromptError, Question};
use crate::signature::AgentKey;
use crate::token::worker::Tokens;

/// Where the agent in memory believes to listen.
pub(crate) const PORT: u16 = 47290;
/// When its clock stands still, seconds since 1970-01-01 UTC.
pub(crate) const NOW: i64 = 1_795_642_692;

/// A question that is being asked, to be answered or dropped.
pub(crate) type Asked = (Question, oneshot::Sender<Result<Answer, PromptError>>);

/// A person whose questions come out of a channel.
pub(crate) struct Person(mpsc::UnboundedSender<Asked>);

impl Prompt for Person {
    fn name(&self) -> &str {
        "a test"
    }

    fn check(&self) -> Result<(), PromptError> {
        Ok(())
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        let (answer, answered) = oneshot::channel();
        self.0.send((question.clone(), answer)).unwrap();
        Box::pin(async { answered.await.unwrap_or(Err(PromptError::Cancelled)) })
    }
}

/// An agent without tokens and without sockets.
pub(crate) struct Agent {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    pub(crate) questions: mpsc::UnboundedReceiver<Asked>,
    pub(crate) closing: CancellationToken,
    pub(crate) state: tempfile::TempDir,
}

fn router(app: &Arc<App>, closing: &CancellationToken) -> Router {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    crate::api::router(app.clone(), address, closing.clone())
}

impl Agent {
    pub(crate) fn new() -> Self {
        Self::with_config(Config::default())
    }

    pub(crate) fn with_config(config: Config) -> Self {
        let clock = Clock::fixed(OffsetDateTime::from_unix_timestamp(NOW).unwrap());
        Self::with_clock(config, clock)
    }

    pub(crate) fn with_clock(config: Config, clock: Clock) -> Self {
        let state = tempfile::tempdir().unwrap();
        let (ask, questions) = mpsc::unbounded_channel();
        let app = Arc::new(App {
            config,
            begun: clock.unix(),
            clock,
            tokens: Tokens::new(Vec::new()),
            prompt: Arc::new(Person(ask)),
            window: Window::default(),
            pairings: Pairings::open(state.path()).unwrap(),
            events: Events::starting_at(1),
            history: History::open(state.path().join("history")).unwrap(),
            operations: Operations::new(),
            rehearsal: None,
        });
        let closing = CancellationToken::new();
        Self {
            router: router(&app, &closing),
            app,
            questions,
            closing,
            state,
        }
    }

    /// Opens the door anew: what an agent that was slow to start does late.
    pub(crate) fn open_late(&mut self, by: std::time::Duration) {
        self.app.clock.advance(by);
        self.router = router(&self.app, &self.closing);
    }

    /// A plugin that is paired already.
    pub(crate) fn paired(&self, name: &str) -> Plugin {
        let plugin = Plugin::new();
        let client = Client {
            name: name.to_owned(),
            jwk: plugin.key.jwk().clone(),
        };
        let pkcs8 = AgentKey::generate().unwrap();
        self.app.pairings.add(&client, &pkcs8, self.app.clock.now()).unwrap();
        let agent = AgentKey::from_pkcs8(&pkcs8).unwrap().jwk();
        Plugin { agent, ..plugin }
    }

    /// Sends a request from this computer, as it is.
    pub(crate) async fn send(&self, request: Request<impl Into<Body>>) -> Answered {
        let mut request = request.map(Into::into);
        if request.extensions().get::<Peer>().is_none() {
            let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
            request.extensions_mut().insert(Peer(peer));
        }
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        Answered(Response::from_parts(head, to_bytes(body, usize::MAX).await.unwrap()))
    }

    /// Sends a signed request and verifies the answer's signature.
    pub(crate) async fn call(&self, plugin: &Plugin, method: Method, target: &str, body: Option<&str>) -> Answered {
        let request = plugin.signed(method, target, body);
        let signature = request_signature(&request);
        let answered = self.send(request).await;
        verify_response(&answered.0, plugin.agent.as_ref().unwrap(), signature.as_ref()).unwrap();
        answered
    }
}

/// An answer with its whole body.
pub(crate) struct Answered(pub(crate) Response<Bytes>);

impl Answered {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(self.0.body()).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(self.0.body());
            panic!("{error}: {} {body}", self.0.status())
        })
    }

    /// The code of a well-formed problem.
    pub(crate) fn code(&self) -> ErrorCode {
        let problem: Problem = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.status(), problem.status);
        assert_eq!(self.status(), problem.code.status());
        problem.code
    }

    pub(crate) fn is_signed(&self) -> bool {
        self.0.headers().contains_key("signature")
    }
}

/// A plugin's side: its key, and the agent's once they are paired.
pub(crate) struct Plugin {
    pub(crate) key: PluginKey,
    pub(crate) agent: Option<Jwk>,
}

impl Plugin {
    pub(crate) fn new() -> Self {
        Self {
            key: PluginKey::generate(),
            agent: None,
        }
    }

    /// Signed at [`NOW`] with a fresh nonce.
    pub(crate) fn signed(&self, method: Method, target: &str, body: Option<&str>) -> Request<Bytes> {
        self.signed_with(request(method, target, body), &choices())
    }

    pub(crate) fn signed_with(&self, mut request: Request<Bytes>, choices: &SignatureChoices) -> Request<Bytes> {
        sign_request(&mut request, &format!("http://127.0.0.1:{PORT}"), &self.key, choices);
        request
    }
}

/// At [`NOW`], a fresh nonce, no idempotency key.
pub(crate) fn choices() -> SignatureChoices {
    SignatureChoices {
        created: NOW,
        nonce: request_nonce(),
        key_id: None,
        idempotency_key: None,
    }
}

/// An unsigned request with the right `Host`, and `Content-Type` when there is a body.
pub(crate) fn request(method: Method, target: &str, body: Option<&str>) -> Request<Bytes> {
    let mut builder = Request::builder()
        .method(method)
        .uri(target)
        .header("host", format!("127.0.0.1:{PORT}"));
    if body.is_some() {
        builder = builder.header("content-type", "application/json");
    }
    builder.body(Bytes::from(body.unwrap_or_default().to_owned())).unwrap()
}
