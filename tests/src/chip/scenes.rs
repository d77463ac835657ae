//! What every kind of card must come through on every ground. Each scene ends with a confirmation that works.

use std::time::Instant;

use fixtures::card::VirtualCard;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::OperationState;

use super::{Desk, Ground, Kind};
use crate::ask::confirmation;
use crate::process::PATIENCE;
use crate::scene::{Scene, code};

/// A format that carries every algorithm, and that OpenSSL verifies.
const FORMAT: &str = "cms";

/// The right PIN is typed once and sent once, and the proof is the certificate's.
async fn confirms(desk: &Desk, scene: &Scene) {
    seen(scene).await;
    let before = desk.pins_sent();
    let request = confirmation(FORMAT);
    let operation = scene.confirm(&request, &[&desk.right()]).await;
    let identity = desk.judge().accept(&request, &operation);
    assert_eq!(identity.certificate_der(), desk.issued.certificate);
    assert_eq!((desk.pins_sent() - before, scene.person.pins_asked()), (1, 1));
    assert_eq!(desk.watch.forbidden(), Vec::<String>::new());
}

/// Waits until the agent has seen the card; it asks for one otherwise.
async fn seen(scene: &Scene) {
    let deadline = Instant::now() + PATIENCE;
    while scene
        .plugin
        .tokens()
        .await
        .expect("the agent answers")
        .tokens
        .is_empty()
    {
        assert!(Instant::now() < deadline, "the agent does not see the card");
    }
}

/// Twice: what was verified for the first does not serve the second.
pub async fn a_confirmation(ground: Ground, kind: Kind) {
    let desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    confirms(&desk, &scene).await;
    confirms(&desk, &scene).await;
    assert_eq!((desk.watch.signatures(), desk.watch.tries_spent()), (2, 0));
}

/// Each wrong PIN costs one try, and the right one gives them back.
pub async fn a_wrong_pin_then_the_right_one(ground: Ground, kind: Kind) {
    let desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    let request = confirmation(FORMAT);
    let operation = scene.confirm(&request, &[&desk.wrong(), &desk.right()]).await;
    desk.judge().accept(&request, &operation);
    assert_eq!((desk.pins_sent(), desk.watch.tries_spent()), (2, 1));
    let shown = scene.person.shown();
    let told = format!("SETERROR Wrong PIN. {} tries are left.", kind.tries - 1);
    assert!(shown.contains(&told), "{shown}");
    let declined = scene.confirm(&confirmation(FORMAT), &["no"]).await;
    assert_eq!(code(&declined), ErrorCode::Declined);
    assert_eq!(desk.pins_sent(), 2);
    confirms(&desk, &scene).await;
}

/// Nobody spends the last try without having said so.
pub async fn the_last_try_needs_an_extra_yes(ground: Ground, kind: Kind) {
    let desk = Desk::with_tries(ground, kind, 1);
    let scene = desk.scene().await;
    let declined = scene.confirm(&confirmation(FORMAT), &["no", &desk.right()]).await;
    assert_eq!(code(&declined), ErrorCode::Declined);
    assert_eq!((desk.pins_sent(), scene.person.pins_asked()), (0, 0));
    let request = confirmation(FORMAT);
    let operation = scene.confirm(&request, &["yes", &desk.right()]).await;
    desk.judge().accept(&request, &operation);
    assert_eq!((desk.pins_sent(), desk.watch.tries_spent()), (1, 0));
    confirms(&desk, &scene).await;
}

/// No PIN is sent to a locked card, whatever the person does.
pub async fn a_locked_pin_is_not_tried(ground: Ground, kind: Kind) {
    let desk = Desk::with_tries(ground, kind, 0);
    let scene = desk.scene().await;
    let operation = scene.confirm(&confirmation(FORMAT), &["no"]).await;
    assert_eq!(code(&operation), ErrorCode::PinLocked);
    assert_eq!((desk.pins_sent(), scene.person.pins_asked()), (0, 0));
}

/// An operation waits for a card, and goes on with the one that is put in.
pub async fn a_card_that_is_put_in_wakes_the_operation(ground: Ground, kind: Kind) {
    let mut desk = Desk::empty(ground, kind, |order| order);
    let scene = desk.scene().await;
    waits_for_the_card(&mut desk, &scene).await;
    desk.remove();
    scene
        .event("the card's end", |event| event["type"] == "card.removed")
        .await;
    waits_for_the_card(&mut desk, &scene).await;
    confirms(&desk, &scene).await;
}

/// A request, then the card: the window "insert your card" makes way for the one that asks for the PIN.
async fn waits_for_the_card(desk: &mut Desk, scene: &Scene) {
    let request = confirmation(FORMAT);
    let started = scene.begin(&request, &["hang", &desk.right()]).await;
    let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
    assert_eq!(waiting.state, OperationState::AwaitingToken);
    assert!(scene.person.shown().contains("Insert your card or token"));
    desk.insert();
    let operation = scene.end(started).await;
    desk.judge().accept(&request, &operation);
}

