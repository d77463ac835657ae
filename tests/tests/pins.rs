//! Every way a PIN can go: what the person is told before, and how many tries it costs.

use fixtures::evil::{CKF_USER_PIN_TO_BE_CHANGED, CKR_FUNCTION_CANCELED, Call, EvilModule, Fault, PIN};
use fixtures::pki::TestPki;
use fixtures::softhsm::SoftHsm;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{OperationState, PinState};
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::scene::{Scene, code};

const RIGHT: &str = "pin 12345678";
const WRONG: &str = "pin 87654321";

fn token() -> fixtures::evil::Builder {
    EvilModule::builder(&TestPki::new().person("Иванов Иван Иванович").issue())
}

async fn before(module: &EvilModule) -> Scene {
    assert_eq!(RIGHT, format!("pin {PIN}"));
    Scene::open(Setup::new().module(module.path())).await
}

#[tokio::test]
async fn a_wrong_pin_is_asked_again_and_counted_once() {
    let module = token().tries(5).build();
    let scene = before(&module).await;
    let request = confirmation("web-eid:1.0");

    let operation = scene.confirm(&request, &[WRONG, WRONG, RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!((module.pins_tried(), module.tries_left()), (3, Some(5)));
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
    assert_eq!((module.pins_tried(), module.tries_left()), (4, Some(4)));
    let told = ["pin_incorrect", "pin_incorrect", "done", "pin_incorrect", "declined"];
    assert_eq!(scene.outcomes().await, told);
}

#[tokio::test]
async fn the_last_try_needs_an_extra_yes() {
    let module = token().build();
    let scene = before(&module).await;
    let request = confirmation("web-eid:1.0");
    module.set_tries_left(1);

    let operation = scene.confirm(&request, &["no", RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!((module.pins_tried(), scene.person.pins_asked()), (0, 0));
    let shown = scene.person.shown();
    assert!(shown.contains("The last try of the PIN"), "{shown}");
    assert!(shown.contains("If you enter it wrongly, the PIN locks"), "{shown}");

    let summary = scene.plugin.tokens().await.expect("the agent answers").tokens.remove(0);
    assert_eq!((summary.pin, summary.tries_left), (PinState::FinalTry, Some(1)));

    let operation = scene.confirm(&request, &["yes", RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert!(scene.person.shown().contains("THIS IS THE LAST TRY"));
    assert_eq!(module.tries_left(), Some(3), "a right PIN restores the tries");

    module.set_tries_left(1);
    let operation = scene.confirm(&request, &["yes", WRONG, RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::PinLocked);
    assert_eq!((module.pins_tried(), module.tries_left()), (2, Some(0)));
}

#[tokio::test]
async fn a_wrong_pin_that_leaves_one_try_leads_to_the_question() {
    let module = token().tries(2).build();
    let scene = before(&module).await;
    let request = confirmation("web-eid:1.0");
    let operation = scene.confirm(&request, &[WRONG, "no", RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!((module.pins_tried(), module.tries_left()), (1, Some(1)));
    assert_eq!(scene.person.pins_asked(), 1);

    module.set_tries_left(2);
    let operation = scene.confirm(&request, &[WRONG, "yes", RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert!(scene.person.shown().contains("SETERROR Wrong PIN. 1 try is left."));
}

#[tokio::test]
async fn a_locked_pin_is_never_asked_for() {
    let module = token().build();
    let scene = before(&module).await;
    module.set_tries_left(0);
    let operation = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::PinLocked);
    let detail = operation.problem.expect("a problem").detail;
    assert!(detail.contains("PUK"), "{detail}");
    assert_eq!(scene.person.shown(), "", "no window opened");
    assert_eq!((module.pins_tried(), module.count(Call::Login)), (0, 0));
    let summary = scene.plugin.tokens().await.expect("the agent answers").tokens.remove(0);
    assert_eq!((summary.pin, summary.tries_left), (PinState::Locked, Some(0)));
}

#[tokio::test]
async fn a_pin_that_must_be_changed_is_never_asked_for() {
    let module = token().flags(CKF_USER_PIN_TO_BE_CHANGED).build();
    let scene = before(&module).await;
    let operation = scene.confirm(&confirmation("cms"), &[RIGHT]).await;
    assert_eq!(code(&operation), ErrorCode::PinMustChange);
    assert_eq!(scene.person.shown(), "", "no window opened");
    assert_eq!(module.count(Call::Login), 0);
}

#[tokio::test]
async fn a_pin_typed_on_the_reader_is_not_asked_for_here() {
    let module = token().protected_path().build();
    let scene = before(&module).await;
    let request = confirmation("web-eid:1.0");
    let operation = scene.confirm(&request, &["yes"]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = scene.person.shown();
    assert!(shown.contains("type the PIN on the reader itself"), "{shown}");
    assert_eq!(scene.person.pins_asked(), 0);
    assert_eq!(module.pins_tried(), 1);

    let operation = scene.confirm(&request, &["no"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!(module.pins_tried(), 1, "declined before the reader was asked");
    assert!(scene.plugin.tokens().await.expect("the agent answers").tokens[0].pin_pad);
}

#[tokio::test]
async fn the_cancel_key_of_the_reader_cancels() {
    let cancelled = Fault::FailIn(Call::Login, CKR_FUNCTION_CANCELED);
    let module = token().protected_path().fault(cancelled).build();
    let scene = before(&module).await;
    let operation = scene.confirm(&confirmation("web-eid:1.0"), &["yes"]).await;
    assert_eq!(code(&operation), ErrorCode::Cancelled);
    assert_eq!(module.pins_tried(), 0);
}

#[tokio::test]
async fn a_pin_of_an_impossible_length_costs_no_try() {
    let module = token().build();
    let scene = before(&module).await;
    let long = format!("pin {}", "1".repeat(17));
    let operation = scene
        .confirm(&confirmation("web-eid:1.0"), &["pin 123", &long, "pin ", RIGHT])
        .await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!(module.pins_tried(), 1);
    let shown = scene.person.shown();
    let told = "SETERROR The PIN has 4 to 16 characters. No try was spent.";
    assert_eq!(shown.matches(told).count(), 2, "{shown}");
    assert!(shown.contains("SETERROR Please enter the PIN."), "{shown}");
}

#[tokio::test]
async fn a_key_that_wants_the_pin_each_time_gets_it_from_one_window() {
    let module = token().always_authenticate().build();
    let scene = before(&module).await;
    let operation = scene.confirm(&confirmation("web-eid:1.0"), &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!((scene.person.pins_asked(), module.pins_tried()), (1, 2));
    assert_eq!(module.tries_left(), Some(3));

    let operation = scene.confirm(&confirmation("web-eid:1.0"), &[WRONG, "no"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert_eq!(
        module.tries_left(),
        Some(2),
        "a wrong PIN is tried once, not for login and signature"
    );
}

#[tokio::test]
async fn softhsm_counts_too() {
    let hsm = SoftHsm::new();
    let card = hsm.init_token("card");
    card.import(&TestPki::new().person("Иванов Иван Иванович").issue(), &[1], "key");
    let (name, value) = hsm.environment();
    let scene = Scene::open(Setup::new().module(hsm.module()).environment(name, value)).await;
    let request = confirmation("web-eid:1.0");

    let operation = scene.confirm(&request, &[WRONG, "cancel"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined);
    assert!(card.pin_count_low());
    let operation = scene.confirm(&request, &["pin 123", WRONG, RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = scene.person.shown();
    assert!(shown.contains("The PIN has 4 to 255 characters."), "{shown}");
    let first = shown.split("OPENED").nth(1).expect("a window");
    assert!(first.contains("The PIN was entered wrongly before."), "{shown}");
    assert!(!card.pin_count_low());
}

#[tokio::test]
async fn the_software_token_locks_and_says_how_many_tries_are_left() {
    let scene = Scene::open(Setup::new().software()).await;
    let request = confirmation("web-eid:1.0");
    // The first answer chooses among its certificates.
    let operation = scene
        .confirm(&request, &["yes", "pin 0000", "pin 1111", "yes", "pin 1234"])
        .await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = scene.person.shown();
    for told in [
        "3 tries of the PIN are left.",
        "SETERROR Wrong PIN. 2 tries are left.",
        "SETERROR Wrong PIN. 1 try is left.",
        "THIS IS THE LAST TRY",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let answers = ["yes", "pin 0000", "pin 1111", "yes", "pin 2222"];
    assert_eq!(code(&scene.confirm(&request, &answers).await), ErrorCode::PinLocked);
    assert_eq!(code(&scene.confirm(&request, &["yes"]).await), ErrorCode::PinLocked);
    assert_eq!(scene.person.pins_asked(), 0);
}
