//! Cards that nobody in this house has written: Nitrokey's applets in a virtual reader (`fixtures/foreign-card`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::pcscd::Reader;
use crate::process::Process;

/// A foreign card in a reader; taken out when this is dropped, and everything on it is gone then.
pub struct ForeignCard {
    process: Process,
    _folder: tempfile::TempDir,
}

impl ForeignCard {
    /// A blank PIV card (PIN 123456, PUK 12345678, management key 0102…08 three times).
    pub fn piv(reader: &Reader) -> Self {
        Self::insert("piv", reader)
    }

    /// A blank OpenPGP card (PIN 123456, admin PIN 12345678).
    pub fn openpgp(reader: &Reader) -> Self {
        Self::insert("openpgp", reader)
    }

    fn insert(applet: &str, reader: &Reader) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(program());
        command.arg(applet).arg(format!("127.0.0.1:{}", reader.port));
        let process = Process::start(command, &folder.path().join("log"));
        process.wait_for("inserted");
        Self {
            process,
            _folder: folder,
        }
    }

    /// Takes it out.
    pub fn remove(mut self) {
        self.process.kill();
    }
}

/// The program, built where it is not fresh.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/foreign-card");
        let output = Command::new(script).output().expect("scripts/foreign-card can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "the foreign card does not build (it needs libclang): {said}"
        );
        PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
    })
}
