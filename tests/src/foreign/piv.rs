//! A PIV card gets its keys and certificates from Yubico's tool.

use std::path::Path;
use std::process::Command;

use fixtures::pki::certificate::pem;
use fixtures::pki::{Issued, Person};
use plugin_protocol::encoding::from_base64;

use super::{ForeignCard, Purpose, certify};
use crate::pcscd::{NAME, Pcscd};

/// The kind of a key, by the tool's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA, 2048 bits.
    Rsa2048,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::P256 => "ECCP256",
            Self::P384 => "ECCP384",
            Self::Rsa2048 => "RSA2048",
        }
    }
}

impl ForeignCard {
    /// Has a PIV card make a key, and puts a certificate of this person for it on the card: 9A for authentication,
    /// 9C for signature. The [`Issued::key`] of what is returned is another one: the card's own does not leave it.
    ///
    /// # Panics
    /// When `yubico-piv-tool` is not installed, or fails.
    pub fn provision(&self, pcscd: &Pcscd, algorithm: Algorithm, purpose: Purpose, person: Person<'_>) -> Issued {
        let slot = match purpose {
            Purpose::Authentication => "9a",
            Purpose::Signature => "9c",
        };
        let folder = tempfile::tempdir().expect("a temporary directory");
        let in_slot = |arguments: &[&str]| tool(pcscd, folder.path(), &self.reader.name, slot, arguments);
        in_slot(&["-a", "generate", "-A", algorithm.name(), "-o", "key.pem"]);
        let key = std::fs::read_to_string(folder.path().join("key.pem")).expect("the tool wrote the public key");
        let issued = certify(person, purpose, from_pem(&key));
        let text = pem("CERTIFICATE", &issued.certificate);
        std::fs::write(folder.path().join("certificate.pem"), text).expect("a temporary file");
        in_slot(&["-a", "import-certificate", "-i", "certificate.pem"]);
        issued
    }
}

fn tool(pcscd: &Pcscd, folder: &Path, reader: &str, slot: &str, arguments: &[&str]) {
    assert!(reader.starts_with(NAME), "a reader of ours and no other");
    let (name, value) = pcscd.environment();
    let mut command = Command::new("yubico-piv-tool");
    command.args(["-r", reader, "-s", slot]).args(arguments);
    command.current_dir(folder).env(name, value);
    let output = command.output();
    let output = output.expect("yubico-piv-tool is not installed: `apt-get install yubico-piv-tool`");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn from_pem(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    from_base64(&lines.collect::<String>()).expect("base64")
}
