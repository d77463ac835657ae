//! The equations of signing and of key making (RFC 7091 sections 5.2 and 6.1). What they touch is secret.
//!
//! Every step is arithmetic of fixed length and selection by masks, as `primefield`, `primeorder` and `crypto-bigint`
//! offer it: table look-ups read the whole table, the inversion of Z runs a fixed number of steps. The one branch on
//! secret numbers is whether a nonce must be thrown away, which says nothing of the one that is kept.

use crate::curves::{Curve, GostCurve, with_curve};
use crate::octets::Octets;
use crate::point::{Point, coordinate};
use crate::scalar::{hash_number, nonzero_scalar, to_octets};
use crate::{Error, Signature};
use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::ops::Reduce;
use elliptic_curve::point::AffineCoordinates;
use elliptic_curve::{FieldBytes, Scalar};
use primeorder::{AffinePoint, ProjectivePoint};
use zeroize::Zeroizing;

/// Signs with a nonce that `next_nonce` proposes: numbers of the curve's length, tried until one serves.
pub(crate) fn sign(
    curve: Curve,
    secret: &Octets,
    digest: &[u8],
    next_nonce: &mut dyn FnMut() -> Zeroizing<Octets>,
) -> Result<Signature, Error> {
    with_curve!(curve, C => sign_on::<C>(curve, secret, digest, next_nonce))
}

fn sign_on<C: GostCurve>(
    curve: Curve,
    secret: &Octets,
    digest: &[u8],
    next_nonce: &mut dyn FnMut() -> Zeroizing<Octets>,
) -> Result<Signature, Error> {
    let d = Zeroizing::new(nonzero_scalar::<C>(secret).ok_or(Error::PrivateKeyRange)?);
    let e = hash_number::<C>(digest)?;
    loop {
        let Some(k) = nonzero_scalar::<C>(&next_nonce()).map(Zeroizing::new) else {
            continue;
        };
        let point = Zeroizing::new((ProjectivePoint::<C>::GENERATOR * *k).to_affine());
        let r = Scalar::<C>::reduce(&point.x());
        let s = r * *d + e * *k;
        if !bool::from(r.is_zero() | s.is_zero()) {
            return Ok(Signature::new(to_octets::<C>(curve, r), to_octets::<C>(curve, s)));
        }
    }
}

/// The public point of a secret number, or nothing where that is not between 1 and q - 1.
pub(crate) fn public_point(curve: Curve, secret: &Octets) -> Option<Point> {
    with_curve!(curve, C => {
        let d = Zeroizing::new(nonzero_scalar::<C>(secret)?);
        let point = (ProjectivePoint::<C>::GENERATOR * *d).to_affine();
        let (x, y) = (point.x(), point.y());
        Some(Point { x: Octets::from_field(curve.size(), x), y: Octets::from_field(curve.size(), y) })
    })
}

/// `(cofactor · factor · secret mod q) · point` (RFC 4357 section 5.2, RFC 7836 section 4.3.1); nothing where the
/// factor is zero modulo q. The point is one of order q, so the product is no point at infinity.
pub(crate) fn agreed_point(curve: Curve, secret: &Octets, factor: &Octets, point: &Point) -> Option<Zeroizing<Point>> {
    with_curve!(curve, C => {
        let factor = Scalar::<C>::reduce(&FieldBytes::<C>::try_from(factor.as_ref()).ok()?);
        if bool::from(factor.is_zero()) {
            return None;
        }
        let mut number = Zeroizing::new(nonzero_scalar::<C>(secret)?);
        *number *= factor * Scalar::<C>::from(u64::from(C::COFACTOR));
        let (x, y) = (coordinate::<C>(&point.x)?, coordinate::<C>(&point.y)?);
        let public = AffinePoint::<C>::from_coordinates(&x.to_repr(), &y.to_repr()).into_option()?;
        let agreed = Zeroizing::new((ProjectivePoint::<C>::from(public) * *number).to_affine());
        let (x, y) = (Zeroizing::new(agreed.x()), Zeroizing::new(agreed.y()));
        Some(Zeroizing::new(Point { x: Octets::from_field(curve.size(), *x), y: Octets::from_field(curve.size(), *y) }))
    })
}

/// The product of secret numbers modulo q: what a masked private key stands for.
pub(crate) fn product(curve: Curve, factors: &[Zeroizing<Octets>]) -> Option<Zeroizing<Octets>> {
    with_curve!(curve, C => {
        let mut product = Zeroizing::new(Scalar::<C>::ONE);
        for factor in factors {
            *product *= nonzero_scalar::<C>(factor)?;
        }
        Some(Zeroizing::new(to_octets::<C>(curve, *product)))
    })
}

/// How many bits q has.
pub(crate) fn order_bits(curve: Curve) -> u32 {
    with_curve!(curve, C => Scalar::<C>::NUM_BITS)
}

/// The number e of a digest, as octets.
pub(crate) fn digest_number(curve: Curve, digest: &[u8]) -> Result<Octets, Error> {
    with_curve!(curve, C => Ok(to_octets::<C>(curve, hash_number::<C>(digest)?)))
}
