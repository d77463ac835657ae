#![allow(clippy::unwrap_used)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use plugin_protocol::Purpose;
use plugin_protocol::api::TokenKind;

use super::*;
use crate::prompt::Step;
use crate::prompt::fixture::{candidate, consent, document, pair, renewal, request, unblock};
use crate::token::TokenId;

const POLICY: &str = r#"
origins = ["https://www.portal.example"]
[[token]]
kind = "software"
pin = "1234"
[[token]]
id = "ID"
pin = "5678"
"#;

/// A token on SoftHSM: named in the policy by its id alone.
fn named() -> Candidate {
    let mut named = candidate();
    named.token.id = TokenId::new(&["pkcs11", "7"]);
    named.token.kind = TokenKind::Pkcs11;
    named.token.test = false;
    named.certificate.test = false;
    named
}

fn unattended(text: &str) -> Unattended {
    let text = text.replace("ID", named().token.id.as_str());
    let policy = Policy::parse(&text).unwrap();
    Unattended { policy }
}

fn pin_of(answer: Result<Answer, PromptError>) -> Option<Vec<u8>> {
    match answer {
        Ok(Answer::Pin(pin)) => Some(pin.expose().to_vec()),
        Ok(Answer::Yes | Answer::Chosen(_)) => panic!("a PIN was expected"),
        Err(PromptError::Declined) => None,
        Err(other) => panic!("{other}"),
    }
}

fn answer(policy: &str, change: impl FnOnce(&mut Consent)) -> Option<Vec<u8>> {
    let mut consent = consent();
    change(&mut consent);
    pin_of(unattended(policy).answer(&Question::Consent(consent)))
}

#[test]
fn approves_test_tokens_at_listed_origins_alone() {
    assert_eq!(answer(POLICY, |_| ()).as_deref(), Some(&b"1234"[..]));
    assert_eq!(
        answer(POLICY, |consent| consent.candidate = named()).as_deref(),
        Some(&b"5678"[..])
    );
    for origin in [
        "https://portal.example",
        "https://www.portal.example:8443",
        "http://localhost:1",
        "https://www.portal.example.evil.example",
    ] {
        assert_eq!(
            answer(POLICY, |consent| consent.request.origin = origin.parse().unwrap()),
            None,
            "{origin}"
        );
    }
}

#[test]
fn refuses_what_is_no_test_token_even_at_a_listed_origin() {
    let unnamed_module = |consent: &mut Consent| {
        consent.candidate = named();
        consent.candidate.token.id = TokenId::new(&["pkcs11", "8"]);
    };
    assert_eq!(answer(POLICY, unnamed_module), None);
    // It calls itself a test, but only software tokens may be approved by kind.
    let module_with_test_certificate = |consent: &mut Consent| {
        unnamed_module(consent);
        consent.candidate.token.test = true;
        consent.candidate.certificate.test = true;
    };
    assert_eq!(answer(POLICY, module_with_test_certificate), None);
    // A PKCS#12 file with a real certificate.
    let real_software = |consent: &mut Consent| {
        consent.candidate.token.test = false;
        consent.candidate.certificate.test = false;
    };
    assert_eq!(answer(POLICY, real_software), None);
    assert_eq!(
        answer("origins = [\"https://www.portal.example\"]", |_| ()),
        None,
        "no token is named"
    );
}

#[test]
fn refuses_second_attempts_and_last_tries() {
    assert_eq!(answer(POLICY, |consent| consent.attempt = 2), None);
    assert_eq!(
        answer(POLICY, |consent| consent.candidate.token.pin.tries_left = Some(1)),
        None
    );
    assert_eq!(
        answer(POLICY, |consent| consent.candidate.token.pin.tries_left = Some(0)),
        None
    );
    assert_eq!(
        answer(POLICY, |consent| consent.candidate.token.pin.state = PinState::FinalTry),
        None
    );
    assert_eq!(answer(POLICY, |consent| consent.pin = PinEntry::Pad), None);
    let last = Question::LastTry(request(), candidate());
    assert_eq!(unattended(POLICY).answer(&last).err(), Some(PromptError::Declined));
    for step in [Step::Offer, Step::Key, Step::New] {
        let renew = Question::Renew(renewal(unblock(None), step));
        assert_eq!(unattended(POLICY).answer(&renew).err(), Some(PromptError::Declined));
    }
    let no_pin = POLICY.replace("pin = \"1234\"", "");
    assert_eq!(answer(&no_pin, |_| ()), None);
    let mut none = consent();
    none.pin = PinEntry::None;
    assert!(matches!(
        unattended(&no_pin).answer(&Question::Consent(none)),
        Ok(Answer::Yes)
    ));
}

#[test]
fn actions_are_listed_and_the_literal_form_apart() {
    let sign = Action::Sign(vec![document(None, "ab".repeat(32))]);
    let literal = Action::ConfirmLiteral(Purpose::SignIn);
    let with = |line: &str, action: &Action| {
        let policy = format!("{line}\n{POLICY}");
        answer(&policy, |consent| consent.request.action = action.clone()).is_some()
    };
    assert!(with("", &Action::Confirm(Purpose::SignIn)));
    assert!(!with("", &sign) && !with("", &literal));
    assert!(with("literal = true", &literal));
    assert!(!with("literal = true\nactions = [\"confirm_identity\"]", &literal));
    assert!(with("actions = [\"sign\"]", &sign));
    assert!(!with("actions = [\"sign\"]", &Action::Confirm(Purpose::SignIn)));
    assert!(
        !with("", &Action::Certificate(Default::default()))
            && !with("actions = [\"sign\"]", &Action::Certificate(Default::default()))
    );
    assert!(with(
        "actions = [\"certificate\"]",
        &Action::Certificate(Default::default())
    ));
}

