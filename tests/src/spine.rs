//! The scenes that every kind of card must come through: each takes the card as a parameter.
//!
//! `tests/tests` plays them: `pins.rs` and `modules.rs` on an ECDSA card, `gost.rs` on GOST tokens.

pub mod formats;
pub mod pins;
pub mod slot;

/// What types the right PIN.
pub const RIGHT: &str = "pin 12345678";
/// What types a wrong one.
pub const WRONG: &str = "pin 87654321";
