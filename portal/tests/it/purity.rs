//! The verifier sees its arguments and nothing else: no clock, no file, no network, no environment.

use std::path::{Path, PathBuf};

/// The reference portal and its program are the only ones that may.
const OUTSIDE: [&str; 3] = ["reference", "reference.rs", "bin"];
const FORBIDDEN: [&str; 9] = [
    "now_utc",
    "now_local",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "tokio",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        match path.is_dir() {
            _ if OUTSIDE.contains(&name) => {}
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// The code without its comments (documentation shows how a portal reads the clock) and tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn no_file_of_the_library_reads_the_world() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "only {} files", found.len());
    for path in found {
        let code = code(&path);
        for word in FORBIDDEN {
            assert!(!code.contains(word), "{word} in {}", path.display());
        }
    }
}
