//! What is signed and how it is wrapped, one file per format.
//!
//! A [`Draft`] knows the exact bytes before the token is asked, and turns the
//! token's signature into a [`Proof`] after. Between the two, [`verify_own`]
//! checks what the token gave: nothing leaves that our own certificate would
//! not verify.

mod cms;
mod jws;
mod key;
mod own_check;
mod rsa;
mod web_eid;

use plugin_protocol::{Challenge, Origin, Proof, ProofFormat, Purpose, SignatureAlgorithm, Statement};
use time::OffsetDateTime;

use crate::error::Error;
use crate::token::Mechanism;

pub use own_check::verify_own;
pub use web_eid::APP_VERSION;

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

impl Subject {
    fn statement(&self, certificate: &[u8], now: OffsetDateTime) -> Statement {
        Statement::new(
            self.origin.clone(),
            self.challenge.clone(),
            self.purpose,
            now,
            certificate,
        )
    }

    /// What only some formats allow.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let least = self.format.min_challenge();
        if self.challenge.as_str().len() < least {
            let why = format!("the format {} asks for at least {least} characters", self.format);
            return Err(Error::InvalidField("challenge", why));
        }
        let cms = matches!(self.format, ProofFormat::Cms | ProofFormat::CmsChallenge);
        if self.detached && !cms {
            let why = format!("the format {} has no detached form", self.format);
            return Err(Error::InvalidField("detached", why));
        }
        Ok(())
    }
}

/// Wraps a signature.
type Finish = Box<dyn FnOnce(Vec<u8>) -> Result<Proof, Error> + Send>;

/// A proof that lacks only its signature.
pub struct Draft {
    to_be_signed: Vec<u8>,
    raw_length: Option<usize>,
    finish: Finish,
}

impl Draft {
    /// The bytes whose signature is asked of the token; the signature algorithm hashes them.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// Wraps the token's signature (ECDSA as raw `r || s`), which [`verify_own`] has accepted.
    pub fn finish(self, signature: Vec<u8>) -> Result<Proof, Error> {
        if self.raw_length.is_some_and(|length| signature.len() != length) || signature.is_empty() {
            return Err(Error::SignatureMismatch);
        }
        (self.finish)(signature)
    }
}

/// The draft of a proof by the first of `certificates` (DER; then intermediates) with `algorithm` at `now`.
pub fn draft(
    subject: &Subject,
    certificates: &[&[u8]],
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
) -> Result<Draft, Error> {
    subject.check()?;
    let signer = certificates.first().copied().unwrap_or_default();
    if !key::Key::read(signer)?.fits(algorithm) {
        let why = format!("the certificate's key does not make {algorithm}");
        return Err(Error::UnsupportedAlgorithm(why));
    }
    let (to_be_signed, finish) = match subject.format {
        ProofFormat::WebEid => web_eid::draft(subject, signer, algorithm),
        ProofFormat::Jws => jws::draft(&subject.statement(signer, now), certificates, algorithm),
        ProofFormat::Cms => {
            let content = subject.statement(signer, now).to_canonical_json();
            cms::draft(content, subject.detached, certificates, algorithm, now, Proof::Cms)?
        }
        ProofFormat::CmsChallenge => {
            let content = subject.challenge.as_str().as_bytes().to_vec();
            cms::draft(
                content,
                subject.detached,
                certificates,
                algorithm,
                now,
                Proof::CmsChallenge,
            )?
        }
    };
    Ok(Draft {
        to_be_signed,
        raw_length: algorithm.raw_length(),
        finish,
    })
}

/// The algorithm to sign with: on a curve the one its size fixes; with RSA `RS256` first,
/// since every verifier knows it, and PSS when that is all the token has.
pub fn preferred_algorithm(certificate: &[u8], mechanisms: &[Mechanism]) -> Result<SignatureAlgorithm, Error> {
    use SignatureAlgorithm::{ES256, ES384, ES512, PS256, PS384, PS512, RS256, RS384, RS512};
    let key = key::Key::read(certificate)?;
    let offered = |algorithm: &SignatureAlgorithm| {
        mechanisms
            .iter()
            .any(|mechanism| mechanism.scheme == algorithm.scheme() && mechanism.hash == algorithm.hash())
    };
    [ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512]
        .into_iter()
        .filter(|algorithm| key.fits(*algorithm))
        .find(offered)
        .ok_or_else(|| {
            let why = format!("it offers no mechanism that signs with this {} key", key.name());
            Error::UnsupportedAlgorithm(why)
        })
}