#[test]
fn a_certificate_spends_no_try() {
    let policy = format!("actions = [\"certificate\"]\n{POLICY}");
    let mut last = consent();
    last.request.action = Action::Certificate(Default::default());
    last.pin = PinEntry::None;
    last.candidate.token.pin.tries_left = Some(1);
    let answered = unattended(&policy).answer(&Question::Consent(last));
    assert!(matches!(answered, Ok(Answer::Yes)));
}

#[test]
fn the_page_around_a_portal_must_be_listed_too() {
    let within = |top: &str| {
        let top = top.parse().unwrap();
        answer(POLICY, |consent| consent.request.top_origin = Some(top)).is_some()
    };
    assert!(!within("https://news.example"));
    let policy = POLICY.replace("origins = [", "origins = [\"https://news.example\", ");
    let top = "https://news.example".parse().unwrap();
    assert!(answer(&policy, |consent| consent.request.top_origin = Some(top)).is_some());
}

#[test]
fn pairs_only_when_told_to() {
    let question = pair();
    assert_eq!(unattended(POLICY).answer(&question).err(), Some(PromptError::Declined));
    let told = format!("pair = true\n{POLICY}");
    assert!(matches!(unattended(&told).answer(&question), Ok(Answer::Yes)));
}

#[test]
fn chooses_the_first_that_the_policy_covers() {
    let mut foreign = named();
    foreign.token.id = TokenId::new(&["pkcs11", "8"]);
    let question = Question::Choose(request(), vec![foreign.clone(), named(), candidate()]);
    assert!(matches!(unattended(POLICY).answer(&question), Ok(Answer::Chosen(1))));
    let question = Question::Choose(request(), vec![foreign]);
    assert_eq!(unattended(POLICY).answer(&question).err(), Some(PromptError::Declined));
}

#[tokio::test]
async fn waits_for_a_token_only_at_a_listed_origin() {
    let prompt = unattended(POLICY);
    let waiting = Question::InsertToken(request(), Vec::new());
    let polled = futures_now(prompt.ask(&waiting)).await;
    assert!(polled.is_none(), "pending until dropped");
    let mut elsewhere = request();
    elsewhere.origin = "https://other.example".parse().unwrap();
    let refused = futures_now(prompt.ask(&Question::InsertToken(elsewhere, Vec::new()))).await;
    assert!(matches!(refused, Some(Err(PromptError::Declined))));
}

/// The future's value if it is ready at once.
async fn futures_now<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = std::future::ready(()) => None,
    }
}

fn file(dir: &Path, text: &str, mode: u32) -> std::path::PathBuf {
    let path = dir.join("policy.toml");
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn the_file_must_be_private_and_right() {
    let dir = tempfile::tempdir().unwrap();
    let prompt = Unattended::open(&file(dir.path(), POLICY, 0o600)).unwrap();
    assert!(prompt.unattended() && prompt.check().is_ok());
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let why = Unattended::open(&file(dir.path(), POLICY, mode)).err().unwrap();
        assert!(why.contains("chmod 600"), "{why}");
    }
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(file(dir.path(), POLICY, 0o600), &link).unwrap();
    assert!(Unattended::open(&link).is_err());
    assert!(Unattended::open(dir.path()).is_err());
    assert!(
        Unattended::open(&dir.path().join("nothing"))
            .err()
            .unwrap()
            .contains("cannot be opened")
    );
}

#[test]
fn mistakes_are_told_by_line_without_quoting_a_pin() {
    for (mistake, line, word) in [
        ("pin = 987654", "line 5", "text in quotes"),
        ("pni = \"987654\"", "line 5", "unknown field"),
        ("pin = \"987654", "line 5", ""),
        ("pin = [\"987654\"]", "line 5", "text in quotes"),
        ("pin = \"987654\"\nid = \"x\"", "token 1", "not both"),
    ] {
        let text = POLICY.replace("pin = \"1234\"", mistake);
        let why = Policy::parse(&text).err().unwrap();
        assert!(why.contains(line) && why.contains(word), "{why}");
        assert!(!why.contains("987654"), "{why}");
    }
    let why = Policy::parse("origins = [\"https://Portal.example\"]").err().unwrap();
    assert!(why.contains("lower-case"), "{why}");
    assert!(Policy::parse("").is_err(), "origins must be named");
}

#[test]
fn the_example_is_right_and_names_every_key() {
    let example = include_str!("../../../unattended-policy.example.toml");
    let policy = Policy::parse(example).unwrap();
    assert_eq!(policy.origins.len(), 2);
    assert!(policy.entry(&candidate()).is_some() && policy.entry(&named()).is_none());
    for key in ["origins", "actions", "literal", "pair", "kind", "pin", "id"] {
        assert!(
            example.lines().any(|line| line.starts_with(&format!("{key} = "))),
            "{key}"
        );
    }
}
