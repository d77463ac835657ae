//! What is refused, and by which name.

use std::collections::BTreeMap;

use fixtures::cvc::{Evidence, Suite, Version, bad_evidence};
use plugin_protocol::encoding::base64;
use plugin_protocol::uec::UecProof;
use plugin_protocol::{Proof, Purpose};
use portal::policy::PolicyError;
use portal::{Budget, Policy, UecPolicy, VerifyError};
use time::Duration;

use super::{KINDS, Scene, cards, with_holders};

/// The code of every bad case of the fixtures, by its name.
fn expected(name: &str) -> &'static [&'static str] {
    match name {
        // The octet that is changed may be one of the key's, which is no point of the curve then.
        "certificate-altered" => &["certificate_signature", "certificate_encoding"],
        "application-signed-by-operator" | "certificate-signature-flipped" | "certificate-signature-short" => {
            &["certificate_signature"]
        }
        "issuer-signed-by-stranger" | "without-issuer" => &["unknown_issuer"],
        "application-expired" | "issuer-expired" | "holder-certificate-expired" => &["certificate_expired"],
        "application-not-yet-valid" | "issuer-not-yet-valid" => &["certificate_not_yet_valid"],
        name if name.starts_with("application-") || name.starts_with("issuer-") || name.starts_with("certificate-") => {
            &["certificate_encoding"]
        }
        "terminal-as-application" | "terminal-is-operator" => &["certificate_encoding"],
        "terminal-info-of-another" | "terminal-key-of-another" => &["terminal_mismatch"],
        "statement-of-another" => &["content_mismatch"],
        "hash-short" => &["content_mismatch", "malformed"],
        "hash-missing" | "hash-twice" | "data-snils-twice" | "data-truncated" | "holder-certificates-missing" => {
            &["malformed"]
        }
        "version-mislabelled" => &["certificate_encoding"],
        "message-altered" => &["signature_invalid"],
        name if name.starts_with("message-") => &["malformed"],
        name if name.starts_with("cryptogram-") => &["signature_invalid"],
        "data-snils-of-another" | "holder-certificate-of-another-person" => &["snils_mismatch"],
        "holder-certificate-self-made" => &["unknown_issuer"],
        name if name.starts_with("holder-signature-") => &["holder_signature"],
        _ => &[],
    }
}

/// The cases, each with a statement that names the certificate it shows, so that it differs in nothing else.
fn cases(scene: &Scene) -> Vec<fixtures::cvc::BadEvidence> {
    let mut by_certificate: BTreeMap<Vec<u8>, Vec<&str>> = BTreeMap::new();
    for case in bad_evidence(&scene.pki, b"") {
        by_certificate
            .entry(case.evidence.certificate)
            .or_default()
            .push(case.name);
    }
    let mut found = Vec::new();
    for (certificate, names) in by_certificate {
        let statement = scene.statement(&certificate).to_canonical_json();
        let of_this = bad_evidence(&scene.pki, &statement).into_iter();
        found.extend(of_this.filter(|case| names.contains(&case.name)));
    }
    found
}

#[test]
fn every_bad_case_of_every_kind_by_its_name() {
    let mut judged = 0;
    for (version, suite) in KINDS {
        let scene = Scene::new(version, suite);
        let demanding = Scene {
            now: scene.now,
            ..Scene::new(version, suite).demanding()
        };
        for case in cases(&scene) {
            let judge = if case.name.starts_with("holder-") {
                &demanding
            } else {
                &scene
            };
            let error = match judge.verify(&case.evidence) {
                Ok(_) => panic!("{version:?} {suite:?} {}: accepted, though {}", case.name, case.why),
                Err(error) => error,
            };
            let codes = expected(case.name);
            assert!(
                codes.contains(&error.code()),
                "{version:?} {suite:?} {}: {} {error}",
                case.name,
                error.code()
            );
            judged += 1;
        }
    }
    assert!(judged >= 160, "{judged}");
}

