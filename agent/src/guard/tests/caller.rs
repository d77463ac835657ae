//! What strangers learn, what callers are told, and that it is told to them alone.

use axum::http::{HeaderValue, Method};
use fixtures::plugin::signing::{SignatureChoices, request_signature, verify_response};
use plugin_protocol::ErrorCode::*;
use plugin_protocol::limits::REQUESTS_PER_MINUTE;

use super::assert_hardened;
use crate::testing::{Agent, Plugin, choices, request};

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
    // What the rate refuses takes no room in the memory of nonces: the same message is refused the same way.
    let again = eager.signed(Method::GET, "/v1/info", None);
    for _ in 0..2 {
        assert_eq!(agent.send(again.clone()).await.code(), RateLimited);
    }
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
    let answered = crate::guard::seal::catch_panic(async { panic!("a fault") }).await;
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
        crate::guard::head::prefer_wait(&headers)
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
