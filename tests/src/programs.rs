//! Builds the programs under test once, and finds them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of a program of this workspace, freshly built in this test's own profile.
///
/// `cargo test -p system-tests` builds the libraries it depends on, not the
/// programs: without this the tests could run yesterday's daemon.
pub fn path(name: &str) -> PathBuf {
    FOLDER.get_or_init(build).join(name)
}

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Takes the programs as they are, if this one lies beside this program: for a person's tool, which is started by its
/// path, maybe where there is no cargo, and is no place to build in.
pub fn take_as_they_are(name: &str) {
    let folder = target_folder();
    if folder.join(name).is_file() {
        FOLDER.get_or_init(|| folder);
    }
}

fn build() -> PathBuf {
    let folder = target_folder();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--offline",
        "--locked",
        "--bins",
        "-p",
        "agent",
        "-p",
        "portal",
        "-p",
        "fixtures",
        "-p",
        "system-tests",
    ]);
    // What cargo tells a test of itself, a crate's build script would take for news of its own, and be built anew.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name.as_ref());
        }
    }
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let built = cargo.arg("--manifest-path").arg(manifest).status().expect("cargo runs");
    assert!(built.success(), "the programs under test do not build");
    folder
}

/// `target/<profile>`, from the path of this test program.
fn target_folder() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows its path");
    let folder = own.parent().expect("a program lies in a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("deps lies in a folder")
    } else {
        folder
    }
    .to_owned()
}
