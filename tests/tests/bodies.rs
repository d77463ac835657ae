//! Bodies that a paired plugin signed and that mean nothing, or two things: step 10 of PROTOCOL.md section 4.

#![allow(clippy::unwrap_used)]

use plugin_protocol::ErrorCode::{self, InvalidField, Malformed, UnsupportedFormat};
use system_tests::ask;
use system_tests::door::Door;
use system_tests::raw::{self, Raw, sign_freely};

#[tokio::test]
async fn bodies_that_mean_nothing_or_two_things_are_refused() {
    let door = Door::without_tokens().await;
    let good = serde_json::to_string(&ask::confirmation("jws")).unwrap();
    let with = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from} is not in it");
        text.into_bytes()
    };
    let raw = |bytes: &[u8]| bytes.to_vec();
    let table: Vec<(&str, Vec<u8>, ErrorCode)> = vec![
        ("nothing", raw(b""), Malformed),
        ("half", raw(&good.as_bytes()[..good.len() / 2]), Malformed),
        (
            "all but the last byte",
            raw(&good.as_bytes()[..good.len() - 1]),
            Malformed,
        ),
        ("two", format!("{good}{good}").into_bytes(), Malformed),
        ("a NUL after it", format!("{good}\0").into_bytes(), Malformed),
        ("a BOM", format!("\u{feff}{good}").into_bytes(), Malformed),
        (
            "UTF-16",
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Malformed,
        ),
        (
            "invalid UTF-8",
            with("https", "h\u{0}ttps")
                .iter()
                .map(|byte| if *byte == 0 { 0xff } else { *byte })
                .collect(),
            Malformed,
        ),
        ("a NUL in a string", with("https", "h\0ttps"), Malformed),
        ("a lone surrogate", with("https", "\\ud800ttps"), InvalidField),
        ("a comment", with("{", "{/**/"), Malformed),
        ("single quotes", good.replace('"', "'").into_bytes(), Malformed),
        ("NaN", with("{", "{\"x\":NaN,"), Malformed),
        (
            "a form",
            raw(b"origin=https%3A%2F%2Fportal.example&challenge=x"),
            Malformed,
        ),
        (
            "XML",
            raw(b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"),
            Malformed,
        ),
        (
            "30,000 brackets",
            [vec![b'['; 30_000], vec![b']'; 30_000]].concat(),
            InvalidField,
        ),
        ("a list", raw(b"[]"), InvalidField),
        ("a number", raw(b"1"), InvalidField),
        ("null", raw(b"null"), InvalidField),
        ("no member", raw(b"{}"), InvalidField),
        (
            "an origin twice",
            with("{", "{\"origin\":\"https://evil.example\","),
            InvalidField,
        ),
        (
            "a challenge twice",
            with("{", "{\"challenge\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","),
            InvalidField,
        ),
        (
            "an escaped name twice",
            with("{", "{\"\\u006frigin\":\"https://evil.example\","),
            InvalidField,
        ),
        (
            "a number as origin",
            with("\"https://portal.example\"", "1"),
            InvalidField,
        ),
        (
            "an origin with a path",
            with("portal.example", "portal.example/"),
            InvalidField,
        ),
        (
            "an origin of another scheme",
            with("https://portal.example", "javascript:alert"),
            InvalidField,
        ),
        ("an origin in Cyrillic", with("portal", "п\u{43e}rtal"), InvalidField),
        (
            "an origin with a user",
            with("portal.example", "portal.example@evil.example"),
            InvalidField,
        ),
        (
            "an origin with a line",
            with("portal.example", "portal.example\\nevil"),
            InvalidField,
        ),
        ("null as origin", with("https://portal.example", "null"), InvalidField),
        (
            "an escape for a NUL",
            with("portal.example", "portal.example\\u0000"),
            InvalidField,
        ),
        (
            "a page as challenge",
            with("\"challenge\":\"", "\"challenge\":\"<script>"),
            InvalidField,
        ),
        ("an unknown format", with("\"jws\"", "\"jwt\""), UnsupportedFormat),
    ];
    for (what, body, code) in table {
        let answer = door.ask(what, &sealed(&door, &body));
        assert_eq!(
            answer.code(),
            Some(code),
            "{what}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        assert!(answer.is_signed(), "{what}");
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!told.contains("evil") && told.len() < 1000, "{what}: {told}");
    }
    // What is in members nobody knows is skipped, whatever it is; and skipped without a stack.
    for (what, value) in [
        ("depth", format!("{}{}", "[".repeat(30_000), "]".repeat(30_000))),
        ("a number without end", "1".repeat(60_000)),
        ("a number out of range", "1e999999".to_owned()),
        ("many members", format!("{{{}\"b\":1}}", "\"a\":1,".repeat(9_000))),
    ] {
        let answer = door.ask(what, &sealed(&door, &with("{", &format!("{{\"x\":{value},"))));
        let fine = [202, 409].contains(&answer.status) || answer.code() == Some(Malformed);
        assert!(fine && answer.is_signed(), "{what}: {answer:?}");
    }
    assert!(
        door.plugin.history().await.unwrap().entries.is_empty(),
        "one of them was taken up"
    );
    door.assert_serves("bodies").await;
}

/// A confirmation's body, signed whatever it is.
fn sealed(door: &Door, body: &[u8]) -> Raw {
    let raw = door
        .unsigned("POST", "/v1/confirmations")
        .with("Content-Type", "application/json")
        .body(body);
    sign_freely(&door.plugin, raw, &raw::COMPONENTS, raw::PARAMETERS)
}
