//! The native host as a browser meets it: frames over real pipes, the real daemon behind it.

mod replaced;

use fixtures::der_writer::{sequence, unsigned_integer};
use fixtures::pki::{KeyKind, KeyUsage, TestPki};
use fixtures::plugin::{Plugin, PluginKey};
use fixtures::softhsm::SoftHsm;
use plugin_protocol::api::ConfirmationRequest;
use plugin_protocol::encoding::{base64, from_base64};
use plugin_protocol::{Proof, Purpose};
use serde_json::{Value, json};
use system_tests::agent::Setup;
use system_tests::ask::{ORIGIN, confirmation};
use system_tests::browser::{Daemons, PLUGIN_IN_CHROMIUM, Talk, WEB_EID_IN_CHROME, ask, framed};
use system_tests::door::agreeable;
use system_tests::judge::Judge;
use system_tests::pinentry::ScriptedPerson;
use system_tests::process::is_alive;

const WEB_EID: &str = "eu.webeid";
const PLUGIN: &str = "eid_agent.plugin";
const RIGHT: &str = "pin 12345678";
const NONCE: &str = "12345678123456781234567812345678912356789123";

/// A set-up whose daemon, once started, listens on a port of its own.
fn quiet() -> Setup {
    Setup::new().configure("port = 0\n")
}

fn sign_in(nonce: &str) -> Value {
    json!({ "challengeNonce": nonce, "origin": ORIGIN, "lang": "ru" })
}

/// The request that a sign-in is, for a verifier.
fn as_confirmation(nonce: &str) -> ConfirmationRequest {
    let mut request = confirmation("web-eid:1.0");
    request.challenge = nonce.parse().expect("a challenge");
    request.purpose = Purpose::SignIn;
    request
}

/// A person with a card of two keys, for signing in and for documents.
struct Card {
    pki: TestPki,
    _hsm: SoftHsm,
    person: ScriptedPerson,
    setup: Setup,
    authentication: String,
    signing: String,
}

impl Card {
    fn new() -> Self {
        let pki = TestPki::new();
        let hsm = SoftHsm::new();
        let card = hsm.init_token("card");
        let person = || pki.person("Иванов Иван Иванович").key(KeyKind::P384);
        let authentication = person().usage(&[KeyUsage::DigitalSignature]).issue();
        let signing = person().usage(&[KeyUsage::NonRepudiation]).issue();
        card.import(&authentication, &[1], "authentication");
        card.import(&signing, &[2], "signing");
        let (name, value) = hsm.environment();
        let setup = quiet().module(hsm.module()).environment(name, value);
        let person = ScriptedPerson::new(&setup.folder().join("person"), &[]);
        let setup = setup.pinentry(&person.program());
        Self {
            person,
            setup,
            authentication: base64(&authentication.certificate),
            signing: base64(&signing.certificate),
            pki,
            _hsm: hsm,
        }
    }

    fn asks(&self, command: &str, arguments: Value, answers: &[&str]) -> Value {
        self.person.forget();
        self.person.will_answer(answers);
        ask(&self.setup, WEB_EID, command, arguments)
    }
}

#[test]
fn the_version_comes_first_and_the_host_ends_by_itself() {
    let setup = quiet();
    for (host, version) in [(WEB_EID, "2.9.0+eid-agent."), (PLUGIN, env!("CARGO_PKG_VERSION"))] {
        let mut talk = Talk::start(&setup, host, &[]);
        let told = talk.answer().expect("the version");
        let told = told["version"].as_str().expect("text");
        assert!(told.starts_with(version), "{told}");
        assert_eq!(told.split('+').next().expect("a version").split('.').count(), 3);
        talk.hang_up();
        assert!(talk.end().success(), "nothing was asked");
    }
    let mut talk = Talk::start(&setup, WEB_EID, &[WEB_EID_IN_CHROME]);
    talk.answer().expect("the version");
    talk.say("quit", json!({}));
    assert_eq!(talk.answer(), Some(json!({})));
    assert!(talk.end().success(), "with its standard input still open");
    for _ in 0..20 {
        let mut talk = Talk::start(&setup, WEB_EID, &[]);
        talk.say("quit", json!({}));
        talk.hang_up();
        talk.answer().expect("the version");
        assert_eq!(talk.answer(), Some(json!({})), "though nobody says more");
        assert!(talk.end().success());
    }
    assert!(!setup.state().exists(), "nothing was made for that");
}

