//! How a certificate's key is found: by its public key, then by CKA_ID; and what attributes may leave out.

use agent::Error;
use agent::token::{Credential, Source};
use fixtures::gost_token::{Call, GostToken, KeyAttributes, PIN};
use fixtures::pki::{KeyKind, TestPki};
use plugin_protocol::SignatureAlgorithm::Gost256;
use plugin_protocol::encoding::hex;
use serde_json::{Value, json};

use super::{BOTH, ready, set, source, token_with};
use crate::{job, message, only, person, pin, verify};

const STREEBOG_256: &str = "06082a85030701010202";
const GOST_94: &str = "06072a850302021e01";
const CRYPTOPRO_A: &str = "06072a850302022301";
const TC26_256_B: &str = "06092a8503070102010102";
const TC26_512_B: &str = "06092a8503070102010202";

/// What every token has to come through to count as usable.
fn signs(token: &GostToken) {
    let mut source = source(token);
    let (info, credential) = ready(&mut source);
    let hash = credential.mechanisms[0].hash;
    let (_, algorithm) = BOTH
        .into_iter()
        .find(|(_, algorithm)| algorithm.hash() == hash)
        .unwrap();
    let signed = source.sign(&info.id, job(&credential, &[message(algorithm)]), pin(PIN));
    verify(&credential.certificate, algorithm, &signed.unwrap()[0]);
}

fn offered(token: &GostToken) -> Vec<Credential> {
    let mut source = source(token);
    let info = only(&mut source);
    source.credentials(&info.id).unwrap()
}

/// Settings in which public and private key objects tell this of themselves.
fn told(attribute: impl Into<Value>, what: Value) -> Value {
    let attribute = attribute.into();
    let lie = |class: &str| {
        let mut lie = what.clone();
        lie["class"] = class.into();
        lie["attribute"] = attribute.clone();
        lie
    };
    json!([lie("CKO_PUBLIC_KEY"), lie("CKO_PRIVATE_KEY")])
}

fn value(octets: &str) -> Value {
    json!({ "value": octets })
}

/// CK_ULONGs as this machine has them.
fn native(numbers: &[u64]) -> String {
    let octets: Vec<u8> = numbers.iter().flat_map(|number| number.to_ne_bytes()).collect();
    hex(&octets)
}

#[test]
fn the_public_key_leads_to_the_private_one_under_another_identifier() {
    for (kind, algorithm) in BOTH {
        let token = GostToken::new("card");
        let issued = person(&TestPki::new(), kind);
        token.import_key(issued.key.pkcs8(), &KeyAttributes::new(&[1], "key"));
        token.add_certificate(&issued.certificate, &[9], "certificate");
        set(&token, json!({}));
        assert_eq!(offered(&token)[0].key, "09/01");
        signs(&token);

        // Without the public key nothing but the identifier would tell, and it says no.
        set(&token, json!({ "public_keys": false }));
        let mut source = source(&token);
        let (info, credential) = ready(&mut source);
        let refused = source.sign(&info.id, job(&credential, &[message(algorithm)]), pin(PIN));
        assert!(matches!(refused, Err(Error::NoCertificate(_))), "{refused:?}");
        assert_eq!(
            token.count(Call::Sign),
            1,
            "nothing was signed with a key that nothing names"
        );
    }
}

#[test]
fn without_a_public_key_object_the_identifier_tells() {
    for (kind, _) in BOTH {
        let token = token_with(kind, json!({ "public_keys": false }));
        assert_eq!(offered(&token)[0].key, "01");
        signs(&token);
        set(&token, json!({ "public_key_info": true, "public_keys": false }));
        signs(&token);
    }
}

#[test]
fn another_person_s_certificate_under_our_identifier_is_not_offered() {
    let (pki, token) = (TestPki::new(), GostToken::new("card"));
    let (ours, stranger) = (person(&pki, KeyKind::GOST_256), pki.person("Петров Пётр Петрович"));
    let stranger = stranger.key(KeyKind::GOST_256).issue();
    token.import(&ours, &[1], "ours");
    token.add_certificate(&stranger.certificate, &[1], "stranger");
    token.add_certificate(&ours.intermediates[0], &[2], "authority");
    set(&token, json!({}));
    let offered = offered(&token);
    assert_eq!(offered.len(), 1);
    assert_eq!(offered[0].certificate, ours.certificate);
    assert_eq!(offered[0].intermediates, [ours.intermediates[0].clone()]);
    signs(&token);
}

