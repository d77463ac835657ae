//! The pages as such: two languages, nothing from elsewhere, words for everything that can go wrong.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use plugin_protocol::{ErrorCode, ProofFormat, Purpose};
use portal::reference::account::Accounts;
use portal::reference::language::Language;
use portal::reference::page::ASSETS;

use super::citizen::Stage;

/// Every page there is, with who is signed in on it.
async fn pages(stage: &Stage, language: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut visitor = stage.browser();
    visitor.get(&format!("/language/{language}")).await;
    for (name, path) in [("sign-in", "/"), ("help", "/help"), ("problem", "/nowhere")] {
        found.push((name, visitor.get(path).await.text));
    }
    for (name, account) in [("simplified", "pavel"), ("standard", "ivan")] {
        visitor.sign_in(account).await;
        found.push((name, visitor.get("/").await.text));
    }
    visitor.sign_in("vera").await;
    if found.len() == 5 {
        visitor.prove(Purpose::ConfirmIdentity, &stage.vera()).await;
    }
    found.push(("confirmed", visitor.get("/").await.text));
    found
}

#[tokio::test]
async fn every_page_is_whole_in_both_languages_and_loads_nothing_foreign() {
    for language in ["ru", "en"] {
        let stage = Stage::new();
        for (name, html) in pages(&stage, language).await {
            assert!(
                html.contains(&format!("<html lang=\"{language}\">")),
                "{name} in {language}"
            );
            assert_eq!(
                html.matches("<h1").count(),
                1,
                "{name} has one heading of the first level"
            );
            for left in ["{{", "}}", "[[", "]]"] {
                assert!(!html.contains(left), "{name} has {left}");
            }
            for inline in [
                "<style",
                "style=",
                " onclick",
                "javascript:",
                "<script>",
                "http://",
                "https://",
                "//",
            ] {
                assert!(!html.contains(inline), "{name} has {inline}");
            }
            let ids: Vec<_> = html
                .split(" id=\"")
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap())
                .collect();
            assert_eq!(
                ids.len(),
                ids.iter().collect::<BTreeSet<_>>().len(),
                "{name} uses an id twice: {ids:?}"
            );
            for label in html.split("aria-labelledby=\"").skip(1) {
                assert!(
                    ids.contains(&label.split('"').next().unwrap()),
                    "{name} is labelled by nothing"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_language_is_the_browsers_until_the_person_switches() {
    let stage = Stage::new();
    for (accept, language) in [
        (None, "en"),
        (Some("ru"), "ru"),
        (Some("ru-RU,ru;q=0.9,en-US;q=0.8"), "ru"),
        (Some("en,ru;q=0.5"), "en"),
        (Some("de"), "en"),
    ] {
        let mut request = axum::http::Request::get("/");
        if let Some(accept) = accept {
            request = request.header("accept-language", accept);
        }
        let response = stage.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-language"], language, "{accept:?}");
    }
    let mut browser = stage.browser();
    for (switch, back) in [
        ("/language/ru?page=help", "/help"),
        ("/language/ru?page=//evil", "/"),
        ("/language/ru", "/"),
    ] {
        let answer = browser.get(switch).await;
        assert_eq!(
            (answer.status, &answer.headers["location"]),
            (StatusCode::SEE_OTHER, &back.parse().unwrap())
        );
    }
    assert!(browser.get("/").await.text.contains("Русский</a>"));
    assert!(browser.get("/help").await.text.contains("<html lang=\"ru\">"));
    assert_eq!(browser.get("/language/xx").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_answer_is_closed_to_the_outside() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    let mut paths: Vec<String> = ["/", "/help", "/nowhere", "/language/ru"].map(str::to_owned).to_vec();
    paths.extend(ASSETS.iter().map(|(name, ..)| format!("/assets/{name}")));
    for path in paths {
        let answer = browser.get(&path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "),
            "{policy}"
        );
        for needed in [
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(needed), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cross-origin-opener-policy"], "same-origin");
    }
}

#[tokio::test]
async fn assets_are_there_and_put_no_text_in_as_markup() {
    let stage = Stage::new();
    let mut browser = stage.browser();
    for (name, media_type, content) in ASSETS {
        let answer = browser.get(&format!("/assets/{name}")).await;
        assert_eq!(
            (answer.status, answer.headers["content-type"].to_str().unwrap()),
            (StatusCode::OK, media_type)
        );
        if name.ends_with(".js") {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "http",
            ] {
                let code: Vec<_> = content.lines().filter(|line| !is_comment(line)).collect();
                assert!(
                    word == "http" && name == "page-api.js" || !code.join("\n").contains(word),
                    "{word} in {name}"
                );
            }
        }
    }
    assert_eq!(
        browser.get("/assets/../reference.rs").await.status,
        StatusCode::NOT_FOUND
    );
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with('*') || line.starts_with("/*")
}

/// The codes that the page library says it may report.
fn codes_of_the_page_library() -> BTreeSet<String> {
    let types = include_str!("../../../../extension/page-api/index.d.ts");
    let union = types.split("export type ErrorCode =").nth(1).unwrap();
    let union = union.split(';').next().unwrap();
    union.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_code_of_the_plugin_and_the_agent_has_words() {
    let mut codes = codes_of_the_page_library();
    assert!(
        codes.len() >= 30 && codes.contains("no_plugin") && codes.contains("pin_incorrect"),
        "{codes:?}"
    );
    codes.extend(ErrorCode::ALL.iter().map(|code| code.name().to_owned()));
    codes.extend(["network", "unknown"].map(str::to_owned));
    let of_cards = [
        "no_certificate",
        "no_token",
        "pin_locked",
        "unsupported_algorithm",
        "unsupported_format",
    ];
    codes.extend(of_cards.map(|code| format!("uec.{code}")));
    for language in Language::ALL {
        for code in &codes {
            assert!(
                language.words().contains_key(&format!("error.{code}")),
                "{code} in {}",
                language.tag()
            );
        }
        for state in [
            "ready",
            "no_agent",
            "old_agent",
            "old_plugin",
            "not_paired",
            "no_token",
            "service_down",
            "no_plugin",
        ] {
            for part in ["title", "text"] {
                assert!(
                    language.words().contains_key(&format!("state.{state}.{part}")),
                    "{state}"
                );
            }
        }
        for stage in ["connecting", "pairing", "awaiting_token", "awaiting_consent", "signing"] {
            assert!(language.words().contains_key(&format!("progress.{stage}")), "{stage}");
        }
    }
}

#[tokio::test]
async fn the_page_asks_for_the_format_that_every_key_can_make() {
    use ProofFormat::{Cms, CmsChallenge, Jws, WebEid};
    for (taken, asked) in [
        (&[WebEid, Jws, Cms][..], "cms"),
        (&[WebEid, Jws], "jws"),
        (&[WebEid], "web-eid:1.0"),
        (&[CmsChallenge], "cms-challenge"),
    ] {
        let stage = Stage::accepting("http://localhost:8080", Accounts::default(), taken);
        let mut browser = stage.browser();
        let sign_in = browser.get("/").await.text;
        browser.sign_in("vera").await;
        let confirm = browser.get("/").await.text;
        for page in [sign_in, confirm] {
            let button = page.split("class=\"primary\"").nth(1).expect("a button");
            assert!(
                button
                    .split('>')
                    .next()
                    .unwrap()
                    .contains(&format!("data-format=\"{asked}\"")),
                "{asked}"
            );
        }
    }
}

/// A key that is built from a name is looked for by its beginning.
#[test]
fn no_text_is_there_for_nothing_and_none_is_missing() {
    let mut said = String::new();
    for (name, _, content) in ASSETS {
        if name.ends_with(".js") {
            said.push_str(content);
        }
    }
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/page")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "html") {
            said.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    for source in ["page.rs", "problem.rs"] {
        said.push_str(
            &std::fs::read_to_string(format!("{}/src/reference/{source}", env!("CARGO_MANIFEST_DIR"))).unwrap(),
        );
    }
    let built = [
        "error.",
        "state.",
        "progress.",
        "message.",
        "field.",
        "how.",
        "check.",
        "not-check.",
    ];
    for key in Language::English.words().keys() {
        let is_built = built.iter().any(|start| key.starts_with(start));
        assert!(is_built || said.contains(key.as_str()), "{key} is never said");
    }
}
