//! What GOST tokens do differently from each other, as the person and the portal see it.

use fixtures::gost_token::{Call, GostToken};
use fixtures::pki::{KeyKind, TestPki};
use plugin_protocol::api::{OperationState, SignatureItem};
use plugin_protocol::encoding::base64;
use plugin_protocol::{ErrorCode, HashFunction, SignatureAlgorithm};
use serde_json::{Value, json};
use system_tests::agent::Setup;
use system_tests::ask::{confirmation, signatures};
use system_tests::card::{Card, Gost, Wish};
use system_tests::judge::Judge;
use system_tests::scene::{Scene, code, tokens};
use system_tests::spine::RIGHT;
use system_tests::spine::formats::judge;

const BOTH: [(KeyKind, SignatureAlgorithm); 2] = [
    (KeyKind::GOST_256, SignatureAlgorithm::Gost256),
    (KeyKind::GOST_512, SignatureAlgorithm::Gost512),
];

#[tokio::test]
async fn the_order_of_r_and_s_is_learned_once_and_a_change_is_a_mismatch() {
    for (kind, algorithm) in BOTH {
        let card = Gost::new(kind, algorithm, "reversed", &Wish::default());
        let scene = Scene::open(card.setup()).await;
        let judge = judge(&card);
        for _ in 0..2 {
            let request = confirmation("cms");
            judge.accept(&request, &scene.confirm(&request, &[RIGHT]).await);
        }
        card.set(json!({ "signature_order": "r-s" }));
        let refused = scene.confirm(&confirmation("cms"), &[RIGHT]).await;
        assert_eq!(code(&refused), ErrorCode::SignatureMismatch);
        card.set(json!({}));
        let request = confirmation("cms");
        judge.accept(&request, &scene.confirm(&request, &[RIGHT]).await);
        assert_eq!((card.pins_tried(), card.signings()), (4, 4));
        let told = ["done", "done", "signature_mismatch", "done"];
        assert_eq!(scene.outcomes().await, told);
    }
}

#[tokio::test]
async fn a_wrong_signature_never_leaves_and_costs_one_pin() {
    for (kind, algorithm) in BOTH {
        let card = Gost::new(kind, algorithm, "s-r", &Wish::default());
        card.set(json!({ "wrong_signature": true }));
        let scene = Scene::open(card.setup()).await;
        let refused = scene.confirm(&confirmation("cms"), &[RIGHT, RIGHT]).await;
        assert_eq!(code(&refused), ErrorCode::SignatureMismatch);
        assert_eq!((card.pins_tried(), card.signings()), (1, 1));
        card.set(json!({ "faults": [{ "call": "C_Sign", "return": "CKR_DEVICE_ERROR" }] }));
        let failed = scene.confirm(&confirmation("cms"), &[RIGHT, RIGHT]).await;
        assert_eq!(code(&failed), ErrorCode::ModuleFailed);
        card.set(json!({ "faults": [{ "call": "C_Sign", "remove": true }] }));
        let removed = scene.confirm(&confirmation("cms"), &[RIGHT, RIGHT]).await;
        assert_eq!(code(&removed), ErrorCode::TokenRemoved);
        assert_eq!(card.pins_tried(), 3, "one try for each operation");
        card.insert();
        card.set(json!({}));
        let request = confirmation("cms");
        judge(&card).accept(&request, &scene.confirm(&request, &[RIGHT]).await);
    }
}

#[tokio::test]
async fn a_token_that_only_hashes_itself_confirms_and_signs_no_documents() {
    for (kind, algorithm) in BOTH {
        let card = Gost::new(kind, algorithm, "s-r", &Wish::default());
        card.set(json!({ "mechanisms": "hashing", "digest_parameter": "required" }));
        let scene = Scene::open(card.setup()).await;
        let request = confirmation("cms");
        judge(&card).accept(&request, &scene.confirm(&request, &[RIGHT]).await);

        let mut documents = signatures(&[("a", b"content")]);
        documents.items = vec![SignatureItem {
            name: None,
            hash_function: algorithm.hash(),
            hash: base64(&algorithm.hash().digest(b"content")),
        }];
        let refused = scene.sign(&documents, &[RIGHT]).await;
        assert_eq!(code(&refused), ErrorCode::UnsupportedAlgorithm);
        assert_eq!((scene.person.shown().as_str(), card.pins_tried()), ("", 1));
    }
}

#[tokio::test]
async fn documents_hashed_with_another_function_are_refused_before_anyone_is_asked() {
    let card = Gost::new(KeyKind::GOST_256, SignatureAlgorithm::Gost256, "s-r", &Wish::default());
    let scene = Scene::open(card.setup()).await;
    for hash in [HashFunction::Sha256, HashFunction::Streebog512] {
        let mut documents = signatures(&[("a", b"content")]);
        documents.items[0].hash_function = hash;
        documents.items[0].hash = base64(&hash.digest(b"content"));
        let refused = scene.sign(&documents, &[RIGHT]).await;
        assert_eq!(code(&refused), ErrorCode::UnsupportedAlgorithm, "{hash:?}");
        assert_eq!(scene.person.shown(), "");
    }
    assert_eq!(card.logins(), 0);
}

/// A token with an old key and certificate, and, if `new`, one that is used.
fn with_old_key(pki: &TestPki, new: bool) -> GostToken {
    let token = GostToken::new("Рутокен");
    token.configure(&json!({ "journal": true, "profile": "rutoken" }));
    let old = pki.person("Старый Ключ").key(KeyKind::GOST_2001).issue();
    token.import(&old, &[1], "old");
    if new {
        let issued = pki.person("Иванов Иван Иванович").key(KeyKind::GOST_256).issue();
        token.import(&issued, &[1], "new");
        token.add_certificate(&pki.intermediate.certificate, &[2], "intermediate");
    }
    token
}

