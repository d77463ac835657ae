#![allow(clippy::unwrap_used)]
use std::time::Duration;

use fixtures::pki::{Issued, KeyKind, KeyUsage};
use plugin_protocol::encoding::sha256;

use super::*;
use crate::prompt::Question;
use crate::world::{Held, Reply, World, documents, pki};

const RIGHT: Reply = Reply::Pin("123456");

fn with_usage(usage: &[KeyUsage]) -> Issued {
    pki().person("Тестов Тест Тестович").usage(usage).issue()
}

fn signing() -> Issued {
    with_usage(&[KeyUsage::NonRepudiation])
}

async fn run(world: &World, request: SignatureRequest) -> Ending<Signatures> {
    let documents = Documents::parse(request).unwrap();
    let life = Life::new(Duration::from_secs(120));
    sign(&world.app, &world.client(), &documents, &life, &|_| ()).await
}

#[tokio::test]
async fn every_document_is_shown_and_signed_under_one_consent() {
    let world = World::new(vec![Held::new("t", &[signing()])], vec![RIGHT]);
    let messages: [&[u8]; 3] = [b"one", b"two", b"three"];
    world.drawer.open().known = messages.iter().map(|message| message.to_vec()).collect();
    let signatures = run(&world, documents(&messages)).await.result.unwrap();
    assert_eq!(signatures.items.len(), 3);
    assert_eq!(world.drawer.tries(), 1, "one login for all");

    let asked = world.person.asked();
    let [Question::Consent(consent)] = &asked[..] else {
        panic!("one question: {asked:?}")
    };
    let Action::Sign(shown) = &consent.request.action else {
        panic!("another action")
    };
    let digests: Vec<_> = messages.iter().map(|message| hex(&sha256(message))).collect();
    assert_eq!(
        shown.iter().map(|document| document.digest.clone()).collect::<Vec<_>>(),
        digests
    );
    assert!(
        shown
            .iter()
            .all(|document| document.name.as_deref() == Some("договор.pdf"))
    );

    let record = &world.history()[0].record;
    assert_eq!(
        (record.action, record.outcome.as_str()),
        (history::Action::Signatures, "done")
    );
    assert_eq!(
        record
            .signed
            .iter()
            .map(|bytes| bytes.digest.clone())
            .collect::<Vec<_>>(),
        digests
    );
}

#[tokio::test]
async fn a_key_for_signing_in_signs_no_documents() {
    let world = World::new(
        vec![Held::new("t", &[with_usage(&[KeyUsage::DigitalSignature])])],
        vec![],
    );
    let refused = run(&world, documents(&[b"one"])).await.result.unwrap_err();
    assert_eq!(
        refused,
        Error::NoneFits("1 without the key usage nonRepudiation".to_owned())
    );
    assert_eq!(
        (world.drawer.tries(), world.outcomes()),
        (0, vec!["no_certificate".to_owned()])
    );
}

/// The key for signing in stands first on the token, and its certificate may even be asked for: it is not taken.
#[tokio::test]
async fn of_two_keys_the_one_for_signing_in_is_never_taken() {
    let (authentication, signing) = (with_usage(&[KeyUsage::DigitalSignature]), signing());
    let held = Held::new("t", &[authentication.clone(), signing.clone()]);
    let world = World::new(vec![held.clone()], vec![RIGHT]);
    world.drawer.open().known = vec![b"one".to_vec()];
    let signatures = run(&world, documents(&[b"one"])).await.result.unwrap();
    assert_eq!(signatures.certificate, base64(&signing.certificate));

    let world = World::new(vec![held], vec![]);
    let mut request = documents(&[b"one"]);
    request.certificate = Some(base64(&authentication.certificate));
    let refused = run(&world, request).await.result.unwrap_err();
    assert!(matches!(refused, Error::NoneFits(_)), "{refused:?}");
    assert_eq!((world.person.asked().len(), world.drawer.tries()), (0, 0));
}

/// What the person reads before they sign: whose site, around it which, what.
#[tokio::test]
async fn the_window_shows_origin_page_around_it_and_hash() {
    use crate::prompt::{Language, Room, Texts};
    let world = World::new(vec![Held::new("t", &[signing()])], vec![RIGHT]);
    world.drawer.open().known = vec![b"one".to_vec()];
    let mut request = documents(&[b"one"]);
    request.top_origin = Some("https://news.example".parse().unwrap());
    run(&world, request).await.result.unwrap();
    let asked = world.person.asked();
    for language in [Language::En, Language::Ru] {
        let text = Texts::new(language).question(&asked[0], Room::Window);
        assert!(text.head.starts_with("https://portal.example\n"), "{}", text.head);
        assert!(text.head.ends_with("\nhttps://news.example"), "{}", text.head);
        let body = text.body.concat();
        assert!(body.contains(&format!("(SHA-256): {}", hex(&sha256(b"one")))), "{body}");
    }
    let record = &world.history()[0].record;
    assert_eq!(record.top_origin.as_ref().unwrap().as_str(), "https://news.example");
}

