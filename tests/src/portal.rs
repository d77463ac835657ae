//! A running `eid-portal`.

use std::path::Path;
use std::process::Command;

use fixtures::plugin::portal::PortalClient;
use tempfile::TempDir;

use crate::process::Process;
use crate::programs;

/// A running reference portal.
pub struct Portal {
    process: Process,
    base: String,
    _folder: TempDir,
}

impl Portal {
    /// Trusts the test root in this PEM file.
    pub fn start(test_root: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(programs::path("eid-portal"));
        command.args(["--listen", "127.0.0.1:0", "--test-root"]).arg(test_root);
        let process = Process::start(command, &folder.path().join("portal.log"));
        let base = process.wait_for("listening on ");
        Self {
            process,
            base,
            _folder: folder,
        }
    }

    /// `http://127.0.0.1:PORT`: its address and, by default, its origin.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What a page of it would do.
    pub fn client(&self) -> PortalClient {
        PortalClient::new(&self.base).expect("the base is a URL")
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
