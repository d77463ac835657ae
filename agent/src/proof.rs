//! What is signed and how it is wrapped, one file per format.
//!
//! A [`Draft`] knows the exact bytes before the token is asked, and turns the
//! token's signature into a [`Proof`] after.

use plugin_protocol::{Challenge, Origin, Proof, ProofFormat, Purpose, SignatureAlgorithm};
use time::OffsetDateTime;

use crate::error::Error;

/// What a proof is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The portal.
    pub origin: Origin,
    /// Its challenge.
    pub challenge: Challenge,
    /// What the person agrees to.
    pub purpose: Purpose,
    /// How the proof is built.
    pub format: ProofFormat,
    /// For the CMS formats: leave the content out.
    pub detached: bool,
}

/// A proof that lacks only its signature.
pub struct Draft {
    to_be_signed: Vec<u8>,
    finish: Box<dyn FnOnce(Vec<u8>) -> Result<Proof, Error> + Send>,
}

impl Draft {
    /// The bytes whose signature is asked of the token; the signature algorithm hashes them.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// Wraps the token's signature (ECDSA as raw `r || s`).
    pub fn finish(self, signature: Vec<u8>) -> Result<Proof, Error> {
        (self.finish)(signature)
    }
}

/// The draft of a proof by `certificate` (DER, then intermediates) with `algorithm` at `now`.
pub fn draft(
    subject: &Subject,
    certificates: &[&[u8]],
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
) -> Result<Draft, Error> {
    let _ = (subject, certificates, algorithm, now);
    Err(Error::Internal("not built yet".to_owned()))
}
