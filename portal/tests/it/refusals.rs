//! Proofs that are refused, each for its own reason.

use fixtures::pki::KeyKind;
use plugin_protocol::encoding::{base64, base64url};
use plugin_protocol::jws::JwsHeader;
use plugin_protocol::{Proof, ProofFormat, Purpose, SignatureAlgorithm as A, Statement, jws};
use portal::policy::{Budget, ExtendedKeyUsage};
use portal::{Policy, VerifyError};
use time::Duration;

use crate::support::{NAME, Scene, builder, sign_jws};

fn refused(scene: &Scene, proof: &Proof) -> VerifyError {
    scene.verify(proof).expect_err("must be refused")
}

#[test]
fn a_proof_for_another_origin_or_challenge() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let (token, jws) = (scene.web_eid(&person, A::ES256), scene.jws(&person, A::ES256));
    scene.origin = "https://portal.example:8443".parse().unwrap();
    assert_eq!(refused(&scene, &token), VerifyError::SignatureInvalid);
    assert_eq!(refused(&scene, &jws), VerifyError::OriginMismatch);
    scene.origin = "https://portal.example".parse().unwrap();
    scene.challenge = base64(&[8; 32]).parse().unwrap();
    assert_eq!(refused(&scene, &token), VerifyError::SignatureInvalid);
    assert_eq!(refused(&scene, &jws), VerifyError::ChallengeMismatch);
}

#[test]
fn a_statement_of_another_purpose_time_certificate_or_form() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let header = JwsHeader::new(A::ES256, &[&person.certificate]);
    let signed = |change: &dyn Fn(&mut Statement)| {
        let mut statement = scene.statement(&person.certificate);
        change(&mut statement);
        refused(
            &scene,
            &sign_jws(&person, A::ES256, &jws::to_be_signed(&header, &statement)),
        )
    };
    assert_eq!(signed(&|s| s.purpose = Purpose::SignIn), VerifyError::PurposeMismatch);
    assert_eq!(
        signed(&|s| s.certificate_sha256 = "0".repeat(64)),
        VerifyError::CertificateMismatch
    );
    let not_canonical = VerifyError::Malformed("the content is not a canonical confirmation statement");
    assert_eq!(signed(&|s| s.version = 2), not_canonical);
    assert_eq!(signed(&|s| s.kind = "other".to_owned()), not_canonical);
    let time = VerifyError::Malformed("the statement's time");
    assert_eq!(signed(&|s| s.time = "yesterday".to_owned()), time);
    assert_eq!(signed(&|s| s.time = "2026-11-25T21:38:12+03:00".to_owned()), time);
    let spaced = format!(
        "{}.{}",
        base64url(&serde_json::to_vec(&header).unwrap()),
        base64url(&serde_json::to_vec_pretty(&scene.statement(&person.certificate)).unwrap())
    );
    assert_eq!(refused(&scene, &sign_jws(&person, A::ES256, &spaced)), not_canonical);
}

#[test]
fn a_signing_time_outside_the_window() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let proof = scene.jws(&person, A::ES256);
    let signed = scene.now;
    for (offset, accepted) in [(-121, false), (-119, true), (419, true), (421, false)] {
        scene.now = signed + Duration::seconds(offset);
        assert_eq!(scene.verify(&proof).is_ok(), accepted, "{offset}");
    }
    assert_eq!(refused(&scene, &proof), VerifyError::SigningTimeTooOld(signed));
    scene.now = signed - Duration::seconds(200);
    assert_eq!(refused(&scene, &proof), VerifyError::SigningTimeInFuture(signed));
    assert!(refused(&scene, &proof).is_retryable());
}

#[test]
fn an_algorithm_outside_the_allow_list_or_for_another_key() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let Proof::WebEid(mut token) = scene.web_eid(&person, A::ES256) else {
        unreachable!()
    };
    token.algorithm = A::ES384;
    assert_eq!(
        refused(&scene, &Proof::WebEid(token.clone())),
        VerifyError::AlgorithmMismatch
    );
    token.algorithm = A::RS256;
    assert_eq!(refused(&scene, &Proof::WebEid(token)), VerifyError::AlgorithmMismatch);
    scene.policy = builder(&scene.pki).algorithms(&[A::ES384, A::PS256]).build().unwrap();
    let error = refused(&scene, &scene.web_eid(&person, A::ES256));
    assert_eq!(error, VerifyError::AlgorithmNotAllowed("ES256".to_owned()));
}

#[test]
fn a_signature_by_another_key() {
    let scene = Scene::new();
    let (person, other) = (scene.person(KeyKind::P256), scene.person(KeyKind::P256));
    let Proof::WebEid(mut token) = scene.web_eid(&other, A::ES256) else {
        unreachable!()
    };
    token.unverified_certificate = base64(&person.certificate);
    assert_eq!(refused(&scene, &Proof::WebEid(token)), VerifyError::SignatureInvalid);
}

