//! Steps 4 and 5: media type and size.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, Method};
use hyper::body::Frame;
use plugin_protocol::ErrorCode::*;
use plugin_protocol::limits::MAX_BODY;

use super::{CONFIRMATION, Change, add, assert_hardened, set};
use crate::testing::{Agent, request};

/// Cross-site requests that need no preflight carry one of these media types, or none.
#[tokio::test]
async fn simple_requests_are_no_json() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    let table: &[(&str, Change)] = &[
        ("text/plain", |r| set(r, "content-type", "text/plain")),
        ("text/plain that says JSON", |r| {
            set(r, "content-type", "text/plain; application/json")
        }),
        ("form", |r| set(r, "content-type", "application/x-www-form-urlencoded")),
        ("multipart", |r| {
            set(r, "content-type", "multipart/form-data; boundary=x")
        }),
        ("none", |r| drop(r.headers_mut().remove("content-type"))),
        ("empty", |r| set(r, "content-type", "")),
        ("near miss", |r| set(r, "content-type", "application/jsonp")),
        ("suffix", |r| set(r, "content-type", "application/problem+json")),
        ("list", |r| set(r, "content-type", "application/json, text/plain")),
        ("two", |r| add(r, "content-type", "application/json")),
        ("encoded", |r| set(r, "content-encoding", "gzip")),
    ];
    for (name, change) in table {
        for mut good in [
            request(Method::POST, "/v1/pairings", Some("{}")),
            request(Method::POST, "/v1/confirmations", Some(CONFIRMATION)),
            plugin.signed(Method::POST, "/v1/confirmations", Some(CONFIRMATION)),
        ] {
            change(&mut good);
            let answered = agent.send(good).await;
            assert_eq!(answered.code(), UnsupportedMediaType, "{name}");
            assert_hardened(&answered);
        }
    }
    let empty_post = request(Method::POST, "/v1/pairings", None);
    assert_eq!(agent.send(empty_post).await.code(), UnsupportedMediaType);
    let mut get_with_body = request(Method::GET, "/v1/info", Some("{}"));
    get_with_body.headers_mut().remove("content-type");
    set(&mut get_with_body, "content-length", "2");
    assert_eq!(agent.send(get_with_body).await.code(), UnsupportedMediaType);
    for parameters in [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json ;x=y",
    ] {
        let mut post = request(Method::POST, "/v1/pairings", Some("{}"));
        post.headers_mut()
            .insert("content-type", HeaderValue::from_static(parameters));
        assert_eq!(agent.send(post).await.code(), InvalidField, "{parameters}");
    }
}

/// A body that counts what is taken from it.
fn endless(taken: Arc<AtomicUsize>) -> Body {
    struct Endless(Arc<AtomicUsize>);
    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            self.0.fetch_add(1024, SeqCst);
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1024])))))
        }
    }
    Body::new(Endless(taken))
}

#[tokio::test]
async fn oversized_bodies_are_refused_declared_or_streamed() {
    let agent = Agent::new();
    let post = || request(Method::POST, "/v1/pairings", Some("{}"));
    for declared in ["65537", "18446744073709551615", "99999999999999999999999", "-1", "x"] {
        let taken = Arc::default();
        let mut declared_too_large = post();
        declared_too_large
            .headers_mut()
            .insert("content-length", HeaderValue::from_static(declared));
        let answered = agent
            .send(declared_too_large.map(|_| endless(Arc::clone(&taken))))
            .await;
        assert_eq!(answered.code(), TooLarge, "{declared}");
        assert_eq!(answered.header("connection"), Some("close"));
        assert_eq!(taken.load(SeqCst), 0, "{declared}: not one byte was read");
    }
    let taken = Arc::default();
    let mut streamed = post().map(|_| endless(Arc::clone(&taken)));
    streamed
        .headers_mut()
        .insert("transfer-encoding", HeaderValue::from_static("chunked"));
    assert_eq!(agent.send(streamed).await.code(), TooLarge);
    assert!(taken.load(SeqCst) <= MAX_BODY + 2048, "reading stops at the limit");
    let largest = " ".repeat(MAX_BODY);
    assert_eq!(
        agent
            .send(request(Method::POST, "/v1/pairings", Some(&largest)))
            .await
            .code(),
        Malformed
    );
    let larger = " ".repeat(MAX_BODY + 1);
    assert_eq!(
        agent
            .send(request(Method::POST, "/v1/pairings", Some(&larger)))
            .await
            .code(),
        TooLarge
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    struct Never;
    impl HttpBody for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
    let agent = Agent::new();
    let begun = tokio::time::Instant::now();
    let answered = agent
        .send(request(Method::POST, "/v1/pairings", Some("")).map(|_| Body::new(Never)))
        .await;
    assert_eq!(answered.code(), Malformed);
    assert_eq!(begun.elapsed(), crate::guard::BODY_TIMEOUT);
}
