//! p11-kit's module files (pkcs11.conf(5)): one module each, `name: value` lines.

use std::path::{Path, PathBuf};

use super::{Files, Modules, Origin, PROGRAM, Places, sorted};

/// What we need of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) module: Option<PathBuf>,
    remote: bool,
    enable_in: Option<Vec<String>>,
    disable_in: Vec<String>,
    pub(super) priority: i64,
}

impl Entry {
    /// Reads a file's text; lines that say nothing to us are passed over, as p11-kit does.
    pub(super) fn parse(text: &str) -> Self {
        let mut entry = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            let list = || {
                value
                    .split([',', ' '])
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect()
            };
            match name.trim() {
                "module" if !value.is_empty() => entry.module = Some(PathBuf::from(value)),
                "remote" => entry.remote = true,
                "enable-in" => entry.enable_in = Some(list()),
                "disable-in" => entry.disable_in = list(),
                "priority" => entry.priority = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        entry
    }

    /// Why this program shall not use it.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        let ours = |names: &[String]| names.iter().any(|name| name == PROGRAM);
        match &self.enable_in {
            Some(names) if !ours(names) => Some("enable-in names other programs"),
            _ if ours(&self.disable_in) => Some("disable-in names eid-agent"),
            _ if self.module.is_none() && self.remote => Some("a remote module"),
            _ if self.module.is_none() => Some("the file names no module"),
            _ => None,
        }
    }
}

/// Considers the modules of all files, higher priority first.
pub(super) fn consider(modules: &mut Modules, places: &Places) {
    let mut files = Files::new();
    for path in places.p11_kit.iter().flat_map(|folder| sorted(folder)) {
        if path.extension().is_some_and(|extension| extension == "module") {
            files.insert(path.file_name().unwrap_or_default().to_owned(), path);
        }
    }
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path)
            .map(|text| (path, Entry::parse(&text)))
            .ok()
    };
    let mut entries: Vec<_> = files.into_values().filter_map(read).collect();
    entries.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.priority));
    for (file, entry) in entries {
        let named = entry.module.clone().unwrap_or_else(|| file.clone());
        let origin = Origin::P11Kit(file);
        match entry.refusal() {
            Some(reason) => modules.skip(named, origin, reason),
            None => consider_named(modules, &named, origin, &places.module_folders),
        }
    }
}

/// A relative name is looked for in the module folders.
fn consider_named(modules: &mut Modules, named: &Path, origin: Origin, folders: &[PathBuf]) {
    if named.is_absolute() {
        return modules.consider(named.to_owned(), origin);
    }
    match folders
        .iter()
        .map(|folder| folder.join(named))
        .find(|path| path.exists())
    {
        Some(path) => modules.consider(path, origin),
        None => modules.skip(
            named.to_owned(),
            origin,
            "is in none of the module folders; its package may be gone",
        ),
    }
}