#[tokio::test]
async fn only_the_certificate_that_was_asked_for_signs() {
    let (wanted, other) = (signing(), signing());
    let world = World::new(vec![Held::new("t", &[other.clone(), wanted.clone()])], vec![RIGHT]);
    world.drawer.open().known = vec![b"one".to_vec()];
    let mut request = documents(&[b"one"]);
    request.certificate = Some(base64(&wanted.certificate));
    let signatures = run(&world, request.clone()).await.result.unwrap();
    assert_eq!(signatures.certificate, base64(&wanted.certificate));

    let world = World::new(vec![Held::new("t", &[other])], vec![]);
    let refused = run(&world, request).await.result.unwrap_err();
    assert_eq!(refused, Error::NoneFits("1 not the one that was asked for".to_owned()));
}

#[tokio::test]
async fn a_hash_that_the_token_cannot_sign_is_told() {
    let world = World::new(vec![Held::new("t", &[signing()])], vec![]);
    let mut request = documents(&[b"one"]);
    request.items[0].hash_function = HashFunction::Sha384;
    request.items[0].hash = base64(&[0; 48]);
    let refused = run(&world, request).await.result.unwrap_err();
    assert!(matches!(refused, Error::UnsupportedAlgorithm(why) if why.contains("SHA-384")));

    let mut messages_only = Held::new("t", &[signing()]);
    messages_only.credentials[0].0.mechanisms[0].digest = false;
    let world = World::new(vec![messages_only], vec![]);
    let refused = run(&world, documents(&[b"one"])).await.result.unwrap_err();
    assert!(
        matches!(refused, Error::UnsupportedAlgorithm(_)),
        "a digest is not hashed again"
    );
}

#[tokio::test]
async fn a_gost_key_signs_streebog_digests_of_its_own_size_and_no_other() {
    use gost3410::{Algorithm, ParameterSet};
    let kind = KeyKind::Gost(Algorithm::Gost2012_512, ParameterSet::Tc26_512A);
    let gost = pki()
        .person("Тестов Тест Тестович")
        .key(kind)
        .usage(&[KeyUsage::NonRepudiation])
        .issue();
    let with = |hash: HashFunction| {
        let mut request = documents(&[b"one"]);
        request.items[0].hash_function = hash;
        request.items[0].hash = base64(&hash.digest(b"one"));
        request
    };
    let world = World::new(vec![Held::new("t", &[gost.clone(), signing()])], vec![RIGHT]);
    world.drawer.open().known = vec![b"one".to_vec()];
    let signed = run(&world, with(HashFunction::Streebog512)).await.result.unwrap();
    assert_eq!(
        signed.certificate,
        base64(&gost.certificate),
        "the other certificate was not offered"
    );
    assert_eq!(signed.items[0].scheme, SignatureScheme::Gost);
    let signature = from_base64(&signed.items[0].signature).unwrap();
    let key = gost3410::PublicKey::from_spki_der(gost.key.spki()).unwrap();
    let signature = gost3410::Signature::from_x509(&signature).unwrap();
    key.verify_digest(&HashFunction::Streebog512.digest(b"one"), &signature)
        .unwrap();

    for hash in [HashFunction::Sha256, HashFunction::Streebog256] {
        let world = World::new(vec![Held::new("t", std::slice::from_ref(&gost))], vec![]);
        let refused = run(&world, with(hash)).await.result.unwrap_err();
        assert!(matches!(refused, Error::UnsupportedAlgorithm(why) if why.contains(hash.name())));
    }
    let world = World::new(vec![Held::new("t", std::slice::from_ref(&gost))], vec![]);
    let credential = world.drawer.open().held[0].credentials[0].0.clone();
    let expected = SignatureMethod {
        scheme: SignatureScheme::Gost,
        hash_function: HashFunction::Streebog512,
    };
    assert_eq!(methods(&credential), Ok(vec![expected]));
}

#[test]
fn requests_outside_the_protocol_are_refused() {
    let refused = |change: &dyn Fn(&mut SignatureRequest)| {
        let mut request = documents(&[b"one", b"two"]);
        change(&mut request);
        match Documents::parse(request) {
            Err(Error::InvalidField(field, why)) => (field, why),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|r| r.items.clear()).0, "items");
    assert_eq!(refused(&|r| r.items = vec![r.items[0].clone(); 21]).0, "items");
    assert!(
        refused(&|r| r.items[1].hash = base64(&[0; 31]))
            .1
            .contains("document 2")
    );
    assert!(
        refused(&|r| r.items[0].hash = "?".to_owned())
            .1
            .contains("base64 of 32 bytes")
    );
    assert!(refused(&|r| r.items[0].name = Some("a\nb".into())).1.contains("U+000A"));
    assert!(
        refused(&|r| r.items[0].name = Some(String::new()))
            .1
            .contains("0 characters")
    );
    assert!(
        refused(&|r| r.items[0].name = Some("я".repeat(101)))
            .1
            .contains("101 characters")
    );
    assert_eq!(refused(&|r| r.certificate = Some("??".into())).0, "certificate");
    assert_eq!(refused(&|r| r.top_origin = Some(r.origin.clone())).0, "top_origin");
}

#[test]
fn a_name_cannot_look_like_another() {
    let mut request = documents(&[b"one"]);
    request.items[0].name = Some("invoice\u{202e}fdp.exe".to_owned());
    let documents = Documents::parse(request).unwrap();
    assert_eq!(documents.items[0].name.as_deref(), Some("invoice\u{fffd}fdp.exe"));
}
