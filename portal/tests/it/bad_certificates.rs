//! Every certificate of [`fixtures::pki::bad_cases`] is refused for its own reason.

use fixtures::pki::{BadCase, Issued, KeyKind, TestPki, bad_cases};
use plugin_protocol::SignatureAlgorithm as A;
use portal::policy::{CLIENT_AUTH, ExtendedKeyUsage};
use portal::{Policy, Revocation, VerifyError};

use crate::support::Scene;

/// The code each case must end in.
const EXPECTED: &[(&str, &str)] = &[
    ("expired", "certificate_expired"),
    ("not-yet-valid", "certificate_not_yet_valid"),
    ("validity-reversed", "certificate_not_yet_valid"),
    ("wrong-issuer-name", "unknown_issuer"),
    ("wrong-issuer-key", "certificate_signature"),
    ("unknown-root", "unknown_issuer"),
    ("signature-bit-flipped", "certificate_signature"),
    ("subject-bit-flipped", "certificate_signature"),
    ("self-signed", "unknown_issuer"),
    ("authority-as-person", "certificate_is_authority"),
    ("intermediate-as-person", "certificate_is_authority"),
    ("key-usage-absent", "key_usage"),
    ("key-usage-without-signature", "key_usage"),
    ("extended-usage-other", "extended_key_usage"),
    ("policy-missing", "policy_missing"),
    ("policy-other", "policy_missing"),
    ("critical-unknown", "critical_extension"),
    ("extension-twice", "certificate_encoding"),
    ("version-1", "certificate_encoding"),
    ("version-1-with-extensions", "certificate_encoding"),
    ("serial-negative", "certificate_encoding"),
    ("serial-zero", "certificate_encoding"),
    ("serial-too-long", "certificate_encoding"),
    ("issuer-empty", "certificate_encoding"),
    ("subject-empty", "certificate_encoding"),
    ("sha1-signature", "certificate_algorithm"),
    ("md5-signature", "certificate_algorithm"),
    ("rsa-exponent-one", "key_not_accepted"),
    ("rsa-1024", "key_not_accepted"),
    ("rsa-1024-issuer", "key_not_accepted"),
    ("curve-does-not-fit", "key_not_accepted"),
    ("point-off-curve", "signature_invalid"),
    ("point-at-infinity", "key_not_accepted"),
    ("curve-implicit", "key_not_accepted"),
    ("curve-unknown", "key_not_accepted"),
    ("signature-algorithm-unknown", "certificate_algorithm"),
    ("signature-algorithm-differs", "certificate_encoding"),
    ("signature-zero", "certificate_signature"),
    ("signature-empty", "certificate_signature"),
    ("trailing-byte", "certificate_encoding"),
    ("trailing-byte-inside", "certificate_encoding"),
    ("truncated", "certificate_encoding"),
    ("length-not-minimal", "certificate_encoding"),
    ("length-indefinite", "certificate_encoding"),
    ("signature-with-unused-bits", "certificate_encoding"),
    ("issuer-without-cert-sign", "issuer_not_authority"),
    ("issuer-without-basic-constraints", "issuer_not_authority"),
    ("issuer-not-authority", "issuer_not_authority"),
    ("issuer-version-1", "certificate_encoding"),
    ("issuer-expired", "certificate_expired"),
    ("issuer-not-yet-valid", "certificate_not_yet_valid"),
    ("issuer-critical-unknown", "critical_extension"),
    ("issued-by-a-person", "issuer_not_authority"),
    ("issuer-missing", "unknown_issuer"),
    ("path-length", "path_length"),
    ("name-not-permitted", "name_constraints"),
    ("name-excluded", "name_constraints"),
    ("explicit-policy-missing", "policy_missing"),
    ("crl-revoked", "certificate_revoked"),
    ("crl-on-hold", "certificate_revoked"),
    ("crl-absent", "revocation_unknown"),
    ("crl-stale", "revocation_unknown"),
    ("crl-from-the-future", "revocation_unknown"),
    ("crl-of-another-issuer", "revocation_unknown"),
    ("crl-forged", "revocation_unknown"),
    ("crl-for-authorities-only", "revocation_unknown"),
    ("crl-critical-unknown", "revocation_unknown"),
    ("issuer-revoked", "certificate_revoked"),
    ("ocsp-revoked", "certificate_revoked"),
    ("ocsp-unknown", "revocation_unknown"),
    ("ocsp-stale", "revocation_unknown"),
    ("ocsp-from-the-future", "revocation_unknown"),
    ("ocsp-other-certificate", "revocation_unknown"),
    ("ocsp-forged", "revocation_unknown"),
    ("ocsp-responder-not-delegated", "revocation_unknown"),
    ("ocsp-responder-of-another", "revocation_unknown"),
    ("ocsp-responder-expired", "revocation_unknown"),
    ("ocsp-try-later", "revocation_unknown"),
];

fn policy_for(case: &BadCase) -> Result<Policy, VerifyError> {
    let mut builder = Policy::builder();
    for root in &case.roots {
        builder = builder.test_root(root).unwrap();
    }
    if let Some(policy) = case.demand.policy {
        builder = builder.require_policy(policy).unwrap();
    }
    let any_of = case.demand.extended_usage.map_or(vec![], |_| vec![CLIENT_AUTH]);
    builder = builder.extended_key_usage(ExtendedKeyUsage {
        any_of,
        absent_allowed: false,
    });
    if case.demand.revocation {
        let mut revocation = Revocation::required();
        for crl in &case.crls {
            revocation = revocation.clone().crl(crl).unwrap_or(revocation);
        }
        for response in &case.ocsp {
            revocation = revocation.clone().ocsp(response).unwrap_or(revocation);
        }
        builder = builder.revocation(revocation);
    }
    Ok(builder.build().unwrap())
}

fn algorithm(kind: KeyKind) -> A {
    match kind {
        KeyKind::P256 => A::ES256,
        KeyKind::P384 => A::ES384,
        KeyKind::P521 => A::ES512,
        _ => A::RS256,
    }
}

#[test]
fn each_is_refused_for_its_own_reason() {
    let pki = TestPki::new();
    let cases = bad_cases(&pki);
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let mut scene = Scene::with_pki(pki.clone());
        scene.policy = policy_for(case).unwrap();
        let signer = Issued {
            certificate: case.certificate.clone(),
            key: case.key.clone(),
            intermediates: case.intermediates.clone(),
        };
        let outcome = scene.verify(&scene.jws(&signer, algorithm(case.key.kind())));
        let code = outcome.as_ref().map_or_else(VerifyError::code, |_| "ACCEPTED");
        let expected = EXPECTED
            .iter()
            .find(|(name, _)| *name == case.name)
            .map(|(_, code)| *code);
        // A case newer than the table must at least be refused.
        if expected.unwrap_or(code) != code || outcome.is_ok() {
            wrong.push(format!(
                "(\"{}\", \"{code}\"), // {} {:?}",
                case.name,
                case.why,
                outcome.err()
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let known: Vec<_> = cases.iter().map(|case| case.name).collect();
    for (name, _) in EXPECTED {
        assert!(known.contains(name), "no case {name} any more");
    }
}
