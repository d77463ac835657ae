//! `ru.rtlabs.ifcplugin` as the official extension meets it: a page's commands, the real host, the real daemon, a
//! person at the windows and the sign-in service behind the page.

mod esia;
mod gost;
mod page;
mod trouble;

use fixtures::pki::{KeyKind, KeyUsage, TestPki};
use fixtures::softhsm::SoftHsm;
use plugin_protocol::Proof;
use serde_json::{Value, json};
use system_tests::agent::Setup;
use system_tests::ask::confirmation;
use system_tests::browser::Daemons;
use system_tests::pinentry::ScriptedPerson;
use system_tests::scene::Scene;

use esia::Esia;
use page::{PAGES_PIN, Page};

const RIGHT: &str = "pin 12345678";
const NAME: &str = "Иванов Иван Иванович";

/// A set-up whose daemon, once started, listens on a port of its own.
fn quiet() -> Setup {
    Setup::new().configure("port = 0\n")
}

/// A person with a card, at a sign-in page.
pub(crate) struct Desk {
    pki: TestPki,
    _hsm: SoftHsm,
    person: ScriptedPerson,
    setup: Setup,
}

impl Desk {
    /// With one certificate for each of these keys.
    fn new(keys: &[KeyKind]) -> Self {
        let pki = TestPki::new();
        let hsm = SoftHsm::new();
        let card = hsm.init_token("card");
        for (number, key) in keys.iter().enumerate() {
            let usage = [KeyUsage::DigitalSignature, KeyUsage::NonRepudiation];
            let issued = pki
                .person(NAME)
                .key(*key)
                .usage(&usage)
                .officer_of(
                    "ООО «Ромашка = клевер, и др.»",
                    "Директор",
                    "1027700132195",
                    "7707083893",
                )
                .issue();
            card.import(&issued, &[u8::try_from(number + 1).expect("few keys")], "key");
        }
        let (name, value) = hsm.environment();
        let setup = quiet().module(hsm.module()).environment(name, value);
        let person = ScriptedPerson::new(&setup.folder().join("person"), &[]);
        let setup = setup.pinentry(&person.program());
        Self {
            pki,
            _hsm: hsm,
            person,
            setup,
        }
    }

    fn will(&self, answers: &[&str]) {
        self.person.forget();
        self.person.will_answer(answers);
    }

    /// The container of the one certificate that the person shows to the page.
    fn container(&self, page: &mut Page) -> String {
        self.will(&["yes"]);
        let shown = page.certificates().expect("certificates");
        let [certificate] = &shown[..] else {
            panic!("one certificate: {shown:?}")
        };
        certificate.container.clone()
    }

    fn history(&self) -> Vec<Value> {
        let history = self.setup.command(&["history", "--json"]).output().expect("it starts");
        let history: Value = serde_json::from_slice(&history.stdout).expect("JSON");
        history["entries"].as_array().expect("a list").clone()
    }

    fn outcomes(&self) -> Vec<String> {
        let outcome = |entry: &Value| entry["outcome"].as_str().expect("text").to_owned();
        self.history().iter().map(outcome).collect()
    }
}

#[test]
fn nothing_is_said_or_started_before_the_first_command() {
    let setup = quiet();
    Page::load(&setup).leave();
    let mut page = Page::load(&setup);
    let version = json!({ "func_name": "version" });
    page.say(&version);
    assert_eq!(page.answer(), json!({ "error_code": 0, "version": "3.1.1.0" }));
    assert_eq!(page.call("unheard_of", json!({})), json!({ "error_code": 17 }));
    assert_eq!(
        page.call("key_delete", json!({ "containerId": "a/0/b", "userPin": "1" }))["error_code"],
        17
    );
    assert_eq!(page.call("get_list_info", json!({ "cryptoType": 7 }))["error_code"], 5);
    page.leave();
    assert!(
        !setup.state().exists(),
        "no daemon was started, and no pairing was made"
    );
}

