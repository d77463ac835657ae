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
pub(crate) mod rsa;
pub mod uec;
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

    /// Wraps the token's signature (ECDSA as raw `r || s`, GOST as `s || r`), which [`verify_own`] has accepted.
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
    let key = key::Key::read(signer)?;
    if !key.fits(algorithm) {
        let why = format!("the certificate's key does not make {algorithm}");
        return Err(Error::UnsupportedAlgorithm(why));
    }
    if !subject.format.carries(algorithm) {
        return Err(not_carried(subject.format, &key, algorithm));
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
        ProofFormat::Uec => return Err(cards_own()),
    };
    Ok(Draft {
        to_be_signed,
        raw_length: algorithm.raw_length(),
        finish,
    })
}

/// No key with an X.509 certificate makes it: [`uec`] does.
fn cards_own() -> Error {
    Error::UnsupportedFormat("the format uec is made by a universal electronic card alone".into())
}

/// The algorithm to sign with: on a curve the one its size fixes; with RSA `RS256` first,
/// since every verifier knows it, and PSS when that is all the token has.
pub fn preferred_algorithm(certificate: &[u8], mechanisms: &[Mechanism]) -> Result<SignatureAlgorithm, Error> {
    preferred(&key::Key::read(certificate)?, mechanisms)
}

/// The same for a proof of `format`, which not every key can make: the error says which formats this one can.
pub fn algorithm_for(
    format: ProofFormat,
    certificate: &[u8],
    mechanisms: &[Mechanism],
) -> Result<SignatureAlgorithm, Error> {
    let key = key::Key::read(certificate)?;
    // A key's algorithms differ in their hash function and padding, which no format cares about.
    match SignatureAlgorithm::ALL
        .into_iter()
        .find(|algorithm| key.fits(*algorithm))
    {
        Some(made) if !format.carries(made) => Err(not_carried(format, &key, made)),
        _ => preferred(&key, mechanisms),
    }
}

fn not_carried(format: ProofFormat, key: &key::Key, algorithm: SignatureAlgorithm) -> Error {
    let able: Vec<_> = algorithm.formats().map(ProofFormat::name).collect();
    Error::UnsupportedAlgorithm(format!(
        "the format {format} has no name for signatures by its {} key; the formats {} have one",
        key.name(),
        able.join(" and ")
    ))
}

fn preferred(key: &key::Key, mechanisms: &[Mechanism]) -> Result<SignatureAlgorithm, Error> {
    use SignatureAlgorithm::{ES256, ES384, ES512, Gost256, Gost512, PS256, PS384, PS512, RS256, RS384, RS512};
    let offered = |algorithm: &SignatureAlgorithm| {
        mechanisms
            .iter()
            .any(|mechanism| mechanism.scheme == algorithm.scheme() && mechanism.hash == algorithm.hash())
    };
    let by_preference = [
        ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, Gost256, Gost512,
    ];
    by_preference
        .into_iter()
        .filter(|algorithm| key.fits(*algorithm))
        .find(offered)
        .ok_or_else(|| {
            let why = format!("it offers no mechanism that signs with this {} key", key.name());
            Error::UnsupportedAlgorithm(why)
        })
}
