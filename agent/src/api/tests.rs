//! The calls as a plugin makes them, in memory.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::http::Method;
use fixtures::plugin::signing::SignatureChoices;
use plugin_protocol::ErrorCode::{self, *};
use plugin_protocol::api::{
    Info, Operation, OperationState, PairingOffer, PairingState, PairingStatus, Pairings, Tokens,
};
use plugin_protocol::event::{EventKind, Events};
use plugin_protocol::limits::{CALLER_GRACE, PAIRING_LIFETIME, PAIRINGS_PER_MINUTE};
use plugin_protocol::pairing::{Bytes32, commitment, digits};
use serde_json::json;
use tokio::time::advance;

use crate::prompt::{Answer, PromptError, Question};
use crate::testing::{Agent, Answered, Plugin, choices, request};

const NONCE: Bytes32 = Bytes32([7; 32]);
const CONFIRMATION: &str =
    r#"{"origin":"https://portal.example","challenge":"00000000000000000000000000000000000000000000","format":"jws"}"#;

fn commit(plugin: &Plugin, name: &str) -> String {
    let jwk = plugin.key.jwk();
    json!({"client": {"name": name, "jwk": jwk}, "commitment": commitment(jwk, &NONCE)}).to_string()
}

async fn offer(agent: &Agent, plugin: &Plugin) -> PairingOffer {
    let body = commit(plugin, "плагин");
    let answered = agent.send(request(Method::POST, "/v1/pairings", Some(&body))).await;
    assert_eq!(answered.status(), 201);
    assert!(!answered.is_signed());
    answered.json()
}

async fn refused_offer(agent: &Agent, body: &str) -> ErrorCode {
    agent
        .send(request(Method::POST, "/v1/pairings", Some(body)))
        .await
        .code()
}

/// Reveals with `nonce`, waiting `wait` seconds.
async fn reveal(agent: &Agent, offer: &PairingOffer, nonce: Bytes32, wait: &str) -> Answered {
    let target = format!("/v1/pairings/{}/reveal", offer.id);
    let mut reveal = request(Method::POST, &target, Some(&json!({ "nonce": nonce }).to_string()));
    reveal
        .headers_mut()
        .insert("prefer", format!("wait={wait}").parse().unwrap());
    agent.send(reveal).await
}

/// Gives spawned tasks their turn.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugin_pairs_when_the_person_sees_the_same_digits() {
    let mut agent = Agent::new();
    let mut plugin = Plugin::new();
    let offer = offer(&agent, &plugin).await;
    assert_eq!(offer.expires_in, PAIRING_LIFETIME);
    assert!(
        agent.questions.try_recv().is_err(),
        "no window before the commitment is opened"
    );
    let waiting = reveal(&agent, &offer, NONCE, "0").await;
    assert_eq!(waiting.status(), 202);
    assert_eq!(waiting.json::<PairingStatus>().state, PairingState::AwaitingConsent);

    let (question, answer) = agent.questions.recv().await.unwrap();
    let Question::Pair { client, digits: shown } = question else {
        panic!("another question");
    };
    assert_eq!(client, "плагин");
    assert_eq!(
        shown,
        digits(plugin.key.jwk(), &offer.agent_jwk, &NONCE, &offer.agent_nonce)
    );
    assert!(answer.send(Ok(Answer::Yes)).is_ok());
    for _ in 0..2 {
        let paired = reveal(&agent, &offer, NONCE, "25").await;
        assert_eq!(paired.status(), 200);
        assert_eq!(paired.json::<PairingStatus>().state, PairingState::Paired);
    }
    plugin.agent = Some(offer.agent_jwk);
    let own: Pairings = agent.call(&plugin, Method::GET, "/v1/pairings", None).await.json();
    assert_eq!(own.pairings.len(), 1);
    assert_eq!(
        (own.pairings[0].name.as_str(), &own.pairings[0].id),
        ("плагин", &plugin.key.jwk().key_id())
    );
    assert!(agent.app.window.try_open().is_ok(), "the window is free again");
}

