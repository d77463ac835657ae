//! A small reference portal over the library: the page a citizen would see, and two routes for programs.
//!
//! For programs, such as `eid-plugin`: `POST /challenge` issues a challenge to any account they
//! name, `POST /proof` takes it back with a proof and answers the verdict ([`routes`]).
//!
//! For people and the page's script ([`page`], [`browser`]):
//!
//! | route | takes | answers |
//! |---|---|---|
//! | `GET /` | | to sign in; or the account that is signed in, how far it is trusted, and what raises that |
//! | `GET /help` | | how to install the agent and the plugin, and what to do in each state |
//! | `GET /language/{ru,en}` | `?page=help` | remembers the language in a cookie, goes back |
//! | `POST /sign-in` | form: `account` | the demo's stand-in for a password; a new session |
//! | `POST /sign-out` | | ends the session |
//! | `POST /account/challenge` | JSON: `purpose`, `confirm_identity` or `sign_in` | `challenge`, `purpose`, `formats`, `holder_signature`, `expires_in` |
//! | `POST /account/proof` | JSON: `challenge`, `proof` | `confirm_identity`: `level`, `test`, `confirmed_at`, `checked`, `not_checked`; `sign_in`: `account`, `test` |
//!
//! Whatever is refused is a problem document with a stable `code` ([`problem`]); `person_mismatch` has
//! `mismatches`, a list of `field` (`snils`, `surname`, `given_name`, `patronymic`, `birth_date`) and `how` (`absent`, `different`).
//!
//! The page asks the plugin for a `cms`: every key can make one, a GOST key nothing else. Where the policy takes
//! no `cms`, it asks for `jws` or `web-eid:1.0`; a person who has only a GOST token cannot confirm there.
//!
//! Where the policy takes universal electronic cards, the page offers a second way, which asks for a `uec` and, if the
//! policy demands it, for the holder's signature. Such a card confirms an account, and signs in only with that signature.
//!
//! What binds it together: [`session`] and [`signed_in`] say who asks, [`account`] how far an account is
//! trusted, [`person`] whether a certificate's person is the account's, [`confirmation`] what is kept of that,
//! [`language`] in which words. The program around it is `eid-portal`.

pub mod account;
pub mod browser;
pub mod confirmation;
pub mod language;
pub mod page;
pub mod person;
pub mod problem;
pub mod routes;
pub mod session;
pub mod signed_in;
mod template;
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
use crate::reference::account::Accounts;
use crate::reference::problem::{Code, Problem};
use crate::reference::signed_in::Sessions;
use crate::uec::UecPolicy;

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
    /// Whose page it is, and how far they are trusted.
    pub accounts: Accounts,
    /// Who is signed in.
    pub sessions: Sessions,
}

impl App {
    /// A portal with the demo's accounts, where nobody is signed in.
    pub fn new(origin: Origin, policy: Policy) -> Self {
        Self {
            origin,
            policy,
            challenges: ChallengeStore::default(),
            accounts: Accounts::default(),
            sessions: Sessions::default(),
        }
    }

    /// Whether whoever confirms with a universal electronic card must sign with PIN2.
    pub(crate) fn demands_holder_signature(&self) -> bool {
        let cards = self.policy.universal_cards();
        cards.is_some_and(UecPolicy::demands_holder_signature)
    }
}

/// The portal's routes.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    let slots = Arc::new(Semaphore::new(MAX_CONCURRENT));
    // The page's routes are for browsers, which say where a request comes from.
    let of_the_page = Router::new()
        .route("/sign-in", post(browser::sign_in))
        .route("/sign-out", post(browser::sign_out))
        .route("/account/challenge", post(browser::challenge))
        .route("/account/proof", post(browser::proof))
        .layer(middleware::from_fn(only_browsers));
    Router::new()
        .route("/", get(page::home))
        .route("/help", get(page::help))
        .route("/language/{tag}", get(browser::language))
        .route("/assets/{name}", get(page::asset))
        .route("/challenge", post(routes::challenge))
        .route("/proof", post(routes::proof))
        .merge(of_the_page)
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

/// No `Origin` and no fetch metadata is no browser of these years: nothing here is for it.
async fn only_browsers(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if request.method() == Method::POST
        && !headers.contains_key(header::ORIGIN)
        && !headers.contains_key("sec-fetch-site")
    {
        return Problem::new(Code::ForeignOrigin).for_reader(headers);
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
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not "no-referrer": with it a browser's own form would come from the origin "null".
        (header::REFERRER_POLICY, "same-origin"),
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
