//! What the OpenAPI document says beyond the routes: security, and every problem each call may end in.

use std::collections::BTreeMap;

use plugin_protocol::ErrorCode::{self, *};
use plugin_protocol::limits::PORTS;
use serde_json::{Value, json};
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder};

/// The document as it is checked in and served; a test keeps it equal to what the routes make.
pub(super) const CHECKED_IN: &str = include_str!("../../../plugin-protocol/openapi.json");

const DESCRIPTION: &str = "\
The API between a browser plugin and the identity agent on the same computer. PROTOCOL.md is normative; \
this document is made from the agent's routes.\n\n\
Every call but hello and the two of pairing is signed by the plugin's key, and its answer, errors included, by the \
agent's key of that pairing (PROTOCOL.md section 6). Problems of the gate are sent unsigned while the caller is not \
known. Errors are RFC 9457 problem documents; decide by `code`, and by the status where the code is unknown. Unknown \
members are ignored.";

const SIGNATURE: &str = "\
HTTP Message Signatures (RFC 9421), ecdsa-p256-sha256, label `sig`, over `@method`, `@target-uri`, `content-digest` and, \
where it is sent, `idempotency-key`, in the fixed form of PROTOCOL.md section 6: the headers `Content-Digest`, \
`Signature-Input` and `Signature`. OpenAPI has no scheme for it, so this one names only the last of the three.";

/// Problems of every call.
const GATE: &[ErrorCode] = &[
    BadHost,
    ForbiddenContext,
    MethodNotAllowed,
    UnsupportedMediaType,
    TooLarge,
    RateLimited,
    Malformed,
    Internal,
];
/// Problems of every call that is signed.
const SIGNED: &[ErrorCode] = &[NotPaired, BadSignature, StaleSignature, Replayed];

/// Problems of each call besides those, by its handler's name.
const OWN: &[(&str, &[ErrorCode])] = &[
    ("hello", &[]),
    ("info", &[]),
    ("openapi_document", &[]),
    ("tokens", &[]),
    ("history", &[HistoryFailed]),
    ("list", &[]),
    ("offer", &[InvalidField, Busy]),
    (
        "reveal",
        &[
            InvalidField,
            NotFound,
            CommitmentMismatch,
            Busy,
            Declined,
            Expired,
            Cancelled,
            TooManyPairings,
            PromptUnavailable,
        ],
    ),
    ("revoke", &[NotFound]),
    ("events", &[InvalidField]),
    (
        "confirm",
        &[
            InvalidField,
            UnsupportedFormat,
            OriginNotAllowed,
            IdempotencyConflict,
            Busy,
        ],
    ),
    ("confirmation", &[InvalidField, NotFound]),
    ("cancel_confirmation", &[NotFound]),
    ("sign", &[InvalidField, IdempotencyConflict, Busy]),
    ("signatures", &[InvalidField, NotFound]),
    ("cancel_signatures", &[NotFound]),
    ("disclose", &[InvalidField, IdempotencyConflict, Busy]),
    ("certificate", &[InvalidField, NotFound]),
    ("cancel_certificate", &[NotFound]),
];

/// The document without routes.
pub(super) fn base() -> OpenApi {
    let mut info = Info::new("Identity agent, localhost API", "1");
    info.description = Some(DESCRIPTION.to_owned());
    OpenApiBuilder::new().info(info).build()
}

/// The document with the routes, their problems and the security scheme; ends in a line feed.
pub(super) fn complete(document: OpenApi) -> String {
    let mut document = serde_json::to_value(document).expect("the document serialises");
    document["servers"] = PORTS
        .iter()
        .map(|port| json!({ "url": format!("http://127.0.0.1:{port}") }))
        .collect();
    document["security"] = json!([{ "messageSignature": [] }]);
    document["components"]["securitySchemes"] = json!({
        "messageSignature": { "type": "apiKey", "in": "header", "name": "Signature", "description": SIGNATURE }
    });
    for path in members(&mut document["paths"]) {
        for operation in members(path) {
            add_problems(operation);
        }
    }
    let mut text = serde_json::to_string_pretty(&document).expect("a value serialises");
    text.push('\n');
    text
}

fn members(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_object_mut().into_iter().flat_map(|object| object.values_mut())
}

fn add_problems(operation: &mut Value) {
    let name = operation["operationId"].as_str().unwrap_or_default();
    let own = OWN
        .iter()
        .find(|(handler, _)| *handler == name)
        .map_or(&[][..], |(_, own)| own);
    let signed = if operation.get("security").is_none() {
        SIGNED
    } else {
        &[]
    };
    let mut by_status = BTreeMap::<u16, Vec<ErrorCode>>::new();
    for code in GATE.iter().chain(signed).chain(own) {
        by_status.entry(code.status()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        operation["responses"][status.to_string()] = problem_response(&codes);
    }
}

fn problem_response(codes: &[ErrorCode]) -> Value {
    let lines: Vec<_> = codes.iter().map(|code| format!("`{code}`: {}", code.title())).collect();
    let mut response = json!({
        "description": lines.join("\n\n"),
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
    });
    if codes.iter().any(|code| matches!(code, Busy | RateLimited)) {
        response["headers"] = json!({
            "Retry-After": { "description": "Seconds", "schema": { "type": "integer", "minimum": 1 } }
        });
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-protocol/openapi.json");

    #[test]
    fn the_checked_in_document_is_fresh() {
        let fresh = crate::api::openapi();
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(FILE, &fresh).unwrap();
        }
        let checked_in = std::fs::read_to_string(FILE).unwrap();
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(
            parse(&checked_in) == parse(&fresh),
            "plugin-protocol/openapi.json is stale; run `UPDATE_OPENAPI=1 cargo test -p agent openapi`"
        );
    }

    #[test]
    fn it_is_openapi_3_1_and_every_call_lists_its_problems() {
        let document: Value = serde_json::from_str(&crate::api::openapi()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
        assert!(document["components"]["schemas"]["Problem"].is_object());
        let mut handlers = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                handlers.push(name.to_owned());
                assert!(
                    operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
                    "{path}"
                );
                let responses = operation["responses"].as_object().unwrap();
                let open = operation.get("security").is_some();
                assert_eq!(responses.contains_key("401"), !open, "{method} {path}");
                for status in ["403", "405", "413", "415", "421", "429", "500"] {
                    assert!(responses.contains_key(status), "{method} {path} {status}");
                }
            }
        }
        handlers.sort();
        let mut told: Vec<_> = OWN.iter().map(|(name, _)| (*name).to_owned()).collect();
        told.sort();
        assert_eq!(handlers, told, "the table of own problems names exactly the handlers");
    }

    #[test]
    fn the_error_codes_are_those_on_the_wire() {
        let document: Value = serde_json::from_str(CHECKED_IN).unwrap();
        let names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(document["components"]["schemas"]["ErrorCode"]["enum"], json!(names));
    }

    #[test]
    fn every_reference_resolves() {
        fn walk(value: &Value, document: &Value) {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(reference)) = object.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                    }
                    object.values().for_each(|value| walk(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        let document = serde_json::from_str(&crate::api::openapi()).unwrap();
        walk(&document, &document);
    }
}
