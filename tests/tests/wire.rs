//! The door under bytes that are no HTTP, too many of them, or too few: what must end in a refusal or
//! a closed connection, and never in somebody else's trouble.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use plugin_protocol::ErrorCode::{Malformed, NotPaired, RateLimited, TooLarge};
use plugin_protocol::limits::MAX_BODY;
use system_tests::agent::Setup;
use system_tests::door::Door;
use system_tests::raw::{Raw, Wire};

/// `body` in one chunk.
fn chunked(body: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
}

#[tokio::test]
async fn oversized_bodies_are_refused_and_end_the_connection() {
    let door = Door::without_tokens().await;
    let large = vec![b' '; MAX_BODY + 1];
    let open = door
        .unsigned("POST", "/v1/pairings")
        .with("Content-Type", "application/json");
    let sealed = |body: &[u8]| door.signed("POST", "/v1/confirmations", body);
    let streamed = |raw: Raw, bytes: Vec<u8>| {
        let mut raw = raw.without("Content-Length").with("Transfer-Encoding", "chunked");
        raw.body = bytes;
        raw
    };
    let endless = [b"fffffff\r\n".as_slice(), &large].concat();
    for (what, raw) in [
        ("declared and sent", open.clone().body(large.clone())),
        ("declared and sent, signed", sealed(&large)),
        ("declared alone", open.clone().with("Content-Length", "65537")),
        (
            "the largest number",
            open.clone().with("Content-Length", "9007199254740993"),
        ),
        ("chunked", streamed(open.clone(), chunked(&large))),
        ("chunked, signed", streamed(sealed(&large), chunked(&large))),
        (
            "a chunk of 256 MiB that never comes whole",
            streamed(open.clone(), endless),
        ),
        (
            "GET with a body",
            open.clone().body(large.clone()).set("Host", door.host()),
        ),
    ] {
        let mut wire = Wire::connect(door.host());
        wire.write(&raw.bytes());
        let answer = wire.answer("POST").unwrap_or_else(|| panic!("{what}: no answer"));
        answer.assert_tells_browsers_nothing(what);
        assert_eq!(answer.code(), Some(TooLarge), "{what}: {answer:?}");
        assert!(!answer.is_signed(), "{what}");
        assert!(wire.is_closed(), "{what}: the connection goes on");
    }
    // The limit itself is allowed, and spaces are JSON's own.
    let full = [b"{".as_slice(), &vec![b' '; MAX_BODY - 1]].concat();
    for raw in [sealed(&full), streamed(sealed(&full), chunked(&full))] {
        assert_eq!(door.ask("65,536 bytes", &raw).code(), Some(Malformed));
    }
    door.assert_serves("oversized bodies").await;
}

