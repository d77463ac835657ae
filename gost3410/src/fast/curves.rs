//! The curves in the forms that the fast arithmetic wants. Their numbers are those of [`crate::curves`].

use elliptic_curve::ff::PrimeField;
use elliptic_curve::hazmat::FieldArithmetic;
use elliptic_curve::{CurveArithmetic, FieldBytes};
use once_cell::race::OnceBox;
use primeorder::PrimeCurveParams;

use super::edwards::{self, Edwards, Extended};
use super::group::{BASE_MULTIPLES, Group};
use super::limbs::{from_be, from_hex};
use super::prime::{Element, Prime};
use super::weierstrass::{self, Jacobian, Weierstrass};
use crate::curves::{self, GostCurve};

/// A curve for [`super`]'s functions.
pub(super) trait FastCurve<const N: usize> {
    /// Its points.
    type Point: Group<N>;
    /// The order of its base point.
    const Q: [u64; N];
}

/// The field of the coordinates of a curve.
#[derive(Clone, Copy)]
pub(super) struct P<C>(core::marker::PhantomData<C>);

/// Gives a curve of [`crate::curves`] its form here: over its own field, or that of another with the same p.
macro_rules! fast_curve {
    ($name:ident, $limbs:literal, Weierstrass, a: $a:expr) => {
        impl Prime<$limbs> for P<curves::$name> {
            const P: [u64; $limbs] = from_hex(<curves::$name as FieldArithmetic>::FieldElement::MODULUS);
        }
        impl Weierstrass<$limbs> for curves::$name {
            type Field = P<Self>;
            const A: Option<Element<P<Self>, $limbs>> = $a;
            fast_curve!($name, $limbs, table weierstrass);
        }
        fast_curve!($name, $limbs, Jacobian);
    };
    ($name:ident, $limbs:literal, Edwards, p of $field:ident, d: $d:literal) => {
        impl Edwards<$limbs> for curves::$name {
            type Field = P<curves::$field>;
            const D: [u64; $limbs] = from_hex($d);
            fast_curve!($name, $limbs, table edwards);
        }
        fast_curve!($name, $limbs, Extended);
    };
    ($name:ident, $limbs:literal, table $form:ident) => {
        fn table() -> &'static OnceBox<[$form::Affine<Self, $limbs>; BASE_MULTIPLES]> {
            static TABLE: OnceBox<[$form::Affine<curves::$name, $limbs>; BASE_MULTIPLES]> = OnceBox::new();
            &TABLE
        }
        fn base() -> [Element<Self::Field, $limbs>; 2] {
            base::<Self, Self::Field, $limbs>()
        }
    };
    ($name:ident, $limbs:literal, $point:ident) => {
        impl FastCurve<$limbs> for curves::$name {
            type Point = $point<Self, $limbs>;
            const Q: [u64; $limbs] = from_hex(<Self as CurveArithmetic>::Scalar::MODULUS);
        }
    };
}

fast_curve!(Test256, 4, Weierstrass, a: Some(Element::new(&[7, 0, 0, 0])));
fast_curve!(CryptoProA, 4, Weierstrass, a: None);
fast_curve!(CryptoProB, 4, Weierstrass, a: None);
fast_curve!(CryptoProC, 4, Weierstrass, a: None);
fast_curve!(Tc26A256, 4, Edwards, p of CryptoProA,
    d: "0605f6b7c183fa81578bc39cfad518132b9df62897009af7e522c32d6dc7bffb");
fast_curve!(Test512, 8, Weierstrass, a: Some(Element::new(&[7, 0, 0, 0, 0, 0, 0, 0])));
fast_curve!(Tc26A512, 8, Weierstrass, a: None);
fast_curve!(Tc26B512, 8, Weierstrass, a: None);
fast_curve!(Tc26C512, 8, Edwards, p of Tc26A512,
    d: "9e4f5d8c017d8d9f13a5cf3cdf5bfe4dab402d54198e31ebde28a0621050439ca6b39e0a515c06b304e2ce43e79e369e91a0cfc2bc2a22b4ca302dbb33ee7550");

/// The base point of a curve.
fn base<C: GostCurve, F: Prime<N>, const N: usize>() -> [Element<F, N>; 2] {
    let (x, y) = <C as PrimeCurveParams>::GENERATOR;
    [x, y].map(|coordinate| {
        let octets: FieldBytes<C> = coordinate.to_repr();
        Element::new(&from_be(&octets).expect("a coordinate has the length of its curve"))
    })
}
