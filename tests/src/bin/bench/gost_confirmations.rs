//! A GOST signature: bare, and as a confirmation through our paired API and a PKCS#11 module.

use fixtures::pki::KeyKind;
use gost3410::SecretKey;
use plugin_protocol::SignatureAlgorithm;
use serde_json::json;
use system_tests::ask::ORIGIN;
use system_tests::card::{Card, Gost, PIN, Wish};
use system_tests::scene::tokens;
use tokio::runtime::Runtime;

use crate::confirmations::{confirm_once, request};
use crate::stats::{Sample, print_header, print_row};

const ROUNDS: usize = 300;

/// Prints one table per size.
pub(crate) fn run(runtime: &Runtime) {
    for (name, kind, algorithm) in [
        ("256", KeyKind::GOST_256, SignatureAlgorithm::Gost256),
        ("512", KeyKind::GOST_512, SignatureAlgorithm::Gost512),
    ] {
        print_header(&format!("GOST R 34.10-2012, {name} bits, on the test token"));
        let bare = bare(kind, algorithm);
        print_row("one signature by gost3410, in this process", &bare, None);
        let card = Gost::new(kind, algorithm, "s-r", &Wish::default());
        card.set(json!({ "journal": false }));
        print_row(
            "confirmation (cms), whole: consent by policy, login, own check, history",
            &runtime.block_on(confirmations(&card)),
            Some(&bare),
        );
    }
}

fn bare(kind: KeyKind, algorithm: SignatureAlgorithm) -> Sample {
    let (gost, set) = kind.gost();
    let key = SecretKey::generate(gost, set).expect("random numbers");
    let digest = algorithm.hash().digest(b"message");
    Sample::take(ROUNDS, || {
        let _ = key.sign_digest(&digest).expect("a signature");
    })
}

async fn confirmations(card: &Gost) -> Sample {
    let setup = card.setup();
    let id = tokens(&setup).remove(0)["id"].as_str().expect("an id").to_owned();
    let policy = format!("pair = true\norigins = [\"{ORIGIN}\"]\n[[token]]\nid = {id:?}\npin = {PIN:?}\n");
    let agent = setup.quiet().rates(1_000_000).unattended(&policy).start();
    let plugin = agent.paired().await;
    let mut request = request(&id);
    request.format = "cms".into();
    let mut durations = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        durations.push(confirm_once(&plugin, &request).await);
    }
    Sample::from_durations(durations)
}
