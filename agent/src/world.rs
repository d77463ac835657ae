//! A world for the tests of the use cases: tokens in a drawer, a scripted person, a clock that stands still.

#![allow(clippy::unwrap_used)]

mod drawer;
mod person;

use std::sync::Arc;
use std::time::Duration;

use fixtures::pki::TestPki;
use plugin_protocol::api::{Client as PluginClient, ConfirmationRequest, SignatureItem, SignatureRequest};
use plugin_protocol::encoding::base64;
use plugin_protocol::{HashFunction, ProofFormat, Purpose};
use tempfile::TempDir;
use time::OffsetDateTime;

pub(crate) use drawer::{Drawer, Held, PIN, PUK};
pub(crate) use person::{Person, Reply};

use crate::app::{App, Window};
use crate::case::{Client, Ending};
use crate::clock::Clock;
use crate::config::Config;
use crate::confirm::{Confirmation, confirm};
use crate::events::Events;
use crate::history::{Entry, History};
use crate::life::Life;
use crate::operation::Operations;
use crate::pairing::{Caller, Pairings};
use crate::signature::AgentKey;
use crate::token::worker::Tokens;

/// The moment of every test: 2026-11-25T21:38:12Z.
pub(crate) const NOW: i64 = 1_795_642_692;
/// The portal of every test.
pub(crate) const ORIGIN: &str = "https://portal.example";

/// Everything a test holds on to.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) drawer: Drawer,
    pub(crate) person: Arc<Person>,
    pub(crate) caller: Caller,
    pub(crate) folder: TempDir,
}

impl World {
    /// A world with these tokens and a person who answers so.
    pub(crate) fn new(held: Vec<Held>, replies: Vec<Reply>) -> Self {
        Self::with(held, Person::new(replies), Config::default())
    }

    pub(crate) fn with(held: Vec<Held>, person: Person, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let drawer = Drawer::new(held);
        let person = Arc::new(person);
        let clock = Clock::fixed(OffsetDateTime::from_unix_timestamp(NOW).unwrap());
        let pairings = Pairings::open(folder.path()).unwrap();
        let caller = pair(&pairings, &clock, "Plugin");
        let app = App {
            tokens: Tokens::new(vec![drawer.source()]),
            prompt: person.clone(),
            window: Window::default(),
            events: Events::starting_at(0),
            history: History::open(folder.path().join("history.jsonl")).unwrap(),
            operations: Operations::with_rate(config.rates.operations_per_minute),
            pairings,
            begun: clock.unix(),
            clock,
            config,
            rehearsal: None,
        };
        Self {
            app: Arc::new(app),
            drawer,
            person,
            caller,
            folder,
        }
    }

    /// Another paired plugin.
    pub(crate) fn another(&self, name: &str) -> Caller {
        pair(&self.app.pairings, &self.app.clock, name)
    }

    pub(crate) fn client(&self) -> Client {
        Client::Plugin(self.caller.clone())
    }

    /// Runs a confirmation to its end.
    pub(crate) async fn confirm(&self, request: ConfirmationRequest) -> Ending<plugin_protocol::Proof> {
        self.confirm_within(request, &Life::new(Duration::from_secs(120))).await
    }

    pub(crate) async fn confirm_within(
        &self,
        request: ConfirmationRequest,
        life: &Life,
    ) -> Ending<plugin_protocol::Proof> {
        let confirmation = Confirmation::parse(request).unwrap();
        confirm(&self.app, &self.client(), &confirmation, life, &|_| ()).await
    }

    /// The history, which must be whole.
    pub(crate) fn history(&self) -> Vec<Entry> {
        self.app.history.verify().unwrap().unwrap();
        self.app.history.newest(100, |_| true).unwrap()
    }

    /// How each remembered operation ended.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        self.history().into_iter().map(|entry| entry.record.outcome).collect()
    }
}

fn pair(pairings: &Pairings, clock: &Clock, name: &str) -> Caller {
    let plugin = AgentKey::from_pkcs8(&AgentKey::generate().unwrap()).unwrap();
    let client = PluginClient {
        name: name.to_owned(),
        jwk: plugin.jwk().unwrap(),
    };
    pairings
        .add(&client, &AgentKey::generate().unwrap(), clock.now())
        .unwrap();
    Caller {
        id: client.jwk.key_id(),
        name: name.to_owned(),
    }
}

/// Certificates around the moment of the tests.
pub(crate) fn pki() -> TestPki {
    TestPki::at(NOW)
}

/// The request of every test.
pub(crate) fn request(format: ProofFormat) -> ConfirmationRequest {
    ConfirmationRequest {
        origin: ORIGIN.parse().unwrap(),
        top_origin: None,
        challenge: "c".repeat(44).parse().unwrap(),
        format: format.name().to_owned(),
        detached: false,
        holder_signature: false,
        purpose: Purpose::ConfirmIdentity,
        token: None,
        certificate: None,
        origin_attested: true,
    }
}

/// A request for signatures over the SHA-256 of each message.
pub(crate) fn documents(messages: &[&[u8]]) -> SignatureRequest {
    let item = |message: &&[u8]| SignatureItem {
        name: Some("договор.pdf".to_owned()),
        hash_function: HashFunction::Sha256,
        hash: base64(&HashFunction::Sha256.digest(message)),
    };
    SignatureRequest {
        origin: ORIGIN.parse().unwrap(),
        top_origin: None,
        items: messages.iter().map(item).collect(),
        certificate: None,
        token: None,
    }
}

/// Holds a paused tokio clock still while threads work: without it the clock runs to the
/// next timer as soon as the runtime has nothing to do. After 20 s of real time it lets
/// go, so that a test which waits in vain fails by its timers.
pub(crate) struct Frozen(#[allow(dead_code)] std::sync::mpsc::Sender<()>);

impl Frozen {
    pub(crate) fn new() -> Self {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || held.recv_timeout(Duration::from_secs(20)));
        Self(hold)
    }
}
