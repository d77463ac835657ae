//! Strict transcripts, written from the standard.

#![allow(clippy::unwrap_used)]

mod cards;
mod selection;

use std::fmt::Write;
use std::io::Write as _;

use fixtures::card::kit::{CardKey, Purpose, RsaPadding, certify};
use fixtures::pki::{Issued, KeyKind, TestPki};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use plugin_protocol::HashFunction::{self, Sha256, Sha384};
use plugin_protocol::api::SignatureScheme::{self, Ecdsa, RsaPkcs1, RsaPss};
use plugin_protocol::encoding::hex;

use super::*;
use crate::certificate::Role;
use crate::proof::verify_own;
use crate::token::SignData;
use crate::token::card::testing::{Script, pin, unhex};
use crate::token::card::transport::Protocol::{self, T0, T1};

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
fn tries_are_told_without_spending_one() {
    for (answer, left) in [
        ("63C3", Some(3)),
        ("63C0", Some(0)),
        ("6303", Some(3)),
        ("6983", Some(0)),
        // Verified already in another program's session; or the question is unknown.
        ("9000", None),
        ("6700", None),
        ("6D00", None),
    ] {
        let text = format!("{SELECTED}> 00200080\n< {answer}\n");
        let status = with(T1, &text, |link| card().pin_status(0, link)).unwrap();
        assert_eq!(status.tries_left, left, "{answer}");
        assert!(!status.must_change);
    }
}

#[test]
fn certificates_are_read_plain_and_compressed_and_their_keys_named() {
    let kinds = [
        (KeyKind::P256, "9A/11", 3),
        (KeyKind::P384, "9A/14", 3),
        (KeyKind::Rsa2048, "9A/07", 6),
        (KeyKind::Rsa3072, "9A/05", 6),
        (KeyKind::Rsa1024, "9A", 0),
        (KeyKind::P521, "9A", 0),
    ];
    for (kind, key, mechanisms) in kinds {
        let der = issued(Purpose::Authentication, kind).certificate;
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(&der).unwrap();
        let signing = issued(Purpose::Signature, KeyKind::P256).certificate;
        for object in [
            certificate_object(&der, 0),
            certificate_object(&gz.finish().unwrap(), 1),
        ] {
            let text = [
                SELECTED.to_owned(),
                get("5FC105", &object),
                get("5FC10A", &certificate_object(&signing, 0)),
            ];
            let read = with(T1, &text.concat(), |link| card().credentials(0, link)).unwrap();
            let [first, second] = read.try_into().unwrap();
            assert_eq!((first.key.as_str(), first.mechanisms.len()), (key, mechanisms));
            assert_eq!(
                (first.role, second.role),
                (Some(Role::Authentication), Some(Role::Signing))
            );
            assert_eq!((first.certificate, second.key.as_str()), (der.clone(), "9C/11"));
        }
    }
}

#[test]
fn what_is_empty_or_no_certificate_costs_only_itself() {
    let der = issued(Purpose::Signature, KeyKind::P256).certificate;
    let there = get("5FC10A", &certificate_object(&der, 0));
    for empty in [
        "< 6A82",
        "< 6A88",
        "< 5300 9000",
        "< 9000",
        "< 5307 7000 710100 FE00 9000",
        // Kept back: the other object is open all the same.
        "< 6982",
        "< 6985",
        // No certificate; no DER either; torn; without its template.
        "< 5309 7002 3000 710100 FE00 9000",
        "< 5309 7002 4200 710100 FE00 9000",
        "< 5305 7009 300071 9000",
        "< 7002 3000 9000",
    ] {
        let text = format!("{SELECTED}> 00CB3FFF 05 5C035FC105 00\n{empty}\n{there}");
        let read = with(T1, &text, |link| card().credentials(0, link)).unwrap();
        assert_eq!((read.len(), read[0].key.as_str()), (1, "9C/11"), "{empty}");
    }
    // Where nothing else is there, what is wrong with it is said.
    let text = format!(
        "{SELECTED}> 00CB3FFF 05 5C035FC105 00\n< 5305 7009 300071 9000\n> 00CB3FFF 05 5C035FC10A 00\n< 6A82\n"
    );
    let read = with(T1, &text, |link| card().credentials(0, link));
    assert!(matches!(read, Err(CardError::Malformed(..))), "{read:?}");
}

