//! z1·G + z2·Q, fast and in variable time: every number that comes here is public.
//!
//! This is the sum that verification needs (RFC 7091 section 6.2); nothing here may touch a private key. Both products
//! are made at once ([`group`]), in Jacobian coordinates ([`weierstrass`]) or, on the two curves that have one, in
//! Edwards form ([`edwards`]), over fields that reduce as the shape of their prime allows ([`prime`]). The base
//! point's multiples are tables, built at first use. The sum's x coordinate is compared without a division.

mod curves;
mod edwards;
mod group;
mod limbs;
mod prime;
#[cfg(test)]
mod tests;
mod weierstrass;

use crate::curves::{Curve, with_curve};
use crate::octets::Octets;
use crate::point::Point;
use curves::FastCurve;
use group::{Group, double_base};
use prime::{Element, Prime};

/// Whether z1·G + z2·Q is a point with x mod q = r, for the public key Q, a point of order q.
///
/// False where the sum is the point at infinity, and for numbers that do not fit the curve.
pub(crate) fn sum_has_x(curve: Curve, z1: &Octets, z2: &Octets, point: &Point, r: &Octets) -> bool {
    with_curve!(curve, C => sum_has_x_on::<C, _>(z1, z2, point, r)).unwrap_or(false)
}

/// Whether a point of the curve is of order q. Both coordinates are below p.
pub(crate) fn has_order_q(curve: Curve, x: &Octets, y: &Octets) -> bool {
    with_curve!(curve, C => has_order_q_on::<C, _>(x, y)).unwrap_or(false)
}

/// `None` for numbers that do not fit.
fn sum_has_x_on<C: FastCurve<N>, const N: usize>(z1: &Octets, z2: &Octets, point: &Point, r: &Octets) -> Option<bool> {
    let (x, y) = (coordinate::<C, N>(&point.x)?, coordinate::<C, N>(&point.y)?);
    let (z1, z2) = (limbs::from_be(z1.as_ref())?, limbs::from_be(z2.as_ref())?);
    let sum = double_base::<C::Point, N>(&z1, &z2, (&x, &y));
    Some(has_x::<C, N>(&sum, limbs::from_be(r.as_ref())?))
}

fn has_order_q_on<C: FastCurve<N>, const N: usize>(x: &Octets, y: &Octets) -> Option<bool> {
    Some(C::Point::has_order(
        &C::Q,
        &coordinate::<C, N>(x)?,
        &coordinate::<C, N>(y)?,
    ))
}

/// The field of a curve's coordinates.
type Field<C, const N: usize> = <<C as FastCurve<N>>::Point as Group<N>>::Field;

/// A coordinate below p.
fn coordinate<C: FastCurve<N>, const N: usize>(octets: &Octets) -> Option<Element<Field<C, N>, N>> {
    let number = limbs::from_be(octets.as_ref())?;
    limbs::less(&number, &Field::<C, N>::P).then(|| Element::new(&number))
}

/// Whether x mod q = r for the x coordinate of the point: whether x is r, r + q, r + 2q… as far as these are below p.
fn has_x<C: FastCurve<N>, const N: usize>(point: &C::Point, r: [u64; N]) -> bool {
    let mut candidate = (r, 0);
    while let (x, 0) = candidate {
        if !limbs::less(&x, &Field::<C, N>::P) {
            break;
        }
        if point.has_x(&Element::new(&x)) {
            return true;
        }
        candidate = limbs::add(&x, &C::Q);
    }
    false
}
