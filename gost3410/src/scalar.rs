//! Numbers modulo q.

use crate::Error;
use crate::curves::{Curve, GostCurve};
use crate::octets::Octets;
use elliptic_curve::ff::{Field, PrimeField};
use elliptic_curve::ops::Reduce;
use elliptic_curve::subtle::ConditionallySelectable;
use elliptic_curve::{FieldBytes, Scalar};

/// A number below q.
pub(crate) fn scalar<C: GostCurve>(octets: &Octets) -> Option<Scalar<C>> {
    let repr = FieldBytes::<C>::try_from(octets.as_ref()).ok()?;
    Scalar::<C>::from_repr(repr).into_option()
}

/// A number from 1 to q - 1.
pub(crate) fn nonzero_scalar<C: GostCurve>(octets: &Octets) -> Option<Scalar<C>> {
    scalar::<C>(octets).filter(|scalar| !bool::from(scalar.is_zero()))
}

/// The number's octets.
pub(crate) fn to_octets<C: GostCurve>(curve: Curve, scalar: Scalar<C>) -> Octets {
    Octets::from_field(curve.size(), scalar.to_repr())
}

/// The number e of a digest (RFC 7091 section 6.1, steps 1 and 2).
///
/// Every encoding in use takes the hash function's octets as a little-endian number (RFC 4491 section 2.2.1, RFC 9215
/// section 2). Zero modulo q stands for one.
pub(crate) fn hash_number<C: GostCurve>(digest: &[u8]) -> Result<Scalar<C>, Error> {
    let mut repr = FieldBytes::<C>::default();
    if digest.len() != repr.len() {
        return Err(Error::Length {
            what: "digest",
            expected: repr.len(),
            got: digest.len(),
        });
    }
    repr.copy_from_slice(digest);
    repr.reverse();
    let e = Scalar::<C>::reduce(&repr);
    Ok(Scalar::<C>::conditional_select(&e, &Scalar::<C>::ONE, e.is_zero()))
}
