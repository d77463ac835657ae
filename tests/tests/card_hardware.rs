//! A card of plastic in this machine's own reader: what a person runs before a release, and nobody else.
//!
//! `EID_CARD_PIN=… cargo test -p system-tests --test card_hardware --features i-have-a-real-card-and-accept-that-its-pin-may-lock`
//!
//! The card's identity PIN is tried once; a wrong one costs a try of a real card, which may lock. The scenes of
//! `card_chips` are not played here: they count tries on the card itself, and order its faults.
#![cfg(feature = "i-have-a-real-card-and-accept-that-its-pin-may-lock")]

use std::path::Path;

use plugin_protocol::api::OperationState;
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::scene::Scene;

/// The socket of the machine's own `pcscd`.
const SOCKET: &str = "/run/pcscd/pcscd.comm";

/// The agent has verified its own signature with the card's certificate before it answers.
#[tokio::test]
async fn the_card_in_the_reader_confirms() {
    let pin = std::env::var("EID_CARD_PIN").expect("EID_CARD_PIN is the identity PIN of the card in the reader");
    let scene = Scene::open(Setup::new().cards(Path::new(SOCKET))).await;
    assert!(
        !scene.tokens().is_empty(),
        "the agent knows no card in a reader here; see `eid-agent doctor`"
    );
    let operation = scene.confirm(&confirmation("cms"), &[&format!("pin {pin}")]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
}
