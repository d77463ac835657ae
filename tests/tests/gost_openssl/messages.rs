//! CMS and certificates of OpenSSL's making, before the portal.

use plugin_protocol::Proof;
use portal::{Revocation, VerifyError};

use crate::authority::{A_512, CURVES, Curve, NAME, TCA, World, proof};

#[test]
fn certificates_and_messages_on_every_curve_verify() {
    for curve in CURVES {
        let world = World::of(curve);
        let cms = world.sign(&world.statement(), "-cades -nodetach");
        let identity = world.verdict(&cms, None);
        let identity = identity.unwrap_or_else(|error| panic!("{curve:?}: {error}"));
        assert_eq!(identity.algorithm(), curve.algorithm());
        assert_eq!(identity.certificate_der(), world.certificate());
    }
}

#[test]
fn attached_detached_streamed_and_terse_messages_verify() {
    for curve in [TCA, A_512] {
        let world = World::of(curve);
        let statement = world.statement();
        for (options, detached, indefinite) in [
            ("-nodetach", false, false),
            ("", true, false),
            ("-nodetach -stream", false, true),
            ("-nosmimecap", true, false),
            ("-nodetach -nosmimecap", false, false),
            ("-nodetach -keyid", false, false),
            ("-nodetach -certfile root.pem", false, false),
        ] {
            let options = format!("-cades -md {} {options}", curve.digest);
            let cms = world.sign(&statement, &options);
            assert_eq!(
                cms[1] == 0x80,
                indefinite,
                "{options}: the length of the outer SEQUENCE"
            );
            let identity = world.verdict(&cms, detached.then_some(&statement));
            identity.unwrap_or_else(|error| panic!("{curve:?} {options}: {error}"));
        }
    }
}

#[test]
fn authorities_and_people_of_unlike_curves_verify() {
    for (authority, person) in [(A_512, TCA), (TCA, A_512)] {
        let world = World::with(authority, person);
        let cms = world.sign(&world.statement(), "-cades -nodetach");
        let identity = world.verdict(&cms, None).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(identity.algorithm(), person.algorithm());
    }
}

#[test]
fn what_is_not_cades_is_refused_for_that() {
    let world = World::of(TCA);
    let statement = world.statement();
    for (options, missing) in [("-noattr", "there are none"), ("", "signing-certificate-v2")] {
        let cms = world.sign(&statement, &format!("-nodetach {options}"));
        let refused = world.verdict(&cms, None);
        assert_eq!(refused.err(), Some(VerifyError::SignedAttributes(missing)));
    }
}

#[test]
fn another_content_is_refused() {
    let world = World::of(A_512);
    let statement = world.statement();
    let cms = world.sign(&statement, "-cades");
    assert!(world.verdict(&cms, Some(&statement)).is_ok());
    let other = [&statement[..statement.len() - 1], b" }"].concat();
    let refused = world.verdict(&cms, Some(&other));
    assert_eq!(refused.err(), Some(VerifyError::ContentMismatch));
}

#[test]
fn the_digest_of_the_other_length_is_refused() {
    // The engine signs so when told to: a Streebog-512 over the attributes cannot be the hash of a key of 256 bits.
    let world = World::of(TCA);
    world.openssl.write("content", world.statement());
    let told =
        "cms -sign -binary -outform DER -signer person.pem -inkey person.key -in content -out message -cades -nodetach";
    match world.openssl.try_run(&format!("{told} -md md_gost12_512")) {
        Ok(_) => assert!(world.verdict(&world.openssl.read("message"), None).is_err()),
        Err(said) => assert!(said.contains("digest"), "{said}"),
    }
}

#[test]
fn keys_of_2001_are_refused_by_name() {
    let old = Curve::of_2001("A");
    for (authority, person) in [(TCA, old), (old, TCA), (old, old)] {
        let world = World::with(authority, person);
        let cms = world.sign(&world.statement(), "-cades -nodetach");
        let refused = world.verdict(&cms, None).expect_err("2001");
        assert!(
            refused.to_string().contains("2001"),
            "{authority:?} {person:?}: {refused}"
        );
    }
}

#[test]
fn a_literal_challenge_verifies() {
    let world = World::of(TCA);
    let challenge = world.challenge.as_str().as_bytes();
    let attached = proof(&world.sign(challenge, "-cades -nodetach"), None);
    let detached = proof(&world.sign(challenge, "-cades"), Some(challenge));
    for proof in [attached, detached] {
        let identity = world.judge(&Proof::CmsChallenge(proof), Revocation::none());
        identity.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_qualified_certificate_of_its_making_is_read() {
    let world = World::of(TCA);
    let cms = world.sign(&world.statement(), "-cades -nodetach");
    let identity = world.verdict(&cms, None).unwrap_or_else(|error| panic!("{error}"));
    let subject = identity.subject();
    assert_eq!(subject.common_name(), Some(NAME));
    assert_eq!(subject.snils(), Some("11223344595"));
    assert_eq!(subject.inn(), Some("500100732259"));
    assert!(identity.qualification().is_claimed());
    let facts = identity.qualification().facts();
    assert_eq!(facts.subject_sign_tool.as_deref(), Some("Средство владельца"));
    assert_eq!(facts.tool_classes.len(), 2);
    let tools = facts.issuer_sign_tool.as_ref().map(|tools| format!("{tools:?}"));
    assert!(tools.is_some_and(|tools| tools.contains("Заключение на средство центра")));
    assert!(facts.identification_kind.is_some() && facts.private_key_usage_period.is_some());
}
