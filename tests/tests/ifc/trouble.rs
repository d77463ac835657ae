//! What goes wrong on the way, and what the page is told of it.

use fixtures::evil::{CKM_ECDSA_SHA256, EvilModule};
use fixtures::pki::{KeyKind, TestPki};
use serde_json::{Value, json};
use system_tests::agent::Setup;
use system_tests::browser::{Daemons, Talk, framed};
use system_tests::door::agreeable;
use system_tests::pinentry::ScriptedPerson;
use system_tests::process::eventually;

use crate::esia::Esia;
use crate::page::{self, HOST, Page};
use crate::{Desk, quiet};

#[tokio::test]
async fn leaving_the_page_closes_the_window() {
    let desk = Desk::new(&[KeyKind::P256]);
    let _daemons = Daemons::of(&desk.setup);
    for by_signal in [false, true] {
        let mut page = Page::load(&desk.setup);
        let container = desk.container(&mut page);
        desk.will(&["hang"]);
        page.begin_sign(&container, &"c".repeat(64), 3)
            .expect("the device is there");
        desk.person.wait_until_asked();
        match by_signal {
            true => page.terminate(),
            false => page.leave(),
        }
        desk.person.wait_until_closed().await;
        // Loaded anew: it is the next one's turn at once.
        let mut page = Page::load(&desk.setup);
        desk.will(&["hang"]);
        let devices = page.devices();
        page.say(&json!({ "func_name": "get_list_certs", "params": { "cryptoID": devices[0] } }));
        desk.person.wait_until_asked();
        page.leave();
        desk.person.wait_until_closed().await;
    }
    // The host has gone before it is remembered, where the disk is slow.
    let cancelled = || desk.outcomes().iter().filter(|outcome| *outcome == "cancelled").count();
    eventually("four records", || (cancelled() >= 4).then_some(()));
    assert_eq!(cancelled(), 4, "{:?}", desk.outcomes());
}

#[test]
fn a_token_may_be_missing_from_the_start_or_leave_on_the_way() {
    let pki = TestPki::new();
    let issued = pki.person("Иванов Иван Иванович").issue();
    let module = EvilModule::builder(&issued).mechanisms(&[CKM_ECDSA_SHA256]).build();
    let setup = quiet().module(module.path());
    let person = ScriptedPerson::new(&setup.folder().join("person"), &[]);
    let setup = setup.pinentry(&person.program());
    let _daemons = Daemons::of(&setup);
    let mut esia = Esia::new(&pki);
    module.remove_token();
    let mut page = Page::load(&setup);
    assert!(page.certificates().expect("an empty list").is_empty());
    for devices in [json!([]), json!(["eidAgent/0", "ruTokenECP/0"])] {
        let params = json!({ "cryptoID_array": devices, "show_progress": 0 });
        let told = page.call("get_list_certs_by_cryptoid_array", params);
        assert_eq!(told["error_code"], 0, "{told}");
        let lists = told["result_array"].as_array().expect("an array");
        assert_eq!(lists.len(), devices.as_array().expect("an array").len());
        assert!(lists.iter().all(|list| list["cert_list"] == json!([])), "{told}");
    }
    let told = page.call("get_list_certs", json!({ "cryptoID": "eidAgent/0" }));
    assert_eq!(told["error_code"], 0xa4, "{told}");
    assert_eq!(person.shown(), "", "nobody is asked for nothing");

    // Put in: the page that is there sees it.
    module.insert_token();
    person.will_answer(&["yes"]);
    let shown = page.certificates().expect("certificates");
    let container = shown[0].container.clone();
    module.remove_token();
    let challenge = esia.request();
    assert_eq!(
        page.sign(&container, &challenge, 3),
        Err(0xa4),
        "the library sees that it is gone"
    );
    page.say(&page::sign(&container, &challenge, 3));
    assert_eq!(page.answer()["error_code"], 0xa4, "and so does the host");

    module.insert_token();
    person.forget();
    person.will_answer(&["held pin 12345678"]);
    page.begin_sign(&container, &challenge, 3).expect("the device is there");
    person.wait_until_asked();
    module.remove_token();
    person.release();
    assert_eq!(page.answer()["error_code"], 0x19);

    // Back in its place: the same device, and the same container still.
    module.insert_token();
    person.will_answer(&["pin 12345678"]);
    let signature = page.sign(&container, &challenge, 3).expect("a signature");
    assert_eq!(esia.validate(&json!({ "signature": signature }))["action"], "DONE");
    page.leave();
}

