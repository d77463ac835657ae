//! Keys and signatures in every encoding: round trips, and what must be refused.
#![cfg(feature = "signing")]
#![allow(clippy::unwrap_used)]

use der::asn1::{BitStringRef, ContextSpecific, OctetStringRef, UintRef};
use der::{Any, Encode, Tag, TagMode, TagNumber};
use gost3410::{Algorithm, Error, ObjectIdentifier, ParameterSet, PublicKey, SecretKey, Signature, SignatureOrder};
use proptest::prelude::*;

/// Every algorithm with every parameter set of its length.
fn kinds() -> Vec<(Algorithm, ParameterSet)> {
    let all = ParameterSet::ALL
        .into_iter()
        .flat_map(|set| Algorithm::ALL.map(|algorithm| (algorithm, set)));
    all.filter(|(algorithm, set)| algorithm.size() == set.size()).collect()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    Any::new(Tag::Sequence, parts.concat()).unwrap().to_der().unwrap()
}

fn octet_string(content: &[u8]) -> Vec<u8> {
    OctetStringRef::new(content).unwrap().to_der().unwrap()
}

fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new(text).unwrap().to_der().unwrap()
}

/// A SubjectPublicKeyInfo with these parameters.
fn spki(algorithm: Algorithm, parameters: &[&[u8]], inner: &[u8]) -> Vec<u8> {
    let key = BitStringRef::from_bytes(inner).unwrap().to_der().unwrap();
    sequence(&[
        &sequence(&[&algorithm.key_oid().to_der().unwrap(), &sequence(parameters)]),
        &key,
    ])
}

/// A PrivateKeyInfo that holds this content.
fn pkcs8(algorithm: Algorithm, set: ParameterSet, content: &[u8], rest: &[u8]) -> Vec<u8> {
    let parameters = sequence(&[&set.oid().to_der().unwrap()]);
    let identifier = sequence(&[&algorithm.key_oid().to_der().unwrap(), &parameters]);
    let version = if rest.is_empty() { [2, 1, 0] } else { [2, 1, 1] };
    sequence(&[&version, &identifier, &octet_string(content), rest])
}

#[test]
fn public_keys_round_trip_in_every_encoding() {
    for (algorithm, set) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let public = key.public_key();
        let x509 = public.to_x509();
        assert_eq!(&PublicKey::from_x509(algorithm, set, &x509).unwrap(), public);
        assert_eq!(&PublicKey::from_x_y(algorithm, set, &public.to_x_y()).unwrap(), public);
        assert_eq!(
            &PublicKey::from_sec1(algorithm, set, &public.to_sec1()).unwrap(),
            public
        );
        assert_eq!(&PublicKey::from_pkcs11_value(algorithm, set, &x509).unwrap(), public);
        assert_eq!(
            &PublicKey::from_pkcs11_value(algorithm, set, &octet_string(&x509)).unwrap(),
            public
        );
        assert_eq!(&PublicKey::from_spki_der(&public.to_spki_der()).unwrap(), public);
        let mut reversed = public.to_x_y();
        reversed.reverse();
        let (y, x) = reversed.split_at(set.size().bytes());
        assert_eq!([x, y].concat(), x509);
        assert!(PublicKey::from_sec1(algorithm, set, &x509).is_err());
        assert!(PublicKey::from_x509(algorithm, set, &x509[1..]).is_err());
        assert!(PublicKey::from_pkcs11_value(algorithm, set, &x509[1..]).is_err());
    }
}