#[test]
fn two_certificates_of_one_key_and_two_keys_of_one_identifier_are_told_apart() {
    let (pki, token) = (TestPki::new(), GostToken::new("card"));
    let first = person(&pki, KeyKind::GOST_256);
    let renewed = pki.person("Иванов Иван Иванович").with_key(first.key.clone()).issue();
    let other = person(&pki, KeyKind::GOST_512);
    token.import(&first, &[1], "first");
    token.add_certificate(&renewed.certificate, &[5], "renewed");
    token.import(&other, &[1], "other");
    set(&token, json!({}));
    let mut source = source(&token);
    let info = only(&mut source);
    let credentials = source.credentials(&info.id).unwrap();
    let mut seen: Vec<_> = credentials.iter().map(|c| (c.key.as_str(), &c.certificate)).collect();
    seen.sort_by_key(|(key, certificate)| (*key, *certificate != &first.certificate));
    let expected = [
        ("01", &first.certificate),
        ("01", &other.certificate),
        ("05/01", &renewed.certificate),
    ];
    assert_eq!(seen, expected);
    for credential in &credentials {
        let hash = credential.mechanisms[0].hash;
        let (_, algorithm) = BOTH
            .into_iter()
            .find(|(_, algorithm)| algorithm.hash() == hash)
            .unwrap();
        let signed = source.sign(&info.id, job(credential, &[message(algorithm)]), pin(PIN));
        verify(&credential.certificate, algorithm, &signed.unwrap()[0]);
    }
}

#[test]
fn a_certificate_that_is_there_twice_is_offered_once() {
    let token = token_with(KeyKind::GOST_256, json!({}));
    let certificate = offered(&token)[0].certificate.clone();
    token.add_certificate(&certificate, &[7], "again");
    let offered = offered(&token);
    assert_eq!(offered.len(), 1);
    assert!(["01", "07/01"].contains(&offered[0].key.as_str()));
    signs(&token);
}

#[test]
fn keys_of_the_old_standard_are_listed_with_a_reason_and_never_signed_with() {
    let (pki, token) = (TestPki::new(), GostToken::new("card"));
    let (old, new) = (person(&pki, KeyKind::GOST_2001), person(&pki, KeyKind::GOST_256));
    // Under one identifier: PKCS#11 has one key type for both.
    token.import(&old, &[1], "old").import(&new, &[1], "new");
    set(&token, json!({}));
    let mut source = source(&token);
    let info = only(&mut source);
    let credentials = source.credentials(&info.id).unwrap();
    assert_eq!(credentials.len(), 2);
    let of = |certificate: &[u8]| credentials.iter().find(|c| c.certificate == certificate).unwrap();
    let unusable = of(&old.certificate);
    assert!(unusable.mechanisms.is_empty());
    assert!(unusable.unusable().unwrap().contains("GOST R 34.10-2001"));
    let Err(Error::UnsupportedAlgorithm(why)) = source.sign(&info.id, job(unusable, &[message(Gost256)]), pin(PIN))
    else {
        panic!("signed with a key of 34.10-2001")
    };
    assert!(why.contains("GOST R 34.10-2001"), "{why}");
    assert_eq!(token.count(Call::Login), 0);
    let usable = of(&new.certificate);
    assert_eq!(usable.unusable(), None);
    let signed = source
        .sign(&info.id, job(usable, &[message(Gost256)]), pin(PIN))
        .unwrap();
    verify(&new.certificate, Gost256, &signed[0]);
}

#[test]
fn what_key_objects_leave_out_the_certificate_tells() {
    let absent = json!({ "absent": true });
    for (kind, _) in BOTH {
        let token = token_with(kind, json!({}));
        for attribute in ["CKA_GOSTR3410_PARAMS", "CKA_GOSTR3411_PARAMS"] {
            for what in [&absent, &value("")] {
                set(&token, json!({ "attributes": told(attribute, what.clone()) }));
                signs(&token);
            }
        }
    }
    // The older attribute for the curve of keys of 512 bits.
    let token = token_with(KeyKind::GOST_512, json!({}));
    let without = told("CKA_GOSTR3410_PARAMS", absent);
    for (curve, fits) in [("06092a8503070102010201", true), (TC26_512_B, false)] {
        let legacy = told(0xD432_1004_u32, value(curve));
        let both: Vec<Value> = [&without, &legacy]
            .into_iter()
            .flat_map(|l| l.as_array().unwrap().clone())
            .collect();
        set(&token, json!({ "attributes": both }));
        match fits {
            true => signs(&token),
            false => assert!(offered(&token).is_empty(), "another curve"),
        }
    }
}

