#![allow(clippy::unwrap_used)]

use der::Encode;
use gost3410::SecretKey;
use proptest::prelude::*;

use super::Algorithm::*;
use super::ParameterSet::*;
use super::*;

fn told(key_type: CK_KEY_TYPE, set: Option<ParameterSet>, hash: Option<&[u8]>) -> Option<Kind> {
    let curve = set.map(|set| set.oid().to_der().unwrap());
    let attributes = Attributes {
        key_type,
        curve: curve.as_deref(),
        hash,
    };
    Kind::told(&attributes)
}

fn key(algorithm: Algorithm, set: ParameterSet) -> Key {
    let secret = SecretKey::generate(algorithm, set).unwrap();
    Key::of_spki(&secret.public_key().to_spki_der()).unwrap()
}

/// The octets that the facts about real tokens print.
#[test]
fn curves_and_hash_functions_are_read_as_tokens_write_them() {
    let a = [0x06, 0x07, 0x2A, 0x85, 0x03, 0x02, 0x02, 0x23, 0x01];
    let tc26 = [0x06, 0x09, 0x2A, 0x85, 0x03, 0x07, 0x01, 0x02, 0x01, 0x01, 0x01];
    for (curve, set) in [(&a[..], CryptoProA), (&tc26, Tc26_256A)] {
        let attributes = Attributes {
            key_type: CKK_GOSTR3410,
            curve: Some(curve),
            hash: Some(&STREEBOG_256),
        };
        assert_eq!(
            Kind::told(&attributes),
            told(CKK_GOSTR3410, Some(set), Some(&STREEBOG_256))
        );
        assert!(Kind::told(&attributes).is_some());
    }
}

#[test]
fn the_hash_function_tells_2001_from_2012() {
    let (old, new) = (key(Gost2001, CryptoProA), key(Gost2012_256, CryptoProA));
    let fits = |hash: Option<&[u8]>| {
        let kind = told(CKK_GOSTR3410, Some(CryptoProA), hash).unwrap();
        (kind.fits(&old), kind.fits(&new))
    };
    for hash in GOST_94 {
        assert_eq!(fits(Some(hash)), (true, false));
    }
    assert_eq!(fits(Some(&STREEBOG_256)), (false, true));
    // Where it is absent, the certificate tells.
    assert_eq!(fits(None), (true, true));
    assert_eq!(fits(Some(&[])), (true, true));
    assert_eq!((old.hash(), new.hash()), (None, Some(HashFunction::Streebog256)));
}

#[test]
fn the_size_follows_the_key_type() {
    let (small, large) = (key(Gost2012_256, Tc26_256A), key(Gost2012_512, Tc26_512A));
    let kind = told(CKK_GOSTR3410_512, None, None).unwrap();
    assert_eq!((kind.fits(&small), kind.fits(&large)), (false, true));
    let kind = told(CKK_GOSTR3410, None, None).unwrap();
    assert_eq!((kind.fits(&small), kind.fits(&large)), (true, false));
    // Some modules have one key type for all and tell the size by the hash function.
    let kind = told(CKK_GOSTR3410, Some(Tc26_512A), Some(&STREEBOG_512)).unwrap();
    assert_eq!((kind.fits(&small), kind.fits(&large)), (false, true));
    assert_eq!((small.signature_length(), large.signature_length()), (64, 128));
    assert_eq!(large.hash(), Some(HashFunction::Streebog512));
}

#[test]
fn a_curve_is_the_same_under_each_of_its_names() {
    let kind = |set| told(CKK_GOSTR3410, Some(set), Some(&STREEBOG_256)).unwrap();
    let ours = key(Gost2012_256, Tc26_256B);
    for (set, fits) in [
        (CryptoProA, true),
        (CryptoProXchA, true),
        (Tc26_256B, true),
        (Tc26_256A, false),
        (CryptoProB, false),
        (Tc26_256D, false),
    ] {
        assert_eq!(kind(set).fits(&ours), fits, "{}", set.name());
    }
}

