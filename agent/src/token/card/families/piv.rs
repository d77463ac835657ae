//! PIV: NIST SP 800-73-4 (parts 1 and 2), SP 800-78-4.
//!
//! One PIN opens two keys that matter here: 9A authenticates, 9C signs and wants the PIN directly before each use.
//! A card is known by its application alone; answers to reset say nothing. What cards in use do beside the standard
//! is noted where it is borne with.

mod certificate;
mod key;
mod object;
mod padding;
mod verification;

use self::key::{Key, KeyReference};
use self::object::{Chuid, PinPolicy, Selected};
use self::verification::Verification;
use crate::pin::Pin;
use crate::token::card::apdu::{Command, Le, Link, Status};
use crate::token::card::error::{CardError, PinFailure};
use crate::token::card::family::{Card, Family, PinManagement, Recognition, Slot};
use crate::token::card::pin::{self, Encoding, PinSource, PinSpec, PinStatus};
use crate::token::card::tlv;
use crate::token::{Closed, Credential, SignInput};

/// The application's identifier without its version (part 1, 2.2): RID and PIX.
const AID: [u8; 9] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00];
/// The same with its version, 1.0. SELECT takes either (part 2, 3.1.1).
const WHOLE_AID: [u8; 11] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00];
/// Bytes of a PIN and of a PUK on the wire (part 2, 3.2.1).
const BLOCK: usize = 8;

/// The PIN of the application, or the card's global one: 6 to 8 digits, filled with FF (part 1, 2.4.3).
const fn pin_spec(name: &'static str, reference: u8) -> PinSpec {
    PinSpec {
        name,
        reference,
        length: (6, BLOCK),
        encoding: Encoding::Ascii,
        pad: Some(0xFF),
        stored: BLOCK,
    }
}

/// The PIN of the application.
const APPLICATION_PIN: PinSpec = pin_spec("PIN", 0x80);
/// The PIN that all applications of the card share.
const GLOBAL_PIN: PinSpec = pin_spec("global PIN", 0x00);
/// What unblocks the application's PIN.
const PUK: PinSpec = pin_spec("PUK", 0x81);

/// The family.
pub struct Piv;

impl Family for Piv {
    fn id(&self) -> &'static str {
        "piv"
    }

    fn name(&self) -> &'static str {
        "PIV"
    }

    fn recognise(&self, _atr: &[u8]) -> Recognition {
        Recognition::Possible
    }

    fn open(&self, atr: &[u8], link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError> {
        let mut aid: &[u8] = &AID;
        let mut selected = link.send(&select(aid))?;
        // "There is no such application" (6A82) alone: some cards compare the whole identifier. Every other refusal is
        // another card's.
        if selected.status.0 == 0x6A82 {
            aid = &WHOLE_AID;
            selected = link.send(&select(aid))?;
        }
        if !is_selected(selected.status) {
            return Ok(None);
        }
        let discovery = |link: &mut Link<'_>| link.send(&object::get(object::DISCOVERY));
        let answer = match Selected::read(&selected.data) {
            Selected::Other => return Ok(None),
            Selected::Piv => discovery(link)?,
            // It says nothing of what was selected: the discovery object does, where there is one.
            Selected::Untold => match discovery(link)? {
                answer if answer.status.is_ok() && !object::names_piv(&answer.data) => return Ok(None),
                answer => answer,
            },
        };
        let is_told = Selected::read(&selected.data) == Selected::Piv || answer.status.is_ok();
        let policy = match answer.status.is_ok() {
            true => PinPolicy::read(&answer.data),
            // The object is optional where the application's PIN is the only one (part 1, 3.3.2).
            false => PinPolicy::default(),
        };
        let chuid = link.send(&object::get(object::CHUID))?;
        let chuid = if chuid.status.is_ok() {
            Chuid::read(&chuid.data)
        } else {
            Chuid::default()
        };
        // The discovery object is optional, the CHUID is not (part 1, 3.1.2): a card without either is another one, which
        // takes every SELECT.
        if !is_told && chuid.serial().is_none() {
            return Ok(None);
        }
        Ok(Some(Box::new(PivCard {
            aid,
            policy,
            chuid,
            contactless: is_contactless(atr),
            takes_no_pin: false,
        })))
    }
}

/// SELECT (part 2, 3.1.1).
fn select(aid: &[u8]) -> Command {
    Command::new(0x00, 0xA4, 0x04, 0x00).with(aid).wanting(Le::Max)
}

