//! What every kind of card must come through on every ground. Each scene ends with a confirmation that works.

use std::time::{Duration, Instant};

use fixtures::card::VirtualCard;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{ConfirmationRequest, Operation, OperationState};

use super::{Counts, Desk, Ground, KINDS, Kind};
use crate::pinentry::script::NO_CARD_YET;
use crate::process::PATIENCE;
use crate::scene::{Scene, code};

mod pulls;

pub use pulls::pulled_at_every_command;

/// Plays a scene with a card of every kind at the same time, each with a service, an agent and a person of its own:
/// most of a scene is waiting for a `pcscd` that looks at its reader every 400 ms.
///
/// # Panics
/// When it fails with one of them; each has said why in a thread of its kind's name.
pub fn with_every_kind<Playing: Future<Output = ()>>(ground: Ground, scene: impl Fn(Ground, Kind) -> Playing + Sync) {
    let named = KINDS.map(|kind| (kind.id.to_owned(), kind));
    at_the_same_time(named, |kind| scene(ground, kind));
}

/// Plays with each of these at the same time, in a thread of its name.
fn at_the_same_time<T: Send, Playing: Future<Output = ()>>(
    named: impl IntoIterator<Item = (String, T)>,
    play: impl Fn(T) -> Playing + Sync,
) {
    let play = |one| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(play(one));
    };
    let failed: Vec<String> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (name, one) in named {
            let thread = std::thread::Builder::new().name(name.clone());
            let thread = thread.spawn_scoped(scope, || play(one)).expect("a thread");
            threads.push((name, thread));
        }
        let failed = threads
            .into_iter()
            .filter_map(|(name, thread)| thread.join().err().map(|_| name));
        failed.collect()
    });
    assert!(failed.is_empty(), "it failed with {failed:?}");
}

/// The right PIN is typed once and sent once, and the proof is the certificate's.
async fn confirms(desk: &Desk, scene: &Scene) {
    seen(desk, scene).await;
    let before = desk.counts();
    let request = desk.request();
    let operation = scene.confirm(&request, &[&desk.right()]).await;
    desk.accept(&request, &operation);
    assert_eq!(scene.person.pins_asked(), 1);
    desk.expect(before, Counts::CONFIRMED);
}

/// Waits until the agent has seen the card, for it asks for one otherwise; the tries it tells then.
async fn seen(desk: &Desk, scene: &Scene) -> Option<u8> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let tokens = scene.plugin.tokens().await.expect("the agent answers").tokens;
        let mut ours = tokens
            .iter()
            .filter(|token| token.reader.as_deref() == Some(desk.reader()));
        if let Some(token) = ours.next() {
            return token.tries_left;
        }
        assert!(Instant::now() < deadline, "the agent does not see the card");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Twice: what was verified for the first does not serve the second.
pub async fn a_confirmation(ground: Ground, kind: Kind) {
    let desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    confirms(&desk, &scene).await;
    confirms(&desk, &scene).await;
}

/// A wrong PIN costs one try, the person is told how many are left, and the right one gives them back.
pub async fn a_wrong_pin_then_the_right_one(ground: Ground, kind: Kind) {
    let desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    let tries = seen(&desk, &scene).await;
    let (before, request) = (desk.counts(), desk.request());
    let operation = scene.confirm(&request, &[&desk.wrong(), &desk.right()]).await;
    desk.accept(&request, &operation);
    desk.expect(before, Counts::WRONG.and(Counts::CONFIRMED));
    let shown = scene.person.shown();
    let told = format!("SETERROR Wrong PIN. {} tries are left.", kind.tries - 1);
    assert!(shown.contains(&told), "{}: {shown}", kind.id);
    assert_eq!(seen(&desk, &scene).await, tries);
    confirms(&desk, &scene).await;
}

