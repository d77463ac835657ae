//! All sources of tokens that the configuration allows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Source;
use super::card::families;
use super::card::family::Family;
use super::card::pcsc::System;
use super::card::source::{Cards, Left, Options};
use super::card::uec::{Terminals, Uec};
use super::pkcs11::discover::{ModulePath, Modules, Places, modules};
use super::pkcs11::{Deadlines, Options as ModuleOptions, Pkcs11};
use super::software::{Pkcs12, Software};
use crate::config::{AUTO, CardsConfig, Config, Pkcs11Config};
use crate::prompt::Language;

/// The sources, for [`super::worker::Tokens::new`], and how they were found, for `doctor`.
pub struct Discovered {
    /// Ready to be asked; none has been yet.
    pub sources: Vec<Box<dyn Source>>,
    /// The modules used and left out.
    pub modules: Modules,
    /// The card families that are left to modules.
    pub left: Vec<Left>,
}

/// Finds modules and software tokens. Reads folders, loads nothing.
///
/// `state` is the agent's state directory, where the software token lives, and what names cards that have no
/// number.
pub fn discover(config: &Config, state: &Path) -> Discovered {
    let places = if config.pkcs11.search {
        Places::system()
    } else {
        Places::none()
    };
    discover_at(config, state, &places)
}

/// The same, looking for modules at `places`.
pub fn discover_at(config: &Config, state: &Path, places: &Places) -> Discovered {
    let modules = found_modules(&config.pkcs11, places);
    let mut families = families::all();
    families.push(Box::new(universal_card(config)));
    let left = left(&config.cards, &families, &modules);
    let mut sources = card_source(config, state, families, left.clone());
    sources.extend(module_sources(&config.pkcs11, &modules));
    if config.software.enabled {
        sources.push(Box::new(Software::with_keys(state, &config.software.keys)));
    }
    let files = config
        .software
        .pkcs12
        .iter()
        .map(|path| (path.clone(), file_name(path)));
    let (paths, names): (Vec<_>, Vec<_>) = files.unzip();
    for (path, name) in paths.into_iter().zip(distinct_names(names)) {
        sources.push(Box::new(Pkcs12::named(name, path)));
    }
    Discovered { sources, modules, left }
}

/// The cards in all readers, where the config allows it. Nothing is asked yet: the PC/SC library may be missing.
fn card_source(
    config: &Config,
    state: &Path,
    families: Vec<Box<dyn Family>>,
    leave: Vec<Left>,
) -> Vec<Box<dyn Source>> {
    let configured = &config.cards;
    if !configured.enabled {
        return Vec::new();
    }
    let options = Options {
        pads: configured.pin_pad,
        leave,
    };
    let cards = Cards::new(Arc::new(System), families, options).remembering(state);
    vec![Box::new(cards)]
}

/// The families that the configuration leaves to modules, by their ids or because a module that is used serves more.
fn left(config: &CardsConfig, families: &[Box<dyn Family>], modules: &Modules) -> Vec<Left> {
    let named = |id: &str| config.leave_to_modules.iter().any(|named| named == id);
    let files: Vec<String> = modules.found.iter().map(|found| found.path.file_name()).collect();
    let why = |family: &dyn Family| {
        if named(family.id()) {
            return Some("cards.leave_to_modules names it".to_owned());
        }
        let serves = |file: &&String| {
            let file = file.to_lowercase();
            family.modules().iter().any(|module| file.contains(module))
        };
        let file = files.iter().find(serves).filter(|_| named(AUTO))?;
        Some(format!(
            "{file} serves more of it than is served here (cards.leave_to_modules without \"auto\": it is served here)"
        ))
    };
    let left = |family: &dyn Family| {
        let why = why(family)?;
        let family = family.id().to_owned();
        Some(Left { family, why })
    };
    families.iter().filter_map(|family| left(family.as_ref())).collect()
}

/// The universal card with the terminals of the configuration. A file of theirs that cannot be used costs that terminal
/// alone; `doctor` tells of it too.
fn universal_card(config: &Config) -> Uec {
    let terminals = Terminals::load(&config.uec);
    for mistake in terminals.mistakes() {
        tracing::warn!(%mistake, "a file of the universal card's cannot be used");
    }
    Uec::new(Arc::new(terminals)).speaking(Language::choose(config.prompt.language))
}