/// Warnings are no refusals: 6283 and 6285 say of what is selected now that it was deactivated or terminated
/// (ISO/IEC 7816-4, table 6). What it still does, it says when it is asked.
fn is_selected(status: Status) -> bool {
    matches!(status.0, 0x9000 | 0x6283 | 0x6285)
}

/// `3B 8x 80 01 …`: what PC/SC part 3 makes up for cards without contacts.
fn is_contactless(atr: &[u8]) -> bool {
    matches!(atr, [0x3B, t0, 0x80, 0x01, ..] if t0 & 0xF0 == 0x80)
}

const TAKE_A_PIN: &str = "take a PIN";

fn without_contacts(what: &str) -> CardError {
    CardError::Unsupported(format!(
        "this card does not {what} without contacts; put it into a reader with contacts"
    ))
}

/// An inserted card.
struct PivCard {
    /// The identifier that it is selected by.
    aid: &'static [u8],
    policy: PinPolicy,
    chuid: Chuid,
    contactless: bool,
    /// It said so of this interface when it was asked for its tries.
    takes_no_pin: bool,
}

impl PivCard {
    fn pin(&self) -> &'static PinSpec {
        match self.policy {
            PinPolicy::Application => &APPLICATION_PIN,
            PinPolicy::Global => &GLOBAL_PIN,
        }
    }

    fn select(&self, link: &mut Link<'_>) -> Result<(), CardError> {
        let status = link.send(&select(self.aid))?.status;
        match is_selected(status) {
            true => Ok(()),
            false => Err(CardError::Refused("SELECT of the PIV application", status)),
        }
    }

    /// 6982 on a card without contacts: the standard closes it there (part 1, 5.5), and no repetition helps.
    fn shut(&self, status: Status, what: &str) -> Option<CardError> {
        let closed = self.contactless && status.0 == 0x6982;
        closed.then(|| without_contacts(what))
    }

    /// Sends what bears a PIN, and says what the answer means; `judge` knows the ordinary status words.
    fn send_pin(
        &self,
        link: &mut Link<'_>,
        command: &Command,
        judge: impl FnOnce(Status) -> Result<(), CardError>,
    ) -> Result<(), CardError> {
        let status = link.send(command)?.status;
        match self.shut(status, TAKE_A_PIN) {
            Some(closed) => Err(closed),
            None => judge(status),
        }
    }

    fn certificate(&self, key: KeyReference, link: &mut Link<'_>) -> Result<Option<Vec<u8>>, CardError> {
        let answer = link.send(&object::get(key.certificate()))?;
        match answer.status.0 {
            0x9000 => certificate::read(&answer.data),
            // Nothing was ever put there.
            0x6A82 | 0x6A88 => Ok(None),
            _ => Err(self
                .shut(answer.status, "show its certificates")
                .unwrap_or(CardError::Refused("GET DATA of a certificate", answer.status))),
        }
    }

    /// GENERAL AUTHENTICATE (part 2, 3.2.4): one signature.
    fn signature(&self, key: Key, input: &[u8], link: &mut Link<'_>) -> Result<Vec<u8>, CardError> {
        let answer = link.send(&key.command(input))?;
        let reference = key.reference.name();
        match answer.status.0 {
            0x9000 => key.signature(&answer.data),
            0x6982 => Err(self.shut(answer.status, "sign").unwrap_or_else(|| {
                CardError::Unsupported(format!(
                    "the card took the PIN and does not sign with its key {reference}; some want to be touched while \
                     they blink"
                ))
            })),
            0x6A80 | 0x6A86 | 0x6A88 => Err(CardError::Unsupported(format!(
                "the card has no key {reference} of the kind that its certificate {reference} names (status {})",
                answer.status
            ))),
            _ => Err(CardError::Refused("GENERAL AUTHENTICATE", answer.status)),
        }
    }
}

impl Card for PivCard {
    fn serial(&self) -> Option<String> {
        self.chuid.serial()
    }

    fn closed(&self) -> Option<Closed> {
        self.takes_no_pin.then_some(Closed::Contactless)
    }

    fn slots(&self) -> Vec<Slot> {
        vec![Slot {
            pin: *self.pin(),
            role: None,
            pad: true,
            label: String::new(),
        }]
    }

    fn pin_status(&mut self, _slot: usize, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
        self.select(link)?;
        let status = link.send(&self.pin().query())?.status;
        let closed = self.shut(status, TAKE_A_PIN);
        self.takes_no_pin = closed.is_some();
        if let Some(closed) = closed {
            return Err(closed);
        }
        let tries_left = match pin::verified(status) {
            Err(CardError::Pin(PinFailure::Wrong(left))) => left,
            Err(CardError::Pin(PinFailure::Blocked)) => Some(0),
            // Another program's session is open: the last PIN was right, and the card does not tell how many tries
            // that gave back. Old cards do not know the question (6700, 6D00).
            _ => None,
        };
        Ok(PinStatus {
            tries_left,
            ..PinStatus::default()
        })
    }

