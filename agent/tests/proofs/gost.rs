//! Proofs by GOST keys.

use super::*;

#[test]
fn cms_of_gost_names_the_key_s_algorithm_and_its_own_streebog() {
    use cms::signed_data::SignedData;
    use der::{Decode, Encode};
    let pki = TestPki::new();
    for (kind, algorithm, key, streebog) in [
        (
            gost256(ParameterSet::CryptoProXchA).0,
            SignatureAlgorithm::Gost256,
            "1.2.643.7.1.1.1.1",
            "1.2.643.7.1.1.2.2",
        ),
        (
            gost512(ParameterSet::Tc26_512C).0,
            SignatureAlgorithm::Gost512,
            "1.2.643.7.1.1.1.2",
            "1.2.643.7.1.1.2.3",
        ),
    ] {
        let person = pki.person("Иванова Анна").key(kind).issue();
        let subject = subject(ProofFormat::CmsChallenge, false);
        let (to_be_signed, proof) = prove(&subject, &person, algorithm, OffsetDateTime::now_utc());
        let (_, cms, _) = cms_of(proof);
        let info = cms::content_info::ContentInfo::from_der(&cms).unwrap();
        assert_eq!(info.to_der().unwrap(), cms);
        let data = SignedData::from_der(&info.content.to_der().unwrap()).unwrap();
        let signer = &data.signer_infos.0.as_slice()[0];
        let named =
            |identifier: &spki::AlgorithmIdentifierOwned| (identifier.oid.to_string(), identifier.parameters.is_none());
        assert_eq!(named(&signer.signature_algorithm), (key.to_owned(), true));
        assert_eq!(named(&signer.digest_alg), (streebog.to_owned(), true));
        assert_eq!(
            named(&data.digest_algorithms.as_slice()[0]),
            (streebog.to_owned(), true)
        );
        assert_eq!(signer.signed_attrs.as_ref().unwrap().to_der().unwrap(), to_be_signed);

        // ESSCertIDv2: SEQUENCE { SEQUENCE { OID }, OCTET STRING }.
        let oid = const_oid::ObjectIdentifier::new(streebog).unwrap().to_der().unwrap();
        let digest = algorithm.hash().digest(&person.certificate);
        let identifier = [&[0x30, oid.len() as u8][..], &oid].concat();
        let ess = [&identifier[..], &[4, digest.len() as u8], &digest].concat();
        assert!(find(&to_be_signed, &ess).is_some(), "the ESS hash is Streebog, by name");

        // The signature as it came from the token: s || r, which gost3410 reads as X.509's.
        let (_, parsed) = x509_parser::parse_x509_certificate(&person.certificate).unwrap();
        let key = gost3410::PublicKey::from_spki_der(parsed.public_key().raw).unwrap();
        let signature = gost3410::Signature::from_x509(signer.signature.as_bytes()).unwrap();
        key.verify_message(&to_be_signed, &signature).unwrap();
        let reversed = gost3410::Signature::from_r_s(signer.signature.as_bytes()).unwrap();
        assert!(key.verify_message(&to_be_signed, &reversed).is_err());
    }
}

/// A certificate of GOST R 34.10-2001 is read, named and refused.
#[test]
fn gost_of_2001_signs_nothing() {
    let pki = TestPki::new();
    let kind = KeyKind::Gost(gost3410::Algorithm::Gost2001, ParameterSet::CryptoProA);
    let person = pki.person("Иванова Анна").key(kind).issue();
    let summary = agent::certificate::Summary::read(&person.certificate).unwrap();
    assert_eq!(summary.key, "GOST R 34.10-2001, CryptoPro A");
    let offered = [Mechanism {
        scheme: plugin_protocol::api::SignatureScheme::Gost,
        hash: plugin_protocol::HashFunction::Streebog256,
        digest: true,
    }];
    let told = preferred_algorithm(&person.certificate, &offered)
        .unwrap_err()
        .to_string();
    assert!(told.contains("34.10-2001") && told.contains("34.10-2012"), "{told}");
    for algorithm in SignatureAlgorithm::ALL {
        let certificates = [&person.certificate[..]];
        let draft = draft(
            &subject(ProofFormat::Cms, false),
            &certificates,
            algorithm,
            OffsetDateTime::now_utc(),
        );
        assert!(draft.is_err(), "{algorithm}");
    }
}
