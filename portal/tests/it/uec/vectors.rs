//! The vectors of the protocol crate, `vectors/uec.json`: made by the fixtures, read by whoever implements the format.
//!
//! `UPDATE_UEC_VECTORS=1` writes them anew.

use std::path::PathBuf;

use fixtures::cvc::evidence::signed_octets;
use fixtures::cvc::{Evidence, UecPki, tlv};
use plugin_protocol::encoding::{base64, from_base64, hex};
use plugin_protocol::{Origin, Proof, Purpose, Statement};
use portal::{Policy, UecPolicy, Verified};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::KINDS;

const AT: i64 = 1_795_642_692;
const ORIGIN: &str = "https://portal.example";

fn file() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../plugin-protocol/vectors/uec.json"
    ))
}

fn case(pki: &UecPki, hand_out: fn(&UecPki, &[u8]) -> Evidence) -> Value {
    let origin: Origin = ORIGIN.parse().unwrap();
    let challenge = base64(&[7; 32]).parse().unwrap();
    let at = OffsetDateTime::from_unix_timestamp(AT).unwrap();
    let certificate = &pki.application.certificate;
    let statement = Statement::new(origin, challenge, Purpose::ConfirmIdentity, at, certificate).to_canonical_json();
    let evidence = hand_out(pki, &statement);
    json!({
        "unix_time": AT,
        "origin": ORIGIN,
        "challenge": base64(&[7; 32]),
        "snils": pki.holder.snils,
        "root": base64(&pki.authority.certificate),
        "holder_root": base64(&pki.holder_authority.certificate),
        "statement_hash_hex": hex(&pki.suite.digest(&statement)),
        "signed_hex": hex(&signed_octets(pki.suite, pki.version, &evidence.message)),
        "proof": Proof::Uec(evidence.proof()),
    })
}

fn update() {
    let pkis = KINDS.map(|(version, suite)| UecPki::at(version, suite, AT));
    let mut cases: Vec<_> = pkis.iter().map(|pki| case(pki, UecPki::evidence)).collect();
    cases.push(case(&pkis[0], UecPki::evidence_of_holder));
    let about = "Section 12: what universal electronic cards of both versions and suites hand out, one with its holder's \
                 signature; the keys are made for this. Written by the portal's test `uec::vectors`.";
    let document = json!({ "kind": "uec", "about": about, "cases": cases });
    let text = serde_json::to_string_pretty(&document).unwrap();
    std::fs::write(file(), text + "\n").unwrap();
}

#[test]
fn every_vector_is_a_good_proof_of_what_it_says() {
    if std::env::var_os("UPDATE_UEC_VECTORS").is_some() {
        update();
    }
    let document: Value = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let bytes = |member: &str| from_base64(case[member].as_str().unwrap()).unwrap();
        let cards = UecPolicy::new().test_root(&bytes("root")).unwrap().accept_rsa_sha1();
        let policy = Policy::builder().test_root(&bytes("holder_root")).unwrap();
        let policy = policy.universal_cards(cards).build().unwrap();
        let proof: Proof = serde_json::from_value(case["proof"].clone()).unwrap();
        let challenge = serde_json::from_value(case["challenge"].clone()).unwrap();
        let at = OffsetDateTime::from_unix_timestamp(case["unix_time"].as_i64().unwrap()).unwrap();
        let origin = case["origin"].as_str().unwrap().parse().unwrap();
        let Verified::Card(card) = portal::verify_any(&proof, &origin, &challenge, &policy, at).unwrap() else {
            panic!("no card: {case}");
        };
        assert_eq!(card.snils(), case["snils"]);
        assert_eq!(
            card.holder_signature().is_some_and(|holder| holder.is_proven()),
            !case["proof"]["holder"].is_null()
        );
        let Proof::Uec(proof) = proof else { unreachable!() };
        let message = from_base64(&proof.message).unwrap();
        assert_eq!(hex(tlv::find(&message, 0xdf02).unwrap()), case["statement_hash_hex"]);
        assert!(
            case["signed_hex"]
                .as_str()
                .unwrap()
                .contains(case["statement_hash_hex"].as_str().unwrap())
        );
    }
}
