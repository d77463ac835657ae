//! The vectors, found by glob: each file names its kind, each case its expectation.
//!
//! They are written by `vectors/generate.py`, which shares no code with the
//! crate (`uec.json` by a test of the portal, from the fixtures' cards); a file of an unknown kind, or an empty one, fails.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;

use plugin_protocol::encoding::{base64, from_base64, hex, sha256};
use plugin_protocol::http_signature::{
    RequestSignature, ResponseSignature, content_digest, parse_signature_header, signature_header,
};
use plugin_protocol::jws::{self, JwsHeader};
use plugin_protocol::origin::OriginWarning;
use plugin_protocol::pairing::{Bytes32, Jwk, commitment, digits};
use plugin_protocol::uec::{UEC_PROOF_VERSION, UecApplication};
use plugin_protocol::{
    Challenge, HashFunction, Origin, Proof, ProofFormat, Purpose, SignatureAlgorithm, Statement, web_eid,
};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey, VerificationAlgorithm};
use serde::de::DeserializeOwned;
use serde_json::Value;

type Check = fn(&Value);

const KINDS: &[(&str, Check)] = &[
    ("origin", origin),
    ("challenge", challenge),
    ("thumbprint", thumbprint),
    ("pairing", pairing),
    ("request-signature", request_signature),
    ("response-signature", response_signature),
    ("signature-input", signature_input),
    ("hash-function", hash_function),
    ("web-eid", web_eid_bytes),
    ("web-eid-token", web_eid_token),
    ("statement", statement),
    ("jws", jws_signing_input),
    ("uec", uec_proof),
];

#[test]
fn every_vector_holds() {
    let mut seen = BTreeSet::new();
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let kind = text(&document, "kind");
        let (name, check) = KINDS
            .iter()
            .find(|(name, _)| *name == kind)
            .unwrap_or_else(|| panic!("{}: unknown kind {kind:?}", path.display()));
        let cases = document["cases"].as_array().unwrap();
        assert!(!cases.is_empty(), "{}: no cases", path.display());
        // Printed only when the test fails: the last line is the case that did.
        for case in cases {
            println!("{name}: {case}");
            check(case);
        }
        seen.insert(*name);
    }
    assert_eq!(
        seen,
        KINDS.iter().map(|(name, _)| *name).collect(),
        "a kind has no file"
    );
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member]
        .as_str()
        .unwrap_or_else(|| panic!("{member} is no text in {case}"))
}

fn parse<T: DeserializeOwned>(case: &Value, member: &str) -> T {
    serde_json::from_value(case[member].clone()).unwrap_or_else(|error| panic!("{member}: {error} in {case}"))
}

fn accepted(case: &Value) -> bool {
    case["accepted"].as_bool().unwrap()
}

fn origin(case: &Value) {
    let parsed = text(case, "text").parse::<Origin>();
    assert_eq!(parsed.is_ok(), accepted(case), "{parsed:?}");
    let through_json = serde_json::from_value::<Origin>(case["text"].clone());
    assert_eq!(through_json.is_ok(), accepted(case));
    if let Ok(parsed) = parsed {
        assert_eq!(parsed.as_str(), text(case, "text"));
        let warnings: Vec<_> = parsed.warnings().iter().map(warning_name).collect();
        assert_eq!(warnings, parse::<Vec<String>>(case, "warnings"));
    }
}

fn warning_name(warning: &OriginWarning) -> &'static str {
    match warning {
        OriginWarning::Punycode => "punycode",
        OriginWarning::Address => "address",
        OriginWarning::Insecure => "insecure",
    }
}

fn challenge(case: &Value) {
    let parsed = serde_json::from_value::<Challenge>(case["text"].clone());
    assert_eq!(parsed.is_ok(), accepted(case), "{parsed:?}");
    let long_enough = |format: ProofFormat| {
        parsed
            .as_ref()
            .is_ok_and(|challenge| challenge.as_str().len() >= format.min_challenge())
    };
    for format in ProofFormat::ALL {
        let expected = match format {
            ProofFormat::CmsChallenge => accepted(case),
            _ => case["bound_formats"].as_bool().unwrap(),
        };
        assert_eq!(long_enough(format), expected, "{format}");
    }
}

fn thumbprint(case: &Value) {
    let parsed = serde_json::from_value::<Jwk>(case["jwk"].clone());
    assert_eq!(parsed.is_ok(), accepted(case), "{parsed:?}");
    let Ok(jwk) = parsed else { return };
    assert_eq!(serde_json::to_string(&jwk).unwrap(), text(case, "canonical"));
    assert_eq!(hex(&jwk.thumbprint()), text(case, "thumbprint_hex"));
    assert_eq!(jwk.key_id(), text(case, "keyid"));
    assert_eq!(Jwk::from_point(&jwk.to_point()), Some(jwk));
}

