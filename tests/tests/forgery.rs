//! Message signatures, attacked from outside: step 7 of PROTOCOL.md section 4.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use fixtures::plugin::signing::{SignatureChoices, unix_now, verify_response};
use fixtures::plugin::{Plugin, PluginError, to_json};
use hyper::Method;
use plugin_protocol::ErrorCode::{self, BadSignature, NotPaired, Replayed, StaleSignature};
use plugin_protocol::encoding::{base64, base64url, from_base64};
use plugin_protocol::http_signature::{content_digest, parse_signature_header, signature_header};
use system_tests::ask;
use system_tests::door::Door;
use system_tests::process::eventually;
use system_tests::raw::{self, COMPONENTS, PARAMETERS, Raw, Wire, sign_freely};

/// The order of P-256's group (SEC 2, section 2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A confirmation with an idempotency key, signed and not sent.
fn confirmation(door: &Door) -> Raw {
    let choices = SignatureChoices {
        idempotency_key: Some("once".to_owned()),
        ..SignatureChoices::now()
    };
    let body = to_json(&ask::confirmation("jws"));
    let target = "/v1/confirmations?a=1&b=2";
    Raw::from(&door.plugin.signed_with(Method::POST, target, Some(body), &choices))
}

/// The same with the text of a header changed, which must change something.
fn edit(raw: &Raw, name: &str, from: &str, to: &str) -> Raw {
    let value = raw.header(name);
    let edited = value.replacen(from, to, 1);
    assert_ne!(edited, value, "{from} is not in {name}");
    raw.clone().set(name, &edited)
}

