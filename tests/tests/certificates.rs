//! The signing certificate, handed over without a signature; and what is told of sources that cannot be looked at.

use std::process::Command;

use fixtures::evil::{Call, EvilModule, Fault};
use fixtures::pki::{Issued, KeyKind, KeyUsage, TestPki};
use fixtures::softhsm::SoftHsm;
use hyper::Method;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{OperationState, SignatureMethod, SourceKind, Tokens, Unavailable};
use plugin_protocol::encoding::{base64, from_base64};
use serde_json::Value;
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, certificate, confirmation, signatures};
use system_tests::judge::Judge;
use system_tests::programs;
use system_tests::scene::{Scene, code};

const RIGHT: &str = "pin 12345678";
const NAME: &str = "Иванов Иван Иванович";
const TOP: &str = "https://xn--80ak6aa92e.com";

fn on(hsm: &SoftHsm) -> Setup {
    let (name, value) = hsm.environment();
    Setup::new().module(hsm.module()).environment(name, value)
}

fn signing(pki: &TestPki, kind: KeyKind) -> Issued {
    pki.person(NAME).key(kind).usage(&[KeyUsage::NonRepudiation]).issue()
}

/// What a portal does: asks for the certificate, makes the document for it, has its digest signed.
#[tokio::test]
async fn it_is_handed_over_and_its_key_signs_as_was_said() {
    let pki = TestPki::new();
    for (kind, scheme) in [(KeyKind::Rsa2048, "RSA-PKCS1"), (KeyKind::P256, "ECDSA")] {
        let hsm = SoftHsm::new();
        let card = hsm.init_token("card");
        let authentication = pki.person(NAME).usage(&[KeyUsage::DigitalSignature]).issue();
        card.import(&authentication, &[1], "authentication");
        let signing = signing(&pki, kind);
        card.import(&signing, &[2], "signing");
        let scene = Scene::open(on(&hsm)).await;

        let operation = scene.certificate(&certificate(), &["yes"]).await;
        assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
        assert!(operation.test, "its issuer is a test authority");
        let shown = scene.person.shown();
        for part in [ORIGIN, "Nothing is signed", NAME, "Hand over"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert_eq!(scene.person.pins_asked(), 0);
        let given = operation.certificate.expect("a certificate");
        assert_eq!(given.certificate, base64(&signing.certificate));
        let names = |method: &SignatureMethod| serde_json::to_value(method).expect("JSON");
        let algorithms: Vec<Value> = given.algorithms.iter().map(names).collect();
        assert_eq!(
            algorithms[0],
            serde_json::json!({"scheme": scheme, "hash_function": "SHA-256"})
        );

        let mut request = signatures(&[("a.pdf", b"content")]);
        request.certificate = Some(given.certificate);
        let signed = scene.sign(&request, &[RIGHT]).await.signatures.expect("signatures");
        assert_eq!(signed.items[0].scheme, given.algorithms[0].scheme, "as was said before");
        if kind == KeyKind::Rsa2048 {
            let signature = from_base64(&signed.items[0].signature).expect("base64");
            let judge = Judge::new(&pki.root_pem(), &[]);
            judge.openssl_signature(&signing.certificate, "-sha256", b"content", &signature);
        }
        let history = scene.plugin.history().await.expect("the agent answers").entries;
        let told: Vec<_> = history.iter().map(|entry| entry.action.as_str()).collect();
        assert_eq!(told, ["signatures", "certificate"]);
    }
}

#[tokio::test]
async fn without_a_yes_or_a_signing_key_nothing_leaves() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let card = hsm.init_token("card");
    let authentication = pki.person(NAME).usage(&[KeyUsage::DigitalSignature]).issue();
    card.import(&authentication, &[1], "authentication");
    let scene = Scene::open(on(&hsm)).await;
    let refused = scene.certificate(&certificate(), &["yes"]).await;
    assert_eq!(code(&refused), ErrorCode::NoCertificate);
    assert_eq!(scene.person.shown(), "", "a key for signing in is never offered");

    let signing = signing(&pki, KeyKind::P256);
    card.import(&signing, &[2], "signing");
    for (answer, expected) in [("no", ErrorCode::Declined), ("cancel", ErrorCode::Declined)] {
        let refused = scene.certificate(&certificate(), &[answer]).await;
        assert_eq!(code(&refused), expected, "{answer}");
        let told = serde_json::to_string(&refused).expect("JSON");
        let some = base64(&signing.certificate);
        assert!(!told.contains(NAME) && !told.contains(&some[100..200]), "{told}");
    }
    assert_eq!(scene.outcomes().await, ["no_certificate", "declined", "declined"]);
}

