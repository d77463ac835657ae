//! CMS written by hand: good ones verify, each wrong part is refused for its own reason.

use fixtures::der_writer::{
    explicit, generalized_time, integer, null, octet_string, oid, sequence, time as utc_time, tlv,
};
use fixtures::pki::{Issued, KeyKind, extensions};
use plugin_protocol::encoding::{base64, sha256};
use plugin_protocol::{HashFunction, Proof, ProofFormat, SignatureAlgorithm as A};
use portal::policy::UnsignedAttributes;
use portal::{Budget, VerifyError};

use crate::cms_builder::{
    CONTENT_TYPE, Cms, ID_DATA, MESSAGE_DIGEST, RSA_ENCRYPTION, SIGNING_CERTIFICATE_V2, SIGNING_TIME, hash_oid,
    issuer_and_serial, issuer_serial_parts, signing_certificate, wrap,
};
use crate::support::{Scene, builder, key_for};

fn malformed(what: &'static str) -> VerifyError {
    VerifyError::Malformed(what)
}

fn attributes(what: &'static str) -> VerifyError {
    VerifyError::SignedAttributes(what)
}

/// A scene, a person with a P-256 key, and what comes of their CMS after one change.
struct Stage {
    scene: Scene,
    person: Issued,
}

impl Stage {
    fn new() -> Self {
        let scene = Scene::new();
        let person = scene.person(KeyKind::P256);
        Self { scene, person }
    }

    fn outcome(&self, change: impl FnOnce(&mut Cms)) -> Result<(), VerifyError> {
        let mut cms = Cms::statement(&self.scene, &self.person, A::ES256);
        change(&mut cms);
        self.scene
            .verify(&cms.proof(&self.person, ProofFormat::Cms))
            .map(|_| ())
    }

    #[track_caller]
    fn refuses(&self, why: VerifyError, change: impl FnOnce(&mut Cms)) {
        assert_eq!(self.outcome(change), Err(why));
    }

    #[track_caller]
    fn accepts(&self, change: impl FnOnce(&mut Cms)) {
        self.outcome(change).unwrap();
    }
}

#[test]
fn attached_and_detached_verify_with_every_algorithm() {
    let scene = Scene::new();
    for algorithm in A::ALL {
        let person = scene.person(key_for(algorithm));
        for detached in [false, true] {
            let mut cms = Cms::statement(&scene, &person, algorithm);
            cms.detached = detached;
            let identity = scene.verify(&cms.proof(&person, ProofFormat::Cms));
            let identity = identity.unwrap_or_else(|error| panic!("{algorithm}: {error}"));
            assert_eq!(identity.algorithm(), algorithm);
            assert_eq!(identity.format(), ProofFormat::Cms);
            assert_eq!(identity.signed_at(), Some(scene.now.replace_nanosecond(0).unwrap()));
            assert!(identity.signed_purpose().is_some());
        }
    }
}

#[test]
fn a_literal_challenge_verifies_attached_detached_and_unsent() {
    let mut scene = Scene::new();
    scene.challenge = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let person = scene.person(KeyKind::P256);
    let mut cms = Cms::over(scene.challenge.as_str().as_bytes().to_vec(), &scene, &person, A::ES256);
    let identity = scene.verify(&cms.proof(&person, ProofFormat::CmsChallenge)).unwrap();
    assert_eq!(identity.signed_purpose(), None);
    cms.detached = true;
    let detached = cms.proof(&person, ProofFormat::CmsChallenge);
    assert!(scene.verify(&detached).is_ok());
    let Proof::CmsChallenge(mut unsent) = detached else {
        unreachable!()
    };
    unsent.content = None;
    assert!(scene.verify(&Proof::CmsChallenge(unsent.clone())).is_ok());
    scene.challenge = "1123456789abcdef0123456789abcdef".parse().unwrap();
    assert_eq!(
        scene.verify(&Proof::CmsChallenge(unsent)).unwrap_err(),
        VerifyError::ContentMismatch
    );
    let attached = Cms::over(b"0123456789abcdef0123456789abcdef".to_vec(), &scene, &person, A::ES256);
    let error = scene
        .verify(&attached.proof(&person, ProofFormat::CmsChallenge))
        .unwrap_err();
    assert_eq!(error, VerifyError::ChallengeMismatch);
}