#[tokio::test]
async fn whatever_is_altered_is_refused() {
    let door = Door::without_tokens().await;
    let other = door.agent.paired().await;
    let stranger = door.agent.stranger();
    let good = confirmation(&door);
    let own_id = door.plugin.key().jwk().key_id();
    let with = |change: &dyn Fn(&mut Raw)| {
        let mut raw = good.clone();
        change(&mut raw);
        raw
    };
    let body = String::from_utf8(good.body.clone()).unwrap();
    let evil = body.replace("portal.example", "evil.example");
    let evil_digest = content_digest(evil.as_bytes());
    let input = "Signature-Input";
    let table: Vec<(&str, Raw, ErrorCode)> = vec![
        (
            "the method",
            with(&|raw| raw.method = "DELETE".to_owned()),
            BadSignature,
        ),
        (
            "the path",
            with(&|raw| raw.target = "/v1/signatures?a=1&b=2".to_owned()),
            BadSignature,
        ),
        (
            "the path's spelling",
            with(&|raw| raw.target = "/v1/confirmation%73?a=1&b=2".to_owned()),
            BadSignature,
        ),
        (
            "a slash more",
            with(&|raw| raw.target = "/v1/confirmations/?a=1&b=2".to_owned()),
            BadSignature,
        ),
        (
            "a dot",
            with(&|raw| raw.target = "/v1/./confirmations?a=1&b=2".to_owned()),
            BadSignature,
        ),
        (
            "no query",
            with(&|raw| raw.target = "/v1/confirmations".to_owned()),
            BadSignature,
        ),
        (
            "more query",
            with(&|raw| raw.target = "/v1/confirmations?a=1&b=2&c=3".to_owned()),
            BadSignature,
        ),
        (
            "the query's order",
            with(&|raw| raw.target = "/v1/confirmations?b=2&a=1".to_owned()),
            BadSignature,
        ),
        ("the body", good.clone().body(evil.clone()), BadSignature),
        (
            "the body and its digest",
            good.clone().body(evil).set("Content-Digest", &evil_digest),
            BadSignature,
        ),
        (
            "a space after the body",
            good.clone().body(format!("{body} ")),
            BadSignature,
        ),
        ("no body", good.clone().body(""), BadSignature),
        ("no digest", good.clone().without("Content-Digest"), BadSignature),
        (
            "two digests",
            good.clone().with("Content-Digest", good.header("Content-Digest")),
            BadSignature,
        ),
        (
            "a digest more in the list",
            edit(&good, "Content-Digest", "sha-256", "md5=:AAAA:, sha-256"),
            BadSignature,
        ),
        (
            "a digest of another function",
            edit(&good, "Content-Digest", "sha-256", "sha-512"),
            BadSignature,
        ),
        (
            "a digest as RFC 3230 had it",
            good.clone().without("Content-Digest").with("Digest", "SHA-256=x"),
            BadSignature,
        ),
        (
            "the idempotency key",
            good.clone().set("Idempotency-Key", "twice"),
            BadSignature,
        ),
        (
            "no idempotency key",
            good.clone().without("Idempotency-Key"),
            BadSignature,
        ),
        (
            "two idempotency keys",
            good.clone().with("Idempotency-Key", "once"),
            BadSignature,
        ),
        (
            "a key nobody signed",
            door.signed("GET", "/v1/info", b"").with("Idempotency-Key", "x"),
            BadSignature,
        ),
        (
            "a later time",
            edit(&good, input, "created=1", "created=2"),
            BadSignature,
        ),
        (
            "the time in another spelling",
            edit(&good, input, "created=", "created=+"),
            BadSignature,
        ),
        (
            "a zero before the time",
            edit(&good, input, "created=", "created=0"),
            BadSignature,
        ),
        ("no time", edit(&good, input, "created=", "expires="), BadSignature),
        ("the nonce", edit(&good, input, "nonce=\"", "nonce=\"A"), BadSignature),
        (
            "an empty nonce",
            edit(&good, input, "nonce=\"", "nonce=\"\";was=\""),
            BadSignature,
        ),
        (
            "the key id of another plugin",
            edit(&good, input, &own_id, &other.key().jwk().key_id()),
            BadSignature,
        ),
        (
            "the key id of nobody",
            edit(&good, input, &own_id, &stranger.key().jwk().key_id()),
            NotPaired,
        ),
        (
            "the agent's key id",
            edit(&good, input, &own_id, &door.plugin.agent_key().unwrap().key_id()),
            NotPaired,
        ),
        ("an empty key id", edit(&good, input, &own_id, ""), BadSignature),
        (
            "the algorithm",
            edit(&good, input, "ecdsa-p256-sha256", "hmac-sha256"),
            BadSignature,
        ),
        (
            "the tag",
            edit(&good, input, "eid-agent-request", "eid-agent-response"),
            BadSignature,
        ),
        (
            "the components",
            edit(&good, input, " \"content-digest\"", ""),
            BadSignature,
        ),
        ("the label", edit(&good, input, "sig=", "sig1="), BadSignature),
        (
            "the label of the signature",
            edit(&good, "Signature", "sig=", "sig1="),
            BadSignature,
        ),
        (
            "a second input",
            good.clone().with(input, good.header(input)),
            BadSignature,
        ),
        (
            "a second input in the list",
            edit(&good, input, "sig=", "other=(\"@method\"), sig="),
            BadSignature,
        ),
        (
            "a second signature",
            good.clone().with("Signature", good.header("Signature")),
            BadSignature,
        ),
        ("no signature", good.clone().without("Signature"), BadSignature),
        ("no input", good.clone().without(input), BadSignature),
        ("neither", good.clone().without(input).without("Signature"), NotPaired),
    ];
    for (what, raw, code) in &table {
        door.assert_refused(what, raw, *code);
    }
    // Nothing of all this was used up or held against the plugin: the original still passes.
    let answer = door.ask("the original", &good);
    assert!(answer.status == 202 || answer.status == 200, "{answer:?}");
    assert!(answer.is_signed());
}

#[tokio::test]
async fn values_that_are_no_signature_of_this_key_are_refused() {
    let door = Door::without_tokens().await;
    let good = door.signed("GET", "/v1/info", b"");
    let signature = parse_signature_header(good.header("Signature")).unwrap();
    let (r, s) = signature.split_at(32);
    let zero = [0; 32];
    let mut flipped = signature;
    flipped[63] ^= 1;
    let text = base64(&signature);
    let joined = |r: &[u8], s: &[u8]| signature_header(&[r, s].concat());
    for (what, value) in [
        ("zeros", joined(&zero, &zero)),
        ("r = 0", joined(&zero, s)),
        ("s = 0", joined(r, &zero)),
        ("r = n", joined(&ORDER, s)),
        ("s = n", joined(r, &ORDER)),
        ("r = s", joined(r, r)),
        ("swapped", joined(s, r)),
        ("all ones", signature_header(&[0xff; 64])),
        ("one bit", signature_header(&flipped)),
        ("63 bytes", signature_header(&signature[..63])),
        ("65 bytes", signature_header(&[&signature[..], &[0]].concat())),
        ("no bytes", signature_header(&[])),
        (
            "DER",
            signature_header(&[&[0x30, 0x44, 2, 32], r, &[2, 32], s].concat()),
        ),
        ("no padding", format!("sig=:{}:", text.trim_end_matches('='))),
        ("base64url", format!("sig=:{}:", base64url(&signature))),
        ("spaces", format!("sig=: {text}:")),
        ("parameters", format!("sig=:{text}:;a=1")),
        ("no colons", format!("sig={text}")),
        ("a bit hidden in the padding", format!("sig=:{}:", hidden_bit(&text))),
        ("empty", String::new()),
    ] {
        door.assert_refused(what, &good.clone().set("Signature", &value), BadSignature);
    }
    assert_eq!(door.ask("the original", &good).status, 200);
}

