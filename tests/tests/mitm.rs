//! Someone between plugin and agent: while they are paired, and after.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Instant;

use fixtures::plugin::{Attempt, Plugin, PluginError, PluginKey};
use hyper::Method;
use plugin_protocol::ErrorCode::{Busy, CommitmentMismatch, Declined, InvalidField, NotPaired, RateLimited};
use plugin_protocol::api::{PairingOffer, PairingRequest, RevealRequest};
use plugin_protocol::http_signature::{ResponseSignature, content_digest, signature_header};
use plugin_protocol::pairing::{Bytes32, Digits, Jwk, commitment};
use plugin_protocol::{ErrorCode, Problem};
use system_tests::agent::{Agent, Setup};
use system_tests::ask;
use system_tests::door::Door;
use system_tests::middle::{Middle, relay};
use system_tests::pinentry::ScriptedPerson;
use system_tests::raw::{self, Answer, Raw};

/// A daemon and a person who says no to every comparison.
fn doubted() -> (Agent, ScriptedPerson) {
    let setup = Setup::new();
    let person = ScriptedPerson::new(&setup.folder().join("person"), &["no"; 8]);
    (setup.pinentry(&person.program()).start(), person)
}

/// What the middle swaps before it hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swap {
    /// The agent sees the attacker's key, the plugin too, each with nonces of the attacker.
    Everything,
    /// Both keys; the plugin gets the agent's own nonce.
    Keys,
    /// The plugin gets the attacker's key as the agent's.
    AgentKey,
    /// The agent gets the attacker's key as the plugin's.
    PluginKey,
    /// The plugin gets another nonce than the agent's.
    AgentNonce,
    /// Nothing: the instrument, which must see equal digits.
    Nothing,
}

/// The attacker's half of one attempt.
struct Mallory {
    jwk: Jwk,
    nonce: Bytes32,
    swap: Swap,
    agent: String,
}

impl Mallory {
    fn new(swap: Swap, agent: &Agent) -> Self {
        Self {
            jwk: PluginKey::generate().jwk().clone(),
            nonce: fixtures::plugin::key::random32(),
            swap,
            agent: agent.authority().to_owned(),
        }
    }

    fn poses_as_plugin(&self) -> bool {
        matches!(self.swap, Swap::Everything | Swap::Keys | Swap::PluginKey)
    }

    fn answer(&self, request: Raw) -> Answer {
        match request.target.ends_with("/reveal") {
            true => self.reveal(request),
            false => self.commit(request),
        }
    }

    fn commit(&self, request: Raw) -> Answer {
        let mut asked: PairingRequest = serde_json::from_slice(&request.body).unwrap();
        if self.poses_as_plugin() {
            asked.client.jwk = self.jwk.clone();
            asked.commitment = commitment(&self.jwk, &self.nonce);
        }
        let answer = relay(&self.agent, request.body(serde_json::to_vec(&asked).unwrap()));
        let mut offer: PairingOffer = serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
        if matches!(self.swap, Swap::Everything | Swap::Keys | Swap::AgentKey) {
            offer.agent_jwk = self.jwk.clone();
        }
        if matches!(self.swap, Swap::Everything | Swap::AgentNonce) {
            offer.agent_nonce = self.nonce;
        }
        Answer::new(answer.status, serde_json::to_vec(&offer).unwrap())
    }

    fn reveal(&self, request: Raw) -> Answer {
        if !self.poses_as_plugin() {
            return relay(&self.agent, request);
        }
        let opened = RevealRequest { nonce: self.nonce };
        relay(&self.agent, request.body(serde_json::to_vec(&opened).unwrap()))
    }
}

/// What the plugin shows and what the agent shows, in one attempt with Mallory in the middle.
async fn compared(agent: &Agent, person: &ScriptedPerson, swap: Swap) -> (Digits, String) {
    let mallory = Mallory::new(swap, agent);
    let middle = Middle::start("127.0.0.1:0", move |request| mallory.answer(request));
    let plugin = Plugin::new(&middle.base()).unwrap();
    person.forget();
    let attempt = plugin.commit("tester").await.unwrap();
    let refused = plugin.reveal(&attempt).await.unwrap_err();
    assert_eq!(refused.code(), Some(Declined), "{refused}");
    (attempt.digits, person.shown())
}

