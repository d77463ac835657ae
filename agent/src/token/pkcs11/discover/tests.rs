#![allow(clippy::unwrap_used)]

use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::p11_kit::Entry;
use super::*;

/// A system of its own: `usr` and `etc` in a temporary directory.
struct System {
    root: TempDir,
}

impl System {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, text).unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path
    }

    fn places(&self) -> Places {
        let usr = self.path("usr");
        let vendors = vendors::paths(&usr)
            .into_iter()
            .filter(|(_, path)| path.starts_with(&usr))
            .collect();
        Places {
            p11_kit: vec![self.path("usr/share/p11-kit/modules"), self.path("etc/pkcs11/modules")],
            module_folders: module_folders(&usr),
            vendors,
        }
    }

    fn modules(&self, configured: &[PathBuf]) -> Modules {
        modules(configured, &self.places())
    }
}

fn names(modules: &Modules) -> Vec<String> {
    modules.found.iter().map(|found| found.path.file_name()).collect()
}

#[test]
fn the_config_comes_first_then_p11_kit_by_priority_then_vendors() {
    let system = System::new();
    let own = system.file("opt/own.so", "");
    system.file("usr/lib/x86_64-linux-gnu/pkcs11/low.so", "");
    system.file("usr/lib64/pkcs11/high.so", "");
    system.file("usr/lib/librtpkcs11ecp.so", "");
    system.file("usr/share/p11-kit/modules/a.module", "module: low.so\n");
    system.file(
        "usr/share/p11-kit/modules/b.module",
        "# a comment\nmodule: high.so\npriority: 5\n",
    );
    let modules = system.modules(&[own]);
    assert_eq!(names(&modules), ["own.so", "high.so", "low.so", "librtpkcs11ecp.so"]);
    assert_eq!(modules.found[0].origin, Origin::Config);
    assert_eq!(modules.found[3].origin, Origin::Vendor("Rutoken"));
    assert!(modules.skipped.is_empty());
}

#[test]
fn one_file_under_several_names_is_one_module() {
    let system = System::new();
    let real = system.file("usr/lib/x86_64-linux-gnu/opensc-pkcs11.so", "");
    let link = system.path("usr/lib/x86_64-linux-gnu/pkcs11/opensc-pkcs11.so");
    create_dir_all(link.parent().unwrap()).unwrap();
    symlink(&real, &link).unwrap();
    system.file("usr/share/p11-kit/modules/opensc.module", "module: opensc-pkcs11.so\n");
    let modules = system.modules(&[link]);
    assert_eq!(modules.found.len(), 1);
    assert_eq!(modules.found[0].path.as_path(), real);
}

#[test]
fn a_vendor_s_module_is_found_under_any_version() {
    let system = System::new();
    system.file("usr/lib/pkcs11/libjcPKCS11-2.so.2.7.1", "");
    let newest = system.file("usr/lib/pkcs11/libjcPKCS11-2.so.2.9.0", "");
    system.file("usr/lib/pkcs11/libjcPKCS11-2.so.1.0.0", "");
    let modules = system.modules(&[]);
    assert_eq!(names(&modules), ["libjcPKCS11-2.so.2.9.0"]);
    assert_eq!(modules.found[0].origin, Origin::Vendor("JaCarta"));
    // The link that packages make is the same file, and not a second module.
    symlink(&newest, system.path("usr/lib/pkcs11/libjcPKCS11-2.so")).unwrap();
    assert_eq!(names(&system.modules(&[])), ["libjcPKCS11-2.so.2.9.0"]);
}

#[test]
fn what_is_left_out_is_told_with_a_reason() {
    let system = System::new();
    let proxy = system.file("usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-proxy.so", "");
    let open = system.file("opt/open.so", "");
    set_permissions(&open, Permissions::from_mode(0o666)).unwrap();
    let folder = system.path("opt");
    let absent = system.path("opt/absent.so");
    system.file("usr/share/p11-kit/modules/gone.module", "module: gone.so\n");
    system.file("usr/share/p11-kit/modules/empty.module", "\n");
    let configured = [proxy, open, folder, absent, PathBuf::from("relative.so")];
    let modules = system.modules(&configured);
    assert!(modules.found.is_empty());
    let reasons: Vec<_> = modules.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    let expected = [
        "proxy",
        "mode 0666",
        "regular file",
        "found",
        "absolute",
        "names no module",
        "module folders",
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, part) in reasons.iter().zip(expected) {
        assert!(reason.contains(part), "{reason:?} lacks {part:?}");
    }
}

#[test]
fn the_system_s_file_overrides_the_package_s() {
    let system = System::new();
    system.file("usr/lib64/pkcs11/a.so", "");
    system.file("usr/share/p11-kit/modules/a.module", "module: a.so\n");
    assert_eq!(names(&system.modules(&[])), ["a.so"]);
    system.file(
        "etc/pkcs11/modules/a.module",
        "module: a.so\ndisable-in: firefox, eid-agent\n",
    );
    let modules = system.modules(&[]);
    assert!(modules.found.is_empty());
    assert_eq!(modules.skipped[0].reason, "disable-in names eid-agent");
}

#[test]
fn enable_in_and_disable_in_name_programs() {
    let refusal = |text: &str| Entry::parse(text).refusal();
    assert_eq!(refusal("module: a.so\nenable-in: eid-agent firefox"), None);
    assert!(refusal("module: a.so\nenable-in: firefox").is_some());
    assert_eq!(refusal("module: a.so\ndisable-in: p11-kit-proxy"), None);
    assert!(refusal("module: a.so\ndisable-in: eid-agent").is_some());
    assert_eq!(refusal("remote: |ssh there"), Some("a remote module"));
    assert_eq!(
        Entry::parse("module : /x:y.so\n priority: -3 ").module,
        Some(PathBuf::from("/x:y.so"))
    );
    assert_eq!(Entry::parse("priority: -3").priority, -3);
}

#[test]
fn a_module_is_checked_again_before_each_start() {
    let system = System::new();
    let path = system.file("opt/module.so", "");
    let checked = ModulePath::check(&path).unwrap();
    assert_eq!(checked.check_again(), Ok(()));
    set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    assert!(checked.check_again().unwrap_err().contains("chmod"));
}
