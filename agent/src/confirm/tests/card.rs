//! The format `uec`, from the request to the proof, with the real family on the virtual card.

use std::sync::Arc;

use fixtures::card::kit;
use fixtures::card::uec::{SignatureAnswer, UecCard, Variant};
use fixtures::cvc::{Suite, UecPki, Version};
use plugin_protocol::uec::UecApplication;

use super::*;
use crate::certificate::Summary;
use crate::config::{PlacedPath, TerminalConfig, UecConfig};
use crate::prompt::{Language, Room, Texts};
use crate::token::card::pcsc::mock::World as Service;
use crate::token::card::source::{Cards, Options};
use crate::token::card::uec::{Terminals, Uec};
use crate::token::worker::Tokens;
use crate::token::{Closed, Source, Strange};

fn pki() -> UecPki {
    UecPki::at(Version::V11, Suite::Gost, NOW)
}

const READER: &str = "Reader 00";

/// A world with this card in a reader, for which a terminal is configured.
fn world(card: UecCard, terminal: bool, replies: Vec<Reply>) -> World {
    world_of(card, terminal, true, replies)
}

/// The same, where `roots` are named or not: `roots = []`.
fn world_of(card: UecCard, terminal: bool, roots: bool, replies: Vec<Reply>) -> World {
    let mut world = World::new(Vec::new(), replies);
    let placed = |path: &std::path::PathBuf| PlacedPath::new(path.clone());
    let files = card.write_terminal(world.folder.path());
    let terminals = files.iter().filter(|_| terminal).map(|files| TerminalConfig {
        operator_certificate: placed(&files.operator_certificate),
        certificate: placed(&files.certificate),
        key: placed(&files.key),
    });
    let config = UecConfig {
        terminals: terminals.collect(),
        roots: Some(
            files
                .iter()
                .filter(|_| roots)
                .map(|files| placed(&files.root))
                .collect(),
        ),
    };
    let service = Service::running();
    service.plug(READER);
    service.insert(
        READER,
        card.behaving(|behaviour| behaviour.protocol = kit::Protocol::T1),
    );
    let family = Uec::new(Arc::new(Terminals::load(&config))).by(world.app.clock.clone());
    let options = Options {
        pads: false,
        leave: Vec::new(),
    };
    let mut cards = Cards::new(Arc::new(service), vec![Box::new(family)], options);
    let begun = std::time::Instant::now();
    while {
        let listing = cards.listing();
        listing.tokens.unwrap().is_empty() && listing.strangers.is_empty()
    } {
        assert!(begun.elapsed() < Duration::from_secs(10), "no card appeared");
        std::thread::yield_now();
    }
    Arc::get_mut(&mut world.app).unwrap().tokens = Tokens::new(vec![Box::new(cards)]);
    world
}

fn virtual_card() -> UecCard {
    UecCard::with_pkis(Variant::ordinary(Version::V11, Suite::Gost), vec![pki()]).without_clock()
}

fn uec(holder: bool) -> ConfirmationRequest {
    ConfirmationRequest {
        holder_signature: holder,
        ..request(ProofFormat::Uec)
    }
}

