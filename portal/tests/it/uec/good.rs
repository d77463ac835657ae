//! Good proofs of every kind.

use fixtures::cvc::{Holder, Suite, Version};
use plugin_protocol::encoding::{base64, hex, sha256};
use plugin_protocol::uec::UecApplication;
use plugin_protocol::{Proof, ProofFormat, Purpose};
use portal::uec::{ByteOrder, HolderPath, UecSuite};
use portal::{UecPolicy, Verified, VerifyError};

use super::{KINDS, Scene, with_holders};

#[test]
fn a_card_of_every_kind_proves_its_number_and_snils() {
    for (version, suite) in KINDS {
        let scene = Scene::new(version, suite);
        let card = scene
            .verify(&scene.evidence())
            .unwrap_or_else(|e| panic!("{version:?} {suite:?}: {e}"));
        let holder = Holder::default();
        assert_eq!((card.snils(), card.number()), (&holder.snils[..], &holder.pan[..]));
        assert_eq!(card.masked_number(), "•••• 2347");
        let of = (card.application(), card.suite());
        let application = if version == Version::V10 {
            UecApplication::V10
        } else {
            UecApplication::V11
        };
        assert_eq!(
            of,
            (
                application,
                if suite == Suite::Gost {
                    UecSuite::Gost
                } else {
                    UecSuite::Rsa
                }
            )
        );
        assert_eq!(card.certificate(), scene.pki.application.certificate);
        assert_eq!(
            card.certificate_sha256(),
            hex(&sha256(&scene.pki.application.certificate))
        );
        let path = [&scene.pki.issuer.certificate, &scene.pki.authority.certificate];
        assert!(card.path().iter().eq(path));
        assert_eq!(
            (card.signed_at(), card.signed_purpose()),
            (Some(scene.now), Some(Purpose::ConfirmIdentity))
        );
        assert!(card.is_test() && card.valid_until() > scene.now);
        assert!(card.holder_signature().is_none());
    }
}

#[test]
fn what_was_read_is_told_as_unsigned() {
    let scene = Scene::gost();
    let card = scene.verify(&scene.evidence()).unwrap();
    let data = card.unsigned_data().unwrap();
    let names = [data.surname(), data.given_name(), data.patronymic()];
    assert_eq!(names, [Some("Иванов"), Some("Иван"), Some("Иванович")]);
    assert_eq!(data.birth_date(), Some(time::macros::date!(1980 - 02 - 29)));
    assert_eq!(data.holder_name(), Some("Иванов Иван Иванович"));
    assert!(data.unusable().is_empty());

    let mut padded = scene.evidence();
    padded.data = Some(scene.pki.holder.block_1_2(true));
    assert_eq!(scene.verify(&padded).unwrap().unsigned_data(), Some(data));
    padded.data = None;
    assert!(scene.verify(&padded).unwrap().unsigned_data().is_none());
    padded.data = Some(Vec::new());
    assert_eq!(scene.verify(&padded).unwrap().unsigned_data().unwrap().surname(), None);
}

#[test]
fn the_holders_signature_is_proven_by_a_path_and_the_cards_snils() {
    let scene = Scene::gost();
    for scene in [Scene::gost(), scene.demanding()] {
        let card = scene.verify(&scene.evidence_of_holder()).unwrap();
        let holder = card.holder_signature().unwrap();
        assert!(holder.is_proven());
        assert_eq!(holder.byte_order(), ByteOrder::LittleEndian);
        assert_eq!(holder.certificate_der(), scene.pki.holder_certificate);
        assert_eq!(holder.subject().snils(), Some(card.snils()));
        let HolderPath::Valid { path, test, .. } = holder.path() else {
            panic!("{:?}", holder.path())
        };
        assert_eq!(
            (&path[..], *test),
            (&[scene.pki.holder_authority.certificate.clone()][..], true)
        );
    }
}

/// No source says in which order a card writes its holder's signature.
#[test]
fn the_holders_signature_is_taken_in_either_order_and_told() {
    let scene = Scene::gost().demanding();
    let mut evidence = scene.evidence_of_holder();
    let hash = scene.pki.suite.digest(&scene.statement_bytes());
    let big = scene.pki.holder_key.sign_digest(Version::V10, &hash);
    evidence.holder.as_mut().unwrap().signature = big;
    let card = scene.verify(&evidence).unwrap();
    assert_eq!(card.holder_signature().unwrap().byte_order(), ByteOrder::BigEndian);
}

