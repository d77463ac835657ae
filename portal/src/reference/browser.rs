//! The routes of the page: sign in and out, and what its script asks for an account.
//!
//! Here, unlike in [`routes`](super::routes), accounts are real: somebody is signed in, the
//! certificate's person must be the account's, and a level is raised by it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use plugin_protocol::{Challenge, ProofFormat, Purpose};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::App;
use super::account::{Account, is_id};
use super::confirmation::Confirmation;
use super::language::Language;
use super::person::{mismatches, proven_holder};
use super::problem::{Code, Problem};
use super::routes::{ProofRequest, parse_proof, read};
use super::session::{Session, is_https};
use crate::VerifyError;
use crate::challenge::Taken;
use crate::identity::Verified;

/// Body of `POST /account/challenge`. Whose account it is, the session says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeRequest {
    purpose: Purpose,
}

/// Answer to `POST /account/challenge`.
#[derive(Debug, Serialize)]
struct ChallengeAnswer<'a> {
    challenge: Challenge,
    purpose: Purpose,
    formats: &'a [ProofFormat],
    /// For `uec`: the holder's signature is demanded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    holder_signature: bool,
    /// Seconds.
    expires_in: i64,
}

/// Answer to a good proof of `sign_in`.
#[derive(Debug, Serialize)]
struct SignedIn {
    account: String,
    test: bool,
}

/// Which page to go back to after a switch of language.
#[derive(Debug, Deserialize)]
pub struct From {
    page: Option<String>,
}

type Answer = Result<Response, Problem>;

/// `GET /language/{tag}`: remembers the language and goes back.
pub async fn language(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(tag): Path<String>,
    Query(from): Query<From>,
) -> Response {
    let Some(language) = Language::from_tag(&tag) else {
        return Problem::new(Code::NotFound).for_reader(&headers);
    };
    let back = match from.page.as_deref() {
        Some("help") => "/help",
        _ => "/",
    };
    see_other(back, &language.set_cookie(is_https(&app.origin)))
}

/// `POST /sign-in`: the demo's stand-in for a password. A form with one field, `account`.
pub async fn sign_in(State(app): State<Arc<App>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let now = OffsetDateTime::now_utc();
    let answer = chosen(&app, body).and_then(|account| {
        let session = new_session(&app, &headers, &account, now)?;
        Ok(see_other("/", &session.set_cookie(&app.origin)))
    });
    answer.unwrap_or_else(|problem| problem.for_reader(&headers))
}

/// `POST /sign-out`.
pub async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Some(session) = Session::of_page(&headers, &app.origin) {
        app.sessions.sign_out(&session);
    }
    see_other("/", &Session::clear_cookie(&app.origin))
}

/// `POST /account/challenge`: for the account that is signed in, or, to sign in, for this browser.
pub async fn challenge(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    issue(&app, &headers, body).unwrap_or_else(|problem| problem.for_reader(&headers))
}

/// `POST /account/proof`: raises the account's level, or signs in. The challenge is used up whatever comes of it.
pub async fn proof(State(app): State<Arc<App>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let answer = judge(app, &headers, body).await;
    answer.unwrap_or_else(|problem| problem.for_reader(&headers))
}

/// The account that is signed in.
pub(super) fn signed_in(app: &App, headers: &HeaderMap, now: OffsetDateTime) -> Option<Account> {
    let session = Session::of_page(headers, &app.origin)?;
    app.accounts.get(&app.sessions.account(&session, now)?)
}

