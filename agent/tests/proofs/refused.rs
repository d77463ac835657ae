//! What is not made: formats that a key cannot carry, and proofs that are wrong.

use super::*;

#[test]
fn a_format_that_a_key_cannot_make_is_refused_with_those_it_can() {
    use plugin_protocol::HashFunction::{Sha256, Streebog256, Streebog512};
    use plugin_protocol::api::SignatureScheme::{Ecdsa, Gost};
    let pki = TestPki::new();
    let digest = true;
    let offered = [(Ecdsa, Sha256), (Gost, Streebog256), (Gost, Streebog512)];
    let offered = offered.map(|(scheme, hash)| Mechanism { scheme, hash, digest });
    for (kind, algorithm) in [
        (KeyKind::P256, SignatureAlgorithm::ES256),
        gost256(ParameterSet::Tc26_256B),
        gost512(ParameterSet::Tc26_512A),
    ] {
        let person = pki.person("Иванова Анна").key(kind).issue();
        for format in ProofFormat::X509 {
            let found = algorithm_for(format, &person.certificate, &offered);
            let jose = matches!(format, ProofFormat::WebEid | ProofFormat::Jws);
            if algorithm.is_gost() && jose {
                let told = found.unwrap_err().to_string();
                assert!(
                    told.contains(format.name()) && told.contains("GOST R 34.10-2012"),
                    "{told}"
                );
                assert!(told.contains("cms and cms-challenge"), "{told}");
                let certificates = [&person.certificate[..]];
                let now = OffsetDateTime::now_utc();
                let drafted = draft(&subject(format, false), &certificates, algorithm, now)
                    .err()
                    .unwrap();
                assert_eq!(drafted.to_string(), told);
            } else {
                assert_eq!(found, Ok(algorithm), "{format}");
            }
        }
        // The mechanism of the other size is none.
        let without: Vec<Mechanism> = offered.into_iter().filter(|m| m.hash != algorithm.hash()).collect();
        assert!(algorithm_for(ProofFormat::Cms, &person.certificate, &without).is_err());
    }
}

#[test]
fn own_check_catches_every_kind_of_wrong() {
    let pki = TestPki::new();
    for (kind, algorithm) in EVERY {
        let person = pki.person("Иванова Анна").key(kind).issue();
        let stranger = pki.person("Петров Пётр").key(kind).issue();
        let message = b"what was agreed to".to_vec();
        let (scheme, hash) = (algorithm.scheme(), algorithm.hash());
        let signature = person.key.sign_fixed(pki_algorithm(algorithm), &message);
        let whole = SignData::Message(message.clone());
        let digest = SignData::Digest(hash.digest(&message));
        for data in [&whole, &digest] {
            let check = |certificate: &[u8], signature: &[u8]| verify_own(certificate, scheme, hash, data, signature);
            check(&person.certificate, &signature).unwrap_or_else(|e| panic!("{kind:?} {algorithm}: {e}"));
            for bit in [0, 7, 8 * (signature.len() / 2), 8 * signature.len() - 1] {
                let mut wrong = signature.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                assert!(check(&person.certificate, &wrong).is_err(), "{algorithm} bit {bit}");
            }
            for wrong in [
                &[][..],
                &signature[1..],
                &[&[0], &signature[..]].concat(),
                &vec![0; signature.len()],
            ] {
                assert!(check(&person.certificate, wrong).is_err(), "{algorithm}");
            }
            let same_key = stranger.key.public_key() == person.key.public_key();
            assert!(
                same_key || check(&stranger.certificate, &signature).is_err(),
                "{algorithm}"
            );
        }
        let mut other = message.clone();
        other[0] ^= 0x80;
        let other_digest = SignData::Digest(hash.digest(&other));
        for data in [SignData::Message(other), other_digest, SignData::Digest(vec![0; 20])] {
            assert!(verify_own(&person.certificate, scheme, hash, &data, &signature).is_err());
        }
    }
}

