//! The pages, in Russian and English, with their script and style in files of their own.
//!
//! What is shown for a person's account is made here; what depends on their computer
//! (the plugin's state, an operation's progress) the script fills in.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, VARY};
use axum::response::{IntoResponse, Response};
use plugin_protocol::ProofFormat;
use plugin_protocol::statement::rfc3339;
use time::OffsetDateTime;

use super::App;
use super::account::{Account, Level};
use super::browser::signed_in;
use super::confirmation::{Check, Confirmation, Means};
use super::language::Language;
use super::problem::{Code, Problem};
use super::template::{Html, fill};

/// Every file a page loads: its name below `/assets/`, its media type, its content.
pub const ASSETS: [(&str, &str, &str); 9] = [
    ("en.json", "application/json", Language::English.json()),
    ("icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("operation.js", JAVASCRIPT, include_str!("page/operation.js")),
    (
        "page-api.js",
        JAVASCRIPT,
        include_str!("../../../extension/page-api/index.js"),
    ),
    ("plugin.js", JAVASCRIPT, include_str!("page/plugin.js")),
    ("portal.css", "text/css; charset=utf-8", include_str!("page/portal.css")),
    ("portal.js", JAVASCRIPT, include_str!("page/portal.js")),
    ("ru.json", "application/json", Language::Russian.json()),
    ("view.js", JAVASCRIPT, include_str!("page/view.js")),
];

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// `GET /assets/{name}`.
pub async fn asset(headers: HeaderMap, Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, media_type, content)) => ([(CONTENT_TYPE, *media_type)], *content).into_response(),
        None => Problem::new(Code::NotFound).for_reader(&headers),
    }
}

/// `GET /`: to sign in, or the account that is signed in.
pub async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let language = Language::of(&headers);
    match signed_in(&app, &headers, OffsetDateTime::now_utc()) {
        None => page(language, "sign-in.title", "home", false, sign_in(&app, language)),
        Some(account) => {
            let (title, body) = account_page(&app, &account, language);
            page(language, title, "home", true, body)
        }
    }
}

/// `GET /help`.
pub async fn help(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let language = Language::of(&headers);
    let is_in = signed_in(&app, &headers, OffsetDateTime::now_utc()).is_some();
    let body = fill(include_str!("page/help.html"), language, &[], &[]);
    page(language, "help.title", "help", is_in, body)
}

/// The page of a problem, for somebody who navigated into it.
pub(super) fn problem(problem: &Problem, headers: &HeaderMap) -> Response {
    let language = Language::of(headers);
    let code = language.say("outcome.code").replace("{code}", problem.code());
    let values = [("message", problem.message(language)), ("code", &code)];
    let body = fill(include_str!("page/problem.html"), language, &values, &[]);
    page(language, "problem.title", "home", false, body)
}

fn page(language: Language, title: &'static str, name: &'static str, is_in: bool, body: Html) -> Response {
    let sign_out = if is_in {
        fill(include_str!("page/sign-out.html"), language, &[], &[])
    } else {
        Html::none()
    };
    let languages = Html::all(Language::ALL.map(|other| language_link(other, language, name)));
    let values = [("lang", language.tag()), ("title", language.say(title))];
    let pieces = [("body", body), ("sign-out", sign_out), ("languages", languages)];
    let html = fill(include_str!("page/layout.html"), language, &values, &pieces);
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_LANGUAGE, language.tag()),
        (VARY, "Accept-Language, Cookie"),
    ];
    (headers, html.into_string()).into_response()
}

fn language_link(language: Language, current: Language, page: &str) -> Html {
    let template = if language == current {
        r#"<li><a href="/language/{{tag}}?page={{page}}" lang="{{tag}}" hreflang="{{tag}}" aria-current="true">{{own}}</a></li>"#
    } else {
        r#"<li><a href="/language/{{tag}}?page={{page}}" lang="{{tag}}" hreflang="{{tag}}">{{own}}</a></li>"#
    };
    let values = [("tag", language.tag()), ("own", language.own_name()), ("page", page)];
    fill(template, current, &values, &[])
}

fn sign_in(app: &App, language: Language) -> Html {
    let accounts = app.accounts.all().into_iter().map(|account| {
        let values = [
            ("id", account.id.as_str()),
            ("name", &account.full_name()),
            ("level", level(account.level, language)),
        ];
        fill(include_str!("page/choice.html"), language, &values, &[])
    });
    let values = [("format", page_format(app).name())];
    let pieces = [
        ("accounts", Html::all(accounts)),
        (
            "operation",
            fill(include_str!("page/operation.html"), language, &[], &[]),
        ),
        ("plugin", fill(include_str!("page/plugin.html"), language, &[], &[])),
    ];
    fill(include_str!("page/sign-in.html"), language, &values, &pieces)
}

/// The proof format the page asks for. Every key can make a `cms`, a GOST key nothing else; the others
/// are for portals that take no `cms`. [`Policy::formats`](crate::Policy::formats) is never empty.
fn page_format(app: &App) -> ProofFormat {
    const BEST_FIRST: [ProofFormat; 4] = [
        ProofFormat::Cms,
        ProofFormat::Jws,
        ProofFormat::WebEid,
        ProofFormat::CmsChallenge,
    ];
    let taken = app.policy.formats();
    let mut best_first = BEST_FIRST.into_iter();
    best_first
        .find(|format| taken.contains(format))
        .unwrap_or(ProofFormat::Cms)
}

