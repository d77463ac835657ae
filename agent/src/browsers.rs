//! Browsers, and where each looks for the manifests of native messaging hosts.

pub(crate) mod manifest;
pub(crate) mod wrapper;

use std::env;
use std::path::{Path, PathBuf};

use agent::native_host::Host;
use clap::ValueEnum;
use serde::Serialize;

use crate::places::{base, variable};

/// A browser we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Browser {
    /// Google Chrome
    Chrome,
    /// Chromium
    Chromium,
    /// Microsoft Edge
    Edge,
    /// Mozilla Firefox
    Firefox,
}

/// Which list of allowed extensions a manifest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `allowed_origins`
    Chromium,
    /// `allowed_extensions`
    Firefox,
}

impl Browser {
    pub(crate) const ALL: [Self; 4] = [Self::Chrome, Self::Chromium, Self::Edge, Self::Firefox];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chrome => "Chrome",
            Self::Chromium => "Chromium",
            Self::Edge => "Edge",
            Self::Firefox => "Firefox",
        }
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Firefox => Family::Firefox,
            _ => Family::Chromium,
        }
    }

    /// Where it looks first: below the home directory.
    pub(crate) fn user_directory(self, home: &Home) -> PathBuf {
        match self {
            Self::Chrome => home.config.join("google-chrome/NativeMessagingHosts"),
            Self::Chromium => home.config.join("chromium/NativeMessagingHosts"),
            Self::Edge => home.config.join("microsoft-edge/NativeMessagingHosts"),
            Self::Firefox => home.home.join(".mozilla/native-messaging-hosts"),
        }
    }

    /// Where it looks then, for every user of the machine.
    pub(crate) const fn system_directory(self) -> &'static str {
        match self {
            Self::Chrome => "/etc/opt/chrome/native-messaging-hosts",
            Self::Chromium => "/etc/chromium/native-messaging-hosts",
            Self::Edge => "/etc/opt/edge/native-messaging-hosts",
            Self::Firefox => "/usr/lib/mozilla/native-messaging-hosts",
        }
    }

    /// Whether it is on this machine: its program, or a profile that it made.
    pub(crate) fn is_installed(self, home: &Home) -> bool {
        let (programs, profile): (&[&str], _) = match self {
            Self::Chrome => (
                &["google-chrome", "google-chrome-stable"],
                home.config.join("google-chrome/Local State"),
            ),
            Self::Chromium => (
                &["chromium", "chromium-browser"],
                home.config.join("chromium/Local State"),
            ),
            Self::Edge => (
                &["microsoft-edge", "microsoft-edge-stable"],
                home.config.join("microsoft-edge/Local State"),
            ),
            Self::Firefox => (
                &["firefox", "firefox-esr"],
                home.home.join(".mozilla/firefox/profiles.ini"),
            ),
        };
        profile.exists() || programs.iter().any(|program| in_path(program))
    }
}

fn in_path(program: &str) -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// The person's directories (XDG Base Directory Specification).
#[derive(Clone, Debug)]
pub(crate) struct Home {
    pub(crate) home: PathBuf,
    pub(crate) config: PathBuf,
    pub(crate) data: PathBuf,
}

impl Home {
    /// From the environment; `None` without a home.
    pub(crate) fn find() -> Option<Self> {
        Some(Self {
            home: variable("HOME")?,
            config: base("XDG_CONFIG_HOME", ".config")?,
            data: base("XDG_DATA_HOME", ".local/share")?,
        })
    }

    /// Where the wrappers of this person's manifests are.
    pub(crate) fn wrappers(&self) -> PathBuf {
        self.data.join("eid-agent/native-hosts")
    }
}

/// Where the wrappers of every user's manifests are.
pub(crate) const SYSTEM_WRAPPERS: &str = "/usr/local/lib/eid-agent/native-hosts";

/// The file of a host's manifest.
pub(crate) fn manifest_file(directory: &Path, host: Host) -> PathBuf {
    directory.join(format!("{}.json", host.name()))
}
