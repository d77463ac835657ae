//! The manifest that tells a browser of a native messaging host.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use agent::native_host::Host;
use serde::{Deserialize, Serialize};

use super::Family;

/// By this a manifest is known as ours, wherever its wrapper has gone.
const DESCRIPTION: &str = "eid-agent: written by `eid-agent install-browser`, removed with --remove";

/// A manifest, as the browsers' documentation describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) path: PathBuf,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_origins: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) allowed_extensions: Option<Vec<String>>,
}

impl Manifest {
    /// Ours, naming this wrapper.
    pub(crate) fn new(host: Host, family: Family, wrapper: &Path) -> Self {
        let list = Some(callers(host, family).iter().map(|&caller| caller.to_owned()).collect());
        let (allowed_origins, allowed_extensions) = match family {
            Family::Chromium => (list, None),
            Family::Firefox => (None, list),
        };
        Self {
            name: host.name().to_owned(),
            description: DESCRIPTION.to_owned(),
            path: wrapper.to_owned(),
            kind: "stdio".to_owned(),
            allowed_origins,
            allowed_extensions,
        }
    }

    /// The file's text.
    pub(crate) fn text(&self) -> io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Whether we wrote it.
    pub(crate) fn is_ours(&self) -> bool {
        self.description == DESCRIPTION
    }

    /// Who may call, in the list that this family of browsers reads.
    pub(crate) fn allowed(&self, family: Family) -> &[String] {
        let list = match family {
            Family::Chromium => &self.allowed_origins,
            Family::Firefox => &self.allowed_extensions,
        };
        list.as_deref().unwrap_or_default()
    }
}

/// The extensions that may call a host, as this family of browsers names them.
pub(crate) fn callers(host: Host, family: Family) -> &'static [&'static str] {
    match family {
        Family::Chromium => host.chromium_origins(),
        Family::Firefox => host.firefox_ids(),
    }
}

/// What is at a manifest's place.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// A manifest of ours.
    Ours(Manifest),
    /// Another program's manifest.
    Foreign(Manifest),
    /// Something that cannot be read, or is no manifest: why.
    Broken(String),
}

impl Found {
    /// Looks at `file`. A dangling link is something, too.
    pub(crate) fn at(file: &Path) -> Self {
        if fs::symlink_metadata(file).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Self::Nothing;
        }
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return Self::Broken(format!("it cannot be read: {error}")),
        };
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) if manifest.is_ours() => Self::Ours(manifest),
            Ok(manifest) => Self::Foreign(manifest),
            Err(error) => Self::Broken(format!("it is no manifest: {error}")),
        }
    }
}
