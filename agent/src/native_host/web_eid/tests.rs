//! What the Web eID extension may say, and what it is told.

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
            arguments.as_object().unwrap().values().cloned().collect(),
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
async fn streebog_is_no_hash_function_of_web_eid() {
    let arguments = json!({"certificate": "MIID", "hash": base64(&[1; 32]), "hashFunction": "GOSTR3411-2012-256",
        "origin": "https://ria.ee"});
    let (reason, message) = reason("sign", arguments).await;
    assert_eq!(reason, "invalid_field");
    assert!(message.contains("SHA-256, SHA-384 or SHA-512"), "{message}");
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

/// Web eID's words for algorithms end where GOST begins.
#[test]
fn a_certificate_that_web_eid_has_no_name_for_is_refused_with_what_helps() {
    let operation = |algorithms: Value| -> Operation {
        let certificate = json!({ "certificate": "MIID", "algorithms": algorithms });
        serde_json::from_value(json!({
            "id": "a", "state": "done", "expires_in": 1, "certificate": certificate,
        }))
        .unwrap()
    };
    let gost = json!({ "scheme": "GOSTR3410-2012", "hash_function": "GOSTR3411-2012-256" });
    let refused = certificate(operation(json!([gost]))).unwrap_err();
    assert_eq!(refused.reason(), "unsupported_algorithm");
    assert!(refused.message().contains("GOST"), "{}", refused.message());
    let ecdsa = json!({ "scheme": "ECDSA", "hash_function": "SHA-256" });
    let given = certificate(operation(json!([gost, ecdsa]))).unwrap();
    let named = given["supportedSignatureAlgorithms"].as_array().unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["cryptoAlgorithm"], "ECC");
}
