//! Curves y² = x³ + a·x + b with a prime number of points, in Jacobian coordinates.

use alloc::boxed::Box;
use core::array;

use once_cell::race::OnceBox;

use super::group::{BASE_MULTIPLES, Group, KEY_MULTIPLES};
use super::prime::{Element, Prime, inverses};

/// A curve in Weierstrass form. `b` takes no part in the arithmetic.
pub(super) trait Weierstrass<const N: usize>: Copy + 'static {
    /// The field of the coordinates.
    type Field: Prime<N> + 'static;
    /// a, where it is not -3.
    const A: Option<Element<Self::Field, N>>;
    /// Where the odd multiples of the base point are kept.
    fn table() -> &'static OnceBox<[Affine<Self, N>; BASE_MULTIPLES]>;
    /// The base point.
    fn base() -> [Element<Self::Field, N>; 2];
}

/// The point (X/Z², Y/Z³); at infinity Z is 0, and nowhere else.
#[derive(Clone, Copy)]
pub(super) struct Jacobian<C: Weierstrass<N>, const N: usize> {
    x: Element<C::Field, N>,
    y: Element<C::Field, N>,
    z: Element<C::Field, N>,
}

/// A point that is not infinity with Z², Z³, which every addition of it needs.
#[derive(Clone, Copy)]
pub(super) struct Ready<C: Weierstrass<N>, const N: usize> {
    point: Jacobian<C, N>,
    z2: Element<C::Field, N>,
    z3: Element<C::Field, N>,
}

/// A point that is not infinity, with Z = 1.
#[derive(Clone, Copy)]
pub(super) struct Affine<C: Weierstrass<N>, const N: usize> {
    x: Element<C::Field, N>,
    y: Element<C::Field, N>,
}

impl<C: Weierstrass<N>, const N: usize> Jacobian<C, N> {
    const INFINITY: Self = Self {
        x: Element::ONE,
        y: Element::ONE,
        z: Element::ZERO,
    };

    fn affine(x: &Element<C::Field, N>, y: &Element<C::Field, N>) -> Self {
        Self {
            x: *x,
            y: *y,
            z: Element::ONE,
        }
    }

    fn ready(self) -> Ready<C, N> {
        let z2 = self.z.square();
        Ready {
            point: self,
            z2,
            z3: z2.mul(&self.z),
        }
    }

    /// The third point of the tangent: 4 products, 4 squares where a = -3. Infinity stays where it is; points of
    /// order two, with y = 0, there are none.
    fn doubled(&self) -> Self {
        let slope = self.triple_slope();
        let y2 = self.y.double();
        let z = y2.mul(&self.z);
        let y4 = y2.square();
        let s = y4.mul(&self.x);
        let x = slope.square().sub(&s.double());
        let y = slope.mul(&s.sub(&x)).sub(&y4.square().half());
        Self { x, y, z }
    }

    /// 3·X² + a·Z⁴.
    fn triple_slope(&self) -> Element<C::Field, N> {
        let z2 = self.z.square();
        match C::A {
            None => {
                let product = self.x.sub(&z2).mul(&self.x.add(&z2));
                product.double().add(&product)
            }
            Some(a) => {
                let x2 = self.x.square();
                x2.double().add(&x2).add(&z2.square().mul(&a))
            }
        }
    }

    /// The sum with an affine point: 8 products, 3 squares.
    fn plus_affine(&self, x: &Element<C::Field, N>, y: &Element<C::Field, N>) -> Self {
        if self.z.is_zero() {
            return Self::affine(x, y);
        }
        let z2 = self.z.square();
        let run = x.mul(&z2).sub(&self.x);
        let rise = y.mul(&z2.mul(&self.z)).sub(&self.y);
        self.chord(&self.x, &self.y, &run, &rise, &self.z)
    }

