//! The invariants of ARCHITECTURE.md that are absences: what is not there, and must not come. The plugin's own are in
//! `extension/tests/absences.test.js`.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use agent::native_host::Host;
use ring::digest::{SHA256, digest};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every file below `folder` with one of these endings, with its text.
fn files(folder: &str, endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "node_modules"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push((path.clone(), fs::read_to_string(&path).unwrap_or_default()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no files: has the house moved?");
    found
}

/// Code without its comments and without its tests, which are the last part of a file here.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = product.lines().map(|line| line.split("//").next().unwrap_or(""));
    lines.collect::<Vec<_>>().join("\n")
}

fn assert_absent(folder: &str, words: &[&str], except: &[&str], why: &str) {
    for (path, text) in files(folder, &[".rs"]) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        if except.iter().any(|allowed| shown.starts_with(allowed)) {
            continue;
        }
        let code = code(&text);
        for word in words {
            assert!(!code.contains(word), "{shown} has {word:?}: {why}");
        }
    }
}

fn manifest(package: &str) -> String {
    fs::read_to_string(root().join(package).join("Cargo.toml")).unwrap()
}

#[test]
fn protocol_has_no_pin_no_io_and_no_clock() {
    let words = [
        "struct Pin ",
        "struct Pin(",
        "pin: String",
        "std::fs",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "ToSocketAddrs",
        "now_utc",
        "SystemTime",
        "Instant::now",
    ];
    assert_absent(
        "plugin-protocol/src",
        &words,
        &[],
        "the vocabulary has no PIN, no I/O and no clock",
    );
    assert!(
        !manifest("plugin-protocol").contains("path ="),
        "plugin-protocol depends on nobody in the house"
    );
}

#[test]
fn no_endpoint_takes_a_pin() {
    let text = fs::read_to_string(root().join("plugin-protocol/openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.len() > 10, "the document holds the API's schemas");
    for (name, schema) in schemas {
        let text = schema.to_string().to_lowercase();
        let takes = name.ends_with("Request") || name == "SignatureItem";
        assert!(
            !takes || (!text.contains("\"pin\"") && !text.contains("password")),
            "{name} takes a PIN"
        );
    }
}

#[test]
fn the_verifier_is_pure() {
    let words = [
        "now_utc",
        "SystemTime",
        "Instant::now",
        "std::fs",
        "std::net",
        "tokio::",
    ];
    let program = ["portal/src/bin", "portal/src/reference", "portal/src/server"];
    assert_absent(
        "portal/src",
        &words,
        &program,
        "the verifier is a function of its arguments",
    );
}

#[test]
fn arrows_point_one_way() {
    for package in ["portal", "fixtures"] {
        let manifest = manifest(package);
        assert!(!manifest.contains("agent"), "{package} must not see the agent");
        assert!(
            package == "fixtures" || (!manifest.contains("cryptoki") && !manifest.contains("pcsc")),
            "{package}"
        );
    }
    assert!(
        !manifest("agent").contains("portal"),
        "the agent must not see the portal"
    );
}

#[test]
fn wings_do_not_know_each_other() {
    assert_absent(
        "agent/src/token",
        &["axum", "hyper", "StatusCode"],
        &[],
        "tokens know no HTTP",
    );
    let door = |name: &str| code(&fs::read_to_string(root().join("agent/src").join(name)).unwrap());
    for name in ["api.rs", "guard.rs"] {
        assert!(
            !door(name).contains("cryptoki") && !door(name).contains("pkcs11"),
            "{name} knows PKCS#11"
        );
    }
}

#[test]
fn unsafe_code_is_at_pkcs11_at_pcsc_and_at_the_judge() {
    // The child, the modules of the fixtures and the tests that call them; the C calls of PC/SC; and OpenSSL as a judge.
    let allowed = [
        "agent/pcsc-sys/src/linked.rs",
        "agent/pcsc-sys/src/loaded.rs",
        "agent/src/token/pkcs11/",
        "fixtures/evil-module/",
        "fixtures/gost-token/core/src/c/",
        "fixtures/gost-token/core/src/platform.rs",
        "fixtures/gost-token/src/lib.rs",
        "fixtures/gost-token/tests/module/",
        "fixtures/tests/evil_lies.rs",
        "tests/src/gost_engine.rs",
    ];
    for folder in [
        "agent",
        "gost3410",
        "portal/src",
        "plugin-protocol/src",
        "fixtures",
        "tests/src",
    ] {
        assert_absent(
            folder,
            &["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code)"],
            &allowed,
            "unsafe is for raw PKCS#11 and PC/SC calls and for the judge",
        );
    }
}

#[test]
fn banned_crates_stay_out() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in ["rsa", "openssl", "openssl-sys", "native-tls", "reqwest"] {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name} is in the tree");
    }
}

