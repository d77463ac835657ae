//! `eu.webeid`: the commands of the official Web eID extension.
//!
//! One command a process: `quit`, `authenticate`, `get-signing-certificate`, `sign`, each
//! with exactly its own arguments. What went wrong is told with a code the extension
//! knows, and beside it with ours: `reason`, and `retriesLeft` where a PIN was wrong.

use plugin_protocol::api::{
    CertificateRequest, ConfirmationRequest, Operation, SignatureItem, SignatureRequest, SignatureScheme,
};
use plugin_protocol::encoding::from_base64;
use plugin_protocol::limits::MIN_BOUND_CHALLENGE;
use plugin_protocol::{Challenge, ErrorCode, HashFunction, Origin, Proof, ProofFormat, Purpose};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::refusal::parse;
use super::{Daemon, Host, Refusal};

/// The version of the Web eID application whose commands these are, and ours. The extension
/// compares the first number alone.
const VERSION: &str = concat!("2.9.0+eid-agent.", env!("CARGO_PKG_VERSION"));

/// Which command it is; its arguments are read with it then.
#[derive(Deserialize)]
struct Named {
    command: String,
}

#[derive(Deserialize)]
struct Message<A> {
    arguments: A,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

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
    let named: Named = parse(message)?;
    match named.command.as_str() {
        "quit" => arguments::<Nothing>(message).map(|Nothing {}| json!({})),
        "authenticate" => {
            let request = confirmation(arguments(message)?)?;
            let client = reach(daemon, gone).await?;
            token(client.perform("/v1/confirmations", &request, gone).await?)
        }
        "get-signing-certificate" => {
            let GetSigningCertificate { origin, .. } = arguments(message)?;
            let request = CertificateRequest {
                origin,
                top_origin: None,
                token: None,
            };
            let client = reach(daemon, gone).await?;
            certificate(client.perform("/v1/certificates", &request, gone).await?)
        }
        "sign" => {
            let request = signature(arguments(message)?)?;
            let client = reach(daemon, gone).await?;
            signed(client.perform("/v1/signatures", &request, gone).await?)
        }
        _ => {
            let known = "command: quit, authenticate, get-signing-certificate and sign are known here";
            Err(Refusal::new(ErrorCode::InvalidField, known))
        }
    }
}

fn arguments<A: DeserializeOwned>(message: &[u8]) -> Result<A, Refusal> {
    parse::<Message<A>>(message).map(|message| message.arguments)
}

async fn reach(daemon: &Daemon, gone: &CancellationToken) -> Result<Client, Refusal> {
    tokio::select! {
        reached = daemon.reach(Host::WebEid) => reached.map(|reached| reached.client),
        () = gone.cancelled() => Err(Refusal::Gone),
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
        purpose: Purpose::SignIn,
        token: None,
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
        .map(|method| algorithm(method.scheme, method.hash_function))
        .collect();
    Ok(json!({ "certificate": found.certificate, "supportedSignatureAlgorithms": algorithms }))
}

fn signature(asked: Sign) -> Result<SignatureRequest, Refusal> {
    let invalid = |why: String| Err(Refusal::new(ErrorCode::InvalidField, why));
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
            "signatureAlgorithm": algorithm(outcome.scheme, outcome.hash_function),
        })),
        _ => Err(other_result()),
    }
}

/// A signature algorithm in Web eID's words.
fn algorithm(scheme: SignatureScheme, hash: HashFunction) -> Value {
    let (crypto, padding) = match scheme {
        SignatureScheme::Ecdsa => ("ECC", "NONE"),
        SignatureScheme::RsaPkcs1 => ("RSA", "PKCS1.5"),
        SignatureScheme::RsaPss => ("RSA", "PSS"),
    };
    json!({ "cryptoAlgorithm": crypto, "hashFunction": hash, "paddingScheme": padding })
}

