//! Pairing: offer, reveal, list, revoke (PROTOCOL.md section 5).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plugin_protocol::api::{PairingOffer, PairingRequest, PairingState, PairingStatus, Pairings, RevealRequest};
use plugin_protocol::limits::MAX_WAIT;

use super::Front;
use super::extract::Json;
use crate::error::Error;
use crate::guard::{Entrance, LastWord};
use crate::pairing::Caller;

/// Begins a pairing: the plugin commits to its nonce, the agent offers its key.
#[utoipa::path(post, path = "/v1/pairings", tag = "pairing", security(()), request_body = PairingRequest,
    responses((status = 201, description = "The agent's key and nonce for this attempt", body = PairingOffer)))]
pub(super) async fn offer(
    State(front): State<Arc<Front>>,
    Json { value, .. }: Json<PairingRequest>,
) -> Result<(StatusCode, axum::Json<PairingOffer>), Error> {
    let offer = front.desk.offer(&front.app, value)?;
    Ok((StatusCode::CREATED, axum::Json(offer)))
}

/// Opens the commitment and has the person compare the digits; sent again, it waits for their decision.
#[utoipa::path(post, path = "/v1/pairings/{id}/reveal", tag = "pairing", security(()), request_body = RevealRequest,
    params(("id" = String, Path, description = "The attempt's id"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the decision, 25 if absent")),
    responses((status = 200, description = "Paired", body = PairingStatus),
        (status = 202, description = "The person compares; send the same again", body = PairingStatus)))]
pub(super) async fn reveal(
    State(front): State<Arc<Front>>,
    Path(id): Path<String>,
    entrance: Entrance,
    Json { value, .. }: Json<RevealRequest>,
) -> Result<(StatusCode, axum::Json<PairingStatus>), Error> {
    let wait = entrance.wait(MAX_WAIT);
    let state = front.desk.reveal(&front.app, &id, &value.nonce, wait).await?;
    let status = match state {
        PairingState::Paired => StatusCode::OK,
        PairingState::AwaitingConsent => StatusCode::ACCEPTED,
    };
    Ok((status, axum::Json(PairingStatus { id, state })))
}

/// The caller's own pairing.
#[utoipa::path(get, path = "/v1/pairings", tag = "pairing",
    responses((status = 200, description = "The caller's pairing alone", body = Pairings)))]
pub(super) async fn list(State(front): State<Arc<Front>>, caller: Caller) -> axum::Json<Pairings> {
    let own = front.app.pairings.find(&caller.id);
    axum::Json(Pairings {
        pairings: own.iter().map(|paired| paired.listed()).collect(),
    })
}

/// Ends the caller's own pairing; its operations are cancelled, and this is the last answer it gets.
#[utoipa::path(delete, path = "/v1/pairings/{id}", tag = "pairing",
    params(("id" = String, Path, description = "The plugin key's thumbprint")),
    responses((status = 204, description = "Revoked")))]
pub(super) async fn revoke(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    if id != caller.id || !front.app.pairings.revoke(&id)? {
        return Err(Error::NotFound);
    }
    front.app.tell_of_revoked();
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.extensions_mut().insert(LastWord);
    Ok(response)
}
