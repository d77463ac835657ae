//! What a card tells of its PINs without being given one.

use super::super::apdu::{Command, Le, Link};
use super::super::error::CardError;
use super::super::pin::{PinSpec, PinStatus};
use super::super::tlv;
use super::{Counter, Identity, SlotProfile, Unblock, select};

/// Asks for a slot's tries. A card that does not say leaves them open; it is no error.
pub(super) fn status(slot: &SlotProfile, identity: &Identity, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    select::go(link, slot.pin_at)?;
    let told = match slot.counter {
        Counter::Ias => ias(&slot.pin, link)?,
        Counter::Thales { transport_flag } => thales(&slot.pin, transport_flag, link)?,
        Counter::EmptyVerify => tries(&slot.pin.query(), link)?,
        Counter::Own(ask) => ask(identity, &slot.pin, link)?,
    };
    Ok(PinStatus {
        tries_max: told.tries_max.or(slot.tries_max),
        ..told
    })
}

/// Asks for the tries of the code that unblocks a slot's PIN, where the family's way of asking is free for any of them.
pub(super) fn of_code(slot: &SlotProfile, unblock: &Unblock, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    match slot.counter {
        Counter::Ias => {
            select::go(link, unblock.puk_at)?;
            ias(&unblock.puk, link)
        }
        Counter::Thales { .. } => {
            select::go(link, unblock.puk_at)?;
            thales(&unblock.puk, false, link)
        }
        Counter::EmptyVerify | Counter::Own(_) => Ok(PinStatus::default()),
    }
}

/// `70 { BF81xx { A0 { 9A maximum, 9B left } } }`; the reference is masked to its number.
fn ias(pin: &PinSpec, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    let number = pin.reference & 0x0F;
    let wanted = [0x4D, 0x08, 0x70, 0x06, 0xBF, 0x81, number, 0x02, 0xA0, 0x80];
    let answer = get_data(link, 0x3F, &wanted)?;
    let counters = tlv::find(&answer, &[0x70, 0xBF_8100 | u32::from(number), 0xA0]).unwrap_or_default();
    let of = |tag| tlv::find(counters, &[tag]).and_then(|value| value.first().copied());
    Ok(PinStatus {
        tries_left: of(0x9B),
        tries_max: of(0x9A),
        must_change: false,
    })
}

/// `A0 { 83 reference, DF21 left …, DF2F transport value }`.
fn thales(pin: &PinSpec, transport_flag: bool, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    let answer = get_data(link, 0x00, &[0xA0, 0x03, 0x83, 0x01, pin.reference])?;
    let of = |tag| tlv::find(&answer, &[0xA0, tag]).and_then(|value| value.first().copied());
    Ok(PinStatus {
        tries_left: of(0xDF21),
        tries_max: None,
        must_change: transport_flag && of(0xDF2F) == Some(0),
    })
}

/// GET DATA with an odd instruction (ISO/IEC 7816-4, 11.4.3); nothing where the card refuses it.
fn get_data(link: &mut Link<'_>, p1: u8, wanted: &[u8]) -> Result<Vec<u8>, CardError> {
    let answer = link.send(&Command::new(0x00, 0xCB, p1, 0xFF).with(wanted).wanting(Le::Max))?;
    match answer.status.is_ok() {
        true => Ok(answer.data),
        false => Ok(Vec::new()),
    }
}

/// VERIFY without data, in five bytes: `00 20 00 <reference> 00`.
///
/// For families whose documents say that it spends no try.
pub(in crate::token::card) fn empty_verify(pin: &PinSpec, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    tries(&pin.query().wanting(Le::Max), link)
}

/// The tries that were left after a wrong PIN whose answer told none, where asking is free wherever the card stands.
pub(super) fn after_wrong(slot: &SlotProfile, link: &mut Link<'_>) -> Option<u8> {
    match slot.counter {
        Counter::EmptyVerify => tries(&slot.pin.query(), link).ok()?.tries_left,
        Counter::Ias | Counter::Thales { .. } | Counter::Own(_) => None,
    }
}

fn tries(query: &Command, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    let answer = link.send(query)?;
    let tries_left = match answer.status.0 {
        status @ 0x63C0..=0x63CF => Some((status & 0x0F) as u8),
        0x6983 | 0x6984 => Some(0),
        // 9000: it is verified already, and no number is told.
        _ => None,
    };
    Ok(PinStatus {
        tries_left,
        ..PinStatus::default()
    })
}
