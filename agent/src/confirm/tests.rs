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
use crate::prompt::{Action, Consent, PinEntry, PromptError, Question};
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
    assert_eq!(
        refused,
        Error::NoCertificate("2 not the one that was asked for".to_owned())
    );
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
        Error::NoCertificate(
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
        Error::NoCertificate("there is none on the token".to_owned())
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
async fn after_a_wrong_pin_the_person_types_again_and_sees_the_tries() {
    let world = World::new(vec![token()], vec![WRONG, RIGHT]);
    world.confirm(web_eid()).await.result.unwrap();
    let asked: Vec<_> = consents(&world)
        .iter()
        .map(|c| (c.attempt, c.candidate.token.pin.tries_left))
        .collect();
    assert_eq!(asked, [(1, Some(3)), (2, Some(2))]);
    assert_eq!(consents(&world)[1].candidate.token.pin.state, PinState::Low);
    assert_eq!(world.drawer.tries(), 2);
    assert_eq!(world.outcomes(), ["pin_incorrect", "done"]);
    assert_eq!(world.history()[0].record.tries_left, Some(2));
}

#[tokio::test]
async fn the_last_try_needs_another_yes_and_then_locks() {
    let held = token().pin(PinState::Low, Some(2));
    let world = World::new(vec![held], vec![WRONG, Reply::Yes, WRONG]);
    assert_eq!(refused(&world).await, (Error::PinLocked, 2));
    assert!(
        matches!(world.person.asked()[1], Question::LastTry(..)),
        "asked before the PIN"
    );
    assert_eq!(world.outcomes(), ["pin_incorrect", "pin_incorrect", "pin_locked"]);
}

#[tokio::test]
async fn a_last_try_declined_costs_none() {
    for held in [
        token().pin(PinState::FinalTry, None),
        token().pin(PinState::Low, Some(1)),
    ] {
        let world = World::new(vec![held], vec![Reply::Fail(PromptError::Declined)]);
        assert_eq!(refused(&world).await, (Error::Declined, 0));
        assert!(matches!(world.person.asked()[0], Question::LastTry(..)));
    }
}

#[tokio::test]
async fn a_pin_of_no_use_is_not_asked_for() {
    for (held, error) in [
        (token().pin(PinState::Locked, Some(0)), Error::PinLocked),
        (token().pin(PinState::Ok, Some(0)), Error::PinLocked),
        (token().pin(PinState::MustChange, None), Error::PinMustChange),
    ] {
        let world = World::new(vec![held], vec![]);
        assert_eq!(refused(&world).await, (error, 0));
        assert!(world.person.asked().is_empty());
        assert_eq!(world.history().len(), 1);
    }
}

#[tokio::test]
async fn a_pin_pad_and_a_token_without_a_pin_need_a_yes_alone() {
    for (held, entry) in [
        (token().pad(), PinEntry::Pad),
        (token().pin(PinState::NotNeeded, None), PinEntry::None),
    ] {
        let world = World::new(vec![held], vec![Reply::Yes]);
        world.confirm(web_eid()).await.result.unwrap();
        assert_eq!(consents(&world)[0].pin, entry);
    }
}

#[tokio::test]
async fn a_yes_without_the_pin_that_is_needed_signs_nothing() {
    let world = World::new(vec![token()], vec![Reply::Yes]);
    assert!(matches!(refused(&world).await, (Error::PromptUnavailable(_), 0)));
}

#[tokio::test]
async fn every_way_of_not_agreeing_is_told_and_remembered() {
    for (answer, error, outcome) in [
        (PromptError::Declined, Error::Declined, "declined"),
        (PromptError::Cancelled, Error::Cancelled, "cancelled"),
        (PromptError::TimedOut, Error::Expired, "expired"),
        (
            PromptError::Unavailable("no display".into()),
            Error::PromptUnavailable("no display".into()),
            "prompt_unavailable",
        ),
    ] {
        let world = World::new(vec![token()], vec![Reply::Fail(answer)]);
        assert_eq!(refused(&world).await, (error, 0));
        assert_eq!(world.outcomes(), [outcome]);
    }
}

#[tokio::test]
async fn a_token_swapped_between_consent_and_signature_costs_no_try() {
    let other = person();
    let world = World::new(vec![token()], vec![]);
    let inside = world.drawer.clone();
    let swap = move || {
        let mut inside = inside.open();
        inside.held[0].credentials = Held::new("token", &[other]).credentials;
    };
    world.person.say(Reply::after(swap, RIGHT));
    assert_eq!(refused(&world).await, (Error::TokenRemoved, 0));

    let world = World::new(vec![token()], vec![]);
    let inside = world.drawer.clone();
    world
        .person
        .say(Reply::after(move || inside.open().held.clear(), RIGHT));
    assert_eq!(refused(&world).await, (Error::TokenRemoved, 0));
    assert_eq!(world.outcomes(), ["token_removed"]);
}

#[tokio::test]
async fn a_pairing_revoked_while_the_window_is_open_costs_no_try() {
    let world = World::new(vec![token()], vec![]);
    let (app, id) = (world.app.clone(), world.caller.id.clone());
    world
        .person
        .say(Reply::after(move || assert!(app.pairings.revoke(&id).unwrap()), RIGHT));
    assert_eq!(refused(&world).await, (Error::Cancelled, 0));
    assert_eq!(world.outcomes(), ["cancelled"]);
}

#[tokio::test]
async fn an_unattended_prompt_never_tries_again_and_marks_its_results() {
    let world = World::with(vec![token()], Person::unattended(vec![WRONG]), Config::default());
    assert_eq!(refused(&world).await, (Error::PinIncorrect(Some(2)), 1));
    assert_eq!(world.outcomes(), ["pin_incorrect"]);
    let world = World::with(vec![token()], Person::unattended(vec![RIGHT]), Config::default());
    let ending = world.confirm(web_eid()).await;
    assert!(ending.result.is_ok() && ending.test);
    assert!(world.history()[0].record.test);
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
async fn a_source_that_fails_alone_is_told_at_once() {
    let world = World::new(vec![], vec![]);
    let failed = Error::ModuleFailed("drawer".into(), "crashed".into());
    world.drawer.open().listings.push_back(failed.clone());
    assert_eq!(refused(&world).await, (failed, 0));
    assert_eq!(world.outcomes(), ["module_failed"]);
}

#[tokio::test(start_paused = true)]
async fn the_window_for_inserting_closes_when_a_token_appears() {
    let frozen = Frozen::new();
    let world = World::new(vec![], vec![Reply::Hang, RIGHT]);
    // Years: the paused clock is pushed on while the token's thread answers in real time.
    let life = Life::new(Duration::from_secs(1 << 26));
    let confirming = world.confirm_within(web_eid(), &life);
    let inserting = async {
        world.person.asked_times(1).await;
        world.drawer.open().held.push(token());
        // The tokens are looked at about once a second.
        while world.person.asked().len() < 2 {
            tokio::time::advance(Duration::from_millis(500)).await;
            tokio::task::yield_now().await;
        }
    };
    let (ending, ()) = tokio::join!(confirming, inserting);
    ending.result.unwrap();
    assert!(matches!(world.person.asked()[0], Question::InsertToken(_)));
    assert_eq!(world.person.closed(), 1);
    drop(frozen);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_it_ends_with_its_time() {
    let _frozen = Frozen::new();
    let world = World::new(vec![], vec![Reply::Hang]);
    let life = Life::new(Duration::from_secs(5));
    let waiting = async {
        world.person.asked_times(1).await;
        tokio::time::advance(Duration::from_secs(6)).await;
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), waiting);
    assert_eq!(ending.result.unwrap_err(), Error::NoToken);
    assert_eq!(
        (world.person.closed(), world.outcomes()),
        (1, vec!["no_token".to_owned()])
    );
}

#[tokio::test]
async fn closing_the_window_for_inserting_cancels() {
    let world = World::new(vec![], vec![Reply::Fail(PromptError::Cancelled)]);
    assert_eq!(refused(&world).await, (Error::Cancelled, 0));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_closes_the_window_and_costs_no_try() {
    let frozen = Frozen::new();
    let world = World::new(vec![token()], vec![Reply::Hang]);
    let life = Life::new(Duration::from_secs(120));
    let waiting = async {
        world.person.asked_times(1).await;
        tokio::time::advance(Duration::from_secs(121)).await;
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), waiting);
    assert_eq!(ending.result.unwrap_err(), Error::Expired);
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
    assert_eq!(world.outcomes(), ["expired"]);
    drop(frozen);
}

#[tokio::test]
async fn cancelling_closes_the_window_and_costs_no_try() {
    let world = World::new(vec![token()], vec![Reply::Hang]);
    let life = Life::new(Duration::from_secs(120));
    let cancelling = async {
        world.person.asked_times(1).await;
        life.cancel();
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), cancelling);
    assert_eq!(ending.result.unwrap_err(), Error::Cancelled);
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
    assert_eq!(world.outcomes(), ["cancelled"]);
}

#[tokio::test]
async fn cancelled_while_it_signs_the_signature_is_thrown_away_and_remembered() {
    let world = World::new(vec![token()], vec![RIGHT]);
    let (go, hold) = std::sync::mpsc::channel();
    let (asked, signing) = tokio::sync::oneshot::channel();
    world.drawer.open().hold = Some(hold);
    world.drawer.open().asked = Some(asked);
    let life = Life::new(Duration::from_secs(120));
    let cancelling = async {
        signing.await.unwrap();
        life.cancel();
        go.send(()).unwrap();
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), cancelling);
    assert_eq!(ending.result.unwrap_err(), Error::Cancelled);
    let record = &world.history()[0].record;
    assert_eq!(
        (record.outcome.as_str(), record.signed.len()),
        ("cancelled", 1),
        "what was signed is known"
    );
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
mod literal;
