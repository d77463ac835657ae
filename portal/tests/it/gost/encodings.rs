//! What signers write in different ways and mean the same is taken; what contradicts itself is not.

use fixtures::der_writer::{oid, sequence};
use fixtures::pki::hash::Hash;
use fixtures::pki::{KeyKind, SignatureAlgorithm, TestKey};
use portal::{Place, VerifyError};

use super::{outcome, scene, statement_cms};
use crate::support::NAME;

const BOTH: [KeyKind; 2] = [KeyKind::GOST_256, KeyKind::GOST_512];

#[test]
fn the_signature_is_named_by_the_key_or_with_the_digest_with_null_or_nothing() {
    let scene = scene();
    for kind in BOTH {
        let person = scene.person(kind);
        let plain = person.key.default_algorithm();
        let null = plain.with_null();
        let names = [
            plain.key_form().unwrap(),
            null.key_form().unwrap(),
            plain.identifier(),
            null.identifier(),
        ];
        for name in names {
            let mut cms = statement_cms(&scene, &person);
            cms.signature_algorithm = name;
            outcome(&scene, &cms).unwrap();
        }
    }
}

#[test]
fn the_digest_has_null_parameters_or_none() {
    let scene = scene();
    for kind in BOTH {
        let person = scene.person(kind);
        let hash = person.key.default_algorithm().hash();
        for identifier in [hash.identifier(), hash.identifier_with_null()] {
            let mut cms = statement_cms(&scene, &person);
            cms.digest_algorithm = identifier;
            outcome(&scene, &cms).unwrap();
        }
    }
}

#[test]
fn parameters_of_another_kind_are_not_taken() {
    let scene = scene();
    let person = scene.person(KeyKind::GOST_256);
    // CryptoPro's key parameters, and an OID, where nothing or NULL belongs.
    let key = "1.2.643.7.1.1.1.1";
    let key_parameters = sequence(&[&oid("1.2.643.2.2.36.0"), &oid("1.2.643.7.1.1.2.2")]);
    for identifier in [
        sequence(&[&oid(key), &key_parameters]),
        sequence(&[&oid("1.2.643.7.1.1.3.2"), &oid(key)]),
    ] {
        let mut cms = statement_cms(&scene, &person);
        cms.signature_algorithm = identifier;
        let error = outcome(&scene, &cms).unwrap_err();
        assert_eq!(error.code(), "algorithm_not_allowed");
    }
    let mut cms = statement_cms(&scene, &person);
    cms.digest_algorithm = sequence(&[&oid("1.2.643.7.1.1.2.2"), &key_parameters]);
    let error = outcome(&scene, &cms).unwrap_err();
    assert_eq!(error, VerifyError::AlgorithmNotAllowed("1.2.643.7.1.1.2.2".to_owned()));
}

#[test]
fn certificates_are_signed_with_null_parameters_or_none() {
    let mut scene = scene();
    for null in [false, true] {
        let mut pki = scene.pki.clone();
        for authority in [&mut pki.root, &mut pki.intermediate] {
            if null {
                authority.algorithm = authority.algorithm.with_null();
            }
        }
        scene = crate::support::Scene::with_pki(pki);
        let person = scene.person(KeyKind::GOST_256);
        outcome(&scene, &statement_cms(&scene, &person)).unwrap();
    }
}

#[test]
fn the_keys_digest_parameter_may_be_there_or_not() {
    let scene = scene();
    for kind in KeyKind::all_gost() {
        for named in [false, true] {
            let key = TestKey::generate(kind).with_digest_parameter(named);
            let person = scene.pki.person(NAME).with_key(key).issue();
            let identity = outcome(&scene, &statement_cms(&scene, &person));
            identity.unwrap_or_else(|error| panic!("{kind:?} {named}: {error}"));
        }
    }
}

#[test]
fn a_digest_parameter_that_contradicts_the_key_is_refused() {
    let scene = scene();
    let wrong = [
        (KeyKind::GOST_256, Hash::Streebog512),
        (KeyKind::GOST_512, Hash::Streebog256),
        (KeyKind::GOST_256, Hash::Gost94),
        (KeyKind::GOST_256, Hash::Sha256),
    ];
    for (kind, digest) in wrong {
        let key = TestKey::generate(kind);
        let (algorithm, set) = kind.gost();
        let spki = fixtures::pki::gost::gost_spki(algorithm, set, Some(digest.dotted()), key.gost_point());
        let person = scene.pki.person(NAME).with_key(key);
        let person = person.issue_with(|template| template.spki = spki);
        let error = outcome(&scene, &statement_cms(&scene, &person)).unwrap_err();
        assert_eq!(error, VerifyError::KeyNotAccepted(Place::Signer), "{kind:?} {digest:?}");
    }
}

#[test]
fn the_signing_certificate_is_named_by_streebog_or_sha_2() {
    let scene = scene();
    let hashes = [
        Hash::Streebog256,
        Hash::Streebog512,
        Hash::Sha256,
        Hash::Sha384,
        Hash::Sha512,
    ];
    for kind in BOTH {
        let person = scene.person(kind);
        for hash in hashes {
            let cms = statement_cms(&scene, &person).certificate_hash(hash);
            outcome(&scene, &cms).unwrap_or_else(|error| panic!("{hash:?}: {error}"));
        }
        for hash in [Hash::Sha1, Hash::Gost94] {
            let cms = statement_cms(&scene, &person).certificate_hash(hash);
            let error = outcome(&scene, &cms).unwrap_err();
            assert_eq!(error, VerifyError::SignedAttributes("signing-certificate-v2"));
        }
    }
}

#[test]
fn the_signer_is_named_by_key_identifier_as_well() {
    let scene = scene();
    let person = scene.person(KeyKind::GOST_256);
    let cms = statement_cms(&scene, &person).by_key_identifier();
    outcome(&scene, &cms).unwrap();
}

#[test]
fn the_inner_algorithm_of_a_certificate_must_be_the_outer() {
    let scene = scene();
    let person = scene.pki.person(NAME).key(KeyKind::GOST_256);
    let inner = SignatureAlgorithm::GOST_256.with_null().identifier();
    let person = person.issue_with(|template| template.inner_algorithm = Some(inner));
    let error = outcome(&scene, &statement_cms(&scene, &person)).unwrap_err();
    assert_eq!(error.code(), "certificate_encoding");
}
