//! Writing and removing manifests and wrappers, one step a file.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use agent::native_host::Host;
use serde::{Serialize, Serializer};

use crate::browsers::manifest::{Found, Manifest};
use crate::browsers::wrapper::Wrapper;
use crate::browsers::{Browser, Family, manifest_file};

/// A place for manifests.
#[derive(Clone, Debug)]
pub(super) struct Where {
    /// Whose it is; `None` for a profile somewhere.
    pub(super) browser: Option<Browser>,
    pub(super) family: Family,
    pub(super) directory: PathBuf,
    /// Where the wrappers are written …
    pub(super) wrappers: PathBuf,
    /// … and by what path the manifest names them.
    pub(super) wrappers_named: PathBuf,
    /// Whether other users read it: then directories made for it are open to them.
    pub(super) shared: bool,
}

/// What was done with one file.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) browser: Option<Browser>,
    pub(super) host: String,
    pub(super) path: PathBuf,
    pub(super) outcome: Outcome,
}

/// How it came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Written,
    Unchanged,
    /// Another program's manifest was put aside, to this file.
    Replaced(PathBuf),
    /// Another program's manifest (its path, or what is wrong with it) was left alone.
    Foreign(String),
    Removed,
    /// Ours was removed, and what it had replaced is back.
    Restored,
    /// There was nothing of ours.
    Absent,
    /// A manifest of another browser names it still.
    StillNeeded,
    AllowedAgain,
    Unpaired,
    Failed(String),
}

impl Outcome {
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::Replaced(_) => "replaced",
            Self::Foreign(_) => "left alone",
            Self::Removed => "removed",
            Self::Restored => "restored",
            Self::Absent => "not there",
            Self::StillNeeded => "still needed",
            Self::AllowedAgain => "allowed again",
            Self::Unpaired => "unpaired",
            Self::Failed(_) => "FAILED",
        }
    }

    /// What the person must know, if it did not come out as they wished.
    pub(super) fn trouble(&self) -> Option<String> {
        match self {
            Self::Foreign(whose) => Some(format!(
                "{whose}; it was left alone. --force puts this agent in its place, and --remove puts it back"
            )),
            Self::Failed(why) => Some(why.clone()),
            _ => None,
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.word().to_lowercase().replace(' ', "_"))
    }
}

impl Step {
    fn manifest(place: &Where, host: Host, outcome: Outcome) -> Self {
        Self {
            what: place.browser.map_or("profile", |_| "manifest"),
            browser: place.browser,
            host: host.name().to_owned(),
            path: manifest_file(&place.directory, host),
            outcome,
        }
    }

    /// What the person must know where a browser finds this manifest before another program's: it looks into
    /// their own directory first, and no longer into the one of every user.
    pub(super) fn in_front_of(&self) -> Option<String> {
        let system = Path::new(self.browser?.system_directory());
        self.hides(&system.join(self.path.file_name()?))
    }

    fn hides(&self, other: &Path) -> Option<String> {
        let ours = matches!(
            self.outcome,
            Outcome::Written | Outcome::Unchanged | Outcome::Replaced(_)
        );
        match Found::at(other) {
            Found::Foreign(manifest) if ours && other != self.path => Some(format!(
                "the browser takes it before {}, which names another program: {}; --remove takes it away again",
                other.display(),
                manifest.path.display()
            )),
            _ => None,
        }
    }

    fn wrapper(host: Host, path: PathBuf, outcome: Outcome) -> Self {
        Self {
            what: "wrapper",
            browser: None,
            host: host.name().to_owned(),
            path,
            outcome,
        }
    }

    pub(super) fn pairing(host: Host, state: &Path, outcome: Outcome) -> Self {
        Self {
            what: "pairing",
            browser: None,
            host: host.name().to_owned(),
            path: state.join("pairings.json"),
            outcome,
        }
    }
}

/// Writes the wrappers, then the manifests that name them.
pub(super) fn install(places: &[Where], wrappers: &[(Host, String)], force: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for place in wrapper_places(places) {
        for (host, text) in wrappers {
            let path = wrapper_file(&place.wrappers, *host);
            let outcome = match fs::read_to_string(&path) {
                Ok(found) if !Wrapper::is_ours(&found) => Outcome::Failed("it is another program's".to_owned()),
                _ => write(&path, text, 0o755, place.shared),
            };
            steps.push(Step::wrapper(*host, path, outcome));
        }
    }
    for place in places {
        for (host, _) in wrappers {
            steps.push(Step::manifest(place, *host, install_manifest(place, *host, force)));
        }
    }
    steps
}

