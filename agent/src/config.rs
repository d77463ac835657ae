//! The one configuration file, parsed into types; every key stands in `agent/eid-agent.example.toml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plugin_protocol::limits::{OPERATION_LIFETIME, OPERATIONS_PER_MINUTE, REQUESTS_PER_MINUTE};
use serde::{Deserialize, Deserializer};

use crate::policy::LiteralOrigins;
use crate::token::card::families::FAMILY_IDS;
use crate::token::software::Keys;

mod mistake;
mod placed;
pub use mistake::ConfigError;
pub use placed::PlacedPath;

/// The configuration. A key that is absent has the value of `Config::default()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The port, instead of the first free one of the protocol's list; 0 takes any.
    pub port: Option<u16>,
    /// How much goes to the log, in the syntax of `RUST_LOG`.
    pub log: Option<String>,
    /// How the person is asked.
    pub prompt: PromptConfig,
    /// Tokens behind PKCS#11 modules.
    pub pkcs11: Pkcs11Config,
    /// Cards in readers, over PC/SC.
    pub cards: CardsConfig,
    /// Software tokens, for tests.
    pub software: SoftwareConfig,
    /// The universal electronic card: terminals and roots.
    pub uec: UecConfig,
    /// The literal form of the challenge.
    pub literal: LiteralConfig,
    /// Deadlines.
    pub deadlines: Deadlines,
    /// How much one plugin may ask.
    pub rates: RateConfig,
}

/// How the person is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptConfig {
    /// Which prompt.
    pub kind: PromptKind,
    /// The pinentry program, instead of the first one found.
    pub pinentry: Option<PathBuf>,
    /// The language of the windows.
    pub language: LanguageChoice,
    /// The policy of the unattended prompt: which test tokens, which origins.
    pub policy: Option<PathBuf>,
}

/// Which prompt asks the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptKind {
    /// pinentry if it can show a window, else the terminal.
    #[default]
    Auto,
    /// pinentry only.
    Pinentry,
    /// The terminal the agent was started in.
    Terminal,
    /// Nobody: a policy file approves test tokens.
    Unattended,
}

/// The language of what the person reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LanguageChoice {
    /// By `LC_ALL`, `LC_MESSAGES`, `LANG`.
    #[default]
    Auto,
    /// English.
    En,
    /// Russian.
    Ru,
}

/// Tokens behind PKCS#11 modules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pkcs11Config {
    /// Look for modules in p11-kit's module files and at the vendors' known paths.
    pub search: bool,
    /// Modules by name.
    pub modules: Vec<ModuleConfig>,
    /// The longest a call into a module may take before its process is replaced.
    #[serde(deserialize_with = "seconds::<1, 300, _>")]
    pub call_deadline: Duration,
}

impl Default for Pkcs11Config {
    fn default() -> Self {
        Self {
            search: true,
            modules: Vec::new(),
            call_deadline: Duration::from_secs(30),
        }
    }
}

/// In `leave_to_modules`: the families that name a module which serves more of their cards, where it is used.
pub const AUTO: &str = "auto";

/// Cards in readers, over PC/SC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CardsConfig {
    /// Look at readers at all.
    pub enabled: bool,
    /// PINs are typed on readers that have keys.
    pub pin_pad: bool,
    /// Ids of card families that are left to PKCS#11 modules; [`AUTO`] stands for those of which a module that is used
    /// serves more than is served here.
    #[serde(deserialize_with = "families")]
    pub leave_to_modules: Vec<String>,
}

impl Default for CardsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            pin_pad: true,
            leave_to_modules: vec![AUTO.to_owned()],
        }
    }
}

/// One PKCS#11 module.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleConfig {
    /// The shared library, an absolute path.
    #[serde(deserialize_with = "absolute")]
    pub path: PathBuf,
    /// What it is called in `doctor` and the log; its file name where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// `false` keeps it out, even if the search finds it.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// Software tokens, for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftwareConfig {
    /// Offer the embedded software token.
    pub enabled: bool,
    /// The kinds of key it has; the first is offered first.
    pub keys: Keys,
    /// PKCS#12 files to offer as tokens, absolute paths.
    #[serde(deserialize_with = "absolute_list")]
    pub pkcs12: Vec<PathBuf>,
}