/// Nobody spends the last try without having said so, be it in the operation in which the last but one went, or later.
pub async fn the_last_try_needs_an_extra_yes(ground: Ground, kind: Kind) {
    let desk = Desk::with_tries(ground, kind, 2);
    let scene = desk.scene().await;
    let before = desk.counts();
    let wrong = desk.wrong();
    let declined = scene.confirm(&desk.request(), &[&wrong, "no", &wrong]).await;
    assert_eq!(code(&declined), ErrorCode::Declined);
    desk.expect(before, Counts::WRONG);
    let before = desk.counts();
    let declined = scene.confirm(&desk.request(), &["no", &wrong]).await;
    assert_eq!(code(&declined), ErrorCode::Declined);
    assert_eq!(scene.person.pins_asked(), 0, "{}", kind.id);
    desk.expect(before, Counts::NOTHING);
    let request = desk.request();
    let operation = scene.confirm(&request, &["yes", &desk.right()]).await;
    desk.accept(&request, &operation);
    desk.expect(before, Counts::CONFIRMED);
    confirms(&desk, &scene).await;
}

/// No PIN is sent to a locked card, whatever the person does.
pub async fn a_locked_pin_is_not_tried(ground: Ground, kind: Kind) {
    let desk = Desk::with_tries(ground, kind, 0);
    let scene = desk.scene().await;
    let operation = scene.confirm(&desk.request(), &["no"]).await;
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
    let waiting = Waiting::begun(desk, scene).await;
    assert!(scene.person.shown().contains("Insert your card or token"));
    desk.insert();
    waiting.served(desk, scene).await;
}

/// A request for which no card is there yet.
struct Waiting {
    before: Option<Counts>,
    request: ConfirmationRequest,
    started: Operation,
}

impl Waiting {
    async fn begun(desk: &Desk, scene: &Scene) -> Self {
        let (before, request) = (desk.counts(), desk.request());
        let started = scene.begin(&request, &[NO_CARD_YET, &desk.right()]).await;
        let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
        assert_eq!(waiting.state, OperationState::AwaitingToken);
        Self {
            before,
            request,
            started,
        }
    }

    /// The card that was put in confirms.
    async fn served(self, desk: &Desk, scene: &Scene) {
        let operation = scene.end(self.started).await;
        desk.accept(&self.request, &operation);
        desk.expect(self.before, Counts::CONFIRMED);
    }
}

/// Pulled while the person reads: no PIN is sent, also not to the same card that is put in again.
pub async fn pulled_while_the_pin_is_asked(ground: Ground, kind: Kind) {
    let mut desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    let held = format!("held {}", desk.right());
    for back in [false, true] {
        let tries = seen(&desk, &scene).await;
        let before = desk.counts();
        let started = scene.begin(&desk.request(), &[&held]).await;
        desk.remove();
        if back {
            desk.insert();
        }
        scene.person.release();
        let operation = scene.end(started).await;
        assert_eq!(code(&operation), ErrorCode::TokenRemoved);
        desk.expect(before, Counts::NOTHING);
        if !back {
            desk.insert();
        }
        assert_eq!(seen(&desk, &scene).await, tries);
    }
    confirms(&desk, &scene).await;
}

/// Another card of the same kind in the same reader, with the same PIN, is not given the PIN that was typed for the first.
/// Not played where there is no other card.
pub async fn another_card_is_put_in_its_place(ground: Ground, kind: Kind) {
    let mut desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    if !desk.has_another() {
        println!("no other card of this kind is at hand");
        return;
    }
    let held = format!("held {}", desk.right());
    let own = desk.counts();
    let started = scene.begin(&desk.request(), &[&held]).await;
    desk.remove();
    desk.insert_another();
    let others = desk.counts();
    scene.person.release();
    assert_eq!(code(&scene.end(started).await), ErrorCode::TokenRemoved);
    desk.expect(others, Counts::NOTHING);
    desk.remove();
    desk.insert();
    desk.expect(own, Counts::NOTHING);
    confirms(&desk, &scene).await;
}

/// Taken out and put in again between two confirmations.
pub async fn the_same_card_is_put_in_again(ground: Ground, kind: Kind) {
    let mut desk = Desk::new(ground, kind);
    let scene = desk.scene().await;
    confirms(&desk, &scene).await;
    desk.remove();
    desk.insert();
    confirms(&desk, &scene).await;
}

/// A card that nobody knows is no token, and does not stand in the way of the next.
pub async fn an_unknown_card(ground: Ground, kind: Kind) {
    let mut desk = Desk::empty(ground, kind, |order| order);
    let scene = desk.scene().await;
    let own = desk.card.take();
    desk.insert_other(Stranger);
    let waiting = Waiting::begun(&desk, &scene).await;
    desk.remove();
    desk.card = own;
    desk.insert();
    waiting.served(&desk, &scene).await;
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