#[test]
fn parameters_of_public_keys_are_read_as_the_rfcs_allow() {
    let key = SecretKey::generate(Algorithm::Gost2012_256, ParameterSet::CryptoProA).unwrap();
    let inner = octet_string(&key.public_key().to_x509());
    let set = ParameterSet::CryptoProA.oid().to_der().unwrap();
    let (streebog256, streebog512) = (oid("1.2.643.7.1.1.2.2"), oid("1.2.643.7.1.1.2.3"));
    let (gost94, cipher) = (oid("1.2.643.2.2.30.1"), oid("1.2.643.2.2.31.1"));
    let read =
        |algorithm, parameters: &[&[u8]]| PublicKey::from_spki_der(&spki(algorithm, parameters, &inner)).map(|_| ());
    let (a256, a2001) = (Algorithm::Gost2012_256, Algorithm::Gost2001);

    assert_eq!(read(a256, &[&set]), Ok(()));
    assert_eq!(read(a256, &[&set, &streebog256]), Ok(()));
    assert_eq!(read(a2001, &[&set]), Ok(()));
    assert_eq!(read(a2001, &[&set, &gost94]), Ok(()));
    assert_eq!(read(a2001, &[&set, &gost94, &cipher]), Ok(()));

    assert_eq!(read(a256, &[&set, &streebog512]), Err(Error::DigestParameter));
    assert_eq!(read(a256, &[&set, &gost94]), Err(Error::DigestParameter));
    assert_eq!(read(a256, &[&set, &cipher]), Err(Error::DigestParameter));
    assert_eq!(read(a2001, &[&set, &streebog256]), Err(Error::DigestParameter));
    assert_eq!(read(a256, &[]), Err(Error::Der("the parameters of the key")));
    assert_eq!(read(a256, &[&streebog256]), Err(Error::UnknownParameterSet));
    assert_eq!(
        read(a256, &[&ParameterSet::Tc26_512A.oid().to_der().unwrap()]),
        Err(Error::AlgorithmMismatch)
    );
    assert!(read(a256, &[&set, &streebog256, &streebog256]).is_err());
    assert!(read(a2001, &[&set, &gost94, &cipher, &cipher]).is_err());
    assert!(read(a256, &[&set, &[5, 0]]).is_err());
    assert_eq!(read(Algorithm::Gost2012_512, &[&set]), Err(Error::AlgorithmMismatch));
}

#[test]
fn malformed_public_keys_are_refused() {
    let (algorithm, set) = (Algorithm::Gost2012_256, ParameterSet::Tc26_256A);
    let key = SecretKey::generate(algorithm, set).unwrap();
    let x509 = key.public_key().to_x509();
    let parameters = set.oid().to_der().unwrap();
    let good = spki(algorithm, &[&parameters], &octet_string(&x509));
    assert_eq!(&PublicKey::from_spki_der(&good).unwrap(), key.public_key());
    let bare = spki(algorithm, &[&parameters], &x509);
    let trailing = spki(algorithm, &[&parameters], &[&octet_string(&x509)[..], &[0]].concat());
    let short = spki(algorithm, &[&parameters], &octet_string(&x509[..63]));
    let no_parameters = sequence(&[
        &sequence(&[&algorithm.key_oid().to_der().unwrap()]),
        &good[good.len() - 69..],
    ]);
    for bad in [
        bare,
        trailing,
        short,
        no_parameters,
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
    ] {
        assert!(PublicKey::from_spki_der(&bad).is_err());
    }
}

#[test]
fn private_keys_round_trip_in_every_encoding() {
    for (algorithm, set) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let same = |other: Result<SecretKey, Error>| assert_eq!(other.unwrap().public_key(), key.public_key(), "{set}");
        same(SecretKey::from_le_bytes(algorithm, set, &key.to_le_bytes()));
        same(SecretKey::from_be_bytes(algorithm, set, &key.to_be_bytes()));
        same(SecretKey::from_pkcs8_der(&key.to_pkcs8_der()));
        let number = key.to_le_bytes();
        let integer = UintRef::new(&key.to_be_bytes()).unwrap().to_der().unwrap();
        let public = key.public_key().to_x509();
        same(SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, &number, &[])));
        same(SecretKey::from_pkcs8_der(&pkcs8(
            algorithm,
            set,
            &octet_string(&number),
            &[],
        )));
        if !integer.len().is_multiple_of(set.size().bytes()) {
            same(SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, &integer, &[])));
        }
        let pair = sequence(&[&octet_string(&number), &octet_string(&public)]);
        same(SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, &pair, &[])));
        // A mask of one is a mask.
        let mut one = vec![0; set.size().bytes()];
        one[0] = 1;
        for masks in 1..=7 {
            let masked = [&number[..], &one.repeat(masks)].concat();
            same(SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, &masked, &[])));
            same(SecretKey::from_pkcs8_der(&pkcs8(
                algorithm,
                set,
                &octet_string(&masked),
                &[],
            )));
        }
        let version_two = |key: &[u8]| {
            let value = BitStringRef::from_bytes(key).unwrap();
            ContextSpecific {
                tag_number: TagNumber(1),
                tag_mode: TagMode::Implicit,
                value,
            }
            .to_der()
            .unwrap()
        };
        same(SecretKey::from_pkcs8_der(&pkcs8(
            algorithm,
            set,
            &number,
            &version_two(&public),
        )));
        same(SecretKey::from_pkcs8_der(&pkcs8(
            algorithm,
            set,
            &number,
            &version_two(&octet_string(&public)),
        )));
        let other = SecretKey::generate(algorithm, set).unwrap().public_key().to_x509();
        let foreign = pkcs8(algorithm, set, &number, &version_two(&other));
        assert_eq!(
            SecretKey::from_pkcs8_der(&foreign).err(),
            Some(Error::PublicKeyMismatch)
        );
        let foreign = pkcs8(
            algorithm,
            set,
            &sequence(&[&octet_string(&number), &octet_string(&other)]),
            &[],
        );
        assert_eq!(
            SecretKey::from_pkcs8_der(&foreign).err(),
            Some(Error::PublicKeyMismatch)
        );
    }
}

