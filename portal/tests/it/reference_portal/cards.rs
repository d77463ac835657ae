//! A citizen with a universal electronic card at the page, and programs with one.

use axum::http::StatusCode;
use fixtures::cvc::{Evidence, Holder, Suite, UecPki, Version};
use plugin_protocol::{Challenge, Proof, Purpose, Statement};
use portal::reference::App;
use portal::reference::account::Accounts;
use portal::reference::language::Language;
use serde_json::{Value, json};

use super::citizen::{Answer, Browser, LOCAL, Stage};
use crate::support::builder;

/// The person of the card, and somebody else.
fn accounts() -> Accounts {
    let snils = Holder::default().snils;
    let text = json!([
        { "id": "ivan", "surname": "ИВАНОВ", "given_name": "Иван", "patronymic": "Иванович", "snils": snils,
          "birth_date": "1980-02-29", "level": "standard" },
        { "id": "vera", "surname": "Образцова", "given_name": "Вера", "patronymic": "Тестовна", "snils": "112-233-445 95",
          "birth_date": "1990-01-01", "level": "standard" },
    ]);
    Accounts::from_json(&text.to_string()).unwrap()
}

fn stage(pki: &UecPki, demanding: bool) -> Stage {
    let x509 = fixtures::pki::TestPki::new();
    let cards = crate::uec::cards(pki);
    let cards = if demanding {
        cards.demand_holder_signature()
    } else {
        cards
    };
    let policy = builder(&x509).test_root(&pki.holder_authority.certificate).unwrap();
    let policy = policy.universal_cards(cards).build().unwrap();
    let mut app = App::new(LOCAL.parse().unwrap(), policy);
    app.accounts = accounts();
    Stage::of(app, x509)
}

fn card() -> UecPki {
    UecPki::new(Version::V11, Suite::Gost)
}

fn statement(pki: &UecPki, challenge: &Challenge, purpose: Purpose) -> Vec<u8> {
    let now = time::OffsetDateTime::now_utc();
    let origin = LOCAL.parse().unwrap();
    Statement::new(origin, challenge.clone(), purpose, now, &pki.application.certificate).to_canonical_json()
}

fn wire(evidence: &Evidence) -> Value {
    serde_json::to_value(Proof::Uec(evidence.proof())).unwrap()
}

/// Confirms, or signs in, with what `prove` makes of the statement.
async fn prove(
    browser: &mut Browser<'_>,
    pki: &UecPki,
    purpose: Purpose,
    prove: fn(&UecPki, &[u8]) -> Evidence,
) -> Answer {
    let challenge = browser.challenge(purpose).await;
    let evidence = prove(pki, &statement(pki, &challenge, purpose));
    browser.hand_in(&challenge, &wire(&evidence)).await
}

const PIN1: fn(&UecPki, &[u8]) -> Evidence = UecPki::evidence;
const PIN2: fn(&UecPki, &[u8]) -> Evidence = UecPki::evidence_of_holder;

#[tokio::test]
async fn confirms_with_pin1_and_is_told_what_that_proves() {
    let pki = card();
    let stage = stage(&pki, false);
    let mut browser = stage.browser();
    browser.sign_in("ivan").await;
    let page = browser.get("/").await.text;
    assert!(page.contains("data-format=\"uec\" data-holder-signature=\"false\"") && page.contains("PIN1"));
    let confirmed = prove(&mut browser, &pki, Purpose::ConfirmIdentity, PIN1).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    assert_eq!(
        confirmed.body["checked"],
        json!(["card", "challenge", "purpose", "snils"])
    );
    assert_eq!(
        confirmed.body["not_checked"],
        json!(["names", "holder", "blocked", "algorithms"])
    );
    let page = browser.get("/").await.text;
    assert!(
        page.contains("•••• 2347") && page.contains("data-check=\"holder\""),
        "{page}"
    );
    assert!(!page.contains(&pki.holder.pan), "the whole number is nobody's business");
    assert!(!page.contains("sign in with your e-signature"));

    // Who is not signed in is not let in on the agent's word.
    let mut other = stage.browser();
    let refused = prove(&mut other, &pki, Purpose::SignIn, PIN1).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::FORBIDDEN, &json!("holder_not_proven"))
    );
    let signed_in = prove(&mut other, &pki, Purpose::SignIn, PIN2).await;
    assert_eq!(signed_in.body["account"], "ivan", "{}", signed_in.text);
}

#[tokio::test]
async fn confirms_with_pin2_where_the_holders_signature_is_demanded() {
    let pki = card();
    let stage = stage(&pki, true);
    let mut browser = stage.browser();
    browser.sign_in("ivan").await;
    let page = browser.get("/").await.text;
    assert!(page.contains("data-holder-signature=\"true\"") && page.contains("PIN2"));
    let asked = browser.ask(Purpose::ConfirmIdentity).await;
    assert_eq!(asked.body["holder_signature"], true);
    assert!(asked.body["formats"].as_array().unwrap().contains(&json!("uec")));
    let refused = prove(&mut browser, &pki, Purpose::ConfirmIdentity, PIN1).await;
    assert_eq!(refused.body["code"], "holder_signature");
    let confirmed = prove(&mut browser, &pki, Purpose::ConfirmIdentity, PIN2).await;
    let checked = json!(["card", "challenge", "purpose", "snils", "names", "holder"]);
    assert_eq!(
        (&confirmed.body["checked"], confirmed.status),
        (&checked, StatusCode::OK)
    );
}

