//! What is said of the readers and of what is in them: a card that nobody knows, and two cards at a time.

use fixtures::card::kit::{Made, Order, Watch};
use fixtures::card::vpcd::Slot;
use fixtures::card::{VirtualCard, esteid_idemia, piv};
use fixtures::pki::{Issued, TestPki};
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{ConfirmationRequest, OperationState};
use plugin_protocol::encoding::{hex, sha256};
use serde_json::Value;
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::chip::scenes::Stranger;
use system_tests::chip::{Desk, Ground, PERSON, PIV};
use system_tests::judge::Judge;
use system_tests::pcsc_client::PcscClient;
use system_tests::pcscd::{Pcscd, Reader};
use system_tests::pinentry::script::NO_CARD_YET;
use system_tests::process::eventually;
use system_tests::scene::{Scene, code};

/// The standard output of a command beside the daemon; one that may find fault.
fn said(scene: &Scene, arguments: &[&str]) -> String {
    String::from_utf8_lossy(&scene.agent.cli(arguments).stdout).into_owned()
}

/// By `eid-agent tokens` with its answer to reset and who was asked, by `doctor` with what helps; a confirmation says that
/// it waits for a card, and no PIN is sent.
#[tokio::test]
async fn an_unknown_card_is_named_with_what_was_tried() {
    let mut desk = Desk::empty(Ground::Service, PIV, |order| order);
    desk.insert_other(Stranger);
    let scene = desk.scene().await;
    let atr = hex(&Stranger::ATR).to_uppercase();
    let told = said(&scene, &["tokens"]);
    let line = format!("reader «VPCD 00 00»: an unknown card, answer to reset {atr} (asked whether it is ");
    assert!(told.starts_with("No token is present.\n"), "{told}");
    assert!(
        told.contains(&line) && told.contains("reader «VPCD 00 01»: empty"),
        "{told}"
    );
    let tried = &told.split_once(&line).expect("it is there").1;
    let (tried, _) = tried.split_once(": it is not)").expect("who was asked");
    assert!(tried.split(", ").any(|family| family == "PIV"), "{tried}");

    let json: Value = serde_json::from_str(&said(&scene, &["tokens", "--json"])).expect("JSON");
    let card = &json["readers"][0]["card"];
    assert_eq!(card["atr"], hex(&Stranger::ATR), "{json}");
    assert!(
        card["tried"].as_array().expect("a list").contains(&Value::from("PIV")),
        "{json}"
    );
    assert_eq!(json["readers"][1]["card"], Value::Null);

    let doctor = said(&scene, &["doctor"]);
    for fact in [
        "the PC/SC service answers; readers: 2; ",
        &format!("warn  reader VPCD 00 00: an unknown card, answer to reset {atr}"),
        "its vendor's PKCS#11 module may know it",
        "ok    reader VPCD 00 01: empty",
    ] {
        assert!(doctor.contains(fact), "{fact:?} is not in {doctor}");
    }

    let started = scene.begin(&confirmation("cms"), &[NO_CARD_YET]).await;
    let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
    assert_eq!(waiting.state, OperationState::AwaitingToken);
    let shown = scene.person.shown();
    assert!(shown.contains("Insert your card or token"), "{shown}");
    assert_eq!((desk.pins_sent(), scene.person.pins_asked()), (0, 0));
}

/// A reader with a card of its own.
struct Place {
    reader: Reader,
    slot: Slot,
    issued: Issued,
    watch: Watch,
    pin: String,
    /// The card, while it is not in.
    card: Option<Box<dyn VirtualCard>>,
}

impl Place {
    fn new(reader: Reader, made: Made, pin: &str) -> Self {
        Self {
            slot: Slot::new(reader.port),
            reader,
            watch: made.watch(),
            pin: format!("pin {}", made.pin(pin)),
            issued: made.authentication,
            card: Some(Box::new(made.chip)),
        }
    }
}

/// Two readers with different cards of one authority.
struct Two {
    pki: TestPki,
    pcscd: Pcscd,
    watcher: PcscClient,
    places: [Place; 2],
}

impl Two {
    fn new() -> Self {
        let (pki, pcscd) = (TestPki::new(), Pcscd::start());
        let [first, second]: [Reader; 2] = pcscd.readers().try_into().expect("two readers");
        let order = Order::new(PERSON);
        let places = [
            Place::new(first, piv::p256(&pki, &order), "PIN"),
            Place::new(second, esteid_idemia::cosmo_8(&pki, &order), "PIN1"),
        ];
        let watcher = pcscd.client();
        let mut two = Self {
            pki,
            pcscd,
            watcher,
            places,
        };
        two.insert(0);
        two.insert(1);
        two
    }

    fn insert(&mut self, which: usize) {
        let place = &mut self.places[which];
        let card = place.card.take().expect("it is not in");
        place.slot.insert(card).expect("vpcd listens");
        self.watcher.wait_for_card(&place.reader.name);
    }

