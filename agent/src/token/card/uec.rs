//! The universal electronic card (УЭК), as far as its documented facts carry.
//!
//! No specification of the card was ever published. What is here follows the source of a terminal's library
//! (github.com/resilencelyn/rt.srz, folder UECLib), read for facts; what is inferred or guessed stands in `assumed`.
//! The programme ended with 2016: no service says any more which cards are blocked.
//!
//! A card lets a PIN in only through a session with a *terminal*: a CV certificate and a private key that the
//! system's operator gave out. They are the deployer's to configure (`[uec]`); none is shipped. Without them the card
//! is recognised and described, and nothing is tried on it.
//!
//! Read in this order: `kind` (versions and suites), `fci` (what SELECT answers), `cvc` (certificates),
//! `crypto` (modes and encodings), `messaging` (protected commands), `terminal` (who the agent is to a card),
//! `session` (one conversation), `card` (what is done with it).

mod assumed;
mod card;
mod crypto;
pub(crate) mod cvc;
pub(crate) mod evidence;
mod fci;
mod identity;
pub(crate) mod kind;
mod messaging;
mod objects;
mod obstacle;
mod pan;
mod session;
mod snils;
mod terminal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use terminal::{Mistake, Terminals};

use super::apdu::Link;
use super::error::CardError;
use super::family::{Card, Family, Recognition};
use crate::clock::Clock;
use crate::prompt::Language;

/// The family, with the terminals that the agent may be.
pub struct Uec {
    terminals: Arc<Terminals>,
    language: Language,
    clock: Clock,
}

impl Uec {
    /// With these terminals; none is enough to recognise a card. What can be done with a card is told in English.
    pub fn new(terminals: Arc<Terminals>) -> Self {
        Self {
            terminals,
            language: Language::En,
            clock: Clock::system(),
        }
    }

    /// Which certificates and cards have expired is told by this clock.
    pub fn by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// What can be done with a card is told in this language.
    pub fn speaking(self, language: Language) -> Self {
        Self { language, ..self }
    }
}

impl Family for Uec {
    fn id(&self) -> &'static str {
        "uec"
    }

    fn name(&self) -> &'static str {
        "Universal electronic card (УЭК)"
    }

    fn ended(&self) -> Option<u16> {
        Some(2016)
    }

    /// The five known answers to reset share their historical bytes; any other card has to be asked.
    fn recognise(&self, atr: &[u8]) -> Recognition {
        match known(atr) {
            true => Recognition::Sure,
            false => Recognition::Possible,
        }
    }

    fn open(&self, atr: &[u8], link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError> {
        card::UecCard::open(self, known(atr), link)
    }
}

fn known(atr: &[u8]) -> bool {
    let has = |historical: &&[u8]| atr.windows(historical.len()).any(|window| *window == **historical);
    assumed::HISTORICAL.iter().any(has)
}
