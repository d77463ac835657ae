//! Bytes from strangers: every parser gets noise and near misses, and never panics nor accepts.

use der::Decode;
use fixtures::pki::{Issued, KeyKind, TestKey};
use plugin_protocol::encoding::{base64, base64url, from_base64};
use plugin_protocol::proof::{CmsProof, WebEidToken};
use plugin_protocol::{Proof, ProofFormat, SignatureAlgorithm as A};
use portal::certificate::Certificate;
use portal::signature::{Encoding, PublicKey, Scheme};
use portal::{Place, Revocation};
use proptest::prelude::*;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::cms_builder::Cms;
use crate::support::Scene;

/// Changes to good bytes: one octet replaced, inserted or removed, a stretch repeated, an end cut off.
#[derive(Clone, Debug)]
pub enum Change {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Cut(prop::sample::Index),
}

pub fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, octet)| Change::Replace(at, octet)),
        (at(), any::<u8>()).prop_map(|(at, octet)| Change::Insert(at, octet)),
        at().prop_map(Change::Remove),
        (at(), at()).prop_map(|(from, to)| Change::Repeat(from, to)),
        at().prop_map(Change::Cut),
    ]
}

pub fn apply(good: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Replace(at, octet) => {
                let at = at.index(bytes.len());
                bytes[at] = *octet;
            }
            Change::Insert(at, octet) => bytes.insert(at.index(bytes.len()), *octet),
            Change::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let stretch = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.extend(stretch);
            }
        }
    }
    bytes
}

/// Good bytes of every kind, made once for each kind of key.
struct Goods {
    scene: Scene,
    certificate: Vec<u8>,
    cms: Vec<u8>,
    jws: Option<String>,
    crl: Vec<u8>,
    ocsp: Vec<u8>,
}

fn goods() -> &'static Goods {
    static GOODS: std::sync::OnceLock<Goods> = std::sync::OnceLock::new();
    GOODS.get_or_init(|| {
        let scene = Scene::new();
        let person = scene.person(KeyKind::P256);
        let Proof::Jws { jws } = scene.jws(&person, A::ES256) else {
            unreachable!()
        };
        let cms = Cms::statement(&scene, &person, A::ES256).der(&person);
        of(scene, person, cms, Some(jws))
    })
}

fn gost_goods() -> &'static Goods {
    static GOODS: std::sync::OnceLock<Goods> = std::sync::OnceLock::new();
    GOODS.get_or_init(|| {
        let scene = crate::gost::scene();
        let person = scene.person(KeyKind::GOST_256);
        let cms = crate::gost::statement_cms(&scene, &person).der();
        of(scene, person, cms, None)
    })
}

fn of(scene: Scene, person: Issued, cms: Vec<u8>, jws: Option<String>) -> Goods {
    let issuer = &scene.pki.intermediate;
    let hash = fixtures::pki::ocsp::CertIdHash::Streebog256;
    Goods {
        cms,
        crl: issuer
            .crl(scene.pki.at)
            .revoke(&[2, 1, 9], scene.pki.at, fixtures::pki::crl::Reason::KeyCompromise)
            .sign(),
        ocsp: issuer.ocsp(&person.certificate, scene.pki.at).hash(hash).sign(),
        certificate: person.certificate,
        jws,
        scene,
    }
}