#[test]
fn what_contradicts_itself_or_is_unknown_is_no_kind() {
    assert_eq!(told(CKK_GOSTR3410, Some(Tc26_512A), Some(&STREEBOG_256)), None);
    assert_eq!(told(CKK_GOSTR3410, Some(Tc26_512A), None), None);
    assert_eq!(told(CKK_GOSTR3410_512, Some(Tc26_256A), Some(&STREEBOG_512)), None);
    assert_eq!(told(CKK_GOSTR3410_512, None, Some(&STREEBOG_256)), None);
    assert_eq!(told(CKK_GOSTR3410_512, None, Some(GOST_94[0])), None);
    assert_eq!(told(0, None, Some(&STREEBOG_256)), None);
    let unknown = [0x06, 0x03, 0x2A, 0x85, 0x03];
    assert_eq!(told(CKK_GOSTR3410, None, Some(&unknown)), None);
    for curve in [&unknown[..], &[0x06, 0x09, 0x2A], &[0x13, 0x01, b'A'], &[0; 40]] {
        let attributes = Attributes {
            key_type: CKK_GOSTR3410,
            curve: Some(curve),
            hash: None,
        };
        assert_eq!(Kind::told(&attributes), None, "{curve:02X?}");
    }
}

#[test]
fn a_public_key_is_known_wrapped_or_bare_and_in_other_orders() {
    for (algorithm, set) in [
        (Gost2001, CryptoProB),
        (Gost2012_256, Tc26_256A),
        (Gost2012_512, Tc26_512C),
    ] {
        let (ours, other) = (key(algorithm, set), key(algorithm, set));
        let header: &[u8] = if ours.point.len() == 64 {
            &[0x04, 0x40]
        } else {
            &[0x04, 0x81, 0x80]
        };
        let [big_endian, exchanged, reversed] = other_orders(&ours.point);
        for value in [&ours.point, &big_endian, &exchanged, &reversed] {
            assert_eq!(ours.is(value), Some(true));
            assert_eq!(ours.is(&[header, value].concat()), Some(true));
            assert_eq!(ours.is(&[&[0x04], value.as_slice()].concat()), Some(true));
            assert_eq!(other.is(value), Some(false));
        }
        let longer = [ours.point.as_slice(), &[0]].concat();
        for nothing in [&[][..], &ours.point[1..], &longer, &[0x04, 0x40], &[0x04; 1]] {
            assert_eq!(ours.is(nothing), None);
        }
    }
}

/// A point whose octets in another order are a point too is what it says, not what it could be.
#[test]
fn another_order_counts_only_where_nothing_else_is_meant() {
    let halves_swap = |key: &Key| {
        let [_, exchanged, _] = other_orders(&key.point);
        gost3410::PublicKey::from_x509(key.algorithm, key.set, &exchanged).is_ok()
    };
    // y² = x³ + ax + b holds with x and y exchanged for few points; where it does not, the order is plain.
    let ours = key(Gost2012_256, CryptoProA);
    let [_, exchanged, _] = other_orders(&ours.point);
    assert_eq!(ours.is(&exchanged), Some(!halves_swap(&ours)));
}

#[test]
fn a_key_in_a_certificate_must_be_whole() {
    let spki = SecretKey::generate(Gost2012_256, Tc26_256A)
        .unwrap()
        .public_key()
        .to_spki_der();
    assert!(Key::of_spki(&spki).is_some());
    let mut wrong = spki.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(Key::of_spki(&wrong), None, "a point off the curve");
    assert_eq!(Key::of_spki(&[spki.as_slice(), &[0]].concat()), None);
    assert_eq!(Key::of_spki(&spki[..spki.len() - 1]), None);
}

proptest! {
    #[test]
    fn arbitrary_values_never_panic(value in proptest::collection::vec(any::<u8>(), 0..200)) {
        let attributes = Attributes { key_type: CKK_GOSTR3410, curve: Some(&value), hash: Some(&value) };
        let _ = Kind::told(&attributes);
        let attributes = Attributes { key_type: CKK_GOSTR3410_512, curve: Some(&value), hash: None };
        let _ = Kind::told(&attributes);
        let _ = unwrapped(&value, 64);
        let _ = unwrapped(&value, 128);
        let _ = Key::of_spki(&value);
    }
}
