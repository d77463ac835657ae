//! Which modules there are: the config's, p11-kit's, and those of known vendors.
//!
//! Every module found is told of, with where it was found, or why it was left out.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

mod p11_kit;
mod vendors;

/// The name by which p11-kit's `enable-in` and `disable-in` know this program.
pub const PROGRAM: &str = "eid-agent";

/// A module that may be loaded: an absolute, canonical path of a regular file that
/// only its owner (root or this user) can write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModulePath(PathBuf);

impl ModulePath {
    /// Checks a path; the error says what is wrong with it and what helps.
    pub fn check(path: &Path) -> Result<Self, String> {
        if !path.is_absolute() {
            return Err("the path is not absolute".to_owned());
        }
        let canonical = path
            .canonicalize()
            .map_err(|error| format!("cannot be found: {error}"))?;
        let meta = canonical
            .metadata()
            .map_err(|error| format!("cannot be looked at: {error}"))?;
        let own = rustix::process::geteuid().as_raw();
        match () {
            () if !meta.is_file() => Err("is not a regular file".to_owned()),
            () if meta.mode() & 0o022 != 0 => Err(format!(
                "others may write it (mode {:04o}); chmod go-w it",
                meta.mode() & 0o7777
            )),
            () if meta.uid() != 0 && meta.uid() != own => {
                Err(format!("belongs to user {}, neither root nor you", meta.uid()))
            }
            () => Ok(Self(canonical)),
        }
    }

    /// The same check before each start. The error's text follows the module's name.
    pub(super) fn check_again(&self) -> Result<(), String> {
        Self::check(&self.0)
            .map(|_| ())
            .map_err(|why| format!("is not loaded: {why}"))
    }

    /// The canonical path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Its last part, the module's name.
    pub fn file_name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Where a module was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the config.
    Config,
    /// In this file of p11-kit's.
    P11Kit(PathBuf),
    /// At this vendor's usual path.
    Vendor(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config => f.write_str("config"),
            Self::P11Kit(file) => write!(f, "p11-kit, {}", file.display()),
            Self::Vendor(name) => write!(f, "{name}'s usual path"),
        }
    }
}

/// A module to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path.
    pub path: ModulePath,
    /// Where it was found first.
    pub origin: Origin,
}

/// A module left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path, as it was named.
    pub path: PathBuf,
    /// Where it was named.
    pub origin: Origin,
    /// Why it is left out, and what helps.
    pub reason: String,
}

/// What was found, for the agent to use and for `doctor` to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// To be used; the config's first, then p11-kit's by priority, then vendors'.
    pub found: Vec<Found>,
    /// Left out.
    pub skipped: Vec<Skipped>,
}

/// Where to look beside the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Folders with p11-kit's `*.module` files; a later one overrides an earlier one's file of the same name.
    pub p11_kit: Vec<PathBuf>,
    /// Folders where p11-kit's relative module names are looked for.
    pub module_folders: Vec<PathBuf>,
    /// Known paths of vendors' modules; those that are not there are not told of.
    pub vendors: Vec<(&'static str, PathBuf)>,
}

impl Places {
    /// This system's.
    pub fn system() -> Self {
        let mut p11_kit: Vec<PathBuf> = ["/usr/share/p11-kit/modules", "/usr/local/share/p11-kit/modules"]
            .iter()
            .chain(&["/etc/pkcs11/modules"])
            .map(PathBuf::from)
            .collect();
        let home = std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute());
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        p11_kit.extend(
            config
                .or(home.map(|home| home.join(".config")))
                .map(|path| path.join("pkcs11/modules")),
        );
        Self {
            p11_kit,
            module_folders: module_folders(Path::new("/usr")),
            vendors: vendors::paths(Path::new("/usr")),
        }
    }

    /// Nowhere: only the config's modules are used.
    pub fn none() -> Self {
        Self {
            p11_kit: Vec::new(),
            module_folders: Vec::new(),
            vendors: Vec::new(),
        }
    }
}

/// `usr/lib/pkcs11`, `usr/lib64/pkcs11`, and the same in each folder of an architecture (`x86_64-linux-gnu`).
fn module_folders(usr: &Path) -> Vec<PathBuf> {
    library_folders(usr)
        .into_iter()
        .map(|folder| folder.join("pkcs11"))
        .filter(|folder| folder.is_dir())
        .collect()
}

/// Where libraries are: `lib`, `lib64`, and the folders of architectures inside `lib`.
fn library_folders(usr: &Path) -> Vec<PathBuf> {
    let lib = usr.join("lib");
    let architectures = sorted(&lib).into_iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A GNU triplet: machine, system, ABI.
        name.matches('-').count() >= 2 && name.contains("linux") && path.is_dir()
    });
    architectures
        .chain([usr.join("lib64"), lib.clone(), usr.join("local/lib")])
        .collect()
}

/// The entries of a folder by name; none where it cannot be read.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Finds the modules: `configured` first, then what is at `places`.
pub fn modules(configured: &[PathBuf], places: &Places) -> Modules {
    let mut modules = Modules::default();
    for path in configured {
        modules.consider(path.clone(), Origin::Config);
    }
    p11_kit::consider(&mut modules, places);
    for (vendor, path) in places.vendors.iter().filter(|(_, path)| path.exists()) {
        modules.consider(path.clone(), Origin::Vendor(vendor));
    }
    modules
}

impl Modules {
    /// Takes a module in, or leaves it out with a reason. A second name of the same file is not a second module.
    fn consider(&mut self, path: PathBuf, origin: Origin) {
        if let Some(reason) = unwanted(&path) {
            return self.skip(path, origin, reason);
        }
        match ModulePath::check(&path) {
            Ok(checked) if self.found.iter().any(|found| found.path == checked) => {}
            Ok(checked) => self.found.push(Found { path: checked, origin }),
            Err(reason) => self.skip(path, origin, reason),
        }
    }

    /// Leaves a module out.
    pub(in crate::token) fn skip(&mut self, path: PathBuf, origin: Origin, reason: impl Into<String>) {
        self.skipped.push(Skipped {
            path,
            origin,
            reason: reason.into(),
        });
    }
}

/// Modules that are no tokens of their own.
fn unwanted(path: &Path) -> Option<&'static str> {
    match path.file_stem().and_then(OsStr::to_str)? {
        "p11-kit-proxy" | "libp11-kit" => Some("a proxy for modules that are used directly"),
        "p11-kit-trust" => Some("holds trusted authorities and no keys"),
        "p11-kit-client" => Some("brings another machine's tokens"),
        "pkcs11-spy" => Some("writes PINs to a log"),
        _ => None,
    }
}

/// Modules by their p11-kit file, before priority: later folders override earlier ones.
type Files = BTreeMap<std::ffi::OsString, PathBuf>;

#[cfg(test)]
mod tests;
