//! Byte strings as base64 inside the frames between the agent and a module's process.

use plugin_protocol::encoding::{base64, from_base64};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    base64(bytes).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    decode(&String::deserialize(deserializer)?)
}

fn decode<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    from_base64(text).ok_or_else(|| E::custom("not base64"))
}

/// The same for a list of byte strings.
pub(super) mod list {
    use super::*;

    pub(in crate::token) fn serialize<S: Serializer>(list: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|bytes| base64(bytes)))
    }

    pub(in crate::token) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        let list = Vec::<String>::deserialize(deserializer)?;
        list.iter()
            .map(|text| decode(text).map_err(|error: D::Error| D::Error::custom(error)))
            .collect()
    }
}
