//! Every way a PIN can go: what the person is told before, and how many tries it costs.

use fixtures::pki::TestPki;
use fixtures::softhsm::SoftHsm;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::OperationState;
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::card::Kind;
use system_tests::scene::{Scene, code};
use system_tests::spine::{RIGHT, WRONG, pins};

#[tokio::test]
async fn a_wrong_pin_is_asked_again_and_counted_once() {
    pins::a_wrong_pin_is_asked_again_and_counted_once(Kind::Ecdsa).await;
}

#[tokio::test]
async fn the_last_try_needs_an_extra_yes() {
    pins::the_last_try_needs_an_extra_yes(Kind::Ecdsa).await;
}

#[tokio::test]
async fn a_wrong_pin_that_leaves_one_try_leads_to_the_question() {
    pins::a_wrong_pin_that_leaves_one_try_leads_to_the_question(Kind::Ecdsa).await;
}

#[tokio::test]
async fn a_locked_pin_is_never_asked_for() {
    pins::a_locked_pin_is_never_asked_for(Kind::Ecdsa).await;
}

#[tokio::test]
async fn a_pin_that_must_be_changed_is_never_asked_for() {
    pins::a_pin_that_must_be_changed_is_never_asked_for(Kind::Ecdsa).await;
}

#[tokio::test]
async fn a_pin_typed_on_the_reader_is_not_asked_for_here() {
    pins::a_pin_typed_on_the_reader_is_not_asked_for_here(Kind::Ecdsa).await;
}

#[tokio::test]
async fn the_cancel_key_of_the_reader_cancels() {
    pins::the_cancel_key_of_the_reader_cancels(Kind::Ecdsa).await;
}

#[tokio::test]
async fn a_pin_of_an_impossible_length_costs_no_try() {
    pins::a_pin_of_an_impossible_length_costs_no_try(Kind::Ecdsa).await;
}

#[tokio::test]
async fn a_key_that_wants_the_pin_each_time_gets_it_from_one_window() {
    pins::a_key_that_wants_the_pin_each_time_gets_it_from_one_window(Kind::Ecdsa).await;
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
