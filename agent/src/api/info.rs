//! What can be asked without a window: hello, info, tokens, history, this document.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use plugin_protocol::api::{HELLO, History, Info, Limits, Tokens, Unavailable};
use plugin_protocol::{ProofFormat, SignatureAlgorithm, limits};

use super::Front;
use crate::error::Error;
use crate::pairing::Caller;

/// Says that the protocol is spoken here, and nothing else.
///
/// The body is constant and proves nothing: any program can hold the port.
#[utoipa::path(get, path = "/v1/hello", tag = "discovery", security(()),
    responses((status = 200, description = "The constant body", body = serde_json::Value, content_type = "application/json",
        example = json!({"protocol": "eid-agent", "api": ["1"]}))))]
pub(super) async fn hello() -> Response {
    json(HELLO)
}

/// What this agent is and can do.
#[utoipa::path(get, path = "/v1/info", tag = "agent",
    responses((status = 200, description = "Version, formats, algorithms, limits", body = Info)))]
pub(super) async fn info(State(front): State<Arc<Front>>, _: Caller) -> Json<Info> {
    Json(Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: vec!["1".to_owned()],
        formats: ProofFormat::ALL.to_vec(),
        algorithms: SignatureAlgorithm::ALL.to_vec(),
        test: front.app.prompt.unattended(),
        limits: Limits {
            max_body: limits::MAX_BODY,
            max_wait: limits::MAX_WAIT,
            operation_lifetime: front.app.config.deadlines.operation.as_secs(),
            result_lifetime: limits::RESULT_LIFETIME,
            max_signature_items: limits::MAX_SIGNATURE_ITEMS,
        },
    })
}

/// The tokens present now, without labels, names and certificates, and what could not be looked at.
#[utoipa::path(get, path = "/v1/tokens", tag = "agent",
    responses((status = 200, description = "Tokens present now; nobody is asked", body = Tokens)))]
pub(super) async fn tokens(State(front): State<Arc<Front>>, _: Caller) -> Json<Tokens> {
    let (mut tokens, mut unavailable) = (Vec::new(), Vec::new());
    for listed in front.app.tokens.listing().await {
        let mut missing = listed.shortfall;
        match listed.tokens {
            Ok(present) => tokens.extend(present.iter().map(|token| token.summary())),
            Err(error) => missing = Some(error),
        }
        // The names of modules, files and readers are for the log and `doctor`.
        unavailable.extend(missing.map(|error| Unavailable {
            source: listed.kind,
            reason: error.code(),
        }));
    }
    Json(Tokens { tokens, unavailable })
}

/// What this plugin had signed, newest first.
#[utoipa::path(get, path = "/v1/history", tag = "agent",
    responses((status = 200, description = "At most 100 records of the caller", body = History)))]
pub(super) async fn history(State(front): State<Arc<Front>>, caller: Caller) -> Result<Json<History>, Error> {
    let history = front.app.history.clone();
    let read = move || history.for_client(&caller.id, limits::MAX_HISTORY);
    // The whole file is read, and a record that is being flushed is waited for.
    let entries = tokio::task::spawn_blocking(read).await;
    let entries = entries.map_err(|error| Error::Internal(error.to_string()))??;
    Ok(Json(History { entries }))
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "discovery",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value, content_type = "application/json")))]
pub(super) async fn openapi_document(_: Caller) -> Response {
    json(super::openapi::CHECKED_IN)
}

fn json(text: &'static str) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}
