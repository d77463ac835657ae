//! Whether browsers find the native hosts, and find this agent by them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use agent::native_host::Host;

use super::Check;
use crate::browsers::manifest::{Found, Manifest, callers};
use crate::browsers::wrapper::Wrapper;
use crate::browsers::{Browser, Family, Home, manifest_file};
use crate::places::Places;

const INSTALL: &str = "run `eid-agent install-browser`";

/// One check for each browser on this machine and each host.
pub(super) fn check(places: &Places) -> Vec<Check> {
    let Some(home) = Home::find() else {
        return Vec::new();
    };
    let mut checks = Vec::new();
    for browser in Browser::ALL.into_iter().filter(|browser| browser.is_installed(&home)) {
        let directories = [browser.user_directory(&home), PathBuf::from(browser.system_directory())];
        for host in Host::ALL {
            checks.push(host_check(browser, host, &directories, places));
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("browsers", "none that is known here is installed"));
    }
    checks
}

/// The first manifest of a browser's directories is the one it takes.
fn host_check(browser: Browser, host: Host, directories: &[PathBuf], places: &Places) -> Check {
    let what = format!("{}, {}", browser.name(), host.name());
    for directory in directories {
        let file = manifest_file(directory, host);
        let shown = file.display();
        let (found, remedy) = match Found::at(&file) {
            Found::Nothing => continue,
            Found::Broken(why) => return Check::fail(&what, format!("{shown}: {why}"), mend(&file, host)),
            Found::Foreign(manifest) if host == Host::Ifc => {
                let program = manifest.path.display();
                return Check::ok(&what, format!("served by another program, {program} ({shown})"));
            }
            Found::Foreign(manifest) => {
                let found = format!("{shown} names another program: {}", manifest.path.display());
                let remedy = "nothing, or `eid-agent install-browser --force` if this agent shall serve it";
                return Check::warn(&what, found, remedy);
            }
            Found::Ours(manifest) => match fault(&manifest, host, browser.family(), places) {
                None => return Check::ok(&what, shown.to_string()),
                Some(found) => found,
            },
        };
        return Check::fail(&what, format!("{shown}: {found}"), remedy);
    }
    let found = match host {
        Host::Ifc => {
            let found = "not asked for; `eid-agent install-browser --gosuslugi` would tell the browser of this agent";
            return Check::ok(&what, found);
        }
        Host::Plugin => "no manifest: the plugin cannot start the agent, and pairs by digits alone",
        Host::WebEid => "no manifest: the Web eID extension does not find this agent",
    };
    Check::warn(&what, found, INSTALL)
}

/// What helps against a file that is no manifest of ours.
fn mend(file: &Path, host: Host) -> String {
    let which = if host == Host::Ifc { " --gosuslugi" } else { "" };
    match file.starts_with("/etc") || file.starts_with("/usr") {
        true => format!("run `eid-agent install-browser{which} --system --force` as the administrator"),
        false => format!("run `eid-agent install-browser{which} --force`"),
    }
}

/// What is wrong with a manifest of ours, and what helps.
fn fault(manifest: &Manifest, host: Host, family: Family, places: &Places) -> Option<(String, String)> {
    let again = |found: String| Some((found, INSTALL.to_owned()));
    if manifest.name != host.name() {
        return again(format!("its name is {:?}, which the browser refuses", manifest.name));
    }
    if manifest.kind != "stdio" {
        return again(format!("its type is {:?}, which no browser knows", manifest.kind));
    }
    let allowed = manifest.allowed(family);
    let wanted = callers(host, family);
    if let Some(missing) = wanted.iter().find(|id| !allowed.iter().any(|allowed| allowed == *id)) {
        return again(format!("the extension {missing} is not among those that may call"));
    }
    if let Some(other) = allowed.iter().find(|id| !wanted.contains(&id.as_str())) {
        return again(format!("it lets another extension call: {other}"));
    }
    wrapper_fault(&manifest.path, host, places)
}

