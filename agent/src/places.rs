//! Where the agent keeps its files (XDG Base Directory Specification).

use std::env;
use std::path::{Path, PathBuf};

/// The directories and files of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places {
    /// Pairings, history, software token; mode 0700.
    pub(crate) state: PathBuf,
    /// The file `port`; mode 0700.
    pub(crate) runtime: PathBuf,
    /// The configuration file, if there is one.
    pub(crate) config: Option<PathBuf>,
}

impl Places {
    /// From the flags, else from the environment; `None` without flags and a home.
    pub(crate) fn find(state: Option<&Path>, runtime: Option<&Path>, config: Option<&Path>) -> Option<Self> {
        let state = match state {
            Some(given) => given.to_owned(),
            None => base("XDG_STATE_HOME", ".local/state")?.join("eid-agent"),
        };
        let runtime = match (runtime, variable("XDG_RUNTIME_DIR")) {
            (Some(given), _) => given.to_owned(),
            (None, Some(folder)) => folder.join("eid-agent"),
            (None, None) => state.join("run"),
        };
        let usual = || base("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("eid-agent/config.toml"));
        let config = match config {
            Some(given) => Some(given.to_owned()),
            None => usual().filter(|path| path.exists()),
        };
        Some(Self { state, runtime, config })
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.state.join("history.jsonl")
    }

    pub(crate) fn port_file(&self) -> PathBuf {
        self.runtime.join("port")
    }
}

/// A base directory from its variable, else below the home directory.
pub(crate) fn base(name: &str, below_home: &str) -> Option<PathBuf> {
    variable(name).or_else(|| Some(variable("HOME")?.join(below_home)))
}

/// A variable that holds an absolute path; others are ignored, as the specification says.
pub(crate) fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}