/// The conversation of a whole sign-in, command by command.
#[test]
fn a_person_signs_in_at_esia() {
    let desk = Desk::new(&[KeyKind::P256]);
    let daemons = Daemons::of(&desk.setup);
    let mut esia = Esia::new(&desk.pki);
    let mut page = Page::load(&desk.setup);
    let create = json!({ "file_config": "", "config_string": "", "log_file_location": "", "plugin_log_level": "" });
    assert_eq!(page.call("create", create), json!({ "error_code": 0 }));

    // Devices are listed without asking anyone, and tell nobody's name.
    let told = page.call("get_list_info", json!({ "cryptoType": null }));
    assert_eq!(told["ifc_list"].as_array().map(Vec::len), Some(1), "{told}");
    assert!(
        !told.to_string().contains("card") && !told.to_string().contains("SoftHSM"),
        "{told}"
    );
    assert_eq!(daemons.running().len(), 1, "the daemon was started for it");
    assert_eq!(desk.person.shown(), "");

    // Certificates only after a yes, and the window says what is known: that the site is not.
    desk.will(&["yes"]);
    let shown = page.certificates().expect("certificates");
    let window = desk.person.shown().replace("\n  ", " ");
    for part in [
        "SITE NOT KNOWN",
        "Gosuslugi (official extension)",
        "https://esia.gosuslugi.ru",
        "asks for the certificate that you sign in with",
        NAME,
    ] {
        assert!(window.contains(part), "{part:?} is not in {window}");
    }
    assert_eq!(desk.person.pins_asked(), 0);
    let certificate = &shown[0];
    assert_eq!(
        certificate
            .subject("CN")
            .or(certificate.subject("commonname"))
            .as_deref(),
        Some(NAME)
    );
    let organization = certificate.subject("organizationName").expect("an organization");
    assert!(
        organization.ends_with("клевер, и др.»"),
        "nothing is cut off: {organization}"
    );
    assert_eq!(certificate.subject("1.2.643.100.1").as_deref(), Some("1027700132195"));
    assert_eq!(certificate.item["cert_sign_alg"], "1.2.840.10045.2.1");

    // Once is enough for a page.
    desk.will(&["no"]);
    assert_eq!(page.certificates().expect("the same").len(), 1);
    let device = json!({ "cryptoID": page::crypto_part(&certificate.container) });
    let again = page.call("get_list_certs", device);
    assert_eq!(again["cert_list"][0], certificate.item, "{again}");
    assert_eq!(desk.person.shown(), "");
    let info = page.certificate(&certificate.container);
    for member in [
        "cert_sn",
        "cert_subject",
        "cert_issuer",
        "cert_valid_from",
        "cert_valid_to",
        "cert_sign_alg",
    ] {
        assert_eq!(info[member], certificate.item[member]);
    }

    let challenge = esia.request();
    desk.will(&[RIGHT]);
    let signature = page.sign(&certificate.container, &challenge, 3).expect("a signature");
    let window = desk.person.shown();
    for part in [
        "SITE NOT KNOWN",
        "one-time code as it is",
        "asks you to sign in",
        "https://esia.gosuslugi.ru",
    ] {
        assert!(window.contains(part), "{part:?} is not in {window}");
    }
    let verdict = esia.validate(&json!({ "signature": signature }));
    assert_eq!(verdict, json!({ "action": "DONE", "name": NAME }));
    page.leave();

    let history = desk.history();
    assert_eq!(desk.outcomes(), ["done", "done"]);
    assert!(
        history.iter().all(|entry| entry["origin_attested"] == false),
        "{history:?}"
    );
    assert_eq!(history[1]["format"], "cms-challenge");
    nowhere(&desk.setup, PAGES_PIN);
    nowhere(&desk.setup, &challenge);
}

/// In nothing that host and daemon wrote down; the daemon logs at level trace here.
fn nowhere(setup: &Setup, secret: &str) {
    let mut folders = vec![setup.state(), setup.runtime()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a directory").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => {
                    let bytes = std::fs::read(&path).unwrap_or_default();
                    read += bytes.len();
                    assert!(
                        !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                        "{secret} is in {}",
                        path.display()
                    );
                }
            }
        }
    }
    assert!(read > 1000, "something was written down");
}

#[test]
fn every_cms_form_is_made_with_every_key() {
    for key in [KeyKind::P384, KeyKind::Rsa2048] {
        let desk = Desk::new(&[key]);
        let _daemons = Daemons::of(&desk.setup);
        let mut esia = Esia::new(&desk.pki);
        let mut page = Page::load(&desk.setup);
        let container = desk.container(&mut page);
        for (sign_type, detached) in [(3, false), (5, false), (4, true), (6, true)] {
            let challenge = esia.request();
            desk.will(&[RIGHT]);
            let signature = page.sign(&container, &challenge, sign_type).expect("a signature");
            match detached {
                false => {
                    let verdict = esia.validate(&json!({ "signature": signature }));
                    assert_eq!(verdict["action"], "DONE", "{verdict}");
                }
                true => esia.validate_detached(&signature),
            }
        }
        // The same bytes, given in base64.
        let challenge = esia.request();
        desk.will(&[RIGHT]);
        let mut asked = page::sign(&container, &plugin_protocol::encoding::base64(challenge.as_bytes()), 3);
        asked["params"]["inDataType"] = json!(2);
        page.say(&asked);
        let told = page.answer();
        let verdict = esia.validate(&json!({ "signature": told["sign_value"] }));
        assert_eq!(verdict["action"], "DONE", "{told} {verdict}");
        page.leave();
    }
}