#[test]
fn one_format_does_not_pass_for_another() {
    let stage = Stage::new();
    let cms = Cms::statement(&stage.scene, &stage.person, A::ES256);
    let as_challenge = stage.scene.verify(&cms.proof(&stage.person, ProofFormat::CmsChallenge));
    assert_eq!(as_challenge.unwrap_err(), VerifyError::ChallengeMismatch);
    let challenge = stage.scene.challenge.as_str().as_bytes().to_vec();
    let cms = Cms::over(challenge, &stage.scene, &stage.person, A::ES256);
    let as_statement = stage
        .scene
        .verify(&cms.proof(&stage.person, ProofFormat::Cms))
        .unwrap_err();
    assert_eq!(
        as_statement,
        malformed("the content is not a canonical confirmation statement")
    );
}

#[test]
fn tolerated_variations() {
    let stage = Stage::new();
    stage.accepts(|_| {});
    stage.accepts(|cms| cms.digest_algorithm = sequence(&[&oid(hash_oid(HashFunction::Sha256)), &null()]));
    stage.accepts(|cms| cms.unsigned = Some(crate::cms_builder::attribute("1.2.3.4", &[&null()])));
    stage.accepts(|cms| cms.set("1.2.3.4", &[&null(), &integer(1)]));
    stage.accepts(|cms| cms.certificates = vec![stage.person.certificate.clone()]);
    let key_identifier = stage.person.key.key_identifier();
    stage.accepts(|cms| {
        cms.sid = tlv(0x80, &key_identifier);
        cms.signer_version = 3;
        cms.version = 3;
    });
    stage.accepts(|cms| {
        cms.set(
            SIGNING_CERTIFICATE_V2,
            &[&with_issuer_serial(&stage.person.certificate)],
        )
    });
    let sha512 = HashFunction::Sha512.digest(&stage.person.certificate);
    stage.accepts(|cms| cms.set(SIGNING_CERTIFICATE_V2, &[&with_hash(HashFunction::Sha512, &sha512)]));
}

#[test]
fn rsa_by_either_name_of_its_algorithm() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::Rsa2048);
    for algorithm in [A::RS256, A::RS384, A::RS512] {
        let mut cms = Cms::statement(&scene, &person, algorithm);
        assert!(scene.verify(&cms.proof(&person, ProofFormat::Cms)).is_ok());
        cms.signature_algorithm = sequence(&[&oid(RSA_ENCRYPTION), &null()]);
        let identity = scene.verify(&cms.proof(&person, ProofFormat::Cms)).unwrap();
        assert_eq!(identity.algorithm(), algorithm);
    }
}

#[test]
fn pss_parameters_must_be_the_ones_that_are_checked() {
    let scene = Scene::new();
    let person = scene.person(KeyKind::Rsa2048);
    let hash = |hash| sequence(&[&oid(hash_oid(hash)), &null()]);
    let mgf = |hash: &[u8]| sequence(&[&oid("1.2.840.113549.1.1.8"), hash]);
    let (sha256, sha384) = (hash(HashFunction::Sha256), hash(HashFunction::Sha384));
    let salt = |length| explicit(2, &integer(length));
    let verify = |parts: &[&[u8]]| {
        let mut cms = Cms::statement(&scene, &person, A::PS256);
        cms.signature_algorithm = sequence(&[&oid("1.2.840.113549.1.1.10"), &sequence(parts)]);
        scene.verify(&cms.proof(&person, ProofFormat::Cms)).map(|_| ())
    };
    let (h, m) = (explicit(0, &sha256), explicit(1, &mgf(&sha256)));
    assert_eq!(verify(&[&h, &m, &salt(32)]), Ok(()));
    assert_eq!(verify(&[&h, &m, &salt(32), &explicit(3, &integer(1))]), Ok(()));
    let refused = Err(VerifyError::AlgorithmNotAllowed("1.2.840.113549.1.1.10".to_owned()));
    assert_eq!(verify(&[&h, &m, &salt(20)]), refused);
    assert_eq!(verify(&[&h, &m]), refused);
    assert_eq!(verify(&[&h, &explicit(1, &mgf(&sha384)), &salt(32)]), refused);
    assert_eq!(verify(&[&h, &m, &salt(32), &explicit(3, &integer(2))]), refused);
    assert_eq!(verify(&[]), refused);
    let other = verify(&[&explicit(0, &sha384), &explicit(1, &mgf(&sha384)), &salt(48)]);
    assert_eq!(
        other,
        Err(malformed("digestAlgorithm and signatureAlgorithm use different hashes"))
    );
}

