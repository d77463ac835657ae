//! The whole path on good tokens: every format, every kind of key, judged by the portal and by OpenSSL.

use std::process::Command;

use fixtures::der_writer::{sequence, unsigned_integer};
use fixtures::evil::{CKM_ECDSA_SHA256, CKM_GOSTR3410, Call, EvilModule};
use fixtures::pkcs12::{self, Protection};
use fixtures::pki::extensions::Extension;
use fixtures::pki::{DAY, Issued, KeyKind, KeyUsage, TestPki};
use fixtures::softhsm::SoftHsm;
use plugin_protocol::api::{OperationState, SignatureScheme, TokenKind};
use plugin_protocol::encoding::{base64, from_base64};
use plugin_protocol::{ErrorCode, Purpose, SignatureAlgorithm};
use serde_json::Value;
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, confirmation, signatures};
use system_tests::judge::Judge;
use system_tests::portal::Portal;
use system_tests::scene::{Scene, code};
use system_tests::spine::formats::{FORMATS, accepted, assert_is};

const RIGHT: &str = "pin 12345678";
const NAME: &str = "Иванов Иван Иванович";

fn on(hsm: &SoftHsm) -> Setup {
    let (name, value) = hsm.environment();
    Setup::new().module(hsm.module()).environment(name, value)
}

#[tokio::test]
async fn softhsm_in_every_format_with_every_kind_of_key() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let kinds = [
        ("rsa", KeyKind::Rsa2048, SignatureAlgorithm::RS256),
        ("p256", KeyKind::P256, SignatureAlgorithm::ES256),
        ("p384", KeyKind::P384, SignatureAlgorithm::ES384),
        ("p521", KeyKind::P521, SignatureAlgorithm::ES512),
    ];
    let issued: Vec<Issued> = kinds
        .iter()
        .map(|(_, kind, _)| pki.person(NAME).key(*kind).issue())
        .collect();
    for ((label, ..), issued) in kinds.iter().zip(&issued) {
        let token = hsm.init_token(label);
        token.import(issued, &[1], label);
        token.add_certificate(&pki.intermediate.certificate, &[2], "intermediate");
    }
    let scene = Scene::open(on(&hsm).literal(ORIGIN)).await;
    let tokens = scene.tokens();
    let id = |label: &str| {
        tokens
            .iter()
            .find(|token| token["label"] == label)
            .map(|token| token["id"].clone())
    };
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);
    for ((label, _, algorithm), issued) in kinds.iter().zip(&issued) {
        for (format, detached) in FORMATS {
            let mut request = confirmation(format.name());
            request.detached = detached;
            request.token = id(label).and_then(|id| id.as_str().map(str::to_owned));
            let operation = scene.confirm(&request, &[RIGHT]).await;
            let identity = accepted(&judge, &request, &operation, issued, *algorithm);
            assert_eq!(identity.subject().common_name(), Some(NAME));
        }
    }
    assert_eq!(scene.outcomes().await, vec!["done"; 24]);
}

#[tokio::test]
async fn the_software_token_in_every_format_with_every_kind_of_key() {
    let scene = Scene::open(Setup::new().software().literal(ORIGIN)).await;
    let summary = scene.plugin.tokens().await.expect("the agent answers").tokens.remove(0);
    assert_eq!((summary.kind, summary.test), (TokenKind::Software, true));
    let folder = scene.agent.setup().state().join("software-token");
    let root = std::fs::read_to_string(folder.join("root.pem")).expect("its root is there");
    let judge = Judge::new(&root, &[]);
    // How the person leafs to each of its certificates.
    for (algorithm, leaf) in [
        (SignatureAlgorithm::ES256, &["yes", "pin 1234"][..]),
        (SignatureAlgorithm::ES384, &["no", "yes", "pin 1234"]),
        (SignatureAlgorithm::RS256, &["no", "no", "yes", "pin 1234"]),
    ] {
        for (format, detached) in FORMATS {
            let mut request = confirmation(format.name());
            request.detached = detached;
            let operation = scene.confirm(&request, leaf).await;
            let identity = judge.accept(&request, &operation);
            assert_is(&identity, identity.certificate_der(), algorithm, format);
            assert!(operation.test);
        }
        assert!(scene.person.shown().contains("SETTITLE Choose a certificate (1/3)"));
    }
    let request = confirmation("jws");
    let operation = scene.confirm(&request, &["no", "no", "no", "cancel"]).await;
    assert_eq!(code(&operation), ErrorCode::Declined, "round once, then declined");
    assert_eq!(scene.person.shown().matches("(1/3)").count(), 2);
}