#[test]
fn a_holder_nobody_knows_proves_nothing_and_is_refused_only_where_demanded() {
    let mut scene = Scene::gost();
    let other = fixtures::pki::TestPki::new();
    let policy = || portal::Policy::builder().test_root(&other.root.certificate).unwrap();
    scene.policy = policy().universal_cards(super::cards(&scene.pki)).build().unwrap();
    let evidence = scene.evidence_of_holder();
    let card = scene.verify(&evidence).unwrap();
    let holder = card.holder_signature().unwrap();
    assert_eq!((holder.path(), holder.is_proven()), (&HolderPath::Unknown, false));

    let demanding = super::cards(&scene.pki).demand_holder_signature();
    scene.policy = policy().universal_cards(demanding).build().unwrap();
    assert_eq!(scene.verify(&evidence).unwrap_err(), VerifyError::UnknownIssuer);
}

#[test]
fn the_roots_own_certificate_may_come_along() {
    let scene = Scene::gost();
    let mut evidence = scene.evidence();
    evidence.issuers.push(scene.pki.authority.certificate.clone());
    assert_eq!(scene.verify(&evidence).unwrap().path().len(), 2);
}

#[test]
fn a_proof_need_not_name_its_terminal() {
    for (version, suite) in KINDS {
        let scene = Scene::new(version, suite);
        let mut evidence = scene.evidence();
        evidence.terminal = None;
        scene.verify(&evidence).unwrap();
    }
    let scene = Scene::gost();
    let mut silent = scene.evidence().resigned_with(&scene.pki, 0x9f1c, &[]);
    silent = silent.resigned_with(&scene.pki, 0x9f1d, &[]);
    silent.terminal = None;
    scene.verify(&silent).unwrap();
}

#[test]
fn several_roots_and_a_root_that_proves_persons() {
    let mut scene = Scene::gost();
    let old = fixtures::cvc::UecPki::new(Version::V10, Suite::Gost);
    let both = [&old.authority.certificate[..], &scene.pki.authority.certificate].concat();
    let cards = UecPolicy::new().root(&both).unwrap();
    scene.policy = portal::Policy::builder().universal_cards(cards).build().unwrap();
    assert_eq!(
        scene.policy.formats(),
        [ProofFormat::Uec],
        "without an X.509 anchor nothing else can be"
    );
    assert!(!scene.verify(&scene.evidence()).unwrap().is_test());
}

#[test]
fn a_card_is_no_identity_by_a_certificate() {
    let scene = Scene::gost();
    let proof = Proof::Uec(scene.evidence().proof());
    let by_certificate = portal::verify(&proof, &scene.origin, &scene.challenge, &scene.policy, scene.now);
    assert_eq!(by_certificate.unwrap_err(), VerifyError::CardProof);
    assert_eq!(
        portal::unverified_signer(&proof, &scene.policy).unwrap_err(),
        VerifyError::CardProof
    );
    let any = portal::verify_any(&proof, &scene.origin, &scene.challenge, &scene.policy, scene.now).unwrap();
    assert!(any.certificate().is_none() && any.card().is_some() && any.is_test());
    assert_eq!(
        (any.format(), any.snils()),
        (ProofFormat::Uec, Some(&scene.pki.holder.snils[..]))
    );
}

#[test]
fn one_function_takes_certificates_too() {
    let cards = Scene::gost();
    let mut scene = crate::support::Scene::new();
    let builder = crate::support::builder(&scene.pki);
    scene.policy = builder.universal_cards(super::cards(&cards.pki)).build().unwrap();
    let person = scene.person(fixtures::pki::KeyKind::P256);
    let proof = scene.jws(&person, plugin_protocol::SignatureAlgorithm::ES256);
    let any = portal::verify_any(&proof, &scene.origin, &scene.challenge, &scene.policy, scene.now).unwrap();
    let Verified::Certificate(identity) = any else {
        panic!("{any:?}")
    };
    assert_eq!(identity.certificate_der(), person.certificate);
}

#[test]
fn the_wire_form_survives_json() {
    let scene = Scene::gost();
    let proof = Proof::Uec(scene.evidence_of_holder().proof());
    let json = serde_json::to_value(&proof).unwrap();
    assert_eq!(
        (&json["format"], &json["application"], &json["version"]),
        (&"uec".into(), &"1.1".into(), &1.into())
    );
    assert!(json.get("data").is_none());
    assert_eq!(json["certificate"], base64(&scene.pki.application.certificate));
    let back: Proof = serde_json::from_value(json).unwrap();
    scene.verify_proof(&back).unwrap();
}

#[test]
fn anchors_of_holders_are_for_nobody_else() {
    let scene = Scene::gost();
    let policy = with_holders(&scene.pki).build().unwrap();
    let person = scene
        .pki
        .holder_authority
        .person("Иванов Иван Иванович", scene.pki.at)
        .issue();
    let mut x509 = crate::support::Scene::new();
    x509.policy = policy;
    let algorithm = plugin_protocol::SignatureAlgorithm::ES256;
    assert_eq!(
        x509.verify(&x509.jws(&person, algorithm)).unwrap_err().code(),
        "algorithm_ended"
    );
}
