//! Estonia's cards, of both makers.

use plugin_protocol::HashFunction::{Sha256, Sha512};

use super::super::super::super::transport::Protocol::T0;
use super::*;

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