#[tokio::test]
async fn the_web_eid_token_has_its_five_members() {
    let pki = TestPki::new();
    let issued = pki.person(NAME).key(KeyKind::P384).issue();
    let hsm = SoftHsm::new();
    hsm.init_token("card").import(&issued, &[1], "key");
    let scene = Scene::open(on(&hsm)).await;
    let request = confirmation("web-eid:1.0");
    let operation = scene.confirm(&request, &[RIGHT]).await;
    let token = serde_json::to_value(operation.proof.expect("a proof")).expect("JSON");
    let mut members: Vec<&str> = token
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    assert_eq!(
        members,
        [
            "algorithm",
            "appVersion",
            "format",
            "signature",
            "unverifiedCertificate"
        ]
    );
    let text = |name: &str| token[name].as_str().expect("text");
    assert_eq!((text("format"), text("algorithm")), ("web-eid:1.0", "ES384"));
    assert_eq!(text("unverifiedCertificate"), base64(&issued.certificate));
    assert!(text("appVersion").starts_with("https://"), "{token}");

    // By hand, as the Web eID specification has it: hash(origin) ‖ hash(challenge), hashed and signed.
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA384, text.as_bytes());
    let signed = [digest(ORIGIN).as_ref(), digest(request.challenge.as_str()).as_ref()].concat();
    let signature = from_base64(text("signature")).expect("base64");
    ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P384_SHA384_FIXED, issued.key.public_key())
        .verify(&signed, &signature)
        .expect("the signature verifies");
}

