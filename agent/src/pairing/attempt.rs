//! Pairing by numeric comparison with commitment (PROTOCOL.md section 5).
//!
//! One attempt at a time: *committed* after the offer, *comparing* while the window
//! shows the digits, then paired or ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugin_protocol::ErrorCode;
use plugin_protocol::api::{Client, PairingOffer, PairingRequest, PairingState};
use plugin_protocol::encoding::base64url;
use plugin_protocol::limits::{CALLER_GRACE, PAIRING_LIFETIME};
use plugin_protocol::pairing::{Bytes32, Digits, Jwk, commitment, digits};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::check_name;
use crate::app::{App, WindowGuard};
use crate::error::Error;
use crate::open_requests::OpenRequests;
use crate::prompt::{Answer, Question};
use crate::rate::Rate;
use crate::signature::{AgentKey, PluginKey};

/// Where plugins are paired.
pub struct Desk {
    current: Mutex<Option<Arc<Attempt>>>,
    rate: Rate,
    closing: CancellationToken,
}

/// One attempt.
struct Attempt {
    id: String,
    client: Client,
    commitment: Bytes32,
    agent_jwk: Jwk,
    agent_nonce: Bytes32,
    /// Taken when the person agrees, dropped when they do not.
    agent_pkcs8: Mutex<Option<Zeroizing<Vec<u8>>>>,
    ends: Instant,
    stage: watch::Sender<Stage>,
    /// The reveals that wait for the decision.
    waiting: OpenRequests,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Committed,
    Comparing,
    Paired,
    Ended(Error),
}

impl Stage {
    fn is_final(&self) -> bool {
        matches!(self, Self::Paired | Self::Ended(_))
    }
}

impl Desk {
    /// A desk that takes `attempts_per_minute`; when `closing` is cancelled, its window closes.
    pub fn new(attempts_per_minute: u32, closing: CancellationToken) -> Self {
        Self {
            current: Mutex::default(),
            rate: Rate::per_minute(attempts_per_minute),
            closing,
        }
    }

    /// Begins an attempt: takes the commitment, hands out the agent's key and nonce.
    pub fn offer(&self, app: &App, request: PairingRequest) -> Result<PairingOffer, Error> {
        check_name(&request.client.name).map_err(|why| Error::InvalidField("client.name", why))?;
        if PluginKey::new(&request.client.jwk).is_none() {
            let why = "the point is not on the curve P-256".to_owned();
            return Err(Error::InvalidField("client.jwk", why));
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|attempt| attempt.is_open()) {
            return Err(Error::Busy);
        }
        drop(app.window.try_open()?);
        self.rate.spend("").map_err(Error::RateLimited)?;
        let attempt = Attempt::new(request)?;
        let offer = PairingOffer {
            id: attempt.id.clone(),
            agent_jwk: attempt.agent_jwk.clone(),
            agent_nonce: attempt.agent_nonce,
            expires_in: PAIRING_LIFETIME,
        };
        *current = Some(Arc::new(attempt));
        Ok(offer)
    }

    /// Opens the commitment, shows the digits, and waits up to `wait` for the person.
    ///
    /// Sent again with the same nonce it only waits; with another one it ends the attempt.
    pub async fn reveal(
        &self,
        app: &Arc<App>,
        id: &str,
        nonce: &Bytes32,
        wait: Duration,
    ) -> Result<PairingState, Error> {
        let attempt = self.find(id)?;
        let _waiting = attempt.waiting.enter();
        attempt.open(nonce)?;
        if *attempt.stage.borrow() == Stage::Committed {
            let window = app.window.try_open()?;
            attempt.stage.send_replace(Stage::Comparing);
            let (app, closing) = (app.clone(), self.closing.clone());
            tokio::spawn(compare(
                app,
                attempt.clone(),
                digits_of(&attempt, nonce),
                window,
                closing,
            ));
        }
        let mut stage = attempt.stage.subscribe();
        let decided = tokio::time::timeout(wait, stage.wait_for(Stage::is_final)).await;
        match decided.ok().and_then(Result::ok).as_deref() {
            Some(Stage::Ended(why)) => Err(why.clone()),
            Some(_) => Ok(PairingState::Paired),
            None => Ok(PairingState::AwaitingConsent),
        }
    }

