//! PINs of GOST tokens: counted, locked, typed on a pad, asked for each signature.

use agent::Error;
use agent::token::Source;
use fixtures::gost_token::{Call, PIN};
use plugin_protocol::SignatureAlgorithm::Gost256;
use plugin_protocol::api::PinState;
use serde_json::json;

use super::{BOTH, ready, set, source, token_with};
use crate::{digest, job, message, only, pin, verify};

#[test]
fn wrong_pins_are_counted_until_the_token_locks() {
    let token = token_with(BOTH[0].0, json!({ "user_tries": 3 }));
    let mut source = source(&token);
    let (info, credential) = ready(&mut source);
    let one = job(&credential, &[message(Gost256)]);
    let mut wrong = || {
        let refused = source.sign(&info.id, one.clone(), pin("00000000")).unwrap_err();
        let pin = only(&mut source).pin;
        (refused, pin.state, pin.tries_left)
    };
    assert_eq!(wrong(), (Error::PinIncorrect(None), PinState::Low, None));
    assert_eq!(wrong(), (Error::PinIncorrect(Some(1)), PinState::FinalTry, Some(1)));
    assert_eq!(wrong(), (Error::PinLocked, PinState::Locked, Some(0)));
    assert_eq!((token.user_failures(), token.pins_tried()), (3, 3));
    // A locked token is not asked, and neither is the right PIN spent on it.
    let logins = token.count(Call::Login);
    assert_eq!(source.sign(&info.id, one.clone(), pin(PIN)), Err(Error::PinLocked));
    assert_eq!(token.count(Call::Login), logins);

    token.set_user_failures(2);
    let signed = source.sign(&info.id, one, pin(PIN)).unwrap();
    verify(&credential.certificate, Gost256, &signed[0]);
    assert_eq!((token.user_failures(), only(&mut source).pin.state), (0, PinState::Ok));
}

#[test]
fn a_pin_that_cannot_be_right_is_not_tried() {
    let token = token_with(BOTH[1].0, json!({ "pin_min": 6, "pin_max": 8 }));
    let mut source = source(&token);
    let (info, credential) = ready(&mut source);
    assert_eq!(info.pin.length, Some((6, 8)));
    let one = job(&credential, &[message(BOTH[1].1)]);
    for odd in ["", "12345", "123456789"] {
        let refused = source.sign(&info.id, one.clone(), pin(odd));
        assert_eq!(refused, Err(Error::PinLength(6, 8)), "{odd:?}");
    }
    assert!(matches!(
        source.sign(&info.id, one.clone(), None),
        Err(Error::Internal(_))
    ));

    token.token().set_user_must_change(true).unwrap();
    assert_eq!(only(&mut source).pin.state, PinState::MustChange);
    assert_eq!(source.sign(&info.id, one, pin(PIN)), Err(Error::PinMustChange));
    assert_eq!((token.count(Call::Login), token.pins_tried()), (0, 0));
}

#[test]
fn a_pad_takes_the_pin_by_itself_or_is_cancelled() {
    for (kind, algorithm) in BOTH {
        let token = token_with(kind, json!({ "protected_path": "right" }));
        let mut source = source(&token);
        let (info, credential) = ready(&mut source);
        assert!(info.pin.pad);
        let one = job(&credential, &[message(algorithm)]);
        let signed = source.sign(&info.id, one.clone(), None).unwrap();
        verify(&credential.certificate, algorithm, &signed[0]);

        set(&token, json!({ "protected_path": "wrong" }));
        assert_eq!(source.sign(&info.id, one.clone(), None), Err(Error::PinIncorrect(None)));
        assert_eq!(token.user_failures(), 1);
        set(&token, json!({ "protected_path": "cancel" }));
        assert_eq!(source.sign(&info.id, one, None), Err(Error::Cancelled));
        assert_eq!((token.user_failures(), token.count(Call::Login)), (1, 3));
    }
}

#[test]
fn always_authenticate_means_the_pin_before_each_signature() {
    for (kind, algorithm) in BOTH {
        let token = token_with(kind, json!({ "always_authenticate": true, "signature_order": "r-s" }));
        let mut source = source(&token);
        let (info, credential) = ready(&mut source);
        let inputs = [message(algorithm), digest(algorithm), message(algorithm)];
        let signed = source.sign(&info.id, job(&credential, &inputs), pin(PIN)).unwrap();
        signed
            .iter()
            .for_each(|one| verify(&credential.certificate, algorithm, one));
        assert_eq!((token.pins_tried(), token.count(Call::Sign)), (1 + 3, 3));

        // A wrong one is tried once, though three signatures were asked for.
        let refused = source.sign(&info.id, job(&credential, &inputs), pin("00000000"));
        assert_eq!(refused, Err(Error::PinIncorrect(None)));
        assert_eq!((token.pins_tried(), token.user_failures()), (1 + 3 + 1, 1));

        // On a pad it is typed each time.
        set(
            &token,
            json!({ "always_authenticate": true, "protected_path": "right" }),
        );
        let mut source = super::source(&token);
        let signed = source.sign(&info.id, job(&credential, &inputs[..2]), None).unwrap();
        signed
            .iter()
            .for_each(|one| verify(&credential.certificate, algorithm, one));
        assert_eq!(token.pins_tried(), 5 + 3);
    }
}

#[test]
fn a_token_taken_out_spends_no_try() {
    let token = token_with(BOTH[0].0, json!({}));
    let mut source = source(&token);
    let (info, credential) = ready(&mut source);
    let one = job(&credential, &[message(Gost256)]);
    token.remove();
    assert_eq!(source.sign(&info.id, one.clone(), pin(PIN)), Err(Error::TokenRemoved));
    assert_eq!((source.tokens(), token.pins_tried()), (Ok(vec![]), 0));
    token.insert();
    let signed = source.sign(&info.id, one, pin(PIN)).unwrap();
    verify(&credential.certificate, Gost256, &signed[0]);
}
