//! How a PIN is written into a command, and what a card's refusal of it means.

use super::apdu::{Command, Link, Secret, Status};
use super::error::{CardError, PinFailure};
use crate::pin::Pin;

/// How digits become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// ASCII digits.
    Ascii,
    /// ISO 9564-1 format 2: a nibble 2, a nibble with the length, the digits as BCD, F to the end.
    Format2,
    /// Whatever was typed, letters too: its bytes. No reader's keys have letters.
    Text,
}

/// A PIN of a card as data: what a family's document says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinSpec {
    /// What the card's documents and its holder's letter call it: "PIN1".
    pub name: &'static str,
    /// P2 of VERIFY.
    pub reference: u8,
    /// Shortest and longest, digits; bytes where letters are taken.
    pub length: (usize, usize),
    /// How digits become bytes.
    pub encoding: Encoding,
    /// The byte that fills up to `stored`; `None` where nothing is filled.
    pub pad: Option<u8>,
    /// The length on the wire, bytes; 0 where it is the PIN's own.
    pub stored: usize,
}

impl PinSpec {
    /// ASCII digits, filled with `pad` to `stored` bytes.
    pub const fn ascii(name: &'static str, reference: u8, length: (usize, usize), pad: u8, stored: usize) -> Self {
        Self {
            name,
            reference,
            length,
            encoding: Encoding::Ascii,
            pad: Some(pad),
            stored,
        }
    }

    /// Digits and letters, of their own length: nothing is filled.
    pub const fn text(name: &'static str, reference: u8, length: (usize, usize)) -> Self {
        Self {
            name,
            reference,
            length,
            encoding: Encoding::Text,
            pad: None,
            stored: 0,
        }
    }

    /// ISO 9564-1 format 2, filled to `stored` bytes.
    pub const fn format_2(name: &'static str, reference: u8, length: (usize, usize), stored: usize) -> Self {
        Self {
            name,
            reference,
            length,
            encoding: Encoding::Format2,
            pad: Some(0xFF),
            stored,
        }
    }

    /// The bytes of a PIN for VERIFY; refused before it is sent where its length or a character is wrong.
    pub fn block(&self, pin: &Pin) -> Result<Secret, PinFailure> {
        let digits = pin.expose();
        let (min, max) = self.length;
        if self.encoding != Encoding::Text && !digits.iter().all(u8::is_ascii_digit) {
            return Err(PinFailure::Format);
        }
        if !(min..=max).contains(&digits.len()) {
            return Err(PinFailure::Length(min, max));
        }
        // Written into memory of the right size: growing would leave a copy behind.
        let mut block = Vec::with_capacity(self.stored.max(digits.len()) + 1);
        match self.encoding {
            Encoding::Ascii | Encoding::Text => block.extend(digits),
            Encoding::Format2 => format2(digits, &mut block),
        }
        if let Some(pad) = self.pad {
            block.resize(self.stored.max(block.len()), pad);
        }
        Ok(Secret::new(block))
    }

    /// Two blocks one after the other: what CHANGE REFERENCE DATA takes (old, new) and RESET RETRY COUNTER
    /// (`first` is the unblocking code's, written as `first_spec` says).
    pub fn blocks(&self, first_spec: &Self, first: &Pin, second: &Pin) -> Result<Secret, PinFailure> {
        let (first, second) = (first_spec.block(first)?, self.block(second)?);
        let mut both = Vec::with_capacity(first.expose().len() + second.expose().len());
        both.extend(first.expose());
        both.extend(second.expose());
        Ok(Secret::new(both))
    }

    /// VERIFY without data (ISO/IEC 7816-4, 11.6.6): asks for the tries left, and spends none where the family's
    /// document says so.
    pub fn query(&self) -> Command {
        Command::new(0x00, VERIFY, 0x00, self.reference)
    }
}

/// INS of VERIFY.
const VERIFY: u8 = 0x20;

