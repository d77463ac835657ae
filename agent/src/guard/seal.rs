//! The way out: answers are signed for the caller and hardened against browsers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use plugin_protocol::ErrorCode;

use super::head::refused;
use crate::app::App;
use crate::error::Error;
use crate::pairing::Paired;
use crate::signature::ResponseHeaders;

/// What an answer is signed with: the pairing's agent key, and the request's signature.
pub(super) struct Seal {
    paired: Arc<Paired>,
    request_signature: [u8; 64],
}

impl Seal {
    pub(super) fn new(paired: Arc<Paired>, request_signature: [u8; 64]) -> Self {
        Self {
            paired,
            request_signature,
        }
    }

    /// Signs an answer. A pairing that was revoked while it was made gets nothing more,
    /// but for the word that it was revoked.
    pub(super) async fn close(self, response: Response, app: &App) -> Response {
        let last = response.extensions().get::<LastWord>().is_some();
        if !last && app.pairings.find(&self.paired.caller.id).is_none() {
            let why = "the pairing was revoked while the request was answered";
            return refused(ErrorCode::NotPaired, why).into_response();
        }
        let (mut head, body) = response.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return Error::Internal("an answer's body failed".to_owned()).into_response();
        };
        let key = &self.paired.agent_key;
        match key.sign_response(head.status.as_u16(), &body, &self.request_signature, app.clock.unix()) {
            Ok(signed) => {
                attach(&mut head.headers, signed);
                Response::from_parts(head, Body::from(body))
            }
            Err(error) => error.into_response(),
        }
    }
}

/// Marks an answer that a pairing gets even though it has ended: the one that tells so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastWord;

fn attach(headers: &mut axum::http::HeaderMap, signed: ResponseHeaders) {
    for (name, value) in [
        ("content-digest", signed.content_digest),
        ("signature-input", signed.signature_input),
        ("signature", signed.signature),
    ] {
        let value = HeaderValue::try_from(value).expect("base64, digits and quotes are a header value");
        headers.insert(name, value);
    }
}

/// Headers of every answer: nothing is cached, sniffed, rendered or framed.
pub(super) fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}

/// A fault in a handler is that request's `internal`, and nobody else's trouble.
pub(super) async fn catch_panic(answering: impl Future<Output = Response>) -> Response {
    let mut answering = std::pin::pin!(answering);
    let caught = std::future::poll_fn(|context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => std::task::Poll::Ready(None),
        }
    });
    match caught.await {
        Some(response) => response,
        // The panic itself was written to the log by its hook.
        None => Error::Internal("a handler panicked".to_owned()).into_response(),
    }
}

/// Errors become answers here and nowhere else: problem documents (RFC 9457).
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(why) => tracing::error!(why, "internal error"),
            // A pairing's window, say, whose caller is told less than what helps.
            kept if kept.is_kept_short() => {
                tracing::info!(code = %kept.code(), detail = %kept, "refused, and its caller is not told why in full");
            }
            other => tracing::debug!(code = %other.code(), detail = %other, "refused"),
        }
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).expect("a struct of strings serialises");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after() {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert("retry-after", HeaderValue::from(seconds.max(1)));
        }
        match problem.code {
            // Not all of the body was read, so nothing can follow it.
            ErrorCode::TooLarge => headers.insert("connection", HeaderValue::from_static("close")),
            ErrorCode::MethodNotAllowed => headers.insert("allow", HeaderValue::from_static("GET, POST, DELETE")),
            _ => None,
        };
        response
    }
}