fn pairing(case: &Value) {
    let (plugin, agent): (Jwk, Jwk) = (parse(case, "plugin_jwk"), parse(case, "agent_jwk"));
    let (np, na): (Bytes32, Bytes32) = (parse(case, "plugin_nonce"), parse(case, "agent_nonce"));
    assert_eq!(commitment(&plugin, &np), parse(case, "commitment"));
    assert_eq!(digits(&plugin, &agent, &np, &na).to_string(), text(case, "digits"));
    assert_eq!(
        sha256(&unhex(text(case, "commitment_input_hex"))),
        commitment(&plugin, &np).0
    );
}

fn request_signature(case: &Value) {
    let key: Jwk = parse(case, "jwk");
    let idempotency_key = case["idempotency_key"].as_str();
    let input = RequestSignature {
        created: parse(case, "created"),
        nonce: parse(case, "nonce"),
        key_id: key.key_id(),
        idempotent: idempotency_key.is_some(),
    };
    let digest = content_digest(text(case, "body").as_bytes());
    assert_eq!(digest, text(case, "content_digest"));
    assert_eq!(input.to_header(), text(case, "signature_input"));
    assert_eq!(
        RequestSignature::parse(text(case, "signature_input")),
        Some(input.clone())
    );
    let base = input.base(text(case, "method"), text(case, "target_uri"), &digest, idempotency_key);
    check_signed(case, &key, &base);
}

fn response_signature(case: &Value) {
    let key: Jwk = parse(case, "jwk");
    let input = ResponseSignature {
        created: parse(case, "created"),
        key_id: key.key_id(),
    };
    let digest = content_digest(text(case, "body").as_bytes());
    assert_eq!(digest, text(case, "content_digest"));
    assert_eq!(input.to_header(), text(case, "signature_input"));
    let answered = unhex(text(case, "request_signature_hex")).try_into().unwrap();
    check_signed(case, &key, &input.base(parse(case, "status"), &digest, &answered));
}

/// The base is the expected one, and the expected signature verifies over it and over nothing else.
fn check_signed(case: &Value, key: &Jwk, base: &str) {
    assert_eq!(base, text(case, "base"));
    assert_eq!(hex(base.as_bytes()), text(case, "base_hex"));
    let signature: [u8; 64] = unhex(text(case, "signature_hex")).try_into().unwrap();
    assert_eq!(signature_header(&signature), text(case, "signature"));
    assert_eq!(parse_signature_header(text(case, "signature")), Some(signature));
    assert!(verifies(
        &ECDSA_P256_SHA256_FIXED,
        &key.to_point(),
        base.as_bytes(),
        &signature
    ));
    let other = format!("{base}\n");
    assert!(!verifies(
        &ECDSA_P256_SHA256_FIXED,
        &key.to_point(),
        other.as_bytes(),
        &signature
    ));
}

fn verifies(algorithm: &'static dyn VerificationAlgorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(algorithm, key)
        .verify(message, signature)
        .is_ok()
}

fn signature_input(case: &Value) {
    let parsed = match text(case, "of") {
        "request" => RequestSignature::parse(text(case, "header")).map(|input| input.to_header()),
        "response" => ResponseSignature::parse(text(case, "header")).map(|input| input.to_header()),
        other => panic!("unknown message {other:?}"),
    };
    assert_eq!(parsed.is_some(), accepted(case));
    assert!(parsed.is_none_or(|header| header == text(case, "header")));
}

fn hash_function(case: &Value) {
    let hash: HashFunction = parse(case, "hash_function");
    let digest = hash.digest(&unhex(text(case, "message_hex")));
    assert_eq!(hex(&digest), text(case, "digest_hex"));
    assert_eq!(digest.len(), hash.length());
}

fn web_eid_bytes(case: &Value) {
    let algorithm: SignatureAlgorithm = parse(case, "algorithm");
    let bytes = web_eid::to_be_signed(&parse(case, "origin"), &parse(case, "challenge"), algorithm);
    assert_eq!(hex(&bytes), text(case, "to_be_signed_hex"));
    assert_eq!(hex(&algorithm.hash().digest(&bytes)), text(case, "digest_hex"));
}