#[test]
fn der_encoded_ecdsa_and_odd_base64_in_a_token() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let Proof::WebEid(token) = scene.web_eid(&person, A::ES256) else {
        unreachable!()
    };
    let message = plugin_protocol::web_eid::to_be_signed(&scene.origin, &scene.challenge, A::ES256);
    let mut der = token.clone();
    der.signature = base64(&person.key.sign(person.key.default_algorithm(), &message));
    assert_eq!(refused(&scene, &Proof::WebEid(der)), VerifyError::SignatureInvalid);
    for odd in [
        format!("{} ", token.signature),
        token.signature.trim_end_matches('=').to_owned(),
    ] {
        let mut token = token.clone();
        token.signature = odd;
        assert!(matches!(
            refused(&scene, &Proof::WebEid(token)),
            VerifyError::Malformed(_)
        ));
    }
}

#[test]
fn a_jws_header_that_says_more_or_less() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let payload = base64url(&scene.statement(&person.certificate).to_canonical_json());
    let certificate = base64(&person.certificate);
    for header in [
        format!(r#"{{"alg":"ES256","typ":"JWT","x5c":["{certificate}"]}}"#),
        format!(r#"{{"alg":"ES256","x5c":["{certificate}"]}}"#),
        format!(r#"{{"alg":"none","typ":"eid-confirmation+jws","x5c":["{certificate}"]}}"#),
        format!(r#"{{"alg":"HS256","typ":"eid-confirmation+jws","x5c":["{certificate}"]}}"#),
        format!(r#"{{"alg":"ES256","typ":"eid-confirmation+jws","x5c":["{certificate}"],"crit":["b64"],"b64":false}}"#),
        format!(
            r#"{{"alg":"ES256","typ":"eid-confirmation+jws","x5c":["{certificate}"],"jku":"https://evil.example"}}"#
        ),
        format!(r#"{{"alg":"ES256","alg":"ES384","typ":"eid-confirmation+jws","x5c":["{certificate}"]}}"#),
        r#"{"alg":"ES256","typ":"eid-confirmation+jws","x5c":[]}"#.to_owned(),
        r#"{"alg":"ES256","typ":"eid-confirmation+jws"}"#.to_owned(),
        // The members' values in their order are no object.
        format!(r#"["ES256","eid-confirmation+jws",["{certificate}"]]"#),
    ] {
        let input = format!("{}.{payload}", base64url(header.as_bytes()));
        let error = refused(&scene, &sign_jws(&person, A::ES256, &input));
        assert!(matches!(error, VerifyError::Malformed(_)), "{header}: {error}");
    }
    for text in ["", ".", "..", "a.b", "a.b.c.d"] {
        let error = refused(&scene, &Proof::Jws { jws: text.to_owned() });
        assert!(matches!(error, VerifyError::Malformed(_)), "{text}: {error}");
    }
}

#[test]
fn a_test_certificate_where_no_test_root_is_named() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let builder = Policy::builder().trust_anchor(&scene.pki.root.certificate).unwrap();
    scene.policy = builder
        .intermediate(&scene.pki.intermediate.certificate)
        .unwrap()
        .build()
        .unwrap();
    assert_eq!(
        refused(&scene, &scene.web_eid(&person, A::ES256)),
        VerifyError::TestCertificate
    );
}

#[test]
fn a_signing_certificate_shown_for_a_login() {
    use fixtures::pki::KeyUsage;
    let scene = Scene::new();
    let signer = scene.pki.person(NAME).usage(&[KeyUsage::NonRepudiation]).issue();
    assert_eq!(
        refused(&scene, &scene.web_eid(&signer, A::ES256)),
        VerifyError::KeyUsage
    );
}

#[test]
fn a_certificate_under_a_forbidden_policy_or_without_demanded_use() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let kc1 = fixtures::pki::extensions::KC1;
    scene.policy = builder(&scene.pki).forbid_policy(kc1).unwrap().build().unwrap();
    assert_eq!(
        refused(&scene, &scene.web_eid(&person, A::ES256)),
        VerifyError::PolicyForbidden(kc1.to_owned())
    );
    let strict = ExtendedKeyUsage {
        absent_allowed: false,
        ..ExtendedKeyUsage::default()
    };
    scene.policy = builder(&scene.pki).extended_key_usage(strict).build().unwrap();
    let bare = scene.pki.person(NAME).extended_usage(&[]).issue();
    assert_eq!(
        refused(&scene, &scene.web_eid(&bare, A::ES256)),
        VerifyError::ExtendedKeyUsage
    );
}

#[test]
fn a_format_the_policy_does_not_take_and_a_short_challenge() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    scene.policy = builder(&scene.pki).formats(&[ProofFormat::Jws]).build().unwrap();
    assert_eq!(
        refused(&scene, &scene.web_eid(&person, A::ES256)),
        VerifyError::FormatNotAllowed("web-eid:1.0")
    );
    scene.challenge = "a".repeat(32).parse().unwrap();
    assert_eq!(
        refused(&scene, &scene.jws(&person, A::ES256)),
        VerifyError::ChallengeTooShort
    );
}

#[test]
fn more_work_than_the_budget_grants() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let with = |budget| builder(&scene.pki).budget(budget).build().unwrap();
    let policies = [
        (
            with(Budget {
                proof_bytes: 100,
                ..Budget::default()
            }),
            "bytes of the proof",
        ),
        (
            with(Budget {
                certificates: 1,
                ..Budget::default()
            }),
            "certificates in the proof",
        ),
        (
            with(Budget {
                path_steps: 1,
                ..Budget::default()
            }),
            "path building",
        ),
        (
            with(Budget {
                signature_checks: 1,
                ..Budget::default()
            }),
            "signature checks",
        ),
    ];
    for (policy, what) in policies {
        scene.policy = policy;
        assert_eq!(
            refused(&scene, &scene.jws(&person, A::ES256)),
            VerifyError::BudgetExceeded(what)
        );
    }
}

#[test]
fn a_maze_of_authorities_ends_within_the_budget() {
    let mut scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let mut policy = Policy::builder().test_root(&scene.pki.root.certificate).unwrap();
    // Cross-certificates between four authorities of one name: 4! orders and more.
    let names: Vec<_> = (0..4)
        .map(|_| fixtures::pki::TestKey::generate(KeyKind::P256))
        .collect();
    let name = scene.pki.intermediate.name.clone();
    for key in &names {
        for issuer in &names {
            let mut template = scene.pki.intermediate.authority_template(&name, key, scene.pki.at);
            template.remove("2.5.29.35").remove("2.5.29.14");
            let algorithm = issuer.default_algorithm();
            policy = policy.intermediate(&template.sign(issuer, algorithm)).unwrap();
        }
    }
    scene.policy = policy.build().unwrap();
    let error = refused(&scene, &scene.web_eid(&person, A::ES256));
    assert_eq!(error, VerifyError::BudgetExceeded("path building"));
}

/// Two ways lead over one forged certificate: its signature is looked at once.
#[test]
fn a_signature_is_checked_once_however_many_paths_lead_over_it() {
    use fixtures::pki::{Authority, Name, TestKey};
    let mut scene = Scene::new();
    let at = scene.pki.at;
    let forger = Authority::root(scene.pki.root.name.clone(), TestKey::generate(KeyKind::P256), at);
    let (name, key) = (Name::test_authority("Test forged"), TestKey::generate(KeyKind::P256));
    let mut template = forger.authority_template(&name, &key, at);
    template.remove("2.5.29.35");
    let forged = forger.subordinate(name, &template, key);
    let first = forged.intermediate("Test intermediate under the forged", KeyKind::P256, at);
    let second = forged.sign(&forged.authority_template(&first.name, &first.key, at));
    let person = first.person(NAME, at).issue();
    let policy = Policy::builder().test_root(&scene.pki.root.certificate).unwrap();
    let authorities = [&forged.certificate, &first.certificate, &second];
    let policy = authorities
        .into_iter()
        .fold(policy, |policy, authority| policy.intermediate(authority).unwrap());
    // The proof's own signature, and the forged one.
    let budget = Budget {
        signature_checks: 2,
        ..Budget::default()
    };
    scene.policy = policy.budget(budget).build().unwrap();
    let error = refused(&scene, &scene.web_eid(&person, A::ES256));
    assert_eq!(error, VerifyError::CertificateSignature(portal::Place::Intermediate));
}

#[test]
fn a_flipped_byte_anywhere_in_a_jws_or_token() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let Proof::Jws { jws } = scene.jws(&person, A::ES256) else {
        unreachable!()
    };
    // Every character of the statement and the signature, every third of the long header.
    let header = jws.find('.').unwrap();
    for index in (0..jws.len()).filter(|index| *index >= header || index % 3 == 0) {
        let mut bytes = jws.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let changed = Proof::Jws {
            jws: String::from_utf8(bytes).unwrap(),
        };
        // The intermediate in x5c is only an offer: a broken copy of what the policy has is a broken offer.
        assert!(scene.verify(&changed).is_err(), "byte {index}");
    }
}
