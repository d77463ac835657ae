//! Good proofs verify, and the identity says what the certificate says.

use fixtures::pki::{KeyKind, TestPki};
use plugin_protocol::{Proof, Purpose, SignatureAlgorithm};
use portal::{CertificateStatus, Policy, Revocation};

use crate::support::{NAME, Scene, builder, key_for};

#[test]
fn web_eid_and_jws_verify_with_every_algorithm() {
    let scene = Scene::new();
    for algorithm in SignatureAlgorithm::JOSE {
        let person = scene.person(key_for(algorithm));
        for proof in [scene.web_eid(&person, algorithm), scene.jws(&person, algorithm)] {
            let identity = scene
                .verify(&proof)
                .unwrap_or_else(|error| panic!("{algorithm}: {error}"));
            assert_eq!(identity.algorithm(), algorithm);
            assert_eq!(identity.format(), proof.format());
        }
    }
}

#[test]
fn every_kind_of_authority_key_verifies() {
    for kind in KeyKind::GOOD {
        let scene = Scene::with_pki(TestPki::with_keys(kind, kind, fixtures::pki::now()));
        let person = scene.person(KeyKind::P256);
        let identity = scene.verify(&scene.web_eid(&person, SignatureAlgorithm::ES256));
        identity.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}

/// The serial number of the INTEGER TLV, as the identity writes it.
fn serial_of(person: &fixtures::pki::Issued) -> String {
    let tlv = person.serial();
    let octets = &tlv[2..];
    plugin_protocol::encoding::hex(octets.strip_prefix(&[0]).unwrap_or(octets))
}

#[test]
fn the_identity_says_what_the_certificate_says() {
    let scene = Scene::new();
    let person = scene.pki.person(NAME).snils("11223344595").inn("500100732259").issue();
    let identity = scene.verify(&scene.jws(&person, SignatureAlgorithm::ES256)).unwrap();
    let subject = identity.subject();
    assert_eq!(subject.common_name(), Some(NAME));
    assert_eq!(subject.surname(), Some("Иванов"));
    assert_eq!(subject.given_name(), Some("Иван Иванович"));
    assert_eq!(subject.country(), Some("RU"));
    assert_eq!(subject.snils(), Some("11223344595"));
    assert_eq!(subject.inn(), Some("500100732259"));
    assert_eq!(subject.unusable(), [] as [&str; 0]);
    assert_eq!(identity.certificate_der(), person.certificate);
    assert_eq!(identity.certificate_serial(), serial_of(&person));
    assert_eq!(identity.signed_at().unwrap().unix_timestamp(), scene.pki.at);
    assert_eq!(identity.signed_purpose(), Some(Purpose::ConfirmIdentity));
    assert_eq!(identity.path().len(), 2);
    assert!(identity.is_test());
    assert!(identity.issuer().contains("Test intermediate"));
    assert_eq!(identity.revocation(), [CertificateStatus::NotChecked; 2]);
}

#[test]
fn numbers_with_wrong_check_digits_are_left_out_and_told() {
    let scene = Scene::new();
    let person = scene.pki.person(NAME).snils("11223344596").inn("500100732258").issue();
    let identity = scene
        .verify(&scene.web_eid(&person, SignatureAlgorithm::ES256))
        .unwrap();
    assert_eq!(identity.subject().snils(), None);
    assert_eq!(identity.subject().inn(), None);
    assert_eq!(identity.subject().unusable(), ["INN", "SNILS"]);
}

#[test]
fn an_officer_and_a_sole_trader_have_their_numbers() {
    let scene = Scene::new();
    let officer = scene.pki.person(NAME);
    let officer = officer
        .officer_of("ПАО Сбербанк", "Директор", "1027700132195", "7707083893")
        .issue();
    let identity = scene
        .verify(&scene.web_eid(&officer, SignatureAlgorithm::ES256))
        .unwrap();
    assert_eq!(identity.subject().organization(), Some("ПАО Сбербанк"));
    assert_eq!(identity.subject().title(), Some("Директор"));
    assert_eq!(identity.subject().ogrn(), Some("1027700132195"));
    assert_eq!(identity.subject().innle(), Some("7707083893"));
    let trader = scene.pki.person(NAME).sole_trader("304500116000157").issue();
    let identity = scene
        .verify(&scene.web_eid(&trader, SignatureAlgorithm::ES256))
        .unwrap();
    assert_eq!(identity.subject().ogrnip(), Some("304500116000157"));
    let padded = scene.pki.person(NAME).inn("007707083893").issue();
    let identity = scene
        .verify(&scene.web_eid(&padded, SignatureAlgorithm::ES256))
        .unwrap();
    assert_eq!(
        (identity.subject().inn(), identity.subject().innle()),
        (None, Some("7707083893"))
    );
}

#[test]
fn intermediates_come_from_the_proof_as_well() {
    let mut scene = Scene::new();
    let root = Policy::builder().test_root(&scene.pki.root.certificate).unwrap();
    scene.policy = root.build().unwrap();
    let person = scene.person(KeyKind::P256);
    assert!(scene.verify(&scene.jws(&person, SignatureAlgorithm::ES256)).is_ok());
    let error = scene
        .verify(&scene.web_eid(&person, SignatureAlgorithm::ES256))
        .unwrap_err();
    assert_eq!(error, portal::VerifyError::UnknownIssuer);
}

#[test]
fn revocation_evidence_is_used_and_told() {
    let mut scene = Scene::new();
    let at = scene.pki.at;
    let person = scene.person(KeyKind::P256);
    let proof = scene.web_eid(&person, SignatureAlgorithm::ES256);
    let hour_ago = scene.now - time::Duration::HOUR;
    let root_crl = scene.pki.root.crl(at).sign();
    let evidence = Revocation::required().crl(&root_crl).unwrap();
    let by_crl = evidence.clone().crl(&scene.pki.intermediate.crl(at).sign()).unwrap();
    scene.policy = scene.policy.with_revocation(by_crl);
    let identity = scene.verify(&proof).unwrap();
    assert_eq!(identity.revocation(), [CertificateStatus::GoodByCrl(hour_ago); 2]);

    let responder = scene.pki.intermediate.ocsp_responder(at);
    let answer = || scene.pki.intermediate.ocsp(&person.certificate, at);
    for response in [answer().sign(), answer().delegated(&responder).sign()] {
        let policy = scene.policy.with_revocation(evidence.clone().ocsp(&response).unwrap());
        let scene = Scene {
            policy,
            pki: scene.pki.clone(),
            ..Scene::with_pki(scene.pki.clone())
        };
        let identity = scene.verify(&proof).unwrap();
        assert!(matches!(identity.revocation()[0], CertificateStatus::GoodByOcsp(_)));
    }
}

#[test]
fn an_older_crl_cannot_hide_a_newer_one_nor_ocsp_hide_a_crl() {
    let mut scene = Scene::new();
    let at = scene.pki.at;
    let person = scene.person(KeyKind::P256);
    let proof = scene.web_eid(&person, SignatureAlgorithm::ES256);
    let issuer = &scene.pki.intermediate;
    let revoked = issuer
        .crl(at)
        .revoke(&person.serial(), at - 10, fixtures::pki::crl::Reason::KeyCompromise);
    let old_and_good = issuer.crl(at).updates(at - 86_400, Some(at + 86_400)).sign();
    let evidence = Revocation::best_effort()
        .crl(&old_and_good)
        .unwrap()
        .crl(&revoked.sign())
        .unwrap();
    let evidence = evidence.ocsp(&issuer.ocsp(&person.certificate, at).sign()).unwrap();
    scene.policy = scene.policy.with_revocation(evidence);
    let error = scene.verify(&proof).unwrap_err();
    assert_eq!(error, portal::VerifyError::CertificateRevoked(portal::Place::Signer));
}

#[test]
fn old_evidence_is_not_used_when_the_policy_says_so() {
    let mut scene = Scene::new();
    let at = scene.pki.at;
    let person = scene.person(KeyKind::P256);
    let proof = scene.web_eid(&person, SignatureAlgorithm::ES256);
    let crls = [scene.pki.root.crl(at).sign(), scene.pki.intermediate.crl(at).sign()];
    let evidence = |age| {
        let start = Revocation::required().max_age(age);
        crls.iter().fold(start, |evidence, crl| evidence.crl(crl).unwrap())
    };
    scene.policy = scene.policy.with_revocation(evidence(time::Duration::hours(2)));
    assert!(scene.verify(&proof).is_ok());
    scene.policy = scene.policy.with_revocation(evidence(time::Duration::minutes(59)));
    let error = scene.verify(&proof).unwrap_err();
    assert_eq!(error, portal::VerifyError::RevocationUnknown(portal::Place::Signer));
}

#[test]
fn demanded_policies_and_uses_are_found() {
    let mut scene = Scene::new();
    let with_policy = builder(&scene.pki)
        .require_policy(fixtures::pki::extensions::KC1)
        .unwrap();
    scene.policy = with_policy.build().unwrap();
    let person = scene.person(KeyKind::P256);
    assert!(scene.verify(&scene.web_eid(&person, SignatureAlgorithm::ES256)).is_ok());
    let without_uses = scene.pki.person(NAME).extended_usage(&[]).issue();
    let proof = scene.web_eid(&without_uses, SignatureAlgorithm::ES256);
    assert!(
        scene.verify(&proof).is_ok(),
        "Web eID accepts certificates without extKeyUsage"
    );
}

#[test]
fn the_unverified_signer_is_the_one_shown() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::P256);
    let proofs: [Proof; 2] = [
        scene.web_eid(&person, SignatureAlgorithm::ES256),
        scene.jws(&person, SignatureAlgorithm::ES256),
    ];
    for proof in proofs {
        assert_eq!(
            portal::unverified_signer(&proof, &scene.policy).unwrap(),
            person.certificate
        );
    }
}
