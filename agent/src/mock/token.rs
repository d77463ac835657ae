//! The token: the software token's keys and PIN, with the scene's certificate, presence and troubles.

use std::sync::Arc;
use std::time::Duration;

use plugin_protocol::api::{PinState, SourceKind};

use super::certificates::{Certificates, Issued};
use super::outcome::Outcome;
use super::stage::{Scene, Stage};
use crate::error::Error;
use crate::pin::Pin;
use crate::token::software::{Software, TRIES};
use crate::token::{Credential, SignJob, Source, TokenId, TokenInfo};

/// What the module is called that the mock plays.
const MODULE: &str = "mock.so";
/// How long a module that failed rests.
const REST: Duration = Duration::from_secs(30);
/// A token is inserted after the delay, and not before this.
const INSERTED: Duration = Duration::from_secs(1);

/// A token on the stage.
pub(super) struct Played {
    software: Software,
    certificates: Certificates,
    stage: Arc<Stage>,
    delay: Duration,
    /// The scene that the PIN tries were set for.
    dressed: Option<(Outcome, u64)>,
    /// The operation in which it was taken out.
    removed: Option<u64>,
}

impl Played {
    pub(super) fn new(software: Software, certificates: Certificates, stage: Arc<Stage>, delay: Duration) -> Self {
        Self {
            software,
            certificates,
            stage,
            delay,
            dressed: None,
            removed: None,
        }
    }

    /// The scene, with the PIN tries it begins with.
    fn scene(&mut self) -> Result<Scene, Error> {
        let scene = self.stage.scene();
        let dress = (scene.outcome, scene.count);
        if self.dressed != Some(dress) {
            self.software.leave_tries(match scene.outcome {
                Outcome::PinLocked => 0,
                Outcome::WrongPinLastTry => TRIES - 1,
                _ => TRIES,
            })?;
            self.dressed = Some(dress);
        }
        Ok(scene)
    }

    fn is_present(&self, scene: &Scene) -> bool {
        match (scene.outcome, scene.running) {
            (Outcome::NoToken, _) | (Outcome::Cancelled, Some(_)) | (Outcome::TokenInserted, None) => false,
            (Outcome::TokenInserted, Some(time)) => time >= self.delay.max(INSERTED),
            (_, Some(_)) => self.removed != Some(scene.count),
            (_, None) => true,
        }
    }
}

impl Source for Played {
    fn name(&self) -> &str {
        "mock"
    }

    /// What cannot be looked at, where that is played, is a module.
    fn kind(&self) -> SourceKind {
        SourceKind::Pkcs11
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        let scene = self.scene()?;
        if scene.outcome == Outcome::ModuleUnavailable {
            return Err(Error::ModuleUnavailable(MODULE.to_owned(), REST));
        }
        if !self.is_present(&scene) {
            return Ok(Vec::new());
        }
        let mut tokens = self.software.tokens()?;
        for token in &mut tokens {
            token.label = "eid-agent mock".to_owned();
            if scene.outcome == Outcome::PinMustChange {
                token.pin.state = PinState::MustChange;
            }
        }
        Ok(tokens)
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        let outcome = self.scene()?.outcome;
        if outcome == Outcome::NoCertificate {
            return Ok(Vec::new());
        }
        let real = self.software.credentials(token)?;
        let played = |issued: &Issued| {
            let credential = real.iter().find(|credential| credential.key == issued.slot);
            let mut credential = credential.cloned().ok_or(Error::TokenRemoved)?;
            credential.certificate.clone_from(&issued.certificate);
            credential.intermediates = vec![issued.authority.clone()];
            if outcome == Outcome::UnsupportedAlgorithm {
                credential.mechanisms.clear();
            }
            Ok(credential)
        };
        self.certificates.of(outcome).map(played).collect()
    }

    fn sign(&mut self, token: &TokenId, mut job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        let scene = self.scene()?;
        std::thread::sleep(self.delay);
        match scene.outcome {
            Outcome::TokenRemoved => {
                self.removed = Some(scene.count);
                return Err(Error::TokenRemoved);
            }
            Outcome::ModuleFailed => {
                return Err(Error::ModuleFailed(
                    MODULE.to_owned(),
                    "crashed while it signed".to_owned(),
                ));
            }
            _ => {}
        }
        let mut shown = self.certificates.of(scene.outcome);
        let same = |issued: &Issued| issued.slot == job.key && issued.certificate == job.certificate;
        if !shown.any(same) {
            return Err(Error::TokenRemoved);
        }
        // The keys are the software token's; it knows them by certificates of its own.
        let own = self.software.credentials(token)?;
        let own = own.into_iter().find(|credential| credential.key == job.key);
        job.certificate = own.ok_or(Error::TokenRemoved)?.certificate;
        let mut signatures = self.software.sign(token, job, pin)?;
        if matches!(scene.outcome, Outcome::BrokenSignature | Outcome::SignatureMismatch) {
            signatures.iter_mut().for_each(|signature| break_one_bit(signature));
        }
        Ok(signatures)
    }
}

fn break_one_bit(signature: &mut [u8]) {
    if let Some(last) = signature.last_mut() {
        *last ^= 1;
    }
}
