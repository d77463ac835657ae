//! What serde's derived readers let pass and PROTOCOL.md does not: arrays for objects, `null` for an absent member.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A member that is there has a value: `null` is not the same as leaving it out.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// An object, and not an array of its members' values in their order.
pub(crate) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

/// A list of such objects.
pub(crate) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::api::{CertificateRequest, Client, ConfirmationRequest, PairingRequest, SignatureRequest};

    fn why<T: serde::de::DeserializeOwned>(text: &str) -> String {
        serde_json::from_str::<T>(text).err().unwrap().to_string()
    }

    #[test]
    fn an_array_of_the_members_is_no_object_at_any_depth() {
        let client = r#"{"name":"x","jwk":["P-256","EC","x","y"]}"#;
        assert!(why::<Client>(client).contains("sequence, expected an object"));
        let pairing = r#"{"client":["x",{}],"commitment":""}"#;
        assert!(why::<PairingRequest>(pairing).contains("sequence, expected an object"));
        let item = r#"["a.pdf","SHA-256","47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]"#;
        let signing = format!(r#"{{"origin":"https://a.example","items":[{item}]}}"#);
        assert!(why::<SignatureRequest>(&signing).contains("sequence, expected an object"));
        let good = signing.replace(item, r#"{"hash_function":"SHA-256","hash":"","new":[]}"#);
        assert!(serde_json::from_str::<SignatureRequest>(&good).is_ok());
    }

    #[test]
    fn null_is_no_absent_member() {
        let challenge = "c".repeat(44);
        let confirmation = format!(r#"{{"origin":"https://a.example","challenge":"{challenge}","format":"jws"}}"#);
        let signing = r#"{"origin":"https://a.example","items":[{"hash_function":"SHA-256","hash":""}]}"#;
        let certificate = r#"{"origin":"https://a.example"}"#;
        let with = |text: &str, member: &str| text.replacen('{', &format!("{{\"{member}\":null,"), 1);
        assert!(serde_json::from_str::<ConfirmationRequest>(&confirmation).is_ok());
        for member in ["token", "top_origin", "purpose", "detached", "holder_signature"] {
            assert!(!why::<ConfirmationRequest>(&with(&confirmation, member)).is_empty());
        }
        for member in ["token", "top_origin", "certificate"] {
            assert!(why::<SignatureRequest>(&with(signing, member)).contains("null"));
        }
        for member in ["token", "top_origin"] {
            assert!(why::<CertificateRequest>(&with(certificate, member)).contains("null"));
        }
        let named = signing.replace("{\"hash_f", "{\"name\":null,\"hash_f");
        assert!(why::<SignatureRequest>(&named).contains("null"));
        assert!(serde_json::from_str::<SignatureRequest>(signing).is_ok());
    }
}