#[test]
fn compressed_certificates_are_bounded_and_told_by_what_they_are() {
    let der = issued(Purpose::Authentication, KeyKind::P256).certificate;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&der).unwrap();
    let zlib = zlib.finish().unwrap();
    let net_id = [
        vec![1, 0],
        vec![(der.len() % 256) as u8, (der.len() / 256) as u8],
        zlib.clone(),
    ]
    .concat();
    // Whatever CertInfo says: plain, zlib, Net iD's.
    for (value, info) in [(&der, 1), (&zlib, 1), (&net_id, 1), (&zlib, 0)] {
        assert_eq!(
            certificate::read(&certificate_object(value, info)),
            Ok(Some(der.clone()))
        );
    }
    // Filled to the container's size, outside and inside the compression.
    let filled = [&der[..], &[0; 40]].concat();
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(&filled).unwrap();
    for (value, info) in [(&filled, 0), (&gz.finish().unwrap(), 1)] {
        let read = certificate::read(&certificate_object(value, info));
        assert_eq!(read, Ok(Some(der.clone())));
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0x30; 50 << 20]).unwrap();
    let bomb = certificate_object(&bomb.finish().unwrap(), 1);
    assert!(matches!(certificate::read(&bomb), Err(CardError::Malformed(..))));
    for torn in [&[0x1F, 0x8B, 8][..], &[0x1F, 0x8B], &[0x78], &[0x42; 20], &zlib[..40]] {
        let read = certificate::read(&certificate_object(torn, 1));
        assert!(matches!(read, Err(CardError::Malformed(..))), "{torn:02X?}");
    }
}

#[test]
fn a_p256_key_authenticates_after_one_verify() {
    let issued = issued(Purpose::Authentication, KeyKind::P256);
    let key = CardKey::new(&issued.key);
    let digest = Sha256.digest(b"statement");
    let der = key.ecdsa_der(&digest).unwrap();
    let answer = hex(&ber("7C", &ber("82", &der)));
    for (protocol, le) in [(T1, "00"), (T0, "")] {
        let text = format!(
            "# the application\n> 00A4040009 A00000030800001000 {le}\n< 6108\n> 00C0000008\n< 6106 4F04 00001000 9000\n\
             # the PIN, filled with FF\n> 00200080 08 313233343536FFFF\n< 9000\n\
             # the digest under 9A\n> 0087119A 26 7C24 8200 8120 {} {le}\n< 6148\n> 00C0000048\n< {answer} 9000\n",
            hex(&digest)
        );
        let input = input(Ecdsa, Sha256, b"statement");
        let inputs = std::slice::from_ref(&input);
        let signed = with(protocol, &text, |link| {
            card().sign(0, "9A/11", inputs, typed("123456"), link)
        });
        let [signature] = signed.unwrap().try_into().unwrap();
        assert_eq!(signature.len(), 64);
        verify_own(&issued.certificate, Ecdsa, Sha256, &input.data, &signature).unwrap();
    }
}

#[test]
fn a_p384_key_takes_a_short_digest_filled_to_its_field() {
    let issued = issued(Purpose::Authentication, KeyKind::P384);
    let key = CardKey::new(&issued.key);
    for hash in [Sha384, Sha256] {
        let digest = [vec![0; 48 - hash.length()], hash.digest(b"m")].concat();
        let answer = ber("7C", &ber("82", &key.ecdsa_der(&digest).unwrap()));
        let text = format!(
            "{SELECTED}> 00200080 08 3132333435363738\n< 9000\n> 0087149A 36 7C34 8200 8130 {} 00\n< {} 9000\n",
            hex(&digest),
            hex(&answer)
        );
        let input = input(Ecdsa, hash, b"m");
        let inputs = std::slice::from_ref(&input);
        let signed = with(T1, &text, |link| {
            card().sign(0, "9A/14", inputs, typed("12345678"), link)
        });
        verify_own(&issued.certificate, Ecdsa, hash, &input.data, &signed.unwrap()[0]).unwrap();
    }
}

