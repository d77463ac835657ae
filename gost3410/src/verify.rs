//! The verification equation (RFC 7091 section 6.2). All of it is public, so its time may vary.

use crate::curves::{Curve, GostCurve, with_curve};
use crate::fast;
use crate::point::Point;
use crate::scalar::{hash_number, nonzero_scalar, to_octets};
use crate::{Error, Signature};
use elliptic_curve::ops::Invert;

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
    match fast::sum_has_x(
        curve,
        &to_octets::<C>(curve, z1),
        &to_octets::<C>(curve, z2),
        point,
        signature.r(),
    ) {
        true => Ok(()),
        false => Err(Error::SignatureInvalid),
    }
}
