//! What only the inside of the crate can test: given nonces, the curves' numbers, the arithmetic's edges.
#![allow(clippy::unwrap_used)]

mod agree;
mod nonces;
mod parameters;
mod points;
mod rfc7091;
mod signatures;

use crate::curves::{Curve, with_curve};
use crate::octets::Octets;
use crate::{Algorithm, ParameterSet, Size};
use alloc::vec::Vec;
use elliptic_curve::bigint::U512;
use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::hazmat::FieldArithmetic;
use elliptic_curve::{CurveArithmetic, Scalar};

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}

/// Every algorithm with every parameter set of its length.
fn kinds() -> impl Iterator<Item = (Algorithm, ParameterSet)> {
    let of = |set: ParameterSet| {
        Algorithm::ALL
            .into_iter()
            .filter(move |a| a.size() == set.size())
            .map(move |a| (a, set))
    };
    ParameterSet::ALL.into_iter().flat_map(of)
}

/// The order of the group.
fn q(curve: Curve) -> U512 {
    with_curve!(curve, C => from_be((-Scalar::<C>::ONE).to_repr().as_ref())).wrapping_add(&U512::ONE)
}

/// The modulus of the coordinates.
fn p(curve: Curve) -> U512 {
    type Element<C> = <C as FieldArithmetic>::FieldElement;
    with_curve!(curve, C => from_be((-<Element<C>>::ONE).to_repr().as_ref())).wrapping_add(&U512::ONE)
}

/// x and y of the base point.
fn base(curve: Curve) -> (U512, U512) {
    use primeorder::PrimeCurveParams;
    with_curve!(curve, C => (from_be(C::GENERATOR.0.to_repr().as_ref()), from_be(C::GENERATOR.1.to_repr().as_ref())))
}

fn from_be(be: &[u8]) -> U512 {
    let mut padded = [0; 64];
    padded[64 - be.len()..].copy_from_slice(be);
    U512::from_be_slice(&padded)
}

fn octets(size: Size, number: &U512) -> Octets {
    let be = number.to_be_bytes();
    assert!(be[..64 - size.bytes()].iter().all(|&octet| octet == 0));
    Octets::from_be(size, &be[64 - size.bytes()..]).unwrap()
}

/// The digest whose number is this one.
fn digest_of(size: Size, number: &U512) -> Vec<u8> {
    octets(size, number).as_ref().iter().rev().copied().collect()
}

/// a·b modulo q.
fn mul_mod_q(curve: Curve, a: &U512, b: &U512) -> U512 {
    use elliptic_curve::ops::Reduce;
    with_curve!(curve, C => {
        let reduce = |n: &U512| {
            let octets = octets(curve.size(), n);
            <Scalar<C> as Reduce<elliptic_curve::FieldBytes<C>>>::reduce(&octets.as_ref().try_into().unwrap())
        };
        from_be((reduce(a) * reduce(b)).to_repr().as_ref())
    })
}

/// 1/a modulo q.
fn invert_mod_q(curve: Curve, a: &U512) -> U512 {
    with_curve!(curve, C => {
        let a = <C as CurveArithmetic>::Scalar::from_repr(octets(curve.size(), a).as_ref().try_into().unwrap()).unwrap();
        from_be(Field::invert(&a).unwrap().to_repr().as_ref())
    })
}

#[test]
fn every_set_signs_and_verifies() {
    use crate::{PublicKey, SecretKey};
    for (algorithm, set) in kinds() {
        let key = SecretKey::generate(algorithm, set).unwrap();
        let public = PublicKey::from_spki_der(&key.public_key().to_spki_der()).unwrap();
        let signature = key.sign_message(b"message").unwrap();
        public.verify_message(b"message", &signature).unwrap();
        assert!(public.verify_message(b"massage", &signature).is_err());
        let again = SecretKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap();
        assert_eq!(again.public_key(), &public);
    }
}
