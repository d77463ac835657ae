//! The policy file of unattended approval.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use plugin_protocol::api::TokenKind;
use plugin_protocol::{Origin, Purpose};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::pin::Pin;
use crate::prompt::Candidate;

/// Largest file, bytes.
const MAX_FILE: u64 = 64 * 1024;

/// What may be approved with nobody there.
///
/// Every key stands in `agent/unattended-policy.example.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) origins: BTreeSet<Origin>,
    #[serde(default = "confirmations")]
    pub(super) actions: BTreeSet<Permission>,
    #[serde(default)]
    pub(super) literal: bool,
    #[serde(default)]
    pub(super) pair: bool,
    #[serde(default, rename = "token")]
    tokens: Vec<Entry>,
}

/// An action that may be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Permission {
    /// Raising an account to "confirmed".
    ConfirmIdentity,
    /// Signing in.
    SignIn,
    /// Signing documents.
    Sign,
    /// Handing over a signing certificate.
    Certificate,
}

impl Permission {
    pub(super) fn of(purpose: Purpose) -> Self {
        match purpose {
            Purpose::ConfirmIdentity => Self::ConfirmIdentity,
            Purpose::SignIn => Self::SignIn,
        }
    }
}

fn confirmations() -> BTreeSet<Permission> {
    [Permission::ConfirmIdentity, Permission::SignIn].into()
}

/// Tokens, and their PIN.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(default)]
    pin: Option<Secret>,
}

/// The one kind that can be named as a whole.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Software,
}

/// A PIN as the file has it; wiped with the policy.
struct Secret(Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    /// A number without quotes would be quoted in serde's own complaint: so it is not left to serde.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(pin) => Ok(Self(Zeroizing::new(pin))),
            _ => Err(serde::de::Error::custom("a PIN must be a text in quotes")),
        }
    }
}

impl Entry {
    /// A PIN for one call.
    pub(super) fn pin(&self) -> Option<Pin> {
        let Secret(pin) = self.pin.as_ref()?;
        Some(Pin::from_bytes(pin.as_bytes().to_vec()))
    }

    fn covers(&self, candidate: &Candidate) -> bool {
        let token = &candidate.token;
        if let Some(id) = &self.id {
            return id == token.id.as_str();
        }
        // A PKCS#12 file is a software token too, and may hold a real person's key.
        let test = token.test || candidate.certificate.test;
        matches!(self.kind, Some(Kind::Software)) && token.kind == TokenKind::Software && test
    }
}

impl Policy {
    /// Reads and checks the file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let told = |why: &str| format!("the policy {} {why}", path.display());
        let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
        let file = File::options().read(true).custom_flags(flags).open(path);
        let mut file = file.map_err(|error| told(&format!("cannot be opened: {error}")))?;
        let data = file
            .metadata()
            .map_err(|error| told(&format!("cannot be read: {error}")))?;
        if !data.is_file() {
            return Err(told("is not a regular file"));
        }
        if data.uid() != rustix::process::geteuid().as_raw() {
            return Err(told("belongs to another user"));
        }
        if data.mode() & 0o077 != 0 {
            return Err(told("holds PINs and can be read by others; chmod 600 it"));
        }
        if data.len() > MAX_FILE {
            return Err(told("is too long"));
        }
        // As large as the file from the start: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(data.len() as usize + 1));
        file.read_to_string(&mut text)
            .map_err(|error| told(&format!("cannot be read: {error}")))?;
        Self::parse(&text).map_err(|why| told(&format!("is wrong: {why}")))
    }

    /// Parses the text; what it says of a mistake never quotes the line, which may hold a PIN.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| {
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = before.matches('\n').count() + 1;
            format!("line {line}: {}", error.message().lines().next().unwrap_or_default())
        })?;
        for (index, entry) in policy.tokens.iter().enumerate() {
            if entry.id.is_some() == entry.kind.is_some() {
                return Err(format!("token {} needs an id or a kind, and not both", index + 1));
            }
        }
        Ok(policy)
    }

    /// The entry that covers a candidate's token; one that names it goes before its kind.
    pub(super) fn entry(&self, candidate: &Candidate) -> Option<&Entry> {
        let covering = |named: bool| {
            self.tokens
                .iter()
                .find(move |entry| entry.id.is_some() == named && entry.covers(candidate))
        };
        covering(true).or_else(|| covering(false))
    }
}
