#![allow(clippy::unwrap_used)]

use gost3410::{Algorithm, ParameterSet, SecretKey};

use super::*;

fn certificate(key: PublicKey) -> Certificate {
    Certificate {
        id: vec![1],
        der: Vec::new(),
        key,
        authority: false,
    }
}

fn beside(id: u8, key: PublicKey) -> PublicObject {
    PublicObject {
        id: vec![id],
        key: Told::Key(key),
    }
}

#[test]
fn public_keys_of_the_same_identifier_confirm_or_refute() {
    let ours = PublicKey::Rsa(vec![1, 2, 3]);
    let other = PublicKey::Rsa(vec![9]);
    let certificate = certificate(ours.clone());
    let fit = |keys: &[PublicObject]| certificate.fit_beside(&[1], keys);
    assert_eq!(fit(&[]), Fit::Unknown);
    assert_eq!(fit(&[beside(2, ours.clone())]), Fit::Unknown);
    assert_eq!(fit(&[beside(1, other.clone())]), Fit::No);
    // Several keys may share an identifier.
    assert_eq!(fit(&[beside(1, other), beside(1, ours)]), Fit::Yes);
}

fn gost_key() -> PublicKey {
    let key = SecretKey::generate(Algorithm::Gost2012_256, ParameterSet::Tc26_256A).unwrap();
    PublicKey::of_info(&key.public_key().to_spki_der()).unwrap()
}

fn private(id: u8, kind: Kind, public: Option<PublicKey>) -> KeyFacts {
    KeyFacts {
        id: vec![id],
        signs: true,
        kind,
        public: public.map(Told::Key),
    }
}

#[test]
fn a_public_key_leads_to_the_private_one_under_another_identifier() {
    let ours = gost_key();
    let PublicKey::Gost(key) = &ours else {
        panic!("no GOST key")
    };
    let certificate = certificate(ours.clone());
    let attributes = gost::Attributes {
        key_type: CKK_GOSTR3410,
        curve: None,
        hash: None,
    };
    let kind = gost::Kind::told(&attributes).unwrap();
    let value = |id: u8, key: &gost::Key| PublicObject {
        id: vec![id],
        key: Told::Gost(kind, key.value().to_vec()),
    };
    let PublicKey::Gost(other) = gost_key() else {
        panic!("no GOST key")
    };
    // The certificate has the identifier 1; its key pair may have another.
    for (public, expected) in [
        (vec![value(7, key)], (Fit::Yes, vec![7])),
        (vec![value(7, key), value(1, &other)], (Fit::Yes, vec![7])),
        (vec![value(7, key), value(1, key)], (Fit::Yes, vec![1])),
        (vec![value(7, &other)], (Fit::Unknown, vec![1])),
        (vec![value(1, &other)], (Fit::No, vec![1])),
        (vec![], (Fit::Unknown, vec![1])),
    ] {
        let hidden = certificate.key_hidden(&public);
        assert_eq!(hidden.0, expected.0, "{public:?}");
        assert!(hidden.0 == Fit::No || hidden == expected);
        let keys = [1, 7].map(|id| private(id, Kind::Gost(kind), None));
        let shown = certificate.key_among(&keys, &public);
        assert_eq!(shown.0, expected.0, "{public:?}");
        assert!(shown.0 == Fit::No || shown == expected);
    }
    // A key that tells its public half itself needs no object beside it.
    let keys = [
        private(1, Kind::Gost(kind), Some(gost_key())),
        private(9, Kind::Gost(kind), Some(ours)),
    ];
    assert_eq!(certificate.key_among(&keys, &[]), (Fit::Yes, vec![9]));
    // Another kind of key under the certificate's identifier is not its key.
    for kind in [Kind::Rsa, Kind::Ec(None), Kind::Other] {
        assert_eq!(certificate.key_among(&[private(1, kind, None)], &[]).0, Fit::No);
    }
}

#[test]
fn numbers_are_read_in_the_machine_s_order() {
    let bytes = [1 as CK_ULONG, CK_ULONG::MAX].map(CK_ULONG::to_ne_bytes).concat();
    assert_eq!(numbers(&bytes), [1, CK_ULONG::MAX]);
    assert!(numbers(&[1, 2]).is_empty());
}