#[tokio::test]
async fn swapped_keys_or_nonces_show_other_digits() {
    let (mut agent, person) = doubted();
    let swaps = [
        Swap::Everything,
        Swap::Keys,
        Swap::AgentKey,
        Swap::PluginKey,
        Swap::AgentNonce,
    ];
    let (mut runs, mut since_restart) = (0, 0);
    for swap in swaps.iter().cycle().take(25).chain(&[Swap::Nothing]) {
        // Three attempts a minute are all the agent allows, whoever asks: a new one is started after that.
        if since_restart == 3 {
            agent.process().terminate();
            agent.restart();
            since_restart = 0;
        }
        person.will_answer(&["no"]);
        let (digits, shown) = compared(&agent, &person, *swap).await;
        assert!(shown.contains("\"tester\""), "{shown}");
        let equal = shown.contains(&digits.to_string());
        assert_eq!(equal, *swap == Swap::Nothing, "{swap:?}: {digits} and {shown}");
        runs += 1;
        since_restart += 1;
    }
    assert_eq!(runs, 26);
}

#[tokio::test]
async fn a_nonce_that_does_not_open_the_commitment_ends_the_attempt_without_a_window() {
    let (agent, person) = doubted();
    let plugin = agent.stranger();
    let honest = plugin.commit("system tests").await.unwrap();
    let other = Attempt {
        offer: honest.offer.clone(),
        nonce: fixtures::plugin::key::random32(),
        digits: honest.digits,
    };
    let code = |result: Result<_, PluginError>| result.map(|_| ()).unwrap_err().code();
    assert_eq!(code(plugin.reveal(&other).await), Some(CommitmentMismatch));
    // It stays so for the right nonce: nobody gets a second guess.
    assert_eq!(code(plugin.reveal(&honest).await), Some(CommitmentMismatch));
    // A commitment to one key is none to another.
    let nonce = fixtures::plugin::key::random32();
    let stolen = Mallory::new(Swap::Nothing, &agent);
    let mut request = PairingRequest {
        client: plugin_protocol::api::Client {
            name: "system tests".to_owned(),
            jwk: stolen.jwk,
        },
        commitment: commitment(plugin.key().jwk(), &nonce),
    };
    let answer = open(&agent, "/v1/pairings", &request);
    let offer: PairingOffer = serde_json::from_slice(&answer.body).unwrap();
    let answer = open(
        &agent,
        &format!("/v1/pairings/{}/reveal", offer.id),
        &RevealRequest { nonce },
    );
    assert_eq!(answer.code(), Some(CommitmentMismatch));
    assert_eq!(person.shown(), "", "a window was opened");
    // A key that is none is refused before anything is offered.
    request.client.jwk = Jwk::from_coordinates(&[1; 32], &[1; 32]);
    assert_eq!(open(&agent, "/v1/pairings", &request).code(), Some(InvalidField));
}

fn open<T: serde::Serialize>(agent: &Agent, target: &str, body: &T) -> Answer {
    let raw = Raw::new("POST", target, agent.authority()).with("Content-Type", "application/json");
    raw::ask(agent.authority(), &raw.body(serde_json::to_vec(body).unwrap())).unwrap()
}

#[tokio::test]
async fn one_attempt_at_a_time_and_three_a_minute() {
    let (agent, person) = doubted();
    let (first, second) = (agent.stranger(), agent.stranger());
    let (begun, mut round) = (Instant::now(), 0);
    loop {
        let attempt = match first.commit("first").await {
            Ok(attempt) => attempt,
            Err(refused) => {
                assert_eq!(refused.code(), Some(RateLimited));
                break;
            }
        };
        let refused = second.commit("second").await.map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), Some(Busy), "round {round}");
        // Whoever does not know the attempt cannot end it.
        let guess = format!("/v1/pairings/{}/reveal", "A".repeat(22));
        let answer = open(&agent, &guess, &RevealRequest { nonce: attempt.nonce });
        assert_eq!(answer.code(), Some(ErrorCode::NotFound));
        assert_eq!(first.reveal(&attempt).await.unwrap_err().code(), Some(Declined));
        round += 1;
        // Three at once, then one for each third of a minute that has passed.
        assert!(round <= 3 + begun.elapsed().as_secs() / 20, "{round} attempts");
    }
    assert!(round >= 3, "{round} attempts");
    let refused = second.commit("a flood").await.map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Some(RateLimited), "whoever asks");
    assert_eq!(person.shown().matches("OPENED").count() as u64, round);
    assert_eq!(
        first.info().await.map(|_| ()).unwrap_err().to_string(),
        PluginError::NotPaired.to_string()
    );
}

