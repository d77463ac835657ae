//! The collaborators of the daemon, gathered once and handed on; there are no globals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::Clock;
use crate::config::Config;
use crate::error::Error;
use crate::events::{Audience, Events};
use crate::history::History;
use crate::operation::Operations;
use crate::pairing::Pairings;
use crate::prompt::Prompt;
use crate::rehearsal::Rehearsal;
use crate::token::worker::Tokens;
use plugin_protocol::event::EventKind;

/// Everything a request may need.
pub struct App {
    /// What the configuration file and the flags say.
    pub config: Config,
    /// The wall clock.
    pub clock: Clock,
    /// When this run began, seconds since 1970-01-01 UTC: what was signed before is refused, for an earlier run may
    /// have answered it. Known before anybody is told the port, so that no first request is older.
    pub begun: i64,
    /// The tokens, behind their threads and processes.
    pub tokens: Tokens,
    /// The person.
    pub prompt: Arc<dyn Prompt>,
    /// The one window.
    pub window: Window,
    /// Which plugins may speak.
    pub pairings: Pairings,
    /// What happened, numbered, for plugins that wait.
    pub events: Events,
    /// What was signed, where, when.
    pub history: History,
    /// The operations that run, and the results still kept.
    pub operations: Operations,
    /// What makes this a mock; `None` in a real agent.
    pub rehearsal: Option<Arc<dyn Rehearsal>>,
}

impl App {
    /// Cancels what revoked pairings have running and tells their plugins, whoever revoked them:
    /// what another process took away is noticed with the next request of anyone.
    pub(crate) fn tell_of_revoked(&self) {
        for pairing in self.pairings.take_revoked() {
            self.operations.revoked(&pairing);
            let audience = Audience::Client(pairing.clone());
            self.events.publish(EventKind::PairingRevoked { pairing }, audience);
        }
    }
}

/// The right to show a window: one operation or pairing holds it at a time.
#[derive(Clone, Debug, Default)]
pub struct Window(Arc<AtomicBool>);

/// Holds the window; dropping it lets the next one in.
#[derive(Debug)]
pub struct WindowGuard(Arc<AtomicBool>);

impl Window {
    /// Takes the window, or says that it is taken. Nobody waits in line: a person
    /// who has just closed one window should not be met by the next.
    pub fn try_open(&self) -> Result<WindowGuard, Error> {
        match self.0.swap(true, Ordering::SeqCst) {
            false => Ok(WindowGuard(Arc::clone(&self.0))),
            true => Err(Error::Busy),
        }
    }
}

impl Drop for WindowGuard {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_window_at_a_time() {
        let window = Window::default();
        let guard = window.try_open().unwrap();
        assert_eq!(window.clone().try_open().unwrap_err(), Error::Busy);
        drop(guard);
        assert!(window.try_open().is_ok());
    }
}