/// With the embedded token and the key of it that is made in no time: a daemon that is started here makes it first.
fn software() -> Setup {
    quiet().software().configure("software.keys = [\"p256\"]\n")
}

#[test]
fn a_wrong_pin_costs_tries_until_it_is_locked() {
    let setup = software();
    let person = ScriptedPerson::new(&setup.folder().join("person"), &[]);
    let setup = setup.pinentry(&person.program());
    let _daemons = Daemons::of(&setup);
    let mut page = Page::load(&setup);
    // One certificate, or the first of several.
    person.will_answer(&["yes", "yes"]);
    let container = page.certificates().expect("certificates")[0].container.clone();
    person.will_answer(&["pin 0000", "pin 0001", "yes", "pin 0002"]);
    assert_eq!(
        page.sign(&container, &"c".repeat(64), 3),
        Err(0x17),
        "{}",
        person.shown()
    );
    assert!(person.shown().contains("THIS IS THE LAST TRY"), "{}", person.shown());
    person.forget();
    assert_eq!(page.sign(&container, &"c".repeat(64), 3), Err(0x17));
    assert_eq!(person.shown(), "", "it is of no use to ask");
    page.leave();

    // Where nobody can be asked again, a wrong PIN is one.
    let policy = agreeable("0000").replace(
        "origins = [",
        "literal = true\norigins = [\"https://esia.gosuslugi.ru\", ",
    );
    let policy = policy.replace("\"sign\"", "\"certificate\"");
    let setup = software().unattended(&policy);
    let _daemons = Daemons::of(&setup);
    let mut page = Page::load(&setup);
    let container = page.certificates().expect("certificates")[0].container.clone();
    assert_eq!(page.sign(&container, &"c".repeat(64), 3), Err(0xa0));
    page.leave();
}

#[test]
fn nothing_but_a_literal_challenge_reaches_the_person() {
    let desk = Desk::new(&[KeyKind::P256]);
    let _daemons = Daemons::of(&desk.setup);
    let mut page = Page::load(&desk.setup);
    let container = desk.container(&mut page);
    let hex = "0123456789abcdef".repeat(4);
    desk.will(&["pin 12345678"]);
    for (member, value, code) in [
        (
            "data",
            json!("I owe you 1,000,000 roubles, and nobody can say otherwise."),
            11,
        ),
        ("data", json!(format!("{{\"origin\":\"{hex}\"}}")), 11),
        ("data", json!("a".repeat(129)), 11),
        ("signType", json!(1), 17),
        ("signType", json!(2), 17),
        ("inDataType", json!(3), 17),
        ("inDataType", json!(4), 17),
        ("inDataType", json!(5), 17),
        ("data", json!(7), 5),
        ("containerId", json!(format!("{container}0")), 10),
    ] {
        let mut asked = page::sign(&container, &hex, 3);
        asked["params"][member] = value.clone();
        page.say(&asked);
        assert_eq!(page.answer()["error_code"], code, "{member} {value}");
    }
    assert_eq!(desk.person.shown(), "");
    page.leave();
}

#[test]
fn a_policy_without_esia_refuses_before_anyone_is_asked() {
    let setup = software().configure("literal.origins = []\n");
    let person = ScriptedPerson::new(&setup.folder().join("person"), &["yes"]);
    let setup = setup.pinentry(&person.program());
    let _daemons = Daemons::of(&setup);
    let mut page = Page::load(&setup);
    assert_eq!(page.certificates().err(), Some(17));
    assert_eq!(person.shown(), "");
    page.leave();
}

