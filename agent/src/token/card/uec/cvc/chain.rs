//! Chains: authority, operator, terminal; authority, issuer, application.

use std::fmt;

use time::Date;

use super::{Certificate, Holder};

/// A chain that was verified up to a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain(());

/// Why a chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChainError {
    /// This one is another's than stands at its place.
    Holder(Holder),
    /// The signature of this one is not by the one above it.
    Signature(Holder),
    /// The day is outside the validity of this one.
    Validity(Holder),
    /// The certificate above this one is missing.
    Missing(Holder),
    /// The upper end is signed by none of the roots.
    Root,
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder(holder) => write!(f, "a certificate of {holder} stands where another's belongs"),
            Self::Signature(holder) => write!(f, "the certificate of {holder} is not signed by the one above it"),
            Self::Validity(holder) => write!(f, "the certificate of {holder} is expired, or not valid yet"),
            Self::Missing(holder) => write!(f, "the certificate above that of {holder} is missing"),
            Self::Root => f.write_str("no root that is configured signed it"),
        }
    }
}

/// Verifies `leaf`, which is `below` the one in the middle, which a root signed: the hierarchy has three steps
/// (uec-secure-messaging.md, 6.2; that an application's goes through an issuer's is [INF]).
///
/// A root is the authority's own certificate. On `day` all three must be valid; `None` does not look at that.
pub(crate) fn chain(
    leaf: &Certificate,
    middle: &Certificate,
    roots: &[Certificate],
    day: Option<Date>,
) -> Result<Chain, ChainError> {
    let expected = match leaf.holder {
        Holder::Application => Holder::Issuer,
        Holder::Terminal => Holder::Operator,
        other => return Err(ChainError::Holder(other)),
    };
    if middle.holder != expected {
        return Err(ChainError::Holder(middle.holder));
    }
    if !leaf.is_signed_by(middle) {
        return Err(ChainError::Signature(leaf.holder));
    }
    let root = roots
        .iter()
        .filter(|root| root.holder == Holder::Authority && root.suite == middle.suite)
        .find(|root| middle.is_signed_by(root))
        .ok_or(ChainError::Root)?;
    let outside = |certificate: &&Certificate| day.is_some_and(|day| !certificate.valid_on(day));
    match [leaf, middle, root].into_iter().find(outside) {
        Some(expired) => Err(ChainError::Validity(expired.holder)),
        None => Ok(Chain(())),
    }
}
