//! PINs: their tries, their forms, and what changes them.

use plugin_protocol::api::SignatureScheme::RsaPkcs1;

use super::*;

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
