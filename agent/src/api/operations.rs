//! Confirmations, signatures and certificates: start, look, cancel (PROTOCOL.md sections 7 and 8).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use plugin_protocol::api::{CertificateRequest, ConfirmationRequest, Operation, SignatureRequest};
use plugin_protocol::encoding::sha256;
use plugin_protocol::limits::MAX_IDEMPOTENCY_KEY;
use serde::Deserialize;

use super::Front;
use super::extract::{Json, Poll};
use crate::error::Error;
use crate::guard::Entrance;
use crate::history::Action;
use crate::operation::{Idempotency, Operations};
use crate::pairing::Caller;

/// Has the person confirm their identity to a portal.
#[utoipa::path(post, path = "/v1/confirmations", tag = "operations", request_body = ConfirmationRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 64 printable characters; repeating the request is safe"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end, at most 25")),
    responses((status = 200, description = "The operation, already final", body = Operation),
        (status = 202, description = "The operation, begun", body = Operation)))]
pub(super) async fn confirm(
    State(front): State<Arc<Front>>,
    caller: Caller,
    entrance: Entrance,
    Json { value, bytes }: Json<ConfirmationRequest>,
) -> Result<Response, Error> {
    let idempotency = idempotency(&entrance, &bytes)?;
    let id = Operations::start_confirmation(&front.app, &caller, value, idempotency).await?;
    front.begun(&caller, Action::Confirmation, &id, entrance.wait(0)).await
}

/// How a confirmation stands.
#[utoipa::path(get, path = "/v1/confirmations/{id}", tag = "operations",
    params(("id" = String, Path, description = "The operation's id"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for the end, at most 25; absent: 0")),
    responses((status = 200, description = "The operation", body = Operation)))]
pub(super) async fn confirmation(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
    poll: Poll,
) -> Result<axum::Json<Operation>, Error> {
    front.look(&caller, Action::Confirmation, &id, poll.wait).await
}

/// Cancels a confirmation and closes its window.
#[utoipa::path(delete, path = "/v1/confirmations/{id}", tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses((status = 200, description = "The operation; `signing` while its token cannot be interrupted", body = Operation)))]
pub(super) async fn cancel_confirmation(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Operation>, Error> {
    front.cancel(&caller, Action::Confirmation, &id).await
}

/// Has the person sign digests of documents.
#[utoipa::path(post, path = "/v1/signatures", tag = "operations", request_body = SignatureRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 64 printable characters; repeating the request is safe"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end, at most 25")),
    responses((status = 200, description = "The operation, already final", body = Operation),
        (status = 202, description = "The operation, begun", body = Operation)))]
pub(super) async fn sign(
    State(front): State<Arc<Front>>,
    caller: Caller,
    entrance: Entrance,
    Json { value, bytes }: Json<SignatureRequest>,
) -> Result<Response, Error> {
    refuse_unattested(&bytes)?;
    let idempotency = idempotency(&entrance, &bytes)?;
    let id = Operations::start_signatures(&front.app, &caller, value, idempotency)?;
    front.begun(&caller, Action::Signatures, &id, entrance.wait(0)).await
}

/// How a signing stands.
#[utoipa::path(get, path = "/v1/signatures/{id}", tag = "operations",
    params(("id" = String, Path, description = "The operation's id"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for the end, at most 25; absent: 0")),
    responses((status = 200, description = "The operation", body = Operation)))]
pub(super) async fn signatures(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
    poll: Poll,
) -> Result<axum::Json<Operation>, Error> {
    front.look(&caller, Action::Signatures, &id, poll.wait).await
}

/// Cancels a signing and closes its window.
#[utoipa::path(delete, path = "/v1/signatures/{id}", tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses((status = 200, description = "The operation; `signing` while its token cannot be interrupted", body = Operation)))]
pub(super) async fn cancel_signatures(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Operation>, Error> {
    front.cancel(&caller, Action::Signatures, &id).await
}

/// Has the person hand over the certificate that they sign documents with, or sign in with; nothing is signed.
#[utoipa::path(post, path = "/v1/certificates", tag = "operations", request_body = CertificateRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 64 printable characters; repeating the request is safe"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: seconds to wait for the end, at most 25")),
    responses((status = 200, description = "The operation, already final", body = Operation),
        (status = 202, description = "The operation, begun", body = Operation)))]
