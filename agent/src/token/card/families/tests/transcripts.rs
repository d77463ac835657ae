//! The recipes of the data sheet, step by step: what is sent is what it prints, and nothing else.

use std::fmt::Write;

use fixtures::pki::KeyKind;
use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
use plugin_protocol::encoding::hex;

use super::super::super::transport::Protocol::{T0, T1};
use super::*;

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
fn esteid_idemia_reads_confirms_and_signs() {
    let (one, two) = (certificate(KeyKind::P384), certificate(KeyKind::P384));
    let input = message(Ecdsa, Sha384, "statement");
    let digest = hex(&Sha384.digest(b"statement"));
    let read = MAIN.to_owned() + &file("00A4090404ADF1340100", "80", &one, 0xC0);
    let confirm = format!(
        "{AWP}
        # MSE SET before VERIFY
        > 002241A406 800104840181
        < 9000
        > 002000010C {PIN1}
        < 9000
        # INTERNAL AUTHENTICATE
        > 0088000030 {digest} 00
        < {} 9000",
        made_up(96)
    );
    let signature = play(
        "esteid-idemia",
        atr("esteid-idemia"),
        T1,
        &(read + &confirm),
        |card, link| {
            let (key, found) = credential(card, 0, link);
            assert_eq!((key.as_str(), &found), ("81", &one));
            assert_eq!(credential(card, 0, link).1, one, "read once");
            card.sign(0, &key, std::slice::from_ref(&input), typed("1234"), link)
                .unwrap()
        },
    );
    assert_eq!(signature, [[0x5A; 96]]);

    // Signatures: PIN2 in ADF2, before each of them; SHA-256 behind zeros, SHA-512 cut.
    let short = hex(&Sha256.digest(b"statement"));
    let long = hex(&Sha512.digest(b"statement")[..48]);
    let mut sign = MAIN.to_owned() + &file("00A4090404ADF2341F00", "81", &two, 0xC0) + QSCD;
    for block in [digest, "00".repeat(16) + &short, long] {
        let _ = write!(
            sign,
            "# the key of signatures
            > 002241B606 80015484019F
            < 9000
            > 002000850C 3132333435FFFFFFFFFFFFFF
            < 9000
            # COMPUTE DIGITAL SIGNATURE
            > 002A9E9A30 {block} 00
            < {} 9000
            ",
            made_up(96)
        );
    }
    let inputs = [Sha384, Sha256, Sha512].map(|hash| message(Ecdsa, hash, "statement"));
    play("esteid-idemia", atr("esteid-idemia"), T1, &sign, |card, link| {
        let (key, _) = credential(card, 1, link);
        assert_eq!(card.sign(1, &key, &inputs, typed("12345"), link).unwrap().len(), 3);
    });
}

#[test]
fn esteid_idemia_tells_its_counters_and_its_number_and_reselects() {
    let transcript = format!(
        "{MAIN}
        # PIN1's counter: nesting is read, not offsets
        > 00CB3FFF0A 4D087006BF810102A080 00
        < 70 0E BF81010A A008 8C00 9A0103 9B0102 9000
        {QSCD}
        # PIN2's: 85 is 05 here
        > 00CB3FFF0A 4D087006BF810502A080 00
        < 70 0C BF810508 A006 9A0103 9B0100 9000
        {MAIN}
        # refused: no number, and no failure
        > 00CB3FFF0A 4D087006BF810102A080 00
        < 6A88
        # the PUK's, where PIN1's is
        > 00CB3FFF0A 4D087006BF810202A080 00
        < 70 0C BF810208 A006 9A0103 9B0101 9000
        # the document's number
        > 00A4000C
        < 9000
        > 00A4020402 D003 00
        < 6204 8002000B 9000
        > 00B000000B
        < 0409 415330303132333435 9000"
    );
    play("esteid-idemia", atr("esteid-idemia"), T1, &transcript, |card, link| {
        let status = card.pin_status(0, link).unwrap();
        assert_eq!((status.tries_left, status.tries_max), (Some(2), Some(3)));
        assert_eq!(card.pin_status(1, link).unwrap().tries_left, Some(0));
        assert_eq!(card.pin_status(0, link).unwrap().tries_left, None);
        assert_eq!(card.unblock_status(1, link).unwrap().tries_left, Some(1));
        let details = card.details(link).unwrap();
        assert_eq!(details, [("document".to_owned(), "•••• 2345".to_owned())]);
    });
}

