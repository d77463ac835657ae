//! A signature: bare, through ssh-agent, and as a confirmation through our paired API.

use std::time::{Duration, Instant};

use fixtures::plugin::Plugin;
use plugin_protocol::api::{ConfirmationRequest, OperationState};
use plugin_protocol::{Challenge, Origin, Purpose};
use system_tests::agent::{Agent, Setup};
use tokio::runtime::Runtime;

use crate::direct::Module;
use crate::ssh::SshAgent;
use crate::stats::{Sample, print_header, print_row};
use crate::token::{Described, LABELS};

const ORIGIN: &str = "https://portal.example";
const DIRECT: usize = 2000;
const CONFIRMATIONS: usize = 1000;

/// Prints one table per key.
pub(crate) fn run(token: &Described, runtime: &Runtime) {
    let module = Module::load(&token.module, &token.pin);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let mut peer = SshAgent::start(folder.path(), &token.module, &token.configuration, &token.pin);
    let agent = agent(token);
    let plugin = runtime.block_on(agent.paired());
    for (label, rsa) in LABELS {
        print_header(&format!("{} on SoftHSM", if rsa { "RSA-2048" } else { "P-256" }));
        let direct = module.open(label, rsa);
        let bare = direct.sign(DIRECT);
        print_row("C_Sign, session and key cached", &bare, None);
        print_row(
            "C_Login, find, C_Sign, C_Logout",
            &direct.sign_with_login(DIRECT),
            Some(&bare),
        );
        match &mut peer {
            Ok(peer) => print_peer(peer, rsa, &bare),
            Err(why) => println!("  ssh-agent: not measured, {why}"),
        }
        let id = token_id(&agent, label);
        print_row(
            "a signed GET /v1/info: the door alone",
            &runtime.block_on(info(&plugin)),
            Some(&bare),
        );
        let confirmation = runtime.block_on(confirm(&plugin, &id));
        print_row(
            "confirmation, whole: consent by policy, login, history",
            &confirmation,
            Some(&bare),
        );
        print_row(
            "  of which one flush of a history record (fdatasync)",
            &flush(folder.path()),
            Some(&bare),
        );
    }
}

fn print_peer(peer: &mut SshAgent, rsa: bool, bare: &Sample) {
    let kind = if rsa { "ssh-rsa" } else { "ecdsa-sha2-nistp256" };
    match peer.key(kind) {
        Some(key) => {
            let sample = Sample::take(DIRECT, || peer.sign(&key, &[7; 64], rsa));
            print_row("ssh-agent, the same module, over its socket", &sample, Some(bare));
        }
        None => println!("  ssh-agent: not measured, it shows no {kind} key"),
    }
}

/// A daemon with the module, approving by policy, without rates in the way.
fn agent(token: &Described) -> Agent {
    let probe = Setup::new()
        .module(&token.module)
        .environment("SOFTHSM2_CONF", &token.configuration);
    let entry = |(_, id): (String, String)| format!("[[token]]\nid = {id:?}\npin = {:?}\n", token.pin);
    let entries: String = tokens(&probe).into_iter().map(entry).collect();
    let policy = format!("pair = true\norigins = [\"{ORIGIN}\"]\n{entries}");
    probe.quiet().rates(1_000_000).unattended(&policy).start()
}

fn tokens(setup: &Setup) -> Vec<(String, String)> {
    let output = setup
        .command(&["tokens", "--json"])
        .output()
        .expect("the program starts");
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "eid-agent tokens --json: {error}: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let text = |token: &serde_json::Value, name: &str| token[name].as_str().expect("a text member").to_owned();
    let tokens = listed["tokens"].as_array().expect("a list of tokens");
    tokens
        .iter()
        .map(|token| (text(token, "label"), text(token, "id")))
        .collect()
}

fn token_id(agent: &Agent, label: &str) -> String {
    let found = tokens(agent.setup()).into_iter().find(|(name, _)| name == label);
    found.expect("the token is listed").1
}

async fn info(plugin: &Plugin) -> Sample {
    let mut durations = Vec::with_capacity(CONFIRMATIONS);
    for _ in 0..CONFIRMATIONS {
        let start = Instant::now();
        plugin.info().await.expect("the agent answers");
        durations.push(start.elapsed());
    }
    Sample::from_durations(durations)
}

async fn confirm(plugin: &Plugin, token: &str) -> Sample {
    let request = request(token);
    let mut durations = Vec::with_capacity(CONFIRMATIONS);
    for _ in 0..CONFIRMATIONS {
        durations.push(confirm_once(plugin, &request).await);
    }
    Sample::from_durations(durations)
}

/// One confirmation in one request.
pub(crate) async fn confirm_once(plugin: &Plugin, request: &ConfirmationRequest) -> Duration {
    let start = Instant::now();
    let operation = plugin
        .confirm(request, None, Some(25))
        .await
        .expect("the agent answers");
    let elapsed = start.elapsed();
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    elapsed
}

/// A confirmation request for one token.
pub(crate) fn request(token: &str) -> ConfirmationRequest {
    let origin: Origin = ORIGIN.parse().expect("an origin");
    let challenge: Challenge = "c".repeat(44).parse().expect("a challenge");
    let token = (!token.is_empty()).then(|| token.to_owned());
    ConfirmationRequest {
        origin,
        top_origin: None,
        challenge,
        format: "web-eid:1.0".into(),
        detached: false,
        holder_signature: false,
        purpose: Purpose::ConfirmIdentity,
        token,
        certificate: None,
        origin_attested: true,
    }
}

/// What the disk takes for one record: the same bytes, the same call.
fn flush(folder: &std::path::Path) -> Sample {
    use std::io::Write;
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("flush"))
        .expect("a file");
    Sample::take(CONFIRMATIONS, || {
        file.write_all(&[b'x'; 700]).expect("the disk takes it");
        file.sync_data().expect("the disk takes it");
    })
}