    fn find(&self, id: &str) -> Result<Arc<Attempt>, Error> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let found = current.as_ref().filter(|attempt| {
            let same: bool = attempt.id.as_bytes().ct_eq(id.as_bytes()).into();
            same
        });
        found.cloned().ok_or(Error::NotFound)
    }
}

impl Attempt {
    fn new(request: PairingRequest) -> Result<Self, Error> {
        let agent_pkcs8 = AgentKey::generate()?;
        let agent_jwk = AgentKey::from_pkcs8(&agent_pkcs8)
            .and_then(|key| key.jwk())
            .ok_or_else(|| Error::Internal("a fresh key cannot be read".to_owned()))?;
        Ok(Self {
            id: base64url(&random::<16>()?),
            client: request.client,
            commitment: request.commitment,
            agent_jwk,
            agent_nonce: Bytes32(random()?),
            agent_pkcs8: Mutex::new(Some(agent_pkcs8)),
            ends: Instant::now() + Duration::from_secs(PAIRING_LIFETIME),
            stage: watch::Sender::new(Stage::Committed),
            waiting: OpenRequests::new(),
        })
    }

    fn is_open(&self) -> bool {
        !self.stage.borrow().is_final() && Instant::now() < self.ends
    }

    /// Checks that `nonce` opens the commitment and that the time is not over; otherwise ends the attempt.
    fn open(&self, nonce: &Bytes32) -> Result<(), Error> {
        let opened = commitment(&self.client.jwk, nonce);
        if !bool::from(opened.0.ct_eq(&self.commitment.0)) {
            let why = "the nonce does not open the commitment; start the pairing anew".to_owned();
            let mismatch = Error::Refused(ErrorCode::CommitmentMismatch, why);
            self.end(Stage::Ended(mismatch.clone()));
            return Err(mismatch);
        }
        if Instant::now() >= self.ends {
            self.end(Stage::Ended(Error::Expired));
        }
        Ok(())
    }

    /// The first end stays.
    fn end(&self, end: Stage) {
        self.stage.send_if_modified(|stage| {
            let open = !stage.is_final();
            if open {
                *stage = end;
            }
            open
        });
        drop(self.take_key());
    }

    fn take_key(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.agent_pkcs8.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn ended(&self) {
        let _ = self.stage.subscribe().wait_for(Stage::is_final).await;
    }
}

fn digits_of(attempt: &Attempt, nonce: &Bytes32) -> Digits {
    digits(&attempt.client.jwk, &attempt.agent_jwk, nonce, &attempt.agent_nonce)
}

/// Shows the digits until the person decides, the time is over, or the plugin is gone.
async fn compare(
    app: Arc<App>,
    attempt: Arc<Attempt>,
    digits: Digits,
    window: WindowGuard,
    closing: CancellationToken,
) {
    let question = Question::Pair {
        client: attempt.client.name.clone(),
        digits,
    };
    let decision = tokio::select! {
        answer = app.prompt.ask(&question) => answer.map_err(Error::from),
        () = tokio::time::sleep_until(attempt.ends) => Err(Error::Expired),
        () = attempt.waiting.gone(Duration::from_secs(CALLER_GRACE)) => Err(Error::Cancelled),
        () = closing.cancelled() => Err(Error::Cancelled),
        () = attempt.ended() => return,
    };
    let outcome = decision.and_then(|answer| match answer {
        Answer::Yes => remember(&app, &attempt),
        _ => Err(Error::Internal(
            "a comparison was answered with something else".to_owned(),
        )),
    });
    drop(window);
    attempt.end(outcome.map_or_else(Stage::Ended, |()| Stage::Paired));
}

fn remember(app: &App, attempt: &Attempt) -> Result<(), Error> {
    // Without it the attempt ended while the person answered.
    let agent_pkcs8 = attempt.take_key().ok_or(Error::Cancelled)?;
    app.pairings.add(&attempt.client, &agent_pkcs8, app.clock.now())
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Internal("the system gives no randomness".to_owned()))?;
    Ok(bytes)
}