#[test]
fn nothing_names_a_machine() {
    // Split, so that this file does not find itself.
    let words = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/u")];
    let endings = [
        ".rs", ".md", ".toml", ".sh", ".ftl", ".json", ".html", ".css", ".js", ".ts", "Makefile",
    ];
    for (path, text) in files(".", &endings).into_iter().chain(files("scripts", &[""])) {
        for word in words {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

/// What the mock is let through by (`agent/src/rehearsal.rs`) exists in the mock alone.
#[test]
fn a_real_agent_has_no_rehearsal() {
    let why = "only a mock leaves checks to the portal";
    for folder in ["agent/src", "tests/src"] {
        assert_absent(folder, &["Rehearsal for", "rehearsal: Some"], &["agent/src/mock"], why);
    }
    let setup = fs::read_to_string(root().join("agent/src/setup.rs")).unwrap();
    assert!(setup.contains("rehearsal: None"), "a real agent is built without");
    let config = code(&fs::read_to_string(root().join("agent/src/config.rs")).unwrap());
    assert!(
        !config.contains("mock") && !config.contains("rehears"),
        "no key of the configuration makes a mock"
    );
}

/// Chromium derives an extension's id from its key; the native host lets in the extension of this tree.
#[test]
fn the_native_host_knows_our_extension() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&read("extension/manifest.json")).unwrap();
    let key = plugin_protocol::encoding::from_base64(manifest["key"].as_str().unwrap()).unwrap();
    let hash = digest(&SHA256, &key);
    let letters = hash.as_ref()[..16].iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let chromium: String = letters.map(|half| char::from(b'a' + half)).collect();
    let firefox = manifest["browser_specific_settings"]["gecko"]["id"].as_str().unwrap();

    let origin = format!("chrome-extension://{chromium}/");
    assert_eq!(Host::Plugin.chromium_origins(), [origin.as_str()]);
    assert_eq!(Host::Plugin.firefox_ids(), [firefox]);
    let called = format!("HOST = \"{}\";", Host::Plugin.name());
    assert!(read("extension/background/native.js").contains(&called));
    for path in ["extension/README.md", "tests/browser/harness/extension.js"] {
        let text = read(path);
        assert!(text.contains(&chromium) && text.contains(firefox), "{path}");
    }
}

#[test]
fn files_hold_one_idea() {
    for (path, text) in files(".", &[".rs", ".js"]) {
        let lines = text.lines().count();
        assert!(
            lines <= 600,
            "{} has {lines} lines: more than one idea?",
            path.display()
        );
    }
}

#[test]
fn every_test_named_in_security_md_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let named: Vec<(&str, &str)> = quoted.iter().filter_map(|word| word.split_once(".rs::")).collect();
    assert!(named.len() > 60, "SECURITY.md names {} tests", named.len());
    for (file, function) in &named {
        let path = root().join(format!("{file}.rs"));
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines: Vec<&str> = source.lines().map(str::trim).collect();
        let declared = [format!("fn {function}("), format!("async fn {function}(")];
        let at = lines
            .iter()
            .position(|line| declared.iter().any(|start| line.starts_with(start.as_str())));
        let at = at.unwrap_or_else(|| panic!("{file}.rs has no {function}"));
        let attributes = lines[..at]
            .iter()
            .rev()
            .take_while(|line| line.starts_with('#') || line.starts_with("//"));
        let attributes: Vec<&str> = attributes.copied().collect();
        let is_test = attributes
            .iter()
            .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
        assert!(
            is_test && !attributes.contains(&"#[ignore]"),
            "{file}.rs::{function} is no test"
        );
    }
    // Each of the invariants has some; those of the sixteenth are the plugin's, in JavaScript.
    let section = text
        .split("## The invariants")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    for number in 1..=19 {
        let begun = section.split(&format!("\n{number}. **")).nth(1);
        let begun = begun.unwrap_or_else(|| panic!("invariant {number} is missing"));
        let own = begun.split(&format!("\n{}. **", number + 1)).next().unwrap();
        let tests = if number == 16 { ".test.js`" } else { ".rs::" };
        assert!(own.matches(tests).count() >= 2, "invariant {number} has too few tests");
    }
}
