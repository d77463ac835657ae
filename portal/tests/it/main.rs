//! The verifier from outside: good proofs of every kind, and everything it must refuse.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod anchors;
mod bad_certificates;
mod cms;
mod cms_builder;
mod esia;
mod good_proofs;
mod gost;
mod no_panic;
mod openssl;
#[cfg(feature = "reference-portal")]
mod program;
mod purity;
mod qualified;
#[cfg(feature = "reference-portal")]
mod reference_portal;
mod refusals;
mod support;
mod uec;
mod wycheproof;
