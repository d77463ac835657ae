//! What must be refused, each for its own reason.

use fixtures::der_writer::{bit_string, octet_string, oid, sequence};
use fixtures::pki::cms::{Cms, MESSAGE_DIGEST};
use fixtures::pki::gost::gost_spki;
use fixtures::pki::hash::Hash;
use fixtures::pki::{KeyKind, SignatureAlgorithm as Certificates, TestKey, TestPki};
use gost3410::{Algorithm, ParameterSet};
use plugin_protocol::encoding::base64;
use plugin_protocol::proof::WebEidToken;
use plugin_protocol::{Proof, ProofFormat, SignatureAlgorithm as A, jws};
use portal::signature::Scheme;
use portal::{Budget, Place, VerifyError};

use super::{outcome, proof_of, scene, statement_cms};
use crate::support::{NAME, Scene, builder};

const ENDED: &str = "GOST R 34.10-2001";

fn refused(scene: &Scene, cms: &Cms) -> VerifyError {
    outcome(scene, cms).expect_err("must be refused")
}

#[test]
fn keys_and_signatures_of_2001_by_name_wherever_they_are() {
    let new = scene();
    let person = new.person(KeyKind::GOST_2001);
    let error = refused(&new, &statement_cms(&new, &person));
    assert_eq!(error, VerifyError::AlgorithmEnded(Place::Signer, ENDED));
    assert!(
        error.to_string().contains("GOST R 34.10-2001") && error.to_string().contains("2012"),
        "{error}"
    );
    let under = |root, intermediate| {
        let scene = Scene::with_pki(TestPki::with_keys(root, intermediate, fixtures::pki::now()));
        let person = scene.person(KeyKind::GOST_256);
        refused(&scene, &statement_cms(&scene, &person))
    };
    let by_intermediate = under(KeyKind::GOST_256, KeyKind::GOST_2001);
    assert_eq!(by_intermediate, VerifyError::AlgorithmEnded(Place::Signer, ENDED));
    let by_root = under(KeyKind::GOST_2001, KeyKind::GOST_256);
    assert_eq!(by_root, VerifyError::AlgorithmEnded(Place::Intermediate, ENDED));
    assert_eq!(by_root.remedy(), portal::Remedy::AnotherCertificate);
}

#[test]
fn algorithms_of_2001_in_a_cms_by_name() {
    let scene = scene();
    let person = scene.person(KeyKind::GOST_256);
    let ended = |name| VerifyError::AlgorithmEnded(Place::Signer, name);
    for identifier in [
        Certificates::GOST_2001.identifier(),
        Certificates::GOST_2001.key_form().unwrap(),
    ] {
        let mut cms = statement_cms(&scene, &person);
        cms.signature_algorithm = identifier;
        assert_eq!(refused(&scene, &cms), ended(ENDED));
    }
    let mut cms = statement_cms(&scene, &person);
    cms.digest_algorithm = Hash::Gost94.identifier();
    assert_eq!(refused(&scene, &cms), ended("GOST R 34.11-94"));
}

#[test]
fn algorithms_that_are_not_the_keys() {
    let scene = scene();
    let [small, large] = [KeyKind::GOST_256, KeyKind::GOST_512].map(|kind| scene.person(kind));
    let foreign = scene.person(KeyKind::P256);
    let (gost_256, gost_512) = (Certificates::GOST_256, Certificates::GOST_512);
    // The key, the digest, the signature's algorithm.
    let cases = [
        (&small, Hash::Streebog512, gost_512.identifier()),
        (&small, Hash::Streebog512, gost_512.key_form().unwrap()),
        (&large, Hash::Streebog256, gost_256.identifier()),
        (&large, Hash::Streebog256, gost_256.key_form().unwrap()),
        (&small, Hash::Sha256, Certificates::EcdsaSha256.identifier()),
        (&small, Hash::Sha256, Certificates::RsaSha256.identifier()),
        (&small, Hash::Streebog256, sequence(&[&oid("1.2.840.113549.1.1.1")])),
        (&foreign, Hash::Streebog256, gost_256.key_form().unwrap()),
        (&foreign, Hash::Streebog512, gost_512.identifier()),
    ];
    for (signer, hash, algorithm) in cases {
        let mut cms = statement_cms(&scene, signer);
        cms.set(MESSAGE_DIGEST, &[&octet_string(&hash.digest(&cms.content.clone()))]);
        cms.digest_algorithm = hash.identifier();
        cms.signature_algorithm = algorithm;
        assert_eq!(refused(&scene, &cms), VerifyError::AlgorithmMismatch, "{hash:?}");
    }
}

