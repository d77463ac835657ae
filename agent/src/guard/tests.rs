//! Every refusal of the gate, as tables. SECURITY.md names these tests.

#![allow(clippy::unwrap_used)]

mod body;
mod caller;
mod context;
mod signature;

use axum::body::Bytes;
use axum::http::{HeaderValue, Request};

use crate::testing::Answered;

const CONFIRMATION: &str =
    r#"{"origin":"https://portal.example","challenge":"00000000000000000000000000000000000000000000","format":"jws"}"#;

/// A change to a request that was good before.
type Change = fn(&mut Request<Bytes>);

fn set(request: &mut Request<Bytes>, name: &'static str, value: &'static str) {
    request.headers_mut().insert(name, HeaderValue::from_static(value));
}

fn add(request: &mut Request<Bytes>, name: &'static str, value: &'static str) {
    request.headers_mut().append(name, HeaderValue::from_static(value));
}

/// What any answer must be.
fn assert_hardened(answered: &Answered) {
    assert_eq!(answered.header("cache-control"), Some("no-store"));
    assert_eq!(answered.header("x-content-type-options"), Some("nosniff"));
    assert!(
        answered
            .header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    for name in answered.0.headers().keys() {
        let name = name.as_str();
        assert!(!name.starts_with("access-control-"), "{name}");
        assert!(!matches!(name, "server" | "set-cookie" | "x-powered-by"), "{name}");
    }
}
