//! SoftHSM behind the child.

use agent::Error;
use agent::token::pkcs11::{Options, Pkcs11};
use agent::token::worker::Tokens;
use agent::token::{Mechanism, SignData, SignInput, Source};
use fixtures::pki::{KeyKind, TestPki};
use fixtures::softhsm::{PIN, SoftHsm};
use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::SignatureAlgorithm;
use plugin_protocol::api::{PinState, SignatureScheme::*, TokenKind};

use crate::{MESSAGE, digest, job, message, only, person, pin, verify};

fn source(hsm: &SoftHsm) -> Pkcs11 {
    let (name, value) = hsm.environment();
    crate::source(
        hsm.module(),
        Options {
            environment: vec![(name.into(), value)],
            ..Options::default()
        },
    )
}

#[test]
fn every_kind_of_key_signs_messages_and_digests() {
    use SignatureAlgorithm::*;
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let token = hsm.init_token("card");
    let kinds: [(KeyKind, &[SignatureAlgorithm]); 4] = [
        (KeyKind::Rsa2048, &[RS256, RS384, RS512, PS256, PS384, PS512]),
        (KeyKind::P256, &[ES256]),
        (KeyKind::P384, &[ES384]),
        (KeyKind::P521, &[ES512]),
    ];
    for (id, (kind, _)) in (1..).zip(kinds) {
        token.import(&person(&pki, kind), &[id], "key");
    }
    let mut source = source(&hsm);
    let info = only(&mut source);
    assert_eq!(
        (info.kind, info.label.as_str(), info.test),
        (TokenKind::Pkcs11, "card", false)
    );
    assert_eq!(
        (info.pin.state, info.pin.pad, info.pin.length),
        (PinState::Ok, false, Some((4, 255)))
    );

    let mut credentials = source.credentials(&info.id).unwrap();
    credentials.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(credentials.len(), kinds.len());
    for (credential, (_, algorithms)) in credentials.iter().zip(kinds) {
        // All in one job, after one login.
        let inputs: Vec<_> = algorithms.iter().flat_map(|a| [message(*a), digest(*a)]).collect();
        for input in &inputs {
            let mechanism = Mechanism {
                scheme: input.scheme,
                hash: input.hash,
                digest: true,
            };
            assert!(credential.mechanisms.contains(&mechanism), "{mechanism:?}");
        }
        let signatures = source.sign(&info.id, job(credential, &inputs), pin(PIN)).unwrap();
        assert_eq!(signatures.len(), inputs.len());
        for (signature, algorithm) in signatures.iter().zip(algorithms.iter().flat_map(|a| [a, a])) {
            verify(&credential.certificate, *algorithm, signature);
        }
    }
}

#[test]
fn a_key_that_wants_the_pin_before_each_signature_gets_it() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let token = hsm.init_token("card");
    for (id, kind) in [(1, KeyKind::Rsa2048), (2, KeyKind::P256)] {
        let issued = person(&pki, kind);
        token.import_always_authenticate(&issued.key, &[id], "strict");
        token.add_certificate(&issued.certificate, &[id], "strict");
    }
    let mut source = source(&hsm);
    let info = only(&mut source);
    let credentials = source.credentials(&info.id).unwrap();
    assert_eq!(credentials.len(), 2);
    for credential in credentials {
        let rsa = credential.mechanisms.iter().any(|m| m.scheme == RsaPkcs1);
        let algorithm = if rsa {
            SignatureAlgorithm::RS256
        } else {
            SignatureAlgorithm::ES256
        };
        let inputs = [message(algorithm), digest(algorithm), message(algorithm)];
        let signatures = source.sign(&info.id, job(&credential, &inputs), pin(PIN)).unwrap();
        assert_eq!(signatures.len(), 3);
        signatures
            .iter()
            .for_each(|signature| verify(&credential.certificate, algorithm, signature));
    }
}

#[test]
fn a_wrong_pin_is_told_and_shown_by_the_flags_until_a_right_one() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let token = hsm.init_token("card");
    token.import(&person(&pki, KeyKind::P256), &[1], "key");
    let mut source = source(&hsm);
    let info = only(&mut source);
    let credential = source.credentials(&info.id).unwrap().remove(0);
    let mut sign = |text: &str| {
        let signed = source.sign(
            &info.id,
            job(&credential, &[message(SignatureAlgorithm::ES256)]),
            pin(text),
        );
        (signed, only(&mut source).pin.state)
    };
    assert_eq!(sign("87654321"), (Err(Error::PinIncorrect(None)), PinState::Low));
    // Too short, too long, empty: refused before the token sees it, so that the flag would stay as it is.
    let (right, state) = sign(PIN);
    assert_eq!((right.is_ok(), state), (true, PinState::Ok));
    for odd in ["", "123", &"1".repeat(256)] {
        let (refused, state) = sign(odd);
        assert!(
            matches!(refused, Err(Error::PinLength(4, 255))) || odd.len() > 255 && refused.is_err(),
            "{odd:?}"
        );
        assert_eq!(state, PinState::Ok, "{odd:?} spent a try");
    }
}