#[tokio::test]
async fn documents_are_signed_with_the_signing_key_alone() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let card = hsm.init_token("card");
    let authentication = pki.person(NAME).usage(&[KeyUsage::DigitalSignature]).issue();
    let signing = pki
        .person(NAME)
        .key(KeyKind::Rsa2048)
        .usage(&[KeyUsage::NonRepudiation])
        .issue();
    card.import(&authentication, &[1], "authentication");
    card.import(&signing, &[2], "signing");
    let scene = Scene::open(on(&hsm)).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);

    // Each purpose finds the one key meant for it, and nobody is asked which.
    let request = confirmation("jws");
    let identity = judge.accept(&request, &scene.confirm(&request, &[RIGHT]).await);
    assert_eq!(identity.certificate_der(), authentication.certificate);

    let documents: [(&str, &[u8]); 2] = [("a.pdf", b"first"), ("b.pdf", b"second")];
    let mut request = signatures(&documents);
    let operation = scene.sign(&request, &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    assert!(!scene.person.shown().contains("Choose"));
    let signed = operation.signatures.expect("signatures");
    assert_eq!(signed.certificate, base64(&signing.certificate));
    assert_eq!(signed.items.len(), 2);
    for (outcome, (_, content)) in signed.items.iter().zip(documents) {
        assert_eq!(outcome.scheme, SignatureScheme::RsaPkcs1);
        let signature = from_base64(&outcome.signature).expect("base64");
        judge.openssl_signature(&signing.certificate, "-sha256", content, &signature);
    }

    request.certificate = Some(base64(&authentication.certificate));
    let refused = scene.sign(&request, &[RIGHT]).await;
    assert_eq!(code(&refused), ErrorCode::NoCertificate);
    let detail = refused.problem.expect("a problem").detail;
    assert!(detail.contains("without the key usage nonRepudiation"), "{detail}");
    assert_eq!(scene.person.shown(), "", "nobody is asked in vain");

    let history = scene.plugin.history().await.expect("the agent answers").entries;
    let told: Vec<(&str, &str)> = history
        .iter()
        .map(|entry| (entry.action.as_str(), entry.outcome.as_str()))
        .collect();
    let expected = [
        ("signatures", "no_certificate"),
        ("signatures", "done"),
        ("confirmation", "done"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_signing_key_never_confirms_and_elliptic_curves_sign_documents() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let signing = pki.person(NAME).usage(&[KeyUsage::NonRepudiation]).issue();
    hsm.init_token("card").import(&signing, &[1], "signing");
    let scene = Scene::open(on(&hsm)).await;
    let refused = scene.confirm(&confirmation("cms"), &[RIGHT]).await;
    assert_eq!(code(&refused), ErrorCode::NoCertificate);
    let detail = refused.problem.expect("a problem").detail;
    assert!(detail.contains("1 without the key usage digitalSignature"), "{detail}");
    assert_eq!(scene.person.shown(), "");

    let operation = scene.sign(&signatures(&[("a", b"content")]), &[RIGHT]).await;
    let signed = operation.signatures.expect("signatures");
    let raw = from_base64(&signed.items[0].signature).expect("base64");
    assert_eq!((signed.items[0].scheme, raw.len()), (SignatureScheme::Ecdsa, 64));
    let der = sequence(&[&unsigned_integer(&raw[..32]), &unsigned_integer(&raw[32..])]);
    let judge = Judge::new(&pki.root_pem(), &[]);
    judge.openssl_signature(&signing.certificate, "-sha256", b"content", &der);
}

#[tokio::test]
async fn the_literal_challenge_is_signed_for_named_origins_alone() {
    let pki = TestPki::new();
    let issued = pki.person(NAME).issue();
    let hsm = SoftHsm::new();
    hsm.init_token("card").import(&issued, &[1], "key");
    let scene = Scene::open(on(&hsm).literal("https://esia.example")).await;
    let mut request = confirmation("cms-challenge");
    let refused = scene.plugin.confirm(&request, None, None).await.expect_err("a refusal");
    assert_eq!(refused.code(), Some(ErrorCode::OriginNotAllowed));
    assert!(refused.to_string().contains(ORIGIN), "{refused}");
    assert_eq!(scene.person.shown(), "");

    request.origin = "https://esia.example".parse().expect("an origin");
    let operation = scene.confirm(&request, &[RIGHT]).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let shown = scene.person.shown();
    assert!(shown.contains("one-time code as it is"), "{shown}");
    let proof = operation.proof.as_ref().expect("a proof");
    judge.verdict(&request, proof, &request.origin).expect("accepted");
    assert_eq!(scene.outcomes().await, ["origin_not_allowed", "done"]);
}

#[tokio::test]
async fn what_does_not_fit_is_shown_but_not_offered() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let card = hsm.init_token("card");
    let expired = pki
        .person("Просрочен")
        .not_before(pki.at - 9 * DAY)
        .not_after(pki.at - DAY);
    let future = pki
        .person("Будущий")
        .not_before(pki.at + DAY)
        .not_after(pki.at + 9 * DAY);
    let authority = pki.person("Центр").extension(Extension::authority(None));
    for (number, person) in [expired, future, authority].into_iter().enumerate() {
        card.import(&person.issue(), &[number as u8 + 1], "unfit");
    }
    let scene = Scene::open(on(&hsm)).await;
    let tokens = scene.tokens();
    let certificates = tokens[0]["certificates"].as_array().expect("a list");
    let shown = |name: &str| {
        let found = certificates.iter().find(|certificate| certificate["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not shown"))["uses"].clone()
    };
    assert_eq!(shown("Просрочен"), Value::from(vec!["expired"]));
    assert_eq!(shown("Будущий"), Value::from(vec!["not valid yet"]));
    assert_eq!(shown("Центр"), Value::from(vec!["a certification authority's own"]));
    let refused = scene.confirm(&confirmation("jws"), &[RIGHT]).await;
    assert_eq!(code(&refused), ErrorCode::NoCertificate);
    let detail = refused.problem.expect("a problem").detail;
    for why in ["1 expired", "1 not valid yet", "1 of a certification authority"] {
        assert!(detail.contains(why), "{detail}");
    }

    let good = pki.person(NAME).issue();
    card.import(&good, &[9], "good");
    let other = pki.person("Петров Пётр Петрович").key(KeyKind::P384).issue();
    hsm.init_token("other").import(&other, &[1], "other");
    // The module's process looked at its tokens when it began: a new daemon sees the second card.
    let scene = Scene::open(on(&hsm)).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);
    let mut request = confirmation("jws");
    for (answers, name) in [(&["yes", RIGHT][..], 0), (&["no", "yes", RIGHT], 1)] {
        let identity = judge.accept(&request, &scene.confirm(&request, answers).await);
        let shown = scene.person.shown();
        let windows: Vec<&str> = shown.split("CONFIRM").collect();
        let chosen = identity.subject().common_name().expect("a name");
        assert!(windows[name].contains(chosen), "{chosen}: {shown}");
        assert!(shown.contains("(1/2)") && !shown.contains("Просрочен"), "{shown}");
        request = confirmation("jws");
    }
    request.token = Some(scene.token("card"));
    let identity = judge.accept(&request, &scene.confirm(&request, &[RIGHT]).await);
    assert_eq!(
        identity.subject().common_name(),
        Some(NAME),
        "one candidate, no question"
    );
}