pub(super) async fn disclose(
    State(front): State<Arc<Front>>,
    caller: Caller,
    entrance: Entrance,
    Json { value, bytes }: Json<CertificateRequest>,
) -> Result<Response, Error> {
    let idempotency = idempotency(&entrance, &bytes)?;
    let id = Operations::start_certificate(&front.app, &caller, value, idempotency).await?;
    front.begun(&caller, Action::Certificate, &id, entrance.wait(0)).await
}

/// How the handing over of a certificate stands.
#[utoipa::path(get, path = "/v1/certificates/{id}", tag = "operations",
    params(("id" = String, Path, description = "The operation's id"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for the end, at most 25; absent: 0")),
    responses((status = 200, description = "The operation", body = Operation)))]
pub(super) async fn certificate(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
    poll: Poll,
) -> Result<axum::Json<Operation>, Error> {
    front.look(&caller, Action::Certificate, &id, poll.wait).await
}

/// Cancels the handing over of a certificate and closes its window.
#[utoipa::path(delete, path = "/v1/certificates/{id}", tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses((status = 200, description = "The operation", body = Operation)))]
pub(super) async fn cancel_certificate(
    State(front): State<Arc<Front>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Operation>, Error> {
    front.cancel(&caller, Action::Certificate, &id).await
}

impl Front {
    async fn begun(&self, caller: &Caller, action: Action, id: &str, wait: Duration) -> Result<Response, Error> {
        let operation = self.look(caller, action, id, wait).await?;
        let status = match operation.state.is_final() {
            true => StatusCode::OK,
            false => StatusCode::ACCEPTED,
        };
        Ok((status, [(LOCATION, format!("{}/{id}", action.collection()))], operation).into_response())
    }

    /// The operation when it is final, the wait is over, or the agent ends.
    async fn look(
        &self,
        caller: &Caller,
        action: Action,
        id: &str,
        wait: Duration,
    ) -> Result<axum::Json<Operation>, Error> {
        let operations = &self.app.operations;
        let operation = tokio::select! {
            operation = operations.view(caller, action, id, wait) => operation,
            () = self.closing.cancelled() => operations.view(caller, action, id, Duration::ZERO).await,
        };
        operation.map(axum::Json)
    }

    async fn cancel(&self, caller: &Caller, action: Action, id: &str) -> Result<axum::Json<Operation>, Error> {
        self.app.operations.cancel(caller, action, id).await.map(axum::Json)
    }
}

/// Refuses documents for an origin that the plugin does not know.
///
/// A request for signatures has no `origin_attested`, and members that are not known are passed over: a plugin that says
/// honestly that it does not know would be taken for one that does.
fn refuse_unattested(body: &[u8]) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        origin_attested: Option<serde_json::Value>,
    }
    match serde_json::from_slice(body) {
        Ok(Said {
            origin_attested: None | Some(serde_json::Value::Bool(true)),
        }) => Ok(()),
        _ => {
            let why = "documents are signed for an origin that is known".to_owned();
            Err(Error::InvalidField("origin_attested", why))
        }
    }
}

/// The idempotency key, if there is one, with the digest of the body it stands for.
fn idempotency(entrance: &Entrance, body: &[u8]) -> Result<Option<Idempotency>, Error> {
    let Some(key) = &entrance.idempotency_key else {
        return Ok(None);
    };
    if key.is_empty() || key.len() > MAX_IDEMPOTENCY_KEY || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let why = format!("1 to {MAX_IDEMPOTENCY_KEY} characters from `!` to `~` are allowed");
        return Err(Error::InvalidField("Idempotency-Key", why));
    }
    Ok(Some(Idempotency {
        key: key.clone(),
        body_digest: sha256(body),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_signed_for_no_page_that_is_not_known() {
        for known in [
            "{}",
            r#"{"origin_attested":true}"#,
            r#"{"items":[{"origin_attested":false}]}"#,
        ] {
            assert_eq!(refuse_unattested(known.as_bytes()), Ok(()), "{known}");
        }
        for unknown in [
            r#"{"origin_attested":false}"#,
            r#"{"origin_attested":"true"}"#,
            r#"{"origin_attested":true,"origin_attested":false}"#,
            r#"{"origin_\u0061ttested":false}"#,
        ] {
            let refused = refuse_unattested(unknown.as_bytes());
            assert!(
                matches!(refused, Err(Error::InvalidField("origin_attested", _))),
                "{unknown}"
            );
        }
    }
}
