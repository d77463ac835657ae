//! A citizen at the page: signs in, confirms, signs in with the e-signature; and everything that must not work.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use fixtures::pki::cms::Cms;
use fixtures::pki::{Issued, KeyKind, Name, TestPki};
use http_body_util::BodyExt;
use plugin_protocol::jws::{JwsHeader, to_be_signed};
use plugin_protocol::{Challenge, Origin, ProofFormat, Purpose, SignatureAlgorithm as A, Statement};
use portal::reference::account::Accounts;
use portal::reference::{App, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{builder, sign_jws};

const VERA: &str = "11223344595";
pub(super) const LOCAL: &str = "http://localhost:8080";

/// A portal, and the authority that everybody's certificates come from.
pub(super) struct Stage {
    portal: Router,
    origin: Origin,
    pki: TestPki,
}

/// One browser with its cookie jar.
pub(super) struct Browser<'a> {
    stage: &'a Stage,
    cookies: Vec<(String, String)>,
    language: &'static str,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::at(LOCAL, Accounts::default())
    }

    pub(super) fn at(origin: &str, accounts: Accounts) -> Self {
        Self::accepting(origin, accounts, &ProofFormat::ALL)
    }

    /// A portal that takes these formats alone.
    pub(super) fn accepting(origin: &str, accounts: Accounts, formats: &[ProofFormat]) -> Self {
        let pki = TestPki::new();
        let origin: Origin = origin.parse().unwrap();
        let policy = builder(&pki).formats(formats).build().unwrap();
        let mut app = App::new(origin, policy);
        app.accounts = accounts;
        Self::of(app, pki)
    }

    /// This portal, and an authority it may trust.
    pub(super) fn of(app: App, pki: TestPki) -> Self {
        Self {
            origin: app.origin.clone(),
            portal: router(app),
            pki,
        }
    }

    pub(super) fn browser(&self) -> Browser<'_> {
        Browser {
            stage: self,
            cookies: Vec::new(),
            language: "en",
        }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.portal.clone().oneshot(request).await.unwrap()
    }

    pub(super) fn vera(&self) -> Issued {
        self.pki.person("Образцова Вера Тестовна").snils(VERA).issue()
    }

    fn named(&self, surname: &str, given_name: &str, snils: Option<&str>) -> Issued {
        let name = Name::new().surname(surname).given_name(given_name);
        let name = snils.into_iter().fold(name, |name, snils| name.snils(snils));
        self.pki.person("Кто Угодно").subject(name).issue()
    }

    fn proof(&self, challenge: &Challenge, purpose: Purpose, signer: &Issued) -> Value {
        let now = time::OffsetDateTime::now_utc();
        let statement = Statement::new(
            self.origin.clone(),
            challenge.clone(),
            purpose,
            now,
            &signer.certificate,
        );
        if matches!(signer.key.kind(), KeyKind::Gost(..)) {
            let cms = Cms::cades(&statement.to_canonical_json(), signer, now.unix_timestamp());
            return serde_json::to_value(crate::gost::proof_of(&cms)).unwrap();
        }
        let header = JwsHeader::new(A::ES256, &[&signer.certificate]);
        serde_json::to_value(sign_jws(signer, A::ES256, &to_be_signed(&header, &statement))).unwrap()
    }
}

