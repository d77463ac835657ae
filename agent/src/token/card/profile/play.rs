//! The card that a profile makes: what of it was read is kept while it is inserted, and read once.

use plugin_protocol::encoding::hex;

use super::super::apdu::Link;
use super::super::error::{CardError, PinFailure};
use super::super::family::{Card, Family, PinManagement, Recognition, Slot};
use super::super::pad;
use super::super::pin::{PinSource, PinStatus};
use super::super::tlv;
use super::key::Key;
use super::locate::{self, Found};
use super::sign::{Script, mechanisms, prepare};
use super::{Atr, Document, Identity, KeyProfile, Profile, SlotProfile, counter, manage, select};
use crate::pin::Pin;
use crate::token::{Closed, Credential, SignInput};

impl Family for Profile {
    fn id(&self) -> &'static str {
        self.id
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn recognise(&self, atr: &[u8]) -> Recognition {
        let (exact, masked): (Vec<&Atr>, Vec<&Atr>) = self
            .atrs
            .iter()
            .chain(self.contactless)
            .partition(|known| known.mask.is_none());
        match exact.into_iter().chain(masked).any(|known| known.matches(atr)) {
            true => Recognition::Sure,
            false => Recognition::No,
        }
    }

    fn modules(&self) -> &'static [&'static str] {
        self.modules
    }

    fn elsewhere(&self) -> Option<&'static str> {
        self.elsewhere
    }

    fn open(&self, atr: &[u8], link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError> {
        let known = |atrs: &[Atr]| atrs.iter().any(|known| known.matches(atr));
        let identity = match () {
            () if known(self.atrs) => {
                link.resend_after(self.resend_after);
                for there in self.only_with {
                    if !link.send(&there.command())?.status.is_ok() {
                        return Ok(None);
                    }
                }
                (self.identify)(link)?
            }
            // It is known, and so the person learns what to do; nothing is sent to it: without contacts it speaks after
            // PACE alone, with the number that is printed on it (CAN).
            () if known(self.contactless) => Identity {
                closed: Some(Closed::Contactless),
                ..Identity::default()
            },
            () => return Ok(None),
        };
        Ok(Some(Box::new(Played::new(*self, identity))))
    }
}

/// A card of a profile's family.
struct Played {
    profile: Profile,
    identity: Identity,
    /// By slot: whether its PIN must be changed, as the card said last.
    must_change: Vec<bool>,
    /// By slot and key: what was read, once it was.
    found: Vec<Vec<Option<Vec<Found>>>>,
}

impl Played {
    fn new(profile: Profile, identity: Identity) -> Self {
        let keys = profile.slots.iter().map(|slot| vec![None; slot.keys.len()]);
        Self {
            must_change: vec![false; profile.slots.len()],
            found: keys.collect(),
            profile,
            identity,
        }
    }

    fn slot(&self, slot: usize) -> Result<&'static SlotProfile, CardError> {
        let slot = self.profile.slots.get(slot);
        slot.ok_or_else(|| CardError::Unsupported("this card has no such PIN".to_owned()))
    }

    /// The certificates of a key's record, read the first time they are asked for.
    fn found(&mut self, slot: usize, key: usize, link: &mut Link<'_>) -> Result<Vec<Found>, CardError> {
        let profile = self.slot(slot)?.keys.get(key);
        let cached = self.found.get_mut(slot).and_then(|keys| keys.get_mut(key));
        let (Some(profile), Some(cached)) = (profile, cached) else {
            return Ok(Vec::new());
        };
        let found = match cached {
            Some(found) => found,
            None => cached.insert(locate::certificates(&self.profile, profile, link)?),
        };
        Ok(found.clone())
    }

    /// The key with this name, and what was found of it.
    fn named(
        &mut self,
        slot: usize,
        name: &str,
        link: &mut Link<'_>,
    ) -> Result<(&'static KeyProfile, Found, Key), CardError> {
        for (at, key) in self.slot(slot)?.keys.iter().enumerate() {
            let named = self
                .found(slot, at, link)?
                .into_iter()
                .find(|found| name_of(found) == name);
            if let Some((found, size)) = named.and_then(|found| Key::of(&found.certificate).map(|size| (found, size))) {
                return Ok((key, found, size));
            }
        }
        Err(CardError::Unsupported("this card has no such key".to_owned()))
    }

    /// Refused with its reason where nothing can be done with the card.
    fn usable(&self) -> Result<(), CardError> {
        let closed = self.identity.closed;
        closed.map_or(Ok(()), |why| Err(CardError::Unsupported(why.to_string())))
    }
}

/// A key's name to the agent: its reference, and its file where it has one: references are counted within a file.
fn name_of(found: &Found) -> String {
    let reference = format!("{:02x}", found.reference);
    match &found.file {
        Some(file) => format!("{reference}-{}", hex(file)),
        None => reference,
    }
}

impl Card for Played {
    fn serial(&self) -> Option<String> {
        self.identity.serial.clone()
    }

    fn closed(&self) -> Option<Closed> {
        self.identity.closed
    }

