//! What must hold for every input of the parsers: no panic, no second spelling, no surprise.

#![allow(clippy::unwrap_used, missing_docs)]

use plugin_protocol::api::{CertificateRequest, ConfirmationRequest, Operation, SignatureRequest};
use plugin_protocol::encoding::{base64, base64url, from_base64, from_base64url};
use plugin_protocol::event::Events;
use plugin_protocol::http_signature::{
    RequestSignature, ResponseSignature, content_digest, parse_signature_header, signature_header,
};
use plugin_protocol::limits::{MAX_CHALLENGE, MAX_ORIGIN, MIN_CHALLENGE};
use plugin_protocol::pairing::{Bytes32, Jwk, commitment, digits};
use plugin_protocol::{Challenge, Origin, Problem, Proof, Purpose, Statement};
use proptest::prelude::*;

/// Text near an origin, so that both sides of each rule are met.
fn near_origin() -> impl Strategy<Value = String> {
    "(https?://|HTTPS://|//|)[a-zA-Z0-9.:@/\\[\\]_%-]{0,40}(:[0-9]{0,6})?[ -~]{0,2}"
}

/// A host by the letter of section 1, built and not parsed.
fn host() -> impl Strategy<Value = (String, bool)> {
    let name = proptest::collection::vec("[a-z0-9_-]{1,20}", 0..3).prop_map(|labels| {
        (
            labels
                .into_iter()
                .chain(["example".to_owned()])
                .collect::<Vec<_>>()
                .join("."),
            false,
        )
    });
    let v4 = any::<std::net::Ipv4Addr>().prop_map(|address| (address.to_string(), address.is_loopback()));
    let v6 = any::<std::net::Ipv6Addr>()
        .prop_filter("mapped", |address| address.to_ipv4_mapped().is_none())
        .prop_map(|address| (format!("[{address}]"), address.is_loopback()));
    let local = Just(("localhost".to_owned(), true));
    prop_oneof![name, v4, v6, local]
}

fn header() -> impl Strategy<Value = RequestSignature> {
    (any::<i64>(), "[A-Za-z0-9_-]{16,64}", "[A-Za-z0-9_-]{43}", any::<bool>()).prop_map(
        |(created, nonce, key_id, idempotent)| RequestSignature {
            created,
            nonce,
            key_id,
            idempotent,
        },
    )
}

