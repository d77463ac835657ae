//! `jws`: compact JWS (RFC 7515 section 7.1) over the confirmation statement.

use plugin_protocol::ProofFormat;
use plugin_protocol::encoding::from_base64url;
use plugin_protocol::jws::{JWS_TYPE, JwsHeader};

use super::{check_carried, check_signature, check_statement, signer_from_base64};
use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::policy::Policy;
use crate::signature::Encoding;
use crate::verify::{Context, Opened};

/// The three parts of a compact serialisation.
struct Parts<'a> {
    /// `base64url(header) "." base64url(payload)`, as it came in: the JWS signing input.
    signing_input: &'a str,
    header: JwsHeader,
    payload: &'a str,
    signature: &'a str,
}

pub(super) fn signer(jws: &str, policy: &Policy) -> Result<Certificate, VerifyError> {
    certificates(&split(jws)?.header, policy).map(|(signer, _)| signer)
}

pub(super) fn open(jws: &str, context: &Context<'_>) -> Result<Opened, VerifyError> {
    let parts = split(jws)?;
    check_carried(ProofFormat::Jws, parts.header.alg)?;
    let (certificate, extra) = certificates(&parts.header, context.policy)?;
    let payload = from_base64url(parts.payload).ok_or(VerifyError::Malformed("the payload is not base64url"))?;
    let signed = check_statement(&payload, certificate.der(), context)?;
    let signature = from_base64url(parts.signature).ok_or(VerifyError::Malformed("the signature is not base64url"))?;
    let algorithm = parts.header.alg;
    let message = parts.signing_input.as_bytes();
    check_signature(&certificate, algorithm, Encoding::Fixed, message, &signature, context)?;
    Ok(Opened {
        certificate,
        extra,
        algorithm,
        signed,
    })
}

/// Exactly three parts, and a header of exactly `alg`, `typ` and `x5c` (no `crit`, `jku`, `jwk`, `kid`, `b64` …).
fn split(jws: &str) -> Result<Parts<'_>, VerifyError> {
    let (signing_input, signature) = jws.rsplit_once('.').ok_or(VerifyError::Malformed("not three parts"))?;
    let (header, payload) = signing_input
        .split_once('.')
        .ok_or(VerifyError::Malformed("not three parts"))?;
    if payload.contains('.') {
        return Err(VerifyError::Malformed("not three parts"));
    }
    let header = from_base64url(header).ok_or(VerifyError::Malformed("the header is not base64url"))?;
    if !header.trim_ascii_start().starts_with(b"{") {
        return Err(VerifyError::Malformed("the header is not a JSON object"));
    }
    let header: JwsHeader = serde_json::from_slice(&header)
        .map_err(|_| VerifyError::Malformed("the header is not exactly alg, typ, x5c"))?;
    if header.typ != JWS_TYPE {
        return Err(VerifyError::Malformed("typ is not eid-confirmation+jws"));
    }
    Ok(Parts {
        signing_input,
        header,
        payload,
        signature,
    })
}

fn certificates(header: &JwsHeader, policy: &Policy) -> Result<(Certificate, Vec<Certificate>), VerifyError> {
    if header.x5c.len() > policy.rules().budget.certificates {
        return Err(VerifyError::BudgetExceeded("certificates in the proof"));
    }
    let (signer, others) = header.x5c.split_first().ok_or(VerifyError::Malformed("x5c is empty"))?;
    let extra = others.iter().map(|text| {
        let der = plugin_protocol::encoding::from_base64(text);
        let der = der.ok_or(VerifyError::Malformed("a certificate is not base64"))?;
        Certificate::from_der(&der, Place::Intermediate)
    });
    Ok((signer_from_base64(signer)?, extra.collect::<Result<_, _>>()?))
}
