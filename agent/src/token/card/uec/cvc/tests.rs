//! Certificates of `fixtures::cvc`, which shares no code with this, and altered ones.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use fixtures::cvc::{self, Kind, UecPki};
use proptest::prelude::*;
use time::Duration;
use time::OffsetDateTime;

use super::*;

const KINDS: [(cvc::Version, cvc::Suite); 4] = [
    (cvc::Version::V10, cvc::Suite::Gost),
    (cvc::Version::V10, cvc::Suite::Rsa),
    (cvc::Version::V11, cvc::Suite::Gost),
    (cvc::Version::V11, cvc::Suite::Rsa),
];

fn read(issued: &cvc::pki::Issued) -> Certificate {
    Certificate::read(&issued.certificate).unwrap()
}

fn day(pki: &UecPki) -> Date {
    OffsetDateTime::from_unix_timestamp(pki.at).unwrap().date()
}

#[test]
fn both_chains_hold_in_every_version_and_suite() {
    for (version, suite) in KINDS {
        let pki = UecPki::new(version, suite);
        let root = read(&pki.authority);
        assert_eq!((root.version.byte(), root.holder), (version.octet(), Holder::Authority));
        assert_eq!(root.suite.flag(), suite.flag());
        let roots = [root];
        for (leaf, middle) in [(&pki.application, &pki.issuer), (&pki.terminal, &pki.operator)] {
            let (leaf, middle) = (read(leaf), read(middle));
            chain(&leaf, &middle, &roots, Some(day(&pki))).unwrap();
            assert_eq!(chain(&leaf, &middle, &[], None), Err(ChainError::Root));
            assert_eq!(
                chain(&middle, &leaf, &roots, None),
                Err(ChainError::Holder(middle.holder))
            );
            let late = day(&pki) + Duration::days(1600);
            assert_eq!(
                chain(&leaf, &middle, &roots, Some(late)),
                Err(ChainError::Validity(leaf.holder))
            );
            assert_eq!(
                [leaf.body(), leaf.signature_object()].concat().len() + 4 + usize::from(leaf.whole[2] == 0x82),
                leaf.whole.len(),
                "the two parts are all that there is"
            );
        }
        let application = read(&pki.application);
        assert_eq!(application.subject, pki.holder.subject());
        let digits: String = pki.holder.pan.chars().skip(15).collect();
        assert_eq!(application.pan().unwrap().to_string(), format!("•••• {digits}"));
        assert!(application.snils().is_some());
        assert_eq!(read(&pki.terminal).pan(), None);
    }
}

#[test]
fn the_wrong_signer_and_the_wrong_kind_are_refused() {
    let mut pki = UecPki::new(cvc::Version::V11, cvc::Suite::Gost);
    let root = [read(&pki.authority)];
    let (application, issuer, operator) = (read(&pki.application), read(&pki.issuer), read(&pki.operator));
    assert_eq!(
        chain(&application, &operator, &root, None),
        Err(ChainError::Holder(Holder::Operator))
    );
    // A root that is none, though it signed.
    assert_eq!(
        chain(&application, &issuer, std::slice::from_ref(&issuer), None),
        Err(ChainError::Root)
    );
    // An issuer of the same name with another key.
    pki.respoil_issuer(|template| template.key = pki_key("another issuer"));
    assert_eq!(
        chain(&application, &read(&pki.issuer), &root, None),
        Err(ChainError::Signature(Holder::Application))
    );
}

fn pki_key(name: &str) -> Vec<u8> {
    cvc::Key::gost_named(name).public().objects(cvc::Version::V11)
}

#[test]
fn every_altered_certificate_is_refused_or_does_not_verify() {
    let pki = UecPki::new(cvc::Version::V11, cvc::Suite::Rsa);
    let issuer = read(&pki.issuer);
    let right = &pki.application.certificate;
    assert!(Certificate::read(right).unwrap().is_signed_by(&issuer));
    for at in 0..right.len() {
        let mut altered = right.clone();
        altered[at] ^= 1;
        let accepted = Certificate::read(&altered).is_ok_and(|read| read.is_signed_by(&issuer));
        assert!(!accepted, "byte {at}");
        assert!(Certificate::read(&right[..at]).is_err(), "{at} bytes");
    }
    assert!(
        Certificate::read(&[right, &[0][..]].concat()).is_err(),
        "a byte too many"
    );
}

#[test]
fn what_a_certificate_must_have_is_asked_for() {
    type Spoil = fn(&mut cvc::Template);
    let spoils: [Spoil; 6] = [
        |t| t.profile = 3,
        |t| t.kind = 8,
        |t| t.kind = 0,
        |t| t.kind = Kind::Terminal as u8,
        |t| t.key = cvc::tlv::tlv(0x81, &[1; 64]),
        |t| t.key = [cvc::tlv::tlv(0x81, &[0xFF; 128]), cvc::tlv::tlv(0x82, &[5])].concat(),
    ];
    for (i, spoil) in spoils.into_iter().enumerate() {
        let mut pki = UecPki::new(cvc::Version::V11, cvc::Suite::Gost);
        pki.respoil_application(spoil);
        assert!(Certificate::read(&pki.application.certificate).is_err(), "{i}");
    }
}

#[test]
fn days_are_bcd_of_this_century() {
    assert_eq!(date(&[0x26, 0x11, 0x26]).unwrap().to_string(), "2026-11-26");
    for wrong in [
        &[0x26, 0x13, 0x01][..],
        &[0x26, 0x02, 0x30],
        &[0x2A, 0x01, 0x01],
        &[0x26, 0x01],
    ] {
        assert_eq!(date(wrong), None);
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..400, byte: u8) {
        let _ = Certificate::read(&bytes);
        let _ = Certificate::read(&cvc::tlv::tlv(0x7F21, &bytes));
        static SAMPLE: LazyLock<Vec<u8>> =
            LazyLock::new(|| UecPki::new(cvc::Version::V11, cvc::Suite::Gost).terminal.certificate);
        let mut certificate = SAMPLE.clone();
        let at = at % certificate.len();
        certificate[at] = byte;
        let _ = Certificate::read(&certificate);
    }
}
