#![doc = include_str!("../README.md")]
//!
//! ## Where to read
//!
//! [`ParameterSet`] and [`Algorithm`] name what a key is; [`PublicKey`], [`SecretKey`] and [`Signature`] are what one
//! works with; [`Error`] says what was wrong. Inside, `curves` has the numbers, `point` the checks of a public point,
//! `verify` and `sign` the two equations, `agree` the point of a key agreement, `fast` the arithmetic for public numbers, `nonce` the derivation of
//! nonces, `spki` and `pkcs8` the DER.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "signing")]
mod agree;
mod algorithm;
mod curves;
mod error;
mod fast;
#[cfg(feature = "signing")]
mod nonce;
mod octets;
mod parameter_set;
#[cfg(feature = "signing")]
mod pkcs8;
mod point;
mod public_key;
mod scalar;
#[cfg(feature = "signing")]
mod secret_key;
#[cfg(feature = "signing")]
mod sign;
mod signature;
mod spki;
#[cfg(all(test, feature = "signing"))]
mod tests;
mod verify;

#[cfg(feature = "signing")]
pub use agree::AgreedPoint;
pub use algorithm::{Algorithm, Hasher, Size};
pub use const_oid::ObjectIdentifier;
pub use error::Error;
pub use parameter_set::ParameterSet;
pub use public_key::PublicKey;
#[cfg(feature = "signing")]
pub use secret_key::SecretKey;
pub use signature::{Signature, SignatureOrder};
