//! GOST R 34.10-2012: what is made in the ways of its world verifies.

mod encodings;
mod evidence;
mod openssl;
mod refused;

use fixtures::pki::cms::Cms;
use fixtures::pki::{Issued, KeyKind, TestPki};
use plugin_protocol::encoding::base64;
use plugin_protocol::proof::CmsProof;
use plugin_protocol::{Proof, ProofFormat, SignatureAlgorithm as A};
use portal::{VerifiedIdentity, VerifyError};

use crate::support::{NAME, Scene};

/// A GOST root and intermediate, as accredited authorities have them.
pub fn scene() -> Scene {
    Scene::with_pki(gost_pki())
}

pub fn gost_pki() -> TestPki {
    TestPki::with_keys(KeyKind::GOST_512, KeyKind::GOST_256, fixtures::pki::now())
}

/// The CMS of a person over their statement, right until changed.
pub fn statement_cms(scene: &Scene, signer: &Issued) -> Cms {
    let statement = scene.statement(&signer.certificate).to_canonical_json();
    Cms::cades(&statement, signer, scene.pki.at)
}

pub fn proof_of(cms: &Cms) -> Proof {
    proof(&cms.der(), cms.detached.then_some(&cms.content))
}

pub fn proof(cms: &[u8], content: Option<&Vec<u8>>) -> Proof {
    Proof::Cms(CmsProof {
        cms: base64(cms),
        content: content.map(|content| base64(content)),
    })
}

pub fn outcome(scene: &Scene, cms: &Cms) -> Result<VerifiedIdentity, VerifyError> {
    scene.verify(&proof_of(cms))
}

fn algorithm_of(kind: KeyKind) -> A {
    match kind.gost().0 {
        gost3410::Algorithm::Gost2012_512 => A::Gost512,
        _ => A::Gost256,
    }
}

#[test]
fn people_with_keys_on_every_parameter_set_verify() {
    let scene = scene();
    for kind in KeyKind::all_gost() {
        let person = scene.person(kind);
        let attached = statement_cms(&scene, &person);
        let detached = attached.clone().detached();
        let streamed = proof(&attached.ber(50), None);
        for proof in [proof_of(&attached), proof_of(&detached), streamed] {
            let identity = scene.verify(&proof);
            let identity = identity.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
            assert_eq!(identity.algorithm(), algorithm_of(kind));
            assert_eq!(identity.subject().common_name(), Some(NAME));
            assert!(identity.is_test());
        }
    }
}

#[test]
fn authorities_with_keys_on_every_parameter_set_verify() {
    for kind in KeyKind::all_gost() {
        let scene = Scene::with_pki(TestPki::with_keys(kind, kind, fixtures::pki::now()));
        let person = scene.person(KeyKind::GOST_256);
        let identity = outcome(&scene, &statement_cms(&scene, &person));
        let identity = identity.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(identity.path().len(), 2);
    }
}

#[test]
fn mixed_paths_verify() {
    let kinds = [KeyKind::Rsa2048, KeyKind::P384, KeyKind::GOST_256, KeyKind::GOST_512];
    for root in kinds {
        for intermediate in kinds {
            let scene = Scene::with_pki(TestPki::with_keys(root, intermediate, fixtures::pki::now()));
            let person = scene.person(KeyKind::GOST_512);
            let identity = outcome(&scene, &statement_cms(&scene, &person));
            identity.unwrap_or_else(|error| panic!("{root:?} {intermediate:?}: {error}"));
            let foreign = scene.person(KeyKind::P256);
            let identity = scene.verify(&scene.jws(&foreign, A::ES256));
            identity.unwrap_or_else(|error| panic!("{root:?} {intermediate:?}: {error}"));
        }
    }
}

#[test]
fn a_literal_challenge_verifies_attached_detached_and_unsent() {
    let mut scene = scene();
    scene.challenge = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let person = scene.person(KeyKind::GOST_256);
    let cms = Cms::cades(scene.challenge.as_str().as_bytes(), &person, scene.pki.at);
    let content = base64(&cms.content);
    let attached = (base64(&cms.der()), None);
    let detached = base64(&cms.detached().der());
    for (cms, content) in [attached, (detached.clone(), Some(content)), (detached, None)] {
        let proof = Proof::CmsChallenge(CmsProof { cms, content });
        let identity = scene.verify(&proof).unwrap();
        assert_eq!(identity.format(), ProofFormat::CmsChallenge);
        assert_eq!(identity.algorithm(), A::Gost256);
    }
}

#[test]
fn the_unverified_signer_is_the_one_shown() {
    let scene = scene();
    let person = scene.person(KeyKind::GOST_512);
    let shown = portal::unverified_signer(&proof_of(&statement_cms(&scene, &person)), &scene.policy);
    assert_eq!(shown.unwrap(), person.certificate);
}
