#![allow(clippy::unwrap_used)]
use std::time::Duration;

use fixtures::pki::{Issued, KeyUsage};
use plugin_protocol::api::{CertificateRole, PinState, SignatureMethod, SignatureScheme};
use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::{ErrorCode, HashFunction};

use super::*;
use crate::prompt::{PinEntry, PromptError, Question};
use crate::token::Mechanism;
use crate::world::{Held, ORIGIN, Reply, World, pki};

fn with_usage(usage: &[KeyUsage]) -> Issued {
    pki().person("Тестов Тест Тестович").usage(usage).issue()
}

fn signing() -> Issued {
    with_usage(&[KeyUsage::NonRepudiation])
}

fn request() -> CertificateRequest {
    CertificateRequest {
        origin: ORIGIN.parse().unwrap(),
        top_origin: None,
        token: None,
        role: CertificateRole::Signing,
        origin_attested: true,
    }
}

async fn run(world: &World, request: CertificateRequest) -> Ending<SigningCertificate> {
    let disclosure = Disclosure::parse(request).unwrap();
    let life = Life::new(Duration::from_secs(120));
    disclose(&world.app, &world.client(), &disclosure, &life, &|_| ()).await
}

#[tokio::test]
async fn it_is_handed_over_after_a_yes_without_pin_or_signature() {
    let issued = signing();
    let authentication = with_usage(&[KeyUsage::DigitalSignature]);
    let world = World::new(
        vec![Held::new("t", &[authentication, issued.clone()])],
        vec![Reply::Yes],
    );
    let mut asked_for = request();
    asked_for.top_origin = Some("https://news.example".parse().unwrap());
    let ending = run(&world, asked_for).await;
    assert!(ending.test, "its issuer is a test authority");
    let given = ending.result.unwrap();
    assert_eq!(given.certificate, base64(&issued.certificate));
    let expected = SignatureMethod {
        scheme: SignatureScheme::Ecdsa,
        hash_function: HashFunction::Sha256,
    };
    assert_eq!(given.algorithms, [expected]);

    let asked = world.person.asked();
    let [Question::Consent(consent)] = &asked[..] else {
        panic!("one question: {asked:?}")
    };
    assert_eq!(
        (&consent.request.action, consent.pin),
        (&Action::Certificate(CertificateRole::Signing), PinEntry::None)
    );
    assert_eq!(
        consent.request.top_origin.as_ref().unwrap().as_str(),
        "https://news.example"
    );
    assert_eq!(consent.candidate.certificate.name, "Тестов Тест Тестович");
    assert!(!world.drawer.open().calls.contains(&"sign"));
    assert_eq!(world.drawer.tries(), 0);

    let record = &world.history()[0].record;
    assert_eq!(
        (record.action, record.outcome.as_str()),
        (history::Action::Certificate, "done")
    );
    assert_eq!(
        record.certificate.as_ref().unwrap().sha256,
        hex(&sha256(&issued.certificate))
    );
    assert_eq!(record.top_origin.as_ref().unwrap().as_str(), "https://news.example");
    assert!(record.signed.is_empty() && record.test);
}

#[tokio::test]
async fn a_key_for_signing_in_is_never_offered() {
    let world = World::new(
        vec![Held::new("t", &[with_usage(&[KeyUsage::DigitalSignature])])],
        vec![],
    );
    let refused = run(&world, request()).await.result.unwrap_err();
    assert_eq!(
        refused,
        Error::NoneFits("1 without the key usage nonRepudiation".to_owned())
    );
    assert_eq!(
        (world.person.asked().len(), world.outcomes()),
        (0, vec!["no_certificate".to_owned()])
    );
}

#[tokio::test]
async fn the_certificate_for_signing_in_is_handed_over_where_it_is_asked_for() {
    let both = with_usage(&[KeyUsage::DigitalSignature, KeyUsage::NonRepudiation]);
    let authentication = with_usage(&[KeyUsage::DigitalSignature]);
    let mut asked_for = request();
    asked_for.role = CertificateRole::Authentication;
    for (held, expected) in [
        (vec![signing(), authentication.clone()], authentication),
        (vec![both.clone()], both),
    ] {
        let world = World::new(vec![Held::new("t", &held)], vec![Reply::Yes]);
        let given = run(&world, asked_for.clone()).await.result.unwrap();
        assert_eq!(given.certificate, base64(&expected.certificate));
        assert!(given.algorithms.is_empty(), "documents are not signed with it here");
        let token = world.app.tokens.list().await[0].id.to_string();
        assert_eq!(given.token, Some(token));
        let asked = world.person.asked();
        let [Question::Consent(consent)] = &asked[..] else {
            panic!("one question: {asked:?}")
        };
        assert_eq!(
            consent.request.action,
            Action::Certificate(CertificateRole::Authentication)
        );
    }
    let world = World::new(vec![Held::new("t", &[signing()])], vec![]);
    let refused = run(&world, asked_for).await.result.unwrap_err();
    assert_eq!(
        refused,
        Error::NoneFits("1 without the key usage digitalSignature".to_owned())
    );
}