fn attached(cms: &[u8]) -> Proof {
    Proof::Cms(CmsProof {
        cms: base64(cms),
        content: None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_in_every_place(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
        let scene = &goods().scene;
        prop_assert!(scene.verify(&attached(&bytes)).is_err());
        let jws = |jws| scene.verify(&Proof::Jws { jws });
        prop_assert!(jws(text.clone()).is_err());
        let parts = format!("{}.{}.{}", base64url(&bytes), base64url(text.as_bytes()), base64url(&bytes));
        prop_assert!(jws(parts).is_err());
        let token = WebEidToken {
            unverified_certificate: base64(&bytes),
            algorithm: A::ES256,
            signature: base64(text.as_bytes()),
            app_version: text.clone(),
        };
        prop_assert!(scene.verify(&Proof::WebEid(token)).is_err());
        prop_assert!(Certificate::from_der(&bytes, Place::Signer).is_err());
        prop_assert!(Revocation::required().crl(&bytes).is_err());
        prop_assert!(Revocation::required().ocsp(&bytes).is_err());
        prop_assert!(portal::Policy::builder().trust_anchors_pem(text.as_bytes()).is_err());
    }

    #[test]
    fn a_changed_cms_is_the_same_or_refused(changes in prop::collection::vec(change(), 1..4), gost: bool) {
        let goods = if gost { gost_goods() } else { goods() };
        let changed = apply(&goods.cms, &changes);
        if let Ok(identity) = goods.scene.verify(&attached(&changed)) {
            prop_assert_eq!(identity.certificate_der(), &goods.certificate[..]);
        }
    }

    #[test]
    fn a_changed_jws_is_refused_or_the_same(changes in prop::collection::vec(change(), 1..4)) {
        let goods = goods();
        let good = goods.jws.as_ref().unwrap();
        let changed = apply(good.as_bytes(), &changes);
        let Ok(jws) = String::from_utf8(changed) else { return Ok(()) };
        let same = jws == *good;
        prop_assert_eq!(goods.scene.verify(&Proof::Jws { jws }).is_ok(), same);
    }

    #[test]
    fn a_changed_certificate_crl_or_response_is_read_or_refused(
        changes in prop::collection::vec(change(), 1..4),
        gost: bool,
    ) {
        let goods = if gost { gost_goods() } else { goods() };
        let _ = Certificate::from_der(&apply(&goods.certificate, &changes), Place::Signer);
        let (crl, ocsp) = (apply(&goods.crl, &changes), apply(&goods.ocsp, &changes));
        let mut revocation = Revocation::required();
        revocation = revocation.clone().crl(&crl).unwrap_or(revocation);
        revocation = revocation.clone().ocsp(&ocsp).unwrap_or(revocation);
        let policy = goods.scene.policy.with_revocation(revocation);
        let cms = attached(&goods.cms);
        let outcome = portal::verify(&cms, &goods.scene.origin, &goods.scene.challenge, &policy, goods.scene.now);
        prop_assert!(outcome.is_err(), "the intermediate's status is unknown in any case");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// A changed key on a certificate that its issuer did sign: imported or refused, and never the old signature's.
    #[test]
    fn a_changed_gost_key_never_verifies_the_old_signature(
        kind in 0..14usize,
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let scene = &gost_goods().scene;
        let key = TestKey::generate(KeyKind::all_gost()[kind]);
        let changed = apply(key.spki(), &changes);
        prop_assume!(changed != key.spki());
        let (message, algorithm) = (b"message", key.default_algorithm());
        let signature = key.sign(algorithm, message);
        if let Ok(spki) = SubjectPublicKeyInfoOwned::from_der(&changed)
            && let Ok(public) = PublicKey::from_spki(&spki)
        {
            let scheme = Scheme::from_identifier(&AlgorithmIdentifierOwned::from_der(&algorithm.identifier()).unwrap());
            let verified = public.verify(scheme.unwrap(), Encoding::Asn1, message, &signature).is_ok();
            // Another name of the same curve, or a digest parameter more or less, is the same key.
            let same_point = spki.subject_public_key.raw_bytes() == key.public_key();
            prop_assert!(!verified || same_point);
        }
        let person = scene.pki.person("Иванов Иван Иванович").with_key(key);
        let person = person.issue_with(|template| template.spki = changed);
        let _ = scene.verify(&attached(&crate::gost::statement_cms(scene, &person).der()));
    }
}

#[test]
fn the_formats_have_what_they_need() {
    assert!(gost_goods().scene.verify(&attached(&gost_goods().cms)).is_ok());
    assert_eq!(attached(&goods().cms).format(), ProofFormat::Cms);
    assert!(goods().scene.verify(&attached(&goods().cms)).is_ok());
    assert!(from_base64(&base64(&goods().crl)).is_some());
}
