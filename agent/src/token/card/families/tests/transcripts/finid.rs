//! Finland's cards.

use plugin_protocol::HashFunction::Sha256;
use plugin_protocol::api::SignatureScheme::{RsaPkcs1, RsaPss};

use super::*;

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
