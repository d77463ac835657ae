#![allow(clippy::unwrap_used)]
use std::time::Duration;

use fixtures::pki::{Issued, KeyKind, KeyUsage};
use plugin_protocol::api::PinState;
use plugin_protocol::encoding::{from_base64, hex, sha256};
use plugin_protocol::{ErrorCode, Origin, Proof, ProofFormat, Purpose};

use crate::config::Config;
use crate::error::Error;
use crate::life::Life;
use crate::policy::LiteralOrigins;
use crate::prompt::{Action, Consent, PinEntry, PromptError, Question, Refused};
use crate::world::{Frozen, Held, NOW, Person, Reply, World, pki, request};

use super::*;

const RIGHT: Reply = Reply::Pin("123456");
const WRONG: Reply = Reply::Pin("000000");

fn person() -> Issued {
    pki().person("Тестов Тест Тестович").issue()
}

fn token() -> Held {
    Held::new("token", &[person()])
}

fn consents(world: &World) -> Vec<Consent> {
    let asked = world.person.asked().into_iter();
    asked
        .filter_map(|question| {
            if let Question::Consent(consent) = question {
                Some(consent)
            } else {
                None
            }
        })
        .collect()
}

fn web_eid() -> ConfirmationRequest {
    request(ProofFormat::WebEid)
}

/// The error of a confirmation, and how many PIN tries it cost.
async fn refused(world: &World) -> (Error, usize) {
    let ending = world.confirm(web_eid()).await;
    (ending.result.unwrap_err(), world.drawer.tries())
}

#[tokio::test]
async fn one_certificate_one_question_one_try_one_record() {
    let world = World::new(vec![token()], vec![RIGHT]);
    let ending = world.confirm(web_eid()).await;
    let Proof::WebEid(proof) = ending.result.unwrap() else {
        panic!("another format")
    };
    let certificate = world.drawer.open().held[0].credentials[0].0.certificate.clone();
    assert_eq!(from_base64(&proof.unverified_certificate).unwrap(), certificate);

    let asked = consents(&world);
    assert_eq!((asked.len(), world.person.asked().len()), (1, 1));
    assert_eq!(asked[0].request.origin.as_str(), crate::world::ORIGIN);
    assert_eq!(asked[0].request.action, Action::Confirm(Purpose::ConfirmIdentity));
    assert_eq!(asked[0].request.client, "Plugin");
    assert_eq!((asked[0].pin, asked[0].attempt), (PinEntry::Window, 1));
    assert_eq!(
        asked[0].candidate.token.pin.tries_left,
        Some(3),
        "told before they type"
    );

    assert_eq!(
        world.drawer.open().calls,
        ["tokens", "credentials", "sign"],
        "nothing is read twice"
    );
    assert_eq!(world.drawer.tries(), 1);
    let history = world.history();
    assert_eq!(history.len(), 1);
    let record = &history[0].record;
    assert_eq!(
        (record.outcome.as_str(), record.format),
        ("done", Some(ProofFormat::WebEid))
    );
    assert_eq!(record.certificate.as_ref().unwrap().sha256, hex(&sha256(&certificate)));
    assert_eq!(record.signed.len(), 1);
    let text = std::fs::read_to_string(world.app.history.path()).unwrap();
    assert!(
        !text.contains("Тестов") && !text.contains("123456"),
        "neither names nor PINs: {text}"
    );
}

#[tokio::test]
async fn every_format_is_made() {
    let config = Config {
        literal: crate::config::LiteralConfig {
            origins: LiteralOrigins::new(vec![crate::world::ORIGIN.parse().unwrap()]),
        },
        ..Config::default()
    };
    for format in ProofFormat::X509 {
        let world = World::with(vec![token()], Person::new(vec![RIGHT]), config.clone());
        let confirmation = Confirmation::parse(request(format)).unwrap();
        confirmation.allowed(&world.app).unwrap();
        let ending = world.confirm(request(format)).await;
        assert_eq!(ending.result.unwrap().format(), format);
        let literal = matches!(consents(&world)[0].request.action, Action::ConfirmLiteral(_));
        assert_eq!(
            literal,
            format == ProofFormat::CmsChallenge,
            "the person is told of the literal form"
        );
    }
}

