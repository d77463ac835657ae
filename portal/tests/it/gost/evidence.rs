//! CRLs and OCSP responses with GOST signatures decide; forged ones do not.

use fixtures::pki::crl::Reason;
use fixtures::pki::ocsp::{CertIdHash, Status};
use fixtures::pki::{Issued, KeyKind};
use portal::{CertificateStatus, Place, Revocation, VerifyError};

use super::{outcome, scene, statement_cms};
use crate::support::Scene;

/// Revocation must be known; the intermediate's is.
fn required(scene: &Scene) -> Revocation {
    let crl = scene.pki.root.crl(scene.pki.at).sign();
    Revocation::required().crl(&crl).unwrap()
}

fn status(scene: &Scene, person: &Issued, evidence: Revocation) -> Result<CertificateStatus, VerifyError> {
    let scene = Scene {
        policy: scene.policy.with_revocation(evidence),
        ..Scene::with_pki(scene.pki.clone())
    };
    let identity = outcome(&scene, &statement_cms(&scene, person))?;
    Ok(identity.revocation()[0])
}

#[test]
fn crls_tell_good_from_revoked() {
    let scene = scene();
    let (issuer, at) = (&scene.pki.intermediate, scene.pki.at);
    let person = scene.person(KeyKind::GOST_256);
    let evidence = |crl: &[u8]| required(&scene).crl(crl).unwrap();
    let good = status(&scene, &person, evidence(&issuer.crl(at).sign()));
    assert!(matches!(good, Ok(CertificateStatus::GoodByCrl(_))), "{good:?}");
    let revoked = issuer.crl(at).revoke(&person.serial(), at - 10, Reason::KeyCompromise);
    let revoked = status(&scene, &person, evidence(&revoked.sign()));
    assert_eq!(revoked, Err(VerifyError::CertificateRevoked(Place::Signer)));
    let forged = issuer.crl(at).forged_by(&scene.pki.root).sign();
    let forged = status(&scene, &person, evidence(&forged));
    assert_eq!(forged, Err(VerifyError::RevocationUnknown(Place::Signer)));
}

#[test]
fn ocsp_responses_of_the_issuer_and_its_delegates_tell_good_from_revoked() {
    let scene = scene();
    let (issuer, at) = (&scene.pki.intermediate, scene.pki.at);
    let person = scene.person(KeyKind::GOST_512);
    let evidence = |response: &[u8]| required(&scene).ocsp(response).unwrap();
    let delegates =
        [KeyKind::GOST_256, KeyKind::GOST_512, KeyKind::P256].map(|kind| issuer.ocsp_responder_with(kind, at));
    let answer = || issuer.ocsp(&person.certificate, at);
    let mut good = vec![answer().sign()];
    good.extend(delegates.iter().map(|delegate| answer().delegated(delegate).sign()));
    for response in good {
        let status = status(&scene, &person, evidence(&response));
        assert!(matches!(status, Ok(CertificateStatus::GoodByOcsp(_))), "{status:?}");
    }
    for delegate in &delegates {
        let revoked = answer().status(Status::Revoked(at - 10, Reason::Superseded));
        let status = status(&scene, &person, evidence(&revoked.delegated(delegate).sign()));
        assert_eq!(status, Err(VerifyError::CertificateRevoked(Place::Signer)));
    }
    let stranger = fixtures::pki::TestKey::generate(KeyKind::GOST_256);
    let forged = status(&scene, &person, evidence(&answer().forged_by(&stranger).sign()));
    assert_eq!(forged, Err(VerifyError::RevocationUnknown(Place::Signer)));
}

#[test]
fn ocsp_responses_name_the_certificate_by_any_hash() {
    let scene = scene();
    let (issuer, at) = (&scene.pki.intermediate, scene.pki.at);
    let person = scene.person(KeyKind::GOST_256);
    let other = scene.person(KeyKind::GOST_256);
    let delegate = issuer.ocsp_responder_with(KeyKind::GOST_256, at);
    for hash in [
        CertIdHash::Sha1,
        CertIdHash::Sha256,
        CertIdHash::Streebog256,
        CertIdHash::Streebog512,
    ] {
        let answer = || issuer.ocsp(&person.certificate, at).hash(hash);
        let evidence = |response: &[u8]| required(&scene).ocsp(response).unwrap();
        for response in [answer().sign(), answer().delegated(&delegate).sign()] {
            let good = status(&scene, &person, evidence(&response));
            assert!(
                matches!(good, Ok(CertificateStatus::GoodByOcsp(_))),
                "{hash:?} {good:?}"
            );
            let another = status(&scene, &other, evidence(&response));
            assert_eq!(another, Err(VerifyError::RevocationUnknown(Place::Signer)), "{hash:?}");
        }
        let revoked = answer().status(Status::Revoked(at - 10, Reason::Superseded)).sign();
        let revoked = status(&scene, &person, evidence(&revoked));
        assert_eq!(revoked, Err(VerifyError::CertificateRevoked(Place::Signer)), "{hash:?}");
        // Of another authority's certificate with this serial number.
        let elsewhere = scene.pki.root.ocsp(&person.certificate, at).hash(hash).sign();
        let elsewhere = status(&scene, &person, evidence(&elsewhere));
        assert_eq!(
            elsewhere,
            Err(VerifyError::RevocationUnknown(Place::Signer)),
            "{hash:?}"
        );
        let stranger = fixtures::pki::TestKey::generate(KeyKind::GOST_256);
        let forged = status(&scene, &person, evidence(&answer().forged_by(&stranger).sign()));
        assert_eq!(forged, Err(VerifyError::RevocationUnknown(Place::Signer)), "{hash:?}");
    }
}
