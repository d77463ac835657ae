//! Steps 1 to 3: host, context, method.

use std::net::SocketAddr;

use axum::http::{HeaderValue, Method};
use plugin_protocol::ErrorCode::{self, *};

use super::{CONFIRMATION, Change, add, assert_hardened, set};
use crate::guard::Peer;
use crate::testing::{Agent, PORT, request};

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
