//! Whole-system tests: real processes, real sockets.
//!
//! This crate sees everything. Its library starts the programs of the house the way
//! a person would, each in a temporary directory and on port 0, and reaps them:
//!
//! - [`programs`]: builds and finds `eid-agent`, `eid-portal`, `eid-plugin`;
//! - [`agent`]: a running daemon with its configuration;
//! - [`portal`]: a running reference portal;
//! - [`pinentry`]: a person in a script, who answers the agent's windows;
//! - [`ask`]: what plugins ask for;
//! - [`scene`]: daemon, person and paired plugin together;
//! - [`card`]: the kinds of cards, [`spine`]: the scenes that each of them must come through;
//! - [`browser`]: the other end of native messaging;
//! - [`door`]: a daemon and a paired plugin, for attacks on the door;
//! - [`raw`]: HTTP by hand, for what no client would send;
//! - [`middle`]: someone between plugin and agent;
//! - [`mock`]: a running mock, for portals;
//! - [`judge`]: what a portal and OpenSSL say of what they get;
//! - [`gost_engine`]: OpenSSL's GOST engine in this process;
//! - [`pcscd`]: a real PC/SC service with virtual readers, [`apdu_log`]: what went through it;
//! - [`pcsc_client`]: another client at those readers;
//! - [`chip`]: a card in a reader, over that service or in this process, and the scenes played with it;
//! - [`foreign`]: cards that nobody in this house has written.

pub mod agent;
pub mod apdu_log;
pub mod ask;
pub mod browser;
pub mod card;
pub mod chip;
pub mod door;
pub mod foreign;
pub mod gost_engine;
mod here;
pub mod judge;
pub mod middle;
pub mod mock;
pub mod pcsc_client;
pub mod pcscd;
pub mod pinentry;
pub mod portal;
pub mod process;
pub mod programs;
pub mod raw;
pub mod scene;
pub mod spine;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct ReadMe;
