//! A card within one transaction: bytes out, bytes in.

use super::apdu::Secret;
use super::error::CardError;
use super::pin::PadEntry;

/// The protocol a card was reset to (ISO 7816-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Character-oriented: a command that sends and wants data gets it through GET RESPONSE.
    T0,
    /// Block-oriented, and contactless cards: a command states what it wants.
    T1,
}

/// One card, for as long as nobody else may speak to it.
///
/// Implemented over PC/SC, over virtual cards in tests, and over recorded scripts.
/// It knows nothing of what the bytes mean: no GET RESPONSE, no retries.
pub trait Transport {
    /// Sends one command APDU; the response's data and status word, two bytes at least.
    ///
    /// A command that bears a PIN comes as [`Secret`], and is neither logged nor kept.
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError>;

    /// What the card was reset to.
    fn protocol(&self) -> Protocol;

    /// Whether a PIN can be typed on the reader, and the person allows that.
    fn has_pad(&self) -> bool {
        false
    }

    /// Has the reader take a PIN from its keys and put it into the command of `entry`;
    /// the card's status word, or the reader's own (ISO 7816 has none for a pressed "cancel").
    fn verify_on_pad(&mut self, _entry: &PadEntry) -> Result<[u8; 2], CardError> {
        Err(CardError::Unsupported("this reader has no keys for a PIN".to_owned()))
    }
}