/// Pulled while the person reads: no PIN is sent, also not to the same card that is put in again.
pub async fn pulled_while_the_pin_is_asked(ground: Ground, kind: Kind) {
    let mut desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    let held = format!("held {}", desk.right());
    for back in [false, true] {
        seen(&scene).await;
        let started = scene.begin(&confirmation(FORMAT), &[&held]).await;
        desk.remove();
        if back {
            desk.insert();
        }
        scene.person.release();
        let operation = scene.end(started).await;
        assert_eq!(code(&operation), ErrorCode::TokenRemoved);
        assert_eq!((desk.pins_sent(), desk.watch.verifies()), (0, 0));
        if !back {
            desk.insert();
        }
    }
    confirms(&desk, &scene).await;
}

/// Another card of the same kind in the same reader is not given the PIN that was typed for the first.
pub async fn another_card_is_put_in_its_place(ground: Ground, kind: Kind) {
    let mut desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    let held = format!("held {}", desk.right());
    let started = scene.begin(&confirmation(FORMAT), &[&held]).await;
    desk.remove();
    let own = desk.card.take().expect("it was in");
    let other = Desk::empty(Ground::Process, kind, |order| order);
    desk.insert_other(other.card.expect("it is not in"));
    scene.person.release();
    assert_eq!(code(&scene.end(started).await), ErrorCode::TokenRemoved);
    assert_eq!((desk.pins_sent(), other.watch.verifies()), (0, 0));
    desk.remove();
    desk.card = Some(own);
    desk.insert();
    confirms(&desk, &scene).await;
}

/// Pulled as it is given the PIN, before or after it has compared it: the agent does not try again.
pub async fn pulled_at_the_pin(ground: Ground, kind: Kind) {
    for after in [false, true] {
        let mut desk = Desk::empty(ground, kind, |order| order);
        let fault = desk.pulled_at_the_pin(after);
        desk.insert_faulty(&[fault]);
        let scene = desk.scene().await;
        let operation = scene.confirm(&confirmation(FORMAT), &[&desk.right()]).await;
        assert_eq!(code(&operation), ErrorCode::TokenRemoved);
        assert_eq!((desk.pins_sent(), desk.watch.verifies()), (1, usize::from(after)));
        works_again(&mut desk, &scene).await;
    }
}

/// Pulled as it is to sign.
pub async fn pulled_at_the_signature(ground: Ground, kind: Kind) {
    let mut desk = Desk::empty(ground, kind, |order| order);
    let fault = desk.pulled_at_the_signature();
    desk.insert_faulty(&[fault]);
    let scene = desk.scene().await;
    let operation = scene.confirm(&confirmation(FORMAT), &[&desk.right()]).await;
    assert_eq!(code(&operation), ErrorCode::TokenRemoved);
    assert_eq!((desk.pins_sent(), desk.watch.signatures()), (1, 0));
    works_again(&mut desk, &scene).await;
}

/// Pulled while it is recognised or read: that is as if it had never been in, and the operation waits for a card.
pub async fn pulled_while_it_is_read(ground: Ground, kind: Kind) {
    for command in [1, 2] {
        let mut desk = Desk::empty(ground, kind, |order| order);
        let fault = desk.pulled_at(command);
        let scene = desk.scene().await;
        desk.insert_faulty(&[fault]);
        let request = confirmation(FORMAT);
        let started = scene.begin(&request, &["hang", &desk.right()]).await;
        desk.remove();
        desk.insert();
        let operation = scene.end(started).await;
        desk.judge().accept(&request, &operation);
        assert_eq!(desk.pins_sent(), 1, "command {command}");
    }
}

async fn works_again(desk: &mut Desk, scene: &Scene) {
    desk.remove();
    desk.insert();
    confirms(desk, scene).await;
}

/// Taken out and put in again between two confirmations.
pub async fn the_same_card_is_put_in_again(ground: Ground, kind: Kind) {
    let mut desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    confirms(&desk, &scene).await;
    works_again(&mut desk, &scene).await;
}

/// A card that nobody knows is no token, and does not stand in the way of the next.
pub async fn an_unknown_card(ground: Ground, kind: Kind) {
    let mut desk = Desk::empty(ground, kind, |order| order);
    let scene = desk.scene().await;
    desk.insert_other(Stranger);
    let request = confirmation(FORMAT);
    let started = scene.begin(&request, &["hang", &desk.right()]).await;
    let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
    assert_eq!(waiting.state, OperationState::AwaitingToken);
    desk.remove();
    let own = Desk::empty(Ground::Process, kind, |order| order);
    desk.card = own.card;
    desk.watch = own.watch;
    desk.issued = own.issued;
    desk.pki = own.pki;
    desk.insert();
    let operation = scene.end(started).await;
    desk.judge().accept(&request, &operation);
}

/// A card of no family: it knows no application and no command.
pub struct Stranger;

impl Stranger {
    /// Its answer to reset, which belongs to no family.
    pub const ATR: [u8; 5] = [0x3B, 0x03, 0x53, 0x54, 0x4B];
}

impl VirtualCard for Stranger {
    fn atr(&self) -> Vec<u8> {
        Self::ATR.to_vec()
    }

    fn reset(&mut self) {}

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        match command.get(1) {
            Some(0xA4) => vec![0x6A, 0x82],
            _ => vec![0x6D, 0x00],
        }
    }
}
