//! Rutoken ECP: the data sheet's transcript, what it does otherwise than other cards, and to whom it is left.

use fixtures::card::rutoken_ecp;
use fixtures::pki::KeyKind;
use plugin_protocol::HashFunction::{Sha256, Sha512};
use plugin_protocol::api::SignatureScheme::{RsaPkcs1, RsaPss};
use plugin_protocol::encoding::hex;

use super::super::super::transport::Protocol::T1;
use super::scenes::{insert, open, order};
use super::transcripts::{play, reading};
use super::*;

const ATR: &str = "3B8B015275746F6B656E20454350A0";
/// An FCI that tells a file's length.
fn fci(length: usize) -> String {
    format!("6F08 8002{length:04X} 82020100 9000")
}

/// SELECT by path with FCI, and READ BINARY in parts of 256 until filling is reached.
fn directory(path: &str, content: &str, size: usize, parts: usize) -> String {
    let mut file = unhex(content);
    file.resize(size, 0);
    format!(
        "# {path}\n> 00A40800{:02X} {path} 00\n< {}\n{}",
        path.len() / 2,
        fci(size),
        reading(&file[..(parts * 256).min(size)], 0, 256)
    )
}

fn certificate_file(path: &str, certificate: &[u8]) -> String {
    let length = certificate.len();
    format!(
        "# a certificate\n> 00A4080004 {path} 00\n< {}\n{}",
        fci(length),
        reading(certificate, 0, 256)
    )
}

/// Where the files of keys are, below the master file.
const KEY_FILES: &str = "100010006002";

const OPENED: &str = "# there are PKCS#15 files
    > 00A4080004 50005031 00
    < 6F08 80020080 82020100 9000
    # the serial number
    > 00CA018100
    < 2C5A1F33 9000\n";

/// An entry of EF.CD for a file below 5000.
fn entry(id: &str, path: &str) -> String {
    let attributes = "3007 0C0143 03020640";
    let class = format!("3003 0401{id}");
    let value = format!("A10A 3008 3006 0404 {path}");
    let body = format!("{attributes}{class}{value}");
    format!("30{:02X}{body}", unhex(&body).len())
}

/// An entry of EF.PrKD, RSA unless told.
fn key(tag: &str, id: &str, reference: &str) -> String {
    let body = format!(
        "3003 0C014B 300A 0401{id} 03020520 0201{reference} A114 3012 300C 040A 3F00100010006002 00{reference} 02020800"
    );
    format!("{tag}{:02X}{body}", unhex(&body).len())
}

#[test]
fn it_reads_and_confirms_as_the_data_sheet_has_it() {
    let one = certificate(KeyKind::Rsa2048);
    let od = "A10A 3008 0406 3F0050006001 A00A 3008 0406 3F0050006002 A40A 3008 0406 3F0050006004";
    let info = "3031300D060960864801650304020105000420".to_owned() + &hex(&Sha256.digest(b"statement"));
    let block = format!("0001{}00{info}", "FF".repeat(202));
    let mut reversed = unhex(&block);
    reversed.reverse();
    assert_eq!(reversed.len(), 256);
    let made_up = format!("{}5A", "A5".repeat(255));
    let transcript = [
        OPENED.to_owned(),
        directory("50005031", od, 128, 1),
        // Two thousand bytes of which one part is read.
        directory("50006004", &entry("45", "5000 0345"), 2048, 1),
        directory(
            "50006002",
            &[key("A4", "44", "03"), key("30", "45", "07")].concat(),
            2048,
            1,
        ),
        certificate_file("50000345", &one),
        format!(
            "# the counter: no Lc, no Le
            > 00200002
            < 63C5
            # as it was typed
            > 0020000208 3132333435363738
            < 9000
            # the key's file, then MSE SET without an algorithm
            > 00A4080008 1000100060020007 00
            < 6F04 82021000 9000
            > 002241B603 840107
            < 9000
            # the block with its last byte first, in two parts
            > 102A9E9AFF {}
            < 9000
            > 002A9E9A01 {} 00
            < {made_up} 9000
            # another hash: the environment is the same
            > 102A9E9AFF ..
            < 9000
            > 002A9E9A01 .. 
            < {made_up} 9000",
            hex(&reversed[..255]),
            hex(&reversed[255..]),
        ),
    ];
    let signatures = play("rutoken-ecp", ATR, T1, &transcript.concat(), |card, link| {
        assert_eq!(card.serial().as_deref(), Some("2c5a1f33"));
        let (name, found) = credential(card, 0, link);
        assert_eq!((name.as_str(), found), ("07-1000100060020007", one));
        let status = card.pin_status(0, link).unwrap();
        assert_eq!((status.tries_left, status.tries_max), (Some(5), None));
        let inputs = [
            message(RsaPkcs1, Sha256, "statement"),
            message(RsaPkcs1, Sha512, "statement"),
        ];
        let signatures = card.sign(0, &name, &inputs, typed("12345678"), link).unwrap();
        let pss = card.sign(0, &name, &[message(RsaPss, Sha256, "m")], typed("12345678"), link);
        assert!(matches!(pss, Err(CardError::Unsupported(_))), "it costs no command");
        signatures
    });
    let mut expected = unhex(&made_up);
    expected.reverse();
    assert_eq!(signatures, [expected.clone(), expected]);
}

