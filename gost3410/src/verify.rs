//! The verification equation (RFC 7091 section 6.2). All of it is public, so its time may vary.

use crate::curves::{Curve, GostCurve, with_curve};
use crate::octets::Octets;
use crate::point::Point;
use crate::scalar::{hash_number, nonzero_scalar, scalar, to_octets};
use crate::{Error, Signature};
use elliptic_curve::ops::{Invert, LinearCombination, Reduce};
use elliptic_curve::point::AffineCoordinates;
use elliptic_curve::{FieldBytes, Scalar};
use primeorder::{AffinePoint, ProjectivePoint};

/// Whether (r, s) is a signature under `point` of the digest whose octets, as the hash function put them out, are given.
pub(crate) fn verify(curve: Curve, point: &Point, digest: &[u8], signature: &Signature) -> Result<(), Error> {
    with_curve!(curve, C => verify_on::<C>(curve, point, digest, signature))
}

fn verify_on<C: GostCurve>(curve: Curve, point: &Point, digest: &[u8], signature: &Signature) -> Result<(), Error> {
    let r = nonzero_scalar::<C>(signature.r()).ok_or(Error::SignatureRange)?;
    let s = nonzero_scalar::<C>(signature.s()).ok_or(Error::SignatureRange)?;
    let e = hash_number::<C>(digest)?;
    let v = e.invert_vartime().into_option().expect("hash_number gives no zero");
    let (z1, z2) = (s * v, -(r * v));
    let x = double_base(curve, &to_octets::<C>(curve, z1), &to_octets::<C>(curve, z2), point)
        .ok_or(Error::SignatureInvalid)?;
    let repr = FieldBytes::<C>::try_from(x.as_ref()).expect("a coordinate has the length of its curve");
    if Scalar::<C>::reduce(&repr) == r {
        Ok(())
    } else {
        Err(Error::SignatureInvalid)
    }
}

/// The x coordinate of z1·G + z2·P, or nothing where that is infinity. Variable time; z1 and z2 are below q.
fn double_base(curve: Curve, z1: &Octets, z2: &Octets, point: &Point) -> Option<Octets> {
    plain_double_base(curve, z1, z2, point)
}

/// [`double_base`] by `primeorder` alone: what faster ways are compared with.
///
/// Not its variable-time way, which is not made for groups of 512 bits (its digits' type has no fitting length).
pub(crate) fn plain_double_base(curve: Curve, z1: &Octets, z2: &Octets, point: &Point) -> Option<Octets> {
    with_curve!(curve, C => plain_double_base_on::<C>(curve, z1, z2, point))
}

fn plain_double_base_on<C: GostCurve>(curve: Curve, z1: &Octets, z2: &Octets, point: &Point) -> Option<Octets> {
    let z1 = scalar::<C>(z1)?;
    let z2 = scalar::<C>(z2)?;
    let x = FieldBytes::<C>::try_from(point.x.as_ref()).ok()?;
    let y = FieldBytes::<C>::try_from(point.y.as_ref()).ok()?;
    let public = ProjectivePoint::from(AffinePoint::<C>::from_coordinates(&x, &y).into_option()?);
    let sum = ProjectivePoint::lincomb(&[(ProjectivePoint::GENERATOR, z1), (public, z2)]).to_affine();
    (!bool::from(sum.is_identity())).then(|| Octets::from_field(curve.size(), sum.x()))
}