/// Everything that can be wrong with the wire form, from a good proof.
#[test]
fn the_wire_form_is_exact() {
    let scene = Scene::gost();
    let good = scene.evidence_of_holder().proof();
    let refused = |change: &dyn Fn(&mut UecProof)| {
        let mut proof = good.clone();
        change(&mut proof);
        scene.verify_proof(&Proof::Uec(proof)).unwrap_err().code()
    };
    type Change = fn(&mut UecProof);
    let malformed: [Change; 14] = [
        |proof| proof.version = 0,
        |proof| proof.version = 2,
        |proof| proof.statement.push('\n'),
        |proof| proof.statement = base64(b"{}"),
        |proof| proof.statement.clear(),
        |proof| proof.certificate.insert(0, ' '),
        |proof| proof.issuers[0] = "?".to_owned(),
        |proof| proof.message.pop().map(drop).unwrap_or_default(),
        |proof| proof.cryptogram = "====".to_owned(),
        |proof| proof.terminal = Some("~".to_owned()),
        |proof| proof.data = Some("~".to_owned()),
        |proof| proof.holder.as_mut().unwrap().signature = "~".to_owned(),
        |proof| proof.holder.as_mut().unwrap().certificates[0].push('='),
        |proof| proof.message = base64(&[0; 3]),
    ];
    for (index, change) in malformed.iter().enumerate() {
        assert_eq!(refused(change), "malformed", "change {index}");
    }
    assert_eq!(
        refused(&|proof| proof.holder.as_mut().unwrap().certificates[0] = base64(b"x")),
        "certificate_encoding"
    );
    assert_eq!(refused(&|proof| proof.cryptogram.clear()), "signature_invalid");
    assert_eq!(
        refused(&|proof| proof.terminal = Some(String::new())),
        "certificate_encoding"
    );
}

#[test]
fn a_proof_is_bound_to_portal_challenge_purpose_and_time() {
    let scene = Scene::gost();
    let evidence = scene.evidence();
    let changed = |change: &dyn Fn(&mut Scene)| {
        let mut other = Scene::gost();
        other.now = scene.now;
        change(&mut other);
        other.verify(&evidence).unwrap_err().code()
    };
    assert_eq!(
        changed(&|other| other.origin = "https://portal.example.org".parse().unwrap()),
        "origin_mismatch"
    );
    assert_eq!(
        changed(&|other| other.challenge = "c".repeat(44).parse().unwrap()),
        "challenge_mismatch"
    );
    assert_eq!(
        changed(&|other| other.challenge = "c".repeat(43).parse().unwrap()),
        "challenge_too_short"
    );
    assert_eq!(
        changed(&|other| other.policy = other.policy.expecting(Purpose::SignIn)),
        "purpose_mismatch"
    );
    assert_eq!(
        changed(&|other| other.now += Duration::minutes(8)),
        "signing_time_too_old"
    );
    assert_eq!(
        changed(&|other| other.now -= Duration::minutes(3)),
        "signing_time_in_future"
    );
    let mut other = scene.evidence();
    other.certificate = scene.pki.issuer.certificate.clone();
    assert_eq!(scene.verify(&other).unwrap_err(), VerifyError::CertificateMismatch);
}

#[test]
fn nothing_is_taken_that_the_policy_does_not_ask_for() {
    let mut scene = Scene::gost();
    let evidence = scene.evidence();
    let formats = &plugin_protocol::ProofFormat::ALL;
    scene.policy = with_holders(&scene.pki).formats(formats).build().unwrap();
    assert!(!scene.policy.formats().contains(&plugin_protocol::ProofFormat::Uec));
    assert_eq!(
        scene.verify(&evidence).unwrap_err(),
        VerifyError::FormatNotAllowed("uec")
    );

    let rsa = Scene::new(Version::V11, Suite::Rsa);
    let cautious = UecPolicy::new().test_root(&rsa.pki.authority.certificate).unwrap();
    let policy = with_holders(&rsa.pki).universal_cards(cautious).build().unwrap();
    let refused = Scene {
        policy,
        ..Scene::new(Version::V11, Suite::Rsa)
    };
    let error = refused.verify(&refused.evidence()).unwrap_err();
    assert_eq!(error, VerifyError::AlgorithmNotAllowed("RSA with SHA-1".to_owned()));

    let demanding = Scene::gost().demanding();
    assert_eq!(
        demanding.verify(&demanding.evidence()).unwrap_err().code(),
        "holder_signature"
    );
}

