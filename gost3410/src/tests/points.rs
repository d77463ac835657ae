//! Public keys that must not come in.

use super::{base, kinds, octets, p};
use crate::curves::with_curve;
use crate::point::{coordinate, in_subgroup};
use crate::{Algorithm, Error, ObjectIdentifier, ParameterSet, PublicKey, SecretKey};
use alloc::vec::Vec;
use elliptic_curve::bigint::{CheckedAdd, U512};
use elliptic_curve::ff::{Field, PrimeField};
use primeorder::PrimeCurveParams;

fn import(algorithm: Algorithm, set: ParameterSet, x: &U512, y: &U512) -> Result<PublicKey, Error> {
    let mut both = Vec::new();
    octets(set.size(), x).push_be(&mut both);
    octets(set.size(), y).push_be(&mut both);
    PublicKey::from_x_y(algorithm, set, &both)
}

/// Every point of small order, and every shift of good points by one: all lie on the curve.
#[test]
fn points_outside_the_subgroup_are_refused() {
    let mut seen = 0;
    for line in include_str!("../../tests/data/outside-subgroup.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let mut words = line.split(' ');
        let set = ParameterSet::from_oid(&ObjectIdentifier::new(words.next().unwrap()).unwrap()).unwrap();
        let point = super::hex(words.next().unwrap());
        let algorithm = Algorithm::ALL
            .into_iter()
            .rfind(|algorithm| algorithm.size() == set.size())
            .unwrap();
        assert_eq!(
            PublicKey::from_x_y(algorithm, set, &point),
            Err(Error::PublicKeyNotInSubgroup),
            "{line}"
        );
        seen += 1;
    }
    assert_eq!(seen, 54);
}

/// The same shifts in the other direction: four times such a point is a good one.
#[test]
fn points_of_the_subgroup_are_taken() {
    for (algorithm, set) in kinds() {
        for _ in 0..4 {
            let public = SecretKey::generate(algorithm, set).unwrap().public_key().clone();
            assert_eq!(PublicKey::from_x_y(algorithm, set, &public.to_x_y()).unwrap(), public);
            with_curve!(set.curve(), C => {
                let half = set.size().bytes();
                let number = |be: &[u8]| coordinate::<C>(&crate::octets::Octets::from_be(set.size(), be).unwrap()).unwrap();
                let x_y = public.to_x_y();
                assert!(in_subgroup::<C>(number(&x_y[..half]), number(&x_y[half..])), "{set}");
            });
        }
    }
}

#[test]
fn coordinates_not_below_p_are_refused() {
    for (algorithm, set) in kinds() {
        let (p, (x, y)) = (p(set.curve()), base(set.curve()));
        let all_ones = match set.size() {
            crate::Size::Bits256 => U512::MAX.shr_vartime(256),
            crate::Size::Bits512 => U512::MAX,
        };
        assert!(import(algorithm, set, &x, &y).is_ok(), "{set}");
        let mut bad = alloc::vec![(p, y), (x, p), (p, p), (all_ones, y), (x, all_ones)];
        // The base point again, its coordinates raised by p where there is room.
        let (over_x, over_y) = (x.checked_add(&p), y.checked_add(&p));
        bad.extend(over_x.into_option().filter(|x| *x <= all_ones).map(|x| (x, y)));
        bad.extend(over_y.into_option().filter(|y| *y <= all_ones).map(|y| (x, y)));
        for (x, y) in bad {
            assert_eq!(import(algorithm, set, &x, &y), Err(Error::PublicKeyRange), "{set}");
        }
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    for (algorithm, set) in kinds() {
        let (x, y) = base(set.curve());
        let one = U512::ONE;
        for (x, y) in [
            (x, y.wrapping_add(&one)),
            (x.wrapping_add(&one), y),
            (y, x),
            (U512::ZERO, U512::ZERO),
            (x, U512::ZERO),
        ] {
            assert_eq!(import(algorithm, set, &x, &y), Err(Error::PublicKeyNotOnCurve), "{set}");
        }
    }
}

/// A point of the quadratic twist: x belongs to no point of the curve, whatever y is given with it.
#[test]
fn points_of_the_twist_are_refused() {
    for (algorithm, set) in kinds() {
        with_curve!(set.curve(), C => {
            type Element = <C as elliptic_curve::hazmat::FieldArithmetic>::FieldElement;
            let no_square = Element::MULTIPLICATIVE_GENERATOR;
            let mut x = Element::ONE;
            let (x, y) = loop {
                // y² · n = x³ + ax + b has a solution exactly where the curve has none.
                let right = (x.square() + C::EQUATION_A) * x + C::EQUATION_B;
                if let Some(y) = (right * no_square).sqrt().into_option().filter(|y| !bool::from(y.is_zero())) {
                    break (x, y);
                }
                x += Element::ONE;
            };
            let (x, y) = (super::from_be(x.to_repr().as_ref()), super::from_be(y.to_repr().as_ref()));
            assert_eq!(import(algorithm, set, &x, &y), Err(Error::PublicKeyNotOnCurve), "{set}");
        });
    }
}

/// A key of one curve is none of another one.
#[test]
fn a_key_of_another_curve_is_refused() {
    for (algorithm, set) in kinds() {
        let public = SecretKey::generate(algorithm, set).unwrap().public_key().clone();
        for other in ParameterSet::ALL {
            let taken = PublicKey::from_x509(algorithm, other, &public.to_x509());
            match (other.size() == set.size(), set.same_curve(other)) {
                (false, _) => assert_eq!(taken, Err(Error::AlgorithmMismatch)),
                (true, true) => assert!(taken.unwrap().same_point(&public)),
                (true, false) => assert!(taken.is_err(), "{set} taken as {other}"),
            }
        }
    }
}
