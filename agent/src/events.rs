//! Numbered events, for plugins that wait.

use plugin_protocol::event::EventKind;

/// Who may see an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every paired plugin.
    All,
    /// One plugin, by [`crate::pairing::Caller::id`].
    Client(String),
}

/// The events kept for those who wait.
#[derive(Debug, Default)]
pub struct Events {}

impl Events {
    /// No events yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells `audience` what happened.
    pub fn publish(&self, kind: EventKind, audience: Audience) {
        let _ = (kind, audience);
    }
}