#[test]
fn a_root_of_another_kind_vouches_for_nobody() {
    for (version, suite) in KINDS {
        let mut scene = Scene::new(version, suite);
        for (other_version, other_suite) in KINDS.into_iter().filter(|kind| *kind != (version, suite)) {
            let other = fixtures::cvc::UecPki::new(other_version, other_suite);
            scene.policy = with_holders(&scene.pki).universal_cards(cards(&other)).build().unwrap();
            assert_eq!(scene.verify(&scene.evidence()).unwrap_err(), VerifyError::UnknownIssuer);
        }
    }
}

#[test]
fn roots_are_certificates_of_roots() {
    let pki = Scene::gost().pki;
    let root = |bytes: &[u8]| UecPolicy::new().root(bytes).unwrap_err();
    for bytes in [
        &b""[..],
        b"-----BEGIN CERTIFICATE-----",
        &pki.authority.certificate[1..],
    ] {
        let refused = root(bytes);
        assert!(
            matches!(refused, PolicyError::NoCardRoot(_) | PolicyError::Certificate(_)),
            "{refused:?}"
        );
    }
    for other in [&pki.operator, &pki.issuer, &pki.terminal, &pki.application] {
        assert!(root(&other.certificate).to_string().contains("type 01"));
    }
    let with_tail = [&pki.authority.certificate[..], &[0]].concat();
    assert!(matches!(root(&with_tail), PolicyError::NoCardRoot(_)));
    assert!(matches!(root(&pki.holder_certificate), PolicyError::Certificate(_)));
    let none = Policy::builder().universal_cards(UecPolicy::new()).build();
    assert!(matches!(none, Err(PolicyError::NoCardRoot(_))));
}

#[test]
fn an_expired_root_ends_it() {
    let mut scene = Scene::gost();
    let mut template = scene.pki.authority.template.clone();
    template.expires = scene.pki.at - 2 * 86_400;
    let key = scene.pki.authority.key.clone();
    let expired = template.sign(Version::V11, &key);
    let cards = UecPolicy::new().root(&expired).unwrap();
    scene.policy = with_holders(&scene.pki).universal_cards(cards).build().unwrap();
    let error = scene.verify(&scene.evidence()).unwrap_err();
    assert!(
        matches!(error, VerifyError::CertificateExpired(portal::Place::Anchor, _)),
        "{error}"
    );
}

/// The last day counts to its end, UTC, and the first from its beginning.
#[test]
fn days_are_whole() {
    let mut scene = Scene::gost();
    let last = scene.verify(&scene.evidence()).unwrap().valid_until();
    for (now, good) in [(last, true), (last + Duration::SECOND, false)] {
        scene.now = now;
        assert_eq!(scene.verify(&scene.evidence()).is_ok(), good, "{now}");
    }
}

#[test]
fn a_chain_has_its_links_and_no_others() {
    let scene = Scene::gost();
    let good = scene.evidence();
    let with = |issuers: &[&Vec<u8>]| Evidence {
        issuers: issuers.iter().map(|issuer| (*issuer).clone()).collect(),
        ..good.clone()
    };
    let pki = &scene.pki;
    let (issuer, root, operator) = (
        &pki.issuer.certificate,
        &pki.authority.certificate,
        &pki.operator.certificate,
    );
    for issuers in [
        &[][..],
        &[root],
        &[issuer, issuer],
        &[issuer, operator],
        &[issuer, root, root],
        &[root, issuer],
    ] {
        assert!(scene.verify(&with(issuers)).is_err(), "{} issuers", issuers.len());
    }
    // Of one version and suite, all of it.
    let rsa = fixtures::cvc::UecPki::new(Version::V11, Suite::Rsa);
    assert_eq!(
        scene.verify(&with(&[&rsa.issuer.certificate])).unwrap_err().code(),
        "certificate_algorithm"
    );
}

