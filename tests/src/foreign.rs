//! Cards that nobody in this house has written: Nitrokey's applets in a virtual reader (`fixtures/foreign-card`).

mod openpgp;
mod piv;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use fixtures::pki::{Issued, KeyUsage, Person, extensions};

use crate::pcscd::{Pcscd, Reader};
use crate::process::{Process, eventually};

pub use piv::Algorithm;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To show who one is.
    Authentication,
    /// To sign documents.
    Signature,
}

/// The PIN of a blank card of either kind.
pub const PIN: &str = "123456";

/// OpenSC's PKCS#11 module.
///
/// # Panics
/// When it is not installed.
pub fn opensc() -> PathBuf {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ];
    let mut paths = folders.iter().map(|folder| Path::new(folder).join("opensc-pkcs11.so"));
    let found = paths.find(|path| path.is_file());
    found.expect("OpenSC's module is not installed: `apt-get install opensc`")
}

/// A foreign card in a reader; taken out when this is dropped, and everything on it is gone then.
pub struct ForeignCard {
    process: Process,
    reader: Reader,
    _folder: tempfile::TempDir,
}

impl ForeignCard {
    /// A blank PIV card (PIN 123456, PUK 12345678, management key 0102…08 three times).
    pub fn piv(pcscd: &Pcscd, reader: &Reader) -> Self {
        Self::insert("piv", pcscd, reader)
    }

    /// A blank OpenPGP card (PIN 123456, admin PIN 12345678).
    pub fn openpgp(pcscd: &Pcscd, reader: &Reader) -> Self {
        Self::insert("openpgp", pcscd, reader)
    }

    fn insert(applet: &str, pcscd: &Pcscd, reader: &Reader) -> Self {
        // A service that was started a moment ago listens before its reader does.
        let client = pcscd.client();
        let listed = || client.readers().contains(&reader.name).then_some(());
        eventually("the foreign card's reader", listed);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(program());
        command.arg(applet).arg(format!("127.0.0.1:{}", reader.port));
        let process = Process::start(command, &folder.path().join("log"));
        process.wait_for("inserted");
        client.wait_for_card(&reader.name);
        Self {
            process,
            reader: reader.clone(),
            _folder: folder,
        }
    }

    /// Takes it out.
    pub fn remove(mut self) {
        self.process.kill();
    }
}

/// A certificate of this person, for a key that was made on the card.
fn certify(person: Person<'_>, purpose: Purpose, spki: Vec<u8>) -> Issued {
    let person = match purpose {
        Purpose::Authentication => person
            .usage(&[KeyUsage::DigitalSignature])
            .extended_usage(&[extensions::CLIENT_AUTH]),
        Purpose::Signature => person.usage(&[KeyUsage::NonRepudiation]).extended_usage(&[]),
    };
    person.issue_with(|template| template.spki = spki)
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
