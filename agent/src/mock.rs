//! A mock for the developers of portals: an agent whose person is a script.
//!
//! The door, the protocol, pairing, operations, history and signatures are the real ones; what
//! is played is the person (`person`), the token (`token`, on the software token's keys) and
//! the certificates (`certificates`). Which [`Outcome`] comes next stands in a file of the
//! mock's own state directory (`script`), so that a test changes it while the mock runs.
//! Everything is marked as a test, and no module, card or PKCS#12 file is ever touched.
//!
//! MOCK.md is for those who use it.

mod certificates;
mod home;
mod outcome;
mod person;
mod script;
mod stage;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plugin_protocol::Origin;

pub use home::{Home, is_mock};
pub use outcome::Outcome;
pub use script::Script;

use crate::app::{App, Window};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::events::Events;
use crate::history::History;
use crate::operation::Operations;
use crate::pairing::Pairings;
use crate::policy::LiteralOrigins;
use crate::token::software::{KeyKind, Keys, Person, Software};
use crate::token::worker::Tokens;
use certificates::Certificates;
use stage::Stage;

/// Operations a minute: a test suite asks faster than a person.
const RATE: u32 = 6000;

/// The banner, printed once.
const BANNER: &str = "\
********************************************************************************
*  THIS IS A MOCK, FOR TESTS. Nobody is asked: a script answers every window,  *
*  pairs every plugin, and signs with test keys. Nothing signed here proves    *
*  anything about a person.                                                    *
********************************************************************************";

/// How a mock is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom the certificates name.
    pub person: Person,
    /// The kind of the key that confirms; another one signs documents.
    pub key: KeyKind,
    /// How long each state lasts.
    pub delay: Duration,
    /// Origins that may ask for `cms-challenge`.
    pub literal: Vec<Origin>,
}

/// A mock, ready to be served.
pub struct Mock {
    /// Its collaborators.
    pub app: App,
    /// The test root in PEM, for the policy of the portal under test.
    pub root: PathBuf,
    /// A CRL of that root (DER), which holds the certificate of [`Outcome::RevokedCertificate`].
    pub crl: PathBuf,
}

impl Mock {
    /// Makes the token and the certificates, and prints the banner to the standard error.
    pub fn new(home: &Home, settings: Settings) -> Result<Self, Error> {
        eprintln!("{BANNER}");
        let software = Software::with_keys(home.path(), &Keys::from(settings.key));
        let root = software.make()?;
        let crl = home.path().join("revoked.crl");
        let clock = Clock::system();
        let certificates = Certificates::issue(&software, &settings.person, &crl, clock.now())?;
        let stage = Arc::new(Stage::new(home.script()));
        let source = token::Played::new(software, certificates, Arc::clone(&stage), settings.delay);
        let mut config = Config::default();
        config.rates.operations_per_minute = RATE;
        config.rates.requests_per_minute = RATE * 10;
        config.literal.origins = LiteralOrigins::new(settings.literal);
        let app = App {
            begun: clock.unix(),
            clock,
            tokens: Tokens::new(vec![Box::new(source)]),
            prompt: Arc::new(person::Scripted::new(Arc::clone(&stage), settings.delay)),
            window: Window::default(),
            pairings: Pairings::open(home.path())?,
            events: Events::new(),
            history: History::open(home.path().join("history.jsonl"))?,
            operations: Operations::with_rate(config.rates.operations_per_minute),
            config,
            rehearsal: Some(stage),
        };
        Ok(Self { app, root, crl })
    }
}

#[cfg(test)]
mod tests;
