//! The proof formats: each opens a proof up to the point where its signature is verified.

mod cms;
mod jws;
mod web_eid;

use plugin_protocol::encoding::from_base64;
use plugin_protocol::statement::{STATEMENT_TYPE, STATEMENT_VERSION, rfc3339};
use plugin_protocol::{Proof, ProofFormat, SignatureAlgorithm, Statement};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::identity::Signed;
use crate::policy::Policy;
use crate::signature::{Encoding, SignatureError};
use crate::verify::{Context, Opened};

/// Opens a proof by a certificate.
pub(crate) fn open(proof: &Proof, context: &Context<'_>) -> Result<Opened, VerifyError> {
    check_size(proof, context.policy)?;
    match proof {
        Proof::WebEid(token) => web_eid::open(token, context),
        Proof::Jws { jws } => jws::open(jws, context),
        Proof::Cms(proof) => cms::open(proof, cms::Content::Statement, context),
        Proof::CmsChallenge(proof) => cms::open(proof, cms::Content::Challenge, context),
        Proof::Uec(_) => Err(VerifyError::CardProof),
    }
}

/// The signer's certificate of a proof that nobody has verified.
pub(crate) fn unverified_signer(proof: &Proof, policy: &Policy) -> Result<Certificate, VerifyError> {
    check_size(proof, policy)?;
    match proof {
        Proof::WebEid(token) => web_eid::certificate(token),
        Proof::Jws { jws } => jws::signer(jws, policy),
        Proof::Cms(proof) | Proof::CmsChallenge(proof) => cms::signer(proof, policy),
        Proof::Uec(_) => Err(VerifyError::CardProof),
    }
}

pub(crate) fn check_size(proof: &Proof, policy: &Policy) -> Result<(), VerifyError> {
    let size = match proof {
        Proof::WebEid(token) => token.unverified_certificate.len() + token.signature.len() + token.app_version.len(),
        Proof::Jws { jws } => jws.len(),
        Proof::Cms(proof) | Proof::CmsChallenge(proof) => {
            proof.cms.len() + proof.content.as_ref().map_or(0, String::len)
        }
        Proof::Uec(proof) => proof.size(),
    };
    if size > policy.rules().budget.proof_bytes {
        return Err(VerifyError::BudgetExceeded("bytes of the proof"));
    }
    Ok(())
}

/// The signer's certificate in base64.
fn signer_from_base64(text: &str) -> Result<Certificate, VerifyError> {
    let der = from_base64(text).ok_or(VerifyError::Malformed("the certificate is not base64"))?;
    Certificate::from_der(&der, Place::Signer)
}

/// Web eID and JOSE have no name for some algorithms; a proof that gives them one is none.
fn check_carried(format: ProofFormat, algorithm: SignatureAlgorithm) -> Result<(), VerifyError> {
    match format.carries(algorithm) {
        true => Ok(()),
        false => Err(VerifyError::AlgorithmNotInFormat(algorithm, format)),
    }
}

/// Verifies a proof's signature, after the allow-list and the kind of key.
fn check_signature(
    certificate: &Certificate,
    algorithm: SignatureAlgorithm,
    encoding: Encoding,
    message: &[u8],
    signature: &[u8],
    context: &Context<'_>,
) -> Result<(), VerifyError> {
    if !context.policy.rules().algorithms.contains(&algorithm) {
        return Err(VerifyError::AlgorithmNotAllowed(algorithm.to_string()));
    }
    let key = certificate.public_key(Place::Signer)?;
    if !key.fits(algorithm) {
        return Err(VerifyError::AlgorithmMismatch);
    }
    context.work.check_signature()?;
    key.verify(algorithm.into(), encoding, message, signature)
        .map_err(|error| match error {
            SignatureError::Ended(name) => VerifyError::AlgorithmEnded(Place::Signer, name),
            SignatureError::Invalid => VerifyError::SignatureInvalid,
            SignatureError::InvalidKey => VerifyError::KeyNotAccepted(Place::Signer),
            SignatureError::Unsupported => VerifyError::AlgorithmNotAllowed(algorithm.to_string()),
            SignatureError::WrongKey => VerifyError::AlgorithmMismatch,
        })
}

/// Reads a statement and checks everything it binds: version, origin, challenge, purpose, certificate, time.
pub(crate) fn check_statement(bytes: &[u8], certificate: &[u8], context: &Context<'_>) -> Result<Signed, VerifyError> {
    let statement = Statement::from_canonical_json(bytes)
        .filter(|statement| statement.kind == STATEMENT_TYPE && statement.version == STATEMENT_VERSION)
        .ok_or(VerifyError::Malformed(
            "the content is not a canonical confirmation statement",
        ))?;
    if statement.origin != *context.origin {
        return Err(VerifyError::OriginMismatch);
    }
    if statement.challenge != *context.challenge {
        return Err(VerifyError::ChallengeMismatch);
    }
    if statement.purpose != context.policy.purpose {
        return Err(VerifyError::PurposeMismatch);
    }
    let hash = plugin_protocol::encoding::sha256(certificate);
    if statement.certificate_sha256 != plugin_protocol::encoding::hex(&hash) {
        return Err(VerifyError::CertificateMismatch);
    }
    let time = OffsetDateTime::parse(&statement.time, &Rfc3339)
        .ok()
        .filter(|time| (0..=9999).contains(&time.year()) && rfc3339(*time) == statement.time)
        .ok_or(VerifyError::Malformed("the statement's time"))?;
    check_time(time, context)?;
    Ok(Signed {
        time: Some(time),
        purpose: Some(statement.purpose),
    })
}

/// Whether a signing time is recent: not older than the policy's age, not ahead of `now`, give or take the clock skew.
fn check_time(time: OffsetDateTime, context: &Context<'_>) -> Result<(), VerifyError> {
    let age = context.now - time;
    if age > context.policy.rules().max_age + context.policy.rules().clock_skew {
        return Err(VerifyError::SigningTimeTooOld(time));
    }
    if age < -context.policy.rules().clock_skew {
        return Err(VerifyError::SigningTimeInFuture(time));
    }
    Ok(())
}
