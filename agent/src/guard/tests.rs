//! Every refusal of the gate, as tables. SECURITY.md names these tests.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request};
use fixtures::plugin::signing::{SignatureChoices, request_signature, verify_response};
use plugin_protocol::ErrorCode::{self, *};
use plugin_protocol::http_signature::content_digest;
use plugin_protocol::limits::{MAX_BODY, REQUESTS_PER_MINUTE};

use super::Peer;
use crate::testing::{Agent, Answered, NOW, PORT, Plugin, choices, request};

const CONFIRMATION: &str =
    r#"{"origin":"https://portal.example","challenge":"00000000000000000000000000000000000000000000","format":"jws"}"#;

/// A change to a request that was good before.
type Change = fn(&mut Request<Bytes>);

fn set(request: &mut Request<Bytes>, name: &'static str, value: &'static str) {
    request.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn add(request: &mut Request<Bytes>, name: &'static str, value: &'static str) {
    request.headers_mut().append(name, HeaderValue::from_static(value));
}

/// What any answer must be.
fn assert_hardened(answered: &Answered) {
    assert_eq!(answered.header("cache-control"), Some("no-store"));
    assert_eq!(answered.header("x-content-type-options"), Some("nosniff"));
    assert!(
        answered
            .header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    for name in answered.0.headers().keys() {
        let name = name.as_str();
        assert!(!name.starts_with("access-control-"), "{name}");
        assert!(!matches!(name, "server" | "set-cookie" | "x-powered-by"), "{name}");
    }
}

/// Steps 1 to 5: refused alike from strangers and from paired plugins, on open and on paired calls.
#[tokio::test]
async fn foreign_contexts_are_refused_whoever_asks() {
    let table: &[(&str, ErrorCode, Change)] = &[
        // DNS rebinding, and everything else that is not our own address.
        ("rebound name", BadHost, |r| set(r, "host", "evil.example:47290")),
        ("rebound name, no port", BadHost, |r| set(r, "host", "evil.example")),
        ("localhost", BadHost, |r| set(r, "host", "localhost:47290")),
        ("IPv6 loopback", BadHost, |r| set(r, "host", "[::1]:47290")),
        ("other loopback", BadHost, |r| set(r, "host", "127.0.0.2:47290")),
        ("other spelling", BadHost, |r| set(r, "host", "127.1:47290")),
        ("other port", BadHost, |r| set(r, "host", "127.0.0.1:47291")),
        ("no port", BadHost, |r| set(r, "host", "127.0.0.1")),
        ("trailing dot", BadHost, |r| set(r, "host", "127.0.0.1.:47290")),
        ("prefix of a name", BadHost, |r| {
            set(r, "host", "127.0.0.1:47290.evil.example")
        }),
        ("user info", BadHost, |r| set(r, "host", "127.0.0.1:47290@evil.example")),
        ("no Host", BadHost, |r| drop(r.headers_mut().remove("host"))),
        ("empty Host", BadHost, |r| set(r, "host", "")),
        ("second Host", BadHost, |r| add(r, "host", "127.0.0.1:47290")),
        ("absolute form", BadHost, |r| {
            *r.uri_mut() = format!("http://evil.example{}", r.uri()).parse().unwrap();
        }),
        ("absolute form of our own", BadHost, |r| {
            *r.uri_mut() = format!("http://127.0.0.1:{PORT}{}", r.uri()).parse().unwrap();
        }),
        // Web pages.
        ("web origin", ForbiddenContext, |r| {
            set(r, "origin", "https://evil.example")
        }),
        ("the portal itself", ForbiddenContext, |r| {
            set(r, "origin", "https://portal.example")
        }),
        ("opaque origin", ForbiddenContext, |r| set(r, "origin", "null")),
        ("empty origin", ForbiddenContext, |r| set(r, "origin", "")),
        ("our own as an origin", ForbiddenContext, |r| {
            set(r, "origin", "http://127.0.0.1:47290")
        }),
        ("file", ForbiddenContext, |r| set(r, "origin", "file://")),
        ("scheme alone", ForbiddenContext, |r| {
            set(r, "origin", "chrome-extension://")
        }),
        ("look-alike scheme", ForbiddenContext, |r| {
            set(r, "origin", "chrome-extension://a.evil.example/")
        }),
        ("scheme as host", ForbiddenContext, |r| {
            set(r, "origin", "https://chrome-extension://abc")
        }),
        ("two origins", ForbiddenContext, |r| {
            add(r, "origin", "chrome-extension://abc");
            add(r, "origin", "https://evil.example");
        }),
        ("cross-site", ForbiddenContext, |r| {
            set(r, "sec-fetch-site", "cross-site")
        }),
        ("same-site", ForbiddenContext, |r| set(r, "sec-fetch-site", "same-site")),
        ("unknown site", ForbiddenContext, |r| {
            set(r, "sec-fetch-site", "new-thing")
        }),
        ("two sites", ForbiddenContext, |r| {
            add(r, "sec-fetch-site", "none");
            add(r, "sec-fetch-site", "cross-site");
        }),
        ("navigation", ForbiddenContext, |r| {
            set(r, "sec-fetch-site", "none");
            set(r, "sec-fetch-mode", "navigate");
        }),
        ("no-cors", ForbiddenContext, |r| set(r, "sec-fetch-mode", "no-cors")),
        ("websocket", ForbiddenContext, |r| set(r, "sec-fetch-mode", "websocket")),
        ("document", ForbiddenContext, |r| set(r, "sec-fetch-dest", "document")),
        ("image", ForbiddenContext, |r| set(r, "sec-fetch-dest", "image")),
        ("frame", ForbiddenContext, |r| set(r, "sec-fetch-dest", "iframe")),
        ("script", ForbiddenContext, |r| set(r, "sec-fetch-dest", "script")),
        ("clicked", ForbiddenContext, |r| set(r, "sec-fetch-user", "?1")),
        ("link", ForbiddenContext, |r| set(r, "referer", "https://evil.example/")),
        ("link from us", ForbiddenContext, |r| {
            set(r, "referer", "http://127.0.0.1:47290/v1/hello")
        }),
        ("upgrade", ForbiddenContext, |r| set(r, "upgrade", "websocket")),
        ("preflight header", ForbiddenContext, |r| {
            set(r, "access-control-request-method", "POST")
        }),
        ("network preflight", ForbiddenContext, |r| {
            set(r, "access-control-request-private-network", "true")
        }),
        // Methods.
        ("preflight", MethodNotAllowed, |r| *r.method_mut() = Method::OPTIONS),
        ("PUT", MethodNotAllowed, |r| *r.method_mut() = Method::PUT),
        ("PATCH", MethodNotAllowed, |r| *r.method_mut() = Method::PATCH),
        ("TRACE", MethodNotAllowed, |r| *r.method_mut() = Method::TRACE),
        ("CONNECT", MethodNotAllowed, |r| *r.method_mut() = Method::CONNECT),
        ("own method", MethodNotAllowed, |r| {
            *r.method_mut() = Method::from_bytes(b"STEAL").unwrap()
        }),
    ];
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    for (name, code, change) in table {
        for mut good in [
            request(Method::GET, "/v1/hello", None),
            request(Method::POST, "/v1/pairings", Some("{}")),
            request(Method::GET, "/v1/info", None),
            request(Method::GET, "/nothing", None),
            plugin.signed(Method::GET, "/v1/info", None),
            plugin.signed(Method::POST, "/v1/confirmations", Some(CONFIRMATION)),
        ] {
            change(&mut good);
            let what = format!("{name}: {} {}", good.method(), good.uri());
            let answered = agent.send(good).await;
            assert_eq!(answered.code(), *code, "{what}");
            assert!(!answered.is_signed(), "{what}");
            assert_hardened(&answered);
        }
    }
}

/// HEAD has no body to look at.
#[tokio::test]
async fn head_is_refused() {
    let agent = Agent::new();
    let answered = agent.send(request(Method::HEAD, "/v1/hello", None)).await;
    assert_eq!(answered.status(), 405);
    assert_hardened(&answered);
}

#[tokio::test]
async fn only_this_computer_may_ask() {
    let agent = Agent::new();
    for peer in ["10.0.0.7:50000", "[2001:db8::1]:50000", "169.254.0.1:50000"] {
        let mut hello = request(Method::GET, "/v1/hello", None);
        hello.extensions_mut().insert(Peer(peer.parse::<SocketAddr>().unwrap()));
        assert_eq!(agent.send(hello).await.code(), ForbiddenContext, "{peer}");
    }
}

/// What the browsers were measured to send from an extension's background, and native clients.
#[tokio::test]
async fn plugins_contexts_pass() {
    let agent = Agent::new();
    let contexts: &[&[(&str, &str)]] = &[
        &[],
        &[
            ("sec-fetch-site", "none"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
        ],
        &[
            ("origin", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"),
            ("sec-fetch-site", "none"),
            ("sec-fetch-mode", "cors"),
        ],
        &[
            ("origin", "moz-extension://6f2c6a0e-8f53-4b8e-9d1f-6f0b5d6b6f3a"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
        ],
        &[("origin", "safari-web-extension://3A5C0F5E-0000-4000-8000-000000000000")],
    ];
    for context in contexts {
        let mut hello = request(Method::GET, "/v1/hello", None);
        for (name, value) in *context {
            hello.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        let answered = agent.send(hello).await;
        assert_eq!(answered.status(), 200, "{context:?}");
        assert_eq!(answered.0.body(), plugin_protocol::api::HELLO.as_bytes());
        assert_hardened(&answered);
    }
}

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
fn endless(taken: std::sync::Arc<std::sync::atomic::AtomicUsize>) -> Body {
    struct Endless(std::sync::Arc<std::sync::atomic::AtomicUsize>);
    impl axum::body::HttpBody for Endless {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            self.0.fetch_add(1024, std::sync::atomic::Ordering::SeqCst);
            std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(&[b' '; 1024])))))
        }
    }
    Body::new(Endless(taken))
}

#[tokio::test]
async fn oversized_bodies_are_refused_declared_or_streamed() {
    use std::sync::atomic::Ordering::SeqCst;
    let agent = Agent::new();
    let post = || request(Method::POST, "/v1/pairings", Some("{}"));
    for declared in ["65537", "18446744073709551615", "99999999999999999999999", "-1", "x"] {
        let taken = std::sync::Arc::default();
        let mut declared_too_large = post();
        declared_too_large
            .headers_mut()
            .insert("content-length", HeaderValue::from_static(declared));
        let answered = agent
            .send(declared_too_large.map(|_| endless(std::sync::Arc::clone(&taken))))
            .await;
        assert_eq!(answered.code(), TooLarge, "{declared}");
        assert_eq!(answered.header("connection"), Some("close"));
        assert_eq!(taken.load(SeqCst), 0, "{declared}: not one byte was read");
    }
    let taken = std::sync::Arc::default();
    let mut streamed = post().map(|_| endless(std::sync::Arc::clone(&taken)));
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
    impl axum::body::HttpBody for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let agent = Agent::new();
    let begun = tokio::time::Instant::now();
    let answered = agent
        .send(request(Method::POST, "/v1/pairings", Some("")).map(|_| Body::new(Never)))
        .await;
    assert_eq!(answered.code(), Malformed);
    assert_eq!(begun.elapsed(), super::BODY_TIMEOUT);
}

/// What may be wrong with a signature. Each is tried on a request that passes without the change.
#[tokio::test]
async fn bad_signatures_are_refused_unsigned() {
    let table: &[(&str, ErrorCode, Change)] = &[
        ("nothing", NotPaired, |r| {
            r.headers_mut().remove("signature");
            r.headers_mut().remove("signature-input");
        }),
        ("no Signature", BadSignature, |r| {
            drop(r.headers_mut().remove("signature"))
        }),
        ("no Signature-Input", BadSignature, |r| {
            drop(r.headers_mut().remove("signature-input"))
        }),
        ("no Content-Digest", BadSignature, |r| {
            drop(r.headers_mut().remove("content-digest"))
        }),
        ("two Signatures", BadSignature, |r| duplicate(r, "signature")),
        ("two Signature-Inputs", BadSignature, |r| {
            duplicate(r, "signature-input")
        }),
        ("two Content-Digests", BadSignature, |r| duplicate(r, "content-digest")),
        ("two idempotency keys", BadSignature, |r| {
            duplicate(r, "idempotency-key")
        }),
        ("altered method", BadSignature, |r| *r.method_mut() = Method::DELETE),
        ("altered path", BadSignature, |r| {
            *r.uri_mut() = "/v1/signatures?a=b".parse().unwrap()
        }),
        ("altered query", BadSignature, |r| {
            *r.uri_mut() = "/v1/confirmations?a=c".parse().unwrap()
        }),
        ("dropped query", BadSignature, |r| {
            *r.uri_mut() = "/v1/confirmations".parse().unwrap()
        }),
        ("added query", BadSignature, |r| {
            *r.uri_mut() = "/v1/confirmations?a=b&c=d".parse().unwrap()
        }),
        ("altered body", BadSignature, |r| {
            *r.body_mut() = Bytes::from(CONFIRMATION.replace("portal", "portae"))
        }),
        ("longer body", BadSignature, |r| {
            *r.body_mut() = Bytes::from(format!("{CONFIRMATION} "))
        }),
        ("no body", BadSignature, |r| *r.body_mut() = Bytes::new()),
        ("altered body and digest", BadSignature, |r| {
            *r.body_mut() = Bytes::from(CONFIRMATION.replace("portal", "portae"));
            let digest = content_digest(r.body());
            r.headers_mut().insert("content-digest", digest.parse().unwrap());
        }),
        ("digest of another algorithm", BadSignature, |r| {
            set(r, "content-digest", "sha-512=:AAAA:")
        }),
        ("altered idempotency key", BadSignature, |r| {
            set(r, "idempotency-key", "other")
        }),
        ("dropped idempotency key", BadSignature, |r| {
            drop(r.headers_mut().remove("idempotency-key"))
        }),
        ("altered nonce", BadSignature, |r| {
            replace(r, "signature-input", "nonce=\"", "nonce=\"A")
        }),
        ("altered created", BadSignature, |r| {
            replace(r, "signature-input", &NOW.to_string(), &(NOW + 1).to_string())
        }),
        ("unknown key", NotPaired, |r| {
            replace(r, "signature-input", "keyid=\"", "keyid=\"A")
        }),
        ("another label", BadSignature, |r| {
            replace(r, "signature-input", "sig=", "sig1=")
        }),
        ("another tag", BadSignature, |r| {
            replace(r, "signature-input", "eid-agent-request", "eid-agent-response")
        }),
        ("another algorithm", BadSignature, |r| {
            replace(r, "signature-input", "ecdsa-p256-sha256", "hmac-sha256")
        }),
        ("fewer components", BadSignature, |r| {
            replace(r, "signature-input", " \"content-digest\"", "")
        }),
        ("uncovered idempotency key", BadSignature, |r| {
            replace(r, "signature-input", " \"idempotency-key\"", "")
        }),
        ("zero signature", BadSignature, |r| {
            let zeros = plugin_protocol::http_signature::signature_header(&[0; 64]);
            r.headers_mut().insert("signature", zeros.parse().unwrap());
        }),
        ("short signature", BadSignature, |r| set(r, "signature", "sig=:AAAA:")),
    ];
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    let good = || {
        let post = request(Method::POST, "/v1/confirmations?a=b", Some(CONFIRMATION));
        let choices = SignatureChoices {
            idempotency_key: Some("key".to_owned()),
            ..choices()
        };
        plugin.signed_with(post, &choices)
    };
    for (name, code, change) in table {
        let mut changed = good();
        change(&mut changed);
        let answered = agent.send(changed).await;
        assert_eq!(answered.code(), *code, "{name}");
        assert!(!answered.is_signed(), "{name}");
        assert_hardened(&answered);
    }
    assert_eq!(agent.send(good()).await.status(), 202, "unchanged it passes");
}

fn duplicate(request: &mut Request<Bytes>, name: &'static str) {
    let value = request.headers()[name].clone();
    request.headers_mut().append(name, value);
}

fn replace(request: &mut Request<Bytes>, name: &'static str, from: &str, to: &str) {
    let before = request.headers()[name].to_str().unwrap();
    let after = before.replace(from, to);
    assert_ne!(before, after);
    request.headers_mut().insert(name, after.parse().unwrap());
}

#[tokio::test]
async fn a_strangers_key_under_a_known_name_is_refused() {
    let agent = Agent::new();
    let (plugin, stranger) = (agent.paired("plugin"), Plugin::new());
    let get = || request(Method::GET, "/v1/info", None);
    assert_eq!(
        agent.send(stranger.signed_with(get(), &choices())).await.code(),
        NotPaired
    );
    let borrowed = SignatureChoices {
        key_id: Some(plugin.key.jwk().key_id()),
        ..choices()
    };
    assert_eq!(
        agent.send(stranger.signed_with(get(), &borrowed)).await.code(),
        BadSignature
    );
    let other = agent.paired("other");
    let crossed = SignatureChoices {
        key_id: Some(other.key.jwk().key_id()),
        ..choices()
    };
    assert_eq!(
        agent.send(plugin.signed_with(get(), &crossed)).await.code(),
        BadSignature
    );
}

#[tokio::test]
async fn stale_future_and_replayed_requests_are_refused_unsigned() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    agent.app.clock.advance(Duration::from_secs(600));
    let now = NOW + 600;
    let at = |created: i64| {
        let choices = SignatureChoices { created, ..choices() };
        plugin.signed_with(request(Method::GET, "/v1/info", None), &choices)
    };
    for (created, code) in [
        (now - 61, Some(StaleSignature)),
        (now - 60, None),
        (now + 60, None),
        (now + 61, Some(StaleSignature)),
        (0, Some(StaleSignature)),
        (i64::MAX, Some(StaleSignature)),
        (i64::MIN, Some(StaleSignature)),
    ] {
        let answered = agent.send(at(created)).await;
        assert_eq!(answered.is_signed(), code.is_none(), "{created}");
        match code {
            Some(code) => assert_eq!(answered.code(), code, "{created}"),
            None => assert_eq!(answered.status(), 200, "{created}"),
        }
    }
    let once = at(now);
    let copy = || {
        let mut copy = request(Method::GET, "/v1/info", None);
        *copy.headers_mut() = once.headers().clone();
        copy
    };
    assert_eq!(agent.send(copy()).await.status(), 200);
    for _ in 0..2 {
        let replayed = agent.send(copy()).await;
        assert_eq!(replayed.code(), Replayed);
        assert!(!replayed.is_signed());
    }
    agent.app.clock.advance(Duration::from_secs(61));
    assert_eq!(agent.send(copy()).await.code(), StaleSignature);
}