    fn remove(&mut self, which: usize) {
        let place = &mut self.places[which];
        place.card = place.slot.remove();
        self.pcscd.wait_until_it_has_seen_the_removal(&place.reader);
        self.watcher.wait_for_none(&place.reader.name);
    }

    fn pin(&self, which: usize) -> &str {
        &self.places[which].pin
    }

    /// A request that names the token with this card's certificate for identity, in this card's reader.
    fn request(&self, scene: &Scene, which: usize) -> ConfirmationRequest {
        let place = &self.places[which];
        let wanted = hex(&sha256(&place.issued.certificate));
        let is_it = |token: &Value| {
            let certificates = token["certificates"].as_array().into_iter().flatten();
            certificates.map(|one| &one["sha256"]).any(|one| *one == *wanted)
        };
        let token = eventually("the card's token", || scene.tokens().into_iter().find(is_it));
        assert_eq!(token["reader"], *place.reader.name, "{token}");
        let id = token["id"].as_str().expect("an id").to_owned();
        ConfirmationRequest {
            token: Some(id),
            ..confirmation("cms")
        }
    }

    /// The identity is this card's, and one PIN was sent, to it.
    async fn confirms(&self, scene: &Scene, which: usize) {
        let request = self.request(scene, which);
        self.seen(scene, &request).await;
        let before = self.counts();
        let operation = scene.confirm(&request, &[self.pin(which)]).await;
        self.accept(&request, &operation, which);
        let mut expected = before;
        expected[which] = (before[which].0 + 1, before[which].1 + 1);
        assert_eq!(self.counts(), expected);
    }

    fn accept(&self, request: &ConfirmationRequest, operation: &plugin_protocol::api::Operation, which: usize) {
        let judge = Judge::new(&self.pki.root_pem(), &[&self.pki.intermediate.certificate])
            .introducing(&self.pki.intermediate.certificate);
        let identity = judge.accept(request, operation);
        assert_eq!(identity.certificate_der(), self.places[which].issued.certificate);
    }

    /// Of each card: PINs it has compared, and signatures it has made.
    fn counts(&self) -> [(usize, usize); 2] {
        [0, 1].map(|which: usize| {
            let watch = &self.places[which].watch;
            (watch.verifies(), watch.signatures())
        })
    }

    /// Waits until the daemon has the token that is asked for.
    async fn seen(&self, scene: &Scene, request: &ConfirmationRequest) {
        let deadline = std::time::Instant::now() + system_tests::process::PATIENCE;
        let wanted = request.token.as_deref();
        loop {
            let there = scene.plugin.tokens().await.expect("the agent answers").tokens;
            if there.iter().any(|token| Some(token.id.as_str()) == wanted) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{wanted:?} is not in {there:?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn of_two_cards_the_named_one_signs() {
    let two = Two::new();
    let scene = Scene::open(Setup::new().pcscd(&two.pcscd)).await;
    for which in [0, 1, 0] {
        two.confirms(&scene, which).await;
    }
    let told = said(&scene, &["tokens"]);
    for place in &two.places {
        let line = format!("reader «{}»: ", place.reader.name);
        let (_, card) = told
            .split_once(&line)
            .unwrap_or_else(|| panic!("{line:?} is not in {told}"));
        assert!(!card.starts_with("empty") && !card.starts_with("an unknown"), "{told}");
    }
}

/// Also not while its PIN is asked for; and a card that was pulled then is not replaced by the one that is still there.
#[tokio::test]
async fn a_pull_in_one_reader_does_not_disturb_the_other() {
    let mut two = Two::new();
    let scene = Scene::open(Setup::new().pcscd(&two.pcscd)).await;
    for (stays, goes) in [(0, 1), (1, 0)] {
        let request = two.request(&scene, stays);
        two.seen(&scene, &request).await;
        let before = two.counts()[stays];
        let started = scene.begin(&request, &[&format!("held {}", two.pin(stays))]).await;
        two.remove(goes);
        scene.person.release();
        let operation = scene.end(started).await;
        two.accept(&request, &operation, stays);
        assert_eq!(two.counts()[stays], (before.0 + 1, before.1 + 1));
        two.insert(goes);

        let request = two.request(&scene, goes);
        two.seen(&scene, &request).await;
        let before = two.counts();
        let started = scene.begin(&request, &[&format!("held {}", two.pin(goes))]).await;
        two.remove(goes);
        scene.person.release();
        assert_eq!(code(&scene.end(started).await), ErrorCode::TokenRemoved);
        assert_eq!(two.counts(), before, "neither card was given the PIN");
        two.confirms(&scene, stays).await;
        two.insert(goes);
        two.confirms(&scene, goes).await;
    }
}
