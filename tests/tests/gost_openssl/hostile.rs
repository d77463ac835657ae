//! Every certificate of [`gost_bad_cases`], which OpenSSL's engine in good part takes, before the portal.

use fixtures::pki::cms::Cms;
use fixtures::pki::{BadCase, KeyKind, gost_bad_cases};
use plugin_protocol::encoding::base64;
use plugin_protocol::{Challenge, Origin, Proof, Purpose, Statement};
use portal::{Policy, VerifyError, verify};
use time::OffsetDateTime;

use crate::authority::proof;

/// The portal's verdict on a right proof with the case's certificate and key.
fn verdict(case: &BadCase, now: OffsetDateTime) -> Result<(), VerifyError> {
    let origin: Origin = "https://portal.example".parse().expect("an origin");
    let challenge: Challenge = base64(&[7; 32]).parse().expect("a challenge");
    let purpose = Purpose::ConfirmIdentity;
    let statement = Statement::new(origin.clone(), challenge.clone(), purpose, now, &case.certificate);
    let mut policy = Policy::builder();
    for root in &case.roots {
        policy = policy.test_root(root).expect("a root");
    }
    let policy = policy.build().expect("a whole policy");
    let cms = Cms::cades(&statement.to_canonical_json(), &case.issued(), now.unix_timestamp());
    let proof = Proof::Cms(proof(&cms.der(), None));
    verify(&proof, &origin, &challenge, &policy, now).map(drop)
}

/// The code that a fault ends in.
fn expected(name: &str) -> &'static str {
    match name {
        "person-2001" | "issuer-2001" | "algorithm-of-2001" => "algorithm_ended",
        "algorithm-is-the-key" | "algorithm-parameters-odd" => "certificate_algorithm",
        "algorithm-differs" | "algorithm-parameters-differ" | "algorithm-parameters-twice" => "certificate_encoding",
        "signature-bits-unused" | "signature-in-octets" => "certificate_encoding",
        // Inside a CMS, BER is put into DER first: then it is no longer what the signer named, or cannot be.
        "ber-certificate" => "certificate_mismatch",
        "ber-signature" => "malformed",
        "algorithm-is-ecdsa" | "algorithm-of-the-other-length" => "certificate_signature",
        name if ["signature-", "signed-over-", "digest-of-the-digest", "digest-reversed"]
            .iter()
            .any(|start| name.starts_with(start)) =>
        {
            "certificate_signature"
        }
        name if name.starts_with("r-") || name.starts_with("s-") => "certificate_signature",
        _ => "key_not_accepted",
    }
}

#[test]
fn every_fault_is_refused_for_its_reason_on_every_parameter_set() {
    let now = OffsetDateTime::now_utc();
    let mut wrong = Vec::new();
    for kind in KeyKind::all_gost() {
        for case in gost_bad_cases(kind, now.unix_timestamp()) {
            let told = verdict(&case, now).map_or_else(|error| error.code(), |()| "ACCEPTED");
            if told != expected(case.name) {
                wrong.push(format!("{kind:?} {}: {told} ({})", case.name, case.why));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
