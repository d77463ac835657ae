//! The universal electronic card (УЭК), as far as its documented facts carry.
//!
//! No specification of the card was ever published. What is here follows the source of a terminal's library
//! (github.com/resilencelyn/rt.srz, folder UECLib), read for facts; what is inferred or guessed stands in [`assumed`].
//! The programme ended with 2016: no service says any more which cards are blocked.
//!
//! A card lets a PIN in only through a session with a *terminal*: a CV certificate and a private key that the
//! system's operator gave out. They are the deployer's to configure (`[uec]`); none is shipped. Without them the card
//! is recognised and described, and nothing is tried on it.
//!
//! Read in this order: [`kind`] (versions and suites), [`fci`] (what SELECT answers), [`cvc`] (certificates),
//! [`crypto`] (modes and encodings), [`messaging`] (protected commands), [`terminal`] (how a session begins).

mod assumed;
mod crypto;
pub(crate) mod cvc;
mod fci;
pub(crate) mod kind;
mod messaging;
mod objects;
mod pan;
mod snils;
mod terminal;
#[cfg(test)]
mod testing;