impl Browser<'_> {
    fn speaking(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    pub(super) fn session(&self) -> String {
        let mut found = self.cookies.iter().filter(|(name, _)| name.ends_with("eid-session"));
        found.next().map(|(_, value)| value.clone()).unwrap_or_default()
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: String) -> Answer {
        let mut request = request.header("accept-language", self.language);
        if !self.cookies.is_empty() {
            request = request.header("cookie", self.cookie());
        }
        let (parts, body) = self
            .stage
            .send(request.body(Body::from(body)).unwrap())
            .await
            .into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).header("accept", "text/html,*/*;q=0.8");
        self.send(request, String::new()).await
    }

    fn post_here(&self, path: &str) -> axum::http::request::Builder {
        let request = Request::post(path).header("origin", self.stage.origin.as_str());
        request.header("sec-fetch-site", "same-origin")
    }

    async fn form(&mut self, path: &str, body: &str) -> Answer {
        let request = self
            .post_here(path)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body.to_owned()).await
    }

    pub(super) async fn sign_in(&mut self, account: &str) {
        let answer = self.form("/sign-in", &format!("account={account}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        assert_eq!(answer.headers["location"], "/");
    }

    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let request = self.post_here(path).header("content-type", "application/json");
        self.send(request, body.to_string()).await
    }

    pub(super) async fn ask(&mut self, purpose: Purpose) -> Answer {
        self.post("/account/challenge", &json!({ "purpose": purpose })).await
    }

    pub(super) async fn challenge(&mut self, purpose: Purpose) -> Challenge {
        let answer = self.ask(purpose).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.body["purpose"], json!(purpose));
        serde_json::from_value(answer.body["challenge"].clone()).unwrap()
    }

    pub(super) async fn hand_in(&mut self, challenge: &Challenge, proof: &Value) -> Answer {
        let body = json!({ "challenge": challenge, "proof": proof });
        self.post("/account/proof", &body).await
    }

    /// The whole of it, with this person's certificate.
    pub(super) async fn prove(&mut self, purpose: Purpose, signer: &Issued) -> Answer {
        let challenge = self.challenge(purpose).await;
        let proof = self.stage.proof(&challenge, purpose, signer);
        self.hand_in(&challenge, &proof).await
    }

    /// The level of the account that the page shows.
    async fn level(&mut self) -> String {
        let page = self.get("/").await.text;
        let level = page.split("data-level=\"").nth(1).expect("an account is signed in");
        level.split('"').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn confirms_and_then_signs_in_with_the_same_certificate() {
    let stage = Stage::new();
    let vera = stage.vera();
    let mut browser = stage.browser();
    let refused = browser.prove(Purpose::SignIn, &vera).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::FORBIDDEN, &json!("no_account"))
    );

    browser.sign_in("vera").await;
    assert_eq!(browser.level().await, "standard");
    let confirmed = browser.prove(Purpose::ConfirmIdentity, &vera).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    assert_eq!(confirmed.body["level"], "confirmed");
    assert_eq!(confirmed.body["test"], true);
    let checked = json!(["signature", "certificate", "challenge", "purpose", "person"]);
    assert_eq!(confirmed.body["checked"], checked);
    assert_eq!(confirmed.body["not_checked"], json!(["revocation", "qualified"]));
    let page = browser.get("/").await.text;
    assert!(page.contains("data-level=\"confirmed\"") && page.contains("<strong class=\"mark\">TEST</strong>"));
    assert!(page.contains("data-check=\"person\"") && page.contains("112-233-445 95"));

    let again = browser.ask(Purpose::ConfirmIdentity).await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (StatusCode::CONFLICT, &json!("already_confirmed"))
    );

    browser.form("/sign-out", "").await;
    let mut elsewhere = stage.browser();
    let signed_in = elsewhere.prove(Purpose::SignIn, &vera).await;
    assert_eq!(signed_in.body, json!({ "account": "vera", "test": true }));
    assert_eq!(elsewhere.level().await, "confirmed");
}

#[tokio::test]
async fn a_gost_key_confirms_and_signs_in() {
    for kind in [KeyKind::GOST_256, KeyKind::GOST_512] {
        let stage = Stage::new();
        let vera = stage
            .pki
            .person("Образцова Вера Тестовна")
            .snils(VERA)
            .key(kind)
            .issue();
        let mut browser = stage.browser();
        browser.sign_in("vera").await;
        let confirmed = browser.prove(Purpose::ConfirmIdentity, &vera).await;
        assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
        let signed_in = stage.browser().prove(Purpose::SignIn, &vera).await;
        assert_eq!(signed_in.body, json!({ "account": "vera", "test": true }));
    }
}