#[tokio::test]
async fn what_is_no_http_or_two_things_at_once_succeeds_in_nothing() {
    let door = Door::without_tokens().await;
    let host = format!("Host: {}\r\n", door.host());
    let json = "Content-Type: application/json\r\n";
    let post = format!("POST /v1/pairings HTTP/1.1\r\n{host}{json}");
    let get = format!("GET /v1/hello HTTP/1.1\r\n{host}");
    // What an intermediary might take for a body; here it must never be answered as a request.
    let hidden = format!("GET /v1/hello HTTP/1.1\r\n{host}\r\n");
    let length = hidden.len();
    let many: String = (0..200).map(|number| format!("X-{number}: a\r\n")).collect();
    for (what, bytes) in [
        (
            "CL and TE",
            format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "TE and CL",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        ),
        (
            "a list of lengths",
            format!("{post}Content-Length: 0, {length}\r\n\r\n{hidden}"),
        ),
        ("a signed length", format!("{post}Content-Length: +0\r\n\r\n{hidden}")),
        ("a negative length", format!("{post}Content-Length: -1\r\n\r\n{hidden}")),
        (
            "a hexadecimal length",
            format!("{post}Content-Length: 0x0\r\n\r\n{hidden}"),
        ),
        (
            "a length too long for a number",
            format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{hidden}"),
        ),
        (
            "a length with a space before the colon",
            format!("{post}Content-Length : 0\r\n\r\n{hidden}"),
        ),
        (
            "TE of another name",
            format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "TE identity",
            format!("{post}Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n{hidden}"),
        ),
        (
            "TE twice",
            format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "TE not last",
            format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "TE with a tab",
            format!("{post}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        (
            "a chunk size that is none",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{hidden}"),
        ),
        (
            "a negative chunk",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n{hidden}"),
        ),
        (
            "a chunk size that overflows",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{hidden}"),
        ),
        (
            "a chunk longer than it says",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n1\r\n{hidden}"),
        ),
        (
            "a bare LF after a chunk",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n1\n{{\n0\n\n{hidden}"),
        ),
        (
            "chunked in HTTP/1.0",
            format!("POST /v1/pairings HTTP/1.0\r\n{host}{json}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        ("obs-fold", format!("GET /v1/hello HTTP/1.1\r\nX-A: b\r\n {host}\r\n")),
        (
            "obs-fold of Host",
            format!("GET /v1/hello HTTP/1.1\r\nHost:\r\n {}\r\n\r\n", door.host()),
        ),
        ("a header without a colon", format!("{get}nothing\r\n\r\n")),
        ("a header without a name", format!("{get}: x\r\n\r\n")),
        ("a NUL in a header", format!("{get}X-A: a\0b\r\n\r\n")),
        ("a bare CR in a header", format!("{get}X-A: a\rX-B: b\r\n\r\n")),
        (
            "a space in the target",
            format!("GET /v1/hello x HTTP/1.1\r\n{host}\r\n"),
        ),
        ("two targets", format!("GET /v1/hello /v1/info HTTP/1.1\r\n{host}\r\n")),
        ("a NUL in the target", format!("GET /v1/hello\0 HTTP/1.1\r\n{host}\r\n")),
        ("no target", format!("GET HTTP/1.1\r\n{host}\r\n")),
        ("a relative target", format!("GET v1/hello HTTP/1.1\r\n{host}\r\n")),
        ("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("HTTP/0.9", "GET /v1/hello\r\n\r\n".to_owned()),
        ("HTTP/1.2", format!("GET /v1/hello HTTP/1.2\r\n{host}\r\n")),
        ("HTTP/3.0", format!("GET /v1/hello HTTP/3.0\r\n{host}\r\n")),
        ("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03".to_owned()),
        ("200 headers", format!("{get}{many}\r\n")),
        (
            "a header of 64 KiB",
            format!("{get}X-A: {}\r\n\r\n", "a".repeat(65_536)),
        ),
        (
            "a target of 64 KiB",
            format!("GET /v1/hello?{} HTTP/1.1\r\n{host}\r\n", "a".repeat(65_536)),
        ),
        ("a head without end", format!("{get}X-A: {}", "a".repeat(262_144))),
        ("noise", "\u{ff}\u{fe}\u{0}\u{1}".repeat(64)),
        ("empty lines", "\r\n".repeat(64)),
        ("nothing", String::new()),
    ] {
        door.assert_nothing_succeeds(what, bytes.as_bytes());
    }
    door.assert_serves("broken HTTP").await;
}

#[tokio::test]
async fn slow_peers_and_full_pipes_hold_up_nobody() {
    let door = Door::without_tokens().await;
    let half = format!("GET /v1/hello HTTP/1.1\r\nHost: {}\r\nX-A: ", door.host());
    let unsent = format!(
        "POST /v1/pairings HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        door.host()
    );
    let mut slow: Vec<Wire> = Vec::new();
    for number in 0..48 {
        let mut wire = Wire::connect(door.host());
        match number % 3 {
            0 => assert!(wire.write(half.as_bytes())),
            1 => assert!(wire.write(unsent.as_bytes())),
            _ => {}
        }
        slow.push(wire);
    }
    for _ in 0..5 {
        // A slow peer is given up after ten seconds: who had to wait for one would wait so long.
        let begun = Instant::now();
        door.assert_serves("slow peers").await;
        assert!(begun.elapsed() < Duration::from_secs(9), "slow peers slow others down");
        for wire in slow.iter_mut().step_by(3) {
            wire.write(b"a");
        }
    }
    drop(slow);
    // Pipelined: all are answered, in their order, on one connection.
    let hello = door.unsigned("GET", "/v1/hello").bytes();
    let info = door.signed("GET", "/v1/info", b"").bytes();
    let missing = door.signed("GET", "/v1/nothing", b"").bytes();
    let mut wire = Wire::connect(door.host());
    wire.write(&[hello.as_slice(), &info, &missing, &hello].concat());
    let statuses: Vec<u16> = (0..4).map(|_| wire.answer("GET").unwrap().status).collect();
    assert_eq!(statuses, [200, 200, 404, 200]);
    door.assert_serves("pipelining").await;
}

#[tokio::test]
async fn rates_bound_strangers_and_plugins_apart() {
    let door = Door::with(Setup::new().rates(2)).await;
    // How many pass until one is too many: `left`, and those that have come back since, so many a minute.
    let limited = |make: &dyn Fn() -> Raw, since: Instant, left: u64, a_minute: u64| {
        for sent in 0.. {
            let answer = door.ask("a rate", &make());
            if answer.code() == Some(RateLimited) {
                let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=60).contains(&wait), "{wait}");
                return (sent, answer);
            }
            let back = (since.elapsed().as_secs() + 1) * a_minute / 60;
            assert!(sent < left + back, "{sent} requests were not too many");
        }
        unreachable!("the loop has no end")
    };
    // The person's own plugin is not shut out by a flood from strangers.
    let hello = || door.unsigned("GET", "/v1/hello");
    let (sent, answer) = limited(&hello, Instant::now(), 120, 120);
    let flooded = Instant::now();
    assert!(sent > 100, "{sent}");
    assert!(!answer.is_signed());
    door.assert_serves("a flood from strangers").await;
    let pairing = door
        .unsigned("POST", "/v1/pairings")
        .with("Content-Type", "application/json")
        .body("{}");
    limited(&|| pairing.clone(), flooded, 0, 120);
    // One plugin's flood is that plugin's alone, and told with a signature.
    let other = system_tests::raw::signed(&door.agent.stranger(), "GET", "/v1/info", b"");
    let info = || door.signed("GET", "/v1/info", b"");
    let (_, flood) = limited(&info, Instant::now(), 20, 20);
    assert!(flood.is_signed(), "{flood:?}");
    door.assert_refused("another's request meanwhile", &other, NotPaired);
}
