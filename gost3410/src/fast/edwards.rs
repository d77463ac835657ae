//! Curves with a form u² + v² = 1 + d·u²·v² (RFC 7836 section 5.2, with e = 1), in extended coordinates.
//!
//! d is no square, so one formula adds any two points of the curve: equal, opposite, of any order, and the neutral
//! one (Bernstein, Lange: Faster addition and doubling on elliptic curves; Hisil and others: Twisted Edwards curves
//! revisited).

use alloc::boxed::Box;
use core::array;

use once_cell::race::OnceBox;

use super::group::{BASE_MULTIPLES, Group, KEY_MULTIPLES, double_base};
use super::prime::{Element, Prime, inverses};

/// A curve in Edwards form.
pub(super) trait Edwards<const N: usize>: Copy + 'static {
    /// The field of the coordinates.
    type Field: Prime<N> + 'static;
    /// d, which is no square.
    const D: [u64; N];
    /// Where the odd multiples of the base point are kept.
    fn table() -> &'static OnceBox<[Affine<Self, N>; BASE_MULTIPLES]>;
    /// The base point in Weierstrass form.
    fn base() -> [Element<Self::Field, N>; 2];
}

/// The point u = X/Z, v = Y/Z with T = X·Y/Z; T is left out (as 0) where a doubling follows, which needs none.
#[derive(Clone, Copy)]
pub(super) struct Extended<C: Edwards<N>, const N: usize> {
    x: Element<C::Field, N>,
    y: Element<C::Field, N>,
    z: Element<C::Field, N>,
    t: Element<C::Field, N>,
}

/// A point with d·T instead of T, which every addition of it needs.
#[derive(Clone, Copy)]
pub(super) struct Ready<C: Edwards<N>, const N: usize> {
    affine: Affine<C, N>,
    z: Element<C::Field, N>,
}

/// A point with d·T instead of T; Z is 1 unless it is kept elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Affine<C: Edwards<N>, const N: usize> {
    x: Element<C::Field, N>,
    y: Element<C::Field, N>,
    dt: Element<C::Field, N>,
}

impl<C: Edwards<N>, const N: usize> Affine<C, N> {
    fn opposite(&self) -> Self {
        Self {
            x: self.x.neg(),
            y: self.y,
            dt: self.dt.neg(),
        }
    }
}

impl<C: Edwards<N>, const N: usize> Extended<C, N> {
    const NEUTRAL: Self = Self {
        x: Element::ZERO,
        y: Element::ONE,
        z: Element::ONE,
        t: Element::ZERO,
    };
    const D: Element<C::Field, N> = Element::new(&C::D);
    /// 12·s for s = (1-d)/4, by which the Weierstrass form is stretched.
    const STRETCH: Element<C::Field, N> = {
        let stretch = Element::ONE.sub(&Self::D);
        stretch.double().add(&stretch)
    };
    /// 12·t for t = (1+d)/6, by which it is moved.
    const SHIFT: Element<C::Field, N> = Element::ONE.add(&Self::D).double();

    /// From Weierstrass form: u = (x-t)/y and v = (x-t-s)/(x-t+s), over the common denominator 144·y·(x-t+s).
    ///
    /// That is 0 for the point of order two, where y = 0; x = t-s is on the curve nowhere, as d is no square.
    fn from_weierstrass(x: &Element<C::Field, N>, y: &Element<C::Field, N>) -> Self {
        let (run, rise) = (twelve_times(x).sub(&Self::SHIFT), twelve_times(y));
        let (below, above) = (run.sub(&Self::STRETCH), run.add(&Self::STRETCH));
        Self {
            x: run.mul(&above),
            y: below.mul(&rise),
            z: above.mul(&rise),
            t: run.mul(&below),
        }
    }

    fn ready(&self) -> Ready<C, N> {
        Ready {
            affine: Affine {
                x: self.x,
                y: self.y,
                dt: self.t.mul(&Self::D),
            },
            z: self.z,
        }
    }

    /// Twice the point: 4 products and 3 squares, and a product for T.
    fn doubled(&self, add_next: bool) -> Self {
        let (a, b, z2) = (self.x.square(), self.y.square(), self.z.square());
        let e = self.x.mul(&self.y).double();
        let g = a.add(&b);
        Self::completed(&e, &g.sub(&z2.double()), &g, &a.sub(&b), add_next)
    }