#[tokio::test]
async fn names_that_disguise_are_refused() {
    let (agent, person) = doubted();
    let plugin = agent.stranger();
    let long = "n".repeat(65);
    for name in [
        "",
        " ",
        " leading",
        "trailing ",
        "two\nlines",
        "a\ttab",
        "a\0nul",
        "\u{1b}[2Jescape",
        "del\u{7f}",
        "right\u{202e}tfel",
        "isolate\u{2066}x\u{2069}",
        "mark\u{200f}",
        "arabic\u{61c}",
        "zero\u{200b}width",
        "join\u{200d}er",
        "soft\u{ad}hyphen",
        "bom\u{feff}",
        "tag\u{e0041}",
        "line\u{2028}",
        "filler\u{3164}",
        "c1\u{9b}31m",
        "variation\u{fe0f}",
        "annotation\u{fff9}",
        &long,
    ] {
        let refused = plugin.commit(name).await.map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), Some(InvalidField), "{name:?}");
        assert!(
            !refused.to_string().contains(name) || name.trim().is_empty(),
            "{name:?} is repeated"
        );
    }
    assert_eq!(person.shown(), "");
    // A name that looks like the agent's own words is a claim, marked as one.
    let attempt = plugin.commit("eid-agent: number 000 000 is right").await.unwrap();
    assert_eq!(plugin.reveal(&attempt).await.unwrap_err().code(), Some(Declined));
    // The window breaks lines where it likes.
    let shown = person.shown().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        shown.contains("calls itself \"eid-agent: number 000 000 is right\""),
        "{shown}"
    );
    assert!(shown.contains(&attempt.digits.to_string()), "{shown}");
}

#[tokio::test]
async fn a_relay_on_another_port_gets_nothing() {
    let door = Door::without_tokens().await;
    let agent = door.host().to_owned();
    let seen: Arc<Mutex<Vec<Answer>>> = Arc::default();
    let (kept, own) = (seen.clone(), agent.clone());
    let middle = Middle::start("127.0.0.1:0", move |request| {
        let answer = relay(&own, request);
        kept.lock().unwrap().push(answer.clone());
        answer
    });
    // Whoever pairs through it, however honestly it relays: what is signed names another port.
    let mut plugin = Plugin::new(&middle.base()).unwrap();
    let refused = plugin.pair("system tests", |_| ()).await.unwrap_err();
    assert!(matches!(refused, PluginError::Unauthenticated(_)), "{refused}");
    assert!(plugin.agent_key().is_none());
    // The same for a plugin that is paired already.
    let key = PluginKey::from_pkcs8(door.plugin.key().pkcs8()).unwrap();
    let lured = Plugin::with_key(&middle.base(), key, door.plugin.agent_key().cloned()).unwrap();
    let refused = lured
        .confirm(&ask::confirmation("jws"), None, None)
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(refused, PluginError::Unauthenticated(_)), "{refused}");
    let last = seen.lock().unwrap().last().cloned().unwrap();
    assert_eq!(last.code(), Some(ErrorCode::BadSignature));
    door.assert_serves("a relay").await;
}

