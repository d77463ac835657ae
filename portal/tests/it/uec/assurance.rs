//! What an identity says it is worth.

use fixtures::cvc::{Suite, Version};
use portal::assurance::{Limit, Proven, Told};

use super::Scene;

#[test]
fn after_pin1_the_card_is_proven_and_its_holder_only_told() {
    let scene = Scene::gost();
    let assurance = scene.verify(&scene.evidence()).unwrap().assurance();
    assert_eq!(assurance.proven(), [Proven::CardAuthentic, Proven::CardSnils]);
    assert_eq!(assurance.told(), [Told::HolderPin, Told::CardData, Told::Terminal]);
    let limits = [
        Limit::EndedGost2001,
        Limit::CardBlockingUnknown,
        Limit::FormNeverSeen,
        Limit::ProgrammeEnded,
        Limit::Test,
    ];
    assert_eq!(assurance.limits(), limits);
}

#[test]
fn after_pin2_the_holder_is_proven_if_somebody_vouches_for_the_certificate() {
    let mut scene = Scene::gost();
    let evidence = scene.evidence_of_holder();
    let assurance = scene.verify(&evidence).unwrap().assurance();
    assert!(assurance.proves(Proven::HolderSignature));
    assert_eq!(assurance.told(), [Told::Terminal]);
    assert!(assurance.limits().contains(&Limit::RevocationUnknown));

    let other = fixtures::pki::TestPki::new();
    let policy = portal::Policy::builder().test_root(&other.root.certificate).unwrap();
    scene.policy = policy.universal_cards(super::cards(&scene.pki)).build().unwrap();
    let assurance = scene.verify(&evidence).unwrap().assurance();
    assert!(!assurance.proves(Proven::HolderSignature));
    assert!(assurance.told().contains(&Told::HolderSignature));
}

#[test]
fn an_old_suite_is_named() {
    let scene = Scene::new(Version::V10, Suite::Rsa);
    let limits = scene.verify(&scene.evidence()).unwrap().assurance().limits().to_vec();
    assert!(limits.contains(&Limit::EndedRsaSha1) && !limits.contains(&Limit::EndedGost2001));
}

#[test]
fn a_certificates_identity_says_what_it_is_worth_too() {
    let scene = crate::support::Scene::new();
    let person = scene.person(fixtures::pki::KeyKind::P256);
    let identity = scene
        .verify(&scene.jws(&person, plugin_protocol::SignatureAlgorithm::ES256))
        .unwrap();
    let assurance = identity.assurance();
    assert_eq!(assurance.proven(), [Proven::CertificateKey, Proven::CertificatePath]);
    assert_eq!(
        (assurance.told(), assurance.limits()),
        (&[][..], &[Limit::RevocationUnknown, Limit::Test][..])
    );
}
