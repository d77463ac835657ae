//! The door, attacked from outside with bytes on a socket: steps 1 to 6 of PROTOCOL.md section 4.
//! Broken HTTP and floods are in `wire.rs`, signatures in `forgery.rs`, pairing in `mitm.rs`.

#![allow(clippy::unwrap_used)]

use plugin_protocol::ErrorCode::{BadHost, ForbiddenContext, MethodNotAllowed, NotPaired, UnsupportedMediaType};
use system_tests::door::Door;
use system_tests::raw::Raw;

const HELLO: &[u8] = br#"{"protocol":"eid-agent","api":["1"]}"#;

#[tokio::test]
async fn rebinding_hosts_are_refused() {
    let door = Door::without_tokens().await;
    let own = door.host().to_owned();
    let port = own.rsplit(':').next().unwrap().to_owned();
    let hosts = [
        format!("localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("127.0.0.1:{port}."),
        format!("127.0.0.2:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f.0.0.1:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}, evil.example"),
        format!("127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}"),
        format!("１２７.0.0.1:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:".to_owned(),
        "127.0.0.1:80".to_owned(),
        "evil.example".to_owned(),
        String::new(),
    ];
    for host in &hosts {
        // Refused before anything else is looked at: with a perfect signature too.
        door.assert_refused(host, &Raw::new("GET", "/v1/hello", host), BadHost);
        door.assert_refused(host, &door.signed("GET", "/v1/info", b"").set("Host", host), BadHost);
    }
    let hello = door.unsigned("GET", "/v1/hello");
    for (what, raw) in [
        ("no Host", hello.clone().without("Host")),
        ("the same Host twice", hello.clone().with("Host", &own)),
        ("another Host after it", hello.clone().with("Host", "evil.example")),
        (
            "another Host before it",
            Raw::new("GET", "/v1/hello", "evil.example").with("Host", &own),
        ),
        ("absolute form", door.unsigned("GET", &format!("http://{own}/v1/hello"))),
        (
            "absolute form of another",
            door.unsigned("GET", "http://evil.example/v1/hello"),
        ),
        (
            "absolute form, https",
            door.unsigned("GET", &format!("https://{own}/v1/hello")),
        ),
        ("authority form", door.unsigned("CONNECT", &own)),
        (
            "authority form of another",
            door.unsigned("CONNECT", "evil.example:443"),
        ),
    ] {
        door.assert_refused(what, &raw, BadHost);
    }
    // Headers of proxies are nobody's Host.
    for name in ["X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-URL"] {
        let answer = door.ask(name, &hello.clone().with(name, "host=evil.example"));
        assert_eq!((answer.status, answer.body.as_slice()), (200, HELLO), "{name}");
    }
    door.assert_serves("rebinding").await;
}

/// A name, and the headers that come with it.
type Context = (&'static str, &'static [(&'static str, &'static str)]);

/// What pages, frames, links, workers and addresses typed by hand would send.
const CONTEXTS: &[Context] = &[
    ("a page's fetch", &[("Origin", "https://evil.example")]),
    ("a page's fetch, http", &[("Origin", "http://evil.example")]),
    ("the portal itself", &[("Origin", "https://portal.example")]),
    ("a sandboxed frame", &[("Origin", "null")]),
    ("a file", &[("Origin", "file://")]),
    ("a page of this computer", &[("Origin", "http://localhost")]),
    ("our own address as a page", &[("Origin", "http://127.0.0.1:47290")]),
    ("no Origin's value", &[("Origin", "")]),
    ("data", &[("Origin", "data:")]),
    ("an opaque scheme", &[("Origin", "resource://devtools")]),
    (
        "two Origins",
        &[("Origin", "chrome-extension://abc"), ("Origin", "https://evil.example")],
    ),
    (
        "an Origin twice",
        &[
            ("Origin", "chrome-extension://abc"),
            ("Origin", "chrome-extension://abc"),
        ],
    ),
    (
        "a list of Origins",
        &[("Origin", "chrome-extension://abc https://evil.example")],
    ),
    ("an extension's page", &[("Origin", "chrome-extension://abc/page.html")]),
    ("an extension's port", &[("Origin", "chrome-extension://abc:1")]),
    ("an extension without id", &[("Origin", "moz-extension://")]),
    ("a name after it", &[("Origin", "chrome-extension://abc.evil.example")]),
    ("a scheme before it", &[("Origin", "https://chrome-extension://abc")]),
    ("upper case", &[("Origin", "CHROME-EXTENSION://abc")]),
    ("Edge's old scheme", &[("Origin", "ms-browser-extension://abc")]),
    ("cross-site", &[("Sec-Fetch-Site", "cross-site")]),
    ("same-site", &[("Sec-Fetch-Site", "same-site")]),
    ("an unknown site", &[("Sec-Fetch-Site", "elsewhere")]),
    ("upper case site", &[("Sec-Fetch-Site", "None")]),
    (
        "two sites",
        &[("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")],
    ),
    (
        "an image",
        &[
            ("Sec-Fetch-Site", "none"),
            ("Sec-Fetch-Mode", "no-cors"),
            ("Sec-Fetch-Dest", "image"),
        ],
    ),
    (
        "a no-cors fetch",
        &[("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "empty")],
    ),
    ("a script", &[("Sec-Fetch-Dest", "script")]),
    ("a style sheet", &[("Sec-Fetch-Dest", "style")]),
    ("a worker", &[("Sec-Fetch-Dest", "worker")]),
    (
        "a typed address",
        &[
            ("Sec-Fetch-Site", "none"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
            ("Sec-Fetch-User", "?1"),
        ],
    ),
    (
        "a navigation without gesture",
        &[
            ("Sec-Fetch-Site", "none"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ],
    ),
    (
        "a frame",
        &[("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")],
    ),
    ("an object", &[("Sec-Fetch-Dest", "object")]),
    ("a gesture alone", &[("Sec-Fetch-User", "?1")]),
    ("a link", &[("Referer", "https://evil.example/")]),
    ("a link from nowhere", &[("Referer", "")]),
    (
        "a WebSocket",
        &[
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ],
    ),
    (
        "a WebSocket's mode",
        &[("Sec-Fetch-Mode", "websocket"), ("Sec-Fetch-Dest", "websocket")],
    ),
    (
        "HTTP/2 over cleartext",
        &[
            ("Connection", "Upgrade, HTTP2-Settings"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
        ],
    ),
    (
        "a preflight",
        &[
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type"),
        ],
    ),
    (
        "a private network preflight",
        &[("Access-Control-Request-Private-Network", "true")],
    ),
];

#[tokio::test]
async fn web_contexts_are_refused_with_any_method_and_any_signature() {
    let door = Door::without_tokens().await;
    for (what, headers) in CONTEXTS {
        let add = |raw: Raw| headers.iter().fold(raw, |raw, (name, value)| raw.with(name, value));
        for method in ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT"] {
            door.assert_refused(what, &add(door.unsigned(method, "/v1/hello")), ForbiddenContext);
        }
        // A stolen or careless signature does not open the door to a page.
        door.assert_refused(what, &add(door.signed("GET", "/v1/info", b"")), ForbiddenContext);
    }
    door.assert_serves("web contexts").await;
}

#[tokio::test]
async fn extension_contexts_pass_and_are_nobody_without_a_key() {
    let door = Door::without_tokens().await;
    for (what, headers) in [
        (
            "Chromium's GET",
            &[
                ("Sec-Fetch-Site", "none"),
                ("Sec-Fetch-Mode", "cors"),
                ("Sec-Fetch-Dest", "empty"),
            ][..],
        ),
        (
            "Firefox's GET",
            &[
                ("Sec-Fetch-Site", "same-origin"),
                ("Sec-Fetch-Mode", "cors"),
                ("Sec-Fetch-Dest", "empty"),
            ],
        ),
        (
            "a forged Origin",
            &[
                ("Origin", "chrome-extension://abcdefghijklmnopabcdefghijklmnop"),
                ("Sec-Fetch-Site", "none"),
            ],
        ),
        (
            "Firefox's Origin",
            &[("Origin", "moz-extension://3f1c5c6e-6f1d-4c8e-9c54-0d2f2f7a4b11")],
        ),
        (
            "Safari's Origin",
            &[("Origin", "safari-web-extension://3F1C5C6E-6F1D-4C8E-9C54-0D2F2F7A4B11")],
        ),
        (
            "bearer strings",
            &[
                ("Authorization", "Bearer eid"),
                ("Cookie", "session=eid"),
                ("X-Api-Key", "eid"),
            ],
        ),
    ] {
        let add = |raw: Raw| headers.iter().fold(raw, |raw, (name, value)| raw.with(name, value));
        let hello = door.ask(what, &add(door.unsigned("GET", "/v1/hello")));
        assert_eq!((hello.status, hello.body.as_slice()), (200, HELLO), "{what}");
        for target in [
            "/v1/info",
            "/v1/tokens",
            "/v1/history",
            "/v1/pairings",
            "/v1/events",
            "/v1/openapi.json",
        ] {
            door.assert_refused(what, &add(door.unsigned("GET", target)), NotPaired);
        }
        let signed = door.ask(what, &add(door.signed("GET", "/v1/info", b"")));
        assert_eq!(signed.status, 200, "{what}");
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let door = Door::without_tokens().await;
    for method in [
        "OPTIONS", "HEAD", "PUT", "PATCH", "TRACE", "PROPFIND", "get", "Post", "GETT", "QUERY", "PURGE", "M-SEARCH",
    ] {
        for target in ["/v1/hello", "/v1/info", "/v1/confirmations", "/nothing", "*"] {
            let raw = door.unsigned(method, target);
            door.assert_refused(&format!("{method} {target}"), &raw, MethodNotAllowed);
        }
        let answer = door.ask(method, &door.unsigned(method, "/v1/hello"));
        assert_eq!(answer.header("allow"), Some("GET, POST, DELETE"), "{method}");
    }
    door.assert_serves("other methods").await;
}

#[tokio::test]
async fn forms_and_simple_requests_are_refused() {
    let door = Door::without_tokens().await;
    let body = br#"{"client":{"name":"x"},"commitment":"x"}"#;
    let forms: &[Context] = &[
        ("no type", &[]),
        ("an empty type", &[("Content-Type", "")]),
        ("text/plain", &[("Content-Type", "text/plain")]),
        ("text/plain;charset", &[("Content-Type", "text/plain;charset=UTF-8")]),
        ("urlencoded", &[("Content-Type", "application/x-www-form-urlencoded")]),
        (
            "multipart",
            &[("Content-Type", "multipart/form-data; boundary=application/json")],
        ),
        (
            "json as a parameter",
            &[("Content-Type", "text/plain; application/json")],
        ),
        ("a list", &[("Content-Type", "text/plain, application/json")]),
        (
            "json first in a list",
            &[("Content-Type", "application/json, text/plain")],
        ),
        ("json and more", &[("Content-Type", "application/json+x")]),
        ("json of another tree", &[("Content-Type", "text/json")]),
        (
            "twice",
            &[
                ("Content-Type", "application/json"),
                ("Content-Type", "application/json"),
            ],
        ),
        (
            "two types",
            &[("Content-Type", "text/plain"), ("Content-Type", "application/json")],
        ),
        (
            "gzip",
            &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        ),
        (
            "identity",
            &[("Content-Type", "application/json"), ("Content-Encoding", "identity")],
        ),
        ("a beacon's report", &[("Content-Type", "application/csp-report")]),
    ];
    for (what, headers) in forms {
        for target in ["/v1/pairings", "/v1/confirmations", "/v1/hello", "/nothing"] {
            let raw = headers
                .iter()
                .fold(door.unsigned("POST", target), |raw, (name, value)| {
                    raw.with(name, value)
                });
            door.assert_refused(what, &raw.clone().body(*body), UnsupportedMediaType);
            door.assert_refused(what, &raw, UnsupportedMediaType);
        }
        let signed = door.signed("POST", "/v1/confirmations", body).without("Content-Type");
        let signed = headers.iter().fold(signed, |raw, (name, value)| raw.with(name, value));
        door.assert_refused(what, &signed, UnsupportedMediaType);
    }
    for method in ["GET", "DELETE"] {
        let smuggled = door.unsigned(method, "/v1/hello").with("Content-Type", "text/plain");
        door.assert_refused(method, &smuggled.clone().body(*body), UnsupportedMediaType);
        door.assert_refused(method, &smuggled, UnsupportedMediaType);
    }
    door.assert_serves("forms").await;
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let door = Door::without_tokens().await;
    let stranger = door.agent.stranger();
    let operation = "/v1/confirmations/AAAAAAAAAAAAAAAAAAAAAA";
    let pairing = format!("/v1/pairings/{}", door.plugin.key().jwk().key_id());
    let targets = [
        "/v1/nothing",
        "/",
        "/v1",
        "/v1/",
        "/v2/info",
        "/favicon.ico",
        "/v1/info",
        "/v1/tokens",
        "/v1/history",
        "/v1/events?since=0&wait=25",
        "/v1/openapi.json",
        "/v1/confirmations",
        operation,
        "/v1/signatures",
        &pairing,
        "/v1/hello/",
        "/v1//hello",
        "/V1/HELLO",
        "/v1/hell%6f",
        "/v1/%2e%2e/v1/hello",
        "/v1/../v1/hello",
        "//v1/hello",
        "/v1/hello%00",
        "/v1/pairings/x/reveal/",
        "/v1/pairings//reveal",
        "/%",
        "/%zz",
        "/?",
        "/v1/info?a=b&c",
    ];
    for method in ["GET", "POST", "DELETE"] {
        let json = |raw: Raw| match method {
            "GET" => raw,
            _ => raw.with("Content-Type", "application/json"),
        };
        let mut told = Vec::new();
        for target in targets {
            let answer = door.ask(target, &json(door.unsigned(method, target)));
            assert_eq!(answer.code(), Some(NotPaired), "{method} {target}: {answer:?}");
            told.push(answer.comparable());
        }
        let mut told_signed = Vec::new();
        for target in targets.iter().filter(|target| target.parse::<hyper::Uri>().is_ok()) {
            let raw = system_tests::raw::signed(&stranger, method, target, b"");
            let answer = door.ask(target, &json(raw.without("content-type")));
            assert_eq!(answer.code(), Some(NotPaired), "{method} {target}: {answer:?}");
            told_signed.push(answer.comparable());
        }
        for told in [told, told_signed] {
            assert!(
                told.windows(2).all(|two| two[0] == two[1]),
                "{method}: answers differ by path"
            );
        }
    }
    // The open endpoints name no version, no token, no pairing, whatever is asked of them.
    for target in ["/v1/hello", "/v1/hello?", "/v1/hello?version", "/v1/hello?a=1&a=2"] {
        let answer = door.ask(target, &door.unsigned("GET", target));
        assert_eq!((answer.status, answer.body.as_slice()), (200, HELLO), "{target}");
    }
    door.assert_serves("a stranger").await;
}