/// The masks multiply: 6 = 3·2, and 3/2·2 = 3 whatever 1/2 is.
#[test]
fn masks_multiply_modulo_q() {
    for (algorithm, set) in kinds() {
        let number = |n: u8| {
            let mut le = vec![0; set.size().bytes()];
            le[0] = n;
            le
        };
        let six = SecretKey::from_le_bytes(algorithm, set, &number(6)).unwrap();
        let masked = SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, &[number(3), number(2)].concat(), &[])).unwrap();
        assert_eq!(masked.public_key(), six.public_key());
        let thirty = SecretKey::from_le_bytes(algorithm, set, &number(30)).unwrap();
        let masked = [number(5), number(3), number(2)].concat();
        let masked = SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, &octet_string(&masked), &[])).unwrap();
        assert_eq!(masked.public_key(), thirty.public_key());
    }
}

#[test]
fn malformed_private_keys_are_refused() {
    let (algorithm, set) = (Algorithm::Gost2012_256, ParameterSet::CryptoProB);
    let key = SecretKey::generate(algorithm, set).unwrap();
    let number = key.to_le_bytes();
    let zero = [0; 32];
    let too_long = [&[0x7f][..], &[1; 40]].concat();
    let contents: [&[u8]; 12] = [
        &[],
        &zero,
        &[0xff; 32],
        &[&number[..], &zero].concat(),
        &[&number[..]; 9].concat(),
        &octet_string(&[&number[..]; 9].concat()),
        &octet_string(&number[1..]),
        &octet_string(&[]),
        &UintRef::new(&too_long).unwrap().to_der().unwrap(),
        &[2, 1, 0x80],
        &sequence(&[&octet_string(&number)]),
        &[&octet_string(&number)[..], &[0]].concat(),
    ];
    for content in contents {
        assert!(
            SecretKey::from_pkcs8_der(&pkcs8(algorithm, set, content, &[])).is_err(),
            "{content:02x?}"
        );
    }
    let good = pkcs8(algorithm, set, &number, &[]);
    assert!(SecretKey::from_pkcs8_der(&good).is_ok());
    assert!(SecretKey::from_pkcs8_der(&good[..good.len() - 1]).is_err());
    assert!(SecretKey::from_pkcs8_der(&[&good[..], &[0]].concat()).is_err());
}

#[test]
fn the_orders_of_a_signature_are_what_they_are_called() {
    let r: Vec<u8> = (1..=32).collect();
    let s: Vec<u8> = (101..=132).collect();
    let signature = Signature::from_r_s(&[&r[..], &s].concat()).unwrap();
    let reversed = |mut octets: Vec<u8>| {
        octets.reverse();
        octets
    };
    assert_eq!(signature.to_x509(), [&s[..], &r].concat());
    assert_eq!(signature.to_cryptoapi(), reversed(signature.to_x509()));
    assert_eq!(signature.to_reversed_r_s(), reversed(signature.to_r_s()));
}

