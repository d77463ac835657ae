//! Who a host is to the daemon: a key of its own, and a pairing made once.
//!
//! The program that holds the state directory needs no digits to be paired with itself. But a
//! pairing that the person revoked stays revoked: a host whose key is there and whose pairing
//! is not asks nobody and makes no other, until `install-browser` is run again.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use plugin_protocol::ErrorCode;
use plugin_protocol::api::Client;
use plugin_protocol::encoding::base64url;
use plugin_protocol::http_signature::{RequestSignature, ResponseSignature, content_digest, parse_signature_header};
use plugin_protocol::pairing::Jwk;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{Host, Refusal};
use crate::error::Error;
use crate::pairing::Pairings;
use crate::private_file;
use crate::signature::{AgentKey, PluginKey};

/// More than a P-256 key in PKCS#8 takes, bytes.
const MAX_KEY: u64 = 1024;

/// A host's key and the daemon's key for it.
pub struct Identity {
    pair: EcdsaKeyPair,
    key_id: String,
    random: SystemRandom,
    agent: PluginKey,
    agent_key_id: String,
}

impl Host {
    /// What the person reads in the agent's windows and in the list of pairings.
    const fn client_name(self) -> &'static str {
        match self {
            Self::WebEid => "Web eID (browser extension)",
            Self::Plugin => "eid-agent plugin's native host",
            Self::Ifc => "Gosuslugi (official extension)",
        }
    }

    fn key_file(self, state: &Path) -> PathBuf {
        state.join(format!("native-host-{}.key", self.name()))
    }
}

impl Identity {
    /// That of `host` in this state directory; made and paired at the first call.
    pub fn of(host: Host, state: &Path) -> Result<Self, Refusal> {
        // Also creates the directory.
        let pairings = Pairings::open(state)?;
        let path = host.key_file(state);
        let fault = |error: &dyn std::fmt::Display| Refusal::Unavailable(format!("{}: {error}", path.display()));
        let _lock = private_file::lock(&path).map_err(|error| fault(&error))?;
        if let Some(pkcs8) = read(&path).map_err(|error| fault(&error))? {
            let known = Self::known(&pairings, &pkcs8).ok_or_else(|| fault(&"it is no P-256 key; remove it"))?;
            return known.ok_or_else(revoked);
        }
        let pkcs8 = AgentKey::generate()?;
        pair(host, &pairings, &pkcs8)?;
        // After the pairing: a crash between the two must not look like a revocation.
        private_file::replace(&path, &pkcs8).map_err(|error| fault(&error))?;
        let known = Self::known(&pairings, &pkcs8).flatten();
        known.ok_or_else(|| fault(&"the new pairing is not there"))
    }

    /// With the pairing of this key, `Some(None)` if there is none; `None` if it is no key.
    fn known(pairings: &Pairings, pkcs8: &[u8]) -> Option<Option<Self>> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random).ok()?;
        let key_id = Jwk::from_point(pair.public_key().as_ref())?.key_id();
        let Some(paired) = pairings.find(&key_id) else {
            return Some(None);
        };
        let agent_jwk = paired.agent_key.jwk()?;
        Some(Some(Self {
            pair,
            key_id,
            random,
            agent: PluginKey::new(&agent_jwk)?,
            agent_key_id: agent_jwk.key_id(),
        }))
    }

    /// `Signature-Input` and raw signature of a request made now.
    pub(super) fn sign(
        &self,
        method: &str,
        target_uri: &str,
        digest: &str,
        idempotency_key: Option<&str>,
    ) -> Result<(String, [u8; 64]), Refusal> {
        let input = RequestSignature {
            created: OffsetDateTime::now_utc().unix_timestamp(),
            nonce: random_text(&self.random)?,
            key_id: self.key_id.clone(),
            idempotent: idempotency_key.is_some(),
        };
        let base = input.base(method, target_uri, digest, idempotency_key);
        let signature = self.pair.sign(&self.random, base.as_bytes());
        let signature = signature
            .ok()
            .and_then(|signature| signature.as_ref().try_into().ok())
            .ok_or_else(no_randomness)?;
        Ok((input.to_header(), signature))
    }

    /// Whether the daemon signed this answer to the request with that signature.
    pub(super) fn verifies(&self, answer: &Answer<'_>, request_signature: &[u8; 64]) -> bool {
        let Some(input) = ResponseSignature::parse(answer.signature_input) else {
            return false;
        };
        let Some(signature) = parse_signature_header(answer.signature) else {
            return false;
        };
        let digest = content_digest(answer.body);
        let base = input.base(answer.status, &digest, request_signature);
        input.key_id == self.agent_key_id && answer.digest == digest && self.agent.verify(&base, &signature)
    }
}

