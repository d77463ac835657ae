//! Reading lists that a newer side may have made longer (PROTOCOL.md section 13).

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// The elements this version understands, in their order; the others are left out.
pub(crate) fn known<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let elements = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(elements
        .into_iter()
        .filter_map(|element| serde_json::from_value(element).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::api::{Info, SignatureScheme, SigningCertificate, SourceKind, Tokens, Unavailable};
    use crate::event::{EventKind, Events};
    use crate::{ErrorCode, ProofFormat};

    #[test]
    fn sources_of_a_newer_agent_are_left_out() {
        let tokens = r#"{"tokens":[],"unavailable":[{"source":"nfc","reason":"internal"},{"source":"pcsc","reason":"new"},
            {"source":"pkcs11","reason":"module_failed","new":1}]}"#;
        let tokens: Tokens = serde_json::from_str(tokens).unwrap();
        let failed = Unavailable {
            source: SourceKind::Pkcs11,
            reason: ErrorCode::ModuleFailed,
        };
        assert_eq!(tokens.unavailable, [failed]);
        let none: Tokens = serde_json::from_str(r#"{"tokens":[]}"#).unwrap();
        assert!(none.unavailable.is_empty());
        assert_eq!(serde_json::to_string(&none).unwrap(), r#"{"tokens":[]}"#);
    }

    #[test]
    fn methods_of_a_newer_kind_of_key_are_left_out() {
        let told = r#"{"certificate":"MIID","algorithms":[{"scheme":"EdDSA","hash_function":"SHA-512"},
            {"scheme":"GOSTR3410-2012","hash_function":"GOSTR3411-2012-256"}]}"#;
        let told: SigningCertificate = serde_json::from_str(told).unwrap();
        assert_eq!(told.algorithms.len(), 1);
        assert_eq!(told.algorithms[0].scheme, SignatureScheme::Gost);
    }

    #[test]
    fn a_newer_agent_is_understood_as_far_as_possible() {
        let info = r#"{"version":"9.0.0","api":["1","2"],"formats":["web-eid:2.0","jws"],"algorithms":["EdDSA","ES256"],
            "test":false,"limits":{"max_body":1,"max_wait":1,"operation_lifetime":1,"result_lifetime":1,
            "max_signature_items":1,"new":1},"new":{}}"#;
        let info: Info = serde_json::from_str(info).unwrap();
        assert_eq!(info.formats, [ProofFormat::Jws]);
        assert_eq!(info.algorithms.len(), 1);

        let events = r#"{"events":[{"seq":1,"type":"weather.changed"},{"seq":2,"type":"token.added","token":"t","new":1}],
            "next":2,"gap":false}"#;
        let events: Events = serde_json::from_str(events).unwrap();
        assert_eq!(events.events.len(), 1);
        assert_eq!(events.events[0].kind, EventKind::TokenAdded { token: "t".into() });
    }
}