#[test]
fn the_traits_of_the_signature_crate_agree() {
    use signature::hazmat::{PrehashSigner, PrehashVerifier};
    use signature::{Keypair, SignatureEncoding, Signer, Verifier};
    for (algorithm, set) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let signature: Signature = key.try_sign(b"message").unwrap();
        key.verifying_key().verify(b"message", &signature).unwrap();
        assert!(key.verifying_key().verify(b"other", &signature).is_err());
        let digest = algorithm.digest(b"message");
        let signature: Signature = key.sign_prehash(&digest).unwrap();
        key.verifying_key().verify_prehash(&digest, &signature).unwrap();
        assert_eq!(Signature::try_from(&signature.to_bytes()[..]).unwrap(), signature);
        assert_eq!(signature.to_bytes(), signature.to_x509());
    }
}

#[test]
fn a_message_in_parts_has_the_digest_of_the_whole() {
    for algorithm in Algorithm::ALL {
        let mut hasher = algorithm.hasher();
        for part in [&b"par"[..], b"", b"ts"] {
            hasher.update(part);
        }
        assert_eq!(hasher.finalize(), algorithm.digest(b"parts"));
        assert_eq!(Algorithm::from_key_oid(&algorithm.key_oid()), Some(algorithm));
        assert_eq!(Algorithm::from_digest_oid(&algorithm.digest_oid()), Some(algorithm));
        assert_eq!(
            Algorithm::from_signature_oid(&algorithm.signature_oid()),
            Some(algorithm)
        );
        assert_eq!(Algorithm::from_key_oid(&algorithm.signature_oid()), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any 64 or 128 octets are some signature, in each order.
    #[test]
    fn signatures_round_trip_in_every_order(octets in prop_oneof![
        prop::collection::vec(any::<u8>(), 64), prop::collection::vec(any::<u8>(), 128)
    ]) {
        for order in SignatureOrder::ALL {
            let signature = Signature::from_order(order, &octets).unwrap();
            prop_assert_eq!(signature.to_order(order), octets.clone());
            for other in SignatureOrder::ALL {
                prop_assert_eq!(&Signature::from_order(other, &signature.to_order(other)).unwrap(), &signature);
            }
        }
        prop_assert!(Signature::from_x509(&octets[1..]).is_err());
    }

    /// No octets make a reader panic.
    #[test]
    fn readers_take_any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = PublicKey::from_spki_der(&octets);
        let _ = SecretKey::from_pkcs8_der(&octets);
        let _ = Signature::from_cryptoapi(&octets);
        for (algorithm, set) in kinds() {
            let _ = PublicKey::from_pkcs11_value(algorithm, set, &octets);
            let _ = PublicKey::from_sec1(algorithm, set, &octets);
        }
    }

    /// An altered octet makes another key or none, never the same one and never a panic.
    #[test]
    fn altered_encodings_are_noticed(kind in 0..kinds().len(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let (algorithm, set) = kinds()[kind];
        let key = SecretKey::generate(algorithm, set).unwrap();
        let mut spki = key.public_key().to_spki_der();
        let at_spki = at.index(spki.len());
        spki[at_spki] ^= flip;
        prop_assert!(PublicKey::from_spki_der(&spki).map_or(true, |other| &other != key.public_key()));
        let mut pkcs8 = key.to_pkcs8_der().to_vec();
        let at_pkcs8 = at.index(pkcs8.len());
        pkcs8[at_pkcs8] ^= flip;
        prop_assert!(SecretKey::from_pkcs8_der(&pkcs8).map_or(true, |other| other.public_key() != key.public_key()));
    }

    /// Who signs is verified; whoever altered digest or signature is not.
    #[test]
    fn signatures_hold_and_alterations_do_not(kind in 0..kinds().len(), message: Vec<u8>, at in any::<prop::sample::Index>(), flip in 1u8..) {
        let (algorithm, set) = kinds()[kind];
        let key = SecretKey::generate(algorithm, set).unwrap();
        let digest = algorithm.digest(&message);
        let signature = key.sign_digest(&digest).unwrap();
        prop_assert_eq!(key.public_key().verify_digest(&digest, &signature), Ok(()));
        let mut altered = signature.to_x509();
        let position = at.index(altered.len());
        altered[position] ^= flip;
        prop_assert!(key.public_key().verify_digest(&digest, &Signature::from_x509(&altered).unwrap()).is_err());
    }
}