#[test]
fn several_tokens_and_their_certificates_are_told_apart() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let (ivanov, petrov) = (person(&pki, KeyKind::P256), pki.person("Петров Пётр Петрович").issue());
    hsm.init_token("one")
        .import(&ivanov, &[1], "a")
        .import(&petrov, &[2], "b");
    hsm.init_token_with("two", "11112222", "87654321")
        .import(&petrov, &[1], "b");
    let mut source = source(&hsm);
    let mut tokens = source.tokens().unwrap();
    tokens.sort_by(|a, b| a.label.cmp(&b.label));
    // The uninitialised token that SoftHSM always shows is not among them.
    assert_eq!(
        tokens.iter().map(|token| token.label.as_str()).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_ne!(tokens[0].id, tokens[1].id);
    assert_eq!(source.credentials(&tokens[0].id).unwrap().len(), 2);
    let two = source.credentials(&tokens[1].id).unwrap();
    assert_eq!(
        two.iter().map(|c| &c.certificate).collect::<Vec<_>>(),
        [&petrov.certificate]
    );
    let inputs = [message(SignatureAlgorithm::ES256)];
    assert_eq!(
        source.sign(&tokens[1].id, job(&two[0], &inputs), pin(PIN)),
        Err(Error::PinIncorrect(None))
    );
    let signed = source
        .sign(&tokens[1].id, job(&two[0], &inputs), pin("11112222"))
        .unwrap();
    verify(&petrov.certificate, SignatureAlgorithm::ES256, &signed[0]);
}

#[test]
fn a_certificate_without_its_key_is_not_offered_and_an_authority_s_goes_along() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let (ours, stranger) = (person(&pki, KeyKind::P256), pki.person("Петров Пётр Петрович").issue());
    let token = hsm.init_token("card");
    token.import(&ours, &[1], "ours");
    // Another person's certificate under our key's identifier, and one with an identifier of its own.
    token.add_certificate(&stranger.certificate, &[1], "stranger");
    token.add_certificate(&stranger.certificate, &[7], "keyless");
    token.add_certificate(&ours.intermediates[0], &[9], "authority");
    let mut source = source(&hsm);
    let info = only(&mut source);
    let credentials = source.credentials(&info.id).unwrap();
    // SoftHSM hides private keys before a login: a lone certificate may have one, a contradicted one may not.
    let of = |certificate: &[u8]| {
        credentials
            .iter()
            .filter(|c| c.certificate == certificate)
            .collect::<Vec<_>>()
    };
    let ours_offered = of(&ours.certificate);
    assert_eq!(ours_offered.len(), 1);
    assert_eq!(ours_offered[0].intermediates, vec![ours.intermediates[0].clone()]);
    assert!(of(&ours.intermediates[0]).is_empty());
    let keys: Vec<_> = of(&stranger.certificate).iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["07"]);
    // After the login its key is found to be missing; no signature by another key comes out.
    let keyless = of(&stranger.certificate)[0];
    let refused = source.sign(&info.id, job(keyless, &[message(SignatureAlgorithm::ES256)]), pin(PIN));
    assert!(matches!(refused, Err(Error::NoCertificate(_))), "{refused:?}");
}

#[test]
fn a_certificate_that_is_not_there_any_more_spends_no_try() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let token = hsm.init_token("card");
    token.import(&person(&pki, KeyKind::P256), &[1], "key");
    let mut source = source(&hsm);
    let info = only(&mut source);
    let mut credential = source.credentials(&info.id).unwrap().remove(0);
    credential.certificate = pki.person("Петров Пётр Петрович").issue().certificate;
    let inputs = [message(SignatureAlgorithm::ES256)];
    assert_eq!(
        source.sign(&info.id, job(&credential, &inputs), pin("87654321")),
        Err(Error::TokenRemoved)
    );
    assert_eq!(only(&mut source).pin.state, PinState::Ok);
    assert!(!token.pin_count_low());
}

#[test]
fn what_the_token_cannot_make_is_refused_before_the_login() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    hsm.init_token("card").import(&person(&pki, KeyKind::P256), &[1], "key");
    let mut source = source(&hsm);
    let info = only(&mut source);
    let credential = source.credentials(&info.id).unwrap().remove(0);
    let scheme = |scheme, hash| SignInput {
        scheme,
        hash,
        data: SignData::Message(MESSAGE.to_vec()),
    };
    for hash in [Sha256, Sha384, Sha512] {
        assert!(!credential.mechanisms.iter().any(|m| m.scheme == RsaPss));
        let refused = source.sign(&info.id, job(&credential, &[scheme(RsaPss, hash)]), pin(PIN));
        assert!(matches!(refused, Err(Error::UnsupportedAlgorithm(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn tokens_over_a_module_and_shutdown_with_it() {
    let (pki, hsm) = (TestPki::new(), SoftHsm::new());
    let issued = person(&pki, KeyKind::P256);
    hsm.init_token("card").import(&issued, &[1], "key");
    let tokens = Tokens::new(vec![Box::new(source(&hsm))]);
    let info = tokens.list().await.remove(0);
    let credential = tokens.credentials(&info.id).await.unwrap().remove(0);
    let inputs = [message(SignatureAlgorithm::ES256)];
    let signed = tokens
        .sign(&info.id, job(&credential, &inputs), pin(PIN), || Ok(()))
        .await
        .unwrap();
    verify(&issued.certificate, SignatureAlgorithm::ES256, &signed[0]);
}
