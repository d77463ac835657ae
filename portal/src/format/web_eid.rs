//! `web-eid:1.0`: the Web eID authentication token.
//!
//! Stricter than the official validators where they differ among themselves:
//! base64 must be canonical, ECDSA must be raw `r || s` of the curve's length,
//! the curve must be the algorithm's, and digitalSignature must be set.

use plugin_protocol::ProofFormat;
use plugin_protocol::encoding::from_base64;
use plugin_protocol::proof::WebEidToken;
use plugin_protocol::web_eid::to_be_signed;

use super::{check_carried, check_signature, signer_from_base64};
use crate::certificate::Certificate;
use crate::error::VerifyError;
use crate::identity::Signed;
use crate::signature::Encoding;
use crate::verify::{Context, Opened};

/// Longest `appVersion`, which is informative and ignored, bytes.
const MAX_APP_VERSION: usize = 1024;

pub(super) fn certificate(token: &WebEidToken) -> Result<Certificate, VerifyError> {
    signer_from_base64(&token.unverified_certificate)
}

/// The token names no origin and no challenge: a signature over others simply does not verify.
pub(super) fn open(token: &WebEidToken, context: &Context<'_>) -> Result<Opened, VerifyError> {
    if token.app_version.len() > MAX_APP_VERSION {
        return Err(VerifyError::Malformed("appVersion is too long"));
    }
    check_carried(ProofFormat::WebEid, token.algorithm)?;
    let certificate = certificate(token)?;
    let signature = from_base64(&token.signature).ok_or(VerifyError::Malformed("the signature is not base64"))?;
    let message = to_be_signed(context.origin, context.challenge, token.algorithm);
    check_signature(
        &certificate,
        token.algorithm,
        Encoding::Fixed,
        &message,
        &signature,
        context,
    )?;
    Ok(Opened {
        certificate,
        extra: Vec::new(),
        algorithm: token.algorithm,
        signed: Signed::default(),
    })
}