#[tokio::test]
async fn requests_outside_the_protocol_are_refused_before_any_token() {
    let parse = |change: &dyn Fn(&mut ConfirmationRequest)| {
        let mut request = web_eid();
        change(&mut request);
        Confirmation::parse(request).unwrap_err()
    };
    assert!(
        matches!(parse(&|r| r.format = "web-eid:2.0".into()), Error::UnsupportedFormat(why) if why.contains("web-eid:2.0"))
    );
    assert!(matches!(
        parse(&|r| r.challenge = "c".repeat(43).parse().unwrap()),
        Error::InvalidField("challenge", _)
    ));
    assert!(matches!(
        parse(&|r| r.detached = true),
        Error::InvalidField("detached", _)
    ));
    let mut literal = request(ProofFormat::CmsChallenge);
    literal.challenge = "c".repeat(32).parse().unwrap();
    Confirmation::parse(literal).unwrap();
}

#[tokio::test]
async fn a_certificate_that_is_named_leaves_no_choice() {
    let (first, second) = (person(), person());
    let held = || Held::new("token", &[first.clone(), second.clone()]);
    for named in [&first, &second] {
        let world = World::new(vec![held()], vec![RIGHT]);
        let mut asked = web_eid();
        asked.certificate = Some(plugin_protocol::encoding::base64(&named.certificate));
        let Proof::WebEid(proof) = world.confirm(asked).await.result.unwrap() else {
            panic!("another format")
        };
        assert_eq!(from_base64(&proof.unverified_certificate).unwrap(), named.certificate);
        assert_eq!(world.person.asked().len(), 1, "no question which");
    }
    let world = World::new(vec![held()], vec![]);
    let mut asked = web_eid();
    asked.certificate = Some("MIID".to_owned());
    let refused = world.confirm(asked.clone()).await.result.unwrap_err();
    assert_eq!(refused, Error::NoneFits("2 not the one that was asked for".to_owned()));
    asked.certificate = Some("-----BEGIN".to_owned());
    let refused = Confirmation::parse(asked).unwrap_err();
    assert!(matches!(refused, Error::InvalidField("certificate", _)));
}

#[tokio::test]
async fn of_several_certificates_the_chosen_one_signs() {
    let world = World::new(
        vec![
            Held::new("first", &[person(), person()]),
            Held::new("second", &[person()]),
        ],
        vec![Reply::Chosen(2), RIGHT],
    );
    world.confirm(web_eid()).await.result.unwrap();
    let Question::Choose(_, candidates) = &world.person.asked()[0] else {
        panic!("not asked to choose")
    };
    assert_eq!(candidates.len(), 3);
    assert_eq!(consents(&world)[0].candidate.token.label, "second");
    let mut named = web_eid();
    named.token = Some(candidates[2].token.id.to_string());
    drop(world);
    let world = World::new(
        vec![
            Held::new("first", &[person(), person()]),
            Held::new("second", &[person()]),
        ],
        vec![RIGHT],
    );
    world.confirm(named).await.result.unwrap();
    assert_eq!(
        consents(&world)[0].candidate.token.label,
        "second",
        "a named token leaves no choice"
    );
}

#[tokio::test]
async fn a_choice_that_is_none_is_refused() {
    let world = World::new(vec![Held::new("t", &[person(), person()])], vec![Reply::Chosen(2)]);
    assert!(matches!(refused(&world).await, (Error::Internal(_), 0)));
}

#[tokio::test]
async fn certificates_that_do_not_fit_are_left_out_with_their_reasons() {
    let pki = pki();
    let expired = pki.person("Иванов").not_before(NOW - 1000).not_after(NOW - 1).issue();
    let early = pki.person("Иванов").not_before(NOW + 1).issue();
    let signing = pki.person("Иванов").usage(&[KeyUsage::NonRepudiation]).issue();
    let mut authority = person();
    authority.certificate.clone_from(&pki.root.certificate);
    let mut garbage = person();
    garbage.certificate = vec![0x30, 0x00];
    let unfit = [expired.clone(), expired, early, signing, authority, garbage];

    let world = World::new(vec![Held::new("t", &unfit)], vec![]);
    let (error, tries) = refused(&world).await;
    assert_eq!(
        error,
        Error::NoneFits(
            "2 expired, 1 not valid yet, 1 without the key usage digitalSignature, \
             1 of a certification authority, 1 not readable"
                .to_owned()
        )
    );
    assert_eq!((tries, world.outcomes()), (0, vec!["no_certificate".to_owned()]));

    let mut with_one = unfit.to_vec();
    with_one.push(person());
    let world = World::new(vec![Held::new("t", &with_one)], vec![RIGHT]);
    world.confirm(web_eid()).await.result.unwrap();

    let world = World::new(vec![Held::new("empty", &[])], vec![]);
    assert_eq!(
        refused(&world).await.0,
        Error::NoneFits("there is none on the token".to_owned())
    );
}

#[tokio::test]
async fn a_key_without_a_mechanism_is_told_as_such() {
    let mut held = token();
    held.credentials[0].0.mechanisms.clear();
    let world = World::new(vec![held], vec![]);
    assert!(matches!(refused(&world).await, (Error::UnsupportedAlgorithm(_), 0)));
}

