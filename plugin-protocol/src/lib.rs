//! The vocabulary between page, plugin, agent and portal.
//!
//! `PROTOCOL.md` is normative; this crate is its Rust form. It holds no I/O,
//! no clock and no PIN type. Read it in this order:
//!
//! 1. [`origin`] and [`challenge`]: what a portal is and what it asks;
//! 2. [`mod@format`] and [`proof`]: what the agent hands back, with the bytes to be
//!    signed in [`web_eid`], [`jws`] and [`statement`], and a card's own proof in [`uec`];
//! 3. [`pairing`] and [`http_signature`]: how a plugin and the agent know each other;
//! 4. [`api`], [`event`] and [`problem`]: the bodies of the localhost API;
//! 5. [`limits`]: every number a caller can run into.
//!
//! Everything is parsed into its type once, at the door: a value of
//! [`Origin`] or [`Challenge`] cannot hold anything PROTOCOL.md refuses.

pub mod algorithm;
pub mod api;
pub mod challenge;
pub mod encoding;
pub mod event;
pub mod format;
pub mod http_signature;
pub mod jws;
mod lenient;
pub mod limits;
pub mod origin;
pub mod pairing;
pub mod problem;
pub mod proof;
pub mod qualified;
#[cfg(feature = "openapi")]
mod schema;
mod shape;
pub mod statement;
pub mod uec;
pub mod web_eid;

pub use algorithm::{HashFunction, SignatureAlgorithm};
pub use challenge::Challenge;
pub use format::ProofFormat;
pub use origin::Origin;
pub use problem::{ErrorCode, Problem};
pub use proof::Proof;
pub use statement::{Purpose, Statement};

/// The organizationName that marks a test authority.
///
/// Every certificate of our software token and of the test PKI names it in its
/// issuer; a portal refuses such a path unless its policy names the root.
pub const TEST_ORGANIZATION: &str = "eid-agent TEST ONLY";
