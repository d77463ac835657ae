//! OpenSSL's GOST engine and we, both ways: what it makes is verified by the portal's library, what we make by it.
//!
//! What the test PKI signs is shown to OpenSSL in `fixtures/tests/pki_gost_openssl.rs`.

mod agent;
mod authority;
mod crate_alone;
mod hostile;
mod messages;
mod revocation;
