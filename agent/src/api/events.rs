//! Long polls for numbered events (PROTOCOL.md section 9).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use plugin_protocol::event::{EventKind, Events};

use super::Front;
use super::extract::Poll;
use crate::guard::LastWord;
use crate::pairing::Caller;

/// The events after `since`, as soon as there is one or the wait is over.
#[utoipa::path(get, path = "/v1/events", tag = "events",
    params(("since" = Option<u64>, Query, description = "`next` of the call before; absent or 0: from the oldest kept"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for the first event, at most 25; absent: 0")),
    responses((status = 200, description = "Events, oldest first", body = Events)))]
pub(super) async fn events(State(front): State<Arc<Front>>, caller: Caller, poll: Poll) -> Response {
    let events = &front.app.events;
    let body = tokio::select! {
        body = events.since(&caller.id, poll.since, poll.wait) => body,
        () = front.closing.cancelled() => events.since(&caller.id, poll.since, Duration::ZERO).await,
    };
    let revoked = |kind: &EventKind| matches!(kind, EventKind::PairingRevoked { .. });
    let last = body.events.iter().any(|event| revoked(&event.kind));
    let mut response = axum::Json(body).into_response();
    if last {
        response.extensions_mut().insert(LastWord);
    }
    response
}
