//! A daemon, a person in front of it, and a plugin that is paired with it.

use agent::token::Source;
use fixtures::plugin::Plugin;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{CertificateRequest, ConfirmationRequest, Operation, OperationState, SignatureRequest};
use plugin_protocol::limits::MAX_WAIT;
use serde_json::Value;

use crate::agent::{Agent, Setup};
use crate::pinentry::ScriptedPerson;

/// Everything one confirmation needs but the portal.
pub struct Scene {
    /// Answers the windows.
    pub person: ScriptedPerson,
    /// The daemon.
    pub agent: Agent,
    /// Paired with it.
    pub plugin: Plugin,
}

impl Scene {
    /// Starts the daemon with a scripted pinentry and pairs a plugin.
    pub async fn open(setup: Setup) -> Self {
        Self::with(setup, Setup::start).await
    }

    /// The same, with the daemon in this process and these tokens alone.
    pub async fn open_here(setup: Setup, source: Box<dyn Source>) -> Self {
        Self::with(setup, |setup| setup.start_here(vec![source])).await
    }

    async fn with(setup: Setup, start: impl FnOnce(Setup) -> Agent) -> Self {
        let person = ScriptedPerson::new(&setup.folder().join("person"), &["yes"]);
        let agent = start(setup.pinentry(&person.program()));
        let plugin = agent.paired().await;
        person.forget();
        Self { person, agent, plugin }
    }

    /// A confirmation from request to end; the person answers as told, in a clean window.
    pub async fn confirm(&self, request: &ConfirmationRequest, answers: &[&str]) -> Operation {
        self.person.forget();
        self.person.will_answer(answers);
        let operation = self.plugin.confirm_and_wait(request).await;
        operation.unwrap_or_else(|error| panic!("{error}; the agent's log:\n{}", self.agent.log()))
    }

    /// The signing of documents, the same way.
    pub async fn sign(&self, request: &SignatureRequest, answers: &[&str]) -> Operation {
        self.person.forget();
        self.person.will_answer(answers);
        let operation = self.plugin.sign_and_wait(request).await;
        operation.unwrap_or_else(|error| panic!("{error}; the agent's log:\n{}", self.agent.log()))
    }

    /// The handing over of a certificate, the same way.
    pub async fn certificate(&self, request: &CertificateRequest, answers: &[&str]) -> Operation {
        self.person.forget();
        self.person.will_answer(answers);
        let operation = self.plugin.certificate_and_wait(request).await;
        operation.unwrap_or_else(|error| panic!("{error}; the agent's log:\n{}", self.agent.log()))
    }

    /// Starts a confirmation whose window stays open (`hang`, or `held …`), and waits for the window.
    pub async fn begin(&self, request: &ConfirmationRequest, answers: &[&str]) -> Operation {
        self.person.forget();
        self.person.will_answer(answers);
        let started = self.plugin.confirm(request, None, None).await;
        let started = started.unwrap_or_else(|error| panic!("{error}; the agent's log:\n{}", self.agent.log()));
        self.person.wait_until_asked();
        started
    }

    /// Its end, whatever that is.
    pub async fn end(&self, started: Operation) -> Operation {
        self.plugin
            .finish("/v1/confirmations", started)
            .await
            .expect("the agent answers")
    }

    /// Cancels a confirmation; its end, though the first answer may come before that is remembered.
    pub async fn cancel(&self, started: &Operation) -> Operation {
        let told = self.plugin.cancel(&started.id).await;
        self.end(told.expect("the agent answers")).await
    }

    /// The outcomes in the history of this plugin, oldest first; the chain must be whole.
    pub async fn outcomes(&self) -> Vec<String> {
        let verified = self.agent.cli(&["history", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
        let history = self.plugin.history().await.expect("the agent answers");
        history.entries.into_iter().rev().map(|entry| entry.outcome).collect()
    }

    /// What `eid-agent tokens --json` says of the tokens.
    pub fn tokens(&self) -> Vec<Value> {
        tokens(self.agent.setup())
    }

    /// The id of the token with this label.
    pub fn token(&self, label: &str) -> String {
        let tokens = self.tokens();
        let found = tokens.iter().find(|token| token["label"] == label);
        let found = found.unwrap_or_else(|| panic!("no {label} in {tokens:?}"));
        found["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until an operation has come to this state.
    pub async fn reached(&self, operation: &Operation, state: OperationState) {
        let state = serde_json::to_value(state).expect("JSON");
        self.event(&state.to_string(), |event| {
            event["type"] == "operation.changed" && event["operation"] == *operation.id && event["state"] == state
        })
        .await;
    }

    /// Waits for an event, looked for from the oldest one kept.
    pub async fn event(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let mut since = 0;
        loop {
            let events = self.plugin.events(since, MAX_WAIT).await.expect("the agent answers");
            let told: Vec<Value> = events
                .events
                .iter()
                .map(|event| serde_json::to_value(event).expect("JSON"))
                .collect();
            if told.iter().any(&wanted) {
                return;
            }
            assert!(!told.is_empty(), "waited in vain for {what}");
            since = events.next;
        }
    }
}

/// What `eid-agent tokens --json` says of the tokens.
pub fn tokens(setup: &Setup) -> Vec<Value> {
    let output = setup.command(&["tokens", "--json"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    // 3: a module has failed, as some do here on purpose.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    let mut told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    match told["tokens"].take() {
        Value::Array(tokens) => tokens,
        other => panic!("no list of tokens but {other}"),
    }
}

/// The code of an operation that came to nothing.
///
/// # Panics
/// When it is done, or state and code do not fit each other.
pub fn code(operation: &Operation) -> ErrorCode {
    let problem = operation.problem.as_ref();
    let problem = problem.unwrap_or_else(|| panic!("no problem but {:?}", operation.state));
    assert!(operation.proof.is_none() && operation.signatures.is_none() && operation.certificate.is_none());
    let state = match problem.code {
        ErrorCode::Cancelled => OperationState::Cancelled,
        ErrorCode::Expired | ErrorCode::NoToken => OperationState::Expired,
        _ => OperationState::Failed,
    };
    assert_eq!(operation.state, state, "{problem:?}");
    assert_eq!(problem.retryable, problem.code.retryable());
    assert_eq!(problem.status, problem.code.status());
    assert!(!problem.detail.is_empty(), "{problem:?} says nothing more");
    problem.code
}