#[test]
fn what_the_person_says_arrives_in_the_librarys_numbers() {
    let desk = Desk::new(&[KeyKind::P256]);
    let _daemons = Daemons::of(&desk.setup);
    let mut esia = Esia::new(&desk.pki);
    let mut page = Page::load(&desk.setup);
    // A no to the list, then a second thought.
    desk.will(&["no"]);
    assert_eq!(page.certificates().err(), Some(1));
    let container = desk.container(&mut page);
    let challenge = esia.request();
    for (answers, code, pins) in [
        (&["no"][..], 1, 1),
        (&["cancel"], 1, 1),
        (&["pin 0000", "no"], 1, 2),
        (&["die"], -1, 1),
    ] {
        desk.will(answers);
        assert_eq!(page.sign(&container, &challenge, 3), Err(code), "{answers:?}");
        assert_eq!(desk.person.pins_asked(), pins, "{answers:?}");
    }
    // A wrong PIN is asked for again in the agent's own window.
    desk.will(&["pin 0000", RIGHT]);
    let signature = page.sign(&container, &challenge, 3).expect("a signature");
    assert!(desk.person.shown().contains("Wrong PIN"), "{}", desk.person.shown());
    assert_eq!(esia.validate(&json!({ "signature": signature }))["action"], "DONE");
    page.leave();
}

#[test]
fn the_person_picks_one_of_many_certificates() {
    let desk = Desk::new(&[KeyKind::P256; 12]);
    let _daemons = Daemons::of(&desk.setup);
    let mut esia = Esia::new(&desk.pki);
    let mut page = Page::load(&desk.setup);
    desk.will(&["no", "no", "yes", "yes"]);
    let shown = page.certificates().expect("certificates");
    assert_eq!(shown.len(), 1, "the page learns of one");
    let info = page.certificate(&shown[0].container);
    // The one that was shown signs, and there is no question which.
    let challenge = esia.request();
    desk.will(&[RIGHT]);
    let signature = page.sign(&shown[0].container, &challenge, 3).expect("a signature");
    let der = plugin_protocol::encoding::from_base64(info["base64"].as_str().expect("text")).expect("base64");
    let cms = plugin_protocol::encoding::from_base64(&signature).expect("base64");
    assert!(
        cms.windows(der.len()).any(|window| window == der),
        "its certificate is inside"
    );
    assert_eq!(esia.validate(&json!({ "signature": signature }))["action"], "DONE");
    page.leave();
}

/// Our own extension knows the page: the same form, as shipped, without the warning.
#[tokio::test]
async fn our_own_extension_gets_the_same_form_at_esia() {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    hsm.init_token("card").import(&pki.person(NAME).issue(), &[1], "key");
    let (name, value) = hsm.environment();
    let scene = Scene::open(Setup::new().module(hsm.module()).environment(name, value)).await;
    let mut esia = Esia::new(&pki);
    let mut request = confirmation("cms-challenge");
    request.origin = "https://esia.gosuslugi.ru".parse().expect("an origin");
    request.challenge = esia.request().parse().expect("a challenge");
    let operation = scene.confirm(&request, &[RIGHT]).await;
    let Some(Proof::CmsChallenge(proof)) = operation.proof else {
        panic!("{:?}", operation.problem)
    };
    assert!(!scene.person.shown().contains("NOT KNOWN"), "{}", scene.person.shown());
    let verdict = esia.validate(&json!({ "signature": proof.cms }));
    assert_eq!(verdict, json!({ "action": "DONE", "name": NAME }));
}

#[test]
fn each_page_asks_for_itself_and_one_window_is_open_at_a_time() {
    let desk = Desk::new(&[KeyKind::P256]);
    let daemons = Daemons::of(&desk.setup);
    let mut esia = Esia::new(&desk.pki);
    let (mut one, mut two) = (Page::load(&desk.setup), Page::load(&desk.setup));
    let container = desk.container(&mut one);
    // The other page knows nothing of it: neither the container nor the answer.
    let challenge = esia.request();
    assert_eq!(two.sign(&container, &challenge, 3), Err(10));
    assert_eq!(desk.container(&mut two), container);
    desk.will(&["held pin 12345678"]);
    one.begin_sign(&container, &challenge, 3).expect("the device is there");
    desk.person.wait_until_asked();
    assert_eq!(two.sign(&container, &challenge, 3), Err(-1), "busy");
    desk.person.release();
    let signature = one.answer()["sign_value"].clone();
    assert_eq!(esia.validate(&json!({ "signature": signature }))["action"], "DONE");
    one.leave();
    desk.will(&[RIGHT]);
    let challenge = esia.request();
    let signature = two.sign(&container, &challenge, 3).expect("a signature");
    assert_eq!(esia.validate(&json!({ "signature": signature }))["action"], "DONE");
    two.leave();
    assert_eq!(daemons.running().len(), 1, "one daemon for all");
}
