//! `eu.webeid`: the commands of the official Web eID extension.
//!
//! One command a process: `quit`, `authenticate`, `get-signing-certificate`, `sign`, each
//! with exactly its own arguments. What went wrong is told with a code the extension
//! knows, and beside it with ours: `reason`, and `retriesLeft` where a PIN was wrong. A new
//! command takes the place of one of the same origin that waits ([`Question`]).

use plugin_protocol::api::{
    CertificateRequest, CertificateRole, ConfirmationRequest, Operation, SignatureItem, SignatureRequest,
    SignatureScheme,
};
use plugin_protocol::encoding::from_base64;
use plugin_protocol::limits::MIN_BOUND_CHALLENGE;
use plugin_protocol::{Challenge, ErrorCode, HashFunction, Origin, Proof, ProofFormat, Purpose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::command::{Nothing, arguments, name};
use super::note::Arrival;
use super::question::Question;
use super::{Daemon, Host, Refusal};
use crate::history::Action;

/// The version of the Web eID application whose commands these are, and ours. The extension
/// compares the first number alone.
const VERSION: &str = concat!("2.9.0+eid-agent.", env!("CARGO_PKG_VERSION"));

/// The language a page would like. The agent's windows speak the person's.
type Language = Option<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Authenticate {
    challenge_nonce: Challenge,
    origin: Origin,
    #[serde(default, rename = "lang")]
    _language: Language,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GetSigningCertificate {
    origin: Origin,
    #[serde(default, rename = "lang")]
    _language: Language,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Sign {
    certificate: String,
    hash: String,
    hash_function: HashFunction,
    origin: Origin,
    #[serde(default, rename = "lang")]
    _language: Language,
}

/// What is written first.
pub(super) fn version() -> Value {
    json!({ "version": VERSION })
}

/// `{"error": {"code", "message", "reason", "retriesLeft"?}}`.
pub(super) fn error(refusal: &Refusal) -> Value {
    let message = match refusal {
        // It may name files; a web page reads this.
        Refusal::Unavailable(_) => "the identity agent cannot be reached; `eid-agent doctor` says why",
        other => other.message(),
    };
    let mut error = json!({ "code": code(refusal), "message": message, "reason": refusal.reason() });
    if let Some(left) = refusal.tries_left() {
        error["retriesLeft"] = left.into();
    }
    json!({ "error": error })
}

/// The extension's code for it.
fn code(refusal: &Refusal) -> &'static str {
    use ErrorCode::{
        Busy, Cancelled, Declined, Expired, InvalidField, Malformed, NoToken, OriginNotAllowed, TooLarge,
        UnsupportedAlgorithm, UnsupportedFormat,
    };
    let known = match refusal {
        Refusal::Problem(problem) => problem.code,
        Refusal::Gone => Cancelled,
        Refusal::Unavailable(_) => return "ERR_WEBEID_NATIVE_FATAL",
    };
    match known {
        Declined | Cancelled => "ERR_WEBEID_USER_CANCELLED",
        Expired | NoToken => "ERR_WEBEID_USER_TIMEOUT",
        Busy => "ERR_WEBEID_ACTION_PENDING",
        Malformed | InvalidField | TooLarge | UnsupportedAlgorithm | UnsupportedFormat | OriginNotAllowed => {
            "ERR_WEBEID_NATIVE_INVALID_ARGUMENT"
        }
        _ => "ERR_WEBEID_NATIVE_FATAL",
    }
}

/// Does what a message says.
pub(super) async fn answer(message: &[u8], daemon: &Daemon, gone: &CancellationToken) -> Result<Value, Refusal> {
    let asked = Asked {
        daemon,
        gone,
        since: Arrival::now(),
    };
    match name(message)?.as_str() {
        "quit" => arguments::<Nothing>(message).map(|Nothing {}| json!({})),
        "authenticate" => {
            let request = confirmation(arguments(message)?)?;
            token(asked.perform(Action::Confirmation, &request.origin, &request).await?)
        }
        "get-signing-certificate" => {
            let GetSigningCertificate { origin, .. } = arguments(message)?;
            let request = CertificateRequest {
                origin,
                top_origin: None,
                token: None,
                role: CertificateRole::Signing,
                origin_attested: true,
            };
            certificate(asked.perform(Action::Certificate, &request.origin, &request).await?)
        }
        "sign" => {
            let request = signature(arguments(message)?)?;
            signed(asked.perform(Action::Signatures, &request.origin, &request).await?)
        }
        _ => {
            let known = "command: quit, authenticate, get-signing-certificate and sign are known here";
            Err(Refusal::new(ErrorCode::InvalidField, known))
        }
    }
}

/// A command on its way to the person.
struct Asked<'a> {
    daemon: &'a Daemon,
    gone: &'a CancellationToken,
    since: Arrival,
}

impl Asked<'_> {
    async fn perform(&self, action: Action, origin: &Origin, request: &impl Serialize) -> Result<Operation, Refusal> {
        let client = tokio::select! {
            reached = self.daemon.reach(Host::WebEid) => reached?.client,
            () = self.gone.cancelled() => return Err(Refusal::Gone),
        };
        let question = Question::new(Host::WebEid, self.daemon, client, origin.clone(), self.since);
        question.perform(action, request, self.gone).await
    }
}