#[test]
fn attributes_out_of_order_repeated_or_missing() {
    let stage = Stage::new();
    let order = attributes("not in DER order, or one is there twice");
    stage.refuses(order.clone(), |cms| {
        let mut sorted = cms.attributes.clone();
        sorted.sort();
        sorted.swap(0, 1);
        cms.attributes = sorted;
        cms.as_given = true;
    });
    stage.refuses(order, |cms| {
        let again = cms.attributes[0].clone();
        cms.attributes.push(again);
    });
    stage.refuses(attributes("an attribute is there twice"), |cms| {
        let other = crate::cms_builder::attribute(SIGNING_TIME, &[&utc_time(0)]);
        cms.attributes.push(other);
    });
    for (kind, what) in [
        (CONTENT_TYPE, "content-type"),
        (MESSAGE_DIGEST, "message-digest"),
        (SIGNING_TIME, "signing-time"),
        (SIGNING_CERTIFICATE_V2, "signing-certificate-v2"),
    ] {
        stage.refuses(attributes(what), |cms| cms.set(kind, &[]));
        stage.refuses(attributes("an attribute has not exactly one value"), |cms| {
            cms.set(kind, &[&null(), &integer(1)])
        });
    }
    stage.refuses(attributes("there are none"), |cms| cms.no_attributes = true);
}

#[test]
fn attributes_that_say_something_else() {
    let stage = Stage::new();
    stage.refuses(attributes("content-type is not id-data"), |cms| {
        cms.set(CONTENT_TYPE, &[&oid("1.2.3")])
    });
    stage.refuses(VerifyError::ContentMismatch, |cms| {
        cms.set(MESSAGE_DIGEST, &[&octet_string(&sha256(b"another"))])
    });
    stage.refuses(attributes("message-digest"), |cms| {
        cms.set(MESSAGE_DIGEST, &[&tlv(0x0c, &sha256(b"x"))])
    });
    stage.refuses(attributes("signing-time"), |cms| {
        cms.set(SIGNING_TIME, &[&octet_string(b"now")])
    });
    let now = stage.scene.now.unix_timestamp();
    stage.refuses(attributes("signing-time before 2050 is not UTCTime"), |cms| {
        cms.set(SIGNING_TIME, &[&generalized_time(now)])
    });
    stage.refuses(attributes("signing-time is not the statement's time"), |cms| {
        cms.set(SIGNING_TIME, &[&utc_time(now - 200)])
    });
    assert!(matches!(
        stage.outcome(|cms| cms.set(SIGNING_TIME, &[&utc_time(now - 3600)])),
        Err(VerifyError::SigningTimeTooOld(_))
    ));
    assert!(matches!(
        stage.outcome(|cms| cms.set(SIGNING_TIME, &[&utc_time(now + 3600)])),
        Err(VerifyError::SigningTimeInFuture(_))
    ));
}

