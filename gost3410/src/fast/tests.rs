//! The fast sum against the plain one of `primeorder`, on every curve, where formulas and digits have their edges.

use std::vec::Vec;

use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::group::Group as _;
use elliptic_curve::ops::Reduce;
use elliptic_curve::point::AffineCoordinates;
use elliptic_curve::{FieldBytes, Scalar};
use primeorder::{AffinePoint, ProjectivePoint};
use streebog::{Digest, Streebog512};

use super::edwards::Edwards;
use super::{has_order_q, sum_has_x};
use crate::curves::{Curve, GostCurve, with_curve};
use crate::octets::Octets;
use crate::point::{Point, in_subgroup};

const CURVES: [Curve; 9] = [
    Curve::Test256,
    Curve::CryptoProA,
    Curve::CryptoProB,
    Curve::CryptoProC,
    Curve::Tc26A256,
    Curve::Test512,
    Curve::Tc26A512,
    Curve::Tc26B512,
    Curve::Tc26C512,
];

/// A number below q that looks random and is the same in every run.
fn arbitrary<C: GostCurve>(index: u32) -> Scalar<C> {
    let digest = Streebog512::digest(index.to_be_bytes());
    let mut octets = FieldBytes::<C>::default();
    let length = octets.len();
    octets.copy_from_slice(&digest[..length]);
    Scalar::<C>::reduce(&octets)
}

/// 0, ±1, ±2, halves, and a run of ones.
fn edges<C: GostCurve>() -> Vec<Scalar<C>> {
    let (one, two) = (Scalar::<C>::ONE, Scalar::<C>::from(2));
    let half = two.invert().unwrap();
    let power = two.pow_vartime([129]);
    let small = [Scalar::<C>::ZERO, one, two, half, power - one];
    small.into_iter().flat_map(|edge| [edge, -edge]).skip(1).collect()
}

struct Case<C: GostCurve> {
    curve: Curve,
    /// Q is this times G.
    secret: Scalar<C>,
    public: Point,
}

impl<C: GostCurve> Case<C> {
    fn new(curve: Curve, secret: Scalar<C>) -> Self {
        let public = point::<C>(curve, ProjectivePoint::<C>::GENERATOR * secret).expect("the secret is not 0");
        Self { curve, secret, public }
    }

    /// The fast sum has the plain one's x coordinate modulo q, and no other.
    fn compare(&self, z1: Scalar<C>, z2: Scalar<C>) {
        let plain = point::<C>(self.curve, ProjectivePoint::<C>::GENERATOR * (z1 + self.secret * z2));
        let octets = |scalar: Scalar<C>| Octets::from_field(self.curve.size(), scalar.to_repr());
        let has = |r| sum_has_x(self.curve, &octets(z1), &octets(z2), &self.public, &octets(r));
        let (curve, secret) = (self.curve, &self.secret);
        let Some(plain) = plain else {
            assert!(
                !has(Scalar::<C>::ZERO),
                "{curve:?} Q = {secret:?}·G, {z1:?}, {z2:?}: infinity has no x"
            );
            return;
        };
        let r = Scalar::<C>::reduce(&FieldBytes::<C>::try_from(plain.x.as_ref()).expect("it has the curve's length"));
        assert!(has(r), "{curve:?} Q = {secret:?}·G, {z1:?}, {z2:?}");
        assert!(
            !has(r + Scalar::<C>::ONE),
            "{curve:?} Q = {secret:?}·G, {z1:?}, {z2:?}: one more"
        );
    }
}

fn point<C: GostCurve>(curve: Curve, point: ProjectivePoint<C>) -> Option<Point> {
    let affine: AffinePoint<C> = point.to_affine();
    let octets = |coordinate| Octets::from_field(curve.size(), coordinate);
    (!bool::from(point.is_identity())).then(|| Point {
        x: octets(affine.x()),
        y: octets(affine.y()),
    })
}

#[test]
fn edges_of_the_multipliers_and_of_the_key() {
    for curve in CURVES {
        with_curve!(curve, C => compare_edges::<C>(curve));
    }
}

/// Among these are sums that are infinity, and additions of equal and of opposite points.
fn compare_edges<C: GostCurve>(curve: Curve) {
    let mut secrets = [1, 3].map(Scalar::<C>::from).to_vec();
    secrets.extend([-Scalar::<C>::ONE, arbitrary::<C>(0)]);
    for secret in secrets {
        let case = Case::<C>::new(curve, secret);
        for z1 in edges::<C>() {
            for z2 in edges::<C>() {
                case.compare(z1, z2);
            }
            // -z1·G and z1·G, and one apart.
            let quotient = z1 * secret.invert().unwrap();
            case.compare(z1, quotient);
            case.compare(z1, -quotient);
            case.compare(z1 + Scalar::<C>::ONE, -quotient);
        }
    }
}

