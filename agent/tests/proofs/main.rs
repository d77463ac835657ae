//! Every proof format with every kind of key, judged by OpenSSL and by our own types.

#![allow(clippy::unwrap_used)]

use agent::proof::{Subject, algorithm_for, draft, preferred_algorithm, verify_own};
use agent::token::{Mechanism, SignData};
use fixtures::openssl::OpenSsl;
use fixtures::pki::{Issued, KeyKind, SignatureAlgorithm as PkiAlgorithm, TestPki};
use gost3410::Algorithm::{Gost2012_256, Gost2012_512};
use gost3410::ParameterSet;
use plugin_protocol::encoding::{base64, from_base64, from_base64url, hex, sha256};
use plugin_protocol::jws::{JWS_TYPE, JwsHeader};
use plugin_protocol::{Proof, ProofFormat, Purpose, SignatureAlgorithm, Statement};
use time::OffsetDateTime;

mod gost;
mod refused;

const EVERY: [(KeyKind, SignatureAlgorithm); 23] = [
    (KeyKind::P256, SignatureAlgorithm::ES256),
    (KeyKind::P384, SignatureAlgorithm::ES384),
    (KeyKind::P521, SignatureAlgorithm::ES512),
    (KeyKind::Rsa2048, SignatureAlgorithm::RS256),
    (KeyKind::Rsa2048, SignatureAlgorithm::RS384),
    (KeyKind::Rsa2048, SignatureAlgorithm::RS512),
    (KeyKind::Rsa3072, SignatureAlgorithm::RS256),
    (KeyKind::Rsa2048, SignatureAlgorithm::PS256),
    (KeyKind::Rsa2048, SignatureAlgorithm::PS384),
    (KeyKind::Rsa2048, SignatureAlgorithm::PS512),
    (KeyKind::Rsa3072, SignatureAlgorithm::PS256),
    gost256(ParameterSet::CryptoProA),
    gost256(ParameterSet::CryptoProB),
    gost256(ParameterSet::CryptoProC),
    gost256(ParameterSet::CryptoProXchA),
    gost256(ParameterSet::CryptoProXchB),
    gost256(ParameterSet::Tc26_256A),
    gost256(ParameterSet::Tc26_256B),
    gost256(ParameterSet::Tc26_256C),
    gost256(ParameterSet::Tc26_256D),
    gost512(ParameterSet::Tc26_512A),
    gost512(ParameterSet::Tc26_512B),
    gost512(ParameterSet::Tc26_512C),
];

const fn gost256(set: ParameterSet) -> (KeyKind, SignatureAlgorithm) {
    (KeyKind::Gost(Gost2012_256, set), SignatureAlgorithm::Gost256)
}

const fn gost512(set: ParameterSet) -> (KeyKind, SignatureAlgorithm) {
    (KeyKind::Gost(Gost2012_512, set), SignatureAlgorithm::Gost512)
}

fn pki_algorithm(algorithm: SignatureAlgorithm) -> PkiAlgorithm {
    match algorithm {
        SignatureAlgorithm::ES256 => PkiAlgorithm::EcdsaSha256,
        SignatureAlgorithm::ES384 => PkiAlgorithm::EcdsaSha384,
        SignatureAlgorithm::ES512 => PkiAlgorithm::EcdsaSha512,
        SignatureAlgorithm::RS256 => PkiAlgorithm::RsaSha256,
        SignatureAlgorithm::RS384 => PkiAlgorithm::RsaSha384,
        SignatureAlgorithm::RS512 => PkiAlgorithm::RsaSha512,
        SignatureAlgorithm::PS256 => PkiAlgorithm::RsaPssSha256,
        SignatureAlgorithm::PS384 => PkiAlgorithm::RsaPssSha384,
        SignatureAlgorithm::PS512 => PkiAlgorithm::RsaPssSha512,
        SignatureAlgorithm::Gost256 => PkiAlgorithm::GOST_256,
        SignatureAlgorithm::Gost512 => PkiAlgorithm::GOST_512,
    }
}

fn subject(format: ProofFormat, detached: bool) -> Subject {
    let length = if format == ProofFormat::CmsChallenge { 32 } else { 44 };
    Subject {
        origin: "https://portal.example".parse().unwrap(),
        challenge: "Zz09+/-_".repeat(6)[..length].parse().unwrap(),
        purpose: Purpose::SignIn,
        format,
        detached,
    }
}

/// Drafts, signs with the person's key, checks as the use case does, and wraps.
fn prove(subject: &Subject, person: &Issued, algorithm: SignatureAlgorithm, now: OffsetDateTime) -> (Vec<u8>, Proof) {
    let chain = person.chain();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let draft = draft(subject, &chain, algorithm, now).unwrap();
    let bytes = draft.to_be_signed().to_vec();
    let signature = person.key.sign_fixed(pki_algorithm(algorithm), &bytes);
    let data = SignData::Message(bytes.clone());
    verify_own(chain[0], algorithm.scheme(), algorithm.hash(), &data, &signature).unwrap();
    (bytes, draft.finish(signature).unwrap())
}