#[test]
fn what_key_objects_tell_and_does_not_fit_makes_them_another_key_s() {
    let token = GostToken::new("card");
    let kind = KeyKind::Gost(gost3410::Algorithm::Gost2012_256, gost3410::ParameterSet::CryptoProA);
    token.import(&person(&TestPki::new(), kind), &[1], "key");
    // Another name of the same curve fits.
    for curve in [CRYPTOPRO_A, TC26_256_B] {
        set(
            &token,
            json!({ "attributes": told("CKA_GOSTR3410_PARAMS", value(curve)) }),
        );
        signs(&token);
    }
    for (attribute, octets) in [
        ("CKA_GOSTR3410_PARAMS", "06072a850302022302"),
        ("CKA_GOSTR3410_PARAMS", TC26_512_B),
        ("CKA_GOSTR3410_PARAMS", "06032a8503"),
        ("CKA_GOSTR3410_PARAMS", "ffffffff"),
        ("CKA_GOSTR3411_PARAMS", GOST_94),
        ("CKA_GOSTR3411_PARAMS", "06082a85030701010203"),
        ("CKA_GOSTR3411_PARAMS", "00"),
        ("CKA_KEY_TYPE", &native(&[0])),
        ("CKA_KEY_TYPE", &native(&[0xD432_1003])),
    ] {
        set(&token, json!({ "attributes": told(attribute, value(octets)) }));
        assert!(offered(&token).is_empty(), "{attribute} {octets}");
    }
    set(
        &token,
        json!({ "attributes": told("CKA_GOSTR3411_PARAMS", value(STREEBOG_256)) }),
    );
    signs(&token);
}

#[test]
fn the_value_of_a_public_key_is_read_in_the_forms_that_modules_have() {
    for (kind, _) in BOTH {
        let token = GostToken::new("card");
        let issued = person(&TestPki::new(), kind);
        // Under another identifier: only the public key's value can tell.
        token.import_key(issued.key.pkcs8(), &KeyAttributes::new(&[1], "key"));
        token.add_certificate(&issued.certificate, &[9], "certificate");
        let point = issued.key.gost_point();
        let (x, y) = point.split_at(point.len() / 2);
        let reversed = |octets: &[u8]| -> Vec<u8> { octets.iter().rev().copied().collect() };
        let wrapper: &[u8] = if point.len() == 64 {
            &[0x04, 0x40]
        } else {
            &[0x04, 0x81, 0x80]
        };
        let big_endian = [reversed(x), reversed(y)].concat();
        for form in [
            point.to_vec(),
            [wrapper, point].concat(),
            big_endian.clone(),
            [&[4], big_endian.as_slice()].concat(),
            reversed(point),
            [y, x].concat(),
        ] {
            let lie = json!([{ "class": "CKO_PUBLIC_KEY", "attribute": "CKA_VALUE", "value": hex(&form) }]);
            set(&token, json!({ "attributes": lie }));
            assert_eq!(offered(&token)[0].key, "09/01", "{}", hex(&form));
            signs(&token);
        }
        let mut wrong = point.to_vec();
        wrong[3] ^= 1;
        let lie = json!([{ "class": "CKO_PUBLIC_KEY", "attribute": "CKA_VALUE", "value": hex(&wrong) }]);
        set(&token, json!({ "attributes": lie }));
        assert_eq!(offered(&token)[0].key, "09", "nothing tells of a key");
    }
}

#[test]
fn lengths_that_no_attribute_has_are_not_believed() {
    for attribute in [
        "CKA_GOSTR3410_PARAMS",
        "CKA_GOSTR3411_PARAMS",
        "CKA_ALLOWED_MECHANISMS",
        "CKA_PUBLIC_KEY_INFO",
    ] {
        for length in [1_u64 << 20, 1 << 40, u64::MAX - 1, u64::MAX] {
            let token = token_with(KeyKind::GOST_256, json!({}));
            set(
                &token,
                json!({ "attributes": told(attribute, json!({ "length": length })) }),
            );
            let mut source = source(&token);
            let info = only(&mut source);
            // Absent, or a module that lies: never a crash, and never more than one try.
            match source.credentials(&info.id) {
                Err(Error::ModuleFailed(..)) => {}
                Ok(credentials) => {
                    let signed = source.sign(&info.id, job(&credentials[0], &[message(Gost256)]), pin(PIN));
                    assert!(matches!(signed, Ok(_) | Err(Error::ModuleFailed(..))), "{signed:?}");
                }
                other => panic!("{attribute} {length}: {other:?}"),
            }
            assert!(token.pins_tried() <= 1);
        }
    }
}

#[test]
fn mechanisms_that_the_key_forbids_are_not_used() {
    let token = token_with(KeyKind::GOST_256, json!({}));
    let allow = |mechanisms: &[u64]| {
        let allowed = told("CKA_ALLOWED_MECHANISMS", value(&native(mechanisms)));
        set(&token, json!({ "attributes": allowed }));
    };
    // Seen only after the login: then the other way is taken, or none.
    allow(&[0x1201]);
    signs(&token);
    allow(&[0xD432_1008]);
    signs(&token);
    allow(&[0x1041, 0x1202]);
    let mut source = source(&token);
    let (info, credential) = ready(&mut source);
    let refused = source.sign(&info.id, job(&credential, &[message(Gost256)]), pin(PIN));
    assert!(matches!(refused, Err(Error::UnsupportedAlgorithm(_))), "{refused:?}");
    assert_eq!(token.count(Call::Sign), 2);
}