/// Under T=0 what a SELECT gives is fetched, and a command with data has no Le.
#[test]
fn esteid_idemia_over_t0() {
    let one = certificate(KeyKind::P384);
    let digest = hex(&Sha384.digest(b"statement"));
    let transcript = format!(
        "{MAIN}
        > 00A4090404 ADF13401
        < 6106
        > 00C0000006
        < 6204 8002{:04X} 9000
        {}{AWP}
        > 002241A406 800104840181
        < 9000
        > 002000010C {PIN1}
        < 9000
        > 0088000030 {digest}
        < 6160
        > 00C0000060
        < {} 9000",
        one.len(),
        reading(&one, 0, 0xC0),
        made_up(96)
    );
    play("esteid-idemia", atr("esteid-idemia"), T0, &transcript, |card, link| {
        let (key, _) = credential(card, 0, link);
        let inputs = [message(Ecdsa, Sha384, "statement")];
        card.sign(0, &key, &inputs, typed("1234"), link).unwrap();
    });
}

#[test]
fn esteid_thales_reads_confirms_and_signs() {
    let (one, two) = (certificate(KeyKind::P384), certificate(KeyKind::P384));
    let digest = hex(&Sha384.digest(b"statement"));
    let transcript = format!(
        "{PKCS15}
        # PIN1's counter; DF2F is not 00
        > 00CB00FF05 A003830181 00
        < A0 0F 830181 DF21020303 DF2F020101 8C00 9000
        {}{PKCS15}
        # VERIFY before MSE SET, filled with zeros
        > 002000810C {PIN1_ZEROS}
        < 9000
        > 002241B606 800154840101
        < 9000
        # PSO HASH, then COMPUTE DIGITAL SIGNATURE without data
        > 002A90A032 9030 {digest}
        < 9000
        > 002A9E9A00
        < {} 9000",
        file("00A4080404ADF1341100", "81", &one, 256),
        made_up(96)
    );
    play("esteid-thales", atr("esteid-thales"), T1, &transcript, |card, link| {
        let status = card.pin_status(0, link).unwrap();
        assert_eq!(
            (status.tries_left, status.tries_max, status.must_change),
            (Some(3), Some(3), false)
        );
        let (key, found) = credential(card, 0, link);
        assert_eq!((key.as_str(), found), ("01", one));
        let inputs = [message(Ecdsa, Sha384, "statement")];
        card.sign(0, &key, &inputs, typed("1234"), link).unwrap();
    });

    // Signatures by key 05: PIN2 for each, and under T=0 no Le beside data, and the exact one without.
    let digests = [hex(&Sha256.digest(b"a")), hex(&Sha512.digest(b"b"))];
    let mut transcript = format!(
        "{PKCS15}
        > 00A4080404 ADF23421
        < 6106
        > 00C0000006
        < 6204 8102{:04X} 9000
        {}{PKCS15}",
        two.len(),
        reading(&two, 0, 256)
    );
    for (algorithm, header, digest) in [("44", "22 9020", &digests[0]), ("64", "42 9040", &digests[1])] {
        let _ = write!(
            transcript,
            "> 002000820C 313233343500000000000000
            < 9000
            > 002241B606 8001{algorithm}840105
            < 9000
            > 002A90A0 {header} {digest}
            < 9000
            > 002A9E9A60
            < {} 9000
            ",
            made_up(96)
        );
    }
    play("esteid-thales", atr("esteid-thales"), T0, &transcript, |card, link| {
        let (key, _) = credential(card, 1, link);
        let inputs = [message(Ecdsa, Sha256, "a"), message(Ecdsa, Sha512, "b")];
        card.sign(1, &key, &inputs, typed("12345"), link).unwrap();
    });
}