/// The nonce and the origin go on as they came: both are signed byte for byte.
fn confirmation(asked: Authenticate) -> Result<ConfirmationRequest, Refusal> {
    let length = asked.challenge_nonce.as_str().len();
    if length < MIN_BOUND_CHALLENGE {
        let why = format!("challengeNonce: {length} characters; {MIN_BOUND_CHALLENGE} to 128 are allowed");
        return Err(Refusal::new(ErrorCode::InvalidField, why));
    }
    Ok(ConfirmationRequest {
        origin: asked.origin,
        top_origin: None,
        challenge: asked.challenge_nonce,
        format: ProofFormat::WebEid.name().to_owned(),
        detached: false,
        holder_signature: false,
        purpose: Purpose::SignIn,
        token: None,
        certificate: None,
        origin_attested: true,
    })
}

/// The authentication token: its five members.
fn token(operation: Operation) -> Result<Value, Refusal> {
    match operation.proof {
        Some(proof @ Proof::WebEid(_)) => serde_json::to_value(proof).map_err(|error| Refusal::json(&error)),
        _ => Err(other_result()),
    }
}

/// The signing certificate, and what can be made with its key.
fn certificate(operation: Operation) -> Result<Value, Refusal> {
    let found = operation.certificate.ok_or_else(other_result)?;
    let algorithms = found.algorithms.iter();
    let algorithms: Vec<Value> = algorithms
        .filter_map(|method| algorithm(method.scheme, method.hash_function))
        .collect();
    if algorithms.is_empty() {
        return Err(nameless());
    }
    Ok(json!({ "certificate": found.certificate, "supportedSignatureAlgorithms": algorithms }))
}

fn signature(asked: Sign) -> Result<SignatureRequest, Refusal> {
    let invalid = |why: String| Err(Refusal::new(ErrorCode::InvalidField, why));
    if !HashFunction::SHA2.contains(&asked.hash_function) {
        return invalid("hashFunction: it must be SHA-256, SHA-384 or SHA-512".to_owned());
    }
    let expected = asked.hash_function.length();
    if from_base64(&asked.hash).is_none_or(|digest| digest.len() != expected) {
        return invalid(format!("hash: it must be base64 of {expected} bytes"));
    }
    if from_base64(&asked.certificate).is_none_or(|der| der.is_empty()) {
        return invalid("certificate: it must be base64 of DER".to_owned());
    }
    Ok(SignatureRequest {
        origin: asked.origin,
        top_origin: None,
        items: vec![SignatureItem {
            name: None,
            hash_function: asked.hash_function,
            hash: asked.hash,
        }],
        certificate: Some(asked.certificate),
        token: None,
    })
}

fn signed(operation: Operation) -> Result<Value, Refusal> {
    let outcomes = operation.signatures.map(|signatures| signatures.items);
    match outcomes.as_deref() {
        Some([outcome]) => Ok(json!({
            "signature": outcome.signature,
            "signatureAlgorithm": algorithm(outcome.scheme, outcome.hash_function).ok_or_else(nameless)?,
        })),
        _ => Err(other_result()),
    }
}

/// A signature algorithm in Web eID's words, where it has any.
fn algorithm(scheme: SignatureScheme, hash: HashFunction) -> Option<Value> {
    let (crypto, padding) = match scheme {
        SignatureScheme::Ecdsa => ("ECC", "NONE"),
        SignatureScheme::RsaPkcs1 => ("RSA", "PKCS1.5"),
        SignatureScheme::RsaPss => ("RSA", "PSS"),
        SignatureScheme::Gost => return None,
    };
    Some(json!({ "cryptoAlgorithm": crypto, "hashFunction": hash, "paddingScheme": padding }))
}

fn nameless() -> Refusal {
    Refusal::new(
        ErrorCode::UnsupportedAlgorithm,
        "the certificate's key is of GOST R 34.10, which Web eID has no name for; a site of Web eID needs another certificate",
    )
}

fn other_result() -> Refusal {
    Refusal::new(ErrorCode::Internal, "the agent's result is not what was asked for")
}

#[cfg(test)]
mod tests;