fn other_result() -> Refusal {
    Refusal::new(ErrorCode::Internal, "the agent's result is not what was asked for")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plugin_protocol::Problem;
    use plugin_protocol::encoding::base64;

    const NONCE: &str = "12345678123456781234567812345678912356789123";

    /// Where nothing can be started: what is refused as an argument is refused before that.
    async fn refused(message: &str) -> Refusal {
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon {
            state: folder.path().join("state"),
            port_file: folder.path().join("port"),
            command: Vec::new(),
        };
        answer(message.as_bytes(), &daemon, &CancellationToken::new())
            .await
            .unwrap_err()
    }

    async fn reason(command: &str, arguments: Value) -> (String, String) {
        let message = json!({ "command": command, "arguments": arguments }).to_string();
        let refused = refused(&message).await;
        (refused.reason().to_owned(), refused.message().to_owned())
    }

    fn with(mut arguments: Value, name: &str, value: Value) -> Value {
        arguments[name] = value;
        arguments
    }

    fn without(mut arguments: Value, name: &str) -> Value {
        arguments.as_object_mut().unwrap().remove(name);
        arguments
    }

    #[tokio::test]
    async fn only_exact_arguments_reach_the_agent() {
        let sign_in = json!({"challengeNonce": NONCE, "origin": "https://ria.ee"});
        let certificate = json!({"origin": "https://ria.ee"});
        let sign = json!({"certificate": "MIID", "hash": base64(&[1; 48]), "hashFunction": "SHA-384",
            "origin": "https://ria.ee"});
        let commands = [
            ("authenticate", sign_in.clone()),
            ("get-signing-certificate", certificate),
            ("sign", sign.clone()),
        ];
        for (command, arguments) in commands {
            for right in [
                arguments.clone(),
                with(arguments.clone(), "lang", json!("et")),
                with(arguments.clone(), "origin", json!("http://127.0.0.1:8080")),
                with(arguments.clone(), "origin", json!("https://xn--80ak6aa92e.com")),
            ] {
                let (reason, _) = reason(command, right.clone()).await;
                assert_eq!(
                    reason, "agent_unavailable",
                    "{command} {right} gets as far as the agent"
                );
            }
            let mut wrong = vec![
                with(arguments.clone(), "unknown", json!(1)),
                with(arguments.clone(), "lang", json!(1)),
            ];
            for member in arguments.as_object().unwrap().keys() {
                wrong.push(without(arguments.clone(), member));
                wrong.push(with(arguments.clone(), member, json!(7)));
            }
            for origin in [
                "http://ria.ee",
                "https://ria.ee/",
                "https://RIA.ee",
                "https://ria.ee:443",
                "https://\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.ee",
                "https://a@ria.ee",
                "wss://ria.ee",
                "null",
                "",
            ] {
                wrong.push(with(arguments.clone(), "origin", json!(origin)));
            }
            for arguments in wrong {
                let (reason, told) = reason(command, arguments.clone()).await;
                assert_eq!(reason, "invalid_field", "{command} {arguments}: {told}");
            }
        }
        for length in [0, 43, 129] {
            let arguments = with(sign_in.clone(), "challengeNonce", json!("a".repeat(length)));
            assert_eq!(reason("authenticate", arguments).await.0, "invalid_field", "{length}");
        }
        for length in [44, 128] {
            let arguments = with(sign_in.clone(), "challengeNonce", json!("a".repeat(length)));
            assert_eq!(
                reason("authenticate", arguments).await.0,
                "agent_unavailable",
                "{length}"
            );
        }
        for (member, value) in [
            ("hash", json!(base64(&[1; 47]))),
            ("hash", json!("no base64")),
            ("hashFunction", json!("SHA-224")),
            ("hashFunction", json!("SHA3-384")),
            ("hashFunction", json!("SHA-256")),
            ("certificate", json!("")),
            ("certificate", json!("-----BEGIN CERTIFICATE-----")),
        ] {
            let told = reason("sign", with(sign.clone(), member, value.clone())).await;
            assert_eq!(told.0, "invalid_field", "{member} {value}");
        }
    }

    #[tokio::test]
    async fn what_is_no_command_is_refused() {
        for (message, code) in [
            ("{\"command\"", "malformed"),
            ("[]", "invalid_field"),
            ("\"quit\"", "invalid_field"),
            ("{\"arguments\":{}}", "invalid_field"),
            ("{\"command\":\"quit\"}", "invalid_field"),
            ("{\"command\":\"quit\",\"arguments\":{\"a\":1}}", "invalid_field"),
            ("{\"command\":\"status\",\"arguments\":{}}", "invalid_field"),
            (
                "{\"command\":\"quit\",\"command\":\"quit\",\"arguments\":{}}",
                "invalid_field",
            ),
            (
                "{\"command\":\"quit\",\"arguments\":{},\"arguments\":{}}",
                "invalid_field",
            ),
        ] {
            assert_eq!(refused(message).await.reason(), code, "{message}");
        }
    }

    #[test]
    fn every_problem_has_a_code_the_extension_knows_and_ours_beside_it() {
        let known = [
            "ERR_WEBEID_USER_CANCELLED",
            "ERR_WEBEID_USER_TIMEOUT",
            "ERR_WEBEID_ACTION_PENDING",
            "ERR_WEBEID_NATIVE_INVALID_ARGUMENT",
            "ERR_WEBEID_NATIVE_FATAL",
        ];
        for code in ErrorCode::ALL {
            let told = error(&Refusal::new(*code, ""));
            assert!(known.contains(&told["error"]["code"].as_str().unwrap()), "{told}");
            assert_eq!(told["error"]["reason"], code.name());
            assert_eq!(told["error"]["message"], code.title());
        }
        let mut problem = Problem::new(ErrorCode::PinIncorrect, "the PIN is wrong");
        problem.tries_left = Some(2);
        let told = error(&problem.into());
        assert_eq!(
            told,
            json!({"error": {"code": "ERR_WEBEID_NATIVE_FATAL", "message": "the PIN is wrong",
                "reason": "pin_incorrect", "retriesLeft": 2}})
        );
        let told = error(&Refusal::Unavailable("a path of the person's".to_owned()));
        assert!(!told.to_string().contains("path"), "{told}");
        assert_eq!(told["error"]["reason"], "agent_unavailable");
    }
}
