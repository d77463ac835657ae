//! A terminal: who the agent is to a card, and how a session with it begins.

pub(super) mod gost;
pub(super) mod rsa;
