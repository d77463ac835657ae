//! `eid_agent.plugin`: where the daemon is, and a pairing without digits.
//!
//! The manifest names one extension, and the browser starts this host for no other: that takes
//! the place of the six digits. What is written is the pairing alone; everything else goes
//! over HTTP, where the extension signs for itself.

use plugin_protocol::ErrorCode;
use plugin_protocol::api::Client;
use plugin_protocol::limits::MAX_CLIENT_NAME;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::command::{Nothing, arguments, name};
use super::daemon::Reached;
use super::{Daemon, Host, Refusal};
use crate::error::Error;
use crate::pairing::{Pairings, check_name};
use crate::signature::{AgentKey, PluginKey};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    client: Client,
}

/// What is written first.
pub(super) fn version() -> Value {
    json!({ "version": env!("CARGO_PKG_VERSION") })
}

/// `{"error": {"code", "message"}}` with a code of PROTOCOL.md, or `agent_unavailable`.
pub(super) fn error(refusal: &Refusal) -> Value {
    json!({ "error": { "code": refusal.reason(), "message": refusal.message() } })
}

/// Does what a message says.
pub(super) async fn answer(message: &[u8], daemon: &Daemon, gone: &CancellationToken) -> Result<Value, Refusal> {
    match name(message)?.as_str() {
        "locate" => {
            let Nothing {} = arguments(message)?;
            let reached = reach(daemon, gone).await?;
            Ok(json!({
                "port": reached.client.port(),
                "started": reached.started,
                "version": reached.version,
            }))
        }
        "pair" => {
            let Pair { client } = arguments(message)?;
            check(&client)?;
            let reached = reach(daemon, gone).await?;
            Ok(json!({
                "port": reached.client.port(),
                "agent_jwk": pair(daemon, &client)?,
                "started": reached.started,
                "version": reached.version,
            }))
        }
        _ => Err(Refusal::new(
            ErrorCode::InvalidField,
            "command: locate or pair is known here",
        )),
    }
}

async fn reach(daemon: &Daemon, gone: &CancellationToken) -> Result<Reached, Refusal> {
    tokio::select! {
        reached = daemon.reach(Host::Plugin) => reached,
        () = gone.cancelled() => Err(Refusal::Gone),
    }
}

/// As the daemon checks an offer to pair.
fn check(client: &Client) -> Result<(), Refusal> {
    if let Err(why) = check_name(&client.name) {
        let what = format!("client.name: {why} (1 to {MAX_CLIENT_NAME} characters)");
        return Err(Refusal::new(ErrorCode::InvalidField, what));
    }
    match PluginKey::new(&client.jwk) {
        Some(_) => Ok(()),
        None => Err(Refusal::new(
            ErrorCode::InvalidField,
            "client.jwk: the point is not on the curve P-256",
        )),
    }
}

/// Makes the agent's key for this plugin; the running daemon sees the new pairing at the next request.
fn pair(daemon: &Daemon, client: &Client) -> Result<Value, Refusal> {
    let pkcs8 = AgentKey::generate()?;
    let jwk = AgentKey::from_pkcs8(&pkcs8).and_then(|key| key.jwk());
    let jwk = jwk.ok_or_else(|| Error::Internal("a fresh key is no key".to_owned()))?;
    Pairings::open(&daemon.state)?.add(client, &pkcs8, OffsetDateTime::now_utc())?;
    serde_json::to_value(&jwk).map_err(|error| Refusal::json(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Where nothing can be started: what is refused here is refused before that.
    fn nowhere(folder: &std::path::Path) -> Daemon {
        Daemon {
            state: folder.to_owned(),
            port_file: folder.join("port"),
            command: Vec::new(),
        }
    }

    async fn refused(message: Value) -> Refusal {
        let folder = tempfile::tempdir().unwrap();
        let daemon = nowhere(folder.path());
        let refused = answer(message.to_string().as_bytes(), &daemon, &CancellationToken::new()).await;
        let listed = Pairings::open(folder.path()).unwrap().list().unwrap();
        assert!(listed.iter().all(|pairing| pairing.name != "x"), "{listed:?}");
        refused.unwrap_err()
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_and_changes_nothing() {
        let jwk = AgentKey::from_pkcs8(&AgentKey::generate().unwrap())
            .unwrap()
            .jwk()
            .unwrap();
        let off_curve = plugin_protocol::pairing::Jwk::from_coordinates(&[1; 32], &[1; 32]);
        let pair = |client: Value| json!({"command": "pair", "arguments": {"client": client}});
        for (message, code, part) in [
            (json!({"command": "steal", "arguments": {}}), "invalid_field", "locate"),
            (json!({"arguments": {}}), "invalid_field", "command"),
            (json!({"command": "locate"}), "invalid_field", "arguments"),
            (
                json!({"command": "locate", "arguments": {"a": 1}}),
                "invalid_field",
                "unknown field",
            ),
            (pair(json!({"name": "x"})), "invalid_field", "jwk"),
            (pair(json!({"name": "x", "jwk": off_curve})), "invalid_field", "curve"),
            (
                pair(json!({"name": "x\u{202e}", "jwk": jwk})),
                "invalid_field",
                "U+202E",
            ),
            (
                pair(json!({"name": "x", "jwk": jwk})),
                "agent_unavailable",
                "no program",
            ),
        ] {
            let refused = refused(message).await;
            assert_eq!(refused.reason(), code, "{refused:?}");
            assert!(refused.message().contains(part), "{refused:?}");
            assert_eq!(error(&refused)["error"]["code"], code);
        }
    }
}