fn uses(setup: &Setup, name: &str) -> Value {
    let tokens = tokens(setup);
    let certificates = tokens[0]["certificates"].as_array().expect("a list");
    let found = certificates.iter().find(|certificate| certificate["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not listed: {tokens:?}"))["uses"].clone()
}

#[tokio::test]
async fn keys_of_the_old_standard_are_shown_with_the_reason_and_never_used() {
    let pki = TestPki::with_keys(KeyKind::GOST_512, KeyKind::GOST_256, fixtures::pki::now());
    let token = with_old_key(&pki, false);
    let scene = Scene::open(Setup::new().module(token.module())).await;
    let refused = scene.confirm(&confirmation("cms"), &[RIGHT]).await;
    assert!(matches!(
        code(&refused),
        ErrorCode::UnsupportedAlgorithm | ErrorCode::NoCertificate
    ));
    let detail = refused.problem.expect("a problem").detail;
    assert!(!detail.contains("34.10"), "a page learns nothing of the key: {detail}");
    let log = scene.agent.log();
    assert!(log.contains("its key is of GOST R 34.10-2001"), "{log}");
    assert_eq!((scene.person.shown().as_str(), token.count(Call::Login)), ("", 0));
    let told = uses(scene.agent.setup(), "Старый Ключ");
    assert!(told[0].as_str().expect("text").contains("34.10-2001"), "{told}");
    let doctor = scene.agent.cli(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("1 not usable: its key is of GOST R 34.10-2001"),
        "{doctor}"
    );
    assert!(doctor.contains("warn  token"), "{doctor}");

    // Beside a good key, even under its identifier, it is in nobody's way.
    let token = with_old_key(&pki, true);
    let scene = Scene::open(Setup::new().module(token.module())).await;
    let request = confirmation("cms");
    let operation = scene.confirm(&request, &[RIGHT]).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]).knowing_gost();
    let identity = judge.accept(&request, &operation);
    assert_eq!(identity.subject().common_name(), Some("Иванов Иван Иванович"));
    assert!(!scene.person.shown().contains("Choose"), "one candidate, no question");
    let setup = scene.agent.setup();
    assert_eq!(uses(setup, "Иванов Иван Иванович")[0], "confirms identity");
    let text = scene.agent.cli(&["tokens"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("«Рутокен», PIN ok") && text.contains("GOST R 34.10-2012"),
        "{text}"
    );
    let doctor = scene.agent.cli(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("certificates: 2, of which 1 confirm identity"),
        "{doctor}"
    );
}

/// With a yes, and never without one.
#[tokio::test]
async fn what_a_qualified_certificate_says_is_shown_and_returned_after_consent() {
    let card = Gost::new(KeyKind::GOST_256, SignatureAlgorithm::Gost256, "s-r", &Wish::default());
    let scene = Scene::open(card.setup()).await;
    let declined = scene.confirm(&confirmation("cms"), &["no"]).await;
    assert_eq!(code(&declined), ErrorCode::Declined);
    assert_eq!(declined.qualified, None);
    let request = confirmation("cms");
    let operation = scene.confirm(&request, &[RIGHT]).await;
    let told = operation.qualified.clone().expect("it says something");
    let identity = judge(&card).accept(&request, &operation);
    assert_eq!(
        &told,
        identity.qualification().facts(),
        "agent and portal read it apart"
    );
    assert!(told.claim_qualified() && told.subject_sign_tool.is_some());
    let snils = told.snils.expect("a number");
    let [a, b, c, sum] = [&snils[..3], &snils[3..6], &snils[6..9], &snils[9..]];
    let listed = scene.agent.cli(&["tokens"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains(&format!("SNILS {a}-{b}-{c} {sum}")), "{listed}");
    assert!(listed.contains("calls itself qualified, class КС"), "{listed}");
    assert!(
        scene.person.shown().contains(&format!("{a}-{b}-{c} {sum}")),
        "{}",
        scene.person.shown()
    );
}

#[tokio::test]
async fn two_people_s_certificates_under_strange_identifiers_are_told_apart() {
    let pki = TestPki::with_keys(KeyKind::GOST_512, KeyKind::GOST_256, fixtures::pki::now());
    let token = GostToken::new("card");
    token.configure(&json!({ "journal": true, "signature_order": "r-s" }));
    let people = [
        ("Иванов Иван Иванович", KeyKind::GOST_256),
        ("Петров Пётр Петрович", KeyKind::GOST_512),
    ];
    for (id, (name, kind)) in (1..).zip(people) {
        let issued = pki.person(name).key(kind).issue();
        let key = fixtures::gost_token::KeyAttributes::new(&[7], "key");
        token.import_key(issued.key.pkcs8(), &key);
        token.add_certificate(&issued.certificate, &[id], name);
    }
    token.add_certificate(&pki.intermediate.certificate, &[9], "intermediate");
    let scene = Scene::open(Setup::new().module(token.module())).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]).knowing_gost();
    let mut chosen = Vec::new();
    for answers in [&["yes", RIGHT][..], &["no", "yes", RIGHT]] {
        let request = confirmation("cms");
        let operation = scene.confirm(&request, answers).await;
        assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
        let identity = judge.accept(&request, &operation);
        chosen.push(identity.subject().common_name().unwrap_or_default().to_owned());
    }
    chosen.sort();
    assert_eq!(chosen, people.map(|(name, _)| name));
}
