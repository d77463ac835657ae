//! PINs: counted, locked, typed on a pad, asked for each signature; and mechanisms.

use agent::Error;
use agent::token::Source;
use fixtures::evil::{
    CKF_USER_PIN_TO_BE_CHANGED, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_GOSTR3410, CKM_GOSTR3410_WITH_GOSTR3411_12_256,
    CKM_RSA_PKCS_PSS, CKR_FUNCTION_CANCELED, Call, Fault, PIN,
};
use plugin_protocol::SignatureAlgorithm::ES256;
use plugin_protocol::api::{PinState, SignatureScheme::Ecdsa};

use crate::evil::{build, ready, source};
use crate::{digest, job, message, only, pin, verify};

#[test]
fn wrong_pins_are_counted_until_the_token_locks() {
    let module = build(|builder| builder.tries(3));
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    let mut wrong = || {
        let refused = source
            .sign(&token.id, job(&credential, &[message(ES256)]), pin("00000000"))
            .unwrap_err();
        let pin = only(&mut source).pin;
        (refused, pin.state, pin.tries_left)
    };
    assert_eq!(wrong(), (Error::PinIncorrect(None), PinState::Low, None));
    assert_eq!(wrong(), (Error::PinIncorrect(Some(1)), PinState::FinalTry, Some(1)));
    assert_eq!(wrong(), (Error::PinLocked, PinState::Locked, Some(0)));
    assert_eq!(module.pins_tried(), 3);
    // A locked token is not asked, and neither is the right PIN spent on it.
    let logins = module.count(Call::Login);
    assert_eq!(
        source.sign(&token.id, job(&credential, &[message(ES256)]), pin(PIN)),
        Err(Error::PinLocked)
    );
    assert_eq!(module.count(Call::Login), logins);
}

#[test]
fn a_pin_of_impossible_length_and_a_missing_one_are_not_tried() {
    let module = build(|builder| builder);
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    let (min, max) = token.pin.length.unwrap();
    for odd in [String::new(), "1".repeat(min - 1), "1".repeat(max + 1)] {
        let refused = source.sign(&token.id, job(&credential, &[message(ES256)]), pin(&odd));
        assert!(matches!(refused, Err(Error::PinLength(..))), "{odd:?}: {refused:?}");
    }
    let refused = source.sign(&token.id, job(&credential, &[message(ES256)]), None);
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert_eq!((module.count(Call::Login), module.pins_tried()), (0, 0));
}

#[test]
fn a_pin_that_must_be_changed_first_is_not_tried() {
    let module = build(|builder| builder.flags(CKF_USER_PIN_TO_BE_CHANGED));
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    assert_eq!(token.pin.state, PinState::MustChange);
    let refused = source.sign(&token.id, job(&credential, &[message(ES256)]), pin(PIN));
    assert_eq!((refused, module.count(Call::Login)), (Err(Error::PinMustChange), 0));
}

#[test]
fn a_pad_takes_the_pin_by_itself_or_is_cancelled() {
    let module = build(|builder| builder.protected_path());
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    assert!(token.pin.pad);
    let signed = source
        .sign(&token.id, job(&credential, &[message(ES256)]), None)
        .unwrap();
    verify(&credential.certificate, ES256, &signed[0]);

    let module = build(|builder| {
        builder
            .protected_path()
            .fault(Fault::FailIn(Call::Login, CKR_FUNCTION_CANCELED))
    });
    let mut source = crate::evil::source(&module);
    let (token, credential) = ready(&mut source);
    let cancelled = source.sign(&token.id, job(&credential, &[message(ES256)]), None);
    assert_eq!((cancelled, module.count(Call::Login)), (Err(Error::Cancelled), 1));
}

#[test]
fn always_authenticate_means_the_pin_before_each_signature() {
    let module = build(|builder| builder.always_authenticate());
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    let inputs = [message(ES256), digest(ES256), message(ES256)];
    let signed = source.sign(&token.id, job(&credential, &inputs), pin(PIN)).unwrap();
    signed
        .iter()
        .for_each(|signature| verify(&credential.certificate, ES256, signature));
    assert_eq!(module.pins_tried(), 1 + inputs.len());

    // A wrong one is tried once, though three signatures were asked for.
    source
        .sign(&token.id, job(&credential, &inputs), pin("00000000"))
        .unwrap_err();
    assert_eq!(module.pins_tried(), 1 + inputs.len() + 1);
}

#[test]
fn a_token_that_only_hashes_itself_gets_messages_and_no_digests() {
    let module = build(|builder| builder.mechanisms(&[CKM_ECDSA_SHA256]));
    let mut source = source(&module);
    let (token, credential) = ready(&mut source);
    assert_eq!(credential.mechanisms.len(), 1);
    assert!(!credential.mechanisms[0].digest);
    let signed = source
        .sign(&token.id, job(&credential, &[message(ES256)]), pin(PIN))
        .unwrap();
    verify(&credential.certificate, ES256, &signed[0]);
    let refused = source.sign(&token.id, job(&credential, &[digest(ES256)]), pin(PIN));
    assert!(matches!(refused, Err(Error::UnsupportedAlgorithm(_))), "{refused:?}");
    assert_eq!(module.pins_tried(), 1);
}

#[test]
fn mechanisms_nobody_here_knows_hide_none_that_are_known() {
    let listed = [
        CKM_GOSTR3410_WITH_GOSTR3411_12_256,
        CKM_GOSTR3410,
        CKM_RSA_PKCS_PSS,
        CKM_ECDSA,
        u64::MAX - 1,
    ];
    let module = build(|builder| builder.mechanisms(&listed));
    let mut source = source(&module);
    let (_, credential) = ready(&mut source);
    assert_eq!(credential.mechanisms.len(), 3);
    assert!(
        credential
            .mechanisms
            .iter()
            .all(|mechanism| mechanism.scheme == Ecdsa && mechanism.digest)
    );
}