/// The same bytes in a base64 that is not canonical.
fn hidden_bit(text: &str) -> String {
    let kept = text.trim_end_matches('=');
    let last = kept.chars().last().unwrap();
    let next = char::from_u32(u32::from(last) + 1).unwrap();
    let hidden = format!(
        "{}{next}{}",
        &kept[..kept.len() - 1],
        "=".repeat(text.len() - kept.len())
    );
    assert!(from_base64(&hidden).is_none(), "{hidden} is canonical");
    hidden
}

#[tokio::test]
async fn valid_signatures_of_another_profile_are_refused() {
    let door = Door::without_tokens().await;
    let raw = || door.unsigned("GET", "/v1/info").with("X-A", "b");
    // The instrument first: with the profile's own words it makes what passes.
    let control = sign_freely(&door.plugin, raw(), &COMPONENTS, PARAMETERS);
    assert_eq!(door.ask("control", &control).status, 200);
    let id = door.plugin.key().jwk().key_id();
    let now = unix_now();
    for (what, components, parameters) in [
        ("no components", &[][..], PARAMETERS.to_owned()),
        ("no digest", &["@method", "@target-uri"], PARAMETERS.to_owned()),
        ("no target", &["@method", "content-digest"], PARAMETERS.to_owned()),
        ("no method", &["@target-uri", "content-digest"], PARAMETERS.to_owned()),
        (
            "another order",
            &["@target-uri", "@method", "content-digest"],
            PARAMETERS.to_owned(),
        ),
        (
            "one twice",
            &["@method", "@method", "@target-uri", "content-digest"],
            PARAMETERS.to_owned(),
        ),
        (
            "one more",
            &["@method", "@target-uri", "content-digest", "x-a"],
            PARAMETERS.to_owned(),
        ),
        (
            "a path instead",
            &["@method", "@authority", "@path", "content-digest"],
            PARAMETERS.to_owned(),
        ),
        ("no tag", &COMPONENTS, r#"{};alg="ecdsa-p256-sha256""#.to_owned()),
        ("no algorithm", &COMPONENTS, r#"{};tag="eid-agent-request""#.to_owned()),
        (
            "the answer's tag",
            &COMPONENTS,
            PARAMETERS.replace("request", "response"),
        ),
        (
            "tag before algorithm",
            &COMPONENTS,
            r#"{};tag="eid-agent-request";alg="ecdsa-p256-sha256""#.to_owned(),
        ),
        (
            "expires",
            &COMPONENTS,
            PARAMETERS.replace(";tag", &format!(";expires={};tag", now + 60)),
        ),
        ("something after", &COMPONENTS, format!("{PARAMETERS};a=1")),
        ("a space", &COMPONENTS, PARAMETERS.replace(";tag", "; tag")),
        (
            "a short nonce",
            &COMPONENTS,
            PARAMETERS.replace("{}", &format!("created={now};nonce=\"123456789012345\";keyid=\"{id}\"")),
        ),
        (
            "a long nonce",
            &COMPONENTS,
            PARAMETERS.replace(
                "{}",
                &format!("created={now};nonce=\"{}\";keyid=\"{id}\"", "a".repeat(65)),
            ),
        ),
        (
            "a nonce with a space",
            &COMPONENTS,
            PARAMETERS.replace(
                "{}",
                &format!("created={now};nonce=\"1234567 90123456\";keyid=\"{id}\""),
            ),
        ),
        (
            "key id first",
            &COMPONENTS,
            PARAMETERS.replace(
                "{}",
                &format!("keyid=\"{id}\";created={now};nonce=\"1234567890123456\""),
            ),
        ),
        (
            "a time that is no number",
            &COMPONENTS,
            PARAMETERS.replace(
                "{}",
                &format!("created={now}.0;nonce=\"1234567890123456\";keyid=\"{id}\""),
            ),
        ),
        (
            "a time in quotes",
            &COMPONENTS,
            PARAMETERS.replace(
                "{}",
                &format!("created=\"{now}\";nonce=\"1234567890123456\";keyid=\"{id}\""),
            ),
        ),
    ] {
        let forged = sign_freely(&door.plugin, raw(), components, &parameters);
        door.assert_refused(what, &forged, BadSignature);
    }
    // For another address: another port, another name of this computer, another scheme.
    let port: u16 = door.host().rsplit(':').next().unwrap().parse().unwrap();
    for base in [
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://localhost:{port}"),
        format!("http://evil.example:{port}"),
    ] {
        let elsewhere = Plugin::with_key(&base, copy_of(&door.plugin), None).unwrap();
        let forged = raw::signed(&elsewhere, "GET", "/v1/info", b"").set("Host", door.host());
        door.assert_refused(&base, &forged, BadSignature);
    }
    door.assert_serves("other profiles").await;
}

fn copy_of(plugin: &Plugin) -> fixtures::plugin::PluginKey {
    fixtures::plugin::PluginKey::from_pkcs8(plugin.key().pkcs8()).unwrap()
}

#[tokio::test]
async fn foreign_and_revoked_keys_are_refused() {
    let door = Door::without_tokens().await;
    let mut other = door.agent.paired().await;
    let stranger = door.agent.stranger();
    let under = |plugin: &Plugin, id: &str| {
        let choices = SignatureChoices {
            key_id: Some(id.to_owned()),
            ..SignatureChoices::now()
        };
        Raw::from(&plugin.signed_with(Method::GET, "/v1/info", None, &choices))
    };
    let victim = door.plugin.key().jwk().key_id();
    door.assert_refused(
        "a stranger under its own name",
        &under(&stranger, &stranger.key().jwk().key_id()),
        NotPaired,
    );
    door.assert_refused(
        "a stranger under a plugin's name",
        &under(&stranger, &victim),
        BadSignature,
    );
    door.assert_refused("a plugin under another's name", &under(&other, &victim), BadSignature);
    // Another plugin's objects are not there at all.
    let started = door
        .plugin
        .confirm(&ask::confirmation("jws"), None, None)
        .await
        .unwrap();
    for (method, target) in [
        ("GET", format!("/v1/confirmations/{}", started.id)),
        ("DELETE", format!("/v1/confirmations/{}", started.id)),
        ("GET", format!("/v1/signatures/{}", started.id)),
        ("DELETE", format!("/v1/pairings/{victim}")),
    ] {
        let answer = door.ask(&target, &raw::signed(&other, method, &target, b""));
        assert_eq!(answer.code(), Some(ErrorCode::NotFound), "{method} {target}");
    }
    assert!(other.history().await.unwrap().entries.is_empty());
    // Revoked by itself, and by the person in another process.
    let id = other.key().jwk().key_id();
    other.unpair().await.unwrap();
    door.assert_refused("after unpairing", &under(&other, &id), NotPaired);
    let revoked = door.agent.cli(&["pairings", "revoke", &victim]);
    assert!(revoked.status.success(), "{revoked:?}");
    door.assert_refused("after revocation", &under(&door.plugin, &victim), NotPaired);
}

#[tokio::test]
async fn nothing_passes_twice_or_out_of_its_time() {
    let mut door = Door::without_tokens().await;
    let at = |created: i64| {
        let choices = SignatureChoices {
            created,
            ..SignatureChoices::now()
        };
        Raw::from(&door.plugin.signed_with(Method::GET, "/v1/info", None, &choices))
    };
    for created in [0, -1, i64::MAX, i64::MIN] {
        door.assert_refused(&format!("created {created}"), &at(created), StaleSignature);
    }
    for distance in [-62, -3600, 65, 3600] {
        // What is made for a time to come is refused no longer than until then: the agent must have met it before.
        eventually("an answer within a second", || {
            let (now, begun) = (unix_now(), Instant::now());
            let answer = door.ask("out of its time", &at(now + distance));
            (begun.elapsed().as_secs() < 1).then(|| {
                assert_eq!(answer.code(), Some(StaleSignature), "{distance} s");
                assert!(!answer.is_signed(), "{distance} s");
            })
        });
    }
    let once = door.signed("GET", "/v1/info", b"");
    let mut wire = Wire::connect(door.host());
    wire.write(&once.bytes());
    assert_eq!(wire.answer("GET").unwrap().status, 200);
    wire.write(&once.bytes());
    assert_eq!(
        wire.answer("GET").unwrap().code(),
        Some(Replayed),
        "on the same connection"
    );
    door.assert_refused("on another connection", &once, Replayed);
    // Two at once: one passes.
    let twin = door.signed("GET", "/v1/info", b"");
    let mut wires: Vec<Wire> = (0..8).map(|_| Wire::connect(door.host())).collect();
    wires.iter_mut().for_each(|wire| assert!(wire.write(&twin.bytes())));
    let passed = wires
        .iter_mut()
        .filter_map(|wire| wire.answer("GET"))
        .filter(|answer| answer.status == 200);
    assert_eq!(passed.count(), 1);
    // The same nonce under another signature.
    let choices = SignatureChoices::now();
    let first = Raw::from(&door.plugin.signed_with(Method::GET, "/v1/info", None, &choices));
    let second = Raw::from(&door.plugin.signed_with(Method::GET, "/v1/tokens", None, &choices));
    assert_eq!(door.ask("a nonce", &first).status, 200);
    door.assert_refused("a nonce again", &second, Replayed);
    // After a restart its nonces are forgotten, and what was signed before it is refused. (A signature of the
    // very second of the restart is not: let that second pass.)
    let mut used = vec![once, twin, first];
    let unsent = door.signed("GET", "/v1/info", b"");
    used.push(unsent);
    door.agent.process().kill();
    let second = unix_now();
    eventually("the next second", || (unix_now() > second).then_some(()));
    door.agent.restart();
    for raw in &used {
        door.assert_refused("after a restart", raw, StaleSignature);
    }
    // Its old connection is dead; that is met once.
    let _ = door.plugin.info().await;
    door.assert_serves("replays").await;
}

#[tokio::test]
async fn a_malleated_signature_is_a_replay_and_its_answer_another_requests() {
    let door = Door::without_tokens().await;
    let malleated = |raw: &Raw| {
        let signature = parse_signature_header(raw.header("Signature")).unwrap();
        let (r, s) = signature.split_at(32);
        raw.clone()
            .set("Signature", &signature_header(&[r, &negated(s)].concat()))
    };
    let used = door.signed("GET", "/v1/info", b"");
    assert_eq!(door.ask("the original", &used).status, 200);
    door.assert_refused("its twin", &malleated(&used), Replayed);
    // (r, -s) is a signature of the same bytes. Whoever sends it first gets an answer that the plugin refuses.
    let request = door.plugin.signed(Method::GET, "/v1/info", None);
    let answer = door.ask("the twin first", &malleated(&Raw::from(&request)));
    assert_eq!(answer.status, 200);
    let mut response = hyper::Response::builder().status(answer.status);
    for name in ["content-digest", "signature-input", "signature"] {
        response = response.header(name, answer.header(name).unwrap());
    }
    let response = response.body(hyper::body::Bytes::from(answer.body)).unwrap();
    let own = fixtures::plugin::signing::request_signature(&request);
    let verdict = verify_response(&response, door.plugin.agent_key().unwrap(), own.as_ref());
    assert!(matches!(verdict, Err(PluginError::ForgedAnswer(_))), "{verdict:?}");
}

/// n - s.
fn negated(s: &[u8]) -> [u8; 32] {
    let mut difference = [0; 32];
    let mut borrow = 0i16;
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(s[at]) - borrow;
        borrow = i16::from(digit < 0);
        difference[at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    difference
}

#[tokio::test]
async fn an_answer_is_no_request() {
    let door = Door::without_tokens().await;
    let answer = door.ask("info", &door.signed("GET", "/v1/info", b""));
    assert!(answer.is_signed());
    let reflected = ["content-digest", "signature-input", "signature"].iter().fold(
        door.unsigned("POST", "/v1/confirmations")
            .with("Content-Type", "application/json")
            .body(answer.body.clone()),
        |raw, name| raw.with(name, answer.header(name).unwrap()),
    );
    door.assert_refused("reflected", &reflected, BadSignature);
    let input = door.signed("GET", "/v1/info", b"");
    let input = input.header("Signature-Input").to_owned();
    door.assert_refused(
        "under a request's input",
        &reflected.set("Signature-Input", &input),
        BadSignature,
    );
}