#[tokio::test]
async fn each_field_that_is_another_persons_is_named_and_nothing_of_it_told() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    browser.sign_in("vera").await;
    let field = |field: &str, how: &str| json!({ "field": field, "how": how });
    let (surname, given) = ("Образцова", "Вера Тестовна");
    for (signer, mismatches) in [
        (
            stage.named(surname, given, Some("08765430300")),
            json!([field("snils", "different")]),
        ),
        (stage.named(surname, given, None), json!([field("snils", "absent")])),
        (
            stage.named(surname, given, Some("11223344596")),
            json!([field("snils", "absent")]),
        ),
        (
            stage.named("Чужакова", given, Some(VERA)),
            json!([field("surname", "different")]),
        ),
        (
            stage.named(surname, "Инна Тестовна", Some(VERA)),
            json!([field("given_name", "different")]),
        ),
        (
            stage.named(surname, "Вера Чужаковна", Some(VERA)),
            json!([field("patronymic", "different")]),
        ),
        (
            stage.named(surname, "Вера", Some(VERA)),
            json!([field("patronymic", "absent")]),
        ),
        (
            stage.named("Чужаков", "Пётр Чужакович", Some("08765430300")),
            json!([
                field("snils", "different"),
                field("surname", "different"),
                field("given_name", "different"),
                field("patronymic", "different")
            ]),
        ),
    ] {
        let refused = browser.prove(Purpose::ConfirmIdentity, &signer).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
        assert_eq!(refused.body["code"], "person_mismatch");
        assert_eq!(refused.body["mismatches"], mismatches);
        for theirs in ["Чужак", "Инна", "Пётр", "08765430300", "087-654-303 00"] {
            assert!(!refused.text.contains(theirs), "{theirs} in {}", refused.text);
        }
        assert_eq!(browser.level().await, "standard");
    }
    let spelled = stage.named("ОБРАЗЦОВА", "вера  тестовна", Some(VERA));
    assert_eq!(
        browser.prove(Purpose::ConfirmIdentity, &spelled).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn one_persons_certificate_raises_nobody_elses_account() {
    let stage = Stage::new();
    let vera = stage.vera();
    let mut ivan = stage.browser();
    ivan.sign_in("ivan").await;
    let refused = ivan.prove(Purpose::ConfirmIdentity, &vera).await;
    assert_eq!(refused.body["code"], "person_mismatch");
    assert_eq!(ivan.level().await, "standard");

    let mut pavel = stage.browser();
    pavel.sign_in("pavel").await;
    let first = pavel.ask(Purpose::ConfirmIdentity).await;
    assert_eq!(
        (first.status, &first.body["code"]),
        (StatusCode::CONFLICT, &json!("data_check_first"))
    );

    let mut nobody = stage.browser();
    let first = nobody.ask(Purpose::ConfirmIdentity).await;
    assert_eq!(
        (first.status, &first.body["code"]),
        (StatusCode::UNAUTHORIZED, &json!("sign_in_first"))
    );
}

#[tokio::test]
async fn a_challenge_serves_its_session_its_account_and_its_purpose_once() {
    let stage = Stage::new();
    let vera = stage.vera();
    let confirm = Purpose::ConfirmIdentity;
    let mut browser = stage.browser();
    browser.sign_in("vera").await;

    // Once.
    let challenge = browser.challenge(confirm).await;
    let stranger = stage.proof(&challenge, confirm, &stage.named("А", "Б", None));
    assert_eq!(
        browser.hand_in(&challenge, &stranger).await.body["code"],
        "person_mismatch"
    );
    let proof = stage.proof(&challenge, confirm, &vera);
    assert_eq!(browser.hand_in(&challenge, &proof).await.body["code"], "challenge_gone");

    // In its session, even of the same account; and it is burnt by the attempt.
    let challenge = browser.challenge(confirm).await;
    let proof = stage.proof(&challenge, confirm, &vera);
    let mut other = stage.browser();
    other.sign_in("vera").await;
    assert_eq!(other.hand_in(&challenge, &proof).await.body["code"], "foreign_session");
    assert_eq!(browser.hand_in(&challenge, &proof).await.body["code"], "challenge_gone");

    // Not after a change of account in the same browser.
    let challenge = browser.challenge(confirm).await;
    let proof = stage.proof(&challenge, confirm, &vera);
    browser.sign_in("ivan").await;
    assert_eq!(
        browser.hand_in(&challenge, &proof).await.body["code"],
        "foreign_session"
    );

    // For its purpose: what was signed to sign in confirms nothing, and the other way round.
    browser.sign_in("vera").await;
    let challenge = browser.challenge(confirm).await;
    let proof = stage.proof(&challenge, Purpose::SignIn, &vera);
    assert_eq!(
        browser.hand_in(&challenge, &proof).await.body["code"],
        "purpose_mismatch"
    );
    assert_eq!(browser.level().await, "standard");
    let challenge = browser.challenge(Purpose::SignIn).await;
    let proof = stage.proof(&challenge, confirm, &vera);
    assert_eq!(
        browser.hand_in(&challenge, &proof).await.body["code"],
        "purpose_mismatch"
    );
}

#[tokio::test]
async fn challenges_of_programs_and_of_the_page_do_not_mix() {
    let stage = Stage::new();
    let vera = stage.vera();
    let mut browser = stage.browser();
    browser.sign_in("vera").await;
    let issued = browser.post("/challenge", &json!({ "account": "vera" })).await;
    let challenge: Challenge = serde_json::from_value(issued.body["challenge"].clone()).unwrap();
    let proof = stage.proof(&challenge, Purpose::ConfirmIdentity, &vera);
    assert_eq!(
        browser.hand_in(&challenge, &proof).await.body["code"],
        "foreign_session"
    );
    let challenge = browser.challenge(Purpose::ConfirmIdentity).await;
    let body = json!({ "challenge": challenge, "proof": stage.proof(&challenge, Purpose::ConfirmIdentity, &vera) });
    assert_eq!(browser.post("/proof", &body).await.body["code"], "foreign_session");
    assert_eq!(browser.level().await, "standard");
}

#[tokio::test]
async fn a_sign_in_never_keeps_the_session_before_it() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    // What somebody planted in the browser is accepted only as "nobody in particular".
    let planted = "A".repeat(43);
    browser.cookies.push(("eid-session".to_owned(), planted.clone()));
    assert!(browser.get("/").await.text.contains("action=\"/sign-in\""));
    browser.sign_in("vera").await;
    let first = browser.session();
    assert_ne!(first, planted);
    browser.prove(Purpose::ConfirmIdentity, &stage.vera()).await;
    let signed_in = browser.prove(Purpose::SignIn, &stage.vera()).await;
    assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text);
    let second = browser.session();
    assert_ne!(second, first);
    for old in [planted, first] {
        let mut thief = stage.browser();
        thief.cookies.push(("eid-session".to_owned(), old));
        assert!(
            thief.get("/").await.text.contains("action=\"/sign-in\""),
            "it opens nothing"
        );
    }
    let out = browser.form("/sign-out", "").await;
    let cookie = out.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("eid-session=;") && cookie.contains("Max-Age=0"),
        "{cookie}"
    );
    browser.cookies.push(("eid-session".to_owned(), second));
    assert!(
        browser.get("/").await.text.contains("action=\"/sign-in\""),
        "the server forgot it too"
    );
}