#[test]
fn a_wrong_pin_is_followed_by_the_question_how_many_tries_are_left() {
    let one = certificate(KeyKind::Rsa2048);
    let od = "A008 3006 0404 50006002 A408 3006 0404 50006004";
    let read = [
        OPENED.to_owned(),
        directory("50005031", od, 128, 1),
        directory("50006004", &entry("45", "5000 0345"), 64, 1),
        directory("50006002", &key("30", "45", "01"), 80, 1),
        certificate_file("50000345", &one),
    ]
    .concat();
    let name = "01-1000100060020001";
    for (told, expected) in [
        ("63C4", PinFailure::Wrong(Some(4))),
        ("6983", PinFailure::Blocked),
        // It does not say.
        ("6F00", PinFailure::Wrong(None)),
    ] {
        let transcript = format!("{read}> 0020000206 736563726574\n< 6300\n> 00200002\n< {told}");
        let refused = play("rutoken-ecp", ATR, T1, &transcript, |card, link| {
            let inputs = [message(RsaPkcs1, Sha256, "m"), message(RsaPkcs1, Sha256, "n")];
            credential(card, 0, link);
            // Letters are taken here.
            card.sign(0, name, &inputs, typed("secret"), link)
        });
        assert_eq!(refused, Err(CardError::Pin(expected)));
    }
    // Too short, too long: nothing is sent.
    play("rutoken-ecp", ATR, T1, &read, |card, link| {
        credential(card, 0, link);
        for digits in ["123", "123456789012345678901234567890123"] {
            let refused = card.sign(0, name, &[message(RsaPkcs1, Sha256, "m")], typed(digits), link);
            assert_eq!(refused, Err(CardError::Pin(PinFailure::Length(4, 32))));
        }
        assert!(!card.slots()[0].pad, "no reader's keys have letters");
    });
}

#[test]
fn another_programs_login_is_ended_and_the_pin_is_not_sent_twice() {
    let (mut reader, watch) = insert(rutoken_ecp::with_another_login(&PKI, &order()));
    let mut card = open(&mut reader);
    let mut link = Link::new(&mut reader);
    let (key, _) = credential(&mut *card, 0, &mut link);
    let mut sign = |link: &mut Link<'_>| {
        let inputs = [message(RsaPkcs1, Sha256, "m")];
        card.sign(0, &key, &inputs, typed("12345678"), link)
    };
    assert_eq!(sign(&mut link), Err(CardError::InUse));
    assert_eq!((watch.verifies(), watch.tries_spent()), (1, 0));
    assert_eq!(sign(&mut link).unwrap().len(), 1);
    assert_eq!((watch.verifies(), watch.forbidden()), (2, Vec::new()));
}

#[test]
fn two_certificates_of_three_have_keys_and_each_tells_itself_what_it_is_for() {
    let made = rutoken_ecp::usb(&PKI, &order());
    let name = |reference| format!("{reference}-{KEY_FILES}00{reference}");
    let expected = [
        (name("01"), made.authentication.certificate.clone()),
        (name("02"), made.signature.certificate.clone()),
    ];
    let (mut reader, _) = insert(made);
    let mut card = open(&mut reader);
    let mut link = Link::new(&mut reader);
    let found = card.credentials(0, &mut link).unwrap();
    assert!(found.iter().all(|one| one.role.is_none() && one.mechanisms.len() == 3));
    let found: Vec<_> = found.into_iter().map(|one| (one.key, one.certificate)).collect();
    assert_eq!(found, expected);
    let details = card.details(&mut link).unwrap();
    let [(_, serial), (_, note)] = &details[..] else {
        panic!("{details:?}")
    };
    assert_eq!(serial, "•••• 1f33");
    assert!(note.contains("GOST") && note.contains("librtpkcs11ecp"), "{note}");
    assert_eq!(card.management(0), PinManagement::default());
}

