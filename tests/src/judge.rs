//! Those who judge what the agent hands out: the portal's library, and OpenSSL.

use std::path::{Path, PathBuf};
use std::process::Command;

use fixtures::openssl::OpenSsl;
use fixtures::pki::certificate::pem;
use plugin_protocol::api::{ConfirmationRequest, Operation, OperationState};
use plugin_protocol::encoding::from_base64;
use plugin_protocol::{Origin, Proof, ProofFormat};
use portal::{Policy, UecPolicy, Verified, VerifiedCard, VerifiedIdentity, verify, verify_any};
use tempfile::TempDir;
use time::OffsetDateTime;

/// A portal that trusts one test root.
pub struct Judge {
    policy: Policy,
    root_pem: String,
    folder: TempDir,
    /// Authorities between root and certificate of which OpenSSL is told, for cards that have no place for them.
    introduced: String,
    /// Where OpenSSL must know GOST: an OpenSSL whose configuration says so.
    gost: Option<OpenSsl>,
}

impl Judge {
    /// Trusts `root_pem` and takes every format; knows these intermediates (DER) for formats
    /// that bring none. OpenSSL gets the root alone.
    pub fn new(root_pem: &str, intermediates: &[&[u8]]) -> Self {
        let mut builder = Policy::builder()
            .test_roots_pem(root_pem.as_bytes())
            .expect("a root in PEM")
            .formats(&ProofFormat::ALL);
        for intermediate in intermediates {
            builder = builder.intermediate(intermediate).expect("a certificate");
        }
        Self {
            policy: builder.build().expect("a whole policy"),
            root_pem: root_pem.to_owned(),
            folder: tempfile::tempdir().expect("a temporary directory"),
            introduced: String::new(),
            gost: None,
        }
    }

    /// The same, and OpenSSL is told of an intermediate (DER) that the card does not hold.
    pub fn introducing(mut self, intermediate: &[u8]) -> Self {
        self.introduced.push_str(&pem("CERTIFICATE", intermediate));
        self
    }

    /// The same with an OpenSSL that has its GOST engine.
    ///
    /// # Panics
    /// When the engine is not installed.
    pub fn knowing_gost(self) -> Self {
        Self {
            gost: Some(OpenSsl::with_gost()),
            ..self
        }
    }

    /// A portal that trusts universal electronic cards under this authority (a CV certificate), and nobody else.
    pub fn of_universal_cards(authority: &[u8]) -> Self {
        let cards = UecPolicy::new().test_root(authority).expect("a root of cards");
        let policy = Policy::builder().formats(&ProofFormat::ALL).universal_cards(cards);
        Self {
            policy: policy.build().expect("a whole policy"),
            root_pem: String::new(),
            folder: tempfile::tempdir().expect("a temporary directory"),
            introduced: String::new(),
            gost: None,
        }
    }

    /// The verdict on a finished confirmation by a universal electronic card.
    ///
    /// # Panics
    /// When the operation is not done or its proof is refused.
    pub fn accept_card(&self, request: &ConfirmationRequest, operation: &Operation) -> VerifiedCard {
        assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
        let proof = operation.proof.as_ref().expect("what is done has a proof");
        let now = OffsetDateTime::now_utc();
        let verified = verify_any(proof, &request.origin, &request.challenge, &self.policy, now);
        match verified.unwrap_or_else(|error| panic!("{}: {error}", request.format)) {
            Verified::Card(card) => *card,
            _ => panic!("not a card's proof but {}", request.format),
        }
    }

    /// `openssl`, where this judge's files are.
    fn openssl(&self) -> Command {
        let mut command = Command::new("openssl");
        command.current_dir(self.folder.path());
        let configuration: Option<PathBuf> = self.gost.as_ref().map(|openssl| openssl.path("gost.cnf"));
        command.envs(configuration.map(|path| ("OPENSSL_CONF", path)));
        command
    }

    /// The verdict on a finished confirmation; for every CMS, OpenSSL must agree.
    ///
    /// # Panics
    /// When the operation is not done or its proof is refused.
    pub fn accept(&self, request: &ConfirmationRequest, operation: &Operation) -> VerifiedIdentity {
        assert_eq!(operation.state, OperationState::Done, "{:?}", operation.problem);
        let proof = operation.proof.as_ref().expect("what is done has a proof");
        assert_eq!(proof.format().name(), request.format);
        if let Proof::Cms(cms) | Proof::CmsChallenge(cms) = proof {
            assert_eq!(cms.content.is_some(), request.detached);
            let content = cms.content.as_ref().map(|text| from_base64(text).expect("base64"));
            let signed = self.openssl_cms(&from_base64(&cms.cms).expect("base64"), content.as_deref());
            let told = String::from_utf8(signed).expect("text was signed");
            assert!(told.contains(request.challenge.as_str()), "{told}");
        }
        self.verdict(request, proof, &request.origin)
            .unwrap_or_else(|error| panic!("{}: {error}", request.format))
    }

    /// The library's verdict for a portal at `origin`.
    pub fn verdict(
        &self,
        request: &ConfirmationRequest,
        proof: &Proof,
        origin: &Origin,
    ) -> Result<VerifiedIdentity, portal::VerifyError> {
        let now = OffsetDateTime::now_utc();
        verify(proof, origin, &request.challenge, &self.policy, now)
    }

    /// `openssl cms -verify -cades` from the root alone; the content it verified.
    ///
    /// # Panics
    /// When OpenSSL refuses it.
    pub fn openssl_cms(&self, cms: &[u8], content: Option<&[u8]>) -> Vec<u8> {
        let folder = self.folder.path();
        // A chain ends at a root all the same: what is no root there is only a step on the way.
        write(
            folder,
            "root.pem",
            [self.root_pem.as_bytes(), self.introduced.as_bytes()]
                .concat()
                .as_slice(),
        );
        write(folder, "proof.der", cms);
        let mut command = self.openssl();
        command
            .args([
                "cms",
                "-verify",
                "-cades",
                "-binary",
                "-inform",
                "DER",
                "-in",
                "proof.der",
            ])
            .args(["-CAfile", "root.pem", "-purpose", "any", "-out", "content"]);
        if let Some(content) = content {
            write(folder, "detached", content);
            command.args(["-content", "detached"]);
        }
        let said = run(command);
        assert!(said.contains("CAdES Verification successful"), "{said}");
        std::fs::read(folder.join("content")).expect("openssl wrote the content")
    }

    /// `openssl dgst -verify` of a signature over `message` with the certificate's key.
    ///
    /// # Panics
    /// When OpenSSL refuses it.
    pub fn openssl_signature(&self, certificate: &[u8], hash: &str, message: &[u8], signature: &[u8]) {
        let folder = self.folder.path();
        write(folder, "certificate.der", certificate);
        write(folder, "message", message);
        write(folder, "signature", signature);
        let mut command = self.openssl();
        command.args(["x509", "-inform", "DER", "-in", "certificate.der", "-noout", "-pubkey"]);
        let key = run(command);
        write(folder, "key.pem", key.as_bytes());
        let mut command = self.openssl();
        command.args(["dgst", hash, "-verify", "key.pem", "-signature", "signature", "message"]);
        assert!(run(command).contains("Verified OK"));
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(folder.join(name), bytes).expect("a temporary file");
}

/// What it said, on both streams, if it succeeded.
fn run(mut command: Command) -> String {
    let output = command.output().expect("openssl is installed");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}