/// The attacker stands between plugin and agent with a key of its own for each side.
#[tokio::test(start_paused = true)]
async fn a_man_in_the_middle_shows_other_digits() {
    let mut agent = Agent::new();
    let (plugin, attacker) = (Plugin::new(), Plugin::new());
    let with_agent = offer(&agent, &attacker).await;
    // Towards the plugin the attacker plays agent, with the agent's own nonce.
    let plugins_digits = digits(plugin.key.jwk(), attacker.key.jwk(), &NONCE, &with_agent.agent_nonce);
    assert_eq!(reveal(&agent, &with_agent, NONCE, "0").await.status(), 202);
    let (question, answer) = agent.questions.recv().await.unwrap();
    let Question::Pair { digits: shown, .. } = question else {
        panic!("another question");
    };
    assert_ne!(shown, plugins_digits, "what the person compares");
    assert!(answer.send(Err(PromptError::Declined)).is_ok());
    assert_eq!(reveal(&agent, &with_agent, NONCE, "25").await.code(), Declined);
    assert_eq!(
        reveal(&agent, &with_agent, NONCE, "25").await.code(),
        Declined,
        "and it stays so"
    );
    assert!(agent.app.pairings.list().unwrap().is_empty());
    let signed = attacker.signed(Method::GET, "/v1/info", None);
    assert_eq!(agent.send(signed).await.code(), NotPaired);
}

