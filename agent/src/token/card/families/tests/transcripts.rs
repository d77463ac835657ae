//! The recipes of the data sheet, step by step: what is sent is what it prints, and nothing else. Here is what the
//! families have in common.

use std::fmt::Write;

use fixtures::pki::KeyKind;
use plugin_protocol::HashFunction::Sha384;
use plugin_protocol::api::SignatureScheme::Ecdsa;
use plugin_protocol::encoding::hex;

use super::super::super::transport::Protocol::T1;
use super::*;

mod esteid;
mod finid;
mod latid;

const MAIN: &str = "# the main application\n> 00A4040C10 A000000077010800070000FE00000100\n< 9000\n";
const AWP: &str = "# ADF1\n> 00A4040C0D E828BD080FF2504F5420415750\n< 9000\n";
const QSCD: &str = "# ADF2\n> 00A4040C10 51534344204170706C69636174696F6E\n< 9000\n";
const PKCS15: &str = "# the application PKCS-15\n> 00A4040C0C A000000063504B43532D3135\n< 9000\n";
const PIN1: &str = "31323334FFFFFFFFFFFFFFFF";
const PIN1_ZEROS: &str = "313233340000000000000000";

/// Opens the card of a family and does `what` to it; the transcript holds the whole of it.
pub(super) fn play<T>(
    id: &str,
    atr: &str,
    protocol: Protocol,
    transcript: &str,
    what: impl FnOnce(&mut dyn Card, &mut Link<'_>) -> T,
) -> T {
    let mut script = Script::new(protocol, transcript);
    let mut link = Link::new(&mut script);
    let mut card = family(id).open(&unhex(atr), &mut link).unwrap().unwrap();
    what(&mut *card, &mut link)
}

fn atr(id: &str) -> &'static str {
    ANSWERS.iter().find(|(family, _)| *family == id).unwrap().1
}

/// READ BINARY of a whole file: parts of `chunk`, the last exact; 256 is written as zero.
pub(super) fn reading(file: &[u8], from: usize, chunk: usize) -> String {
    let mut text = String::from("# its bytes\n");
    for (at, part) in file.chunks(chunk).enumerate() {
        let (offset, length) = (from + at * chunk, part.len() as u8);
        let _ = write!(text, "> 00B0{offset:04X}{length:02X}\n< {}9000\n", hex(part));
    }
    text
}

/// SELECT of a file whose control parameters tell its length in `tag`, over T=1.
fn file(command: &str, tag: &str, bytes: &[u8], chunk: usize) -> String {
    let select = format!("# the file\n> {command}\n< 6204{tag}02{:04X}9000\n", bytes.len());
    select + &reading(bytes, 0, chunk)
}

/// The signature a script's card makes up.
fn made_up(length: usize) -> String {
    "5A".repeat(length)
}

#[test]
fn pins_are_unblocked_in_the_form_of_each_family() {
    let transcript = format!(
        "{MAIN}
        # the PUK where it is known, then PIN2's folder
        > 002000020C 3132333435363738FFFFFFFF
        < 9000
        {QSCD}
        > 002C02850C 3534333231FFFFFFFFFFFFFF
        < 9000
        {MAIN}
        > 002000020C 3837363534333231FFFFFFFF
        < 63C1"
    );
    play("esteid-idemia", atr("esteid-idemia"), T1, &transcript, |card, link| {
        assert_eq!(card.management(1).unblock.unwrap().name, "PUK");
        card.unblock_pin(1, pin("12345678"), pin("54321"), link).unwrap();
        let short = card.unblock_pin(1, pin("12345678"), pin("4321"), link);
        assert_eq!(
            short,
            Err(CardError::Pin(PinFailure::Length(5, 12))),
            "nothing was sent"
        );
        let wrong = card.unblock_pin(0, pin("87654321"), pin("4321"), link);
        assert_eq!(wrong, Err(CardError::Pin(PinFailure::Wrong(Some(1)))));
    });
    let transcript = format!(
        "{PKCS15}
        > 002C001118 313233343536373800000000 343332310000000000000000
        < 9000
        > 0024001118 343332310000000000000000 343332310000000000000000
        < 6985"
    );
    play("finid-v4", atr("finid-v4"), T1, &transcript, |card, link| {
        card.unblock_pin(0, pin("12345678"), pin("4321"), link).unwrap();
        let same = card.change_pin(0, pin("4321"), pin("4321"), link);
        assert_eq!(same, Err(CardError::Pin(PinFailure::NewRefused)));
    });
}

#[test]
fn the_readers_keys_are_asked_for_each_signature() {
    let two = certificate(KeyKind::P384);
    let sign = format!(
        "> 002241B606 80015484019F\n< 9000\n> 002A9E9A30 {} 00\n< {} 9000\n",
        hex(&Sha384.digest(b"m")),
        made_up(96)
    );
    let transcript = MAIN.to_owned() + &file("00A4090404ADF2341F00", "80", &two, 0xC0) + QSCD + &sign;
    let mut script = Script::new(T1, &transcript).with_pad([0x90, 0x00]);
    let mut link = Link::new(&mut script);
    let family = family("esteid-idemia");
    let mut card = family.open(&unhex(atr("esteid-idemia")), &mut link).unwrap().unwrap();
    let (key, _) = credential(&mut *card, 1, &mut link);
    let signed = card.sign(1, &key, &[message(Ecdsa, Sha384, "m")], PinSource::Pad, &mut link);
    assert_eq!(signed.unwrap().len(), 1);
}

#[test]
fn what_the_documents_do_not_know_is_told_and_nothing_is_guessed() {
    let read = |answer: &str| format!("{MAIN}> 00A4090404 ADF13401 00\n< {answer}\n");
    let credentials = |transcript: &str| {
        play("esteid-idemia", atr("esteid-idemia"), T1, transcript, |card, link| {
            card.credentials(0, link)
        })
    };
    // No such file: no certificate.
    assert_eq!(credentials(&read("6A82")), Ok(Vec::new()));
    for (answer, behind) in [
        // No length; a length that no card has.
        ("6200 9000", ""),
        ("6205 8003FFFFFF 9000", ""),
        // No certificate; a certificate that is cut off.
        ("6204 80020004 9000", "> 00B0000004\n< DEADBEEF 9000"),
        ("6204 80020004 9000", "> 00B0000004\n< 308204D2 9000"),
    ] {
        let error = credentials(&(read(answer) + behind)).unwrap_err();
        assert!(matches!(error, CardError::Malformed(..)), "{answer}: {error:?}");
    }
    let empty = credentials(&(read("6204 80020004 9000") + "> 00B0000004\n< 00000000 9000"));
    assert_eq!(empty, Ok(Vec::new()));
    let refused = credentials(&(read("6204 80020004 9000") + "> 00B0000004\n< 6982"));
    assert!(matches!(refused, Err(CardError::Refused("READ BINARY", _))));
}