#[test]
fn digests_that_are_not_the_signatures() {
    let scene = scene();
    let person = scene.person(KeyKind::GOST_256);
    for hash in [Hash::Sha256, Hash::Streebog512] {
        let mut cms = statement_cms(&scene, &person);
        cms.set(MESSAGE_DIGEST, &[&octet_string(&hash.digest(&cms.content.clone()))]);
        assert_eq!(refused(&scene, &cms), VerifyError::ContentMismatch);
        cms.digest_algorithm = hash.identifier();
        let different = "digestAlgorithm and signatureAlgorithm use different hashes";
        assert_eq!(refused(&scene, &cms), VerifyError::Malformed(different));
    }
    let mut cms = statement_cms(&scene, &person);
    cms.digest_algorithm = Hash::Sha1.identifier();
    assert_eq!(refused(&scene, &cms).code(), "algorithm_not_allowed");
}

#[test]
fn signatures_that_are_none() {
    let scene = scene();
    for kind in KeyKind::all_gost() {
        let person = scene.person(kind);
        let cms = statement_cms(&scene, &person);
        let good = person.key.sign(person.key.default_algorithm(), &cms.to_be_signed());
        let half = good.len() / 2;
        let (s, r) = good.split_at(half);
        let zero = vec![0; half];
        let all_ones = vec![0xff; half];
        let flipped = |at: usize| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        };
        let reversed: Vec<u8> = good.iter().rev().copied().collect();
        let wrong = [
            [r, s].concat(),
            [s, &zero].concat(),
            [&zero, r].concat(),
            [&zero[..], &zero].concat(),
            [s, &all_ones].concat(),
            [&all_ones, r].concat(),
            reversed,
            flipped(0),
            flipped(half - 1),
            flipped(half),
            flipped(2 * half - 1),
            good[1..].to_vec(),
            [&good[..], &[0]].concat(),
            [&[0], &good[..]].concat(),
            Vec::new(),
        ];
        for (index, signature) in wrong.into_iter().enumerate() {
            let mut cms = cms.clone();
            cms.signature = Some(signature);
            assert_eq!(refused(&scene, &cms), VerifyError::SignatureInvalid, "{kind:?} {index}");
        }
        let mut other = statement_cms(&scene, &person);
        let stranger = TestKey::generate(kind);
        other.signature = Some(stranger.sign(stranger.default_algorithm(), &other.to_be_signed()));
        assert_eq!(refused(&scene, &other), VerifyError::SignatureInvalid);
    }
}

#[test]
fn keys_that_are_none() {
    let scene = scene();
    let key = TestKey::generate(KeyKind::GOST_256);
    let (algorithm, set) = KeyKind::GOST_256.gost();
    let point = key.gost_point().to_vec();
    let mut off_curve = point.clone();
    off_curve[0] ^= 1;
    let spki = |algorithm, set, point: &[u8]| gost_spki(algorithm, set, None, point);
    let identifier = |parameters: &[u8]| sequence(&[&oid("1.2.643.7.1.1.1.1"), parameters]);
    let parameters = sequence(&[&oid("1.2.643.7.1.2.1.1.1")]);
    let bare = bit_string(&octet_string(&point));
    let wrong = [
        ("off the curve", spki(algorithm, set, &off_curve)),
        ("zero", spki(algorithm, set, &[0; 64])),
        ("beyond the field", spki(algorithm, set, &[0xff; 64])),
        ("short", spki(algorithm, set, &point[1..])),
        ("long", spki(algorithm, set, &[&point[..], &[0]].concat())),
        ("empty", spki(algorithm, set, &[])),
        ("of two torsion", spki(algorithm, set, &two_torsion())),
        ("another curve", spki(algorithm, ParameterSet::CryptoProB, &point)),
        (
            "a curve of another size",
            spki(algorithm, ParameterSet::Tc26_512A, &point),
        ),
        ("another algorithm", spki(Algorithm::Gost2012_512, set, &point)),
        (
            "no parameters",
            sequence(&[&sequence(&[&oid("1.2.643.7.1.1.1.1")]), &bare]),
        ),
        (
            "an unknown curve",
            sequence(&[&identifier(&sequence(&[&oid("1.2.643.7.1.2.1.1.9")])), &bare]),
        ),
        (
            "explicit parameters",
            sequence(&[&identifier(&sequence(&[&sequence(&[])])), &bare]),
        ),
        (
            "no OCTET STRING",
            sequence(&[&identifier(&parameters), &bit_string(&point)]),
        ),
        (
            "something behind the point",
            sequence(&[
                &identifier(&parameters),
                &bit_string(&[octet_string(&point), vec![0]].concat()),
            ]),
        ),
    ];
    for (what, spki) in wrong {
        let person = scene.pki.person(NAME).with_key(key.clone());
        let person = person.issue_with(|template| template.spki = spki);
        let error = refused(&scene, &statement_cms(&scene, &person));
        assert_eq!(error, VerifyError::KeyNotAccepted(Place::Signer), "{what}");
    }
}

/// The point of order two of TC26 256-A: on the curve, outside the group of prime order.
fn two_torsion() -> Vec<u8> {
    let mut point = TWO_TORSION_X.to_vec();
    point.reverse();
    point.extend([0; 32]);
    point
}