#[tokio::test]
async fn keys_that_ask_each_time_and_files() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let card = hsm.init_token("card");
    let issued = pki.person(NAME).key(KeyKind::Rsa2048).issue();
    card.import_always_authenticate(&issued.key, &[1], "key");
    card.add_certificate(&issued.certificate, &[1], "key");
    card.add_certificate(&pki.intermediate.certificate, &[2], "intermediate");
    let from_file = pki.person("Петров Пётр Петрович").issue();
    let setup = on(&hsm);
    let path = setup.folder().join("petrov.p12");
    let file = pkcs12::make(&from_file, "petrov", "пароль", Protection::Modern);
    std::fs::write(&path, file).expect("a file");
    let scene = Scene::open(setup.configure(&format!("software.pkcs12 = [{path:?}]\n"))).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);

    let mut request = confirmation("cms");
    request.token = Some(scene.token("card"));
    let identity = judge.accept(&request, &scene.confirm(&request, &[RIGHT]).await);
    assert_eq!(identity.certificate_der(), issued.certificate);
    assert_eq!(scene.person.pins_asked(), 1);

    let tokens = scene.plugin.tokens().await.expect("the agent answers").tokens;
    let file = tokens
        .into_iter()
        .find(|token| token.kind == TokenKind::Software)
        .expect("the file");
    let mut request = confirmation("jws");
    request.token = Some(file.id.clone());
    let refused = scene.confirm(&request, &[]).await;
    assert_eq!(code(&refused), ErrorCode::NoCertificate);
    let detail = refused.problem.expect("a problem").detail;
    assert!(!detail.contains("petrov"), "a page learns of no file: {detail}");
    let listed = scene.agent.cli(&["tokens"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains("openssl pkcs12 -in FILE.p12 -nokeys -out FILE.pem"),
        "{listed}"
    );
    let mut remedy = Command::new("openssl");
    remedy
        .args(["pkcs12", "-passin", "pass:пароль", "-nokeys", "-in"])
        .arg(&path);
    remedy.arg("-out").arg(path.with_extension("pem"));
    assert!(remedy.status().expect("openssl is installed").success());
    for format in ["web-eid:1.0", "jws", "cms"] {
        let mut request = confirmation(format);
        request.token = Some(file.id.clone());
        let operation = scene.confirm(&request, &["pin wrong", "pin пароль"]).await;
        let identity = judge.accept(&request, &operation);
        assert_eq!(identity.certificate_der(), from_file.certificate);
        assert!(operation.test);
    }
}

