//! Step 7: the signature, its key, its time and its nonce.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request};
use fixtures::plugin::signing::SignatureChoices;
use plugin_protocol::ErrorCode::{self, *};
use plugin_protocol::http_signature::content_digest;

use super::{CONFIRMATION, Change, assert_hardened, set};
use crate::testing::{Agent, NOW, Plugin, choices, request};

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

/// Whoever is told the port may sign before the door is open, and a second may end between the two.
#[tokio::test]
async fn a_request_from_after_the_start_is_taken_however_late_the_door_opens() {
    let mut agent = Agent::new();
    let plugin = agent.paired("plugin");
    agent.open_late(Duration::from_secs(2));
    for (created, code) in [(NOW, None), (NOW - 1, Some(StaleSignature))] {
        let chosen = SignatureChoices { created, ..choices() };
        let signed = plugin.signed_with(request(Method::GET, "/v1/info", None), &chosen);
        let answered = agent.send(signed).await;
        match code {
            Some(code) => assert_eq!(answered.code(), code, "{created}"),
            None => assert_eq!(answered.status(), 200, "{created}"),
        }
    }
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