/// Puts `with` in place of one character, or in front of it.
fn mutate(text: &str, at: usize, with: char, insert: bool) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = at % characters.len();
    match insert {
        true => characters.insert(at, with),
        false => characters[at] = with,
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn an_accepted_origin_has_one_spelling(text in near_origin()) {
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert_eq!(origin.as_str(), &text);
            prop_assert!(text.len() <= MAX_ORIGIN && text.is_ascii());
            prop_assert!(!text.contains(|c: char| c.is_ascii_uppercase() || "/@%?#\\ ".contains(c) && c != '/'));
            prop_assert_eq!(text.matches('/').count(), 2);
            let upper_case = text.replacen("http", "HTTP", 1);
            prop_assert!(upper_case.parse::<Origin>().is_err());
            let with_slash = text + "/";
            prop_assert!(with_slash.parse::<Origin>().is_err());
        }
    }

    #[test]
    fn origins_built_by_the_rules_are_accepted((host, loopback) in host(), port in proptest::option::of(1u16..), http in any::<bool>()) {
        let (scheme, default) = if http { ("http", 80) } else { ("https", 443) };
        let port_text = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("{scheme}://{host}{port_text}");
        let allowed = (!http || loopback) && port != Some(default);
        prop_assert_eq!(text.parse::<Origin>().is_ok(), allowed, "{}", text);
    }

    #[test]
    fn any_text_is_a_challenge_exactly_by_alphabet_and_length(text in "[A-Za-z0-9+/=_.~ -]{0,140}") {
        let legal = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
        let expected = (MIN_CHALLENGE..=MAX_CHALLENGE).contains(&text.len()) && text.chars().all(legal);
        prop_assert_eq!(text.parse::<Challenge>().is_ok(), expected);
    }

    #[test]
    fn parsers_survive_anything(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = text.parse::<Origin>();
        let _ = text.parse::<Challenge>();
        let _ = RequestSignature::parse(&text);
        let _ = ResponseSignature::parse(&text);
        let _ = parse_signature_header(&text);
        let _ = Statement::from_canonical_json(&bytes);
        let _ = serde_json::from_slice::<ConfirmationRequest>(&bytes);
        let _ = serde_json::from_slice::<SignatureRequest>(&bytes);
        let _ = serde_json::from_slice::<CertificateRequest>(&bytes);
        let _ = serde_json::from_slice::<Operation>(&bytes);
        let _ = serde_json::from_slice::<Events>(&bytes);
        let _ = serde_json::from_slice::<Problem>(&bytes);
        let _ = serde_json::from_slice::<Proof>(&bytes);
    }

    #[test]
    fn base64_has_one_spelling(bytes in proptest::collection::vec(any::<u8>(), 0..70), text in "[A-Za-z0-9+/=_-]{0,9}") {
        prop_assert_eq!(from_base64(&base64(&bytes)), Some(bytes.clone()));
        prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
        if let Some(decoded) = from_base64(&text) { prop_assert_eq!(base64(&decoded), text.clone()); }
        if let Some(decoded) = from_base64url(&text) { prop_assert_eq!(base64url(&decoded), text); }
    }

    #[test]
    fn signature_inputs_round_trip_and_have_one_spelling(
        input in header(), at in any::<usize>(), with in any::<char>(), insert in any::<bool>(),
    ) {
        let text = input.to_header();
        prop_assert_eq!(RequestSignature::parse(&text), Some(input.clone()));
        let changed = mutate(&text, at, with, insert);
        match RequestSignature::parse(&changed) {
            Some(parsed) => prop_assert_eq!(parsed.to_header(), changed),
            None => prop_assert_ne!(changed, text),
        }
        let answer = ResponseSignature { created: input.created, key_id: input.key_id };
        let text = answer.to_header();
        prop_assert_eq!(ResponseSignature::parse(&text), Some(answer));
        let changed = mutate(&text, at, with, insert);
        if let Some(parsed) = ResponseSignature::parse(&changed) { prop_assert_eq!(parsed.to_header(), changed); }
    }

    #[test]
    fn different_requests_have_different_bases(
        input in header(), method in "(GET|POST|DELETE)", target in "/v1/[a-z]{1,9}", body in ".{0,20}", other in ".{0,20}",
    ) {
        let base = |body: &str| input.base(&method, &format!("http://127.0.0.1:1{target}"), &content_digest(body.as_bytes()), Some("k"));
        prop_assert_eq!(base(&body) == base(&other), body == other);
        prop_assert_eq!(base(&body).lines().count(), if input.idempotent { 5 } else { 4 });
    }

    #[test]
    fn signature_headers_round_trip(bytes in proptest::collection::vec(any::<u8>(), 60..70)) {
        let expected: Option<[u8; 64]> = bytes.clone().try_into().ok();
        prop_assert_eq!(parse_signature_header(&signature_header(&bytes)), expected);
    }

    #[test]
    fn digits_are_six_and_depend_on_every_part(x in any::<[u8; 32]>(), y in any::<[u8; 32]>(), np in any::<[u8; 32]>(), na in any::<[u8; 32]>()) {
        let (plugin, agent) = (Jwk::from_coordinates(&x, &y), Jwk::from_coordinates(&y, &x));
        let (np, na) = (Bytes32(np), Bytes32(na));
        let shown = digits(&plugin, &agent, &np, &na).to_string();
        prop_assert_eq!(shown.len(), 7);
        let (left, right) = shown.split_once(' ').unwrap();
        prop_assert!([left, right].iter().all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit())));
        let mut flipped = np;
        flipped.0[31] ^= 1;
        prop_assert_ne!(commitment(&plugin, &np), commitment(&plugin, &flipped));
        prop_assert_eq!(commitment(&plugin, &np) == commitment(&agent, &np), plugin == agent);
    }

    #[test]
    fn a_statement_has_one_spelling(seconds in 0i64..253_402_300_799, certificate in any::<[u8; 8]>(), at in any::<usize>(), with in any::<char>(), insert in any::<bool>()) {
        let time = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let origin: Origin = "https://portal.example".parse().unwrap();
        let statement = Statement::new(origin, "c".repeat(44).parse().unwrap(), Purpose::SignIn, time, &certificate);
        let bytes = statement.to_canonical_json();
        prop_assert_eq!(Statement::from_canonical_json(&bytes), Some(statement));
        let changed = mutate(&String::from_utf8(bytes).unwrap(), at, with, insert);
        if let Some(parsed) = Statement::from_canonical_json(changed.as_bytes()) {
            prop_assert_eq!(parsed.to_canonical_json(), changed.into_bytes());
        }
    }
}