/// Having seen the agent's nonce, it cannot look for a nonce of its own that makes the digits agree.
#[tokio::test(start_paused = true)]
async fn a_nonce_that_was_not_committed_to_ends_the_attempt() {
    let mut agent = Agent::new();
    let plugin = Plugin::new();
    let first = offer(&agent, &plugin).await;
    assert_eq!(
        reveal(&agent, &first, Bytes32([8; 32]), "0").await.code(),
        CommitmentMismatch
    );
    assert_eq!(
        reveal(&agent, &first, NONCE, "0").await.code(),
        CommitmentMismatch,
        "the right one comes too late"
    );
    assert!(agent.questions.try_recv().is_err(), "no window was shown");

    let second = offer(&agent, &plugin).await;
    assert_eq!(reveal(&agent, &second, NONCE, "0").await.status(), 202);
    let (_, answer) = agent.questions.recv().await.unwrap();
    assert_eq!(
        reveal(&agent, &second, Bytes32([8; 32]), "0").await.code(),
        CommitmentMismatch
    );
    settle().await;
    assert!(answer.is_closed(), "the window closed");
    assert!(agent.app.window.try_open().is_ok());
    assert!(agent.app.pairings.list().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_attempt_at_a_time_and_three_a_minute() {
    let mut agent = Agent::new();
    let plugin = Plugin::new();
    let body = commit(&plugin, "plugin");
    for _ in 0..PAIRINGS_PER_MINUTE {
        let open = offer(&agent, &plugin).await;
        assert_eq!(refused_offer(&agent, &body).await, Busy);
        assert_eq!(reveal(&agent, &open, NONCE, "0").await.status(), 202);
        assert_eq!(refused_offer(&agent, &body).await, Busy);
        let (_, answer) = agent.questions.recv().await.unwrap();
        assert!(answer.send(Err(PromptError::Declined)).is_ok());
        settle().await;
    }
    assert_eq!(refused_offer(&agent, &body).await, RateLimited);
    advance(Duration::from_secs(20)).await;
    let last = offer(&agent, &plugin).await;
    let unknown = PairingOffer {
        id: "unknown".to_owned(),
        ..last.clone()
    };
    assert_eq!(reveal(&agent, &unknown, NONCE, "0").await.code(), NotFound);
    advance(Duration::from_secs(PAIRING_LIFETIME)).await;
    assert_eq!(reveal(&agent, &last, NONCE, "0").await.code(), Expired);
    assert!(agent.questions.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_window_of_another_is_not_covered() {
    let agent = Agent::new();
    let plugin = Plugin::new();
    let offer = offer(&agent, &plugin).await;
    let window = agent.app.window.try_open().unwrap();
    let busy = reveal(&agent, &offer, NONCE, "0").await;
    assert_eq!(busy.code(), Busy);
    assert!(busy.header("retry-after").is_some());
    drop(window);
    assert_eq!(
        reveal(&agent, &offer, NONCE, "0").await.status(),
        202,
        "the attempt goes on"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pairing_without_its_plugin_closes_the_window() {
    let mut agent = Agent::new();
    let mut questions = std::mem::replace(&mut agent.questions, tokio::sync::mpsc::unbounded_channel().1);
    let offer = offer(&agent, &Plugin::new()).await;
    let mut polling = Box::pin(reveal(&agent, &offer, NONCE, "25"));
    let (_, answer) = tokio::select! {
        _ = &mut polling => panic!("answered too early"),
        asked = questions.recv() => asked.unwrap(),
    };
    tokio::select! {
        _ = &mut polling => panic!("answered too early"),
        () = tokio::time::sleep(Duration::from_secs(CALLER_GRACE + 5)) => {}
    }
    assert!(!answer.is_closed(), "an open request keeps the window");
    // Its connection is gone: the server drops the request.
    drop(polling);
    settle().await;
    advance(Duration::from_secs(CALLER_GRACE - 1)).await;
    settle().await;
    assert!(!answer.is_closed(), "it may come back");
    advance(Duration::from_secs(2)).await;
    settle().await;
    assert!(answer.is_closed(), "the window closed");
    assert!(agent.app.window.try_open().is_ok());
    assert_eq!(reveal(&agent, &offer, NONCE, "0").await.code(), Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_does_not_answer_lets_it_expire() {
    let mut agent = Agent::new();
    let plugin = Plugin::new();
    let offer = offer(&agent, &plugin).await;
    let mut last = reveal(&agent, &offer, NONCE, "25").await;
    let (_, _answer) = agent.questions.recv().await.unwrap();
    for _ in 0..PAIRING_LIFETIME / 25 {
        assert_eq!(last.status(), 202);
        last = reveal(&agent, &offer, NONCE, "25").await;
    }
    assert_eq!(last.code(), Expired);
}

#[tokio::test]
async fn what_a_plugin_says_of_itself_is_checked() {
    let agent = Agent::new();
    let plugin = Plugin::new();
    let good: serde_json::Value = serde_json::from_str(&commit(&plugin, "plugin")).unwrap();
    let off_curve = plugin_protocol::pairing::Jwk::from_coordinates(&[1; 32], &[1; 32]);
    for (pointer, value) in [
        ("/client/name", json!("")),
        ("/client/name", json!("x".repeat(65))),
        ("/client/name", json!("a\u{202e}b")),
        ("/client/name", json!("a\nb")),
        ("/client/name", json!(7)),
        ("/client/jwk", json!(off_curve)),
        ("/client/jwk/kty", json!("RSA")),
        ("/client/jwk/x", json!("AA")),
        ("/client/jwk/d", json!({})),
        ("/commitment", json!("AA")),
        ("/commitment", json!(null)),
    ] {
        let mut changed = good.clone();
        match changed.pointer_mut(pointer) {
            Some(found) => *found = value,
            // A member we do not know is ignored.
            None => continue,
        }
        let body = changed.to_string();
        let answered = agent.send(request(Method::POST, "/v1/pairings", Some(&body))).await;
        assert_eq!(answered.code(), InvalidField, "{pointer} {body}");
        let problem: plugin_protocol::Problem = answered.json();
        let member = pointer.trim_start_matches('/').split('/').next().unwrap();
        assert!(problem.detail.starts_with(member), "{}", problem.detail);
    }
}

#[tokio::test]
async fn a_plugin_revokes_itself_alone() {
    let agent = Agent::new();
    let (plugin, other) = (agent.paired("plugin"), agent.paired("other"));
    let path = |plugin: &Plugin| format!("/v1/pairings/{}", plugin.key.jwk().key_id());
    assert_eq!(
        agent.call(&plugin, Method::DELETE, &path(&other), None).await.code(),
        NotFound
    );
    assert_eq!(
        agent.call(&plugin, Method::DELETE, "/v1/pairings/x", None).await.code(),
        NotFound
    );
    let own: Pairings = agent.call(&other, Method::GET, "/v1/pairings", None).await.json();
    assert_eq!(own.pairings.len(), 1, "nobody else is listed");
    let revoked = agent.call(&plugin, Method::DELETE, &path(&plugin), None).await;
    assert_eq!(revoked.status(), 204);
    assert!(revoked.0.body().is_empty());
    let after = agent.send(plugin.signed(Method::GET, "/v1/info", None)).await;
    assert_eq!(after.code(), NotPaired);
    assert_eq!(agent.call(&other, Method::GET, "/v1/info", None).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_ends_with_the_word_that_the_pairing_was_revoked() {
    let agent = Agent::new();
    let (plugin, other) = (agent.paired("plugin"), agent.paired("other"));
    let polling = agent.call(&plugin, Method::GET, "/v1/events?wait=25", None);
    let revoking = async {
        settle().await;
        let elsewhere = crate::pairing::Pairings::open(agent.state.path()).unwrap();
        assert!(elsewhere.revoke(&plugin.key.jwk().key_id()).unwrap());
        // Noticed with the next request of anyone.
        agent.call(&other, Method::GET, "/v1/info", None).await
    };
    let (polled, _) = tokio::join!(polling, revoking);
    let told: Events = polled.json();
    let pairing = plugin.key.jwk().key_id();
    assert_eq!(told.events[0].kind, EventKind::PairingRevoked { pairing });
}

#[tokio::test(start_paused = true)]
async fn whoever_was_revoked_while_waiting_gets_nothing() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    let started: Operation = agent
        .call(&plugin, Method::POST, "/v1/confirmations", Some(CONFIRMATION))
        .await
        .json();
    let target = format!("/v1/confirmations/{}?wait=5", started.id);
    let polling = agent.send(plugin.signed(Method::GET, &target, None));
    let revoking = async {
        settle().await;
        let elsewhere = crate::pairing::Pairings::open(agent.state.path()).unwrap();
        elsewhere.revoke(&plugin.key.jwk().key_id()).unwrap()
    };
    let (polled, _) = tokio::join!(polling, revoking);
    assert_eq!(polled.code(), NotPaired);
    assert!(!polled.is_signed());
}

#[tokio::test]
async fn info_and_tokens_say_what_is_there() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    let info: Info = agent.call(&plugin, Method::GET, "/v1/info", None).await.json();
    assert_eq!(info.api, ["1"]);
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert!(!info.test);
    assert_eq!((info.limits.max_body, info.limits.max_wait), (65_536, 25));
    let tokens: Tokens = agent.call(&plugin, Method::GET, "/v1/tokens", None).await.json();
    assert!(tokens.tokens.is_empty());
    let document: serde_json::Value = agent.call(&plugin, Method::GET, "/v1/openapi.json", None).await.json();
    assert!(document["paths"]["/v1/confirmations"]["post"].is_object());
}

#[tokio::test(start_paused = true)]
async fn an_operation_is_begun_watched_repeated_and_cancelled() {
    let mut agent = Agent::new();
    let (plugin, other) = (agent.paired("plugin"), agent.paired("other"));
    let keyed = |key: &str, body: &str| {
        let choices = SignatureChoices {
            idempotency_key: Some(key.to_owned()),
            ..choices()
        };
        plugin.signed_with(request(Method::POST, "/v1/confirmations", Some(body)), &choices)
    };
    let begun = agent.send(keyed("key", CONFIRMATION)).await;
    assert_eq!(begun.status(), 202);
    let operation: Operation = begun.json();
    assert_eq!(
        begun.header("location"),
        Some(format!("/v1/confirmations/{}", operation.id).as_str())
    );
    assert!(agent.questions.recv().await.is_some());

    let again: Operation = agent.send(keyed("key", CONFIRMATION)).await.json();
    assert_eq!(again.id, operation.id);
    let conflict = agent.send(keyed("key", &CONFIRMATION.replace("jws", "cms"))).await;
    assert_eq!(conflict.code(), IdempotencyConflict);
    let long = "k".repeat(65);
    for bad in ["", "a b", long.as_str()] {
        assert_eq!(
            agent.send(keyed(bad, CONFIRMATION)).await.code(),
            InvalidField,
            "{bad:?}"
        );
    }
    let busy = agent
        .call(&other, Method::POST, "/v1/confirmations", Some(CONFIRMATION))
        .await;
    assert_eq!(busy.code(), Busy);
    assert!(busy.header("retry-after").is_some());

    let path = format!("/v1/confirmations/{}", operation.id);
    assert_eq!(
        agent.call(&other, Method::GET, &path, None).await.code(),
        NotFound,
        "it is another's"
    );
    assert_eq!(agent.call(&other, Method::DELETE, &path, None).await.code(), NotFound);
    let cancelled: Operation = agent.call(&plugin, Method::DELETE, &path, None).await.json();
    assert_eq!(cancelled.state, OperationState::Cancelled);
    let seen: Events = agent.call(&plugin, Method::GET, "/v1/events", None).await.json();
    assert!(!seen.events.is_empty());
    let others: Events = agent.call(&other, Method::GET, "/v1/events", None).await.json();
    assert!(others.events.is_empty(), "nobody else's operations");
}

/// The three kinds have paths and idempotency keys of their own, and one life.
#[tokio::test(start_paused = true)]
async fn a_certificate_is_an_operation_like_the_others() {
    const BODY: &str = r#"{"origin":"https://portal.example","top_origin":"https://news.example"}"#;
    let mut agent = Agent::new();
    let plugin = agent.paired("plugin");
    let keyed = |body: &str| {
        let choices = SignatureChoices {
            idempotency_key: Some("key".to_owned()),
            ..choices()
        };
        plugin.signed_with(request(Method::POST, "/v1/certificates", Some(body)), &choices)
    };
    for bad in [
        r#"{}"#,
        r#"{"origin":"https://portal.example","top_origin":"https://portal.example"}"#,
        r#"{"origin":"https://portal.example","top_origin":"null"}"#,
        r#"{"origin":"https://portal.example","top_origin":null}"#,
        r#"{"origin":"https://portal.example","token":null}"#,
    ] {
        assert_eq!(agent.send(keyed(bad)).await.code(), InvalidField, "{bad}");
    }
    let begun = agent.send(keyed(BODY)).await;
    assert_eq!(begun.status(), 202);
    let operation: Operation = begun.json();
    let path = format!("/v1/certificates/{}", operation.id);
    assert_eq!(begun.header("location"), Some(path.as_str()));
    let (question, _window) = agent.questions.recv().await.unwrap();
    let Question::InsertToken(asks, _) = question else {
        panic!("there is no token: {question:?}");
    };
    assert_eq!(asks.action, crate::prompt::Action::Certificate(Default::default()));
    assert_eq!(asks.top_origin.unwrap().as_str(), "https://news.example");

    assert_eq!(agent.send(keyed(BODY)).await.json::<Operation>().id, operation.id);
    let other = BODY.replace("news", "blog");
    assert_eq!(agent.send(keyed(&other)).await.code(), IdempotencyConflict);
    let busy = agent
        .call(&plugin, Method::POST, "/v1/confirmations", Some(CONFIRMATION))
        .await;
    assert_eq!(busy.code(), Busy, "one window at a time");
    for elsewhere in ["confirmations", "signatures"] {
        let path = format!("/v1/{elsewhere}/{}", operation.id);
        assert_eq!(agent.call(&plugin, Method::GET, &path, None).await.code(), NotFound);
    }
    let polled: Operation = agent.call(&plugin, Method::GET, &path, None).await.json();
    assert_eq!(polled.state, OperationState::AwaitingToken);
    let cancelled: Operation = agent.call(&plugin, Method::DELETE, &path, None).await.json();
    assert_eq!(cancelled.state, OperationState::Cancelled);
    let history: plugin_protocol::api::History = agent.call(&plugin, Method::GET, "/v1/history", None).await.json();
    let entry = &history.entries[0];
    assert_eq!(
        (entry.action.as_str(), entry.outcome.as_str()),
        ("certificate", "cancelled")
    );
    assert_eq!(entry.top_origin.as_ref().unwrap().as_str(), "https://news.example");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_agent_answers_long_polls_at_once() {
    let agent = Agent::new();
    let plugin = agent.paired("plugin");
    let begun = tokio::time::Instant::now();
    let polling = agent.call(&plugin, Method::GET, "/v1/events?wait=25", None);
    let ending = async {
        settle().await;
        agent.closing.cancel();
    };
    let (polled, ()) = tokio::join!(polling, ending);
    assert_eq!(polled.status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(1));
}
