//! A small reference portal: one page and two routes, over the library.
//!
//! `POST /challenge` issues a challenge to an account, `POST /proof` takes it back with a proof
//! and answers the verdict. Read [`routes`] for the two, [`session`] for what
//! binds them together, [`problem`] for how errors look, [`page`] for the page.
//! The program around it is `eid-portal`.

pub mod page;
pub mod problem;
pub mod routes;
pub mod session;
pub mod verdict;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use plugin_protocol::Origin;
use tokio::sync::Semaphore;

use crate::challenge::ChallengeStore;
use crate::policy::Policy;
use crate::reference::problem::{Code, Problem};

/// Largest request body, bytes: the largest proof, with room for its JSON.
pub const MAX_BODY: usize = 80 * 1024;
/// Requests in work at once; more are told to come back.
pub const MAX_CONCURRENT: usize = 64;
/// How long a request may take from its last header to its answer.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);

/// What the portal is made of.
#[derive(Debug)]
pub struct App {
    /// The origin it is reached at, as browsers name it.
    pub origin: Origin,
    /// What it accepts.
    pub policy: Policy,
    /// The challenges that are out.
    pub challenges: ChallengeStore,
}

/// The portal's routes.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    let slots = Arc::new(Semaphore::new(MAX_CONCURRENT));
    Router::new()
        .route("/", get(page::html))
        .route("/portal.css", get(page::css))
        .route("/portal.js", get(page::js))
        .route("/challenge", post(routes::challenge))
        .route("/proof", post(routes::proof))
        .fallback(async |headers: HeaderMap| Problem::new(Code::NotFound).for_reader(&headers))
        .method_not_allowed_fallback(async |headers: HeaderMap| {
            Problem::new(Code::MethodNotAllowed).for_reader(&headers)
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(app.clone(), only_from_here))
        .layer(middleware::from_fn_with_state(slots, bounded))
        .layer(middleware::map_response(with_security_headers))
        .with_state(app)
}

/// A slot for every request, and an end to it.
async fn bounded(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let Ok(_slot) = slots.try_acquire() else {
        return Problem::new(Code::Busy).for_reader(&headers);
    };
    match tokio::time::timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Timeout).for_reader(&headers),
    }
}

/// A browser's `POST` must come from this portal's own page: no other origin spends anybody's challenge.
async fn only_from_here(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST && !from_here(request.headers(), &app.origin) {
        return Problem::new(Code::ForeignOrigin).for_reader(request.headers());
    }
    next.run(request).await
}

fn from_here(headers: &HeaderMap, origin: &Origin) -> bool {
    let named = headers.get(header::ORIGIN);
    let site = headers.get("sec-fetch-site");
    named.is_none_or(|named| named.as_bytes() == origin.as_str().as_bytes())
        && site.is_none_or(|site| site == "same-origin")
}

/// Nothing here is framed, cached, sniffed, or loads anything from elsewhere.
async fn with_security_headers(response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = response.into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
