//! Strict transcripts, written from the standard.

#![allow(clippy::unwrap_used)]

mod cards;
mod pins;
mod reading;
mod selection;
mod signing;

use std::fmt::Write;

use fixtures::card::kit::{Purpose, certify};
use fixtures::pki::{Issued, KeyKind, TestPki};
use plugin_protocol::HashFunction::{self, Sha256};
use plugin_protocol::api::SignatureScheme::{self, Ecdsa};
use plugin_protocol::encoding::hex;

use super::*;
use crate::token::SignData;
use crate::token::card::testing::{Script, pin, unhex};
use crate::token::card::transport::Protocol::{self, T1};

const SELECT: &str = "> 00A4040009 A00000030800001000 00\n";
/// SELECT with the version.
const SELECT_WHOLE: &str = "> 00A404000B A000000308000010000100 00\n";
/// SELECT as a card answers it that follows the standard.
const SELECTED: &str = "> 00A4040009 A00000030800001000 00\n\
    < 61 11 4F06 000010000100 79 07 4F05 A000000308 9000\n";
const CONTACT: &[u8] = &[0x3B, 0x00];
/// `3B 8x 80 01 …`.
const CONTACTLESS: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];

/// BER-TLV by hand.
fn ber(tag: &str, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        short @ 0..=127 => vec![short as u8],
        long @ 128..=255 => vec![0x81, long as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [unhex(tag), length, value.to_vec()].concat()
}

fn certificate_object(value: &[u8], info: u8) -> Vec<u8> {
    let inside = [ber("70", value), vec![0x71, 1, info], vec![0xFE, 0]].concat();
    ber("53", &inside)
}

/// A command and its answer, which goes on with GET RESPONSE where it is long.
fn step(command: &str, answer: &[u8]) -> String {
    let mut text = format!("> {command}\n");
    let mut chunks = answer.chunks(256).peekable();
    while let Some(chunk) = chunks.next() {
        match chunks.peek() {
            Some(next) => {
                let left = if next.len() == 256 { 0 } else { next.len() };
                let _ = write!(text, "< {} 61{left:02X}\n> 00C00000{left:02X}\n", hex(chunk));
            }
            None => {
                let _ = writeln!(text, "< {} 9000", hex(chunk));
            }
        }
    }
    text
}

fn get(tag: &str, answer: &[u8]) -> String {
    step(&format!("00CB3FFF 05 5C03{tag} 00"), answer)
}

/// A card that answered nothing special when it was opened.
fn card() -> PivCard {
    PivCard {
        aid: &AID,
        policy: PinPolicy::Application,
        chuid: Chuid::default(),
        contactless: false,
        takes_no_pin: false,
    }
}

fn with<T>(protocol: Protocol, text: &str, work: impl FnOnce(&mut Link<'_>) -> T) -> T {
    let mut script = Script::new(protocol, text);
    work(&mut Link::new(&mut script))
}

fn opened(atr: &[u8], text: &str) -> Option<Box<dyn Card>> {
    with(T1, text, |link| Piv.open(atr, link)).unwrap()
}

fn issued(purpose: Purpose, kind: KeyKind) -> Issued {
    certify(&TestPki::new(), "Иванова Анна", purpose, kind)
}

fn input(scheme: SignatureScheme, hash: HashFunction, message: &[u8]) -> SignInput {
    SignInput {
        scheme,
        hash,
        data: SignData::Message(message.to_vec()),
    }
}

fn typed(digits: &str) -> PinSource {
    PinSource::Typed(pin(digits))
}

const DISCOVER: &str = "> 00CB3FFF 03 5C017E 00\n";
const NO_CHUID: &str = "> 00CB3FFF 05 5C035FC102 00\n< 6A82\n";

#[test]
fn the_application_is_known_by_what_its_selection_names() {
    let name = |fci: &str| format!("{SELECT}< {fci} 9000\n");
    let template = |inside: &str| hex(&ber("61", &unhex(inside)));
    let discovery = format!("{DISCOVER}< 7E 12 4F0B A000000308000010000100 5F2F 02 4000 9000\n");
    for fci in [
        // The PIX; the whole AID of early cards; Giesecke & Devrient's.
        template("4F06 000010000100 7907 4F05 A000000308"),
        template("4F0B A000000308000010000100 7907 4F05 A000000308"),
        template("4F09 A00000030800100001"),
        // With a label, an address and the algorithms of secure messaging.
        template("4F06 000010000100 7907 4F05 A000000308 5003 504956 5F50 03 687474 AC06 800127 060100"),
        // Nothing: the discovery object tells.
        String::new(),
    ] {
        let text = format!("{}{discovery}{NO_CHUID}", name(&fci));
        assert!(opened(CONTACT, &text).is_some(), "{fci}");
    }
    for other in ["61 08 4F06 000020000100", "6F 09 8407 A0000002471001"] {
        assert!(opened(CONTACT, &name(other)).is_none(), "{other}");
    }
    for refusal in ["6A81", "6D00", "6999"] {
        assert!(opened(CONTACT, &format!("{SELECT}< {refusal}\n")).is_none());
    }
    // No such application: with its version neither, and nothing more is asked.
    for refusal in ["6A82", "6D00"] {
        let text = format!("{SELECT}< 6A82\n{SELECT_WHOLE}< {refusal}\n");
        assert!(opened(CONTACT, &text).is_none());
    }
    // Warnings (ISO/IEC 7816-4, table 6): it is selected, and what of it is closed it says when it is asked.
    for warning in ["6283", "6285"] {
        let select = format!("{SELECT}< 6108 4F06 000010000100 {warning}\n");
        let counter = format!("{select}> 00200080\n< 63C3\n");
        let mut card = opened(CONTACT, &format!("{select}{DISCOVER}< 6A82\n{NO_CHUID}")).unwrap();
        let status = with(T1, &counter, |link| card.pin_status(0, link)).unwrap();
        assert_eq!(status.tries_left, Some(3), "{warning}");
    }
    assert_eq!(Piv.recognise(CONTACT), Recognition::Possible);
}

#[test]
fn the_policy_says_which_pin_opens_the_keys() {
    for (policy, reference) in [
        ("4000", 0x80),
        ("4010", 0x80),
        ("6010", 0x80),
        ("6020", 0x00),
        ("6820", 0x00),
        ("6000", 0x80),
        ("2000", 0x00),
    ] {
        for object in [
            format!("7E 12 4F0B A000000308000010000100 5F2F 02 {policy}"),
            format!("53 14 7E 12 4F0B A000000308000010000100 5F2F 02 {policy}"),
        ] {
            let text = format!("{SELECTED}{DISCOVER}< {object} 9000\n{NO_CHUID}");
            let card = opened(CONTACT, &text).unwrap();
            assert_eq!(card.slots()[0].pin.reference, reference, "{object}");
            let unblocks = card.management(0).unblock.is_some();
            assert_eq!(unblocks, reference == 0x80);
        }
    }
    let text = format!("{SELECTED}{DISCOVER}< 6A82\n{NO_CHUID}");
    let card = opened(CONTACT, &text).unwrap();
    assert_eq!(card.slots()[0].pin.reference, 0x80);
    assert_eq!(
        (card.serial(), card.slots().len(), card.slots()[0].role),
        (None, 1, None)
    );
}

#[test]
fn cards_are_told_apart_by_their_chuid_and_show_its_end_alone() {
    let fasc_n = "D4E739DA739CED39CE739D836858210842108421C84210C3EB";
    let guid = "00112233445566778899AABBCCDDEEFF";
    let chuid = |guid: &str| {
        let inside = unhex(&format!("3019{fasc_n} 3410{guid} 3508 3230333031323331 3E00 FE00"));
        get("5FC102", &ber("53", &inside))
    };
    let open = |guid: &str| {
        let text = format!("{SELECTED}{DISCOVER}< 6A82\n{}", chuid(guid));
        opened(CONTACT, &text).unwrap()
    };
    let mut card = open(guid);
    assert_eq!(card.serial().unwrap(), guid.to_lowercase());
    let details = with(T1, "", |link| card.details(link)).unwrap();
    let expected = [("card UUID", "•••• eeff"), ("expires", "2030-12-31")];
    assert_eq!(
        details,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let card = open("00000000000000000000000000000000");
    assert_eq!(card.serial().unwrap(), fasc_n.to_lowercase());
}

#[test]
fn without_contacts_what_is_closed_is_said_to_be_closed() {
    let text = format!("{SELECTED}{DISCOVER}< 6A82\n{NO_CHUID}");
    let inputs = [input(Ecdsa, Sha256, b"m")];
    let contacts = |error: CardError| matches!(&error, CardError::Unsupported(why) if why.contains("with contacts"));
    let mut card = opened(CONTACTLESS, &text).unwrap();
    let counter = format!("{SELECTED}> 00200080\n< 6982\n");
    assert!(contacts(
        with(T1, &counter, |link| card.pin_status(0, link)).unwrap_err()
    ));
    assert_eq!(card.closed(), Some(Closed::Contactless));
    // Before anybody types one.
    assert!(contacts(with(T1, "", |link| card.credentials(0, link)).unwrap_err()));
    let mut card = opened(CONTACTLESS, &text).unwrap();
    let verify = format!("{SELECTED}> 00200080 08 313233343536FFFF\n< 6982\n");
    let signed = with(T1, &verify, |link| {
        card.sign(0, "9A/11", &inputs, typed("123456"), link)
    });
    assert!(contacts(signed.unwrap_err()));
    let read = format!("{SELECTED}> 00CB3FFF 05 5C035FC105 00\n< 6982\n");
    assert!(contacts(with(T1, &read, |link| card.credentials(0, link)).unwrap_err()));
    // The same word of a card with contacts is no news of its interface.
    let mut card = opened(CONTACT, &text).unwrap();
    let both = format!("{read}> 00CB3FFF 05 5C035FC10A 00\n< 6A82\n");
    let read = with(T1, &both, |link| card.credentials(0, link));
    assert!(matches!(read, Err(CardError::Refused(_, Status(0x6982)))));
}