#[tokio::test]
async fn a_request_from_before_the_start_is_refused() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    let before = SignatureChoices {
        created: NOW - 1,
        ..choices()
    };
    let recorded = plugin.signed_with(request(Method::GET, "/v1/info", None), &before);
    assert_eq!(agent.send(recorded).await.code(), StaleSignature);
}

#[tokio::test]
async fn a_revoked_pairing_is_a_strangers() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    assert_eq!(agent.call(&plugin, Method::GET, "/v1/info", None).await.status(), 200);
    // As the command line does it, in another process.
    let elsewhere = crate::pairing::Pairings::open(agent.state.path()).unwrap();
    assert!(elsewhere.revoke(&plugin.key.jwk().key_id()).unwrap());
    let answered = agent.send(plugin.signed(Method::GET, "/v1/info", None)).await;
    assert_eq!(answered.code(), NotPaired);
    assert!(!answered.is_signed());
}

/// An unpaired caller cannot tell what is there: every path, known or not, is the same answer.
#[tokio::test]
async fn strangers_learn_nothing() {
    let agent = Agent::new();
    let known = agent.paired("known");
    let stranger = Plugin::new();
    let id = known.key.jwk().key_id();
    let mut answers = std::collections::BTreeSet::new();
    for path in [
        "/",
        "/v1",
        "/v1/info",
        "/v1/tokens",
        "/v1/history",
        "/v1/events",
        "/v1/events?since=x&wait=y",
        "/v1/openapi.json",
        "/v1/pairings/",
        &format!("/v1/pairings/{id}"),
        "/v1/confirmations",
        "/v1/confirmations/x",
        "/v1/hello/",
        "/v1/hello/..",
        "/v2/hello",
        "/favicon.ico",
        "/robots.txt",
        "/no/such/path",
        "/%2e%2e/etc/passwd",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let body = (method == Method::POST).then_some("{}");
            let plain = agent.send(request(method.clone(), path, body)).await;
            assert_eq!(plain.code(), NotPaired, "{method} {path}");
            assert_hardened(&plain);
            let headers: Vec<_> = plain
                .0
                .headers()
                .iter()
                .map(|(n, v)| (n.to_string(), v.clone()))
                .collect();
            answers.insert(format!("{headers:?} {:?}", plain.0.body()));
            assert_eq!(agent.send(stranger.signed(method, path, body)).await.code(), NotPaired);
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_paired_plugin_is_told_what_is_not_there() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    for path in ["/v1/nothing", "/", "/v1/confirmations/x", "/v1/signatures/x"] {
        assert_eq!(
            agent.call(&plugin, Method::GET, path, None).await.code(),
            NotFound,
            "{path}"
        );
    }
    let wrong = agent.call(&plugin, Method::DELETE, "/v1/info", None).await;
    assert_eq!(wrong.code(), MethodNotAllowed);
    assert!(wrong.header("allow").is_some());
    for (body, code) in [("{", Malformed), ("{}", InvalidField), ("[]", InvalidField)] {
        let answered = agent.call(&plugin, Method::POST, "/v1/confirmations", Some(body)).await;
        assert_eq!(answered.code(), code, "{body}");
    }
    let bad_wait = agent.call(&plugin, Method::GET, "/v1/events?wait=soon", None).await;
    assert_eq!(bad_wait.code(), InvalidField);
}

#[tokio::test(start_paused = true)]
async fn a_plugins_rate_is_its_own_and_told_signed() {
    let agent = Agent::new();
    let (eager, calm) = (agent.paired("eager"), agent.paired("calm"));
    for _ in 0..REQUESTS_PER_MINUTE {
        assert_eq!(agent.call(&eager, Method::GET, "/v1/info", None).await.status(), 200);
    }
    let refused = agent.call(&eager, Method::GET, "/v1/info", None).await;
    assert_eq!(refused.code(), RateLimited);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(agent.call(&calm, Method::GET, "/v1/info", None).await.status(), 200);
    // A stranger who claims to be the calm one spends nothing of its rate.
    let stranger = Plugin::new();
    for _ in 0..REQUESTS_PER_MINUTE {
        let claimed = SignatureChoices {
            key_id: Some(calm.key.jwk().key_id()),
            ..choices()
        };
        let forged = stranger.signed_with(request(Method::GET, "/v1/info", None), &claimed);
        assert_eq!(agent.send(forged).await.code(), BadSignature);
    }
    assert_eq!(agent.call(&calm, Method::GET, "/v1/info", None).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn open_calls_have_a_common_rate() {
    let agent = Agent::new();
    for _ in 0..plugin_protocol::limits::UNPAIRED_REQUESTS_PER_MINUTE {
        assert_eq!(agent.send(request(Method::GET, "/v1/hello", None)).await.status(), 200);
    }
    let refused = agent.send(request(Method::GET, "/v1/hello", None)).await;
    assert_eq!(refused.code(), RateLimited);
    let plugin = agent.paired("plugin");
    assert_eq!(agent.call(&plugin, Method::GET, "/v1/info", None).await.status(), 200);
}

/// The answer's signature is that of the pairing's key, and fits its own request alone.
#[tokio::test]
async fn answers_are_bound_to_their_requests() {
    let agent = Agent::new();
    let (plugin, other) = (agent.paired("plugin"), agent.paired("other"));
    let key = plugin.agent.as_ref().unwrap();
    let first = plugin.signed(Method::GET, "/v1/info", None);
    let second = plugin.signed(Method::GET, "/v1/info", None);
    let signatures = [request_signature(&first), request_signature(&second)];
    let answers = [agent.send(first).await.0, agent.send(second).await.0];
    for (index, answer) in answers.iter().enumerate() {
        let (own, foreign) = (signatures[index].as_ref(), signatures[1 - index].as_ref());
        assert!(verify_response(answer, key, own).is_ok());
        assert!(verify_response(answer, key, foreign).is_err());
        assert!(verify_response(answer, other.agent.as_ref().unwrap(), own).is_err());
    }
    assert_ne!(plugin.agent, other.agent, "one agent key for each pairing");
}

#[tokio::test]
async fn a_panic_is_one_requests_internal_error() {
    let answered = super::seal::catch_panic(async { panic!("a fault") }).await;
    assert_eq!(answered.status().as_u16(), 500);
    let bytes = axum::body::to_bytes(answered.into_body(), usize::MAX).await.unwrap();
    let problem: plugin_protocol::Problem = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (problem.code, problem.detail.as_str()),
        (Internal, ""),
        "our faults are for the log"
    );
}

#[test]
fn prefer_is_read_as_rfc_7240_writes_it() {
    let wait = |values: &[&'static str]| {
        let mut headers = axum::http::HeaderMap::new();
        for value in values {
            headers.append("prefer", HeaderValue::from_static(value));
        }
        super::head::prefer_wait(&headers)
    };
    assert_eq!(wait(&["wait=7"]), Some(7));
    assert_eq!(wait(&["respond-async, WAIT=\"10\"; x=y"]), Some(10));
    assert_eq!(wait(&["respond-async", "wait = 3"]), Some(3));
    for none in [
        &[][..],
        &["wait"],
        &["wait=soon"],
        &["wait=-1"],
        &["wait="],
        &["await=3"],
    ] {
        assert_eq!(wait(none), None, "{none:?}");
    }
}