    /// The sum with a point whose Z, multiplied by ours, is `z`: 7 products, and one for T.
    fn plus(&self, other: &Affine<C, N>, z: &Element<C::Field, N>, add_next: bool) -> Self {
        let (a, b, c) = (self.x.mul(&other.x), self.y.mul(&other.y), self.t.mul(&other.dt));
        let e = self.x.add(&self.y).mul(&other.x.add(&other.y)).sub(&a).sub(&b);
        Self::completed(&e, &z.sub(&c), &z.add(&c), &b.sub(&a), add_next)
    }

    /// The point u = e/g, v = h/f.
    fn completed(
        e: &Element<C::Field, N>,
        f: &Element<C::Field, N>,
        g: &Element<C::Field, N>,
        h: &Element<C::Field, N>,
        add_next: bool,
    ) -> Self {
        let t = if add_next { e.mul(h) } else { Element::ZERO };
        Self {
            x: e.mul(f),
            y: g.mul(h),
            z: f.mul(g),
            t,
        }
    }

    fn plus_ready(&self, other: &Ready<C, N>, add_next: bool) -> Self {
        self.plus(&other.affine, &self.z.mul(&other.z), add_next)
    }

    /// The odd multiples of the base point, with one inversion for them all.
    fn affine_base_multiples() -> [Affine<C, N>; BASE_MULTIPLES] {
        let [x, y] = C::base();
        let base = Self::from_weierstrass(&x, &y);
        let two = base.doubled(true).ready();
        let mut points = [base; BASE_MULTIPLES];
        for i in 1..BASE_MULTIPLES {
            points[i] = points[i - 1].plus_ready(&two, true);
        }
        let inverses = inverses(points.map(|point| point.z));
        array::from_fn(|i| {
            let (x, y) = (points[i].x.mul(&inverses[i]), points[i].y.mul(&inverses[i]));
            Affine {
                x,
                y,
                dt: x.mul(&y).mul(&Self::D),
            }
        })
    }
}

/// 12 times an element.
fn twelve_times<P: Prime<N>, const N: usize>(element: &Element<P, N>) -> Element<P, N> {
    element.double().add(element).double().double()
}

impl<C: Edwards<N>, const N: usize> Group<N> for Extended<C, N> {
    type Field = C::Field;
    type Ready = Ready<C, N>;
    type Fixed = Affine<C, N>;

    const INFINITY: Self = Self::NEUTRAL;

    fn base_multiples() -> &'static [Affine<C, N>; BASE_MULTIPLES] {
        C::table().get_or_init(|| Box::new(Self::affine_base_multiples()))
    }

    fn odd_multiples(x: &Element<C::Field, N>, y: &Element<C::Field, N>) -> [Ready<C, N>; KEY_MULTIPLES] {
        let mut point = Self::from_weierstrass(x, y);
        let two = point.doubled(true).ready();
        let mut multiples = [point.ready(); KEY_MULTIPLES];
        for multiple in &mut multiples[1..] {
            point = point.plus_ready(&two, true);
            *multiple = point.ready();
        }
        multiples
    }

    fn double(&self, add_next: bool) -> Self {
        self.doubled(add_next)
    }

    fn add(&self, other: &Ready<C, N>, opposite: bool, add_next: bool) -> Self {
        let z = self.z.mul(&other.z);
        match opposite {
            true => self.plus(&other.affine.opposite(), &z, add_next),
            false => self.plus(&other.affine, &z, add_next),
        }
    }

    fn add_fixed(&self, other: &Affine<C, N>, opposite: bool) -> Self {
        match opposite {
            true => self.plus(&other.opposite(), &self.z, false),
            false => self.plus(other, &self.z, false),
        }
    }

    fn has_x(&self, x: &Element<C::Field, N>) -> bool {
        // 12·x = 12·s·(1+v)/(1-v) + 12·t. The neutral point has v = 1: 24·s on the left, 0 on the right.
        let left = Self::STRETCH.mul(&self.z.add(&self.y));
        let right = twelve_times(x).sub(&Self::SHIFT).mul(&self.z.sub(&self.y));
        left.sub(&right).is_zero()
    }

    fn has_order(order: &[u64; N], x: &Element<C::Field, N>, y: &Element<C::Field, N>) -> bool {
        if Self::from_weierstrass(x, y).z.is_zero() {
            return false;
        }
        let multiple = double_base::<Self, N>(&[0; N], order, (x, y));
        // (0, 1) is neutral; (0, -1), the other point with u = 0, is of order two.
        multiple.x.is_zero() && multiple.y.sub(&multiple.z).is_zero()
    }
}
