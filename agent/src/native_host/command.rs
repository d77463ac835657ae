//! What is the same in every command: `{"command": …, "arguments": {…}}`, each command with its own arguments.

use plugin_protocol::ErrorCode;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Refusal;
use super::object::Object;

#[derive(Deserialize)]
struct Named {
    command: String,
}

#[derive(Deserialize)]
struct Message<A> {
    arguments: Object<A>,
}

/// The arguments of a command that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Which command it is; its arguments are read with it then.
pub(super) fn name(message: &[u8]) -> Result<String, Refusal> {
    parse::<Named>(message).map(|named| named.command)
}

/// The arguments of a command that is known.
pub(super) fn arguments<A: DeserializeOwned>(message: &[u8]) -> Result<A, Refusal> {
    parse::<Message<A>>(message).map(|message| message.arguments.0)
}

fn parse<T: DeserializeOwned>(message: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(message).map_err(|error| {
        // A value of another type may be told as a fault of syntax: what is JSON all the same is none.
        let is_json = serde_json::from_slice::<IgnoredAny>(message).is_ok();
        let code = if is_json {
            ErrorCode::InvalidField
        } else {
            ErrorCode::Malformed
        };
        let told = error.to_string();
        // Where in the message it is says nothing to whoever gave arguments to a library.
        let position = format!(" at line {} column {}", error.line(), error.column());
        Refusal::new(code, told.strip_suffix(&position).unwrap_or(&told))
    })
}
