//! The PC/SC service and its other clients: absent, stopped, started again, in use.

use std::time::{Duration, Instant};

use plugin_protocol::ErrorCode;
use plugin_protocol::api::OperationState;
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::chip::{Desk, Ground, PIV};
use system_tests::pinentry::script::NO_CARD_YET;
use system_tests::process::PATIENCE;
use system_tests::scene::{Scene, code};

async fn confirms(desk: &Desk, scene: &Scene) {
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
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let request = confirmation("cms");
    let operation = scene.confirm(&request, &[&desk.right()]).await;
    desk.judge().accept(&request, &operation);
}

/// Ends without having asked for a PIN.
async fn fails(desk: &Desk, scene: &Scene, expected: ErrorCode) {
    let before = desk.pins_sent();
    let operation = scene.confirm(&confirmation("cms"), &[&desk.right()]).await;
    assert_eq!(code(&operation), expected);
    assert_eq!(desk.pins_sent(), before);
}

#[tokio::test]
async fn the_service_ends_and_comes_back_while_nothing_happens() {
    for crash in [false, true] {
        let mut desk = Desk::new(Ground::Service, PIV);
        let scene = desk.scene().await;
        confirms(&desk, &scene).await;
        let service = desk.service().expect("a service");
        if crash {
            service.crash()
        } else {
            service.stop()
        }
        desk.service_starts_again();
        desk.insert();
        confirms(&desk, &scene).await;
    }
}

/// An operation that waits for a card goes on waiting, through any number of services.
#[tokio::test]
async fn the_service_ends_and_comes_back_while_a_card_is_waited_for() {
    let mut desk = Desk::empty(Ground::Service, PIV, |order| order);
    let scene = desk.scene().await;
    let request = confirmation("cms");
    let started = scene.begin(&request, &[NO_CARD_YET, &desk.right()]).await;
    for crash in [false, true] {
        let service = desk.service().expect("a service");
        if crash {
            service.crash()
        } else {
            service.stop()
        }
        let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
        assert_eq!(waiting.state, OperationState::AwaitingToken);
        desk.service_starts_again();
    }
    desk.insert();
    let operation = scene.end(started).await;
    desk.judge().accept(&request, &operation);
}

/// The agent was first; the service comes later.
#[tokio::test]
async fn a_service_that_starts_after_the_agent_is_found() {
    let mut desk = Desk::empty(Ground::Service, PIV, |order| order);
    desk.service().expect("a service").stop();
    let scene = desk.scene().await;
    assert!(
        scene
            .plugin
            .tokens()
            .await
            .expect("the agent answers")
            .tokens
            .is_empty()
    );
    desk.service_starts_again();
    desk.insert();
    confirms(&desk, &scene).await;
}

#[tokio::test]
async fn the_service_ends_while_the_pin_is_asked() {
    let mut desk = Desk::new(Ground::Service, PIV);
    let scene = desk.scene().await;
    let held = format!("held {}", desk.right());
    let started = scene.begin(&confirmation("cms"), &[&held]).await;
    desk.service().expect("a service").crash();
    scene.person.release();
    let operation = scene.end(started).await;
    let told = code(&operation);
    assert!(
        [ErrorCode::TokenRemoved, ErrorCode::ReaderServiceUnavailable].contains(&told),
        "{told:?}"
    );
    assert_eq!(desk.pins_sent(), 0);
    desk.service_starts_again();
    desk.insert();
    confirms(&desk, &scene).await;
}

#[tokio::test]
async fn another_program_holds_the_card_alone() {
    let desk = Desk::new(Ground::Service, PIV);
    let scene = desk.scene().await;
    let other = desk.second_client(true);
    fails(&desk, &scene, ErrorCode::CardInUse).await;
    other.disconnect(false).expect("it lets go");
    confirms(&desk, &scene).await;
}

/// Another program's transaction is waited for; what it verified does not serve us.
#[tokio::test]
async fn another_program_is_in_a_transaction() {
    let desk = Desk::new(Ground::Service, PIV);
    let scene = desk.scene().await;
    let other = desk.second_client(false);
    other.begin().expect("a transaction");
    let request = confirmation("cms");
    scene.person.forget();
    scene.person.will_answer(&[&desk.right()]);
    let started = scene
        .plugin
        .confirm(&request, None, None)
        .await
        .expect("the agent answers");
    other.end().expect("its end");
    let operation = scene.end(started).await;
    desk.judge().accept(&request, &operation);
    // The PIN that the agent gave is forgotten before the other one comes to word again.
    let signature = other.send(b"\x00\xA4\x04\x00\x05\xA0\x00\x00\x03\x08\x00");
    assert!(signature.is_err() || desk.watch.resets() > 1, "the card was reset");
}

/// Neither the library nor a service: the agent runs, and says so to whoever asks.
#[tokio::test]
async fn without_the_library_the_agent_runs_and_says_so() {
    let setup = Setup::new();
    let library = setup.folder().join("libpcsclite.so.1");
    std::fs::write(&library, "no library").expect("a file");
    let folder = setup.folder().to_owned();
    let setup = setup
        .cards(&folder.join("socket"))
        .environment("LD_LIBRARY_PATH", &folder);
    let scene = Scene::open(setup).await;
    assert!(
        scene
            .plugin
            .tokens()
            .await
            .expect("the agent answers")
            .tokens
            .is_empty()
    );
    let doctor = scene.agent.cli(&["doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).to_lowercase();
    assert!(told.contains("pc/sc") && told.contains("library"), "{told}");
}
