//! What a source notices by itself, and how it says so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::closed::ClosedCard;
use crate::certificate::Role;
use crate::legible::legible;

/// Something happened at a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A reader is there that was not.
    ReaderAdded(String),
    /// A reader is gone.
    ReaderRemoved(String),
    /// A card is in the reader of this name.
    CardInserted(String),
    /// The reader of this name is empty again.
    CardRemoved(String),
    /// A call to the reader of this name does not return: nothing more is asked of it until it does.
    ReaderHung(String),
    /// It did: the reader is asked again.
    ReaderRecovered(String),
    /// Something else: what was true at the last look may not be true now.
    Changed,
}

/// Takes notices, from any thread. It returns at once.
pub type Announcer = Arc<dyn Fn(Notice) + Send + Sync>;

/// A card that is in a reader and shows no token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stranger {
    /// The reader's name, as the system has it: for the person and the log, not for a page.
    pub reader: String,
    /// Why it shows none.
    pub why: Strange,
}

/// Why a card that is in shows no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strange {
    /// No family that is served here knows it.
    Unserved,
    /// It could not be read.
    Unread,
    /// Another program has it for itself alone, or does not end what it does with it.
    InUse,
    /// Its reader does not answer.
    Hung,
    /// It is known, and its family says why nothing can be done with it.
    Closed(ClosedCard),
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reader = legible(&self.reader);
        match self.why {
            Strange::Unserved => write!(
                f,
                "the card in the reader «{reader}» is not one that eid-agent can use; `eid-agent tokens` says what is known of it"
            ),
            Strange::Unread => write!(
                f,
                "the card in the reader «{reader}» could not be read; take it out and insert it again, the right way \
                 round; `eid-agent tokens` says why"
            ),
            Strange::InUse => write!(
                f,
                "another program is using the card in the reader «{reader}»; close that program"
            ),
            Strange::Hung => write!(
                f,
                "the reader «{reader}» does not answer; pull it out and plug it in again"
            ),
            Strange::Closed(card) => write!(f, "the card in the reader «{reader}» cannot be used here: {card}"),
        }
    }
}

/// A reader, and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderInfo {
    /// Its name, as the system has it.
    pub name: String,
    /// What is in it.
    pub card: Inserted,
}

/// What is in a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// No card.
    Nothing,
    /// A card of a family that is served here.
    Known {
        /// The family's name for people.
        family: String,
        /// The PINs that each are a token, and what the keys behind them are for.
        slots: Vec<(String, Option<Role>)>,
        /// What else is known of it: names and values.
        details: Vec<(String, String)>,
        /// Why nothing can be done with it here, where that is so: it shows no token.
        closed: Option<ClosedCard>,
    },
    /// A card of a family that is left to PKCS#11 modules: not a byte is sent to it, or no more than tells its family.
    Left {
        /// The family's name for people.
        family: String,
        /// Why.
        why: String,
    },
    /// A card of a family of which this one has nothing that is served here.
    Elsewhere {
        /// The family's name for people.
        family: String,
        /// Who serves it.
        why: String,
    },
    /// A card that no family knows.
    Unknown {
        /// Its answer to reset.
        atr: Vec<u8>,
        /// Names of the families that asked it, and said no.
        tried: Vec<String>,
    },
    /// A card whose reader has not answered within this time, and is left alone until it does.
    Hung(Duration),
    /// A card that another program has for itself alone, or does not end what it does with it.
    InUse,
    /// A card that could not be read: why.
    Unreadable(String),
}