#[test]
fn signing_certificate_of_another_certificate_or_form() {
    let stage = Stage::new();
    let other = stage.scene.person(KeyKind::P256);
    stage.refuses(VerifyError::CertificateMismatch, |cms| {
        cms.set(
            SIGNING_CERTIFICATE_V2,
            &[&signing_certificate(&sha256(&other.certificate))],
        )
    });
    let own = sha256(&stage.person.certificate);
    stage.refuses(attributes("signing-certificate-v2 names SHA-256, its default"), |cms| {
        cms.set(SIGNING_CERTIFICATE_V2, &[&with_hash(HashFunction::Sha256, &own)])
    });
    let wrong_serial = with_issuer_serial(&other.certificate);
    stage.refuses(VerifyError::CertificateMismatch, |cms| {
        cms.set(SIGNING_CERTIFICATE_V2, &[&wrong_serial])
    });
    stage.refuses(attributes("signing-certificate-v2"), |cms| {
        cms.set(SIGNING_CERTIFICATE_V2, &[&sequence(&[&sequence(&[])])])
    });
}

#[test]
fn algorithm_protection_is_believed_only_when_right() {
    let stage = Stage::new();
    let protection = "1.2.840.113549.1.9.52";
    let digest = sequence(&[&oid(hash_oid(HashFunction::Sha256))]);
    let signature = |dotted| tlv(0xa1, &oid(dotted));
    stage.accepts(|cms| cms.set(protection, &[&sequence(&[&digest, &signature("1.2.840.10045.4.3.2")])]));
    let wrong = attributes("the algorithms are not those protected");
    stage.refuses(wrong.clone(), |cms| {
        cms.set(protection, &[&sequence(&[&digest, &signature("1.2.840.10045.4.3.3")])])
    });
    let sha384 = sequence(&[&oid(hash_oid(HashFunction::Sha384))]);
    stage.refuses(wrong, |cms| {
        cms.set(protection, &[&sequence(&[&sha384, &signature("1.2.840.10045.4.3.2")])])
    });
}

#[test]
fn structure_that_is_not_exactly_one_signature_over_data() {
    let stage = Stage::new();
    stage.refuses(malformed("not exactly one signer"), |cms| cms.signers = 2);
    stage.refuses(malformed("not exactly one signer"), |cms| cms.signers = 0);
    stage.refuses(malformed("not a SignedData"), |cms| cms.content_info_type = ID_DATA);
    stage.refuses(malformed("the content type is not id-data"), |cms| {
        cms.content_type = "1.2.840.113549.1.9.16.1.4"
    });
    stage.refuses(malformed("SignedData of a version other than 1 and 3"), |cms| {
        cms.version = 4
    });
    stage.refuses(
        malformed("the SignerInfo's version does not fit its signer identifier"),
        |cms| cms.signer_version = 3,
    );
    stage.refuses(
        malformed("digestAlgorithms does not list the signer's digest algorithm"),
        |cms| cms.digest_algorithms = vec![],
    );
    stage.refuses(malformed("the signer's certificate is not in it"), |cms| {
        cms.certificates = vec![]
    });
    let other = stage.scene.person(KeyKind::P256);
    stage.refuses(malformed("the signer's certificate is not in it"), |cms| {
        cms.sid = issuer_and_serial(&other.certificate)
    });
    let twice = stage.person.certificate.clone();
    stage.refuses(malformed("several certificates fit the signer identifier"), |cms| {
        cms.certificates.push(twice)
    });
    stage.refuses(
        malformed("digestAlgorithm and signatureAlgorithm use different hashes"),
        |cms| cms.signature_algorithm = fixtures::pki::SignatureAlgorithm::EcdsaSha384.identifier(),
    );
    stage.refuses(VerifyError::AlgorithmMismatch, |cms| {
        cms.signature_algorithm = sequence(&[&oid(RSA_ENCRYPTION), &null()])
    });
    let sha1 = sequence(&[&oid("1.3.14.3.2.26")]);
    stage.refuses(VerifyError::AlgorithmNotAllowed("1.3.14.3.2.26".to_owned()), |cms| {
        cms.digest_algorithms = vec![sha1.clone()];
        cms.digest_algorithm = sha1;
    });
}

