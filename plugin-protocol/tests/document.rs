//! PROTOCOL.md and the crate say the same: errors, limits, hello, and the worked example.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use plugin_protocol::api::HELLO;
use plugin_protocol::event::{Event, EventKind};
use plugin_protocol::{ErrorCode, ProofFormat, SignatureAlgorithm, limits};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../PROTOCOL.md");
const LIMITS: &str = include_str!("../src/limits.rs");

/// The rows of the table that follows the heading, header and rule left out; cells without backquotes.
fn table(heading: &str, first_column: &str) -> Vec<Vec<String>> {
    let (_, section) = DOCUMENT.split_once(&format!("\n{heading}\n")).unwrap();
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let start = section.find(&format!("| {first_column} |")).unwrap();
    let rows = section[start..].lines().take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let inner = row.trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    };
    rows.skip(2).map(cells).collect()
}

#[test]
fn errors_are_those_of_the_table() {
    let rows = table("## 10. Errors", "code");
    let names: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names, codes, "same codes in the same order");
    for (row, code) in rows.iter().zip(ErrorCode::ALL) {
        assert_eq!(row[1], code.status().to_string(), "{code}");
        assert_eq!(row[2], if code.retryable() { "yes" } else { "no" }, "{code}");
        assert_eq!(row[3] == "gate", code.may_be_unsigned(), "{code}");
        assert!(
            ["gate", "pairing", "request", "operation"].contains(&row[3].as_str()),
            "{code}"
        );
        assert!(!row[4].is_empty() && !row[5].is_empty(), "{code}");
    }
}

#[test]
fn every_code_named_anywhere_exists() {
    let rows = table("## 7. Endpoints", "call");
    let named = rows.iter().flat_map(|row| row[3].split(','));
    let named = named
        .map(|cell| cell.trim().trim_matches('`'))
        .filter(|cell| !cell.is_empty());
    for name in named {
        assert!(ErrorCode::ALL.iter().any(|code| code.name() == name), "{name}");
    }
}

#[test]
fn limits_are_those_of_the_table() {
    let documented: BTreeMap<_, _> = table("## 11. Limits", "name")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    let constants: BTreeMap<_, _> = LIMITS
        .lines()
        .filter_map(|line| line.strip_prefix("pub const ")?.split_once(':'))
        .map(|(name, rest)| (name.to_owned(), value(rest.split_once('=').unwrap().1)))
        .collect();
    assert_eq!(documented, constants);
    assert_eq!(
        constants["MAX_BODY"],
        limits::MAX_BODY.to_string(),
        "the parser of this test"
    );
    assert_eq!(constants["NONCE_LENGTH"], "16, 64", "the parser of this test");
}

/// A constant's value as the table writes it.
fn value(expression: &str) -> String {
    let text = expression.split(';').next().unwrap().trim();
    if let Some((from, to)) = text.split_once("..=") {
        return format!("{from}, {to}");
    }
    if let Some((left, right)) = text.split_once(" * ") {
        let product = left.parse::<u64>().unwrap() * right.parse::<u64>().unwrap();
        return product.to_string();
    }
    text.trim_matches(['[', ']']).to_owned()
}

#[test]
fn hello_is_the_constant_of_the_document() {
    assert!(DOCUMENT.contains(&format!("\n    {HELLO}\n")));
    assert!(DOCUMENT.contains(&format!("body of {} bytes", HELLO.len())));
}

