//! `eid-agent native-host`: what a browser starts for an extension (native messaging).
//!
//! The browser writes one command to standard input and reads answers from standard
//! output, each a [`frame`]. Three names are spoken, one a browser's manifest each
//! ([`Host`]): `eu.webeid` is that of the official Web eID extension (`web_eid`),
//! `eid_agent.plugin` that of our own (`plugin`), `ru.rtlabs.ifcplugin` that of the official Gosuslugi
//! extension (`ifc`), which gives many commands, one after the other. Which extension may call is the
//! manifest's word, and checked again in [`caller`].
//!
//! The host owns no token and shows no window. It is a plugin like any other: it has a key
//! and a pairing of its own ([`identity`]), speaks signed HTTP ([`client`]) with the daemon,
//! which it starts when none runs ([`daemon`]). A request of the same origin takes the place of an
//! older one (`question`), which a `note` names.

pub mod caller;
pub mod client;
mod command;
mod conversation;
pub mod daemon;
pub mod frame;
pub mod identity;
mod ifc;
mod note;
mod object;
mod plugin;
mod question;
mod refusal;
mod web_eid;

pub use caller::Host;
pub use conversation::converse;
pub use daemon::Daemon;
pub use refusal::Refusal;
