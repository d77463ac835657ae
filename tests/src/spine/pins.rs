//! Every way a PIN can go: what the person is told before, and how many tries it costs.

use plugin_protocol::ErrorCode;
use plugin_protocol::api::{OperationState, PinState};

use super::{RIGHT, WRONG};
use crate::ask::confirmation;
use crate::card::{Card, Kind, Pad, Wish};
use crate::scene::{Scene, code};

/// A format that carries every algorithm.
const FORMAT: &str = "cms";

async fn before(kind: Kind, wish: Wish) -> (Box<dyn Card>, Scene) {
    let card = kind.make(&wish);
    let scene = Scene::open(card.setup()).await;
    (card, scene)
}

/// A wrong PIN is asked again, and each costs one try.
pub async fn a_wrong_pin_is_asked_again_and_counted_once(kind: Kind) {
    let wish = Wish {
        tries: 5,
        ..Wish::default()
    };
    let (card, scene) = before(kind, wish).await;
    let request = confirmation(FORMAT);

    let operation = scene.confirm(&request, &[WRONG, WRONG, RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!((card.pins_tried(), card.tries_left()), (3, Some(5)));
    let shown = scene.person.shown();
    assert_eq!(shown.matches("SETERROR Wrong PIN.").count(), 2, "{shown}");
    assert!(
        shown.contains("The PIN was entered wrongly before."),
        "the second window says so: {shown}"
    );
    let windows: Vec<&str> = shown.split("OPENED").skip(1).collect();
    assert_eq!(windows.len(), 3, "one window for each attempt: {shown}");
    assert!(!windows[0].contains("SETERROR") && !windows[0].contains("wrongly"));

    let operation = scene.confirm(&request, &[WRONG, "no"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!((card.pins_tried(), card.tries_left()), (4, Some(4)));
    let told = ["pin_incorrect", "pin_incorrect", "done", "pin_incorrect", "declined"];
    assert_eq!(scene.outcomes().await, told);
}

/// Nobody spends the last try without having said so.
pub async fn the_last_try_needs_an_extra_yes(kind: Kind) {
    let (card, scene) = before(kind, Wish::default()).await;
    let request = confirmation(FORMAT);
    card.set_tries_left(1);

    let operation = scene.confirm(&request, &["no", RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!((card.pins_tried(), scene.person.pins_asked()), (0, 0));
    let shown = scene.person.shown();
    assert!(shown.contains("The last try of the PIN"), "{shown}");
    assert!(shown.contains("If you enter it wrongly, the PIN locks"), "{shown}");

    let summary = scene.plugin.tokens().await.expect("the agent answers").tokens.remove(0);
    assert_eq!((summary.pin, summary.tries_left), (PinState::FinalTry, Some(1)));

    let operation = scene.confirm(&request, &["yes", RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert!(scene.person.shown().contains("THIS IS THE LAST TRY"));
    assert_eq!(card.tries_left(), Some(3), "a right PIN restores the tries");

    card.set_tries_left(1);
    let operation = scene.confirm(&request, &["yes", WRONG, RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::PinLocked);
    assert_eq!((card.pins_tried(), card.tries_left()), (2, Some(0)));
}

/// The extra question comes as soon as a wrong PIN has left one try.
pub async fn a_wrong_pin_that_leaves_one_try_leads_to_the_question(kind: Kind) {
    let wish = Wish {
        tries: 2,
        ..Wish::default()
    };
    let (card, scene) = before(kind, wish).await;
    let request = confirmation(FORMAT);
    let operation = scene.confirm(&request, &[WRONG, "no", RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!((card.pins_tried(), card.tries_left()), (1, Some(1)));
    assert_eq!(scene.person.pins_asked(), 1);

    card.set_tries_left(2);
    let operation = scene.confirm(&request, &[WRONG, "yes", RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert!(scene.person.shown().contains("SETERROR Wrong PIN. 1 try is left."));
}

/// A locked PIN is told of, and no window opens.
pub async fn a_locked_pin_is_never_asked_for(kind: Kind) {
    let (card, scene) = before(kind, Wish::default()).await;
    card.set_tries_left(0);
    let operation = scene.confirm(&confirmation(FORMAT), &[RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::PinLocked);
    let detail = operation.problem.expect("a problem").detail;
    assert!(detail.contains("PUK"), "{detail}");
    assert_eq!(scene.person.shown(), "", "no window opened");
    assert_eq!((card.pins_tried(), card.logins()), (0, 0));
    let summary = scene.plugin.tokens().await.expect("the agent answers").tokens.remove(0);
    assert_eq!((summary.pin, summary.tries_left), (PinState::Locked, Some(0)));
}

/// A PIN that must be changed is told of, and no window opens.
pub async fn a_pin_that_must_be_changed_is_never_asked_for(kind: Kind) {
    let wish = Wish {
        must_change: true,
        ..Wish::default()
    };
    let (card, scene) = before(kind, wish).await;
    let operation = scene.confirm(&confirmation(FORMAT), &[RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::PinMustChange);
    assert_eq!(scene.person.shown(), "", "no window opened");
    assert_eq!(card.logins(), 0);
}

/// Where the card has a pad, the agent asks for no PIN.
pub async fn a_pin_typed_on_the_reader_is_not_asked_for_here(kind: Kind) {
    let wish = Wish {
        pad: Some(Pad::Right),
        ..Wish::default()
    };
    let (card, scene) = before(kind, wish).await;
    let request = confirmation(FORMAT);
    let operation = scene.confirm(&request, &["yes"]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = scene.person.shown();
    assert!(shown.contains("type the PIN on the reader itself"), "{shown}");
    assert_eq!(scene.person.pins_asked(), 0);
    assert_eq!(card.pins_tried(), 1);

    let operation = scene.confirm(&request, &["no"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!(card.pins_tried(), 1, "declined before the reader was asked");
    assert!(scene.plugin.tokens().await.expect("the agent answers").tokens[0].pin_pad);
}

/// Cancelled on the card's pad is cancelled.
pub async fn the_cancel_key_of_the_reader_cancels(kind: Kind) {
    let wish = Wish {
        pad: Some(Pad::Cancel),
        ..Wish::default()
    };
    let (card, scene) = before(kind, wish).await;
    let operation = scene.confirm(&confirmation(FORMAT), &["yes"]).await;
    assert_eq!(code(&operation), ErrorCode::Cancelled);
    assert_eq!(card.pins_tried(), 0);
}

/// What cannot be a PIN is not tried.
pub async fn a_pin_of_an_impossible_length_costs_no_try(kind: Kind) {
    let (card, scene) = before(kind, Wish::default()).await;
    let (shortest, longest) = card.pin_length();
    let short = format!("pin {}", "1".repeat(shortest - 1));
    let long = format!("pin {}", "1".repeat(longest + 1));
    let operation = scene
        .confirm(&confirmation(FORMAT), &[&short, &long, "pin ", RIGHT])
        .await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!(card.pins_tried(), 1);
    let shown = scene.person.shown();
    let told = format!("SETERROR The PIN has {shortest} to {longest} characters. No try was spent.");
    assert_eq!(shown.matches(&told).count(), 2, "{shown}");
    assert!(shown.contains("SETERROR Please enter the PIN."), "{shown}");
}

/// CKA_ALWAYS_AUTHENTICATE: typed once, used for login and signature, a wrong one tried once.
pub async fn a_key_that_wants_the_pin_each_time_gets_it_from_one_window(kind: Kind) {
    let wish = Wish {
        always_authenticate: true,
        ..Wish::default()
    };
    let (card, scene) = before(kind, wish).await;
    let operation = scene.confirm(&confirmation(FORMAT), &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!((scene.person.pins_asked(), card.pins_tried()), (1, 2));
    assert_eq!(card.tries_left(), Some(3));

    let operation = scene.confirm(&confirmation(FORMAT), &[WRONG, "no"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!(
        card.tries_left(),
        Some(2),
        "a wrong PIN is tried once, not for login and signature"
    );
}
