//! `kill -9` at any moment: what was answered is remembered, and nothing is left half made.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fixtures::plugin::Plugin;
use plugin_protocol::Proof;
use plugin_protocol::api::{OperationState, PairingState};
use plugin_protocol::encoding::{hex, sha256};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use system_tests::agent::{Agent, Setup};
use system_tests::ask;
use system_tests::door::{Door, agreeable};
use system_tests::process::{Process, eventually};

/// Numbers that are the same in every run (xorshift64, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    /// Anything below `most`.
    fn below(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        most.mul_f64((self.0 % 1_000_000) as f64 / 1e6)
    }
}

/// `kill -9` after a while, from a thread of its own.
fn kill_after(agent: &mut Agent, delay: Duration) -> JoinHandle<()> {
    let id = Pid::from_raw(i32::try_from(agent.process().id()).unwrap()).unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(delay);
        kill_process(id, Signal::KILL).unwrap();
    })
}

/// Reaps the killed daemon, starts it again, and meets the dead connections.
async fn revive(agent: &mut Agent, plugin: &Plugin) {
    agent.process().kill();
    agent.restart();
    while plugin.hello().await.is_err() {}
}

/// SHA-256 of the signed bytes, as the history has it.
fn signed(proof: &Proof) -> String {
    let Proof::Jws { jws } = proof else {
        panic!("a JWS was asked for");
    };
    let (bytes, _signature) = jws.rsplit_once('.').unwrap();
    hex(&sha256(bytes.as_bytes()))
}

/// The digests of everything that the history says was done.
fn remembered(agent: &Agent) -> BTreeSet<String> {
    let verified = agent.cli(&["history", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let text = std::fs::read_to_string(agent.setup().state().join("history.jsonl")).unwrap();
    let mut done = BTreeSet::new();
    // A kill in the middle of the write leaves a torn last line, which nobody was answered for.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if entry["outcome"] == "done" {
            done.insert(entry["signed"][0]["digest"].as_str().unwrap().to_owned());
        }
    }
    done
}

#[tokio::test]
async fn every_answered_confirmation_is_in_the_history() {
    let mut door = Door::open().await;
    let confirm = async |plugin: &Plugin| {
        let operation = plugin.confirm_and_wait(&ask::confirmation("jws")).await?;
        assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
        Ok::<String, fixtures::plugin::PluginError>(signed(operation.proof.as_ref().unwrap()))
    };
    // The first makes the token's keys; the second tells how long one takes.
    let mut answered = vec![confirm(&door.plugin).await.unwrap()];
    let begun = Instant::now();
    answered.push(confirm(&door.plugin).await.unwrap());
    let usual = begun.elapsed().max(Duration::from_millis(5));
    let mut dice = Dice(0x5eed_0001);
    for round in 0..24 {
        let killer = kill_after(&mut door.agent, dice.below(usual * 3));
        while let Ok(digest) = confirm(&door.plugin).await {
            answered.push(digest);
        }
        killer.join().unwrap();
        revive(&mut door.agent, &door.plugin).await;
        let done = remembered(&door.agent);
        for digest in &answered {
            assert!(
                done.contains(digest),
                "round {round}: {digest} was answered and is forgotten"
            );
        }
        // And the next one follows. It also gives back a PIN try that a kill in the middle has cost.
        answered.push(confirm(&door.plugin).await.unwrap());
    }
    assert!(remembered(&door.agent).len() >= answered.len());
    let mut unique = answered.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), answered.len(), "something was signed twice");
}

/// A daemon makes it before it says that it listens.
#[tokio::test]
async fn the_software_token_is_made_whole_or_not_at_all() {
    let setup = Setup::new().software().unattended(&agreeable("1234"));
    let folder = setup.state().join("software-token");
    let new = folder.with_file_name("software-token.new");
    let files = || -> BTreeSet<String> {
        let entries = std::fs::read_dir(&folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let mut dice = Dice(0x5eed_0002);
    let mut interrupted = 0;
    for round in 0..8 {
        let command = setup.command(&["run", "--port", "0"]);
        let mut process = Process::start(command, &setup.folder().join("killed.log"));
        // In half of the rounds once it is begun, whenever a busy machine comes to that.
        if round % 2 == 1 {
            eventually("the making of the token", || {
                (new.exists() || folder.exists()).then_some(())
            });
        }
        std::thread::sleep(dice.below(Duration::from_millis(400)));
        process.kill();
        interrupted += u32::from(new.exists());
        if folder.exists() {
            whole(&folder, &files());
        }
    }
    assert!(interrupted > 0 || folder.exists(), "nothing was ever begun");
    let agent = setup.start();
    let plugin = agent.paired().await;
    let operation = plugin.confirm_and_wait(&ask::confirmation("jws")).await.unwrap();
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
    whole(&folder, &files());
    assert!(!new.exists());
}

/// Every key has its certificate, both in full.
fn whole(folder: &Path, files: &BTreeSet<String>) {
    for name in ["root", "p256", "p384", "rsa2048", "signing"] {
        for (ending, label) in [("key", "PRIVATE KEY"), ("pem", "CERTIFICATE")] {
            let file = format!("{name}.{ending}");
            assert!(files.contains(&file), "{file} is missing in {files:?}");
            let text = std::fs::read_to_string(folder.join(&file)).unwrap();
            let ends = text.trim_end().ends_with(&format!("-----END {label}-----"));
            assert!(ends, "{file} is torn: {text}");
        }
    }
    let tries = std::fs::read_to_string(folder.join("tries")).unwrap();
    assert!(tries.trim().parse::<u8>().unwrap() <= 3);
}

#[tokio::test]
async fn pairings_are_never_torn_nor_forgotten() {
    let mut agent = Setup::new().unattended(&agreeable("1234")).start();
    let begun = Instant::now();
    let first = agent.paired().await;
    let usual = begun.elapsed().max(Duration::from_millis(5));
    let mut told = vec![first.key().jwk().key_id()];
    let mut dice = Dice(0x5eed_0003);
    for round in 0..24 {
        let plugin = agent.stranger();
        let killer = kill_after(&mut agent, dice.below(usual * 2));
        if paired(&plugin).await {
            told.push(plugin.key().jwk().key_id());
        }
        killer.join().unwrap();
        revive(&mut agent, &plugin).await;
        let listed = agent.cli(&["pairings", "list", "--json"]);
        assert!(listed.status.success(), "round {round}: {listed:?}");
        let listed = String::from_utf8(listed.stdout).unwrap();
        for id in &told {
            assert!(
                listed.contains(id.as_str()),
                "round {round}: {id} was told so and is forgotten"
            );
        }
        // The first still passes with the key it got.
        let _ = first.info().await;
        first.info().await.unwrap();
    }
    let text = std::fs::read_to_string(agent.setup().state().join("pairings.json")).unwrap();
    let _: Value = serde_json::from_str(&text).unwrap();
}

/// Whether the agent said that they are paired.
async fn paired(plugin: &Plugin) -> bool {
    let Ok(attempt) = plugin.commit("system tests").await else {
        return false;
    };
    matches!(plugin.reveal(&attempt).await, Ok(PairingState::Paired))
}