#[tokio::test]
async fn a_page_that_is_not_known_is_told_of_no_other_certificate_and_no_other_origin() {
    let world = World::new(
        vec![Held::new("t", &[with_usage(&[KeyUsage::DigitalSignature])])],
        vec![Reply::Yes],
    );
    let mut asked_for = request();
    asked_for.origin_attested = false;
    let refused = Disclosure::parse(asked_for.clone()).unwrap_err();
    assert!(
        matches!(refused, Error::InvalidField("origin_attested", _)),
        "{refused:?}"
    );
    asked_for.role = CertificateRole::Authentication;
    let mut embedded = asked_for.clone();
    embedded.top_origin = Some("https://news.example".parse().unwrap());
    let refused = Disclosure::parse(embedded).unwrap_err();
    assert!(matches!(refused, Error::InvalidField("top_origin", _)), "{refused:?}");
    let elsewhere = Disclosure::parse(asked_for.clone()).unwrap();
    let why = elsewhere.allowed(&world.app).unwrap_err();
    assert!(matches!(
        elsewhere.refuse(&world.app, &world.client(), why).await,
        Error::OriginNotAllowed(_)
    ));
    asked_for.origin = "https://esia.gosuslugi.ru".parse().unwrap();
    Disclosure::parse(asked_for.clone())
        .unwrap()
        .allowed(&world.app)
        .unwrap();
    run(&world, asked_for).await.result.unwrap();
    assert_eq!(world.outcomes(), ["origin_not_allowed", "done"]);
    assert!(world.history().iter().all(|entry| !entry.record.origin_attested));
}

#[tokio::test]
async fn without_a_yes_nothing_leaves() {
    for (end, code) in [
        (PromptError::Declined, ErrorCode::Declined),
        (PromptError::Cancelled, ErrorCode::Cancelled),
        (PromptError::TimedOut, ErrorCode::Expired),
    ] {
        let world = World::new(vec![Held::new("t", &[signing()])], vec![Reply::Fail(end)]);
        assert_eq!(run(&world, request()).await.result.unwrap_err().code(), code);
        assert_eq!(world.outcomes(), [code.name()]);
    }
}

#[tokio::test]
async fn a_pin_of_any_state_does_not_matter() {
    for state in [PinState::Locked, PinState::FinalTry, PinState::MustChange] {
        let held = Held::new("t", &[signing()]).pin(state, Some(0));
        let world = World::new(vec![held], vec![Reply::Yes]);
        assert!(run(&world, request()).await.result.is_ok(), "{state:?}");
        assert_eq!(world.person.asked().len(), 1, "no question about the last try");
    }
}

/// The algorithms are those that the signing itself would take.
#[tokio::test]
async fn the_algorithms_are_what_signing_makes() {
    let mut held = Held::new("t", &[signing()]);
    let mechanism = |scheme, hash, digest| Mechanism { scheme, hash, digest };
    held.credentials[0].0.mechanisms = vec![
        mechanism(SignatureScheme::Ecdsa, HashFunction::Sha512, true),
        mechanism(SignatureScheme::Ecdsa, HashFunction::Sha384, false),
        mechanism(SignatureScheme::RsaPkcs1, HashFunction::Sha384, true),
        mechanism(SignatureScheme::Ecdsa, HashFunction::Sha256, true),
    ];
    let world = World::new(vec![held.clone()], vec![Reply::Yes]);
    let given = run(&world, request()).await.result.unwrap();
    let hashes: Vec<_> = given.algorithms.iter().map(|method| method.hash_function).collect();
    assert_eq!(hashes, [HashFunction::Sha256, HashFunction::Sha512]);
    assert!(
        given
            .algorithms
            .iter()
            .all(|method| method.scheme == SignatureScheme::Ecdsa)
    );

    held.credentials[0]
        .0
        .mechanisms
        .iter_mut()
        .for_each(|mechanism| mechanism.digest = false);
    let world = World::new(vec![held], vec![]);
    let refused = run(&world, request()).await.result.unwrap_err();
    assert!(matches!(refused, Error::UnsupportedAlgorithm(_)), "{refused:?}");
}

#[test]
fn the_top_origin_is_another_one() {
    let mut same = request();
    same.top_origin = Some(same.origin.clone());
    let refused = Disclosure::parse(same).unwrap_err();
    assert!(matches!(refused, Error::InvalidField("top_origin", _)), "{refused:?}");
}