    /// The sum with a point that is not infinity: 11 products, 3 squares.
    fn plus(&self, other: &Ready<C, N>) -> Self {
        if self.z.is_zero() {
            return other.point;
        }
        let z2 = self.z.square();
        let (u, s) = (self.x.mul(&other.z2), self.y.mul(&other.z3));
        let run = other.point.x.mul(&z2).sub(&u);
        let rise = other.point.y.mul(&z2.mul(&self.z)).sub(&s);
        self.chord(&u, &s, &run, &rise, &self.z.mul(&other.point.z))
    }

    /// The third point of the chord from this point, which is (u, s) over the common denominator `z`, to one that is
    /// `run` and `rise` away. Without a run the points are equal or opposite.
    fn chord(
        &self,
        u: &Element<C::Field, N>,
        s: &Element<C::Field, N>,
        run: &Element<C::Field, N>,
        rise: &Element<C::Field, N>,
        z: &Element<C::Field, N>,
    ) -> Self {
        if run.is_zero() {
            return if rise.is_zero() {
                self.doubled_again()
            } else {
                Self::INFINITY
            };
        }
        let run2 = run.square();
        let run3 = run2.mul(run);
        let v = u.mul(&run2);
        let x = rise.square().sub(&run3).sub(&v.double());
        let y = rise.mul(&v.sub(&x)).sub(&s.mul(&run3));
        Self { x, y, z: z.mul(run) }
    }

    /// [`Self::doubled`] where the sum is one of a point with itself: so rare that it is not worth its place there.
    #[cold]
    #[inline(never)]
    fn doubled_again(&self) -> Self {
        self.doubled()
    }

    fn opposite(&self) -> Self {
        Self {
            x: self.x,
            y: self.y.neg(),
            z: self.z,
        }
    }

    /// The odd multiples of the base point, with one inversion for them all.
    fn affine_base_multiples() -> [Affine<C, N>; BASE_MULTIPLES] {
        let [x, y] = C::base();
        let base = Self::affine(&x, &y);
        let two = base.doubled().ready();
        let mut points = [base; BASE_MULTIPLES];
        for i in 1..BASE_MULTIPLES {
            points[i] = points[i - 1].plus(&two);
        }
        let inverses = inverses(points.map(|point| point.z));
        array::from_fn(|i| {
            let (point, z) = (&points[i], &inverses[i]);
            let z2 = z.square();
            Affine {
                x: point.x.mul(&z2),
                y: point.y.mul(&z2.mul(z)),
            }
        })
    }
}

impl<C: Weierstrass<N>, const N: usize> Group<N> for Jacobian<C, N> {
    type Field = C::Field;
    type Ready = Ready<C, N>;
    type Fixed = Affine<C, N>;

    const INFINITY: Self = Self::INFINITY;

    fn base_multiples() -> &'static [Affine<C, N>; BASE_MULTIPLES] {
        C::table().get_or_init(|| Box::new(Self::affine_base_multiples()))
    }

    fn odd_multiples(x: &Element<C::Field, N>, y: &Element<C::Field, N>) -> [Ready<C, N>; KEY_MULTIPLES] {
        let point = Self::affine(x, y);
        let two = point.doubled().ready();
        let mut multiples = [point.ready(); KEY_MULTIPLES];
        for i in 1..KEY_MULTIPLES {
            multiples[i] = multiples[i - 1].point.plus(&two).ready();
        }
        multiples
    }

    fn double(&self, _add_next: bool) -> Self {
        self.doubled()
    }

    fn add(&self, other: &Ready<C, N>, opposite: bool, _add_next: bool) -> Self {
        match opposite {
            true => self.plus(&Ready {
                point: other.point.opposite(),
                ..*other
            }),
            false => self.plus(other),
        }
    }

    fn add_fixed(&self, other: &Affine<C, N>, opposite: bool) -> Self {
        let y = if opposite { other.y.neg() } else { other.y };
        self.plus_affine(&other.x, &y)
    }

    fn has_x(&self, x: &Element<C::Field, N>) -> bool {
        !self.z.is_zero() && x.mul(&self.z.square()).sub(&self.x).is_zero()
    }

    fn has_order(_order: &[u64; N], _x: &Element<C::Field, N>, _y: &Element<C::Field, N>) -> bool {
        // The number of points is prime.
        true
    }
}