/// The root of x³ + ax + b in the field of TC26 256-A; RFC 7836 appendix A.2 has a, b and p.
const TWO_TORSION_X: [u8; 32] = [
    0x01, 0x00, 0xfe, 0x73, 0xf5, 0x95, 0xff, 0x15, 0x8e, 0x97, 0x4b, 0x44, 0xd4, 0x78, 0xd9, 0x58, 0x87, 0x44, 0xfe,
    0x5c, 0x19, 0x2a, 0xc4, 0x7e, 0xa6, 0x30, 0x75, 0xdc, 0xe7, 0xa1, 0x4a, 0xaa,
];

#[test]
fn an_authority_whose_key_is_none() {
    let scene = scene();
    let key = TestKey::generate(KeyKind::GOST_256);
    let (algorithm, set) = KeyKind::GOST_256.gost();
    let root = &scene.pki.root;
    let name = fixtures::pki::Name::test_authority("Test intermediate off its curve");
    let mut template = root.authority_template(&name, &key, scene.pki.at);
    let mut point = key.gost_point().to_vec();
    point[40] ^= 4;
    template.spki = gost_spki(algorithm, set, None, &point);
    let intermediate = root.subordinate(name, &template, key);
    let person = intermediate.person(NAME, scene.pki.at).key(KeyKind::GOST_256).issue();
    let error = refused(&scene, &statement_cms(&scene, &person));
    assert_eq!(error, VerifyError::KeyNotAccepted(Place::Intermediate));
}

#[test]
fn a_forged_certificate() {
    let scene = scene();
    let other = super::gost_pki();
    let forger = &other.intermediate;
    let mut person = forger.person(NAME, scene.pki.at).key(KeyKind::GOST_256);
    person = person.without("2.5.29.35");
    let mut person = person.issue();
    person.intermediates = vec![scene.pki.intermediate.certificate.clone()];
    let error = refused(&scene, &statement_cms(&scene, &person));
    assert_eq!(error, VerifyError::CertificateSignature(Place::Signer));
}

#[test]
fn formats_that_have_no_name_for_it() {
    let scene = scene();
    for (kind, algorithm) in [(KeyKind::GOST_256, A::Gost256), (KeyKind::GOST_512, A::Gost512)] {
        let person = scene.person(kind);
        let message = plugin_protocol::web_eid::to_be_signed(&scene.origin, &scene.challenge, algorithm);
        let mut token = WebEidToken {
            unverified_certificate: base64(&person.certificate),
            algorithm,
            signature: base64(&person.key.sign(person.key.default_algorithm(), &message)),
            app_version: String::new(),
        };
        let error = scene.verify(&Proof::WebEid(token.clone())).unwrap_err();
        assert_eq!(error, VerifyError::AlgorithmNotInFormat(algorithm, ProofFormat::WebEid));
        assert!(error.to_string().contains("cms and cms-challenge"), "{error}");
        token.algorithm = A::ES256;
        let error = scene.verify(&Proof::WebEid(token)).unwrap_err();
        assert_eq!(error, VerifyError::AlgorithmMismatch);
        let header = jws::JwsHeader::new(algorithm, &[&person.certificate]);
        let input = jws::to_be_signed(&header, &scene.statement(&person.certificate));
        let jws = crate::support::sign_jws(&person, algorithm, &input);
        let error = scene.verify(&jws).unwrap_err();
        assert_eq!(error, VerifyError::AlgorithmNotInFormat(algorithm, ProofFormat::Jws));
    }
}

#[test]
fn what_the_policy_does_not_list() {
    let mut scene = scene();
    let person = scene.person(KeyKind::GOST_256);
    let cms = statement_cms(&scene, &person);
    scene.policy = builder(&scene.pki).algorithms(&[A::Gost512, A::ES256]).build().unwrap();
    let error = refused(&scene, &cms);
    assert_eq!(error, VerifyError::AlgorithmNotAllowed("GOSTR3410-2012-256".to_owned()));
    // The root signs with 512 bits, the intermediate with 256.
    let only = |algorithm: A| [Scheme::from(algorithm)];
    scene.policy = builder(&scene.pki)
        .certificate_algorithms(&only(A::Gost512))
        .build()
        .unwrap();
    assert_eq!(refused(&scene, &cms), VerifyError::CertificateAlgorithm(Place::Signer));
    scene.policy = builder(&scene.pki)
        .certificate_algorithms(&only(A::Gost256))
        .build()
        .unwrap();
    assert_eq!(
        refused(&scene, &cms),
        VerifyError::CertificateAlgorithm(Place::Intermediate)
    );
}

#[test]
fn more_work_than_the_budget_grants() {
    let mut scene = scene();
    let person = scene.person(KeyKind::GOST_512);
    let proof = proof_of(&statement_cms(&scene, &person));
    for (signature_checks, enough) in [(0, false), (1, false), (2, true)] {
        let budget = Budget {
            signature_checks,
            ..Budget::default()
        };
        scene.policy = builder(&scene.pki).budget(budget).build().unwrap();
        let outcome = scene.verify(&proof).map(|_| ());
        let exceeded = Err(VerifyError::BudgetExceeded("signature checks"));
        assert_eq!(outcome, if enough { Ok(()) } else { exceeded });
    }
}