#[tokio::test]
async fn another_persons_card_is_refused_by_fields_and_tells_no_value() {
    let pki = card();
    let stage = stage(&pki, false);
    let mut browser = stage.browser();
    browser.sign_in("vera").await;
    let refused = prove(&mut browser, &pki, Purpose::ConfirmIdentity, PIN1).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::FORBIDDEN, &json!("person_mismatch"))
    );
    let differs = |field| json!({ "field": field, "how": "different" });
    let all = ["snils", "surname", "given_name", "patronymic", "birth_date"].map(differs);
    assert_eq!(refused.body["mismatches"], json!(all));
    let holder = &pki.holder;
    for value in [
        &holder.surname,
        &holder.snils,
        &holder.pan,
        &holder.birth_date,
        &holder.given_name,
    ] {
        assert!(!refused.text.contains(&value[..]), "{value}");
    }
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .contains("card belongs to somebody other")
    );
}

#[tokio::test]
async fn what_was_read_must_be_the_accounts_as_far_as_it_was_read() {
    let pki = card();
    let stage = stage(&pki, false);
    let mut browser = stage.browser();
    browser.sign_in("ivan").await;
    let absent = |field| json!({ "field": field, "how": "absent" });
    let unread = prove(&mut browser, &pki, Purpose::ConfirmIdentity, |pki, statement| {
        Evidence {
            data: None,
            ..pki.evidence(statement)
        }
    });
    assert_eq!(
        unread.await.body["mismatches"],
        json!(["surname", "given_name", "patronymic"].map(absent))
    );
    let half = prove(&mut browser, &pki, Purpose::ConfirmIdentity, |pki, statement| {
        let mut other = pki.holder.clone();
        other.birth_date = "19800228".to_owned();
        other.patronymic = String::new();
        Evidence {
            data: Some(other.block_1_2(true)),
            ..pki.evidence(statement)
        }
    });
    let differs = json!({ "field": "birth_date", "how": "different" });
    assert_eq!(half.await.body["mismatches"], json!([absent("patronymic"), differs]));
}

#[tokio::test]
async fn a_card_is_not_spoken_of_as_a_certificate() {
    let at = time::OffsetDateTime::now_utc().unix_timestamp() - 3000 * 86_400;
    let expired = UecPki::at(Version::V11, Suite::Gost, at);
    let stage = stage(&expired, false);
    let mut browser = stage.browser();
    browser.sign_in("ivan").await;
    let refused = prove(&mut browser, &expired, Purpose::ConfirmIdentity, PIN1).await;
    assert_eq!(refused.body["code"], "certificate_expired");
    let message = refused.body["message"].as_str().unwrap();
    assert!(
        message.contains("card has expired") && !message.contains("Renew"),
        "{message}"
    );
}

#[tokio::test]
async fn programs_get_the_whole_verdict() {
    let pki = card();
    let stage = stage(&pki, false);
    let mut browser = stage.browser();
    let issued = browser.post("/challenge", &json!({ "account": "somebody" })).await;
    assert!(issued.body.get("holder_signature").is_none());
    let challenge: Challenge = serde_json::from_value(issued.body["challenge"].clone()).unwrap();
    let evidence = pki.evidence(&statement(&pki, &challenge, Purpose::ConfirmIdentity));
    let body = json!({ "challenge": challenge, "proof": wire(&evidence) });
    let verdict = browser.post("/proof", &body).await;
    assert_eq!(verdict.status, StatusCode::OK, "{}", verdict.text);
    let verdict = verdict.body;
    assert_eq!(
        (&verdict["format"], &verdict["level"], &verdict["test"]),
        (&json!("uec"), &json!("confirmed"), &json!(true))
    );
    assert_eq!(verdict["snils"], json!(pki.holder.snils));
    assert_eq!(verdict["card"]["number"], "•••• 2347");
    assert_eq!(verdict["unsigned_data"]["birth_date"], "1980-02-29");
    assert_eq!(verdict["assurance"]["proven"], json!(["card_authentic", "card_snils"]));
    assert_eq!(
        verdict["assurance"]["told"],
        json!(["holder_pin", "card_data", "terminal"])
    );
    assert!(verdict.get("holder").is_none() && verdict.get("certificate").is_none());
}

#[tokio::test]
async fn a_portal_without_roots_of_cards_says_so_and_offers_no_button() {
    let stage = Stage::at(LOCAL, accounts());
    let mut browser = stage.browser();
    browser.sign_in("ivan").await;
    let page = browser.get("/").await.text;
    assert!(!page.contains("data-format=\"uec\""));
    assert!(page.contains("does not take these cards") && page.contains("1 January 2017"));
    let pki = card();
    let refused = prove(&mut browser, &pki, Purpose::ConfirmIdentity, PIN1).await;
    assert_eq!(
        (&refused.body["code"], &refused.body["remedy"]),
        (&json!("format_not_allowed"), &json!("portal_setup"))
    );
    for language in Language::ALL {
        assert!(language.say("choice.uec.ended").contains("2017"));
    }
}

#[tokio::test]
async fn the_help_tells_what_a_card_needs_in_both_languages() {
    let stage = Stage::new();
    for (tag, said) in [
        ("en", ["PIN1", "terminal", "1 January 2017"]),
        ("ru", ["ПИН1", "терминал", "1 января 2017"]),
    ] {
        let mut browser = stage.browser();
        browser.get(&format!("/language/{tag}?page=help")).await;
        let help = browser.get("/help").await.text;
        assert!(help.contains("id=\"uec\"") && help.contains("[uec]"));
        for words in said {
            assert!(help.contains(words), "{words}");
        }
    }
}

#[test]
fn the_demo_has_the_virtual_cards_person() {
    let account = Accounts::default().get("ivanov").unwrap();
    let holder = Holder::default();
    assert_eq!(account.full_name(), holder.full_name());
    assert_eq!(account.snils, Some(holder.snils));
    assert_eq!(
        account.birth_date.unwrap().to_string().replace('-', ""),
        holder.birth_date
    );
}
