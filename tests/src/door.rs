//! The agent's door with a plugin that may pass it, for those who try to pass without.

use fixtures::plugin::Plugin;
use plugin_protocol::ErrorCode;

use crate::agent::{Agent, Setup};
use crate::ask::ORIGIN;
use crate::raw::{self, Answer, Raw};

/// A policy that approves everything the software token can be asked for [`ORIGIN`], pairing included.
pub fn agreeable(pin: &str) -> String {
    format!(
        "origins = [{ORIGIN:?}]\n\
         actions = [\"confirm_identity\", \"sign_in\", \"sign\"]\n\
         pair = true\n\
         [[token]]\nkind = \"software\"\npin = {pin:?}\n"
    )
}

/// A daemon that approves on its own, and a paired plugin.
pub struct Door {
    /// The daemon.
    pub agent: Agent,
    /// Paired with it.
    pub plugin: Plugin,
}

impl Door {
    /// With no token, where none is needed: the software token's keys take their time.
    pub async fn without_tokens() -> Self {
        Self::with(Setup::new()).await
    }

    /// With the software token.
    pub async fn open() -> Self {
        Self::with(Setup::new().software()).await
    }

    /// With this set-up.
    pub async fn with(setup: Setup) -> Self {
        let agent = setup.unattended(&agreeable("1234")).start();
        let plugin = agent.paired().await;
        Self { agent, plugin }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        self.agent.authority()
    }

    /// A request with nothing but the right `Host`.
    pub fn unsigned(&self, method: &str, target: &str) -> Raw {
        Raw::new(method, target, self.host())
    }

    /// A request that the paired plugin signed.
    pub fn signed(&self, method: &str, target: &str, body: &[u8]) -> Raw {
        raw::signed(&self.plugin, method, target, body)
    }

    /// Sends it on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer, or one that tells a browser something.
    pub fn ask(&self, what: &str, raw: &Raw) -> Answer {
        let answer = raw::ask(self.host(), raw).unwrap_or_else(|| panic!("{what}: no answer"));
        answer.assert_tells_browsers_nothing(what);
        answer
    }

    /// Asserts that it is refused with this code, before the caller is known.
    ///
    /// # Panics
    /// When it is not.
    pub fn assert_refused(&self, what: &str, raw: &Raw, code: ErrorCode) {
        let answer = self.ask(what, raw);
        assert_eq!(answer.status, code.status(), "{what}: {answer:?}");
        if raw.method != "HEAD" {
            assert_eq!(answer.code(), Some(code), "{what}: {answer:?}");
        }
        assert!(!answer.is_signed(), "{what}: signed for whom? {answer:?}");
    }

    /// Asserts that bytes, whatever they are, get no success: refusals or the connection's end.
    ///
    /// # Panics
    /// When something in them succeeded.
    pub fn assert_nothing_succeeds(&self, what: &str, bytes: &[u8]) -> Vec<Answer> {
        let mut wire = raw::Wire::connect(self.host());
        wire.write(bytes);
        wire.finish();
        let answers = wire.answers();
        for answer in &answers {
            answer.assert_tells_browsers_nothing(what);
            assert!(answer.status >= 400, "{what}: {answers:?}");
        }
        answers
    }

    /// Asserts that the daemon still serves its plugin.
    ///
    /// # Panics
    /// When it does not.
    pub async fn assert_serves(&self, after: &str) {
        let told = self.plugin.info().await;
        told.unwrap_or_else(|error| panic!("after {after}: {error}; its log:\n{}", self.agent.log()));
    }
}