/// The modules, less those the config switches off.
fn found_modules(config: &Pkcs11Config, places: &Places) -> Modules {
    let wanted: Vec<PathBuf> = config
        .modules
        .iter()
        .filter(|m| m.enabled)
        .map(|m| m.path.clone())
        .collect();
    let off: Vec<ModulePath> = config
        .modules
        .iter()
        .filter(|m| !m.enabled)
        .filter_map(|m| ModulePath::check(&m.path).ok())
        .collect();
    let mut modules = modules(&wanted, places);
    let (off, found) = std::mem::take(&mut modules.found)
        .into_iter()
        .partition(|found| off.contains(&found.path));
    modules.found = found;
    for found in off {
        modules.skip(
            found.path.as_path().to_owned(),
            found.origin,
            "switched off in the config",
        );
    }
    modules
}

fn module_sources(config: &Pkcs11Config, modules: &Modules) -> Vec<Box<dyn Source>> {
    let named = |path: &ModulePath| {
        let same = |m: &&crate::config::ModuleConfig| ModulePath::check(&m.path).as_ref() == Ok(path);
        config
            .modules
            .iter()
            .find(same)
            .and_then(|m| m.name.clone())
            .unwrap_or_else(|| path.file_name())
    };
    let names = distinct_names(modules.found.iter().map(|found| named(&found.path)).collect());
    let source = |(found, name): (&super::pkcs11::discover::Found, String)| -> Box<dyn Source> {
        let sign = config.call_deadline;
        let list = Deadlines::default().list.min(sign);
        let deadlines = Deadlines {
            sign,
            list,
            ..Deadlines::default()
        };
        Box::new(Pkcs11::named(
            name,
            found.path.clone(),
            ModuleOptions {
                deadlines,
                ..ModuleOptions::default()
            },
        ))
    };
    modules.found.iter().zip(names).map(source).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Names of sources that two of them share would confuse events and `doctor`: numbers the later ones.
fn distinct_names(names: Vec<String>) -> Vec<String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut number = |name: String| {
        let count = used.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name} ({count})") }
    };
    names.into_iter().map(&mut number).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::ModuleConfig;

    /// What is left where this module is configured, with `leave_to_modules` as given.
    fn left_with(module: &str, leave: &[&str]) -> Vec<Left> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(module);
        std::fs::write(&path, "").unwrap();
        let mut config = Config::default();
        config.pkcs11.modules = vec![ModuleConfig {
            path,
            name: None,
            enabled: true,
        }];
        config.cards.leave_to_modules = leave.iter().map(|id| (*id).to_owned()).collect();
        discover_at(&config, folder.path(), &Places::none()).left
    }

    #[test]
    fn a_family_is_left_to_a_module_that_serves_more_of_it() {
        let families = |left: Vec<Left>| left.into_iter().map(|left| left.family).collect::<Vec<_>>();
        for module in ["librtpkcs11ecp.so", "rtPKCS11ECP.dll", "libcppkcs11.so.4.0.4"] {
            let left = left_with(module, &["auto"]);
            assert!(left[0].why.contains(module), "{left:?}");
            assert_eq!(families(left), ["rutoken-ecp"]);
        }
        // OpenSC's serves no more of it than is served here.
        assert_eq!(left_with("opensc-pkcs11.so", &["auto"]), []);
        assert_eq!(left_with("librtpkcs11ecp.so", &[]), []);
        assert_eq!(families(left_with("opensc-pkcs11.so", &["piv"])), ["piv"]);
        let both = families(left_with("librtpkcs11ecp.so", &["auto", "piv"]));
        assert_eq!(both, ["rutoken-ecp", "piv"]);
        // Named and auto: once, for the person's own reason.
        let named = left_with("librtpkcs11ecp.so", &["auto", "rutoken-ecp"]);
        assert!(named.len() == 1 && named[0].why.contains("names it"), "{named:?}");
    }

    #[test]
    fn equal_names_are_told_apart() {
        let names = ["a.so", "b.so", "a.so"].map(str::to_owned).to_vec();
        assert_eq!(distinct_names(names), ["a.so", "b.so", "a.so (2)"]);
    }
}