#[test]
fn esteid_thales_says_that_a_pin_must_be_changed_and_does_not_try_it() {
    let two = certificate(KeyKind::P384);
    let transcript = format!(
        "{PKCS15}
        > 00CB00FF05 A003830182 00
        < A0 0B 830182 DF210103 DF2F0100 9000
        {}{PKCS15}
        # changed: old, new
        > 0024008218 313233343500000000000000 353433323100000000000000
        < 9000",
        file("00A4080404ADF2342100", "80", &two, 256)
    );
    play("esteid-thales", atr("esteid-thales"), T1, &transcript, |card, link| {
        assert!(card.pin_status(1, link).unwrap().must_change);
        let (key, _) = credential(card, 1, link);
        let refused = card.sign(1, &key, &[message(Ecdsa, Sha384, "m")], typed("12345"), link);
        assert_eq!(refused, Err(CardError::Pin(PinFailure::MustChange)));
        card.change_pin(1, pin("12345"), pin("54321"), link).unwrap();
    });
}

#[test]
fn finid_v3_makes_pss_itself() {
    let one = certificate(KeyKind::Rsa3072);
    let transcript = format!(
        "{PKCS15}{}{PKCS15}
        > 002000110C {PIN1_ZEROS}
        < 9000
        > 002241B606 800145840101
        < 9000
        > 002A90A022 9020 {}
        < 9000
        # 384 bytes are more than one answer holds
        > 002A9E9A00
        < {} 6180
        > 00C0000080
        < {} 9000",
        file("00A4080402433100", "81", &one, 256),
        hex(&Sha256.digest(b"statement")),
        made_up(256),
        made_up(128)
    );
    play("finid-v3", atr("finid-v3"), T1, &transcript, |card, link| {
        let offered = card.credentials(0, link).unwrap().remove(0).mechanisms;
        let offered: Vec<_> = offered.iter().map(|one| (one.scheme, one.hash)).collect();
        assert_eq!(offered, [(RsaPss, Sha256)]);
        let inputs = [message(RsaPss, Sha256, "statement")];
        let signature = card.sign(0, "01", &inputs, typed("1234"), link).unwrap();
        assert_eq!(signature, [[0x5A; 384]]);
        // What the card cannot make costs no command.
        for (scheme, hash) in [(RsaPkcs1, Sha256), (RsaPss, Sha384)] {
            let refused = card.sign(0, "01", &[message(scheme, hash, "m")], typed("1234"), link);
            assert!(matches!(refused, Err(CardError::Unsupported(_))), "{refused:?}");
        }
    });
}

#[test]
fn finid_v4_is_known_by_its_paths() {
    let (one, two) = (certificate(KeyKind::P384), certificate(KeyKind::P384));
    let transcript = format!(
        "{PKCS15}{}# a path needs the application alone, which still is
        {}{PKCS15}
        > 002000820C 313233343536000000000000
        < 63C4",
        file("00A4080402433100", "81", &one, 256),
        file("00A40804045016433200", "80", &two, 256),
    );
    play("finid-v4", atr("finid-v4"), T1, &transcript, |card, link| {
        assert_eq!(credential(card, 0, link), ("01".to_owned(), one));
        assert_eq!(credential(card, 1, link), ("02".to_owned(), two));
        let wrong = card.sign(
            1,
            "02",
            &[message(Ecdsa, Sha384, "m"), message(Ecdsa, Sha384, "n")],
            typed("123456"),
            link,
        );
        assert_eq!(
            wrong,
            Err(CardError::Pin(PinFailure::Wrong(Some(4)))),
            "and no second try"
        );
        let short = card.sign(1, "02", &[message(Ecdsa, Sha384, "m")], typed("12345"), link);
        assert_eq!(
            short,
            Err(CardError::Pin(PinFailure::Length(6, 12))),
            "and nothing was sent"
        );
    });
    let older = certificate(KeyKind::P384);
    let transcript = PKCS15.to_owned() + &file("00A40804045016433500", "80", &older, 256);
    play("finid-v3", atr("finid-v3"), T1, &transcript, |card, link| {
        assert_eq!(credential(card, 1, link), ("03".to_owned(), older));
    });
}

