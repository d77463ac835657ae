//! GOST R 34.10-2012 and 34.10-2001 signatures over every TC26 and CryptoPro parameter set.

#![no_std]
#![forbid(unsafe_code)]
#![doc(test(attr(deny(warnings))))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod algorithm;
mod curves;
mod error;
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
mod verify;

pub use algorithm::{Algorithm, Hasher, Size};
pub use const_oid::ObjectIdentifier;
pub use error::Error;
pub use parameter_set::ParameterSet;
pub use public_key::PublicKey;
#[cfg(feature = "signing")]
pub use secret_key::SecretKey;
pub use signature::{Signature, SignatureOrder};