#[test]
fn a_person_signs_in_hands_over_a_certificate_and_signs() {
    let card = Card::new();
    let _daemons = Daemons::of(&card.setup);

    let token = card.asks("authenticate", sign_in(NONCE), &[RIGHT]);
    let shown = card.person.shown();
    assert!(
        shown.contains(ORIGIN) && shown.contains("asks you to sign in"),
        "{shown}"
    );
    assert!(shown.contains("calls itself \"Web eID"), "{shown}");
    assert_eq!(token["unverifiedCertificate"], card.authentication);
    assert_eq!(
        (&token["format"], &token["algorithm"]),
        (&json!("web-eid:1.0"), &json!("ES384"))
    );
    let proof: Proof = serde_json::from_value(token.clone()).expect("a token");
    let judge = Judge::new(&card.pki.root_pem(), &[&card.pki.intermediate.certificate]);
    let origin = ORIGIN.parse().expect("an origin");
    let identity = judge.verdict(&as_confirmation(NONCE), &proof, &origin);
    assert_eq!(
        identity.expect("a portal accepts it").subject().common_name(),
        Some("Иванов Иван Иванович")
    );
    let elsewhere = "https://portal.example.org".parse().expect("an origin");
    assert!(judge.verdict(&as_confirmation(NONCE), &proof, &elsewhere).is_err());

    let told = card.asks("get-signing-certificate", json!({ "origin": ORIGIN }), &["yes"]);
    assert_eq!(told["certificate"], card.signing, "{told}");
    assert_eq!(card.person.pins_asked(), 0, "a certificate takes no PIN");
    let able = told["supportedSignatureAlgorithms"].as_array().expect("a list");
    let es384 = json!({ "cryptoAlgorithm": "ECC", "hashFunction": "SHA-384", "paddingScheme": "NONE" });
    assert!(able.contains(&es384), "{told}");

    let document = b"a document";
    let digest = ring::digest::digest(&ring::digest::SHA384, document);
    let sign = json!({ "certificate": card.signing, "hash": base64(digest.as_ref()), "hashFunction": "SHA-384",
        "origin": ORIGIN });
    let told = card.asks("sign", sign.clone(), &[RIGHT]);
    assert_eq!(told["signatureAlgorithm"], es384, "{told}");
    let signature = from_base64(told["signature"].as_str().expect("text")).expect("base64");
    let (r, s) = signature.split_at(48);
    let der = sequence(&[&unsigned_integer(r), &unsigned_integer(s)]);
    let certificate = from_base64(&card.signing).expect("base64");
    judge.openssl_signature(&certificate, "-sha384", document, &der);

    // The key for signing in signs no documents, whatever the page asks for.
    let mut other = sign;
    other["certificate"] = json!(card.authentication);
    let refused = card.asks("sign", other, &[RIGHT]);
    assert_eq!(refused["error"]["reason"], "no_certificate", "{refused}");
    assert_eq!(refused["error"]["code"], "ERR_WEBEID_NATIVE_FATAL");
    assert_eq!(card.person.pins_asked(), 0);

    // Nobody's certificate or nonce is in what the daemon wrote down.
    let log = std::fs::read_to_string(card.setup.state().join("daemon.log")).expect("its log");
    for secret in [NONCE, &card.authentication, &card.signing, "12345678"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn what_the_person_says_arrives_with_a_known_code_and_our_reason() {
    let card = Card::new();
    let _daemons = Daemons::of(&card.setup);
    for (answers, code, reason) in [
        (&["no"][..], "ERR_WEBEID_USER_CANCELLED", "declined"),
        (&["cancel"], "ERR_WEBEID_USER_CANCELLED", "declined"),
        (&["pin 0000", "no"], "ERR_WEBEID_USER_CANCELLED", "declined"),
        (&["die"], "ERR_WEBEID_NATIVE_FATAL", "prompt_unavailable"),
    ] {
        let told = card.asks("authenticate", sign_in(NONCE), answers);
        assert_eq!(told["error"]["code"], code, "{answers:?}: {told}");
        assert_eq!(told["error"]["reason"], reason, "{answers:?}: {told}");
        assert!(
            told["error"]["message"].as_str().is_some_and(|text| !text.is_empty()),
            "{told}"
        );
    }
}

#[test]
fn a_wrong_pin_is_told_with_the_tries_left() {
    let setup = quiet().software().unattended(&agreeable("0000"));
    let _daemons = Daemons::of(&setup);
    let told = ask(&setup, WEB_EID, "authenticate", sign_in(NONCE));
    assert_eq!(told["error"]["code"], "ERR_WEBEID_NATIVE_FATAL", "{told}");
    assert_eq!(told["error"]["reason"], "pin_incorrect", "{told}");
    assert_eq!(told["error"]["retriesLeft"], 2, "{told}");
}

#[tokio::test]
async fn a_caller_that_goes_away_closes_the_window() {
    let card = Card::new();
    let _daemons = Daemons::of(&card.setup);
    for signal in [false, true] {
        card.person.forget();
        card.person.will_answer(&["hang"]);
        let mut talk = Talk::start(&card.setup, WEB_EID, &[]);
        talk.answer().expect("the version");
        talk.say("authenticate", sign_in(NONCE));
        card.person.wait_until_asked();
        match signal {
            true => talk.terminate(),
            false => talk.hang_up(),
        }
        assert!(talk.end().success());
        card.person.wait_until_closed().await;
    }
    // The window is free at once for the next.
    let told = card.asks("authenticate", sign_in(NONCE), &[RIGHT]);
    assert!(told["signature"].is_string(), "{told}");
    let history = card.setup.command(&["history", "--json"]).output().expect("it starts");
    let history: Value = serde_json::from_slice(&history.stdout).expect("JSON");
    assert_eq!(history.to_string().matches("\"cancelled\"").count(), 2, "{history}");
}

#[test]
fn what_is_no_frame_and_no_command_is_refused() {
    let setup = quiet();
    let long = vec![b' '; 8193];
    let whole = framed(b"{\"command\":\"quit\",\"arguments\":{}}");
    for (what, bytes, code) in [
        ("an empty message", framed(b""), "malformed"),
        ("four bytes", framed(b"null"), "malformed"),
        ("one byte too long", framed(&long), "too_large"),
        ("four gigabytes", u32::MAX.to_ne_bytes().to_vec(), "too_large"),
        (
            "text instead of frames",
            b"{\"command\":\"quit\",\"arguments\":{}}".to_vec(),
            "too_large",
        ),
        ("no JSON", framed(b"\xff\xfe\x00\x00\x00"), "malformed"),
        ("cut in the length", whole[..3].to_vec(), "malformed"),
        ("cut in the message", whole[..20].to_vec(), "malformed"),
        ("no command", framed(b"{\"arguments\":{}}"), "invalid_field"),
    ] {
        for (host, member) in [(WEB_EID, "reason"), (PLUGIN, "code")] {
            let mut talk = Talk::start(&setup, host, &[]);
            talk.answer().expect("the version");
            talk.write(&bytes);
            if what.starts_with("cut") {
                talk.hang_up();
            }
            let told = talk.answer().unwrap_or_else(|| panic!("{what}: no answer"));
            assert_eq!(told["error"][member], code, "{what}: {told}");
            if host == WEB_EID {
                assert_eq!(told["error"]["code"], "ERR_WEBEID_NATIVE_INVALID_ARGUMENT", "{what}");
            }
            assert!(!talk.end().success(), "{what}");
        }
    }
    assert!(!setup.state().exists(), "no daemon was started for any of them");
}

#[test]
fn an_extension_that_may_not_call_gets_nothing() {
    let setup = quiet();
    let firefox = "/usr/lib/mozilla/native-messaging-hosts/eu.webeid.json";
    for (host, caller) in [
        (WEB_EID, &["chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"][..]),
        (WEB_EID, &[PLUGIN_IN_CHROMIUM]),
        (WEB_EID, &[firefox, "{78909f39-7a2f-4bab-b6fd-1a78fa9d41dc}"]),
        (PLUGIN, &[WEB_EID_IN_CHROME]),
        (PLUGIN, &[firefox, "evil@example.org"]),
    ] {
        let mut talk = Talk::start(&setup, host, caller);
        talk.answer().expect("the version");
        match host {
            WEB_EID => talk.say("authenticate", sign_in(NONCE)),
            _ => talk.say("locate", json!({})),
        }
        let told = talk.answer().expect("a refusal").to_string();
        assert!(told.contains("forbidden_context"), "{caller:?}: {told}");
        assert!(!talk.end().success());
    }
    assert!(!setup.state().exists(), "no daemon was started for them");
}

#[tokio::test]
async fn the_plugin_is_paired_without_digits_and_finds_the_daemon() {
    let setup = quiet();
    let daemons = Daemons::of(&setup);
    let key = PluginKey::generate();
    let client = json!({ "name": "eid-agent plugin", "jwk": key.jwk() });
    let told = ask(&setup, PLUGIN, "pair", json!({ "client": client }));
    assert_eq!(
        (&told["started"], &told["version"]),
        (&json!(true), &json!(env!("CARGO_PKG_VERSION")))
    );
    let port = told["port"].as_u64().expect("a port");
    let agent = serde_json::from_value(told["agent_jwk"].clone()).expect("a key");
    let plugin = Plugin::with_key(&format!("http://127.0.0.1:{port}"), key, Some(agent)).expect("a URL");
    assert!(
        plugin.info().await.is_ok(),
        "it speaks at once, and the answers are signed"
    );
    let own = plugin.pairings().await.expect("the agent answers");
    assert_eq!(own[0].name, "eid-agent plugin");

    let told = ask(&setup, PLUGIN, "locate", json!({}));
    let expected = json!({ "port": port, "started": false, "version": env!("CARGO_PKG_VERSION") });
    assert_eq!(told, expected);
    assert_eq!(daemons.running().len(), 1);

    // Killed: what the runtime file says is stale, and is not believed.
    daemons.kill();
    assert!(setup.runtime().join("port").exists(), "the file is left over");
    let told = ask(&setup, PLUGIN, "locate", json!({}));
    assert_eq!(told["started"], true, "{told}");
    assert!(
        told["port"] == port || plugin.info().await.is_err(),
        "the old port is nobody's"
    );
    assert_eq!(daemons.running().len(), 1);
}

#[test]
fn hosts_that_come_at_once_start_one_daemon() {
    let setup = quiet();
    let daemons = Daemons::of(&setup);
    let mut talks: Vec<Talk> = [PLUGIN, WEB_EID, PLUGIN, WEB_EID]
        .iter()
        .map(|host| Talk::start(&setup, host, &[]))
        .collect();
    for (index, talk) in talks.iter_mut().enumerate() {
        talk.answer().expect("the version");
        match index % 2 {
            0 => talk.say("locate", json!({})),
            // With no token there, this one waits: it is told off by the window or the caller.
            _ => talk.say("get-signing-certificate", json!({ "origin": ORIGIN })),
        }
    }
    let located: Vec<Value> = [0, 2]
        .iter()
        .map(|index| talks[*index].answer().expect("an answer"))
        .collect();
    assert_eq!(located[0]["port"], located[1]["port"], "{located:?}");
    for talk in &mut talks {
        talk.hang_up();
    }
    drop(talks);
    assert_eq!(daemons.running().len(), 1, "one daemon for all");
}

#[test]
fn a_daemon_that_runs_is_found_and_one_that_cannot_be_started_is_told() {
    let agent = Setup::new().unattended(&agreeable("1234")).start();
    let daemons = Daemons::of(agent.setup());
    let told = ask(agent.setup(), PLUGIN, "locate", json!({}));
    assert_eq!(told["started"], false, "{told}");
    assert!(agent.base().ends_with(&format!(":{}", told["port"])));
    assert!(daemons.running().is_empty());

    let broken = Setup::new().configure("no_such_key = 1\n");
    let told = ask(&broken, PLUGIN, "locate", json!({}));
    assert_eq!(told["error"]["code"], "agent_unavailable", "{told}");
    let message = told["error"]["message"].as_str().expect("text");
    assert!(
        message.contains("no_such_key") && message.contains("doctor"),
        "{message}"
    );
    // A page learns no more than that.
    let told = ask(&broken, WEB_EID, "authenticate", sign_in(NONCE));
    assert_eq!(told["error"]["reason"], "agent_unavailable", "{told}");
    assert!(!told.to_string().contains("no_such_key"), "{told}");
}

#[test]
fn a_daemon_killed_in_the_middle_is_told_and_another_takes_its_place() {
    let card = Card::new();
    let daemons = Daemons::of(&card.setup);
    card.person.will_answer(&["hang"]);
    let mut talk = Talk::start(&card.setup, WEB_EID, &[]);
    talk.answer().expect("the version");
    talk.say("authenticate", sign_in(NONCE));
    card.person.wait_until_asked();
    daemons.kill();
    let told = talk.answer().expect("an answer");
    assert_eq!(told["error"]["reason"], "agent_unavailable", "{told}");
    assert!(!talk.end().success());
    let told = card.asks("authenticate", sign_in(NONCE), &[RIGHT]);
    assert!(told["signature"].is_string(), "{told}");
}

#[test]
fn a_host_whose_pairing_was_revoked_asks_nobody() {
    let setup = quiet().unattended(&agreeable("1234"));
    let _daemons = Daemons::of(&setup);
    let told = ask(&setup, PLUGIN, "locate", json!({}));
    assert_eq!(told["started"], true, "{told}");
    let listed = setup
        .command(&["pairings", "list", "--json"])
        .output()
        .expect("it starts");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let id = listed["pairings"][0]["id"].as_str().expect("an id").to_owned();
    let revoked = setup.command(&["pairings", "revoke", &id]).output().expect("it starts");
    assert!(revoked.status.success());
    for _ in 0..2 {
        let told = ask(&setup, PLUGIN, "locate", json!({}));
        assert_eq!(told["error"]["code"], "not_paired", "{told}");
    }
}

#[test]
fn the_daemon_outlives_the_host_in_a_session_of_its_own() {
    let setup = quiet();
    let daemons = Daemons::of(&setup);
    let mut talk = Talk::start(&setup, PLUGIN, &[]);
    talk.answer().expect("the version");
    talk.say("locate", json!({}));
    talk.answer().expect("an answer");
    assert!(talk.end().success());
    let [id] = daemons.running()[..] else {
        panic!("one daemon")
    };
    assert!(is_alive(id));
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
    let session = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(3));
    assert_eq!(session, Some(id.to_string().as_str()), "it leads its session");
}