#[test]
fn rsa_blocks_are_padded_here_and_chained() {
    let issued = issued(Purpose::Authentication, KeyKind::Rsa2048);
    let key = CardKey::new(&issued.key);
    let info = [unhex("3031300D060960864801650304020105000420"), Sha256.digest(b"m")].concat();
    let block = [vec![0, 1], vec![0xFF; 256 - 3 - info.len()], vec![0], info].concat();
    let body = [unhex("7C820106 8200 81820100"), block.clone()].concat();
    let signature = key.rsa(RsaPadding::None, &block).unwrap();
    let answer = [unhex("7C820104 82820100"), signature].concat();
    let text = format!(
        "{SELECTED}> 00200080 08 313233343536FFFF\n< 9000\n\
         > 1087079A FF {}\n< 9000\n> 0087079A 0B {} 00\n< {} 6108\n> 00C0000008\n< {} 9000\n",
        hex(&body[..255]),
        hex(&body[255..]),
        hex(&answer[..256]),
        hex(&answer[256..])
    );
    let input = input(RsaPkcs1, Sha256, b"m");
    let inputs = std::slice::from_ref(&input);
    let signed = with(T1, &text, |link| card().sign(0, "9A/07", inputs, typed("123456"), link));
    verify_own(&issued.certificate, RsaPkcs1, Sha256, &input.data, &signed.unwrap()[0]).unwrap();
}

/// The salt is fresh each time: the block is made, signed by the card's key, and verified.
#[test]
fn pss_blocks_verify_with_the_certificate() {
    for kind in [KeyKind::Rsa2048, KeyKind::Rsa3072] {
        let issued = issued(Purpose::Authentication, kind);
        let card_key = CardKey::new(&issued.key);
        let name = if kind == KeyKind::Rsa2048 { "9A/07" } else { "9A/05" };
        let key: Key = name.parse().unwrap();
        for hash in [Sha256, Sha384] {
            let input = input(RsaPss, hash, b"m");
            let block = key.input(&input).unwrap();
            let made = card_key.rsa(RsaPadding::None, &block).unwrap();
            let signature = key.signature(&ber("7C", &ber("82", &made))).unwrap();
            verify_own(&issued.certificate, RsaPss, hash, &input.data, &signature).unwrap();
        }
    }
}

fn two_documents(reference: &str, between: &str) -> String {
    let answer = "7C0A 8208 3006 020101 020102 9000";
    let sign = |message: &[u8]| {
        format!(
            "> 008711{reference} 26 7C24 8200 8120 {} 00\n< {answer}\n",
            hex(&Sha256.digest(message))
        )
    };
    let verify = "> 00200080 08 313233343536FFFF\n< 9000\n";
    format!("{SELECTED}{verify}{}{between}{}", sign(b"one"), sign(b"two"))
}

#[test]
fn the_signature_key_is_given_the_pin_directly_before_each_use() {
    let inputs = [input(Ecdsa, Sha256, b"one"), input(Ecdsa, Sha256, b"two")];
    let again = "> 00200080 08 313233343536FFFF\n< 9000\n";
    for (key, text) in [
        ("9C/11", two_documents("9C", again)),
        ("9A/11", two_documents("9A", "")),
    ] {
        let signed = with(T1, &text, |link| card().sign(0, key, &inputs, typed("123456"), link));
        assert_eq!(signed.unwrap().len(), 2);
    }
}

#[test]
fn a_wrong_pin_ends_it_and_one_of_a_wrong_form_is_not_sent() {
    let inputs = [input(Ecdsa, Sha256, b"m")];
    for (answer, failure) in [
        ("63C2", PinFailure::Wrong(Some(2))),
        ("6301", PinFailure::Wrong(Some(1))),
        ("63C0", PinFailure::Blocked),
        ("6983", PinFailure::Blocked),
        ("6A80", PinFailure::Form),
        ("6700", PinFailure::Form),
    ] {
        let text = format!("{SELECTED}> 00200080 08 363534333231FFFF\n< {answer}\n");
        let signed = with(T1, &text, |link| {
            card().sign(0, "9C/11", &inputs, typed("654321"), link)
        });
        assert_eq!(signed, Err(CardError::Pin(failure)), "{answer}");
    }
    for (digits, failure) in [
        ("12345", PinFailure::Length(6, 8)),
        ("123456789", PinFailure::Length(6, 8)),
        ("12345a", PinFailure::Format),
    ] {
        let signed = with(T1, "", |link| card().sign(0, "9C/11", &inputs, typed(digits), link));
        assert_eq!(signed, Err(CardError::Pin(failure)));
    }
    // Nor is anything sent for what the key cannot make.
    for (key, scheme) in [("9C/11", RsaPkcs1), ("9A/07", Ecdsa), ("9A", RsaPkcs1)] {
        let inputs = [input(scheme, Sha256, b"m")];
        let signed = with(T1, "", |link| card().sign(0, key, &inputs, typed("123456"), link));
        assert!(matches!(signed, Err(CardError::Unsupported(_))));
    }
}

