//! The verifier from outside: good proofs of every kind, and everything it must refuse.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod bad_certificates;
mod good_proofs;
mod refusals;
mod support;