#[tokio::test]
async fn a_squatter_on_the_port_cannot_answer() {
    let mut door = Door::without_tokens().await;
    let host = door.host().to_owned();
    let real = door.plugin.agent_key().unwrap().clone();
    // What it may have recorded: a true answer to another request.
    let recorded = raw::ask(&host, &door.signed("GET", "/v1/info", b"")).unwrap();
    assert!(recorded.is_signed());
    door.agent.process().kill();
    let _ = door.plugin.hello().await;

    let next: Arc<Mutex<Option<Forgery>>> = Arc::default();
    let trick = next.clone();
    let squatter = Middle::start(&host, move |request| {
        let forge = trick.lock().unwrap().take().expect("one request, one forgery");
        forge(&request)
    });
    let body = recorded.body.clone();
    let problem = |code: ErrorCode| serde_json::to_vec(&Problem::new(code, "go away")).unwrap();
    let foreign = PluginKey::generate();
    let foreign =
        move |request: &Raw, key_id: &str, status: u16, body: &[u8]| signed_by(&foreign, request, key_id, status, body);
    let foreign = Arc::new(foreign);
    let forgeries: Vec<(&str, Forgery, bool)> = vec![
        (
            "unsigned",
            {
                let body = body.clone();
                Box::new(move |_| Answer::new(200, body))
            },
            false,
        ),
        (
            "recorded",
            {
                let answer = recorded.clone();
                Box::new(move |_| answer)
            },
            false,
        ),
        (
            "recorded, another status",
            {
                let mut answer = recorded.clone();
                answer.head = answer.head.replacen("200", "201", 1);
                Box::new(move |_| answer)
            },
            false,
        ),
        (
            "recorded, another body",
            {
                let mut answer = recorded.clone();
                answer.body[0] = b'[';
                Box::new(move |_| answer)
            },
            false,
        ),
        (
            "signed by another key",
            {
                let (sign, body) = (foreign.clone(), body.clone());
                Box::new(move |request| sign(request, "", 200, &body))
            },
            false,
        ),
        (
            "signed by another key in the agent's name",
            {
                let (sign, body, id) = (foreign.clone(), body.clone(), real.key_id());
                Box::new(move |request| sign(request, &id, 200, &body))
            },
            false,
        ),
        (
            "the request's own signature",
            {
                let body = body.clone();
                Box::new(move |request| reflected(request, body))
            },
            false,
        ),
        (
            "an unsigned error of an operation",
            {
                let body = problem(Declined);
                Box::new(move |_| Answer::new(403, body))
            },
            false,
        ),
        (
            "not_paired",
            {
                let body = problem(NotPaired);
                Box::new(move |_| Answer::new(401, body))
            },
            true,
        ),
        (
            "rate_limited",
            {
                let body = problem(RateLimited);
                Box::new(move |_| Answer::new(429, body))
            },
            true,
        ),
        ("nonsense", Box::new(|_| Answer::new(200, "{}")), false),
    ];
    for (what, forgery, hint) in forgeries {
        *next.lock().unwrap() = Some(forgery);
        let refused = door.plugin.info().await.map(|_| ()).unwrap_err();
        let expected = match hint {
            true => matches!(refused, PluginError::Unauthenticated(_)),
            false => matches!(refused, PluginError::ForgedAnswer(_)),
        };
        assert!(expected, "{what}: {refused:?}");
        assert_eq!(door.plugin.agent_key(), Some(&real), "{what}: the pairing was given up");
    }
    drop(squatter);
    door.agent.restart();
    door.assert_serves("a squatter").await;
}

/// What a squatter answers to a request.
type Forgery = Box<dyn FnOnce(&Raw) -> Answer + Send>;

/// An answer signed for this very request, by `key` in the name of `key_id` (its own if empty).
fn signed_by(key: &PluginKey, request: &Raw, key_id: &str, status: u16, body: &[u8]) -> Answer {
    let own = key.jwk().key_id();
    let input = ResponseSignature {
        created: fixtures::plugin::signing::unix_now(),
        key_id: if key_id.is_empty() { own } else { key_id.to_owned() },
    };
    let asked = plugin_protocol::http_signature::parse_signature_header(request.header("signature")).unwrap();
    let digest = content_digest(body);
    let signature = key.sign(input.base(status, &digest, &asked).as_bytes());
    Answer::new(status, body)
        .with("Content-Digest", &digest)
        .with("Signature-Input", &input.to_header())
        .with("Signature", &signature_header(&signature))
}

fn reflected(request: &Raw, body: Vec<u8>) -> Answer {
    ["Content-Digest", "Signature-Input", "Signature"]
        .iter()
        .fold(Answer::new(200, body), |answer, name| {
            answer.with(name, request.header(name))
        })
}

#[tokio::test]
async fn what_is_said_no_to_is_not_paired() {
    let (agent, _person) = doubted();
    let mut plugin = agent.stranger();
    let mut digits = None;
    let refused = plugin
        .pair("system tests", |shown| digits = Some(shown))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(Declined));
    assert!(digits.is_some() && plugin.agent_key().is_none());
    let request = plugin.signed(Method::GET, "/v1/info", None);
    let answer = raw::ask(agent.authority(), &Raw::from(&request)).unwrap();
    assert_eq!(answer.code(), Some(NotPaired));
}
