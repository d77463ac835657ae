//! The published examples: requests, certificates and revocation lists, and the keys that signed them.
#![cfg(feature = "signing")]
#![allow(clippy::unwrap_used)]

use base64ct::{Base64, Encoding};
use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use gost3410::{Algorithm, ObjectIdentifier, ParameterSet, PublicKey, SecretKey, Signature, Size};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

/// SEQUENCE { toBeSigned, AlgorithmIdentifier, BIT STRING }: what a request, a certificate and a list have in common.
struct Signed<'a> {
    to_be_signed: &'a [u8],
    algorithm: ObjectIdentifier,
    signature: &'a [u8],
}

fn signed(der: &[u8]) -> Signed<'_> {
    let outer = AnyRef::from_der(der).unwrap();
    assert_eq!(outer.tag(), Tag::Sequence);
    let mut reader = SliceReader::new(outer.value()).unwrap();
    let to_be_signed = reader.tlv_bytes().unwrap();
    let algorithm = AnyRef::decode(&mut reader).unwrap();
    let signature = BitStringRef::decode(&mut reader).unwrap();
    assert!(reader.is_finished());
    let mut inside = SliceReader::new(algorithm.value()).unwrap();
    let algorithm = ObjectIdentifier::decode(&mut inside).unwrap();
    Signed {
        to_be_signed,
        algorithm,
        signature: signature.as_bytes().unwrap(),
    }
}

/// The SubjectPublicKeyInfo inside, where there is one: found by what it must begin with.
fn key_inside(to_be_signed: &[u8]) -> Option<PublicKey> {
    let mut reader = SliceReader::new(AnyRef::from_der(to_be_signed).unwrap().value()).unwrap();
    while !reader.is_finished() {
        if let Ok(key) = PublicKey::from_spki_der(reader.tlv_bytes().unwrap()) {
            return Some(key);
        }
    }
    None
}

#[test]
fn published_structures_verify() {
    let (mut structures, mut keys) = (0, 0);
    for block in include_str!("data/rfc9215.txt").split("\n\n").skip(1) {
        let mut lines = block.lines();
        let set = ParameterSet::from_oid(&ObjectIdentifier::new(lines.next().unwrap()).unwrap()).unwrap();
        let algorithm = if set.size() == Size::Bits256 {
            Algorithm::Gost2012_256
        } else {
            Algorithm::Gost2012_512
        };
        let secret = SecretKey::from_be_bytes(algorithm, set, &hex(lines.next().unwrap())).unwrap();
        for line in lines {
            let der = Base64::decode_vec(line).unwrap();
            let signed = signed(&der);
            assert_eq!(Algorithm::from_signature_oid(&signed.algorithm), Some(algorithm));
            let signature = Signature::from_x509(signed.signature).unwrap();
            secret
                .public_key()
                .verify_message(signed.to_be_signed, &signature)
                .unwrap();
            if let Some(key) = key_inside(signed.to_be_signed) {
                assert_eq!(&key, secret.public_key());
                keys += 1;
            }
            let mut altered = signed.to_be_signed.to_vec();
            *altered.last_mut().unwrap() ^= 1;
            assert!(secret.public_key().verify_message(&altered, &signature).is_err());
            structures += 1;
        }
    }
    assert_eq!((structures, keys), (11, 8));
}

/// R 50.1.112-2016: a key of 512 bits with its public key, whose BIT STRING counts one unused bit too many.
#[test]
fn the_published_private_key_is_read() {
    let der = Base64::decode_vec(concat!(
        "MIHiAgEBMBcGCCqFAwcBAQECMAsGCSqFAwcBAgECAQRAEWkl+eblsHWs86SNgRKqSxMOgGhbvR/uZ5/WWfdNG1axvUwVhpcXIxDZUmzQuNzq",
        "JBkseI7f5/JjXyTFRF1a+YGBgQG0i7davCkOGGVcYqFPtS1fUIROzB0fYARIe0tclTRpare/qzRuVRapqzzO+K21LDpYVfDPs2Sqa13ZN+Ts",
        "/JUlv59qCFB2cYpFyB/0kh4+K79yvz7r8+4WE0EmZf8T3ae/J1Jo6xGunecH1/G4hMts9HYLnxbwJDMNVGuIHV6gzg==",
    ));
    let key = SecretKey::from_pkcs8_der(&der.unwrap()).unwrap();
    assert_eq!(key.public_key().parameter_set(), ParameterSet::Tc26_512A);
}

/// The digests of GOST R 34.11-2012 and 34.11-94 that every implementation knows.
#[test]
fn digests_are_the_published_ones() {
    let empty = "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb";
    assert_eq!(Algorithm::Gost2012_256.digest(b""), hex(empty));
    let empty = "8e945da209aa869f0455928529bcae4679e9873ab707b55315f56ceb98bef0a7362f715528356ee83cda5f2aac4c6ad2ba3a715c1bcd81cb8e9f90bf4c1c1a8a";
    assert_eq!(Algorithm::Gost2012_512.digest(b""), hex(empty));
    // CryptoPro S-boxes.
    let empty = "981e5f3ca30c841487830f84fb433e13ac1101569b9c13584ac483234cd656c0";
    assert_eq!(Algorithm::Gost2001.digest(b""), hex(empty));
}
