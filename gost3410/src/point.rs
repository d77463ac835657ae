//! Public points: what must hold before the arithmetic may see one.
//!
//! The formulas of `primeorder` are complete for points of odd order only. On the two curves with 4·q points they go
//! wrong on others: a check of q·P = O written with them takes bad points for good ones. So the check is made in the
//! Edwards form of these curves, whose formula has no exceptions ([`crate::fast`]), and the tests hold it against
//! arithmetic whose every exceptional case is a branch that can be read.

use crate::Error;
use crate::curves::{Curve, GostCurve, with_curve};
use crate::fast;
use crate::octets::Octets;
use elliptic_curve::FieldBytes;
use elliptic_curve::ff::{Field, PrimeField};
#[cfg(feature = "signing")]
use zeroize::Zeroize;

/// A point that passed [`Point::checked`], or that signing made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Point {
    pub(crate) x: Octets,
    pub(crate) y: Octets,
}

impl Point {
    /// Takes coordinates from outside: both below p, on the curve, in the subgroup of order q.
    pub(crate) fn checked(curve: Curve, x: Octets, y: Octets) -> Result<Self, Error> {
        with_curve!(curve, C => check::<C>(curve, &x, &y))?;
        Ok(Point { x, y })
    }
}

#[cfg(feature = "signing")]
impl Zeroize for Point {
    /// For points that are secrets: what two parties agreed on.
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}

/// A number as an element of the coordinates' field, where it is below p.
pub(crate) fn coordinate<C: GostCurve>(octets: &Octets) -> Option<C::FieldElement> {
    let repr = FieldBytes::<C>::try_from(octets.as_ref()).ok()?;
    C::FieldElement::from_repr(repr).into_option()
}

fn check<C: GostCurve>(curve: Curve, x: &Octets, y: &Octets) -> Result<(), Error> {
    let u = coordinate::<C>(x).ok_or(Error::PublicKeyRange)?;
    let v = coordinate::<C>(y).ok_or(Error::PublicKeyRange)?;
    if v.square() != (u.square() + C::EQUATION_A) * u + C::EQUATION_B {
        return Err(Error::PublicKeyNotOnCurve);
    }
    // A curve of exactly q points has no others. (The encoding has no way to say "infinity".)
    if C::COFACTOR != 1 && !fast::has_order_q(curve, x, y) {
        return Err(Error::PublicKeyNotInSubgroup);
    }
    Ok(())
}

#[cfg(test)]
/// Whether q·P is the point at infinity, for any point of the curve, of whatever order.
pub(crate) fn in_subgroup<C: GostCurve>(x: C::FieldElement, y: C::FieldElement) -> bool {
    let mut sum = Jacobian::<C>::INFINITY;
    for bit in order_bits::<C>() {
        sum = sum.double();
        if bit {
            sum = sum.add(x, y);
        }
    }
    sum.is_infinity()
}

#[cfg(test)]
/// The bits of q, the highest first.
fn order_bits<C: GostCurve>() -> impl Iterator<Item = bool> {
    // q - 1 is the largest element of the field of multipliers; q is odd, so only the last bit differs.
    let highest = (-C::Scalar::ONE).to_repr();
    let bits = 8 * highest.len();
    (0..bits).map(move |i| i == bits - 1 || highest[i / 8] >> (7 - i % 8) & 1 == 1)
}

#[cfg(test)]
/// A point as (X/Z², Y/Z³); Z = 0 and only that is infinity.
#[derive(Clone, Copy)]
struct Jacobian<C: GostCurve> {
    x: C::FieldElement,
    y: C::FieldElement,
    z: C::FieldElement,
}

#[cfg(test)]
impl<C: GostCurve> Jacobian<C> {
    const INFINITY: Self = Jacobian {
        x: C::FieldElement::ONE,
        y: C::FieldElement::ONE,
        z: C::FieldElement::ZERO,
    };

    fn is_infinity(&self) -> bool {
        bool::from(self.z.is_zero())
    }

    /// The tangent's third point. A point of order two has y = 0, whence Z = 0: infinity, as it should be.
    fn double(&self) -> Self {
        let y2 = self.y.square();
        let s = (self.x * y2).double().double();
        let m = self.x.square().double() + self.x.square() + C::EQUATION_A * self.z.square().square();
        let x = m.square() - s.double();
        let y = m * (s - x) - y2.square().double().double().double();
        let z = (self.y * self.z).double();
        Jacobian { x, y, z }
    }

    /// The chord's third point, of this one and an affine one.
    fn add(&self, x: C::FieldElement, y: C::FieldElement) -> Self {
        if self.is_infinity() {
            return Jacobian {
                x,
                y,
                z: C::FieldElement::ONE,
            };
        }
        let z2 = self.z.square();
        let dx = x * z2 - self.x;
        let dy = y * z2 * self.z - self.y;
        if bool::from(dx.is_zero()) {
            // The same x: the same point, or the opposite one.
            return if bool::from(dy.is_zero()) {
                self.double()
            } else {
                Self::INFINITY
            };
        }
        let dx2 = dx.square();
        let dx3 = dx2 * dx;
        let v = self.x * dx2;
        let sum_x = dy.square() - dx3 - v.double();
        let sum_y = dy * (v - sum_x) - self.y * dx3;
        Jacobian {
            x: sum_x,
            y: sum_y,
            z: self.z * dx,
        }
    }
}