#[test]
fn preferred_algorithm_follows_the_key_and_what_the_token_offers() {
    use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
    use plugin_protocol::api::SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
    let mechanism = |(scheme, hash)| Mechanism {
        scheme,
        hash,
        digest: true,
    };
    let pki = TestPki::new();
    let mut rows = 0;
    for (kind, offered, expected) in [
        (
            KeyKind::P256,
            vec![(Ecdsa, Sha512), (Ecdsa, Sha256)],
            Some(SignatureAlgorithm::ES256),
        ),
        (KeyKind::P384, vec![(Ecdsa, Sha384)], Some(SignatureAlgorithm::ES384)),
        (KeyKind::P521, vec![(Ecdsa, Sha512)], Some(SignatureAlgorithm::ES512)),
        (KeyKind::P384, vec![(Ecdsa, Sha256)], None),
        (
            KeyKind::Rsa2048,
            vec![(RsaPss, Sha256), (RsaPkcs1, Sha256)],
            Some(SignatureAlgorithm::RS256),
        ),
        (
            KeyKind::Rsa2048,
            vec![(RsaPss, Sha256), (RsaPkcs1, Sha512)],
            Some(SignatureAlgorithm::RS512),
        ),
        (
            KeyKind::Rsa2048,
            vec![(RsaPss, Sha384)],
            Some(SignatureAlgorithm::PS384),
        ),
        (KeyKind::Rsa2048, vec![(Ecdsa, Sha256)], None),
        (KeyKind::Rsa2048, vec![], None),
    ] {
        let person = pki.person("Иванова Анна").key(kind).issue();
        let offered: Vec<Mechanism> = offered.into_iter().map(mechanism).collect();
        assert_eq!(
            preferred_algorithm(&person.certificate, &offered).ok(),
            expected,
            "{kind:?} {offered:?}"
        );
        rows += 1;
    }
    assert_eq!(rows, 9);
    assert!(preferred_algorithm(b"no certificate", &[]).is_err());
}

#[test]
fn a_draft_refuses_what_its_format_or_key_does_not_allow() {
    let pki = TestPki::new();
    let person = pki.person("Иванова Анна").issue();
    let certificates = [&person.certificate[..]];
    let now = OffsetDateTime::now_utc();
    let code = |subject: &Subject, certificates: &[&[u8]], algorithm| {
        draft(subject, certificates, algorithm, now)
            .err()
            .map(|error| error.code())
    };
    use plugin_protocol::ErrorCode;
    let jws = subject(ProofFormat::Jws, false);
    assert_eq!(code(&jws, &certificates, SignatureAlgorithm::ES256), None);
    assert_eq!(
        code(&jws, &certificates, SignatureAlgorithm::ES384),
        Some(ErrorCode::UnsupportedAlgorithm)
    );
    assert_eq!(
        code(&jws, &certificates, SignatureAlgorithm::RS256),
        Some(ErrorCode::UnsupportedAlgorithm)
    );
    assert_eq!(
        code(&jws, &[], SignatureAlgorithm::ES256),
        Some(ErrorCode::NoCertificate)
    );
    let short = Subject {
        challenge: "a".repeat(43).parse().unwrap(),
        ..jws.clone()
    };
    assert_eq!(
        code(&short, &certificates, SignatureAlgorithm::ES256),
        Some(ErrorCode::InvalidField)
    );
    let detached = Subject {
        detached: true,
        ..jws.clone()
    };
    assert_eq!(
        code(&detached, &certificates, SignatureAlgorithm::ES256),
        Some(ErrorCode::InvalidField)
    );
    let draft = draft(&jws, &certificates, SignatureAlgorithm::ES256, now).unwrap();
    assert_eq!(
        draft.finish(vec![1; 63]).err().map(|e| e.code()),
        Some(ErrorCode::SignatureMismatch)
    );
}