#[test]
fn work_is_bounded() {
    let scene = Scene::gost();
    let with = |budget: Budget| {
        let policy = with_holders(&scene.pki)
            .universal_cards(cards(&scene.pki))
            .budget(budget)
            .build()
            .unwrap();
        let refused = Scene {
            policy,
            now: scene.now,
            ..Scene::gost()
        };
        refused.verify(&scene.evidence_of_holder()).map(|_| ())
    };
    let full = Budget::default();
    assert_eq!(
        with(Budget {
            signature_checks: 5,
            ..full
        }),
        Ok(())
    );
    for checks in 0..5 {
        let spent = with(Budget {
            signature_checks: checks,
            ..full
        });
        assert_eq!(spent, Err(VerifyError::BudgetExceeded("signature checks")), "{checks}");
    }
    assert_eq!(
        with(Budget {
            certificates: 3,
            ..full
        }),
        Err(VerifyError::BudgetExceeded("certificates"))
    );
    assert_eq!(
        with(Budget {
            proof_bytes: 900,
            ..full
        }),
        Err(VerifyError::BudgetExceeded("bytes of the proof"))
    );
    let mut many = scene.evidence();
    many.issuers = vec![scene.pki.issuer.certificate.clone(); 8];
    assert_eq!(
        scene.verify(&many).unwrap_err(),
        VerifyError::BudgetExceeded("certificates")
    );
}

#[test]
fn a_holder_is_a_person_with_a_key_of_the_cards_age_and_the_cards_snils() {
    let scene = Scene::gost().demanding();
    let statement = scene.statement_bytes();
    let pki = &scene.pki;
    let judge = |certificate: Vec<u8>| {
        let mut evidence = pki.evidence_of_holder(&statement);
        evidence.holder.as_mut().unwrap().certificates = vec![certificate];
        scene.verify(&evidence).unwrap_err().code()
    };
    let person = || pki.holder_authority.person(&pki.holder.full_name(), pki.at);
    let mine = || person().snils(&pki.holder.snils);
    let no_snils = fixtures::pki::Name::new().common_name("Иванов Иван Иванович");
    let key = pki.holder_key.test_key();
    assert_eq!(
        judge(person().subject(no_snils).with_key(key.clone()).issue().certificate),
        "snils_mismatch"
    );
    assert_eq!(
        judge(mine().key(fixtures::pki::KeyKind::GOST_256).issue().certificate),
        "key_not_accepted"
    );
    assert_eq!(
        judge(mine().key(fixtures::pki::KeyKind::P256).issue().certificate),
        "key_not_accepted"
    );
    let authority = mine().with_key(key.clone()).issue_with(|template| {
        template.set(fixtures::pki::Extension::authority(None));
    });
    assert_eq!(judge(authority.certificate), "certificate_is_authority");
    let unusable = mine().with_key(key).issue_with(|template| {
        template.set(fixtures::pki::Extension::key_usage(&[
            fixtures::pki::KeyUsage::KeyAgreement,
        ]));
    });
    assert_eq!(judge(unusable.certificate), "key_usage");
}

#[test]
fn only_a_gost_card_of_version_1_1_has_a_holders_signature() {
    for (version, suite) in KINDS.into_iter().filter(|kind| *kind != (Version::V11, Suite::Gost)) {
        let scene = Scene::new(version, suite);
        assert_eq!(
            scene.verify(&scene.evidence_of_holder()).unwrap_err().code(),
            "malformed"
        );
    }
}
