//! A driver that does not return, below a real `pcscd`: it costs its reader, and nobody else.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use fixtures::card::kit::Order;
use fixtures::card::vpcd::Slot;
use fixtures::card::{VirtualCard, piv};
use fixtures::pki::TestPki;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{SourceKind, Tokens, Unavailable};
use system_tests::agent::Setup;
use system_tests::pcscd::Pcscd;
use system_tests::process::PATIENCE;
use system_tests::scene::Scene;

/// Commands go through, or stay inside.
#[derive(Clone, Default)]
struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    fn shut(&self, shut: bool) {
        *self.0.0.lock().expect("nobody panics with it") = shut;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let shut = self.0.0.lock().expect("nobody panics with it");
        drop(self.0.1.wait_while(shut, |shut| *shut));
    }
}

/// A card whose reader hangs while the door is shut.
struct Behind<C>(Door, C);

impl<C: VirtualCard> VirtualCard for Behind<C> {
    fn atr(&self) -> Vec<u8> {
        self.1.atr()
    }

    fn reset(&mut self) {
        self.1.reset();
    }

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        self.0.pass();
        self.1.transmit(command)
    }
}

async fn listed(scene: &Scene) -> Tokens {
    scene.plugin.tokens().await.expect("the agent answers")
}

async fn until(scene: &Scene, tokens: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = listed(scene).await;
        if told.tokens.len() == tokens {
            assert_eq!(told.unavailable, []);
            return;
        }
        assert!(Instant::now() < deadline, "{told:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_reader_that_hangs_is_told_of_and_left_alone_until_it_answers() {
    let pcscd = Pcscd::start();
    let readers = pcscd.readers();
    let pki = TestPki::new();
    let door = Door::default();
    let card = |name: &str| piv::p256(&pki, &Order::new(name)).chip;
    let mut hanging = Slot::new(readers[0].port);
    let mut other = Slot::new(readers[1].port);
    let behind = Behind(door.clone(), card("Иванов Иван Иванович"));
    hanging.insert(behind).expect("vpcd listens");
    other.insert(card("Петров Пётр Петрович")).expect("vpcd listens");
    let scene = Scene::open(Setup::new().pcscd(&pcscd)).await;
    until(&scene, 2).await;

    door.shut(true);
    let told = listed(&scene).await;
    let names: Vec<_> = told.tokens.iter().map(|token| token.reader.as_deref()).collect();
    assert_eq!(names, [Some(readers[1].name.as_str())], "{told:?}");
    let (source, reason) = (SourceKind::Pcsc, ErrorCode::ModuleFailed);
    assert_eq!(told.unavailable, [Unavailable { source, reason }]);
    let event = |kind: &'static str| {
        let reader = readers[0].name.clone();
        move |event: &serde_json::Value| event["type"] == kind && event["reader"] == reader
    };
    scene.event("the hang", event("reader.hung")).await;
    let begun = Instant::now();
    assert_eq!(listed(&scene).await.tokens.len(), 1);
    assert!(begun.elapsed().as_secs() < 10, "nobody waits for it any more");

    door.shut(false);
    scene.event("its end", event("reader.recovered")).await;
    until(&scene, 2).await;
}
