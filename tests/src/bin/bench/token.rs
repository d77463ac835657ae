//! Two tokens in one SoftHSM: one with a P-256 key, one with an RSA-2048 key.

use std::ffi::OsString;
use std::path::PathBuf;

use fixtures::pki::{KeyKind, TestPki};
use fixtures::softhsm::{PIN, SoftHsm};
use serde::{Deserialize, Serialize};

/// The store; its folder goes when it is dropped.
pub(crate) struct Provisioned {
    hsm: SoftHsm,
}

/// What the measuring process must know of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Described {
    pub(crate) module: PathBuf,
    pub configuration: PathBuf,
    pub pin: String,
}

/// The labels of the two tokens.
pub(crate) const LABELS: [(&str, bool); 2] = [("bench-p256", false), ("bench-rsa2048", true)];

/// Makes both.
pub(crate) fn provision() -> Provisioned {
    let pki = TestPki::new();
    let hsm = SoftHsm::new();
    for (label, rsa) in LABELS {
        let kind = if rsa { KeyKind::Rsa2048 } else { KeyKind::P256 };
        let person = pki.person("Измерева Анна Петровна").key(kind).issue();
        hsm.init_token(label).import(&person, &[1], label);
    }
    Provisioned { hsm }
}

impl Provisioned {
    pub(crate) fn environment(&self) -> (&'static str, OsString) {
        self.hsm.environment()
    }

    pub(crate) fn describe(&self) -> Described {
        Described {
            module: self.hsm.module().to_owned(),
            configuration: self.hsm.configuration().to_owned(),
            pin: PIN.to_owned(),
        }
    }
}
