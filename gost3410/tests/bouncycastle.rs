//! Keys and signatures that BouncyCastle made, on every parameter set it knows and with each algorithm.
//!
//! It differs from OpenSSL's engine in what the encodings hold: every key names its hash function, also on the sets
//! for which RFC 9215 section 4.2 leaves that out, and a private key of 34.10-2001 is in an OCTET STRING of its own.
#![cfg(feature = "signing")]
#![allow(clippy::unwrap_used)]

use gost3410::{Algorithm, Error, ObjectIdentifier, ParameterSet, PublicKey, SecretKey, Signature};

const VECTORS: &str = include_str!("data/bouncycastle.txt");

struct Vector {
    algorithm: Algorithm,
    set: ParameterSet,
    spki: Vec<u8>,
    pkcs8: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn vectors() -> Vec<Vector> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [algorithm, set, spki, pkcs8, message, signature] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            Vector {
                algorithm: Algorithm::from_key_oid(&ObjectIdentifier::new(algorithm).unwrap()).unwrap(),
                set: ParameterSet::from_oid(&ObjectIdentifier::new(set).unwrap()).unwrap(),
                spki: hex(spki),
                pkcs8: hex(pkcs8),
                message: hex(message),
                signature: hex(signature),
            }
        })
        .collect()
}

#[test]
fn its_signatures_verify_and_its_key_pairs_belong_together() {
    let vectors = vectors();
    assert_eq!(
        vectors.len(),
        15,
        "six sets with 34.10-2001 and 2012 each, three of 512 bits"
    );
    for vector in &vectors {
        let (algorithm, set) = (vector.algorithm, vector.set);
        let public = PublicKey::from_spki_der(&vector.spki).unwrap();
        assert_eq!((public.algorithm(), public.parameter_set()), (algorithm, set));
        let secret = SecretKey::from_pkcs8_der(&vector.pkcs8).unwrap();
        assert_eq!(secret.public_key(), &public, "{algorithm:?} on {set}");
        let signature = Signature::from_x509(&vector.signature).unwrap();
        assert_eq!(
            public.verify_message(&vector.message, &signature),
            Ok(()),
            "{algorithm:?} on {set}"
        );
        let other = [vector.message.as_slice(), b"."].concat();
        let refused = public.verify_message(&other, &signature);
        assert_eq!(refused, Err(Error::SignatureInvalid), "{algorithm:?} on {set}");
    }
}