/// EF.OD: EF.CD is 7005 and EF.PrKD 7001; the first entry of EF.CD is for `3404`.
fn pkcs15(adf: &str, key: &str, certificate: &[u8]) -> String {
    let od = unhex("A406 3004 0402 7005 A006 3004 0402 7001");
    // X509Certificate: common attributes, class attributes, [1] path 3404.
    // Filled up to more than a Cosmo X in some readers gives at once.
    let mut cd = unhex("3019 3005 0C03617574 3004 04020081 A10A 3008 3006 04023404 0500");
    cd.resize(0xE0, 0);
    let prkd = unhex(key);
    [
        MAIN.to_owned(),
        adf.to_owned(),
        file("00A4020402503100", "80", &od, 0xC0),
        file("00A4020402700500", "80", &cd, 0xC0),
        file("00A4020402340400", "80", certificate, 0xC0),
        file("00A4020402700100", "80", &prkd, 0xC0),
    ]
    .concat()
}

#[test]
fn latid_v2_goes_where_pkcs15_says() {
    // RSA: the tag is 30, and the key is 0082, two bytes.
    let one = certificate(KeyKind::Rsa2048);
    let info = "3031300D060960864801650304020105000420".to_owned() + &hex(&Sha256.digest(b"statement"));
    let transcript = format!(
        "{}{AWP}
        > 002241A406 800102840182
        < 9000
        > 002000010C {PIN1}
        < 9000
        # the DigestInfo goes in
        > 0088000033 {info} 00
        < {} 9000",
        pkcs15(AWP, "3014 3005 0C03617574 300B 040145 03020520 02020082", &one),
        made_up(256)
    );
    play("latid-v2", atr("latid-v2"), T1, &transcript, |card, link| {
        let (key, found) = credential(card, 0, link);
        assert_eq!((key.as_str(), found), ("82", one));
        let inputs = [message(RsaPkcs1, Sha256, "statement")];
        card.sign(0, "82", &inputs, typed("1234"), link).unwrap();
    });

    // A curve: the tag is A0, no reference is named; and the RSA key of signatures takes the bare hash.
    let two = certificate(KeyKind::P384);
    let transcript = pkcs15(QSCD, "A00E 3005 0C03617574 3005 040145 0500", &two);
    play("latid-v2", atr("latid-v2"), T1, &transcript, |card, link| {
        assert_eq!(credential(card, 1, link), ("9f".to_owned(), two));
    });
    let three = certificate(KeyKind::Rsa2048);
    let transcript = format!(
        "{}{QSCD}
        > 002241B606 80014284019E
        < 9000
        > 002000850C 313233343536FFFFFFFFFFFF
        < 9000
        > 002A9E9A20 {} 00
        < {} 9000",
        pkcs15(QSCD, "3014 3005 0C03617574 300B 040145 03020520 0202009E", &three),
        hex(&Sha256.digest(b"m")),
        made_up(256)
    );
    play("latid-v2", atr("latid-v2"), T1, &transcript, |card, link| {
        let (key, _) = credential(card, 1, link);
        card.sign(1, &key, &[message(RsaPkcs1, Sha256, "m")], typed("123456"), link)
            .unwrap();
    });
}

#[test]
fn latid_v1_reads_der_and_fills_its_pin_to_64_bytes() {
    let two = certificate(KeyKind::Rsa2048);
    // Filling behind the certificate is not read.
    let select = "> 00A4090404 ADF1A001 00\n< 6F00 9000\n";
    let info = "3051300D060960864801650304020305000440".to_owned() + &hex(&Sha512.digest(b"m"));
    let transcript = format!(
        "{MAIN}{select}{}{AWP}
        > 002241A406 800102840181
        < 9000
        > 0020008140 313233343536 {}
        < 9000
        > 0088000053 {info} 00
        < {} 9000
        # the counter of 81 is asked for as 01, in ADF1, where this transaction still is
        > 00CB3FFF0A 4D087006BF810102A080 00
        < 70 0C BF810108 A006 9A0103 9B0103 9000",
        reading(&two, 0, 0xB5),
        "FF".repeat(58),
        made_up(256)
    );
    play("latid-v1", atr("latid-v1"), T1, &transcript, |card, link| {
        let (key, found) = credential(card, 1, link);
        assert_eq!((key.as_str(), found), ("81", two));
        card.sign(1, "81", &[message(RsaPkcs1, Sha512, "m")], typed("123456"), link)
            .unwrap();
        assert_eq!(card.pin_status(1, link).unwrap().tries_left, Some(3));
        assert!(card.slots().iter().all(|slot| !slot.pad), "no reader writes 64 bytes");
    });
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