#[tokio::test]
async fn a_card_proves_itself_and_its_holder_by_pin1() {
    let world = world(virtual_card(), true, vec![Reply::Pin("1234")]);
    let Proof::Uec(proof) = world.confirm(uec(false)).await.result.unwrap() else {
        panic!("another format")
    };
    assert_eq!((proof.version, proof.application), (1, UecApplication::V11));
    assert_eq!(from_base64(&proof.certificate).unwrap(), pki().application.certificate);
    assert!(proof.data.is_some() && proof.holder.is_none() && proof.terminal.is_some());
    let statement = String::from_utf8(from_base64(&proof.statement).unwrap()).unwrap();
    let named = hex(&sha256(&pki().application.certificate));
    assert!(
        statement.contains(&named) && statement.contains(crate::world::ORIGIN),
        "{statement}"
    );

    let asked = consents(&world);
    let action = Action::ConfirmCard {
        purpose: Purpose::ConfirmIdentity,
        signed: false,
    };
    assert_eq!(asked[0].request.action, action);
    assert!(asked[0].candidate.certificate.name.starts_with("УЭК •••• "));
    let record = &world.history()[0].record;
    assert_eq!(
        (record.outcome.as_str(), record.format),
        ("done", Some(ProofFormat::Uec))
    );
    assert_eq!(record.signed[0].digest, hex(&sha256(statement.as_bytes())));
    let text = std::fs::read_to_string(world.app.history.path()).unwrap();
    let holder = pki().holder;
    for secret in [&holder.surname, &holder.snils, &holder.pan] {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
}

#[tokio::test]
async fn the_holder_signs_by_pin2_when_it_is_asked_for() {
    let world = world(virtual_card(), true, vec![Reply::Pin("5678")]);
    let Proof::Uec(proof) = world.confirm(uec(true)).await.result.unwrap() else {
        panic!("another format")
    };
    assert!(proof.data.is_none());
    let holder = proof.holder.unwrap();
    let certificate = Summary::read(&from_base64(&holder.certificates[0]).unwrap()).unwrap();
    assert_eq!(certificate.name, pki().holder.full_name());
    assert_eq!(from_base64(&holder.signature).unwrap().len(), 64);
    assert_eq!(consents(&world)[0].candidate.token.pin.name.as_deref(), Some("PIN2"));
}

#[tokio::test]
async fn after_a_wrong_pin_the_person_is_asked_again_with_the_tries_the_card_told() {
    let world = world(virtual_card(), true, vec![Reply::Pin("4321"), Reply::Pin("1234")]);
    world.confirm(uec(false)).await.result.unwrap();
    let asked = consents(&world);
    assert_eq!(asked[0].candidate.token.pin.tries_left, None, "it tells none unasked");
    assert_eq!(
        (asked[1].attempt, asked[1].candidate.token.pin.tries_left),
        (2, Some(2))
    );
    assert_eq!(world.outcomes(), ["pin_incorrect", "done"]);
}

#[tokio::test]
async fn a_signature_that_verifies_in_no_order_is_not_handed_out() {
    let mut wrong = pki();
    wrong.holder_key = fixtures::cvc::Key::gost_named("somebody else");
    let card = UecCard::with_pkis(Variant::ordinary(Version::V11, Suite::Gost), vec![wrong]).without_clock();
    let refused = world(card, true, vec![Reply::Pin("5678")]).confirm(uec(true)).await;
    assert_eq!(refused.result.unwrap_err(), Error::SignatureMismatch);
    let silent = virtual_card().behaving(|behaviour| behaviour.signature = SignatureAnswer::Nothing);
    let refused = world(silent, true, vec![Reply::Pin("5678")]).confirm(uec(true)).await;
    assert_eq!(refused.result.unwrap_err(), Error::SignatureMismatch);
}

/// The operation goes on: another card may do.
#[tokio::test]
async fn a_card_of_no_use_is_told_of_in_the_window_that_waits_for_one_and_nobody_is_asked_for_its_pin() {
    let yesterday = NOW - fixtures::pki::DAY;
    let day = time::OffsetDateTime::from_unix_timestamp(yesterday).unwrap().date();
    let (month, year) = (u8::from(day.month()), day.year());
    let last = format!("{:02}.{month:02}.{year}", day.day());
    let old = || virtual_card().valid(NOW - 900 * fixtures::pki::DAY, yesterday);
    let blocked = virtual_card().behaving(|behaviour| behaviour.status = 0x7F);
    for (card, terminal, why, words) in [
        (
            virtual_card(),
            false,
            Closed::TerminalMissing,
            "в настройках eid-agent их нет",
        ),
        (old(), false, Closed::Expired(day), last.as_str()),
        (old(), true, Closed::Expired(day), last.as_str()),
        (blocked, true, Closed::OutOfOrder, "заблокирована"),
    ] {
        let world = world(card, terminal, vec![Reply::Fail(PromptError::Cancelled)]);
        assert_eq!(world.confirm(uec(false)).await.result.unwrap_err(), Error::Cancelled);
        let mut asked = world.person.asked();
        assert_eq!(asked.len(), 1);
        let question = asked.remove(0);
        let Question::InsertToken(_, strangers) = &question else {
            panic!("{question:?}")
        };
        let [stranger] = &strangers[..] else {
            panic!("{strangers:?}")
        };
        assert_eq!(stranger.reader, READER);
        assert!(
            matches!(stranger.why, Strange::Closed(card) if card.why == why),
            "{stranger:?}"
        );
        let text = Texts::new(Language::Ru)
            .question(&question, Room::Window)
            .body
            .join("\n");
        for part in [
            words,
            "универсальная электронная карта (УЭК)",
            "завершилась в 2016 году",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[tokio::test]
async fn without_roots_the_window_says_that_the_card_was_not_checked() {
    for roots in [true, false] {
        let world = world_of(virtual_card(), true, roots, vec![Reply::Pin("1234")]);
        world.confirm(uec(false)).await.result.unwrap();
        let consent = consents(&world).remove(0);
        for (language, words) in [
            (Language::En, "nothing checked that this card is genuine"),
            (Language::Ru, "подлинность этой карты не проверена"),
        ] {
            for room in [Room::Window, Room::Scroll] {
                let text = Texts::new(language).question(&Question::Consent(consent.clone()), room);
                assert_eq!(text.body.join("\n").contains(words), !roots, "{text:?}");
            }
        }
    }
}

#[tokio::test]
async fn other_formats_and_other_tokens_are_refused_with_a_sentence() {
    for format in ProofFormat::X509 {
        let world = world(virtual_card(), true, Vec::new());
        let refused = world.confirm(request(format)).await.result.unwrap_err();
        assert!(
            matches!(&refused, Error::UnsupportedAlgorithm(why) if why.contains("by the format uec alone")),
            "{format}: {refused}"
        );
    }
    let world = World::new(vec![token()], Vec::new());
    let refused = world.confirm(uec(false)).await.result.unwrap_err();
    assert!(
        matches!(&refused, Error::UnsupportedAlgorithm(why) if why.contains("universal electronic card alone")),
        "{refused}"
    );
    assert_eq!(world.drawer.tries(), 0);
}