#[test]
fn arbitrary_multipliers_and_keys() {
    for curve in CURVES {
        with_curve!(curve, C => compare_arbitrary::<C>(curve));
    }
}

fn compare_arbitrary<C: GostCurve>(curve: Curve) {
    for i in 0..60 {
        let case = Case::<C>::new(curve, arbitrary::<C>(3 * i + 1));
        case.compare(arbitrary::<C>(3 * i + 2), arbitrary::<C>(3 * i + 3));
        assert!(has_order_q(curve, &case.public.x, &case.public.y));
    }
}

#[test]
fn numbers_outside_of_the_field_have_no_sum() {
    for curve in CURVES {
        with_curve!(curve, C => {
            let case = Case::<C>::new(curve, arbitrary::<C>(7));
            let one = Octets::from_field(curve.size(), Scalar::<C>::ONE.to_repr());
            let mut high = Octets::zero(curve.size());
            high.as_mut().fill(0xff);
            let outside = Point { x: high.clone(), y: case.public.y.clone() };
            assert!(!sum_has_x(curve, &one, &one, &outside, &one));
            assert!(!sum_has_x(curve, &one, &one, &case.public, &high));
        });
    }
}

/// On the curves with 4·q points: points of every order, told apart as by arithmetic that branches on every exception.
#[test]
fn points_outside_of_the_subgroup() {
    compare_orders::<crate::curves::Tc26A256>(Curve::Tc26A256);
    compare_orders::<crate::curves::Tc26C512>(Curve::Tc26C512);
}

fn compare_orders<C: GostCurve>(curve: Curve) {
    let mut inside = 0;
    for start in 0..60 {
        let x = C::FieldElement::from(start);
        let square = (x.square() + C::EQUATION_A) * x + C::EQUATION_B;
        let Some(y) = square.sqrt().into_option() else {
            continue;
        };
        let octets = |coordinate: C::FieldElement| Octets::from_field(curve.size(), coordinate.to_repr());
        for y in [y, -y] {
            let expected = in_subgroup::<C>(x, y);
            inside += usize::from(expected);
            assert_eq!(
                has_order_q(curve, &octets(x), &octets(y)),
                expected,
                "{curve:?} x = {start}"
            );
            assert_eq!(
                Point::checked(curve, octets(x), octets(y)).is_ok(),
                expected,
                "{curve:?} x = {start}"
            );
        }
    }
    assert!(inside > 0, "about a fourth of the points are inside");
    compare_small_orders::<C>(curve);
}

/// The points of order two and four, and what they make of the base point.
fn compare_small_orders<C: GostCurve>(curve: Curve) {
    let octets = |coordinate: C::FieldElement| Octets::from_field(curve.size(), coordinate.to_repr());
    let two = C::FieldElement::ONE.double();
    // x³ + a·x + b = 0, from the form's s and t: (t, 0) is of order two, (s+t, ±s) of order four (RFC 7836 section 5.2).
    let d = C::FieldElement::from_repr(edwards_d::<C>(curve)).expect("d is below p");
    let s = (C::FieldElement::ONE - d) * two.double().invert().expect("p is odd");
    let t = (C::FieldElement::ONE + d) * (two.double() + two).invert().expect("p is not 3");
    for (x, y) in [(t, C::FieldElement::ZERO), (s + t, s), (s + t, -s)] {
        assert!(!in_subgroup::<C>(x, y));
        assert!(!has_order_q(curve, &octets(x), &octets(y)));
        let refused = Point::checked(curve, octets(x), octets(y));
        assert_eq!(
            refused.err(),
            Some(crate::Error::PublicKeyNotInSubgroup),
            "{curve:?}: it is on the curve"
        );
    }
}

fn edwards_d<C: GostCurve>(curve: Curve) -> FieldBytes<C> {
    let limbs = match curve {
        Curve::Tc26A256 => <crate::curves::Tc26A256 as Edwards<4>>::D.to_vec(),
        _ => <crate::curves::Tc26C512 as Edwards<8>>::D.to_vec(),
    };
    let octets: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    FieldBytes::<C>::try_from(octets.as_slice()).expect("d has the curve's length")
}
