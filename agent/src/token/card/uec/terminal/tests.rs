#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fixtures::cvc::{Suite as Cards, TerminalFiles, UecPki, Version as Of, write_terminal};

use super::*;
use crate::config::{Config, PlacedPath};

fn files(folder: &Path) -> TerminalFiles {
    write_terminal(folder, &UecPki::new(Of::V11, Cards::Gost))
}

/// Loads what a configuration's text names.
fn loaded(files: &TerminalFiles) -> Terminals {
    let text = fixtures::cvc::terminal::configuration(std::slice::from_ref(files));
    Terminals::load(&Config::parse(&text).unwrap().uec)
}

#[test]
fn a_terminals_files_are_read_and_described() {
    for version in [Of::V10, Of::V11] {
        for suite in [Cards::Gost, Cards::Rsa] {
            let folder = tempfile::tempdir().unwrap();
            let files = write_terminal(folder.path(), &UecPki::new(version, suite));
            let loaded = loaded(&files);
            assert_eq!(loaded.mistakes(), []);
            let described = loaded.describe();
            assert_eq!(described.len(), 2);
            assert!(described[0].starts_with("terminal: version 1."), "{described:?}");
            assert!(described[1].starts_with("root: "), "{described:?}");
        }
    }
}

#[test]
fn a_key_may_be_der() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let (_, der) = der::pem::decode_vec(&fs::read(&files.key).unwrap()).unwrap();
    fs::write(&files.key, der).unwrap();
    assert_eq!(loaded(&files).mistakes(), []);
}

#[test]
fn a_wrong_file_is_told_with_its_line() {
    type Spoil = fn(&TerminalFiles);
    let spoils: [(Spoil, usize, &str); 9] = [
        (|f| fs::remove_file(&f.certificate).unwrap(), 6, "it cannot be opened"),
        (|f| fs::write(&f.certificate, b"no").unwrap(), 6, "no CV certificate"),
        (
            |f| fs::copy(&f.certificate, &f.operator_certificate).map(|_| ()).unwrap(),
            5,
            "it is the certificate of a terminal, not of a channel operator",
        ),
        (
            |f| fs::copy(&f.operator_certificate, &f.root).map(|_| ()).unwrap(),
            2,
            "not of a certification authority",
        ),
        (
            |f| fs::set_permissions(&f.key, fs::Permissions::from_mode(0o640)).unwrap(),
            7,
            "chmod 600",
        ),
        (
            |f| fs::write(&f.key, b"-----BEGIN X-----\n").unwrap(),
            7,
            "no private key in PKCS#8",
        ),
        (|f| fs::write(&f.key, vec![0; 20_000]).unwrap(), 7, "too long"),
        (
            |f| fs::write(&f.key, UecPki::new(Of::V11, Cards::Gost).operator.key.pkcs8()).unwrap(),
            7,
            "it is not the key of the terminal's certificate",
        ),
        (
            |f| {
                let other = UecPki::new(Of::V11, Cards::Rsa).operator.certificate;
                fs::write(&f.operator_certificate, other).unwrap();
            },
            6,
            "did not sign it",
        ),
    ];
    for (i, (spoil, line, why)) in spoils.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        spoil(&files);
        let loaded = loaded(&files);
        let told: Vec<String> = loaded.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{i}: {told:?}");
        assert!(told[0].contains(&format!("line {line}, ")), "{i}: {told:?}");
        assert!(told[0].contains(why), "{i}: {told:?}");
    }
}

#[test]
fn paths_are_absolute_and_keys_known() {
    for (text, why) in [
        ("[uec]\nroots = [\"ca.cvc\"]", "not an absolute path"),
        ("[uec]\nterminals = [{ certificate = \"/a\" }]", "missing field"),
        ("[uec]\nroot = []", "did you mean `roots`"),
    ] {
        let told = Config::parse(text).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
    let placed = PlacedPath::new("/nowhere".into());
    assert!(!files::mistake(&placed, "x").to_string().contains("line"));
}