fn wrapper_fault(path: &Path, host: Host, places: &Places) -> Option<(String, String)> {
    let again = |found: String| Some((found, INSTALL.to_owned()));
    let shown = path.display();
    if !path.is_absolute() {
        return again(format!("its path {shown} is not absolute"));
    }
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => return again(format!("its wrapper {shown}: {error}")),
    };
    if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
        return again(format!("its wrapper {shown} cannot be executed"));
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    let Some(wrapper) = Wrapper::parse(&text) else {
        return again(format!("its wrapper {shown} is not as this agent wrote it"));
    };
    if wrapper.host != host.name() {
        return again(format!("its wrapper {shown} speaks as {}", wrapper.host));
    }
    let program = wrapper.program.display();
    let Ok(there) = fs::canonicalize(&wrapper.program) else {
        return again(format!("its wrapper {shown} starts {program}, which is not there"));
    };
    let ours = std::env::current_exe().and_then(fs::canonicalize);
    if ours.is_ok_and(|ours| ours != there) {
        let found = format!("its wrapper {shown} starts another agent: {program}");
        return Some((found, "run `eid-agent install-browser` if this one is meant".to_owned()));
    }
    let given = |flag: &str| {
        wrapper
            .flags
            .iter()
            .find(|(name, _)| name == flag)
            .map(|(_, path)| path)
    };
    match given("--state") {
        Some(state) if *state != places.state => {
            let found = format!("it starts the agent with another state directory: {}", state.display());
            Some((
                found,
                "give doctor the same --state, or run `eid-agent install-browser`".to_owned(),
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Verdict;
    use super::*;
    use std::fs::Permissions;

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        /// A manifest and a wrapper as `install-browser` writes them.
        fn new() -> Self {
            let bench = Self {
                folder: tempfile::tempdir().unwrap(),
            };
            bench.wrapper(&std::env::current_exe().unwrap(), Host::WebEid, 0o755);
            bench.manifest(&bench.good());
            bench
        }

        fn wrapper(&self, program: &Path, host: Host, mode: u32) {
            let text = Wrapper::new(program.to_owned(), Vec::new(), host).text().unwrap();
            fs::write(self.script(), text).unwrap();
            fs::set_permissions(self.script(), Permissions::from_mode(mode)).unwrap();
        }

        fn script(&self) -> PathBuf {
            self.folder.path().join("wrapper")
        }

        fn file(&self) -> PathBuf {
            manifest_file(self.folder.path(), Host::WebEid)
        }

        fn good(&self) -> Manifest {
            Manifest::new(Host::WebEid, Family::Firefox, &self.script())
        }

        fn manifest(&self, manifest: &Manifest) {
            fs::write(self.file(), manifest.text().unwrap()).unwrap();
        }

        fn check(&self) -> Check {
            let places = Places {
                state: self.folder.path().join("state"),
                runtime: self.folder.path().to_owned(),
                config: None,
            };
            let directories = [self.folder.path().to_owned()];
            host_check(Browser::Firefox, Host::WebEid, &directories, &places)
        }

        #[track_caller]
        fn assert(&self, verdict: Verdict, part: &str) {
            let check = self.check();
            assert_eq!(check.verdict, verdict, "{check:?}");
            assert!(check.found.contains(part), "{part:?} is not in {check:?}");
            assert_eq!(check.remedy.is_none(), verdict == Verdict::Ok, "{check:?}");
        }
    }

    #[test]
    fn every_way_a_manifest_can_be_wrong_is_told() {
        let bench = Bench::new();
        bench.assert(Verdict::Ok, "eu.webeid.json");
        let wrong = |change: fn(&mut Manifest)| {
            let mut manifest = bench.good();
            change(&mut manifest);
            bench.manifest(&manifest);
        };
        wrong(|manifest| manifest.name = "eu.webeid2".to_owned());
        bench.assert(Verdict::Fail, "its name");
        wrong(|manifest| manifest.kind = "pipe".to_owned());
        bench.assert(Verdict::Fail, "its type");
        wrong(|manifest| manifest.allowed_extensions = Some(Vec::new()));
        bench.assert(Verdict::Fail, "{e68418bc-f2b0-4459-a9ea-3e72b6751b07} is not among");
        wrong(|manifest| {
            manifest
                .allowed_extensions
                .as_mut()
                .unwrap()
                .push("evil@example.org".to_owned())
        });
        bench.assert(Verdict::Fail, "another extension call: evil@example.org");
        wrong(|manifest| manifest.path = PathBuf::from("wrapper"));
        bench.assert(Verdict::Fail, "not absolute");
        wrong(|manifest| manifest.path = PathBuf::from("/nowhere/wrapper"));
        bench.assert(Verdict::Fail, "/nowhere/wrapper");
        wrong(|manifest| manifest.description = "Web eID".to_owned());
        bench.assert(Verdict::Warn, "another program");
        fs::write(bench.file(), "{").unwrap();
        bench.assert(Verdict::Fail, "no manifest");
        fs::remove_file(bench.file()).unwrap();
        fs::create_dir(bench.file()).unwrap();
        bench.assert(Verdict::Fail, "cannot be read");
        fs::remove_dir(bench.file()).unwrap();
        std::os::unix::fs::symlink("/nowhere", bench.file()).unwrap();
        bench.assert(Verdict::Fail, "cannot be read");
        fs::remove_file(bench.file()).unwrap();
        bench.assert(Verdict::Warn, "no manifest");
    }

    #[test]
    fn gosuslugis_host_is_nobodys_duty() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            state: folder.path().join("state"),
            runtime: folder.path().to_owned(),
            config: None,
        };
        let check = || host_check(Browser::Chrome, Host::Ifc, &[folder.path().to_owned()], &places);
        let none = check();
        assert_eq!(none.verdict, Verdict::Ok, "{none:?}");
        assert!(none.found.contains("install-browser --gosuslugi"), "{none:?}");
        let file = manifest_file(folder.path(), Host::Ifc);
        let mut official = Manifest::new(Host::Ifc, Family::Chromium, Path::new("/usr/bin/ifc_chrome_host"));
        official.description = "IFCPlugin".to_owned();
        fs::write(&file, official.text().unwrap()).unwrap();
        let other = check();
        assert_eq!(other.verdict, Verdict::Ok, "{other:?}");
        assert!(other.found.contains("/usr/bin/ifc_chrome_host"), "{other:?}");
        // Ours is looked at like any other.
        let ours = Manifest::new(Host::Ifc, Family::Chromium, Path::new("/nowhere/wrapper"));
        fs::write(&file, ours.text().unwrap()).unwrap();
        assert_eq!(check().verdict, Verdict::Fail);
        fs::write(&file, "{").unwrap();
        assert!(check().remedy.unwrap().contains("--gosuslugi"));
    }

    #[test]
    fn every_way_a_wrapper_can_be_wrong_is_told() {
        let bench = Bench::new();
        let program = std::env::current_exe().unwrap();
        bench.wrapper(&program, Host::WebEid, 0o644);
        bench.assert(Verdict::Fail, "cannot be executed");
        bench.wrapper(&program, Host::Plugin, 0o755);
        bench.assert(Verdict::Fail, "speaks as eid_agent.plugin");
        bench.wrapper(Path::new("/nowhere/eid-agent"), Host::WebEid, 0o755);
        bench.assert(Verdict::Fail, "/nowhere/eid-agent, which is not there");
        bench.wrapper(Path::new("/bin/sh"), Host::WebEid, 0o755);
        bench.assert(Verdict::Fail, "another agent");
        let flags = vec![("--state".to_owned(), PathBuf::from("/elsewhere"))];
        let text = Wrapper::new(program, flags, Host::WebEid).text().unwrap();
        fs::write(bench.script(), text).unwrap();
        bench.assert(Verdict::Fail, "another state directory");
        fs::write(bench.script(), "#!/bin/sh\nexec something\n").unwrap();
        bench.assert(Verdict::Fail, "not as this agent wrote it");
        fs::remove_file(bench.script()).unwrap();
        bench.assert(Verdict::Fail, "its wrapper");
    }
}