fn gost_person() -> Issued {
    let kind = KeyKind::Gost(gost3410::Algorithm::Gost2012_256, gost3410::ParameterSet::CryptoProXchA);
    pki().person("Гостев Тест Тестович").key(kind).issue()
}

#[tokio::test]
async fn a_gost_certificate_makes_cms_and_is_left_out_where_the_format_has_no_name_for_it() {
    let world = World::new(vec![Held::new("gost", &[gost_person()])], vec![RIGHT]);
    let ending = world.confirm(request(ProofFormat::Cms)).await;
    assert!(matches!(ending.result, Ok(Proof::Cms(_))));
    assert_eq!(world.drawer.tries(), 1);

    for format in [ProofFormat::WebEid, ProofFormat::Jws] {
        let alone = World::new(vec![Held::new("gost", &[gost_person()])], vec![]);
        let error = alone.confirm(request(format)).await.result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UnsupportedAlgorithm);
        let told = error.to_string();
        assert!(
            told.contains("GOST R 34.10-2012") && told.contains("cms and cms-challenge"),
            "{told}"
        );
        assert_eq!(
            (alone.drawer.tries(), alone.outcomes()),
            (0, vec!["unsupported_algorithm".to_owned()])
        );

        // Beside one that fits there is nothing to choose.
        let both = World::new(vec![Held::new("both", &[gost_person(), person()])], vec![RIGHT]);
        both.confirm(request(format)).await.result.unwrap();
        assert_eq!(both.person.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_gost_signature_of_another_key_never_leaves() {
    let world = World::new(vec![Held::new("gost", &[gost_person()])], vec![RIGHT]);
    world.drawer.open().lies = true;
    let error = world.confirm(request(ProofFormat::Cms)).await.result.unwrap_err();
    assert_eq!(error, Error::SignatureMismatch);
}

#[tokio::test]
async fn a_test_token_and_a_test_certificate_mark_the_result() {
    let mut held = token();
    held.info.test = true;
    let world = World::new(vec![held], vec![RIGHT]);
    assert!(world.confirm(web_eid()).await.test, "a test token");
    let world = World::new(vec![token()], vec![RIGHT]);
    assert!(world.confirm(web_eid()).await.test, "the issuer is a test authority");
}

#[tokio::test]
async fn a_signature_by_another_key_is_not_handed_out() {
    let world = World::new(vec![token()], vec![RIGHT]);
    world.drawer.open().lies = true;
    assert_eq!(refused(&world).await, (Error::SignatureMismatch, 1));
    assert_eq!(world.outcomes(), ["signature_mismatch"]);
}

#[tokio::test]
async fn what_cannot_be_remembered_is_not_handed_out() {
    let world = World::new(vec![token()], vec![RIGHT]);
    std::fs::create_dir(world.folder.path().join("history.jsonl")).unwrap();
    assert!(matches!(refused(&world).await, (Error::History(_), 1)));
}

#[tokio::test]
async fn the_windows_name_the_command_line_when_it_asks() {
    let world = World::new(vec![token()], vec![RIGHT]);
    let confirmation = Confirmation::parse(web_eid()).unwrap();
    let life = Life::new(Duration::from_secs(120));
    let ending = confirm(&world.app, &Client::CommandLine, &confirmation, &life, &|_| ()).await;
    ending.result.unwrap();
    assert_eq!(world.history()[0].record.client.id, "command-line");
    let origin: Origin = crate::world::ORIGIN.parse().unwrap();
    assert_eq!(consents(&world)[0].request.origin, origin);
}

#[tokio::test]
async fn the_page_around_the_portal_is_shown_and_remembered_and_another_one() {
    let world = World::new(vec![Held::new("t", &[person()])], vec![RIGHT]);
    let mut embedded = request(ProofFormat::Jws);
    embedded.top_origin = Some("https://news.example".parse().unwrap());
    world.confirm(embedded.clone()).await.result.unwrap();
    let asked = world.person.asked();
    let [Question::Consent(consent)] = &asked[..] else {
        panic!("one question: {asked:?}")
    };
    assert_eq!(consent.request.top_origin, embedded.top_origin);
    assert_eq!(world.history()[0].record.top_origin, embedded.top_origin);
    embedded.top_origin = Some(embedded.origin.clone());
    let refused = Confirmation::parse(embedded).unwrap_err();
    assert!(matches!(refused, Error::InvalidField("top_origin", _)), "{refused:?}");
}

mod card;
mod consent;
mod endings;
mod literal;
mod strangers;