#[test]
fn names_are_documented() {
    for format in ProofFormat::ALL {
        assert!(DOCUMENT.contains(&format!("\n### `{format}`\n")), "{format}");
    }
    for algorithm in SignatureAlgorithm::ALL {
        assert!(DOCUMENT.contains(&format!("`{algorithm}`")), "{algorithm}");
    }
    assert_eq!(ProofFormat::ALL[..4], ProofFormat::X509);
    for format in ProofFormat::ALL {
        let jose = [ProofFormat::WebEid, ProofFormat::Jws].contains(&format);
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(
                format.carries(algorithm),
                format != ProofFormat::Uec && (!jose || SignatureAlgorithm::JOSE.contains(&algorithm)),
                "{format} {algorithm}"
            );
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
        }
    }
    let types: Vec<_> = table("## 9. Events", "type")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    for name in &types {
        let members = serde_json::json!({
            "seq": 1, "type": name, "token": "t", "module": "m", "suspended": false,
            "operation": "o", "state": "done", "pairing": "p", "reader": "r",
        });
        assert!(serde_json::from_value::<Event>(members).is_ok(), "{name}");
    }
    // A new kind must be added to the table: this match stops compiling, the count stops fitting.
    let number = |kind: &EventKind| match kind {
        EventKind::TokenAdded { .. } => 1,
        EventKind::TokenRemoved { .. } => 2,
        EventKind::ReaderAdded { .. } => 3,
        EventKind::ReaderRemoved { .. } => 4,
        EventKind::ReaderHung { .. } => 5,
        EventKind::ReaderRecovered { .. } => 6,
        EventKind::CardInserted { .. } => 7,
        EventKind::CardRemoved { .. } => 8,
        EventKind::WorkerFailed { .. } => 9,
        EventKind::OperationChanged { .. } => 10,
        EventKind::PairingRevoked { .. } => 11,
    };
    assert_eq!(
        types.len(),
        number(&EventKind::PairingRevoked { pairing: String::new() })
    );
}

#[test]
fn sources_schemes_and_actions_are_documented() {
    use plugin_protocol::HashFunction;
    use plugin_protocol::api::SignatureScheme::{Ecdsa, Gost, RsaPkcs1, RsaPss};
    use plugin_protocol::api::SourceKind::{Pcsc, Pkcs11, Software};

    let name = |value: Value| DOCUMENT.contains(&format!("`{}`", value.as_str().unwrap()));
    for source in [Pkcs11, Pcsc, Software] {
        assert!(name(serde_json::to_value(source).unwrap()), "{source:?}");
    }
    for scheme in [Ecdsa, RsaPkcs1, RsaPss, Gost] {
        assert!(name(serde_json::to_value(scheme).unwrap()), "{scheme:?}");
    }
    for hash in HashFunction::ALL {
        assert_eq!(serde_json::to_value(hash).unwrap(), hash.name());
        assert!(name(hash.name().into()), "{hash:?}");
    }
}

#[test]
fn states_are_those_of_the_table() {
    use plugin_protocol::api::OperationState::{self, *};

    let rows = table("## 8. Operations", "state");
    let states = [
        AwaitingToken,
        AwaitingConsent,
        Signing,
        Done,
        Failed,
        Cancelled,
        Expired,
    ];
    assert_eq!(rows.len(), states.len());
    for (row, state) in rows.iter().zip(states) {
        let parsed: OperationState = serde_json::from_value(Value::from(row[0].as_str())).unwrap();
        assert_eq!(parsed, state);
        assert_eq!(row[2] == "yes", state.is_final(), "{}", row[0]);
    }
}

#[test]
fn the_worked_example_is_the_first_vector() {
    for (file, prefixes) in [
        (include_str!("../vectors/pairing.json"), ["commitment", "digits"]),
        (
            include_str!("../vectors/request-signature.json"),
            ["base", "signature_input"],
        ),
        (
            include_str!("../vectors/response-signature.json"),
            ["base", "signature_input"],
        ),
    ] {
        let document: Value = serde_json::from_str(file).unwrap();
        let first = &document["cases"][0];
        for member in prefixes
            .into_iter()
            .chain(["signature", "signature_hex", "private_key_hex"])
        {
            let Some(text) = first[member].as_str() else { continue };
            assert!(folded(DOCUMENT).contains(&folded(text)), "{member}: {text}");
        }
    }
}

/// Without whitespace, since the document breaks long lines.
fn folded(text: &str) -> String {
    text.split_whitespace().collect()
}