/// The universal electronic card (УЭК). A card lets a PIN in only for a terminal that the system's operator certified:
/// whoever has such a terminal names its files here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UecConfig {
    /// Terminals; the one that a card takes is found by its version, its algorithms and its authority's key.
    pub terminals: Vec<TerminalConfig>,
    /// CV certificates of authorities that cards' own certificates are checked with. Absent: no PIN of a universal card is
    /// asked for. Empty: its deployer does without knowing whether a card is genuine.
    pub roots: Option<Vec<PlacedPath>>,
}

/// One terminal's files.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalConfig {
    /// The channel operator's CV certificate (Ca.id), as bytes.
    pub operator_certificate: PlacedPath,
    /// The terminal's CV certificate (Cifd.id), as bytes.
    pub certificate: PlacedPath,
    /// Its private key, PKCS#8 in DER or PEM; nobody else may read it.
    pub key: PlacedPath,
}

/// The literal form of the challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiteralConfig {
    /// Origins that may ask for `cms-challenge`; where absent, those that are shipped.
    #[serde(deserialize_with = "origins")]
    pub origins: LiteralOrigins,
}

/// Deadlines.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deadlines {
    /// How long an operation waits for a token and for the person.
    #[serde(deserialize_with = "seconds::<5, OPERATION_LIFETIME, _>")]
    pub operation: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            operation: Duration::from_secs(OPERATION_LIFETIME),
        }
    }
}

/// How much one plugin may ask.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateConfig {
    /// Confirmations and signatures a minute.
    pub operations_per_minute: u32,
    /// Requests a minute, long polls included.
    pub requests_per_minute: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self {
            operations_per_minute: OPERATIONS_PER_MINUTE,
            requests_per_minute: REQUESTS_PER_MINUTE,
        }
    }
}

impl Config {
    /// Parses the text of a configuration file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::in_text(text, &error))?;
        config.uec.paths_mut().for_each(|path| path.place(text));
        Ok(config)
    }

    /// Reads and parses the file `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&text).map_err(|error| error.in_file(path))
    }
}

impl UecConfig {
    fn paths_mut(&mut self) -> impl Iterator<Item = &mut PlacedPath> {
        self.terminals
            .iter_mut()
            .flat_map(TerminalConfig::paths_mut)
            .chain(self.roots.iter_mut().flatten())
    }
}

impl TerminalConfig {
    fn paths_mut(&mut self) -> [&mut PlacedPath; 3] {
        [&mut self.operator_certificate, &mut self.certificate, &mut self.key]
    }
}

/// Whole seconds within `LEAST..=MOST`.
fn seconds<'de, const LEAST: u64, const MOST: u64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let seconds = u64::deserialize(deserializer)?;
    match (LEAST..=MOST).contains(&seconds) {
        true => Ok(Duration::from_secs(seconds)),
        false => Err(serde::de::Error::custom(format!(
            "{seconds} s is outside {LEAST} to {MOST} s"
        ))),
    }
}

/// An absolute path: a module is never looked for where the agent happens to be started.
fn absolute<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    check_absolute(PathBuf::deserialize(deserializer)?)
}

/// The same for each of a list.
fn absolute_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    let paths = Vec::<PathBuf>::deserialize(deserializer)?;
    paths.into_iter().map(check_absolute).collect()
}

fn check_absolute<E: serde::de::Error>(path: PathBuf) -> Result<PathBuf, E> {
    match path.is_absolute() {
        true => Ok(path),
        false => Err(E::custom(format!("{} is not an absolute path", path.display()))),
    }
}

/// Origins, with the one that is none in the message: a list has one line for all of them.
fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LiteralOrigins, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| {
        text.parse()
            .map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
    };
    let origins = texts.iter().map(parse).collect::<Result<_, _>>()?;
    Ok(LiteralOrigins::new(origins))
}

/// Ids of card families, each a known one, or [`AUTO`].
fn families<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let ids = Vec::<String>::deserialize(deserializer)?;
    let known = |id: &str| id == AUTO || FAMILY_IDS.contains(&id);
    match ids.iter().find(|id| !known(id)) {
        None => Ok(ids),
        Some(unknown) => Err(serde::de::Error::custom(format!(
            "no card family is called {unknown:?}; there are {AUTO}, {}",
            FAMILY_IDS.join(", ")
        ))),
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
