//! How many proofs a portal verifies a second, beside OpenSSL's raw signature check.

use std::process::Command;
use std::time::Duration;

use agent::proof::{Subject, draft};
use fixtures::pki::{Issued, KeyKind, TestPki};
use plugin_protocol::{Challenge, Origin, Proof, ProofFormat, Purpose, SignatureAlgorithm};
use portal::{Policy, verify};
use time::OffsetDateTime;

use crate::stats::Sample;

const VERIFICATIONS: usize = 2000;

/// The key, what OpenSSL calls it, and the algorithm of its proofs.
const KEYS: [(KeyKind, &str, SignatureAlgorithm); 2] = [
    (KeyKind::P256, "ecdsap256", SignatureAlgorithm::ES256),
    (KeyKind::Rsa2048, "rsa2048", SignatureAlgorithm::RS256),
];

/// Prints one line per key and format.
pub(crate) fn run() {
    println!("\nThe portal: verifications a second on one core (path of three certificates included)");
    println!("  {:<30} {:>12} {:>16} {:>8}", "", "proofs/s", "openssl raw/s", "ratio");
    let now = OffsetDateTime::now_utc();
    let pki = TestPki::at(now.unix_timestamp());
    let policy = policy(&pki);
    for (kind, name, algorithm) in KEYS {
        let person = pki.person("Измерева Анна Петровна").key(kind).issue();
        let raw = openssl(name);
        for format in ProofFormat::X509 {
            let subject = subject(format);
            let proof = prove(&subject, &person, algorithm, now);
            let check = || drop(verify(&proof, &subject.origin, &subject.challenge, &policy, now).expect("it is good"));
            let sample = Sample::take(VERIFICATIONS, check);
            print(&format!("{name} {format}"), &sample, raw);
        }
    }
}

fn print(name: &str, sample: &Sample, raw: Option<f64>) {
    let rate = 1.0 / sample.median().max(Duration::from_nanos(1)).as_secs_f64();
    match raw {
        Some(raw) => println!("  {name:<30} {rate:>12.0} {raw:>16.0} {:>8.2}", rate / raw),
        None => println!("  {name:<30} {rate:>12.0} {:>16}", "not measured"),
    }
}

fn policy(pki: &TestPki) -> Policy {
    let builder = Policy::builder()
        .test_root(&pki.root.certificate)
        .expect("the root is a certificate");
    let builder = builder
        .intermediate(&pki.intermediate.certificate)
        .expect("the intermediate is a certificate");
    builder.formats(&ProofFormat::ALL).build().expect("a policy")
}

fn subject(format: ProofFormat) -> Subject {
    let origin: Origin = "https://portal.example".parse().expect("an origin");
    let challenge: Challenge = "c".repeat(44).parse().expect("a challenge");
    Subject {
        origin,
        challenge,
        purpose: Purpose::ConfirmIdentity,
        format,
        detached: false,
    }
}

fn prove(subject: &Subject, person: &Issued, algorithm: SignatureAlgorithm, now: OffsetDateTime) -> Proof {
    let draft = draft(subject, &[&person.certificate], algorithm, now).expect("a draft");
    let signature = person
        .key
        .sign_fixed(person.key.default_algorithm(), draft.to_be_signed());
    draft.finish(signature).expect("a proof")
}

/// Raw verifications a second by `openssl speed`, on one core.
fn openssl(name: &str) -> Option<f64> {
    let output = Command::new("openssl")
        .args(["speed", "-mr", "-seconds", "2", name])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // +F2 (RSA) and +F4 (ECDSA): …:bits:signatures a second:verifications a second.
    let line = text
        .lines()
        .find(|line| line.starts_with("+F2:") || line.starts_with("+F4:"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}