#[test]
fn content_in_no_place_or_in_two() {
    let stage = Stage::new();
    let cms = Cms::statement(&stage.scene, &stage.person, A::ES256);
    let Proof::Cms(mut proof) = cms.proof(&stage.person, ProofFormat::Cms) else {
        unreachable!()
    };
    proof.content = Some(base64(&cms.content));
    let error = stage.scene.verify(&wrap(proof, ProofFormat::Cms)).unwrap_err();
    assert_eq!(error, malformed("the content is there twice"));
    let mut detached = Cms::statement(&stage.scene, &stage.person, A::ES256);
    detached.detached = true;
    let Proof::Cms(mut proof) = detached.proof(&stage.person, ProofFormat::Cms) else {
        unreachable!()
    };
    proof.content = None;
    let error = stage.scene.verify(&wrap(proof, ProofFormat::Cms)).unwrap_err();
    assert_eq!(error, malformed("the content is missing"));
}

#[test]
fn unsigned_attributes_and_many_certificates_as_the_policy_says() {
    let mut stage = Stage::new();
    let strict = builder(&stage.scene.pki).unsigned_attributes(UnsignedAttributes::Refuse);
    stage.scene.policy = strict.build().unwrap();
    stage.refuses(malformed("unsigned attributes are refused here"), |cms| {
        cms.unsigned = Some(crate::cms_builder::attribute("1.2.3.4", &[&null()]))
    });
    let small = Budget {
        certificates: 1,
        ..Budget::default()
    };
    stage.scene.policy = builder(&stage.scene.pki).budget(small).build().unwrap();
    stage.refuses(VerifyError::BudgetExceeded("certificates in the proof"), |_| {});
}

#[test]
fn a_flipped_byte_anywhere_never_makes_another_accepted_proof() {
    let stage = Stage::new();
    let good = Cms::statement(&stage.scene, &stage.person, A::ES256).der(&stage.person);
    let mut survivors = Vec::new();
    for index in 0..good.len() {
        let flip = [0x01, 0x20, 0x80, 0xff][index % 4];
        let mut bytes = good.clone();
        bytes[index] ^= flip;
        let proof = plugin_protocol::proof::CmsProof {
            cms: base64(&bytes),
            content: None,
        };
        if stage.scene.verify(&Proof::Cms(proof)).is_ok() {
            survivors.push((index, flip));
        }
    }
    let free = free_octets(&good, &stage);
    survivors.retain(|(index, _)| !free.contains(index));
    assert!(
        survivors.is_empty(),
        "accepted with changes at {survivors:?} of {}",
        good.len()
    );
}

/// Octets of the intermediate's certificate: an unsigned offer which the policy has no need of.
fn free_octets(cms: &[u8], stage: &Stage) -> std::ops::Range<usize> {
    let offer = &stage.scene.pki.intermediate.certificate;
    let at = cms.windows(offer.len()).position(|window| window == offer).unwrap();
    at..at + offer.len()
}

/// ESSCertIDv2 with issuerSerial.
fn with_issuer_serial(certificate: &[u8]) -> Vec<u8> {
    let (issuer, serial) = issuer_serial_parts(certificate);
    let issuer_serial = sequence(&[&sequence(&[&explicit(4, &issuer)]), &serial]);
    sequence(&[&sequence(&[&sequence(&[
        &octet_string(&sha256(certificate)),
        &issuer_serial,
    ])])])
}

/// ESSCertIDv2 with its hash algorithm spelt out.
fn with_hash(hash: HashFunction, digest: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[&oid(hash_oid(hash))]);
    sequence(&[&sequence(&[&sequence(&[&algorithm, &octet_string(digest)])])])
}

#[test]
fn demanded_policies_hold_for_cms_too() {
    let mut stage = Stage::new();
    stage.scene.policy = builder(&stage.scene.pki)
        .forbid_policy(extensions::KC2)
        .unwrap()
        .build()
        .unwrap();
    stage.refuses(VerifyError::PolicyForbidden(extensions::KC2.to_owned()), |_| {});
}
