//! `cms` and `cms-challenge`: CAdES-BES (ETSI EN 319 122-1) in CMS SignedData (RFC 5652).
//!
//! BER is taken from foreign signers and made DER first ([`ber`]); the order of
//! the signed attributes is then judged as it was sent.

mod attributes;
mod ber;
mod structure;
mod tlv;

use cms::signed_data::SignerIdentifier;
use const_oid::db::rfc5912::RSA_ENCRYPTION;
use plugin_protocol::api::SignatureScheme;
use plugin_protocol::encoding::from_base64;
use plugin_protocol::proof::CmsProof;
use plugin_protocol::{HashFunction, SignatureAlgorithm};
use spki::AlgorithmIdentifierOwned;
use time::OffsetDateTime;

use self::attributes::SignedAttributes;
use self::structure::{SignedData, SignerInfo, algorithm};
use super::{check_signature, check_statement, check_time};
use crate::certificate::{Certificate, magnitude};
use crate::error::{Place, VerifyError};
use crate::identity::Signed;
use crate::policy::{Policy, UnsignedAttributes};
use crate::signature::{Encoding, Scheme, ended_algorithm, hash_from_identifier, key_scheme, null_or_absent};
use crate::verify::{Context, Opened};

/// What the signed content must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The confirmation statement.
    Statement,
    /// The challenge's ASCII bytes.
    Challenge,
}

pub(super) fn signer(proof: &CmsProof, policy: &Policy) -> Result<Certificate, VerifyError> {
    let der = decode(proof)?;
    let data = SignedData::parse(&der)?;
    certificates(&data, policy).map(|(signer, _)| signer)
}

pub(super) fn open(proof: &CmsProof, wanted: Content, context: &Context<'_>) -> Result<Opened, VerifyError> {
    let der = decode(proof)?;
    let data = SignedData::parse(&der)?;
    if data.signer.has_unsigned_attributes && context.policy.rules().unsigned_attributes == UnsignedAttributes::Refuse {
        return Err(VerifyError::Malformed("unsigned attributes are refused here"));
    }
    let content = content(&data, proof, wanted, context)?;
    let (certificate, extra) = certificates(&data, context.policy)?;
    let attributes = SignedAttributes::parse(data.signer.signed_attributes)?;
    let (algorithm, hash) = algorithms(&data.signer, &certificate)?;
    attributes.check_content(&content, hash)?;
    attributes.check_signing_certificate(&certificate)?;
    attributes.check_algorithm_protection(&data.signer)?;
    let time = attributes.signing_time()?;
    let signed = check_binding(&content, wanted, time, &certificate, context)?;
    let message = attributes.to_be_signed()?;
    let signature = data.signer.signature;
    check_signature(&certificate, algorithm, Encoding::Asn1, &message, signature, context)?;
    Ok(Opened {
        certificate,
        extra,
        algorithm,
        signed,
    })
}

fn decode(proof: &CmsProof) -> Result<Vec<u8>, VerifyError> {
    let bytes = from_base64(&proof.cms).ok_or(VerifyError::Malformed("the CMS is not base64"))?;
    ber::to_der(&bytes).map_err(|_| VerifyError::Malformed("the CMS is not BER"))
}

/// The signed content, from the one place it is in. A detached challenge need not be sent: the portal knows it.
fn content(
    data: &SignedData<'_>,
    proof: &CmsProof,
    wanted: Content,
    context: &Context<'_>,
) -> Result<Vec<u8>, VerifyError> {
    match (data.content, &proof.content) {
        (Some(attached), None) => Ok(attached.to_vec()),
        (None, Some(detached)) => {
            from_base64(detached).ok_or(VerifyError::Malformed("the detached content is not base64"))
        }
        (None, None) if wanted == Content::Challenge => Ok(context.challenge.as_str().as_bytes().to_vec()),
        (None, None) => Err(VerifyError::Malformed("the content is missing")),
        (Some(_), Some(_)) => Err(VerifyError::Malformed("the content is there twice")),
    }
}