#[test]
fn no_error_ends_the_host_but_what_no_browser_sends() {
    let setup = quiet();
    let mut page = Page::load(&setup);
    let version = json!({ "func_name": "version", "params": {} });
    let long = vec![b' '; 1024 * 1024 + 1];
    for wrong in [
        framed(b""),
        framed(b"{"),
        framed(b"null"),
        framed(b"\xff\xfe"),
        framed(b"[\"version\"]"),
        framed(&long),
    ] {
        page.write(&wrong);
        assert_eq!(page.answer(), json!({ "error_code": 5 }));
        page.say(&version);
        assert_eq!(page.answer()["version"], "3.1.1.0");
    }
    // Many at once are answered in their turn.
    for _ in 0..10 {
        page.say(&version);
        page.say(&json!({ "func_name": "hash" }));
    }
    for _ in 0..10 {
        assert_eq!(page.answer()["error_code"], 0);
        assert_eq!(page.answer()["error_code"], 17);
    }
    page.write(&u32::MAX.to_ne_bytes());
    assert!(page.ends());
    let mut page = Page::load(&setup);
    page.write(&framed(version.to_string().as_bytes())[..9]);
    page.leave();
    assert!(!setup.state().exists(), "no daemon was started for any of them");
}

#[test]
fn a_daemon_that_ends_is_told_and_started_anew() {
    let desk = Desk::new(&[KeyKind::P256]);
    let daemons = Daemons::of(&desk.setup);
    let mut esia = Esia::new(&desk.pki);
    let mut page = Page::load(&desk.setup);
    let container = desk.container(&mut page);
    let challenge = esia.request();
    desk.will(&["hang"]);
    page.begin_sign(&container, &challenge, 3).expect("the device is there");
    desk.person.wait_until_asked();
    daemons.kill();
    assert_eq!(page.answer()["error_code"], 163);
    // The page goes on: what it asks next starts another one.
    let container = match page.devices().contains(&page::crypto_part(&container).to_owned()) {
        true => container,
        false => desk.container(&mut page),
    };
    desk.will(&["pin 12345678"]);
    let signature = page.sign(&container, &challenge, 3).expect("a signature");
    assert_eq!(esia.validate(&json!({ "signature": signature }))["action"], "DONE");
    page.leave();

    // Revoked by the person: it asks nobody any more, and says so.
    let listed = desk
        .setup
        .command(&["pairings", "list", "--json"])
        .output()
        .expect("it starts");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(
        listed["pairings"][0]["name"], "Gosuslugi (official extension)",
        "{listed}"
    );
    let id = listed["pairings"][0]["id"].as_str().expect("an id");
    let revoked = desk
        .setup
        .command(&["pairings", "revoke", id])
        .output()
        .expect("it starts");
    assert!(revoked.status.success());
    let mut page = Page::load(&desk.setup);
    assert_eq!(
        page.call("get_list_info", json!({ "cryptoType": null }))["error_code"],
        163
    );
    page.leave();
}

#[test]
fn another_extension_gets_nothing() {
    let setup = quiet();
    let firefox = "/usr/lib/mozilla/native-messaging-hosts/ru.rtlabs.ifcplugin.json";
    for caller in [
        &["chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"][..],
        // As it is spelt in Chromium, which is not its name in Firefox.
        &[firefox, "pbefkdcnd@ngodfeigfdgiodgnmbgcfha.ru"],
        &[firefox, "{78909f39-7a2f-4bab-b6fd-1a78fa9d41dc}"],
    ] {
        let mut talk = Talk::start(&setup, HOST, caller);
        for name in ["version", "get_list_info"] {
            let message = json!({ "func_name": name, "params": {} });
            talk.write(&framed(message.to_string().as_bytes()));
            assert_eq!(talk.answer(), Some(json!({ "error_code": 163 })), "{caller:?}");
        }
        talk.hang_up();
        assert!(talk.end().success());
    }
    let mut talk = Talk::start(&setup, HOST, &[firefox, "pbafkdcnd@ngodfeigfdgiodgnmbgcfha.ru"]);
    talk.write(&framed(b"{\"func_name\":\"version\"}"));
    assert_eq!(talk.answer().expect("an answer")["error_code"], 0);
    assert!(!setup.state().exists(), "no daemon was started");
}