fn install_manifest(place: &Where, host: Host, force: bool) -> Outcome {
    let file = manifest_file(&place.directory, host);
    let wrapper = wrapper_file(&place.wrappers_named, host);
    let text = match Manifest::new(host, place.family, &wrapper).text() {
        Ok(text) => text,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let whose = match Found::at(&file) {
        Found::Nothing | Found::Ours(_) => return write(&file, &text, 0o644, place.shared),
        Found::Foreign(manifest) => format!("it is another program's: {}", manifest.path.display()),
        Found::Broken(why) => why,
    };
    if !force {
        return Outcome::Foreign(whose);
    }
    let kept = backup(&file);
    // A link is renamed as a link, so that what it names is not touched.
    match fs::rename(&file, &kept) {
        Err(error) => Outcome::Failed(error.to_string()),
        Ok(()) => match write(&file, &text, 0o644, place.shared) {
            Outcome::Failed(why) => {
                let _ = fs::rename(&kept, &file);
                Outcome::Failed(why)
            }
            _ => Outcome::Replaced(kept),
        },
    }
}

/// Whether a browser was told of this host.
pub(super) fn is_installed(places: &[Where], host: Host) -> bool {
    let ours = |place: &Where| matches!(Found::at(&manifest_file(&place.directory, host)), Found::Ours(_));
    places.iter().any(ours)
}

/// Removes manifests of ours from `places`, then the wrappers that no manifest of `all` names.
pub(super) fn remove(places: &[Where], all: &[Where], hosts: &[Host]) -> Vec<Step> {
    let mut steps = Vec::new();
    for place in places {
        for &host in hosts {
            steps.push(Step::manifest(place, host, remove_manifest(place, host)));
        }
    }
    for place in wrapper_places(places) {
        for &host in hosts {
            let path = wrapper_file(&place.wrappers, host);
            let outcome = remove_wrapper(&path, host, all);
            steps.push(Step::wrapper(host, path, outcome));
        }
        // Only where nothing else is in it.
        let _ = fs::remove_dir(&place.wrappers);
    }
    steps
}

fn remove_manifest(place: &Where, host: Host) -> Outcome {
    let file = manifest_file(&place.directory, host);
    let kept = backup(&file);
    let ours = match Found::at(&file) {
        Found::Ours(_) => true,
        Found::Nothing => false,
        // Another program has come since: its file stays.
        Found::Foreign(_) | Found::Broken(_) => return Outcome::Absent,
    };
    if fs::symlink_metadata(&kept).is_ok() {
        // In one step: there is a manifest at every moment.
        return done(fs::rename(&kept, &file), Outcome::Restored);
    }
    match ours {
        true => done(fs::remove_file(&file), Outcome::Removed),
        false => Outcome::Absent,
    }
}

fn remove_wrapper(path: &Path, host: Host, all: &[Where]) -> Outcome {
    match fs::read_to_string(path) {
        Ok(text) if Wrapper::is_ours(&text) => {}
        _ => return Outcome::Absent,
    }
    let names_it = |place: &Where| {
        let found = Found::at(&manifest_file(&place.directory, host));
        matches!(found, Found::Ours(manifest) if manifest.path == wrapper_file(&place.wrappers_named, host))
    };
    match all.iter().any(names_it) {
        true => Outcome::StillNeeded,
        false => done(fs::remove_file(path), Outcome::Removed),
    }
}

/// Whether a removal took this host's wrapper away.
pub(super) fn wrapper_gone(steps: &[Step], host: Host) -> bool {
    let mut wrappers = steps.iter().filter(|step| step.what == "wrapper");
    wrappers.any(|step| step.host == host.name() && step.outcome == Outcome::Removed)
}

fn done(result: io::Result<()>, outcome: Outcome) -> Outcome {
    result.map_or_else(|error| Outcome::Failed(error.to_string()), |()| outcome)
}

/// One place for each directory of wrappers.
fn wrapper_places(places: &[Where]) -> Vec<&Where> {
    let mut places: Vec<&Where> = places.iter().collect();
    places.dedup_by(|one, other| one.wrappers == other.wrappers);
    places
}

fn wrapper_file(directory: &Path, host: Host) -> PathBuf {
    directory.join(host.name())
}

/// Where another program's manifest is kept meanwhile: no browser reads a file of this name.
fn backup(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".before-eid-agent");
    name.into()
}

/// Replaces the file whole, with this mode whatever the umask: it is strict here.
fn write(path: &Path, text: &str, mode: u32, shared: bool) -> Outcome {
    let same = || fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o777 == mode);
    let is_link = || fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if fs::read_to_string(path).is_ok_and(|found| found == text) && same() && !is_link() {
        return Outcome::Unchanged;
    }
    let written = path
        .parent()
        .map_or(Ok(()), |directory| create_directory(directory, shared))
        .and_then(|()| replace(path, text, mode));
    done(written, Outcome::Written)
}

fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let beside = PathBuf::from(name);
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Creates what is missing, for other users to look into if it is `shared`.
fn create_directory(path: &Path, shared: bool) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_directory(parent, shared)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::set_permissions(path, Permissions::from_mode(if shared { 0o755 } else { 0o700 })),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_manifest_that_hides_another_programs_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (own, everybodys) = (folder.path().join("own.json"), folder.path().join("everybodys.json"));
        let step = |outcome| Step {
            what: "manifest",
            browser: Some(Browser::Firefox),
            host: Host::Ifc.name().to_owned(),
            path: own.clone(),
            outcome,
        };
        assert_eq!(step(Outcome::Written).hides(&everybodys), None, "there is none");
        let mut manifest = Manifest::new(Host::Ifc, Family::Firefox, Path::new("/usr/bin/ifc_chrome_host"));
        fs::write(&everybodys, manifest.text().unwrap()).unwrap();
        assert_eq!(step(Outcome::Written).hides(&everybodys), None, "it is ours as well");
        manifest.description = "IFCPlugin".to_owned();
        fs::write(&everybodys, manifest.text().unwrap()).unwrap();
        let told = step(Outcome::Unchanged).hides(&everybodys).unwrap();
        assert!(
            told.contains("/usr/bin/ifc_chrome_host") && told.contains("everybodys.json"),
            "{told}"
        );
        for outcome in [Outcome::Removed, Outcome::Absent, Outcome::Foreign("x".to_owned())] {
            assert_eq!(step(outcome).hides(&everybodys), None);
        }
        fs::write(&own, manifest.text().unwrap()).unwrap();
        assert_eq!(step(Outcome::Written).hides(&own), None, "it hides no other");
    }
}
