//! The identity agent: a daemon that lets a person confirm who they are with a chip.
//!
//! The tour, in the order of one request:
//!
//! 1. [`error`]: the one enum of what can go wrong, and its one mapping to the wire;
//! 2. [`token`]: what a token is; [`certificate`]: what a certificate says;
//! 3. [`prompt`]: the person as an interface;
//! 4. [`proof`]: what is signed and how it is wrapped.

pub mod certificate;
pub mod error;
pub mod pin;
pub mod prompt;
pub mod proof;
pub mod token;

pub use error::Error;