fn issue(app: &App, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer {
    let request: ChallengeRequest = read(headers, body)?;
    let now = OffsetDateTime::now_utc();
    let account = match request.purpose {
        Purpose::ConfirmIdentity => {
            let account = signed_in(app, headers, now).ok_or_else(|| Problem::new(Code::SignInFirst))?;
            app.accounts.may_confirm(&account.id)?;
            account.id
        }
        Purpose::SignIn => String::new(),
    };
    let known = Session::of_page(headers, &app.origin);
    let is_new = known.is_none();
    let session = known
        .or_else(Session::new)
        .ok_or_else(|| Problem::new(Code::Internal))?;
    let binding = session.page_binding();
    let challenge = app.challenges.issue(&binding, &account, request.purpose, now)?;
    let mut response = Json(ChallengeAnswer {
        challenge,
        purpose: request.purpose,
        formats: app.policy.formats(),
        holder_signature: app.demands_holder_signature(),
        expires_in: app.challenges.lifetime().whole_seconds(),
    })
    .into_response();
    if is_new {
        set_cookie(&mut response, &session.set_cookie(&app.origin));
    }
    Ok(response)
}

async fn judge(app: Arc<App>, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer {
    let request: ProofRequest = read(headers, body)?;
    let session = Session::of_page(headers, &app.origin).ok_or_else(|| Problem::new(Code::ForeignSession))?;
    let now = OffsetDateTime::now_utc();
    let binding = session.page_binding();
    let taken = app.challenges.take(&request.challenge, &binding, now)?;
    let proof = parse_proof(request.proof)?;
    let portal = app.clone();
    let verified = tokio::task::spawn_blocking(move || {
        let policy = portal.policy.expecting(taken.purpose);
        let verified = crate::verify_any(&proof, &portal.origin, &taken.challenge, &policy, now);
        let verified = verified.map_err(|error| Problem::refused(&error, proof.format()));
        verified.map(|verified| (taken, verified))
    });
    let verified = verified.await.map_err(|_| Problem::new(Code::Internal))?;
    let (taken, verified) = verified?;
    match taken.purpose {
        Purpose::ConfirmIdentity => confirm(&app, headers, &taken, &verified, now),
        Purpose::SignIn => sign_in_with(&app, headers, &verified, now),
    }
}

/// The person who is signed in, here and now, has proved to be the account's person, or has not.
fn confirm(app: &App, headers: &HeaderMap, taken: &Taken, verified: &Verified, now: OffsetDateTime) -> Answer {
    let account = signed_in(app, headers, now)
        .filter(|account| account.id == taken.account)
        .ok_or_else(|| Problem::new(Code::SignInFirst))?;
    app.accounts.may_confirm(&account.id)?;
    let mismatches = mismatches(&account, verified);
    if !mismatches.is_empty() {
        return Err(Problem::not_the_person(mismatches, verified.format()));
    }
    let confirmation = Confirmation::new(verified, now);
    app.accounts.confirm(&account.id, confirmation.clone())?;
    Ok(Json(confirmation.answer()).into_response())
}

/// СНИЛС is the person; names change. A test certificate opens only what a test certificate confirmed. A card lets
/// nobody in whose holder only the agent vouches for: unlike the one who confirms, nobody is signed in yet.
fn sign_in_with(app: &App, headers: &HeaderMap, verified: &Verified, now: OffsetDateTime) -> Answer {
    if verified.card().is_some_and(|card| proven_holder(card).is_none()) {
        return Err(Problem::new(Code::HolderNotProven));
    }
    let snils = verified.snils();
    let snils = snils.ok_or_else(|| Problem::new(Code::NoSnils))?;
    let account = app.accounts.confirmed_with(snils);
    let account = account.ok_or_else(|| Problem::new(Code::NoAccount))?;
    let by_test = account
        .confirmation
        .as_ref()
        .is_some_and(|confirmation| confirmation.test);
    if verified.is_test() && !by_test {
        return Err(Problem::from(&VerifyError::TestCertificate));
    }
    let session = new_session(app, headers, &account, now)?;
    let mut response = Json(SignedIn {
        account: account.id,
        test: verified.is_test(),
    })
    .into_response();
    set_cookie(&mut response, &session.set_cookie(&app.origin));
    Ok(response)
}

/// The account a form names: no character of its name is ever percent-encoded.
fn chosen(app: &App, body: Result<Bytes, BytesRejection>) -> Result<Account, Problem> {
    let invalid = || Problem::new(Code::InvalidBody).detail("a form with one field: account");
    let body = body.map_err(|_| invalid())?;
    let text = std::str::from_utf8(&body).map_err(|_| invalid())?;
    let id = text
        .strip_prefix("account=")
        .filter(|id| is_id(id))
        .ok_or_else(invalid)?;
    app.accounts.get(id).ok_or_else(invalid)
}

fn new_session(app: &App, headers: &HeaderMap, account: &Account, now: OffsetDateTime) -> Result<Session, Problem> {
    let before = Session::of_page(headers, &app.origin);
    let session = app.sessions.sign_in(before.as_ref(), &account.id, now);
    session.ok_or_else(|| Problem::new(Code::Internal))
}

fn see_other(path: &'static str, cookie: &str) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response();
    set_cookie(&mut response, cookie);
    response
}

fn set_cookie(response: &mut Response, cookie: &str) {
    let value = HeaderValue::from_str(cookie).expect("a cookie of ours is ASCII");
    response.headers_mut().append(SET_COOKIE, value);
}