#[test]
fn a_pin_is_typed_on_the_reader_where_it_can_be() {
    let text = format!("{SELECTED}> 0087119A ..\n< 7C0A 8208 3006 020101 020102 9000\n");
    let inputs = [input(Ecdsa, Sha256, b"m")];
    for (answer, expected) in [
        ([0x90, 0x00], Ok(1)),
        ([0x64, 0x01], Err(CardError::Pin(PinFailure::PadCancelled))),
    ] {
        let text = if expected.is_ok() { text.as_str() } else { SELECTED };
        let mut script = Script::new(T1, text).with_pad(answer);
        let mut link = Link::new(&mut script);
        let signed = card().sign(0, "9A/11", &inputs, PinSource::Pad, &mut link);
        assert_eq!(signed.map(|signed| signed.len()), expected);
    }
}

#[test]
fn what_the_card_refuses_after_the_pin_is_said_in_words() {
    let inputs = [input(Ecdsa, Sha256, b"m")];
    for (answer, words) in [
        ("6982", "touched"),
        ("6A80", "9C"),
        ("6A86", "9C"),
        ("6A88", "no key 9C"),
    ] {
        let text = format!("{SELECTED}> 00200080 08 313233343536FFFF\n< 9000\n> 0087119C ..\n< {answer}\n");
        let signed = with(T1, &text, |link| {
            card().sign(0, "9C/11", &inputs, typed("123456"), link)
        });
        assert!(
            matches!(&signed, Err(CardError::Unsupported(why)) if why.contains(words)),
            "{answer}: {signed:?}"
        );
    }
    for answer in ["9000", "7C02 8200 9000", "7C0A 8208 3006 020101 0201 9000", "00 9000"] {
        let text = format!("{SELECTED}> 00200080 08 313233343536FFFF\n< 9000\n> 0087119C ..\n< {answer}\n");
        let signed = with(T1, &text, |link| {
            card().sign(0, "9C/11", &inputs, typed("123456"), link)
        });
        assert!(matches!(signed, Err(CardError::Malformed(..))), "{answer}: {signed:?}");
    }
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

#[test]
fn a_pin_is_changed_and_unblocked_by_one_command() {
    let change = "> 00240080 10 313233343536FFFF 3635343332313039\n";
    let unblock = "> 002C0080 10 3132333435363738 3635343332313039\n";
    for (answer, expected) in [
        ("9000", Ok(())),
        ("63C1", Err(PinFailure::Wrong(Some(1)))),
        ("6983", Err(PinFailure::Blocked)),
        ("6A80", Err(PinFailure::NewRefused)),
        ("6985", Err(PinFailure::NewRefused)),
    ] {
        let expected = expected.map_err(CardError::Pin);
        let (old, puk, new) = (|| pin("123456"), || pin("12345678"), || pin("65432109"));
        let text = format!("{SELECTED}{change}< {answer}\n");
        let changed = with(T1, &text, |link| card().change_pin(0, old(), new(), link));
        assert_eq!(changed, expected);
        let text = format!("{SELECTED}{unblock}< {answer}\n");
        let unblocked = with(T1, &text, |link| card().unblock_pin(0, puk(), new(), link));
        assert_eq!(unblocked, expected);
    }
    // What is known beforehand costs nothing.
    for (old, new, failure) in [
        ("123456", "123456", PinFailure::NewRefused),
        ("123456", "1234", PinFailure::Length(6, 8)),
        ("12345", "654321", PinFailure::Length(6, 8)),
        ("123456", "6543 1", PinFailure::Format),
    ] {
        let changed = with(T1, "", |link| card().change_pin(0, pin(old), pin(new), link));
        assert_eq!(changed, Err(CardError::Pin(failure)));
    }
    let mut global = PivCard {
        policy: PinPolicy::Global,
        ..card()
    };
    let unblocked = with(T1, "", |link| {
        global.unblock_pin(0, pin("12345678"), pin("123456"), link)
    });
    assert!(matches!(unblocked, Err(CardError::Unsupported(_))));
}

#[test]
fn the_puks_tries_are_known_where_the_card_tells_them() {
    for (answer, left) in [
        ("0602 0302 9000", Some(2)),
        ("6D00", None),
        ("0601 03 9000", None),
        ("9000", None),
    ] {
        let text = format!("{SELECTED}> 00F70081 00\n< {answer}\n");
        let status = with(T1, &text, |link| card().unblock_status(0, link)).unwrap();
        assert_eq!(status.tries_left, left);
    }
}