/// ISO 9564-1 format 2: `24 12 34 FF…` of 1234.
fn format2(digits: &[u8], block: &mut Vec<u8>) {
    block.push(0x20 | (digits.len() as u8 & 0x0F));
    for pair in digits.chunks(2) {
        let nibble = |at: usize| pair.get(at).map_or(0x0F, |digit| digit & 0x0F);
        block.push(nibble(0) << 4 | nibble(1));
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
///
/// 6400, 6401, 6403 and 6404 are here the card's refusal, of which nobody knows whether it cost a try: they are a
/// reader's own words only where the PIN was typed on its keys (`on_pad`). 6700 and 6A80 refuse the form of what was
/// sent, which is not the same as a wrong PIN: the documents let it be tried again, and do not say that it cost a try.
pub fn verified(status: Status) -> Result<(), CardError> {
    let failure = match status.0 {
        0x9000 => return Ok(()),
        0x63C0 | 0x6983 | 0x6984 => PinFailure::Blocked,
        // 6300 tells no number; 630x and 63Cx do.
        0x6300..=0x63FF => PinFailure::Wrong(Some((status.0 & 0x0F) as u8).filter(|left| *left > 0)),
        0x6700 | 0x6A80 => PinFailure::Form,
        _ => return Err(CardError::Refused("VERIFY", status)),
    };
    Err(CardError::Pin(failure))
}

/// What the status word means where the PIN was typed on the reader's keys: the reader's own (PC/SC part 10, 2.5.2),
/// or the card's, which [`verified`] knows.
fn on_pad(spec: &PinSpec, status: Status) -> Result<(), CardError> {
    match status.0 {
        0x6400 => Err(CardError::Pin(PinFailure::PadTimedOut)),
        0x6401 => Err(CardError::Pin(PinFailure::PadCancelled)),
        0x6403 => Err(CardError::Pin(PinFailure::Length(spec.length.0, spec.length.1))),
        0x6404 => {
            let why = "the reader's keys are disabled; type the PIN on the computer";
            Err(CardError::Unsupported(why.to_owned()))
        }
        _ => verified(status),
    }
}

/// What the status word of CHANGE REFERENCE DATA or RESET RETRY COUNTER means, where `verified` does not say it:
/// the card compares the old value as VERIFY does, and may not like the new one.
pub fn changed(status: Status) -> Result<(), CardError> {
    match status.0 {
        // 6402: the new one was repeated differently on a reader's keys.
        0x6985 | 0x6402 | 0x6A80 => Err(CardError::Pin(PinFailure::NewRefused)),
        _ => verified(status).map_err(|error| match error {
            CardError::Refused(_, status) => CardError::Refused("the change of a PIN", status),
            other => other,
        }),
    }
}

impl Link<'_> {
    /// VERIFY (ISO/IEC 7816-4, 11.6.6) with a typed PIN, or on the reader's keys. One try at most.
    pub fn verify(&mut self, spec: &PinSpec, pin: PinSource) -> Result<(), CardError> {
        match pin {
            PinSource::Typed(pin) => {
                let block = spec.block(&pin).map_err(CardError::Pin)?;
                drop(pin);
                self.verify_block(spec, block)
            }
            PinSource::Pad => on_pad(spec, self.verify_on_pad(spec)?),
        }
    }

    /// VERIFY with a PIN that is written as [`PinSpec::block`] writes it. One try at most.
    pub fn verify_block(&mut self, spec: &PinSpec, block: Secret) -> Result<(), CardError> {
        let status = self.send(&spec.query().with_secret(block))?.status;
        verified(status)
    }

    fn verify_on_pad(&mut self, spec: &PinSpec) -> Result<Status, CardError> {
        let unsupported = |why: &str| CardError::Unsupported(why.to_owned());
        if !self.transport().has_pad() {
            return Err(unsupported("this reader has no keys for a PIN"));
        }
        let entry = PadEntry::of(spec).ok_or_else(|| unsupported("readers with keys cannot write this card's PIN"))?;
        let status = self.transport().verify_on_pad(&entry)?;
        let status = Status(u16::from_be_bytes(status));
        tracing::trace!(reference = spec.reference, ?status, "PIN on the reader's keys");
        Ok(status)
    }
}

#[cfg(test)]
mod tests;
