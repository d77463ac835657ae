//! What the person is shown and asked, and what their answers, or their absence, lead to.

use std::time::{Duration, Instant};

use fixtures::evil::{Call, EvilModule};
use fixtures::pki::TestPki;
use fixtures::plugin::{PluginError, to_json};
use hyper::Method;
use plugin_protocol::api::{OperationState, PairingState};
use plugin_protocol::{ErrorCode, Purpose};
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, confirmation, signatures};
use system_tests::pinentry::ScriptedPerson;
use system_tests::process::{PATIENCE, eventually, eventually_async};
use system_tests::scene::{Scene, code};

const RIGHT: &str = "pin 12345678";

/// Long enough for a request to reach the agent, however busy the machine.
const A_MOMENT: Duration = Duration::from_millis(1500);

/// A good token that counts what is done to it.
fn token() -> EvilModule {
    let pki = TestPki::new();
    let ivanov = pki.person("Иванов Иван Иванович").not_before(1_700_000_000);
    let ivanov = ivanov.not_after(4_000_000_000).issue();
    EvilModule::builder(&ivanov).label("Рутокен").build()
}

async fn before(module: &EvilModule) -> Scene {
    Scene::open(Setup::new().module(module.path())).await
}

/// What was shown, with its lines joined: where they break is the window's affair.
fn words(shown: &str) -> String {
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits for a record of this outcome; asks no question that would show the client to be there.
fn recorded(scene: &Scene, outcome: &str) {
    eventually(&format!("a record {outcome:?}"), || {
        let history = scene.agent.cli(&["history"]);
        let history = String::from_utf8_lossy(&history.stdout).into_owned();
        history.contains(&format!("{ORIGIN}  {outcome}")).then_some(())
    });
}

fn refusal<T>(answer: Result<T, PluginError>) -> plugin_protocol::Problem {
    match answer.err().expect("a refusal") {
        PluginError::Problem(problem) | PluginError::Unauthenticated(problem) => *problem,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_window_tells_who_asks_what_for_and_with_which_certificate() {
    let module = token();
    let scene = before(&module).await;
    let mut request = confirmation("web-eid:1.0");
    let operation = scene.confirm(&request, &[RIGHT]).await;
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
        "a browser plugin that calls itself \"system tests\"",
        "SETPROMPT PIN:",
        "SETOK Confirm",
        "SETCANCEL Decline",
    ] {
        assert!(shown.contains(told), "{told:?} is not in {shown}");
    }
    assert!(!shown.contains("CAUTION"), "{shown}");
    assert!(!scene.agent.log().contains("Иванов"), "the log names nobody");

    for (origin, caution) in [
        ("https://xn--80ak6aa92e.example", "letters of a foreign alphabet"),
        ("https://192.0.2.7", "this is a number"),
        ("http://localhost:8080", "the connection is not encrypted"),
    ] {
        request.origin = origin.parse().expect("an origin");
        request.purpose = Purpose::SignIn;
        assert_eq!(code(&scene.confirm(&request, &["no"]).await), ErrorCode::Declined);
        let shown = words(&scene.person.shown());
        assert!(shown.contains(&format!("SETDESC {origin} ")), "{shown}");
        assert!(shown.contains("CAUTION") && shown.contains(caution), "{shown}");
        assert!(shown.contains("SETTITLE Sign in"), "{shown}");
    }

    let documents = signatures(&[("Договор № 7.pdf", b"one"), ("Акт.pdf", b"two")]);
    assert_eq!(code(&scene.sign(&documents, &["no"]).await), ErrorCode::Declined);
    let shown = words(&scene.person.shown());
    for told in [
        "asks you to sign 2 documents.",
        "Document: Договор № 7.pdf ",
        "Document: Акт.pdf ",
    ] {
        assert!(shown.contains(told), "{told:?} is not in {shown}");
    }
    assert_eq!(module.pins_tried(), 1, "only the first request cost a PIN");
}

#[tokio::test]
async fn the_windows_speak_russian() {
    let scene = Scene::open(Setup::new().software().language("ru")).await;
    let mut request = confirmation("jws");
    request.origin = "https://xn--80ak6aa92e.example".parse().expect("an origin");
    let operation = scene.confirm(&request, &["yes", "pin 0000", "pin 1234"]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = words(&scene.person.shown());
    for told in [
        "SETTITLE Выбор сертификата",
        "SETTITLE Подтверждение личности",
        "просит подтвердить вашу личность",
        "ВНИМАНИЕ: в адресе есть буквы чужого алфавита",
        "Осталось 3 попытки ввода ПИН-кода.",
        "SETERROR Неверный ПИН-код. Осталось 2 попытки.",
        "ТЕСТОВЫЙ ТОКЕН",
        "SETPROMPT ПИН-код:",
    ] {
        assert!(shown.contains(told), "{told:?} is not in {shown}");
    }
}

#[tokio::test]
async fn declined_cancelled_and_no_pinentry() {
    let module = token();
    let scene = before(&module).await;
    let request = confirmation("jws");
    for no in ["no", "cancel"] {
        assert_eq!(code(&scene.confirm(&request, &[no]).await), ErrorCode::Declined);
    }
    // Its pinentry dies in the middle: nobody agreed, and the next one works.
    assert_eq!(
        code(&scene.confirm(&request, &["die"]).await),
        ErrorCode::PromptUnavailable
    );
    assert_eq!(scene.confirm(&request, &[RIGHT]).await.state, OperationState::Done);

    // Closing the window that waits for a token.
    module.remove_token();
    assert_eq!(code(&scene.confirm(&request, &["cancel"]).await), ErrorCode::Cancelled);
    let shown = words(&scene.person.shown());
    assert!(shown.contains("SETTITLE Insert your card or token"), "{shown}");
    assert_eq!(module.pins_tried(), 1);
    let told = ["declined", "declined", "prompt_unavailable", "done", "cancelled"];
    assert_eq!(scene.outcomes().await, told);
}

#[tokio::test]
async fn the_plugin_cancels_and_the_window_closes() {
    let module = token();
    let scene = before(&module).await;
    let started = scene.begin(&confirmation("jws"), &["hang"]).await;
    assert!(!started.state.is_final());
    assert_eq!(code(&scene.cancel(&started).await), ErrorCode::Cancelled);
    scene.person.wait_until_closed().await;
    let again = scene.plugin.cancel(&started.id).await.expect("the agent answers");
    assert_eq!(code(&again), ErrorCode::Cancelled, "cancelling twice is the same");
    assert_eq!(module.count(Call::Login), 0);
    assert_eq!(scene.outcomes().await, ["cancelled"]);

    let request = signatures(&[("a", b"a")]);
    scene.person.forget();
    scene.person.will_answer(&["hang"]);
    let started = scene.plugin.sign(&request, None, None).await.expect("it starts");
    scene.person.wait_until_asked();
    let told = scene.plugin.cancel_signature(&started.id).await;
    let told = told.expect("the agent answers");
    let cancelled = scene.plugin.finish("/v1/signatures", told).await;
    assert_eq!(code(&cancelled.expect("the agent answers")), ErrorCode::Cancelled);
    scene.person.wait_until_closed().await;
}

/// Operations end after so long; the window is open before, also on a busy machine.
const SHORT: &str = "deadlines.operation = 15\n";

#[tokio::test]
async fn operations_expire() {
    let module = token();
    let scene = Scene::open(Setup::new().module(module.path()).configure(SHORT)).await;
    let started = scene.begin(&confirmation("jws"), &["hang"]).await;
    assert!(started.expires_in <= 15);
    assert_eq!(code(&scene.end(started).await), ErrorCode::Expired);
    scene.person.wait_until_closed().await;
    assert_eq!(module.count(Call::Login), 0);
    assert_eq!(scene.outcomes().await, ["expired"]);
}

#[tokio::test]
async fn an_operation_that_waits_for_a_token_expires() {
    let module = token();
    let scene = Scene::open(Setup::new().module(module.path()).configure(SHORT)).await;
    module.remove_token();
    let started = scene.begin(&confirmation("jws"), &["hang"]).await;
    let waiting = scene.plugin.operation(&started.id, 0).await.expect("the agent answers");
    assert_eq!(waiting.state, OperationState::AwaitingToken);
    assert_eq!(code(&scene.end(started).await), ErrorCode::NoToken);
    scene.person.wait_until_closed().await;
    assert_eq!(scene.outcomes().await, ["no_token"]);
}

#[tokio::test]
async fn one_window_at_a_time() {
    let module = token();
    let scene = before(&module).await;
    let started = scene.begin(&confirmation("jws"), &["hang"]).await;

    let second = to_json(&confirmation("jws"));
    let request = scene.plugin.signed(Method::POST, "/v1/confirmations", Some(second));
    let answer = scene.plugin.send_raw(request).await.expect("the agent answers");
    assert_eq!(answer.status().as_u16(), 409);
    let wait = answer.headers()["retry-after"].to_str().expect("text");
    assert!(wait.parse::<u64>().expect("seconds") >= 1);
    let busy = refusal(scene.plugin.sign(&signatures(&[("a", b"a")]), None, None).await);
    assert_eq!((busy.code, busy.retryable), (ErrorCode::Busy, true));
    let stranger = scene.agent.stranger();
    assert_eq!(refusal(stranger.commit("second").await).code, ErrorCode::Busy);

    assert_eq!(code(&scene.cancel(&started).await), ErrorCode::Cancelled);
    let operation = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
}

#[tokio::test]
async fn a_repeated_request_is_the_same_operation() {
    let module = token();
    let scene = before(&module).await;
    let request = confirmation("jws");
    let plugin = &scene.plugin;
    scene.person.will_answer(&["held pin 12345678"]);
    let first = plugin.confirm(&request, Some("key-1"), None).await.expect("it starts");
    scene.person.wait_until_asked();
    let again = plugin.confirm(&request, Some("key-1"), Some(0)).await;
    assert_eq!(again.expect("the same").id, first.id);
    let other = confirmation("jws");
    let conflict = refusal(plugin.confirm(&other, Some("key-1"), None).await);
    assert_eq!(conflict.code, ErrorCode::IdempotencyConflict);

    // Two long polls and one POST that prefers to wait: all bring the one result.
    let (one, two, three, ()) = tokio::join!(
        plugin.operation(&first.id, 25),
        plugin.operation(&first.id, 25),
        plugin.confirm(&request, Some("key-1"), Some(25)),
        async { scene.person.release() }
    );
    let proof = one.expect("the agent answers").proof.expect("a proof");
    for operation in [two, three, plugin.operation(&first.id, 0).await] {
        let operation = operation.expect("the agent answers");
        assert_eq!((operation.state, &operation.id), (OperationState::Done, &first.id));
        assert_eq!(operation.proof.as_ref(), Some(&proof));
        assert!(operation.expires_in > 200, "the result is kept");
    }
    assert_eq!((module.pins_tried(), scene.outcomes().await.len()), (1, 1));

    // The same key is another's with another plugin.
    let nobody = refusal(scene.agent.stranger().commit("x\u{202e}y").await);
    assert_eq!(nobody.code, ErrorCode::InvalidField);
    scene.person.will_answer(&["yes"]);
    let second = scene.agent.paired().await;
    assert_eq!(refusal(second.operation(&first.id, 0).await).code, ErrorCode::NotFound);
    assert_eq!(refusal(second.cancel(&first.id).await).code, ErrorCode::NotFound);
    scene.person.will_answer(&["no"]);
    let own = second
        .confirm(&request, Some("key-1"), Some(25))
        .await
        .expect("its own");
    assert_ne!(own.id, first.id);
    assert!(second.history().await.expect("the agent answers").entries.len() == 1);
}

#[tokio::test]
async fn no_pin_is_tried_for_a_client_that_has_gone() {
    let module = token();
    let scene = before(&module).await;
    let started = scene.begin(&confirmation("jws"), &["held pin 12345678"]).await;
    // A long poll whose connection breaks off; then the person types the PIN all the same.
    let poll = tokio::time::timeout(A_MOMENT, scene.plugin.operation(&started.id, 25));
    assert!(poll.await.is_err(), "the poll waits");
    eventually_async("the broken connection to be seen", || {
        scene.agent.log().contains("a connection ended early").then_some(())
    })
    .await;
    scene.person.release();
    scene.person.wait_until_closed().await;
    recorded(&scene, "cancelled");
    // Only now the client is back.
    let ended = scene.end(started).await;
    assert_eq!(code(&ended), ErrorCode::Cancelled);
    assert_eq!((module.pins_tried(), module.count(Call::Login)), (0, 0));

    // Nobody types: the window closes by itself once the client is away too long.
    let started = scene.begin(&confirmation("jws"), &["hang"]).await;
    let poll = tokio::time::timeout(A_MOMENT, scene.plugin.operation(&started.id, 25));
    assert!(poll.await.is_err(), "the poll waits");
    scene.person.wait_until_closed().await;
    assert_eq!(code(&scene.end(started).await), ErrorCode::Cancelled);
    assert_eq!(scene.outcomes().await, ["cancelled", "cancelled"]);
}

#[tokio::test]
async fn pairing_shows_the_same_digits_on_both_sides() {
    let setup = Setup::new();
    let person = ScriptedPerson::new(&setup.folder().join("person"), &["no", "held yes"]);
    let agent = setup.pinentry(&person.program()).start();

    let plugin = agent.stranger();
    let attempt = plugin.commit("Плагин «Госпортал»").await.expect("an offer");
    assert_eq!(person.shown(), "", "nothing is shown before the reveal");
    assert_eq!(refusal(plugin.reveal(&attempt).await).code, ErrorCode::Declined);
    let shown = words(&person.shown());
    assert!(shown.contains(&attempt.digits.to_string()), "{shown}");
    assert!(shown.contains("Плагин «Госпортал»"), "{shown}");
    let listed = agent.cli(&["pairings", "list", "--json"]);
    assert!(!String::from_utf8_lossy(&listed.stdout).contains("Плагин"));

    person.forget();
    let mut plugin = agent.stranger();
    let attempt = plugin.commit("second").await.expect("an offer");
    let (state, ()) = tokio::join!(plugin.reveal(&attempt), async {
        let digits = attempt.digits.to_string();
        eventually_async("the digits", || person.shown().contains(&digits).then_some(())).await;
        person.release();
    });
    assert_eq!(state.expect("the agent answers"), PairingState::Paired);
    plugin.adopt(&attempt).await.expect("the agent signs");
    let pairings = plugin.pairings().await.expect("the agent answers");
    assert_eq!(pairings.len(), 1);
    assert_eq!(
        (pairings[0].name.as_str(), pairings[0].id.clone()),
        ("second", plugin.key().jwk().key_id())
    );
    plugin.unpair().await.expect("the agent answers");
    assert!(plugin.info().await.is_err());
}

#[tokio::test]
async fn revoked_while_its_window_is_open() {
    let module = token();
    let scene = before(&module).await;
    let id = scene.plugin.key().jwk().key_id();
    let started = scene.begin(&confirmation("jws"), &["held pin 12345678"]).await;
    let revoked = scene.agent.cli(&["pairings", "revoke", &id[..8]]);
    assert!(revoked.status.success(), "{revoked:?}");
    scene.person.release();
    scene.person.wait_until_closed().await;
    let refused = refusal(scene.plugin.operation(&started.id, 25).await);
    assert_eq!(refused.code, ErrorCode::NotPaired);
    recorded(&scene, "cancelled");
    assert_eq!((module.pins_tried(), module.count(Call::Login)), (0, 0));
    // Nobody types, and the plugin asks once more: it is refused, and the window closes.
    scene.person.will_answer(&["yes"]);
    let second = scene.agent.paired().await;
    scene.person.will_answer(&["hang"]);
    second
        .confirm(&confirmation("jws"), None, None)
        .await
        .expect("it starts");
    scene.person.wait_until_asked();
    let revoked = scene.agent.cli(&["pairings", "revoke", &second.key().jwk().key_id()]);
    assert!(revoked.status.success(), "{revoked:?}");
    assert_eq!(refusal(second.info().await).code, ErrorCode::NotPaired);
    scene.person.wait_until_closed().await;
    // The window is free a moment after the program that showed it has ended.
    let third = async {
        while scene.agent.stranger().commit("the window is free again").await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    };
    tokio::time::timeout(PATIENCE, third)
        .await
        .expect("the window is free again");
}

#[tokio::test]
async fn a_plugin_may_ask_so_often_a_minute() {
    let module = token();
    let scene = Scene::open(Setup::new().module(module.path()).rates(2)).await;
    let request = to_json(&confirmation("jws"));
    let (begun, mut asked) = (Instant::now(), 0);
    let answer = loop {
        scene.person.forget();
        scene.person.will_answer(&["no"]);
        let signed = scene
            .plugin
            .signed(Method::POST, "/v1/confirmations", Some(request.clone()));
        let answer = scene.plugin.send_raw(signed).await.expect("the agent answers");
        if answer.status().as_u16() == 429 {
            break answer;
        }
        let started = serde_json::from_slice(answer.body()).expect("an operation");
        assert_eq!(code(&scene.end(started).await), ErrorCode::Declined);
        asked += 1;
        // Both at once, then one for each half minute that has passed.
        assert!(asked <= 2 + begun.elapsed().as_secs() / 30, "{asked} times");
    };
    assert!(asked >= 2, "{asked} times");
    let wait = answer.headers()["retry-after"].to_str().expect("text");
    assert!((1..=60).contains(&wait.parse::<u64>().expect("seconds")), "{wait}");
    assert_eq!(scene.person.shown(), "");
    scene.plugin.info().await.expect("other requests are still answered");
}
