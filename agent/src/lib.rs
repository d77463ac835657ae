//! The identity agent: a daemon that lets a person confirm who they are with a chip.
//!
//! The tour, in the order of one request:
//!
//! 1. [`error`]: the one enum of what can go wrong, and its one mapping to the wire;
//! 2. [`app`]: the collaborators, with [`config`], [`clock`] and [`policy`]; what is kept on disk
//!    is a [`private_file`];
//! 3. [`server`] listens; [`guard`] says who may speak ([`pairing`], [`signature`], [`replay`],
//!    [`rate`]); [`api`] is the table of routes, and [`events`] what plugins are told
//!    ([`open_requests`]: whether anyone waits for them);
//! 4. [`operation`]: what runs for a plugin, for as long as its [`life`] goes on;
//!    [`confirm`], [`sign`] and [`disclose`] are what it runs: [`choose`] a certificate, ask for
//!    [`consent`] (where the PIN is locked or must be changed, offer to [`renew`] it), sign, and leave a record of the
//!    [`case`];
//! 5. [`token`]: what a token is; [`certificate`]: what a certificate says; [`pin`]: what moves once;
//! 6. [`prompt`]: the person as an interface; [`legible`]: what may be shown to them;
//! 7. [`proof`]: what is signed and how it is wrapped;
//! 8. [`history`]: what was signed, where, when;
//! 9. [`mock`]: an agent whose person is a script, for the tests of portals; [`rehearsal`] is the
//!    seam it needs in the others.
//!
//! Beside it, in a process of its own that a browser starts: [`native_host`].
//!
//! The program around it is `main.rs`: `cli` has a file per command, `setup` makes an [`App`] of
//! flags and configuration, `places` says where files are, `hardening` comes first of all.

pub mod api;
pub mod app;
pub mod case;
pub mod certificate;
pub mod choose;
pub mod clock;
pub mod config;
pub mod confirm;
pub mod consent;
pub mod disclose;
pub mod error;
pub mod events;
pub mod guard;
pub mod history;
pub mod legible;
pub mod life;
pub mod mock;
pub mod native_host;
pub mod open_requests;
pub mod operation;
pub mod pairing;
pub mod pin;
pub mod policy;
pub mod private_file;
pub mod prompt;
pub mod proof;
pub mod rate;
pub mod rehearsal;
pub mod renew;
pub mod replay;
pub mod server;
pub mod sign;
pub mod signature;
pub mod token;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod world;

pub use app::App;
pub use error::Error;