    fn credentials(&mut self, _slot: usize, link: &mut Link<'_>) -> Result<Vec<Credential>, CardError> {
        // Nothing that is here could be used: nobody is to type a PIN to hear that.
        if self.takes_no_pin {
            return Err(without_contacts(TAKE_A_PIN));
        }
        self.select(link)?;
        let (mut credentials, mut torn) = (Vec::new(), None);
        for reference in KeyReference::ALL {
            match self.certificate(reference, link) {
                Ok(certificate) => {
                    credentials.extend(certificate.and_then(|der| key::credential(reference, der)));
                }
                Err(error @ (CardError::Malformed(..) | CardError::Refused(..))) => {
                    tracing::warn!(key = reference.name(), %error, "a certificate of PIV is left out");
                    torn = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = torn.filter(|_| credentials.is_empty()) {
            return Err(error);
        }
        Ok(credentials)
    }

    fn sign(
        &mut self,
        _slot: usize,
        key: &str,
        inputs: &[SignInput],
        pin: PinSource,
        link: &mut Link<'_>,
    ) -> Result<Vec<Vec<u8>>, CardError> {
        // All that can be refused without the card is refused before it is asked.
        let key: Key = key.parse()?;
        let blocks = inputs
            .iter()
            .map(|input| key.input(input))
            .collect::<Result<Vec<_>, _>>()?;
        let verification = Verification::new(self.pin(), pin)?;
        self.select(link)?;
        let mut signatures = Vec::with_capacity(blocks.len());
        for block in blocks {
            if signatures.is_empty() || key.reference.wants_pin_each_time() {
                verification.verify(self, link)?;
            }
            signatures.push(self.signature(key, &block, link)?);
        }
        Ok(signatures)
    }

    fn management(&self, _slot: usize) -> PinManagement {
        PinManagement {
            change: true,
            // Part 2, 3.2.3: RESET RETRY COUNTER is for the application's PIN alone.
            unblock: (self.policy == PinPolicy::Application).then_some(PUK),
        }
    }

    /// CHANGE REFERENCE DATA (part 2, 3.2.2).
    fn change_pin(&mut self, _slot: usize, old: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        let spec = self.pin();
        if old.expose() == new.expose() {
            return Err(CardError::Pin(PinFailure::NewRefused));
        }
        let blocks = spec.blocks(spec, &old, &new).map_err(CardError::Pin)?;
        self.select(link)?;
        let command = Command::new(0x00, 0x24, 0x00, spec.reference).with_secret(blocks);
        self.send_pin(link, &command, pin::changed)
    }

    /// RESET RETRY COUNTER (part 2, 3.2.3).
    fn unblock_pin(&mut self, _slot: usize, puk: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        if self.policy == PinPolicy::Global {
            let why = "the global PIN of this card is unblocked in its issuer's tool";
            return Err(CardError::Unsupported(why.to_owned()));
        }
        let spec = self.pin();
        let blocks = spec.blocks(&PUK, &puk, &new).map_err(CardError::Pin)?;
        self.select(link)?;
        let command = Command::new(0x00, 0x2C, 0x00, spec.reference).with_secret(blocks);
        self.send_pin(link, &command, pin::changed)
    }

    /// GET METADATA of the PUK, which Yubico's cards know from firmware 5.3 on [INF]; what others say to it is no count.
    fn unblock_status(&mut self, _slot: usize, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
        self.select(link)?;
        let answer = link.send(&Command::new(0x00, 0xF7, 0x00, PUK.reference).wanting(Le::Max))?;
        let counts = if answer.status.is_ok() {
            tlv::find(&answer.data, &[0x06])
        } else {
            None
        };
        Ok(match counts {
            Some([total, left]) => PinStatus {
                tries_left: Some(*left),
                tries_max: Some(*total),
                must_change: false,
            },
            _ => PinStatus::default(),
        })
    }

    fn details(&mut self, _link: &mut Link<'_>) -> Result<Vec<(String, String)>, CardError> {
        let mut details = self.chuid.details();
        if self.policy == PinPolicy::Global {
            details.push(("PIN".to_owned(), "the global PIN of the card".to_owned()));
        }
        if self.contactless {
            details.push(("interface".to_owned(), "contactless".to_owned()));
        }
        Ok(details)
    }
}

#[cfg(test)]
mod tests;
