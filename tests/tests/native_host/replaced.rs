//! A request of the same origin takes the place of an older one, whose page is gone or has asked anew.

use std::path::PathBuf;

use serde_json::json;
use system_tests::ask::ORIGIN;
use system_tests::browser::{Daemons, Talk, ask};
use system_tests::process::eventually;

use super::{Card, NONCE, RIGHT, WEB_EID, sign_in};

/// A host whose sign-in is asked about, and who left its note.
fn signing_in(card: &Card) -> Talk {
    let mut talk = Talk::start(&card.setup, WEB_EID, &[]);
    talk.answer().expect("the version");
    talk.say("authenticate", sign_in(NONCE));
    card.person.wait_until_asked();
    noted(card, "confirmation");
    talk
}

/// What a host that runs such an operation notes down.
fn noted(card: &Card, action: &str) -> String {
    eventually("a note", || {
        let text = std::fs::read_to_string(note(card)).ok()?;
        text.contains(action).then_some(text)
    })
}

/// What a host says whose question another took the place of; its input is open still.
fn is_replaced(talk: Talk) {
    let told = talk.answer().expect("an answer");
    assert_eq!(told["error"]["code"], "ERR_WEBEID_USER_CANCELLED", "{told}");
    assert_eq!(told["error"]["reason"], "cancelled", "{told}");
    assert!(!talk.end().success());
}

fn note(card: &Card) -> PathBuf {
    card.setup.state().join("native-host-eu.webeid.running")
}

#[test]
fn a_new_request_of_the_same_origin_takes_the_place_of_the_older_one() {
    let card = Card::new();
    let _daemons = Daemons::of(&card.setup);
    card.person.will_answer(&["hang", "hang", RIGHT]);
    let first = signing_in(&card);
    let old = card.person.windows();
    let is_open = || old.iter().any(|window| card.person.is_open(*window));
    assert!(is_open());

    // Another kind of request replaces it as well.
    let mut second = Talk::start(&card.setup, WEB_EID, &[]);
    second.answer().expect("the version");
    second.say("get-signing-certificate", json!({ "origin": ORIGIN }));
    is_replaced(first);
    eventually("the end of the old window", || (!is_open()).then_some(()));
    card.person.wait_until_shown("CONFIRM");
    let text = noted(&card, "certificate");
    assert!(text.contains(ORIGIN) && !text.contains(NONCE), "{text}");

    let token = ask(&card.setup, WEB_EID, "authenticate", sign_in(NONCE));
    assert!(token["signature"].is_string(), "{token}");
    is_replaced(second);
    assert!(!note(&card).exists(), "nothing runs any more");
    assert_eq!(card.person.pins_asked(), 2, "and one PIN was given");
    let history = card.setup.command(&["history", "--json"]).output().expect("it starts");
    let history = String::from_utf8(history.stdout).expect("UTF-8");
    assert_eq!(history.matches("\"cancelled\"").count(), 2, "{history}");
    assert!(!history.contains("pin_incorrect"), "{history}");
}

#[test]
fn a_request_of_another_origin_meets_a_window_that_is_taken() {
    let card = Card::new();
    let _daemons = Daemons::of(&card.setup);
    card.person.will_answer(&["held pin 12345678"]);
    let first = signing_in(&card);
    for other in ["https://www.portal.example", "https://portal.example:8443"] {
        let told = ask(
            &card.setup,
            WEB_EID,
            "get-signing-certificate",
            json!({ "origin": other }),
        );
        assert_eq!(told["error"]["code"], "ERR_WEBEID_ACTION_PENDING", "{told}");
        assert_eq!(told["error"]["reason"], "busy", "{told}");
    }
    card.person.release();
    assert!(first.answer().expect("an answer")["signature"].is_string());
    assert!(first.end().success());
}

#[test]
fn a_note_that_names_no_running_question_of_the_host_is_harmless() {
    let card = Card::new();
    let daemons = Daemons::of(&card.setup);
    let stale = json!({ "action": "confirmation", "id": "A".repeat(22), "origin": ORIGIN, "since": 1 });
    card.person.will_answer(&["held pin 12345678"]);
    let first = signing_in(&card);
    for text in [stale.to_string(), "no note".to_owned(), String::new()] {
        std::fs::write(note(&card), &text).expect("it can be written");
        let told = ask(&card.setup, WEB_EID, "authenticate", sign_in(NONCE));
        assert_eq!(told["error"]["code"], "ERR_WEBEID_ACTION_PENDING", "{text:?}: {told}");
    }
    card.person.release();
    assert!(first.answer().expect("an answer")["signature"].is_string());

    // A host that was killed leaves its note and its window: the next one takes its place at once.
    card.person.forget();
    card.person.will_answer(&["hang", RIGHT]);
    let killed = signing_in(&card);
    drop(killed);
    assert!(note(&card).exists(), "nobody took it away");
    let token = ask(&card.setup, WEB_EID, "authenticate", sign_in(NONCE));
    assert!(token["signature"].is_string(), "{token}");
    assert!(!note(&card).exists());

    // A note of an earlier run of the daemon.
    card.person.forget();
    card.person.will_answer(&["hang"]);
    let killed = signing_in(&card);
    drop(killed);
    daemons.kill();
    assert!(note(&card).exists());
    let token = card.asks("authenticate", sign_in(NONCE), &[RIGHT]);
    assert!(token["signature"].is_string(), "{token}");
    assert!(!note(&card).exists());
}

#[test]
fn of_requests_that_come_at_once_one_stays() {
    let card = Card::new();
    let _daemons = Daemons::of(&card.setup);
    card.person.will_answer(&["hang"; 8]);
    let first = signing_in(&card);
    let mut rivals: Vec<Talk> = (0..3).map(|_| Talk::start(&card.setup, WEB_EID, &[])).collect();
    for talk in &rivals {
        talk.answer().expect("the version");
    }
    for talk in &mut rivals {
        talk.say("authenticate", sign_in(NONCE));
    }
    is_replaced(first);
    let mut told = vec![None; rivals.len()];
    eventually("an answer to all but one", || {
        for (told, talk) in told.iter_mut().zip(&rivals) {
            *told = told.take().or_else(|| talk.heard());
        }
        (told.iter().flatten().count() == rivals.len() - 1).then_some(())
    });
    for told in told.iter().flatten() {
        let code = told["error"]["code"].as_str().expect("a code");
        assert!(
            ["ERR_WEBEID_USER_CANCELLED", "ERR_WEBEID_ACTION_PENDING"].contains(&code),
            "{told}"
        );
    }
    let last = told.iter().position(Option::is_none).expect("one stays");
    let mut last = rivals.swap_remove(last);
    last.hang_up();
    assert!(last.end().success());
    assert!(!note(&card).exists());
    let token = card.asks("authenticate", sign_in(NONCE), &[RIGHT]);
    assert!(token["signature"].is_string(), "the window is free: {token}");
}