/// The window closes when the plugin cancels; then the token comes late, and the page is one inside another.
#[tokio::test]
async fn it_lives_like_every_operation() {
    let pki = TestPki::new();
    let module = EvilModule::builder(&signing(&pki, KeyKind::P256)).build();
    let scene = Scene::open(Setup::new().module(module.path())).await;
    scene.person.will_answer(&["hang"]);
    let mut request = certificate();
    request.top_origin = Some(TOP.parse().expect("an origin"));
    let plugin = &scene.plugin;
    let begun = plugin
        .certificate(&request, Some("key"), None)
        .await
        .expect("it begins");
    scene.person.wait_until_asked();
    let again = plugin.certificate(&request, Some("key"), None).await.expect("the same");
    assert_eq!(again.id, begun.id);
    let busy = plugin
        .confirm(&confirmation("jws"), None, None)
        .await
        .expect_err("one window");
    assert_eq!(busy.code(), Some(ErrorCode::Busy));
    let told = plugin.cancel_certificate(&begun.id).await.expect("the agent answers");
    let cancelled = plugin.finish("/v1/certificates", told).await;
    assert_eq!(code(&cancelled.expect("the agent answers")), ErrorCode::Cancelled);
    scene.person.wait_until_closed().await;

    module.remove_token();
    scene.person.forget();
    scene.person.will_answer(&["hang", "yes"]);
    let begun = plugin.certificate(&request, None, None).await.expect("it begins");
    let shown = scene.person.wait_until_shown("Insert your card or token");
    assert!(
        shown.contains(TOP) && shown.contains("embedded in a page of another site"),
        "{shown}"
    );
    assert!(
        shown.contains("CAUTION: the address of the page that it is embedded in"),
        "{shown}"
    );
    let waiting = plugin
        .certificate_operation(&begun.id, 0)
        .await
        .expect("the agent answers");
    assert_eq!(waiting.state, OperationState::AwaitingToken);
    module.insert_token();
    let done = plugin
        .finish("/v1/certificates", begun)
        .await
        .expect("the agent answers");
    assert_eq!(done.state, OperationState::Done, "{:?}", done.problem);
    assert_eq!(module.pins_tried(), 0);
    let history = plugin.history().await.expect("the agent answers").entries;
    assert_eq!(history[0].top_origin.as_ref().map(|origin| origin.as_str()), Some(TOP));
}

#[tokio::test]
async fn the_reference_plugin_asks_for_it_on_the_command_line() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let signing = signing(&pki, KeyKind::P256);
    hsm.init_token("card").import(&signing, &[1], "signing");
    let scene = Scene::open(on(&hsm)).await;
    let state = scene.agent.setup().folder().join("plugin.json");
    scene.plugin.save(&state).expect("the state can be written");
    scene.person.will_answer(&["yes"]);
    let mut command = Command::new(programs::path("eid-plugin"));
    command
        .args(["--agent", scene.agent.base(), "--json", "--state"])
        .arg(state);
    let output = command
        .args(["certificate", "--origin", ORIGIN])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        told["operation"]["certificate"]["certificate"],
        *base64(&signing.certificate)
    );
}

#[tokio::test]
async fn what_cannot_be_looked_at_is_told_without_its_name() {
    let pki = TestPki::new();
    let good = EvilModule::builder(&signing(&pki, KeyKind::P256)).build();
    let bad = EvilModule::builder(&signing(&pki, KeyKind::P256))
        .fault(Fault::AbortIn(Call::GetSlotList))
        .build();
    let scene = Scene::open(Setup::new().module(good.path()).module(bad.path())).await;
    for reason in [
        ErrorCode::ModuleFailed,
        ErrorCode::ModuleFailed,
        ErrorCode::ModuleFailed,
        ErrorCode::ModuleUnavailable,
    ] {
        let request = scene.plugin.signed(Method::GET, "/v1/tokens", None);
        let answer = scene.plugin.call(request).await.expect("the agent answers");
        let text = String::from_utf8(answer.into_body().to_vec()).expect("JSON");
        let told: Tokens = serde_json::from_str(&text).expect("tokens");
        assert_eq!(told.tokens.len(), 1, "the other module's");
        let source = SourceKind::Pkcs11;
        assert_eq!(told.unavailable, [Unavailable { source, reason }]);
        let file = bad.path().file_name().expect("a name").to_string_lossy();
        assert!(!text.contains('/') && !text.contains(&*file), "{text}");
    }
}
