//! The two routes of programs: any name is an account, and what is proved is only told.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use plugin_protocol::{Challenge, Origin, Proof, ProofFormat, Purpose};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::App;
use super::problem::{Code, Problem};
use super::session::Session;
use super::verdict::Verdict;
use crate::challenge::Taken;

/// Longest account name, characters.
const MAX_ACCOUNT: usize = 64;

/// Body of `POST /challenge`.
#[derive(Debug, Deserialize)]
struct ChallengeRequest {
    account: String,
    #[serde(default)]
    purpose: Purpose,
}

/// Answer to `POST /challenge`: what the page hands to the plugin.
#[derive(Debug, Serialize)]
struct ChallengeAnswer<'a> {
    origin: &'a Origin,
    challenge: Challenge,
    formats: &'a [ProofFormat],
    /// For `uec`: the holder's signature is demanded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    holder_signature: bool,
    purpose: Purpose,
    /// Seconds.
    expires_in: i64,
}

/// Body of `POST /proof` and `POST /account/proof`.
#[derive(Debug, Deserialize)]
pub(super) struct ProofRequest {
    pub(super) challenge: Challenge,
    pub(super) proof: serde_json::Value,
}

/// `POST /challenge`: a challenge for this session and account.
pub async fn challenge(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    issue(&app, &headers, body).unwrap_or_else(|problem| problem.for_reader(&headers))
}

/// `POST /proof`: the verdict. The challenge is used up whatever it is.
pub async fn proof(State(app): State<Arc<App>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    match judge(app, &headers, body).await {
        Ok(verdict) => Json(verdict).into_response(),
        Err(problem) => problem.for_reader(&headers),
    }
}

fn issue(app: &App, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Response, Problem> {
    let request: ChallengeRequest = read(headers, body)?;
    let length = request.account.chars().count();
    if !(1..=MAX_ACCOUNT).contains(&length) || request.account.chars().any(char::is_control) {
        return Err(
            Problem::new(Code::InvalidBody).detail("account: 1 to 64 characters, none of them a control character")
        );
    }
    let known = Session::of(headers, &app.origin);
    let is_new = known.is_none();
    let session = known
        .or_else(Session::new)
        .ok_or_else(|| Problem::new(Code::Internal))?;
    let now = OffsetDateTime::now_utc();
    let challenge = app
        .challenges
        .issue(session.as_str(), &request.account, request.purpose, now)?;
    let answer = ChallengeAnswer {
        origin: &app.origin,
        challenge,
        formats: app.policy.formats(),
        holder_signature: app.demands_holder_signature(),
        purpose: request.purpose,
        expires_in: app.challenges.lifetime().whole_seconds(),
    };
    let mut response = Json(answer).into_response();
    if is_new {
        let cookie = HeaderValue::from_str(&session.set_cookie(&app.origin));
        let cookie = cookie.map_err(|_| Problem::new(Code::Internal))?;
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn judge(app: Arc<App>, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Verdict, Problem> {
    let request: ProofRequest = read(headers, body)?;
    let session = Session::of(headers, &app.origin).ok_or_else(|| Problem::new(Code::ForeignSession))?;
    let now = OffsetDateTime::now_utc();
    let taken = app.challenges.take(&request.challenge, session.as_str(), now)?;
    let proof = parse_proof(request.proof)?;
    // Verification is arithmetic, a millisecond of it: not on the thread that answers.
    let verified = tokio::task::spawn_blocking(move || verify(&app, &taken, &proof, now)).await;
    verified.map_err(|_| Problem::new(Code::Internal))?
}

fn verify(app: &App, taken: &Taken, proof: &Proof, now: OffsetDateTime) -> Result<Verdict, Problem> {
    let policy = app.policy.expecting(taken.purpose);
    let verified = crate::verify_any(proof, &app.origin, &taken.challenge, &policy, now);
    verified
        .map(|verified| Verdict::new(taken, &verified))
        .map_err(|error| Problem::refused(&error, proof.format()))
}

/// An unknown format is refused by its name, never guessed.
pub(super) fn parse_proof(value: serde_json::Value) -> Result<Proof, Problem> {
    let name = value.get("format").and_then(serde_json::Value::as_str).unwrap_or("");
    name.parse::<ProofFormat>()
        .map_err(|error| Problem::new(Code::UnsupportedFormat).detail(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| Problem::new(Code::InvalidBody).detail(format!("proof: {error}")))
}

/// The body as JSON, and only as that: a form of another site cannot send this content type.
pub(super) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge),
        _ => Problem::new(Code::InvalidBody).detail("the body could not be read"),
    })?;
    serde_json::from_slice(&body).map_err(|error| Problem::new(Code::InvalidBody).detail(error.to_string()))
}