/// What the content and the signing time bind: for a statement all of it, for a challenge the challenge alone.
fn check_binding(
    content: &[u8],
    wanted: Content,
    time: OffsetDateTime,
    certificate: &Certificate,
    context: &Context<'_>,
) -> Result<Signed, VerifyError> {
    check_time(time, context)?;
    if wanted == Content::Challenge {
        if content != context.challenge.as_str().as_bytes() {
            return Err(VerifyError::ChallengeMismatch);
        }
        return Ok(Signed {
            time: Some(time),
            purpose: None,
        });
    }
    let signed = check_statement(content, certificate.der(), context)?;
    let apart = signed.time.map_or(time::Duration::ZERO, |stated| (stated - time).abs());
    if apart > context.policy.rules().clock_skew {
        return Err(VerifyError::SignedAttributes(
            "signing-time is not the statement's time",
        ));
    }
    Ok(signed)
}

/// The signer's certificate, by the signer identifier, and the others.
fn certificates(data: &SignedData<'_>, policy: &Policy) -> Result<(Certificate, Vec<Certificate>), VerifyError> {
    if data.certificates.len() > policy.rules().budget.certificates {
        return Err(VerifyError::BudgetExceeded("certificates in the proof"));
    }
    let all = data
        .certificates
        .iter()
        .map(|der| Certificate::from_der(der, Place::Signer));
    let all = all.collect::<Result<Vec<_>, _>>()?;
    let (mut signers, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| identifies(&data.signer.sid, one));
    match (signers.pop(), signers.is_empty()) {
        (Some(signer), true) => Ok((signer, others)),
        (None, _) => Err(VerifyError::Malformed("the signer's certificate is not in it")),
        (Some(_), false) => Err(VerifyError::Malformed("several certificates fit the signer identifier")),
    }
}

fn identifies(sid: &SignerIdentifier, certificate: &Certificate) -> bool {
    match sid {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            let serial = magnitude(named.serial_number.as_bytes());
            named.issuer == *certificate.issuer() && serial == certificate.serial()
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            certificate.subject_key_identifier() == Some(named.0.as_bytes())
        }
    }
}

/// What the signer used, and its hash; digestAlgorithm, signatureAlgorithm and the key must agree.
fn algorithms(
    signer: &SignerInfo<'_>,
    certificate: &Certificate,
) -> Result<(SignatureAlgorithm, HashFunction), VerifyError> {
    let digest = algorithm(signer.digest_algorithm)?;
    let identifier = algorithm(signer.signature_algorithm)?;
    if let Some(name) = ended_algorithm(identifier.oid).or_else(|| ended_algorithm(digest.oid)) {
        return Err(VerifyError::AlgorithmEnded(Place::Signer, name));
    }
    let hash = hash_from_identifier(&digest).ok_or_else(|| VerifyError::AlgorithmNotAllowed(digest.oid.to_string()))?;
    let not_allowed = || VerifyError::AlgorithmNotAllowed(identifier.oid.to_string());
    let scheme = scheme(&identifier, hash).ok_or_else(not_allowed)?;
    if scheme.hash != hash {
        return Err(VerifyError::Malformed(
            "digestAlgorithm and signatureAlgorithm use different hashes",
        ));
    }
    let key = certificate.public_key(Place::Signer)?;
    match key.algorithm(scheme) {
        Some(algorithm) => Ok((algorithm, hash)),
        // ECDSA with a hash that is not the curve's own, or a key of another kind or size.
        None if key.takes(scheme) => Err(not_allowed()),
        None => Err(VerifyError::AlgorithmMismatch),
    }
}

/// The scheme of a signatureAlgorithm. Some signers name their key's algorithm instead: RSA's then
/// has the hash of digestAlgorithm (RFC 3370 section 3.2), GOST's the one of its size.
fn scheme(identifier: &AlgorithmIdentifierOwned, hash: HashFunction) -> Option<Scheme> {
    if identifier.oid == RSA_ENCRYPTION && null_or_absent(identifier) {
        let scheme = SignatureScheme::RsaPkcs1;
        return Some(Scheme { scheme, hash });
    }
    key_scheme(identifier).or_else(|| Scheme::from_identifier(identifier))
}
