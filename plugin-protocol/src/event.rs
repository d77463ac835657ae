//! Numbered events of `GET /v1/events`.

use serde::{Deserialize, Serialize};

use crate::api::OperationState;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Grows by one with every event; a caller that may not see one meets a jump. Each run of
    /// the agent starts above the numbers of the runs before it.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened. A caller ignores a `type` it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type")]
pub enum EventKind {
    /// A token can be asked now.
    #[serde(rename = "token.added")]
    TokenAdded {
        /// Its opaque id.
        token: String,
    },
    /// A token is gone.
    #[serde(rename = "token.removed")]
    TokenRemoved {
        /// Its opaque id.
        token: String,
    },
    /// A card reader is there.
    #[serde(rename = "reader.added")]
    ReaderAdded {
        /// Its name, as the system has it.
        reader: String,
    },
    /// A card reader is gone.
    #[serde(rename = "reader.removed")]
    ReaderRemoved {
        /// Its name.
        reader: String,
    },
    /// A call to a card reader does not return: nothing more is asked of it until it does.
    #[serde(rename = "reader.hung")]
    ReaderHung {
        /// Its name.
        reader: String,
    },
    /// The call returned: the reader is asked again.
    #[serde(rename = "reader.recovered")]
    ReaderRecovered {
        /// Its name.
        reader: String,
    },
    /// A card is in a reader, known or not.
    #[serde(rename = "card.inserted")]
    CardInserted {
        /// The reader's name.
        reader: String,
    },
    /// A card was taken out.
    #[serde(rename = "card.removed")]
    CardRemoved {
        /// The reader's name.
        reader: String,
    },
    /// A module's process ended or hung; it is started anew when needed.
    #[serde(rename = "worker.failed")]
    WorkerFailed {
        /// The module's file name, without its folder.
        module: String,
        /// Whether it rests now because it failed too often.
        suspended: bool,
    },
    /// An operation of this caller changed its state.
    #[serde(rename = "operation.changed")]
    OperationChanged {
        /// The operation's id.
        operation: String,
        /// Its new state.
        state: OperationState,
    },
    /// This caller's pairing was revoked.
    #[serde(rename = "pairing.revoked")]
    PairingRevoked {
        /// The pairing's id.
        pairing: String,
    },
}

/// The body of `GET /v1/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Events {
    /// Events after `since`, oldest first; empty when the wait ran out. Those unknown to this version are left out when read.
    #[serde(deserialize_with = "crate::lenient::known")]
    pub events: Vec<Event>,
    /// The `since` of the next call.
    pub next: u64,
    /// Events after `since` were lost (too old, or the agent was restarted): read the state anew.
    pub gap: bool,
}