#[tokio::test]
async fn other_sites_forms_and_pages_do_nothing() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    browser.sign_in("vera").await;
    let cookie = browser.cookie();
    for path in ["/sign-in", "/sign-out", "/account/challenge", "/account/proof"] {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://localhost:8081"), ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[],
        ] {
            let mut request = Request::post(path)
                .header("cookie", &cookie)
                .header("content-type", "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let response = stage.send(request.body(Body::from("account=ivan")).unwrap()).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert!(response.headers().get("set-cookie").is_none());
        }
    }
    assert_eq!(browser.level().await, "standard", "still signed in, as before");
    let form = browser
        .post_here("/account/challenge")
        .header("content-type", "text/plain");
    let form = browser.send(form, r#"{"purpose":"confirm_identity"}"#.to_owned()).await;
    assert_eq!(form.body["code"], "unsupported_media_type");
}

#[tokio::test]
async fn an_https_portal_is_the_same_with_safer_cookies() {
    let stage = Stage::at("https://portal.example", Accounts::default());
    let mut browser = stage.browser();
    let answer = browser.form("/sign-in", "account=vera").await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("__Host-eid-session=") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/;"));
    let confirmed = browser.prove(Purpose::ConfirmIdentity, &stage.vera()).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
    let out = browser.form("/sign-out", "").await;
    let cookie = out.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-eid-session=;") && cookie.ends_with("; Secure"),
        "{cookie}"
    );
    assert!(browser.get("/").await.text.contains("action=\"/sign-in\""));
    let language = browser.get("/language/ru").await;
    assert!(language.headers["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn signs_in_only_who_can_be_found_and_a_test_only_where_a_test_confirmed() {
    let confirmed =
        r#"[{"id":"vera","surname":"Образцова","given_name":"Вера","snils":"112-233-445 95","level":"confirmed"}]"#;
    let stage = Stage::at(LOCAL, Accounts::from_json(confirmed).unwrap());
    let mut browser = stage.browser();
    let refused = browser.prove(Purpose::SignIn, &stage.vera()).await;
    assert_eq!(refused.body["code"], "test_certificate", "no test opens a real account");
    let without = stage.named("Образцова", "Вера Тестовна", None);
    assert_eq!(browser.prove(Purpose::SignIn, &without).await.body["code"], "no_snils");
    let other = stage.named("Образцова", "Вера Тестовна", Some("08765430300"));
    assert_eq!(browser.prove(Purpose::SignIn, &other).await.body["code"], "no_account");
    assert!(browser.get("/").await.text.contains("action=\"/sign-in\""));
}

#[tokio::test]
async fn the_demo_sign_in_takes_known_accounts_alone_and_says_so_as_a_page() {
    let stage = Stage::new();
    let mut browser = stage.browser().speaking("ru");
    for body in [
        "",
        "account=",
        "account=nobody",
        "account=VERA",
        "account=vera&x=1",
        "account=%76era",
    ] {
        let refused = browser.form("/sign-in", body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(
            refused.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(refused.text.contains("<html lang=\"ru\">") && refused.text.contains("invalid_body"));
    }
    assert!(browser.session().is_empty());
}

#[tokio::test]
async fn a_proof_in_a_format_not_known_here_is_refused_by_name() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    browser.sign_in("vera").await;
    let challenge = browser.challenge(Purpose::ConfirmIdentity).await;
    let refused = browser.hand_in(&challenge, &json!({ "format": "xades" })).await;
    assert_eq!(refused.body["code"], "unsupported_format");
}
