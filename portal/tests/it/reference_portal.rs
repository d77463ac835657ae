//! The reference portal in process: its two routes for programs, and their refusals.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use fixtures::pki::{Issued, KeyKind, TestPki, TrustListBuilder};
use http_body_util::BodyExt;
use plugin_protocol::{Challenge, Origin, Proof, SignatureAlgorithm as A, Statement};
use portal::policy::PolicyBuilder;
use portal::reference::{App, router};
use portal::{QualifiedDemand, TrustList};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{NAME, Scene, builder};

mod cards;
mod citizen;
mod pages;

const ORIGIN: &str = "http://127.0.0.1:8080";

/// The portal, and a person at a browser or a command line.
struct Stage {
    portal: Router,
    person: Issued,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Stage {
    fn new() -> Self {
        Self::with(|builder, _| builder)
    }

    /// Its policy made more of.
    fn with(policy: impl Fn(PolicyBuilder, &TestPki) -> PolicyBuilder) -> Self {
        let mut scene = Scene::new();
        scene.origin = ORIGIN.parse().unwrap();
        let policy = policy(builder(&scene.pki), &scene.pki).build().unwrap();
        Self {
            portal: router(App::new(scene.origin.clone(), policy)),
            person: scene.person(KeyKind::P256),
        }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.portal.clone().oneshot(request).await.unwrap()
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = Request::post(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(self.send(request.body(Body::from(body.to_string())).unwrap()).await).await
    }

    /// A challenge for a program: no browser's headers.
    async fn challenge(&self) -> Challenge {
        let answer = self.post("/challenge", &[], &json!({ "account": "demo" })).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        serde_json::from_value(answer.body["challenge"].clone()).unwrap()
    }

    /// A JWS made now, by this portal's clock.
    fn proof(&self, challenge: &Challenge) -> Value {
        let now = time::OffsetDateTime::now_utc();
        let origin: Origin = ORIGIN.parse().unwrap();
        let purpose = plugin_protocol::Purpose::ConfirmIdentity;
        let statement = Statement::new(origin, challenge.clone(), purpose, now, &self.person.certificate);
        let header = plugin_protocol::jws::JwsHeader::new(A::ES256, &[&self.person.certificate]);
        let input = plugin_protocol::jws::to_be_signed(&header, &statement);
        serde_json::to_value(crate::support::sign_jws(&self.person, A::ES256, &input)).unwrap()
    }
}

async fn answer(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

#[tokio::test]
async fn a_program_confirms_an_account() {
    let stage = Stage::new();
    let issued = stage
        .post(
            "/challenge",
            &[],
            &json!({ "account": "demo", "purpose": "confirm_identity" }),
        )
        .await;
    assert_eq!(issued.body["origin"], ORIGIN);
    assert_eq!(issued.body["expires_in"], 300);
    assert_eq!(issued.body["purpose"], "confirm_identity");
    assert_eq!(
        issued.body["formats"],
        json!(["web-eid:1.0", "jws", "cms", "cms-challenge"])
    );
    assert!(issued.headers.get("set-cookie").is_none(), "a program gets no cookie");
    let challenge: Challenge = serde_json::from_value(issued.body["challenge"].clone()).unwrap();
    let body = json!({ "challenge": challenge, "proof": stage.proof(&challenge) });
    let verdict = stage.post("/proof", &[], &body).await;
    assert_eq!(verdict.status, StatusCode::OK, "{}", verdict.body);
    assert_eq!(verdict.body["account"], "demo");
    assert_eq!(verdict.body["level"], "confirmed");
    assert_eq!(verdict.body["name"], NAME);
    assert_eq!(verdict.body["subject"]["surname"], "Иванов");
    assert_eq!(verdict.body["algorithm"], "ES256");
    assert_eq!(verdict.body["format"], "jws");
    assert_eq!(verdict.body["test"], true);
    assert_eq!(verdict.body["revocation"], "not_checked");
    assert!(verdict.body["signed_at"].as_str().unwrap().ends_with('Z'));
    let again = stage.post("/proof", &[], &body).await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (StatusCode::GONE, &json!("challenge_gone"))
    );
}

#[tokio::test]
async fn the_verdict_says_on_what_grounds_a_certificate_is_qualified() {
    let plain = Stage::new();
    let accredited = Stage::with(|builder, pki| {
        let list = TrustListBuilder::default().authority("УЦ", "Действует", &[&pki.intermediate.certificate]);
        let list = TrustList::from_xml(list.xml().as_bytes()).unwrap();
        builder.qualified(QualifiedDemand::Accredited).test_trust_list(&list).0
    });
    for (stage, issuer, not_checked) in [
        (
            &plain,
            Value::Null,
            json!(["accreditation", "revocation", "signing_time"]),
        ),
        (
            &accredited,
            json!("УЦ"),
            json!([
                "accreditation_at_issuance",
                "trust_list_signature",
                "revocation",
                "signing_time"
            ]),
        ),
    ] {
        let challenge = stage.challenge().await;
        let body = json!({ "challenge": challenge, "proof": stage.proof(&challenge) });
        let verdict = stage.post("/proof", &[], &body).await;
        assert_eq!(verdict.status, StatusCode::OK, "{}", verdict.body);
        let qualified = &verdict.body["qualified"];
        assert_eq!(qualified["claimed"], true, "{qualified}");
        assert_eq!(qualified["accredited_issuer"], issuer);
        assert_eq!(qualified["not_checked"], not_checked);
        assert_eq!(qualified["facts"]["snils"], verdict.body["subject"]["snils"]);
    }
}

#[tokio::test]
async fn a_refused_proof_uses_up_its_challenge_and_says_what_helps() {
    let stage = Stage::new();
    let (challenge, other) = (stage.challenge().await, stage.challenge().await);
    let wrong = json!({ "challenge": challenge, "proof": stage.proof(&other) });
    let refused = stage
        .post("/proof", &[("accept-language", "ru,en;q=0.5")], &wrong)
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert_eq!(refused.body["code"], "challenge_mismatch");
    assert_eq!(refused.body["type"], "urn:eid-portal:problem:challenge_mismatch");
    assert_eq!(
        (&refused.body["retryable"], &refused.body["remedy"]),
        (&json!(true), &json!("try_again"))
    );
    assert!(refused.body["message"].as_str().unwrap().contains("повторите"));
    let right = json!({ "challenge": challenge, "proof": stage.proof(&challenge) });
    assert_eq!(stage.post("/proof", &[], &right).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_browser_has_a_session_and_spends_only_its_own_challenges() {
    let stage = Stage::new();
    let browser = [("origin", ORIGIN), ("sec-fetch-site", "same-origin")];
    let issued = stage.post("/challenge", &browser, &json!({ "account": "demo" })).await;
    let cookie = issued.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let challenge: Challenge = serde_json::from_value(issued.body["challenge"].clone()).unwrap();
    let body = json!({ "challenge": challenge, "proof": stage.proof(&challenge) });
    let with_cookie = [browser[0], browser[1], ("cookie", &cookie)];
    let verdict = stage.post("/proof", &with_cookie, &body).await;
    assert_eq!(verdict.status, StatusCode::OK, "{}", verdict.body);

    // A program's challenge in a browser, and a browser's in another: refused, and used up.
    let programs = stage.challenge().await;
    let body = json!({ "challenge": programs, "proof": stage.proof(&programs) });
    assert_eq!(
        stage.post("/proof", &with_cookie, &body).await.body["code"],
        "foreign_session"
    );
    assert_eq!(stage.post("/proof", &[], &body).await.body["code"], "challenge_gone");
    let issued = stage
        .post("/challenge", &with_cookie, &json!({ "account": "demo" }))
        .await;
    assert!(issued.headers.get("set-cookie").is_none(), "it has a session already");
    let challenge: Challenge = serde_json::from_value(issued.body["challenge"].clone()).unwrap();
    let body = json!({ "challenge": challenge, "proof": stage.proof(&challenge) });
    let other = format!("eid-session={}", "B".repeat(43));
    let stolen = stage
        .post("/proof", &[browser[0], browser[1], ("cookie", &other)], &body)
        .await;
    assert_eq!(stolen.body["code"], "foreign_session");
}

#[tokio::test]
async fn another_sites_page_is_refused_before_it_spends_anything() {
    let stage = Stage::new();
    let challenge = stage.challenge().await;
    let body = json!({ "challenge": challenge, "proof": stage.proof(&challenge) });
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", ORIGIN)],
    ] {
        let refused = stage.post("/proof", headers, &body).await;
        assert_eq!(refused.body["code"], "foreign_origin", "{headers:?}");
    }
    assert_eq!(stage.post("/proof", &[], &body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let stage = Stage::new();
    let code = async |path: &str, body: Value| stage.post(path, &[], &body).await.body["code"].clone();
    assert_eq!(code("/challenge", json!({})).await, "invalid_body");
    assert_eq!(code("/challenge", json!({ "account": "" })).await, "invalid_body");
    assert_eq!(code("/challenge", json!({ "account": "a\nb" })).await, "invalid_body");
    assert_eq!(
        code("/challenge", json!({ "account": "a".repeat(65) })).await,
        "invalid_body"
    );
    assert_eq!(
        code("/challenge", json!({ "account": "a", "purpose": "rob" })).await,
        "invalid_body"
    );
    assert_eq!(
        code("/proof", json!({ "challenge": "short", "proof": {} })).await,
        "invalid_body"
    );
    let challenge = stage.challenge().await;
    let unknown = json!({ "challenge": challenge, "proof": { "format": "xades" } });
    assert_eq!(code("/proof", unknown).await, "unsupported_format");
    let challenge = stage.challenge().await;
    let empty = json!({ "challenge": challenge, "proof": { "format": "jws" } });
    assert_eq!(code("/proof", empty).await, "invalid_body");
    let large = json!({ "account": "a".repeat(90 * 1024) });
    assert_eq!(code("/challenge", large).await, "too_large");
    let form = Request::post("/challenge").header("content-type", "text/plain");
    let form = stage
        .send(form.body(Body::from(r#"{"account":"demo"}"#)).unwrap())
        .await;
    assert_eq!(form.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(code("/nowhere", json!({})).await, "not_found");
    let get = stage.send(Request::get("/proof").body(Body::empty()).unwrap()).await;
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_https_portal_marks_its_cookie() {
    let scene = Scene::new();
    let app = App::new(scene.origin.clone(), builder(&scene.pki).build().unwrap());
    let request = Request::post("/challenge").header("content-type", "application/json");
    let request = request.header("origin", scene.origin.as_str());
    let response = router(app)
        .oneshot(request.body(Body::from(r#"{"account":"a"}"#)).unwrap())
        .await
        .unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-eid-session=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
}

#[test]
fn a_web_eid_token_is_what_a_proof_of_that_format_is() {
    let scene = Scene::new();
    let proof = scene.web_eid(&scene.person(KeyKind::P256), A::ES256);
    let json = serde_json::to_value(&proof).unwrap();
    assert_eq!(json["format"], "web-eid:1.0");
    assert!(matches!(serde_json::from_value(json).unwrap(), Proof::WebEid(_)));
}
