//! The PIN of one signing: written once, sent before each use of a key that wants it each time.

use super::PivCard;
use crate::token::card::apdu::{Command, Link};
use crate::token::card::error::CardError;
use crate::token::card::pin::{self, PinSource, PinSpec};

/// A PIN that was typed, or the reader's keys. Dropping it wipes the PIN.
pub(super) struct Verification {
    spec: &'static PinSpec,
    /// VERIFY with the PIN; `None` where it is typed on the reader each time.
    typed: Option<Command>,
}

impl Verification {
    /// Takes the PIN over; refuses what the card would refuse, before it is asked.
    pub(super) fn new(spec: &'static PinSpec, pin: PinSource) -> Result<Self, CardError> {
        let typed = match pin {
            PinSource::Typed(pin) => {
                let block = spec.block(&pin).map_err(CardError::Pin)?;
                Some(spec.query().with_secret(block))
            }
            PinSource::Pad => None,
        };
        Ok(Self { spec, typed })
    }

    /// VERIFY (SP 800-73-4 part 2, 3.2.1). One try at most: whoever calls it again after a refusal spends another,
    /// and after a success the same PIN is right again.
    pub(super) fn verify(&self, card: &PivCard, link: &mut Link<'_>) -> Result<(), CardError> {
        match &self.typed {
            None => link.verify(self.spec, PinSource::Pad),
            Some(command) => card.send_pin(link, command, pin::verified),
        }
    }
}
