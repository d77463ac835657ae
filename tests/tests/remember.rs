//! What is left of an operation: its record on the disk, its events, its result.

use fixtures::evil::EvilModule;
use fixtures::pki::{Issued, TestPki};
use fixtures::plugin::to_json;
use hyper::Method;
use plugin_protocol::api::{Operation, OperationState};
use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::{ErrorCode, Proof};
use serde_json::Value;
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, confirmation, signatures};
use system_tests::scene::{Scene, code};

const RIGHT: &str = "pin 12345678";

fn ivanov() -> Issued {
    TestPki::new().person("Иванов Иван Иванович").issue()
}

async fn before(issued: &Issued) -> (EvilModule, Scene) {
    let module = EvilModule::builder(issued).label("Карта Иванова").build();
    let scene = Scene::open(Setup::new().module(module.path())).await;
    (module, scene)
}

#[tokio::test]
async fn nothing_is_handed_out_that_is_not_remembered() {
    let (module, scene) = before(&ivanov()).await;
    let path = scene.agent.setup().state().join("history.jsonl");
    // No record can be written here, not even by root.
    std::fs::create_dir(&path).expect("a directory in its place");
    let refused = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(code(&refused), ErrorCode::HistoryFailed);
    assert!(refused.problem.expect("a problem").retryable);
    assert_eq!(module.pins_tried(), 1, "it was signed, and kept back");
    let refused = scene.sign(&signatures(&[("a", b"a")]), &[RIGHT]).await;
    assert_eq!(code(&refused), ErrorCode::HistoryFailed);

    std::fs::remove_dir(&path).expect("it is empty");
    let operation = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert_eq!(scene.outcomes().await, ["done"]);
}

#[tokio::test]
async fn a_record_says_what_was_signed_for_whom_and_names_nobody() {
    let issued = ivanov();
    let (_module, scene) = before(&issued).await;
    let operation = scene.confirm(&confirmation("jws"), &["pin 87654321", RIGHT]).await;
    let Some(Proof::Jws { jws }) = operation.proof else {
        panic!("{:?}", operation.problem)
    };
    let signed = scene
        .sign(&signatures(&[("Тайный договор.pdf", b"content")]), &[RIGHT])
        .await;
    assert_eq!(signed.state, OperationState::Done, "{:?}", signed.problem);

    let path = scene.agent.setup().state().join("history.jsonl");
    let text = std::fs::read_to_string(path).expect("the history");
    let records: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let [wrong, confirmed, documents] = &records[..] else {
        panic!("{text}")
    };
    let (input, _) = jws.rsplit_once('.').expect("three parts");
    assert_eq!(confirmed["signed"][0]["hash"], "SHA-256");
    assert_eq!(confirmed["signed"][0]["digest"], hex(&sha256(input.as_bytes())));
    assert_eq!(documents["signed"][0]["digest"], hex(&sha256(b"content")));
    for (record, outcome, action) in [
        (wrong, "pin_incorrect", "confirmation"),
        (confirmed, "done", "confirmation"),
        (documents, "done", "signatures"),
    ] {
        assert_eq!(
            (&record["outcome"], &record["action"]),
            (&outcome.into(), &action.into())
        );
        assert_eq!(record["origin"], ORIGIN);
        assert_eq!(record["client"]["id"], scene.plugin.key().jwk().key_id());
        assert_eq!(record["certificate"]["sha256"], hex(&sha256(&issued.certificate)));
        assert_eq!(
            (&record["token"]["kind"], &record["test"]),
            (&"pkcs11".into(), &true.into())
        );
    }
    for secret in ["Иванов", "12345678", "87654321", "договор"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn each_state_is_told_to_its_plugin_alone() {
    let (_module, scene) = before(&ivanov()).await;
    scene.person.will_answer(&["yes"]);
    let other = scene.agent.paired().await;
    let operation = scene.confirm(&confirmation("web-eid:1.0"), &[RIGHT]).await;
    let events = scene.plugin.events(0, 0).await.expect("the agent answers");
    let told: Vec<Value> = events
        .events
        .iter()
        .map(|event| serde_json::to_value(event).expect("JSON"))
        .collect();
    let states: Vec<&Value> = told
        .iter()
        .filter(|event| event["operation"] == *operation.id)
        .map(|event| &event["state"])
        .collect();
    assert_eq!(states, ["awaiting_consent", "signing", "done"]);
    let numbers: Vec<u64> = events.events.iter().map(|event| event.seq).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!(Some(&events.next), numbers.last());

    let events = other.events(0, 0).await.expect("the agent answers").events;
    let text = serde_json::to_string(&events).expect("JSON");
    assert!(text.contains("token.added") && !text.contains(&operation.id), "{text}");
    let text = serde_json::to_string(&other.tokens().await.expect("the agent answers")).expect("JSON");
    assert!(
        !text.contains("Иванов") && !text.contains("Карта"),
        "a plugin learns no name: {text}"
    );
}

#[tokio::test]
async fn the_first_answer_says_where_the_result_will_be() {
    let (_module, scene) = before(&ivanov()).await;
    let ask = async |prefer: Option<&str>| {
        let body = to_json(&confirmation("jws"));
        let mut request = scene.plugin.signed(Method::POST, "/v1/confirmations", Some(body));
        if let Some(prefer) = prefer {
            request
                .headers_mut()
                .insert("prefer", prefer.parse().expect("a header value"));
        }
        let answer = scene.plugin.call(request).await.expect("the agent answers");
        let operation: Operation = serde_json::from_slice(answer.body()).expect("an operation");
        let location = answer.headers()["location"].to_str().expect("text").to_owned();
        assert_eq!(location, format!("/v1/confirmations/{}", operation.id));
        (answer.status().as_u16(), operation)
    };
    scene.person.will_answer(&["held no"]);
    let (status, started) = ask(None).await;
    assert_eq!((status, started.state.is_final()), (202, false));
    scene.person.release();
    assert_eq!(code(&scene.end(started).await), ErrorCode::Declined);

    scene.person.will_answer(&[RIGHT]);
    let (status, operation) = ask(Some("wait=25")).await;
    assert_eq!((status, operation.state), (200, OperationState::Done));
    assert!(operation.proof.is_some());
}