fn account_page(app: &App, account: &Account, language: Language) -> (&'static str, Html) {
    match account.level {
        Level::Simplified => {
            let pieces = [("account", account_card(account, language))];
            let body = fill(include_str!("page/simplified.html"), language, &[], &pieces);
            ("simplified.title", body)
        }
        Level::Standard => {
            let pieces = [
                ("account", account_card(account, language)),
                ("uec", universal_card(app, language)),
                (
                    "operation",
                    fill(include_str!("page/operation.html"), language, &[], &[]),
                ),
                ("plugin", fill(include_str!("page/plugin.html"), language, &[], &[])),
            ];
            let values = [("format", page_format(app).name())];
            let body = fill(include_str!("page/standard.html"), language, &values, &pieces);
            ("standard.title", body)
        }
        Level::Confirmed => ("confirmed.title", confirmed(account, language)),
    }
}

fn account_card(account: &Account, language: Language) -> Html {
    let snils = account.printed_snils();
    let values = [
        ("name", account.full_name()),
        (
            "snils",
            snils.unwrap_or_else(|| language.say("account.snils.none").to_owned()),
        ),
    ];
    let mut values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    values.push(("level", level(account.level, language)));
    values.push(("level.name", account.level.name()));
    let pieces = [("test", test_mark(account, language))];
    fill(include_str!("page/account.html"), language, &values, &pieces)
}

fn confirmed(account: &Account, language: Language) -> Html {
    let evidence = match &account.confirmation {
        Some(confirmation) => evidence(confirmation, language),
        None => fill(include_str!("page/elsewhere.html"), language, &[], &[]),
    };
    let by_card = matches!(&account.confirmation, Some(by) if matches!(by.means, Means::Card { .. }));
    let text = language.say(if by_card {
        "confirmed.text.card"
    } else {
        "confirmed.text"
    });
    let note = match is_test(account) {
        true => fill(include_str!("page/test-note.html"), language, &[], &[]),
        false => Html::none(),
    };
    let pieces = [
        ("account", account_card(account, language)),
        ("test", test_mark(account, language)),
        ("test-note", note),
        ("evidence", evidence),
    ];
    fill(
        include_str!("page/confirmed.html"),
        language,
        &[("text", text)],
        &pieces,
    )
}

fn evidence(confirmation: &Confirmation, language: Language) -> Html {
    let values = [
        ("at", rfc3339(confirmation.at)),
        ("at.shown", moment(confirmation.at, language)),
        ("until", rfc3339(confirmation.valid_until)),
        ("until.shown", moment(confirmation.valid_until, language)),
        ("sha256", confirmation.certificate_sha256.clone()),
    ];
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let pieces = [
        ("means", means(&confirmation.means, language)),
        ("checked", checks(confirmation.checked(), "check", language)),
        (
            "not-checked",
            checks(&confirmation.not_checked(), "not-check", language),
        ),
    ];
    fill(include_str!("page/evidence.html"), language, &values, &pieces)
}

fn means(means: &Means, language: Language) -> Html {
    match means {
        Means::Certificate { issuer, serial } => {
            let values = [("issuer", &issuer[..]), ("serial", serial)];
            fill(include_str!("page/certificate.html"), language, &values, &[])
        }
        Means::Card { number } => fill(include_str!("page/card.html"), language, &[("number", number)], &[]),
    }
}

/// The way with a universal electronic card, or why there is none.
fn universal_card(app: &App, language: Language) -> Html {
    let Some(cards) = app.policy.universal_cards() else {
        return fill(include_str!("page/uec-off.html"), language, &[], &[]);
    };
    let (pin, holder) = match cards.demands_holder_signature() {
        true => (language.say("choice.uec.pin2"), "true"),
        false => (language.say("choice.uec.pin1"), "false"),
    };
    let values = [("pin", pin), ("holder", holder)];
    fill(include_str!("page/uec.html"), language, &values, &[])
}

fn checks(checks: &[Check], prefix: &str, language: Language) -> Html {
    Html::all(checks.iter().map(|check| {
        let text = language.say(&format!("{prefix}.{}", check.name()));
        let values = [("name", check.name()), ("text", text)];
        fill(r#"<li data-check="{{name}}">{{text}}</li>"#, language, &values, &[])
    }))
}

fn is_test(account: &Account) -> bool {
    account
        .confirmation
        .as_ref()
        .is_some_and(|confirmation| confirmation.test)
}

fn test_mark(account: &Account, language: Language) -> Html {
    if is_test(account) {
        fill(r#"<strong class="mark">{{test.mark}}</strong>"#, language, &[], &[])
    } else {
        Html::none()
    }
}

fn level(level: Level, language: Language) -> &'static str {
    language.say(match level {
        Level::Simplified => "level.simplified",
        Level::Standard => "level.standard",
        Level::Confirmed => "level.confirmed",
    })
}

/// A moment to the minute, in UTC, as the language writes it.
fn moment(at: OffsetDateTime, language: Language) -> String {
    let (year, month, day) = at.to_offset(time::UtcOffset::UTC).to_calendar_date();
    let (hour, minute, _) = at.to_offset(time::UtcOffset::UTC).to_hms();
    match language {
        Language::English => format!("{day} {month} {year}, {hour:02}:{minute:02} UTC"),
        Language::Russian => format!("{day:02}.{:02}.{year}, {hour:02}:{minute:02} UTC", u8::from(month)),
    }
}
