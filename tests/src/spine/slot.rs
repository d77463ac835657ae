//! A card that comes and goes, and the windows that speak of it.

use plugin_protocol::ErrorCode;
use plugin_protocol::api::OperationState;

use super::RIGHT;
use super::formats::judge;
use crate::ask::{confirmation, signatures};
use crate::card::{Kind, Wish};
use crate::pinentry::script::NO_CARD_YET;
use crate::scene::{Scene, code};

/// Taken out while the person reads: no PIN is tried, and the next operation works.
pub async fn a_token_removed_between_consent_and_signature(kind: Kind) {
    let card = kind.make(&Wish::default());
    let scene = Scene::open(card.setup()).await;
    let started = scene.begin(&confirmation("cms"), &["held pin 12345678"]).await;
    card.remove();
    scene.person.release();
    assert_eq!(code(&scene.end(started).await), ErrorCode::TokenRemoved);
    assert_eq!(card.logins(), 0);
    card.insert();
    let done = scene.confirm(&confirmation("cms"), &[RIGHT]).await;
    assert_eq!(done.state, OperationState::Done, "{:?}", done.problem);
    assert_eq!(scene.outcomes().await, ["token_removed", "done"]);
}

/// An operation waits for a card, and goes on with the one that is put in.
pub async fn a_token_that_is_put_in_wakes_the_operation(kind: Kind) {
    let card = kind.make(&Wish::default());
    let scene = Scene::open(card.setup()).await;
    card.remove();
    let request = confirmation("cms");
    let started = scene.begin(&request, &[NO_CARD_YET, RIGHT]).await;
    let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
    assert_eq!(waiting.state, OperationState::AwaitingToken);
    assert!(scene.person.shown().contains("Insert your card or token"));
    card.insert();
    let done = scene.end(started).await;
    judge(&*card).accept(&request, &done);
    scene.person.wait_until_closed().await;
    scene.event("the token", |event| event["type"] == "token.added").await;
    card.remove();
    scene.event("its end", |event| event["type"] == "token.removed").await;
}

/// The window names the portal, the certificate and the card; a no costs nothing.
pub async fn the_window_tells_whose_certificate_on_which_card(kind: Kind) {
    let card = kind.make(&Wish::default());
    let scene = Scene::open(card.setup()).await;
    let operation = scene.confirm(&confirmation("cms"), &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = words(&scene.person.shown());
    for told in [
        "SETTITLE Confirm your identity",
        "SETDESC https://portal.example ",
        "asks you to confirm who you are.",
        "Certificate: Иванов Иван Иванович ",
        "Issued by: Test intermediate ",
        "Valid from 2023-11-14 to 2096-10-02 ",
        "Card or token: Рутокен",
        "TEST TOKEN",
        "SETPROMPT PIN:",
    ] {
        assert!(shown.contains(told), "{told:?} is not in {shown}");
    }
    assert!(!scene.agent.log().contains("Иванов"), "the log names nobody");
    for no in ["no", "cancel"] {
        let declined = scene.confirm(&confirmation("cms"), &[no]).await;
        assert_eq!(code(&declined), ErrorCode::Declined);
    }
    let mut documents = signatures(&[("Договор № 7.pdf", b"one")]);
    for item in &mut documents.items {
        let hash = card.algorithm().hash();
        item.hash_function = hash;
        item.hash = plugin_protocol::encoding::base64(&hash.digest(b"one"));
    }
    assert_eq!(code(&scene.sign(&documents, &["no"]).await), ErrorCode::Declined);
    let shown = words(&scene.person.shown());
    assert!(shown.contains("Document: Договор № 7.pdf "), "{shown}");
    assert_eq!((card.pins_tried(), card.signings()), (1, 1));
}

/// What was shown, with its lines joined: where they break is the window's affair.
fn words(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}