#[test]
fn a_token_of_its_makers_software_is_left_alone_after_one_command() {
    let (mut reader, watch) = insert(rutoken_ecp::of_its_maker(&PKI, &order()));
    let family = family("rutoken-ecp");
    assert!(family.open(&unhex(ATR), &mut Link::new(&mut reader)).unwrap().is_none());
    assert_eq!(watch.commands(), 1);
    assert!(family.elsewhere().is_some_and(|why| why.contains("librtpkcs11ecp")));
    assert!(family.modules().contains(&"rtpkcs11"));
    // Whatever it refuses with: a module must not lose it.
    for status in ["6A82", "6982", "6D00", "6F00"] {
        let mut script = Script::new(T1, &format!("> 00A4080004 50005031 00\n< {status}"));
        let opened = family.open(&unhex(ATR), &mut Link::new(&mut script));
        assert!(opened.unwrap().is_none(), "{status}");
    }
    // A serial number that is not given is no reason to refuse.
    let transcript = "> 00A4080004 50005031 00\n< 6F08 80020080 82020100 9000\n> 00CA018100\n< 6A88";
    let serial = play("rutoken-ecp", ATR, T1, transcript, |card, _| card.serial());
    assert_eq!(serial, None);
}

/// Two keys with a certificate each: EF.OD, EF.CD and EF.PrKD read.
fn two_keys(keys: [String; 2]) -> String {
    [
        OPENED.to_owned(),
        directory("50005031", "A008 3006 0404 50006002 A408 3006 0404 50006004", 128, 1),
        directory(
            "50006004",
            &[entry("45", "5000 0345"), entry("46", "5000 0346")].concat(),
            128,
            1,
        ),
        directory("50006002", &keys.concat(), 128, 1),
    ]
    .concat()
}

/// References are counted within a file: a key that has the other's signs for the certificate that was agreed to.
#[test]
fn of_two_keys_with_one_reference_the_one_that_was_named_signs() {
    let (one, two) = (certificate(KeyKind::Rsa2048), certificate(KeyKind::Rsa2048));
    let in_another_file = key("30", "46", "07").replace("00100010006002 0007", "00100010006002 0008");
    let made_up = "A5".repeat(256);
    let transcript = [
        two_keys([key("30", "45", "07"), in_another_file]),
        certificate_file("50000345", &one),
        certificate_file("50000346", &two),
        format!(
            "> 0020000208 3132333435363738
            < 9000
            # the second key's file
            > 00A4080008 1000100060020008 00
            < 6F04 82021000 9000
            > 002241B603 840107
            < 9000
            > 102A9E9AFF ..
            < 9000
            > 002A9E9A01 ..
            < {made_up} 9000"
        ),
    ];
    play("rutoken-ecp", ATR, T1, &transcript.concat(), |card, link| {
        let found = card.credentials(0, link).unwrap();
        let names: Vec<_> = found.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(names, ["07-1000100060020007", "07-1000100060020008"]);
        let inputs = [message(RsaPkcs1, Sha256, "statement")];
        card.sign(0, names[1], &inputs, typed("12345678"), link).unwrap();
    });
}

#[test]
fn a_certificate_that_is_not_given_costs_the_others_nothing() {
    let two = certificate(KeyKind::Rsa2048);
    let read = two_keys([key("30", "45", "07"), key("30", "46", "08")]);
    let broken = certificate_file("50000345", &unhex("0102030405"));
    let lengthless = format!("> 00A4080004 50000345 00\n< {}\n", "6F04 82020100 9000");
    for bad in ["> 00A4080004 50000345 00\n< 6982\n", &broken, &lengthless] {
        let transcript = [&read, bad, &certificate_file("50000346", &two)].concat();
        let found = play("rutoken-ecp", ATR, T1, &transcript, |card, link| {
            card.credentials(0, link).unwrap()
        });
        let found: Vec<_> = found.into_iter().map(|one| one.certificate).collect();
        assert_eq!(found, std::slice::from_ref(&two));

        // Where there is no other, why is told.
        let transcript = [&read, bad, "> 00A4080004 50000346 00\n< 6A82\n"].concat();
        let refused = play("rutoken-ecp", ATR, T1, &transcript, |card, link| {
            card.credentials(0, link)
        });
        assert!(
            matches!(refused, Err(CardError::Refused(..) | CardError::Malformed(..))),
            "{refused:?}"
        );
    }
}