/// `openssl cms -verify -cades`: the verified content, or what it said.
fn openssl(openssl: &OpenSsl, root_pem: &str, cms: &[u8], content: Option<&[u8]>) -> Result<Vec<u8>, String> {
    openssl.write("root.pem", root_pem);
    openssl.write("proof.der", cms);
    let mut command =
        "cms -verify -cades -binary -inform DER -in proof.der -CAfile root.pem -purpose any -out content".to_owned();
    if let Some(content) = content {
        openssl.write("detached", content);
        command += " -content detached";
    }
    let said = openssl.try_run(&command)?;
    match said.contains("CAdES Verification successful") {
        true => Ok(openssl.read("content")),
        false => Err(said),
    }
}

fn cms_of(proof: Proof) -> (ProofFormat, Vec<u8>, Option<Vec<u8>>) {
    let format = proof.format();
    let (Proof::Cms(cms) | Proof::CmsChallenge(cms)) = proof else {
        panic!("a CMS format was asked for")
    };
    let content = cms.content.map(|content| from_base64(&content).unwrap());
    (format, from_base64(&cms.cms).unwrap(), content)
}

#[test]
fn openssl_accepts_every_cms_as_cades() {
    let pki = TestPki::new();
    let judge = OpenSsl::with_gost();
    let now = OffsetDateTime::now_utc();
    for (kind, algorithm) in EVERY {
        let person = pki.person("Иванова Анна").key(kind).issue();
        for (format, detached) in [
            (ProofFormat::Cms, false),
            (ProofFormat::Cms, true),
            (ProofFormat::CmsChallenge, false),
            (ProofFormat::CmsChallenge, true),
        ] {
            let case = format!("{kind:?} {algorithm} {format} detached {detached}");
            let subject = subject(format, detached);
            let (_, proof) = prove(&subject, &person, algorithm, now);
            let (got, cms, content) = cms_of(proof);
            assert_eq!((got, content.is_some()), (format, detached), "{case}");
            let signed = openssl(&judge, &pki.root_pem(), &cms, content.as_deref())
                .unwrap_or_else(|said| panic!("{case}: {said}"));
            if let Some(content) = content {
                assert_eq!(content, signed, "{case}");
            }
            match format {
                ProofFormat::Cms => {
                    let statement = Statement::from_canonical_json(&signed).expect("the canonical statement");
                    let expected = Statement::new(
                        subject.origin.clone(),
                        subject.challenge.clone(),
                        subject.purpose,
                        now,
                        &person.certificate,
                    );
                    assert_eq!(statement, expected, "{case}");
                }
                _ => assert_eq!(signed, subject.challenge.as_str().as_bytes(), "{case}"),
            }
        }
    }
}

#[test]
fn openssl_refuses_what_was_changed() {
    let pki = TestPki::new();
    let judge = OpenSsl::with_gost();
    let now = OffsetDateTime::now_utc();
    let person = pki.person("Иванова Анна").issue();
    let (_, proof) = prove(
        &subject(ProofFormat::Cms, true),
        &person,
        SignatureAlgorithm::ES256,
        now,
    );
    let (_, cms, content) = cms_of(proof);
    let content = content.unwrap();
    openssl(&judge, &pki.root_pem(), &cms, Some(&content)).unwrap();

    let other = String::from_utf8(content.clone())
        .unwrap()
        .replace("sign_in", "sign_on");
    assert!(openssl(&judge, &pki.root_pem(), &cms, Some(other.as_bytes())).is_err());
    let mut other = cms.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(openssl(&judge, &pki.root_pem(), &other, Some(&content)).is_err());
}

/// Offsets of `needle`.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[test]
fn certificates_are_carried_byte_for_byte_and_once() {
    let pki = TestPki::new();
    let person = pki.person("Иванова Анна").issue();
    let twice = [
        &person.certificate[..],
        &person.intermediates[0],
        &person.intermediates[0],
        &person.certificate,
    ];
    let now = OffsetDateTime::now_utc();
    let draft = draft(
        &subject(ProofFormat::Cms, false),
        &twice,
        SignatureAlgorithm::ES256,
        now,
    )
    .unwrap();
    let signature = person.key.sign_fixed(PkiAlgorithm::EcdsaSha256, draft.to_be_signed());
    let (_, cms, _) = cms_of(draft.finish(signature).unwrap());
    for certificate in [&person.certificate, &person.intermediates[0]] {
        let at = find(&cms, certificate).expect("the certificate itself");
        assert_eq!(find(&cms[at + 1..], certificate), None, "once");
    }
}