    fn slots(&self) -> Vec<Slot> {
        let slot = |slot: &SlotProfile| Slot {
            pin: slot.pin,
            role: slot.role(),
            pad: pad::can_write(&slot.pin),
            label: slot.pin.name.to_owned(),
        };
        self.profile.slots.iter().map(slot).collect()
    }

    fn pin_status(&mut self, slot: usize, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
        if self.identity.closed.is_some() {
            return Ok(PinStatus::default());
        }
        link.resend_after(self.profile.resend_after);
        let status = counter::status(self.slot(slot)?, &self.identity, link)?;
        if let Some(must_change) = self.must_change.get_mut(slot) {
            *must_change = status.must_change;
        }
        Ok(status)
    }

    fn credentials(&mut self, slot: usize, link: &mut Link<'_>) -> Result<Vec<Credential>, CardError> {
        link.resend_after(self.profile.resend_after);
        self.usable()?;
        let mut credentials = Vec::new();
        for (at, key) in self.slot(slot)?.keys.iter().enumerate() {
            for found in self.found(slot, at, link)? {
                credentials.push(Credential {
                    key: name_of(&found),
                    mechanisms: mechanisms(key, Key::of(&found.certificate), self.identity.version),
                    certificate: found.certificate,
                    intermediates: Vec::new(),
                    role: key.role,
                });
            }
        }
        Ok(credentials)
    }

    fn sign(
        &mut self,
        slot: usize,
        key: &str,
        inputs: &[SignInput],
        pin: PinSource,
        link: &mut Link<'_>,
    ) -> Result<Vec<Vec<u8>>, CardError> {
        link.resend_after(self.profile.resend_after);
        self.usable()?;
        let pin_of = self.slot(slot)?;
        if self.must_change.get(slot) == Some(&true) {
            return Err(CardError::Pin(PinFailure::MustChange));
        }
        let (key, found, size) = self.named(slot, key, link)?;
        let version = self.identity.version;
        let prepared: Result<Vec<_>, _> = inputs.iter().map(|input| prepare(key, size, version, input)).collect();
        let script = Script {
            profile: &self.profile,
            slot: pin_of,
            key,
            found: &found,
            size,
        };
        script.run(&prepared?, pin, link)
    }

    fn management(&self, slot: usize) -> PinManagement {
        if self.identity.closed.is_some() {
            return PinManagement::default();
        }
        let of = |slot: &SlotProfile| PinManagement {
            change: slot.change,
            unblock: slot.unblock.map(|unblock| unblock.puk),
        };
        self.slot(slot).map(of).unwrap_or_default()
    }

    fn change_pin(&mut self, slot: usize, old: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        self.usable()?;
        manage::change(self.slot(slot)?, old, new, link)?;
        self.must_change
            .iter_mut()
            .skip(slot)
            .take(1)
            .for_each(|must| *must = false);
        Ok(())
    }

    fn unblock_pin(&mut self, slot: usize, puk: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        self.usable()?;
        manage::unblock(self.slot(slot)?, puk, new, link)
    }

    fn unblock_status(&mut self, slot: usize, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
        let slot = self.slot(slot)?;
        match slot.unblock {
            Some(unblock) if self.identity.closed.is_none() => counter::of_code(slot, &unblock, link),
            _ => Ok(PinStatus::default()),
        }
    }

    fn details(&mut self, link: &mut Link<'_>) -> Result<Vec<(String, String)>, CardError> {
        let mut details = self.identity.details.clone();
        if let Some(why) = self.identity.closed {
            details.push(("note".to_owned(), why.to_string()));
            return Ok(details);
        }
        if let Some(document) = &self.profile.document {
            let number = number(document, link)?;
            details.extend(number.map(|number| ("document".to_owned(), masked(&number))));
        }
        details.extend(self.profile.note.map(|note| ("note".to_owned(), note.to_owned())));
        Ok(details)
    }
}

/// The number on the card; `None` where the card does not give it.
fn number(document: &Document, link: &mut Link<'_>) -> Result<Option<String>, CardError> {
    match select::file(link, document.at) {
        Ok(Some(_)) => (),
        Ok(None) | Err(CardError::Refused(..)) => return Ok(None),
        Err(other) => return Err(other),
    }
    let file = match locate::parts(link, document.length, document.length) {
        Ok(file) => file,
        Err(CardError::Refused(..)) => return Ok(None),
        Err(other) => return Err(other),
    };
    let octets = match document.octets_at {
        Some(at) => file.get(at..).and_then(|object| tlv::find(object, &[0x04])),
        None => Some(file.as_slice()),
    };
    let text = octets.map(String::from_utf8_lossy);
    let shown = text.map(|text| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    Ok(shown.filter(|text| !text.is_empty()))
}

/// The last four characters, of a short one fewer: enough to tell two cards of a drawer apart.
pub(in crate::token::card) fn masked(number: &str) -> String {
    let length = number.chars().count();
    let last: String = number.chars().skip(length - length.div_ceil(2).min(4)).collect();
    format!("•••• {last}")
}
