//! `pairings.json`: the pairings with the agent's private keys.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use plugin_protocol::api::Client;
use plugin_protocol::encoding::{base64, from_base64};
use plugin_protocol::pairing::Jwk;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{Caller, Paired};
use crate::private_file;
use crate::signature::{AgentKey, PluginKey};

const VERSION: u32 = 1;
/// Far more than [`super::MAX_PAIRINGS`] take.
const MAX_FILE: u64 = 256 * 1024;

/// One pairing as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    name: String,
    created: String,
    plugin_jwk: Jwk,
    agent_pkcs8: Secret,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents<R> {
    version: u32,
    pairings: R,
}

impl Record {
    pub(super) fn new(client: &Client, created: String, agent_pkcs8: &[u8]) -> Self {
        Self {
            name: client.name.clone(),
            created,
            plugin_jwk: client.jwk.clone(),
            agent_pkcs8: Secret(Zeroizing::new(agent_pkcs8.to_vec())),
        }
    }

    pub(super) fn id(&self) -> String {
        self.plugin_jwk.key_id()
    }

    /// Reads the keys; `None` if one is none.
    pub(super) fn prepare(self) -> Option<Paired> {
        Some(Paired {
            caller: Caller {
                id: self.id(),
                name: self.name,
            },
            plugin_key: PluginKey::new(&self.plugin_jwk)?,
            agent_key: AgentKey::from_pkcs8(&self.agent_pkcs8.0)?,
            created: self.created,
        })
    }
}

/// A private key: base64 in the file, wiped in memory.
struct Secret(Zeroizing<Vec<u8>>);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(base64(&self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        from_base64(&text)
            .map(|bytes| Self(Zeroizing::new(bytes)))
            .ok_or_else(|| serde::de::Error::custom("expected base64"))
    }
}

/// What tells one state of the file from another without reading it. Each replacement makes a new inode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file there now; `None` while there is none.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(found) => Ok(Some(Self {
                inode: found.ino(),
                length: found.len(),
                changed: (found.ctime(), found.ctime_nsec()),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The records; none while there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<Record>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let found = file.metadata()?;
    if found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other(
            "others may read or write it; `chmod 600` it, and pair anew if someone did",
        ));
    }
    if found.len() > MAX_FILE {
        return Err(io::Error::other("it is too large to be a list of pairings"));
    }
    // Wiped after; with room from the start, so that growing leaves no copies.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE.min(found.len() + 1) as usize));
    file.take(MAX_FILE).read_to_end(&mut text)?;
    let contents: Contents<Vec<Record>> = serde_json::from_slice(&text).map_err(io::Error::other)?;
    if contents.version != VERSION {
        let found = contents.version;
        return Err(io::Error::other(format!("version {found} of it is not known here")));
    }
    Ok(contents.pairings)
}

/// Replaces the file.
pub(super) fn write(path: &Path, records: &[Record]) -> io::Result<()> {
    let contents = Contents {
        version: VERSION,
        pairings: records,
    };
    let mut text = Zeroizing::new(Vec::with_capacity(1024 * (records.len() + 1)));
    serde_json::to_writer_pretty(&mut *text, &contents)?;
    private_file::replace(path, &text)
}
