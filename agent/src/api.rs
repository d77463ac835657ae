//! The front door: the flat table of routes, and the OpenAPI document made from it.
//!
//! A handler gets parsed types and a [`Caller`](crate::pairing::Caller), calls the use case, and hands back
//! a body or an [`Error`]. What may get here is decided in [`crate::guard`].

mod events;
mod extract;
mod info;
mod openapi;
mod operations;
mod pairings;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use plugin_protocol::ErrorCode;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::Error;
use crate::guard::{self, Guard};
use crate::pairing::attempt::Desk;

/// What handlers need besides the request.
pub(crate) struct Front {
    app: Arc<App>,
    desk: Desk,
    /// Cancelled when the agent ends: long polls answer at once.
    closing: CancellationToken,
}

/// Every route of version 1, without its state.
fn table() -> OpenApiRouter<Arc<Front>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(info::hello))
        .routes(routes!(info::info))
        .routes(routes!(info::openapi_document))
        .routes(routes!(info::tokens))
        .routes(routes!(info::history))
        .routes(routes!(pairings::list, pairings::offer))
        .routes(routes!(pairings::reveal))
        .routes(routes!(pairings::revoke))
        .routes(routes!(events::events))
        .routes(routes!(operations::confirm))
        .routes(routes!(operations::confirmation, operations::cancel_confirmation))
        .routes(routes!(operations::sign))
        .routes(routes!(operations::signatures, operations::cancel_signatures))
        .routes(routes!(operations::disclose))
        .routes(routes!(operations::certificate, operations::cancel_certificate))
}

/// The whole localhost API behind its guard, for an agent that listens on `address`.
///
/// Each request must carry a [`guard::Peer`] in its extensions. When `closing` is
/// cancelled, long polls answer at once and a pairing's window closes.
pub fn router(app: Arc<App>, address: SocketAddr, closing: CancellationToken) -> Router {
    let front = Front {
        desk: Desk::new(plugin_protocol::limits::PAIRINGS_PER_MINUTE, closing.clone()),
        closing,
        app: app.clone(),
    };
    let (routes, _) = table().split_for_parts();
    let routes = routes
        .fallback(async || Error::NotFound)
        .method_not_allowed_fallback(async || {
            let why = "this path knows other methods".to_owned();
            Error::Refused(ErrorCode::MethodNotAllowed, why)
        })
        .with_state(Arc::new(front));
    // The guard stands outside the whole router: what axum adds to an answer on its way
    // out (`Allow`, for one) would otherwise tell a stranger which paths there are.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(Arc::new(Guard::new(app, address)), guard::enter))
}

/// The OpenAPI 3.1 document of [`router`], as it is checked in: `plugin-protocol/openapi.json`.
pub fn openapi() -> String {
    openapi::complete(table().into_openapi())
}