#[test]
fn sets_are_in_der_order_and_attributes_are_the_four_of_cades() {
    use cms::signed_data::SignedData;
    use der::{Decode, Encode};
    let pki = TestPki::new();
    let person = pki.person("Иванова Анна").key(KeyKind::Rsa2048).issue();
    let now = OffsetDateTime::now_utc();
    let (to_be_signed, proof) = prove(
        &subject(ProofFormat::Cms, false),
        &person,
        SignatureAlgorithm::PS384,
        now,
    );
    let (_, cms, _) = cms_of(proof);
    let info = cms::content_info::ContentInfo::from_der(&cms).unwrap();
    // The reader sorts sets: that it writes the same bytes shows that ours were sorted.
    assert_eq!(info.to_der().unwrap(), cms);
    let data = SignedData::from_der(&info.content.to_der().unwrap()).unwrap();
    assert_eq!(data.to_der().unwrap(), info.content.to_der().unwrap());
    let signer = &data.signer_infos.0.as_slice()[0];
    let attributes = signer.signed_attrs.as_ref().unwrap();
    assert_eq!(attributes.to_der().unwrap(), to_be_signed);
    let mut encoded: Vec<Vec<u8>> = attributes.iter().map(|attribute| attribute.to_der().unwrap()).collect();
    let written = encoded.concat();
    encoded.sort();
    assert_eq!(encoded.concat(), written, "X.690 section 11.6");
    let mut oids: Vec<String> = attributes.iter().map(|attribute| attribute.oid.to_string()).collect();
    oids.sort();
    assert_eq!(
        oids,
        [
            "1.2.840.113549.1.9.16.2.47",
            "1.2.840.113549.1.9.3",
            "1.2.840.113549.1.9.4",
            "1.2.840.113549.1.9.5"
        ]
    );
    let ess = [
        &[0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 4, 32][..],
        &sha256(&person.certificate),
    ]
    .concat();
    assert!(find(&to_be_signed, &ess).is_some(), "the ESS hash, SHA-256 by default");
    assert_eq!(signer.digest_alg.parameters, None);
    let pss = signer.signature_algorithm.parameters.to_der().unwrap();
    assert_eq!(
        hex(&pss),
        "3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130",
        "RSASSA-PSS-params with SHA-384, MGF1 with SHA-384, salt 48"
    );
}

#[test]
fn signing_time_is_utc_time_until_2049() {
    let pki = TestPki::new();
    let person = pki.person("Иванова Анна").issue();
    for (moment, expected) in [
        ("2026-11-25T21:38:12.9+03:00", &b"\x17\x0d261125183812Z"[..]),
        ("2049-12-31T23:59:59Z", b"\x17\x0d491231235959Z"),
        ("2050-01-01T00:00:00Z", b"\x18\x0f20500101000000Z"),
    ] {
        let now = OffsetDateTime::parse(moment, &time::format_description::well_known::Rfc3339).unwrap();
        let certificate = [&person.certificate[..]];
        let draft = draft(
            &subject(ProofFormat::CmsChallenge, true),
            &certificate,
            SignatureAlgorithm::ES256,
            now,
        )
        .unwrap();
        assert!(find(draft.to_be_signed(), expected).is_some(), "{moment}");
    }
}

#[test]
fn jws_and_web_eid_carry_what_a_portal_rebuilds() {
    let pki = TestPki::new();
    let now = OffsetDateTime::now_utc();
    for (kind, algorithm) in EVERY.into_iter().filter(|(_, algorithm)| !algorithm.is_gost()) {
        let person = pki.person("Иванова Анна").key(kind).issue();
        let web_eid = subject(ProofFormat::WebEid, false);
        let (bytes, proof) = prove(&web_eid, &person, algorithm, now);
        let hash = |text: &str| algorithm.hash().digest(text.as_bytes());
        let expected = [hash("https://portal.example"), hash(web_eid.challenge.as_str())].concat();
        assert_eq!(bytes, expected, "{algorithm}");
        let Proof::WebEid(token) = proof else { panic!("web-eid") };
        assert_eq!(token.unverified_certificate, base64(&person.certificate));
        let data = SignData::Message(bytes);
        let signature = from_base64(&token.signature).unwrap();
        verify_own(
            &person.certificate,
            algorithm.scheme(),
            algorithm.hash(),
            &data,
            &signature,
        )
        .unwrap();

        let (bytes, proof) = prove(&subject(ProofFormat::Jws, false), &person, algorithm, now);
        let Proof::Jws { jws } = proof else { panic!("jws") };
        assert_eq!(jws.rsplit_once('.').unwrap().0.as_bytes(), bytes);
        let parts: Vec<_> = jws.split('.').map(|part| from_base64url(part).unwrap()).collect();
        let header: JwsHeader = serde_json::from_slice(&parts[0]).unwrap();
        assert_eq!((header.alg, header.typ.as_str()), (algorithm, JWS_TYPE));
        let chain: Vec<String> = person.chain().iter().map(|der| base64(der)).collect();
        assert_eq!(header.x5c, chain);
        assert!(Statement::from_canonical_json(&parts[1]).is_some());
        let data = SignData::Message(bytes);
        verify_own(
            &person.certificate,
            algorithm.scheme(),
            algorithm.hash(),
            &data,
            &parts[2],
        )
        .unwrap();
    }
}
