//! How a PIN is written into a command, and what a card's refusal of it means.

use super::apdu::{Link, Secret, Status};
use super::error::{CardError, PinFailure};
use crate::pin::Pin;

/// How digits become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// ASCII digits.
    Ascii,
    /// ISO 9564-1 format 2: a nibble 2, a nibble with the length, the digits as BCD, F to the end.
    Format2,
}

/// A PIN of a card as data: what a family's document says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinSpec {
    /// What the card's documents and its holder's letter call it: "PIN1".
    pub name: &'static str,
    /// P2 of VERIFY.
    pub reference: u8,
    /// Shortest and longest, digits.
    pub length: (usize, usize),
    /// How digits become bytes.
    pub encoding: Encoding,
    /// The byte that fills up to `stored`; `None` where nothing is filled.
    pub pad: Option<u8>,
    /// The length on the wire, bytes; 0 where it is the PIN's own.
    pub stored: usize,
}

impl PinSpec {
    /// The bytes of a PIN for VERIFY; refused before it is sent where its length or a character is wrong.
    pub fn block(&self, _pin: &Pin) -> Result<Secret, PinFailure> {
        Err(PinFailure::Format)
    }
}

/// What a family's card says of a PIN without being given one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinStatus {
    /// Tries left; `None` where the card does not tell without spending one.
    pub tries_left: Option<u8>,
    /// Tries in all, where that is known.
    pub tries_max: Option<u8>,
    /// It must be changed before its first use.
    pub must_change: bool,
}

/// Where a PIN comes from. Moves once, into the command that needs it.
pub enum PinSource {
    /// Typed in the window.
    Typed(Pin),
    /// To be typed on the reader.
    Pad,
}

/// What a reader's keys need to know (PC/SC part 10, 2.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PadEntry {
    /// The PIN.
    pub spec: PinSpec,
    /// The VERIFY command the digits go into, filled with its pad.
    pub template: Vec<u8>,
}

/// What the status word of a VERIFY means (national-cards.md, section 0): the one mapping of every family.
pub fn verified(_status: Status) -> Result<(), CardError> {
    Err(CardError::Pin(PinFailure::Wrong(None)))
}

impl Link<'_> {
    /// VERIFY (ISO/IEC 7816-4, 11.6.6) with a typed PIN, or on the reader's keys. One try at most.
    pub fn verify(&mut self, _spec: &PinSpec, _pin: PinSource) -> Result<(), CardError> {
        Err(CardError::Unsupported("not yet".to_owned()))
    }
}