#[tokio::test]
async fn a_real_portal_takes_each_challenge_once() {
    let mut scene = Scene::open(Setup::new().software()).await;
    assert_eq!(scene.tokens().len(), 1, "made when it is first looked for");
    let portal = Portal::start(&scene.agent.setup().state().join("software-token/root.pem"));
    let client = portal.client();
    for format in ["web-eid:1.0", "jws", "cms"] {
        let issued = client.challenge("vera", Purpose::SignIn).await.expect("a challenge");
        assert!(issued.formats.iter().any(|name| name == format), "{issued:?}");
        assert_eq!(issued.origin.as_str(), portal.base());
        let mut request = confirmation(format);
        request.origin = issued.origin.clone();
        request.challenge = issued.challenge.clone();
        request.purpose = issued.purpose;
        let operation = scene.confirm(&request, &["yes", "pin 1234"]).await;
        let proof = operation.proof.expect("a proof");
        let verdict = client
            .prove(&issued.challenge, &proof)
            .await
            .expect("the portal answers");
        assert!(verdict.accepted(), "{verdict:?}");
        let told = |name: &str| verdict.body[name].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (told("account"), told("format"), told("algorithm")),
            ("vera".into(), format.into(), "ES256".into())
        );
        assert_eq!(
            (&verdict.body["test"], verdict.body["certificate"]["serial"].is_string()),
            (&Value::Bool(true), true)
        );
        let again = client
            .prove(&issued.challenge, &proof)
            .await
            .expect("the portal answers");
        assert!(!again.accepted(), "{again:?}");
        assert!(!portal.log().contains("panicked"));
    }
    assert!(scene.agent.process().terminate().success());
}

#[tokio::test]
async fn a_token_with_pss_alone_signs_with_pss() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    let issued = pki.person(NAME).key(KeyKind::Rsa2048).issue();
    let card = hsm.init_token("card");
    card.import(&issued, &[1], "key");
    card.add_certificate(&pki.intermediate.certificate, &[2], "intermediate");
    // From now on this SoftHSM offers nothing else.
    let mut configuration = std::fs::read_to_string(hsm.configuration()).expect("its configuration");
    configuration.push_str("slots.mechanisms = CKM_RSA_PKCS_PSS,CKM_SHA256_RSA_PKCS_PSS,CKM_SHA384_RSA_PKCS_PSS\n");
    std::fs::write(hsm.configuration(), configuration).expect("it can be written");
    let scene = Scene::open(on(&hsm).literal(ORIGIN)).await;
    let judge = Judge::new(&pki.root_pem(), &[&pki.intermediate.certificate]);
    for (format, detached) in FORMATS {
        let mut request = confirmation(format.name());
        request.detached = detached;
        let identity = judge.accept(&request, &scene.confirm(&request, &[RIGHT]).await);
        assert_is(&identity, &issued.certificate, SignatureAlgorithm::PS256, format);
    }
    let operation = scene.sign(&signatures(&[("a", b"content")]), &[RIGHT]).await;
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    let signed = operation.signatures.expect("signatures");
    assert_eq!(signed.items[0].scheme, SignatureScheme::RsaPss);
    let signature = from_base64(&signed.items[0].signature).expect("base64");
    ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PSS_2048_8192_SHA256, issued.key.public_key())
        .verify(b"content", &signature)
        .expect("the signature verifies");
}

#[tokio::test]
async fn a_token_that_cannot_is_refused_before_anyone_is_asked() {
    let pki = TestPki::new();
    let issued = pki.person(NAME).issue();
    let hashes_itself = EvilModule::builder(&issued)
        .mechanisms(&[CKM_ECDSA_SHA256])
        .label("hashes")
        .build();
    let gost = EvilModule::builder(&issued)
        .mechanisms(&[CKM_GOSTR3410])
        .label("gost")
        .build();
    let scene = Scene::open(Setup::new().module(hashes_itself.path()).module(gost.path())).await;
    let mut request = confirmation("jws");
    request.token = Some(scene.token("gost"));
    assert_eq!(
        code(&scene.confirm(&request, &[RIGHT]).await),
        ErrorCode::UnsupportedAlgorithm
    );
    request.token = Some(scene.token("hashes"));
    assert_eq!(scene.confirm(&request, &[RIGHT]).await.state, OperationState::Done);
    let mut documents = signatures(&[("a", b"content")]);
    documents.token = Some(scene.token("hashes"));
    let refused = scene.sign(&documents, &[RIGHT]).await;
    assert_eq!(
        code(&refused),
        ErrorCode::UnsupportedAlgorithm,
        "a digest is all there is of a document"
    );
    assert_eq!(scene.person.shown(), "", "nobody is asked in vain");
    assert_eq!((gost.count(Call::Login), hashes_itself.pins_tried()), (0, 1));
}