/// An answer with the headers that its signature needs.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) digest: &'a str,
    pub(super) signature_input: &'a str,
    pub(super) signature: &'a str,
    pub(super) body: &'a [u8],
}

/// 128 random bits, base64url: nonces and idempotency keys.
pub(super) fn random_text(random: &SystemRandom) -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes).map_err(|_| no_randomness())?;
    Ok(base64url(&bytes))
}

fn no_randomness() -> Refusal {
    Refusal::new(ErrorCode::Internal, "the system gives no randomness")
}

fn revoked() -> Refusal {
    let why = "the pairing of the browser's native host was revoked; `eid-agent install-browser` allows it again";
    Refusal::new(ErrorCode::NotPaired, why)
}

fn pair(host: Host, pairings: &Pairings, pkcs8: &[u8]) -> Result<(), Error> {
    let jwk = AgentKey::from_pkcs8(pkcs8).and_then(|key| key.jwk());
    let client = Client {
        name: host.client_name().to_owned(),
        jwk: jwk.ok_or_else(|| Error::Internal("a fresh key is no key".to_owned()))?,
    };
    pairings.add(&client, &AgentKey::generate()?, OffsetDateTime::now_utc())
}

/// Forgets a key whose pairing the person revoked, so that the next call makes a new one.
/// Whether there was such a key.
pub fn allow_again(host: Host, state: &Path) -> Result<bool, Refusal> {
    if !host.key_file(state).exists() {
        return Ok(false);
    }
    match Identity::of(host, state) {
        Err(refused) if refused == revoked() => forget(host, state),
        Err(other) => Err(other),
        Ok(_) => Ok(false),
    }
}

/// Ends a host's pairing and destroys its key. Whether there was one.
pub fn forget(host: Host, state: &Path) -> Result<bool, Refusal> {
    let path = host.key_file(state);
    let fault = |error: io::Error| Refusal::Unavailable(format!("{}: {error}", path.display()));
    if !path.exists() {
        return Ok(false);
    }
    let _lock = private_file::lock(&path).map_err(fault)?;
    if let Some(key) = read(&path)
        .ok()
        .flatten()
        .and_then(|pkcs8| AgentKey::from_pkcs8(&pkcs8))
        && let Some(jwk) = key.jwk()
    {
        Pairings::open(state)?.revoke(&jwk.key_id())?;
    }
    fs::remove_file(&path).map_err(fault)?;
    Ok(true)
}

/// The key in PKCS#8; `None` while there is no file.
fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if file.metadata()?.mode() & 0o077 != 0 {
        return Err(io::Error::other(
            "others may read or write it; remove it if someone did",
        ));
    }
    let mut pkcs8 = Zeroizing::new(Vec::with_capacity(MAX_KEY as usize));
    file.take(MAX_KEY).read_to_end(&mut pkcs8)?;
    Ok(Some(pkcs8))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn it_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        for host in Host::ALL {
            let first = Identity::of(host, &state).unwrap();
            let again = Identity::of(host, &state).unwrap();
            assert_eq!((first.key_id, first.agent_key_id), (again.key_id, again.agent_key_id));
            let mode = fs::metadata(host.key_file(&state)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let names: Vec<_> = Pairings::open(&state).unwrap().list().unwrap();
        assert_eq!(names.len(), Host::ALL.len(), "a pairing for each");
    }

    #[test]
    fn what_was_revoked_stays_revoked_until_it_is_allowed_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let host = Host::WebEid;
        assert!(!allow_again(host, state).unwrap(), "there is nothing yet");
        let first = Identity::of(host, state).unwrap().key_id;
        assert!(!allow_again(host, state).unwrap(), "it is paired");
        assert!(Pairings::open(state).unwrap().revoke(&first).unwrap());
        for _ in 0..2 {
            assert_eq!(Identity::of(host, state).err(), Some(revoked()));
        }
        assert!(allow_again(host, state).unwrap());
        let second = Identity::of(host, state).unwrap().key_id;
        assert_ne!(first, second);
        assert!(forget(host, state).unwrap());
        assert!(Pairings::open(state).unwrap().list().unwrap().is_empty());
        assert!(!forget(host, state).unwrap());
    }

    #[test]
    fn a_key_that_others_may_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = Host::WebEid.key_file(folder.path());
        drop(Identity::of(Host::WebEid, folder.path()).unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Identity::of(Host::WebEid, folder.path()).err().unwrap();
        assert!(refused.message().contains("others may read"), "{refused:?}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        let refused = Identity::of(Host::WebEid, folder.path()).err().unwrap();
        assert!(refused.message().contains("no P-256 key"), "{refused:?}");
    }
}
