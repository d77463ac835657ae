//! CRLs by `openssl ca -gencrl` and answers by `openssl ocsp`, before the portal.

use plugin_protocol::Proof;
use portal::{CertificateStatus, Place, Revocation, VerifyError};

use crate::authority::{A_512, CURVES, Curve, TCA, World, proof};

/// A person's proof, and the authority that may revoke its certificate.
fn signed(curve: Curve) -> (World, Proof) {
    let world = World::of(curve);
    let cms = world.sign(&world.statement(), "-cades -nodetach");
    (world, Proof::Cms(proof(&cms, None)))
}

fn crl(world: &World, curve: Curve) -> Revocation {
    world.authority(&format!("-gencrl -md {} -out crl.pem", curve.digest));
    world.openssl.run("crl -in crl.pem -outform DER -out crl.der");
    Revocation::required()
        .crl(&world.openssl.read("crl.der"))
        .expect("a CRL")
}

#[test]
fn its_crls_decide_on_every_curve() {
    for curve in CURVES {
        let (world, proof) = signed(curve);
        let identity = world.judge(&proof, crl(&world, curve));
        let identity = identity.unwrap_or_else(|error| panic!("{curve:?}: {error}"));
        assert!(matches!(identity.revocation(), [CertificateStatus::GoodByCrl(_)]));

        world.authority(&format!(
            "-md {} -revoke person.pem -crl_reason keyCompromise",
            curve.digest
        ));
        let refused = world.judge(&proof, crl(&world, curve));
        assert_eq!(
            refused.err(),
            Some(VerifyError::CertificateRevoked(Place::Signer)),
            "{curve:?}"
        );
    }
}

#[test]
fn a_crl_of_another_key_decides_nothing() {
    let (world, proof) = signed(TCA);
    let (other, _) = signed(TCA);
    let refused = world.judge(&proof, crl(&other, TCA));
    assert_eq!(refused.err(), Some(VerifyError::RevocationUnknown(Place::Signer)));
}

/// `openssl ocsp` answers from the authority's database; `hash` names the certificate.
fn answer(world: &World, curve: Curve, hash: &str) -> Revocation {
    world.openssl.run(&format!(
        "ocsp -no_nonce -{hash} -issuer root.pem -cert person.pem -reqout request"
    ));
    world.openssl.run(&format!(
        "ocsp -index index -CA root.pem -rsigner root.pem -rkey root.key -rmd {} -ndays 1 -reqin request -respout answer",
        curve.digest
    ));
    Revocation::required()
        .ocsp(&world.openssl.read("answer"))
        .expect("an OCSP answer")
}

#[test]
fn its_ocsp_answers_decide() {
    for curve in [TCA, A_512] {
        let (world, proof) = signed(curve);
        for hash in ["sha1", "sha256", "md_gost12_256", "md_gost12_512"] {
            let identity = world.judge(&proof, answer(&world, curve, hash));
            let identity = identity.unwrap_or_else(|error| panic!("{curve:?} {hash}: {error}"));
            assert!(matches!(identity.revocation(), [CertificateStatus::GoodByOcsp(_)]));
        }
        world.authority(&format!("-md {} -revoke person.pem", curve.digest));
        let refused = world.judge(&proof, answer(&world, curve, "sha1"));
        assert_eq!(
            refused.err(),
            Some(VerifyError::CertificateRevoked(Place::Signer)),
            "{curve:?}"
        );
    }
}