/// Tokens of the official Web eID validators: our bytes are what they verify.
fn web_eid_token(case: &Value) {
    let algorithm: SignatureAlgorithm = parse(case, "algorithm");
    let bytes = web_eid::to_be_signed(&parse(case, "origin"), &parse(case, "challenge"), algorithm);
    let verification: &dyn VerificationAlgorithm = match algorithm {
        SignatureAlgorithm::ES384 => &ring::signature::ECDSA_P384_SHA384_FIXED,
        SignatureAlgorithm::RS256 => &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        other => panic!("no verification for {other}"),
    };
    let (key, signature) = (
        unhex(text(case, "public_key_hex")),
        from_base64(text(case, "signature")).unwrap(),
    );
    assert!(verifies(verification, &key, &bytes, &signature));
    let other = web_eid::to_be_signed(&"https://a".parse().unwrap(), &parse(case, "challenge"), algorithm);
    assert!(!verifies(verification, &key, &other, &signature));
}

fn statement(case: &Value) {
    let canonical = text(case, "canonical");
    let parsed = Statement::from_canonical_json(canonical.as_bytes());
    assert_eq!(parsed.is_some(), accepted(case));
    if !accepted(case) {
        return;
    }
    let made = Statement::new(
        parse(case, "origin"),
        parse(case, "challenge"),
        parse::<Purpose>(case, "purpose"),
        time::OffsetDateTime::from_unix_timestamp(parse(case, "unix_time")).unwrap(),
        &from_base64(text(case, "certificate")).unwrap(),
    );
    assert_eq!(String::from_utf8(made.to_canonical_json()).unwrap(), canonical);
    assert_eq!(hex(&sha256(canonical.as_bytes())), text(case, "sha256_hex"));
    assert_eq!(parsed, Some(made));
}

fn jws_signing_input(case: &Value) {
    let certificates: Vec<String> = parse(case, "certificates");
    let certificates: Vec<_> = certificates.iter().map(|der| from_base64(der).unwrap()).collect();
    let borrowed: Vec<&[u8]> = certificates.iter().map(Vec::as_slice).collect();
    let header = JwsHeader::new(parse(case, "algorithm"), &borrowed);
    assert_eq!(serde_json::to_string(&header).unwrap(), text(case, "header"));
    let statement = Statement::from_canonical_json(text(case, "statement").as_bytes()).unwrap();
    let input = jws::to_be_signed(&header, &statement);
    assert_eq!(input, text(case, "to_be_signed"));
    assert_eq!(hex(&sha256(input.as_bytes())), text(case, "sha256_hex"));
}

/// The wire form, and that the statement is about the certificate and the message about the statement.
fn uec_proof(case: &Value) {
    let proof: Proof = parse(case, "proof");
    assert_eq!(
        serde_json::to_value(&proof).unwrap(),
        case["proof"],
        "nothing lost, nothing added"
    );
    assert_eq!(proof.format(), ProofFormat::Uec);
    let Proof::Uec(proof) = proof else { unreachable!() };
    assert_eq!(proof.version, UEC_PROOF_VERSION);
    let decoded = |text: &str| from_base64(text).unwrap();
    let certificate = decoded(&proof.certificate);
    let statement = Statement::from_canonical_json(&decoded(&proof.statement)).unwrap();
    assert_eq!(statement.certificate_sha256, hex(&sha256(&certificate)));
    assert_eq!(statement.origin, parse(case, "origin"));
    assert_eq!(statement.challenge, parse(case, "challenge"));
    let (signed, hash) = (unhex(text(case, "signed_hex")), unhex(text(case, "statement_hash_hex")));
    let (message, gost) = (decoded(&proof.message), hash.len() == 32);
    let object = [&[0xdf, 0x02, hash.len() as u8], &hash[..]].concat();
    assert!(message.windows(object.len()).any(|window| window == object));
    match (proof.application, gost) {
        (UecApplication::V10, true) => assert!(signed.starts_with(&[0x5f, 0x70]) && signed.ends_with(&message)),
        _ => assert_eq!(signed, message),
    }
    let issuers = proof.issuers.iter().map(|issuer| decoded(issuer));
    for certificate in issuers.chain([certificate]) {
        assert!(certificate.starts_with(&[0x7f, 0x21]));
    }
    assert!([64, 128, 256].contains(&decoded(&proof.cryptogram).len()));
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[test]
fn base64_is_strict_both_ways() {
    assert_eq!(base64(&[0, 1, 2]), "AAEC");
    for text in ["AAEC=", "AAE", "AA==\n", "AB==", "AA=", "A-E=", " AA=="] {
        assert_eq!(from_base64(text), None, "{text:?}");
    }
}
