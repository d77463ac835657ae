//! Tokens in a drawer: a source whose contents a test changes at will.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

use fixtures::pki::{Issued, KeyKind, TestKey};
use plugin_protocol::HashFunction;
use plugin_protocol::api::{PinState, SignatureScheme, SourceKind, TokenKind};

use crate::error::Error;
use crate::pin::Pin;
use crate::token::{
    Credential, Management, Mechanism, PinInfo, SignData, SignInput, SignJob, Source, TokenId, TokenInfo, UnblockCode,
};

/// The right PIN of every token.
pub(crate) const PIN: &str = "123456";

/// The code that unblocks it.
pub(crate) const PUK: &str = "12345678";

/// A token in the drawer.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) info: TokenInfo,
    pub(crate) credentials: Vec<(Credential, TestKey)>,
    /// What can be done about its PIN.
    pub(crate) management: Management,
    /// The right PIN, once it was changed.
    pub(crate) changed: Option<Vec<u8>>,
}

impl Held {
    /// A token with these certificates and three tries.
    pub(crate) fn new(label: &str, issued: &[Issued]) -> Self {
        let info = TokenInfo {
            id: TokenId::new(&[label]),
            kind: TokenKind::Pkcs11,
            label: label.to_owned(),
            reader: None,
            pin: PinInfo {
                name: None,
                state: PinState::Ok,
                tries_left: Some(3),
                pad: false,
                length: None,
            },
            role: None,
            insertion: None,
            unproven: false,
            test: false,
        };
        Self {
            info,
            credentials: issued.iter().enumerate().map(credential).collect(),
            management: Management::default(),
            changed: None,
        }
    }

    /// With this PIN state.
    pub(crate) fn pin(mut self, state: PinState, tries_left: Option<u8>) -> Self {
        self.info.pin.state = state;
        self.info.pin.tries_left = tries_left;
        self
    }

    /// With a PIN that can be changed, and unblocked with [`PUK`], of which so many tries are left.
    pub(crate) fn manageable(mut self, puk_tries: Option<u8>) -> Self {
        self.info.pin.length = Some((6, 8));
        self.management = Management {
            change: true,
            unblock: Some(UnblockCode {
                name: "PUK".to_owned(),
                length: (8, 8),
                tries_left: puk_tries,
            }),
        };
        self
    }

    /// With a PIN pad.
    pub(crate) fn pad(mut self) -> Self {
        self.info.pin.pad = true;
        self
    }
}

/// A credential that makes the one signature of its key: P-256 or GOST.
fn credential((index, issued): (usize, &Issued)) -> (Credential, TestKey) {
    let (scheme, hash) = match issued.key.kind() {
        KeyKind::Gost(gost3410::Algorithm::Gost2012_512, _) => (SignatureScheme::Gost, HashFunction::Streebog512),
        KeyKind::Gost(..) => (SignatureScheme::Gost, HashFunction::Streebog256),
        _ => (SignatureScheme::Ecdsa, HashFunction::Sha256),
    };
    let credential = Credential {
        key: index.to_string(),
        certificate: issued.certificate.clone(),
        intermediates: issued.intermediates.clone(),
        mechanisms: vec![Mechanism {
            scheme,
            hash,
            digest: true,
        }],
        role: None,
    };
    (credential, issued.key.clone())
}

/// What a test sees and changes of the source.
#[derive(Clone)]
pub(crate) struct Drawer(Arc<Mutex<Inside>>);

pub(crate) struct Inside {
    pub(crate) held: Vec<Held>,
    /// Answers to the next calls of `tokens`.
    pub(crate) listings: VecDeque<Error>,
    /// What it was asked, in order.
    pub(crate) calls: Vec<&'static str>,
    /// PINs that were tried, right or wrong.
    pub(crate) tries: usize,
    /// Messages whose digests may be signed: a key here signs messages only.
    pub(crate) known: Vec<Vec<u8>>,
    /// How the next PINs are refused, whatever they are.
    pub(crate) refusals: VecDeque<Error>,
    /// Waits for a word before it signs.
    pub(crate) hold: Option<mpsc::Receiver<()>>,
    /// Told when a signature was asked for.
    pub(crate) asked: Option<tokio::sync::oneshot::Sender<()>>,
    /// Signs with another key than the certificate's.
    pub(crate) lies: bool,
}

impl Drawer {
    pub(super) fn new(held: Vec<Held>) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            held,
            listings: VecDeque::new(),
            refusals: VecDeque::new(),
            calls: Vec::new(),
            tries: 0,
            known: Vec::new(),
            hold: None,
            asked: None,
            lies: false,
        })))
    }

    pub(crate) fn source(&self) -> Box<dyn Source> {
        Box::new(self.clone())
    }

    pub(crate) fn open(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// PIN tries spent so far.
    pub(crate) fn tries(&self) -> usize {
        self.open().tries
    }
}

impl Source for Drawer {
    fn name(&self) -> &str {
        "drawer"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pkcs11
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        let mut inside = self.open();
        inside.calls.push("tokens");
        match inside.listings.pop_front() {
            Some(error) => Err(error),
            None => Ok(inside.held.iter().map(|held| held.info.clone()).collect()),
        }
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        let mut inside = self.open();
        inside.calls.push("credentials");
        let held = inside.held.iter().find(|held| held.info.id == *token);
        let held = held.ok_or(Error::TokenRemoved)?;
        Ok(held
            .credentials
            .iter()
            .map(|(credential, _)| credential.clone())
            .collect())
    }

    fn sign(&mut self, token: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        self.open().calls.push("sign");
        let hold = self.open().hold.take();
        if let Some(asked) = self.open().asked.take() {
            let _ = asked.send(());
        }
        if let Some(hold) = hold {
            let _ = hold.recv();
        }
        let mut inside = self.open();
        let inside = &mut *inside;
        let held = inside.held.iter_mut().find(|held| held.info.id == *token);
        let held = held.ok_or(Error::TokenRemoved)?;
        let named = |(credential, _): &&(Credential, TestKey)| {
            credential.key == job.key && credential.certificate == job.certificate
        };
        let key = held
            .credentials
            .iter()
            .find(named)
            .ok_or(Error::TokenRemoved)?
            .1
            .clone();
        if held.info.pin.state != PinState::NotNeeded {
            inside.tries += 1;
            if let Some(refusal) = inside.refusals.pop_front() {
                return Err(refusal);
            }
            held.verify(pin)?;
        }
        let key = if inside.lies {
            TestKey::generate(key.kind())
        } else {
            key
        };
        Ok(job
            .inputs
            .iter()
            .map(|input| signature(&key, input, &inside.known))
            .collect())
    }

    fn management(&mut self, token: &TokenId) -> Result<Management, Error> {
        let mut inside = self.open();
        inside.calls.push("management");
        inside.held(token).map(|held| held.management.clone())
    }

    fn change_pin(&mut self, token: &TokenId, insertion: Option<u64>, old: Pin, new: Pin) -> Result<(), Error> {
        let mut inside = self.open();
        inside.calls.push("change_pin");
        inside.still_held(token, insertion)?;
        inside.tries += 1;
        let held = inside.held(token)?;
        held.verify(Some(old))?;
        if new.expose() == b"111111" {
            return Err(Error::PinRefused);
        }
        held.renewed(&new);
        Ok(())
    }

    fn unblock_pin(&mut self, token: &TokenId, insertion: Option<u64>, code: Pin, new: Pin) -> Result<(), Error> {
        let mut inside = self.open();
        inside.calls.push("unblock_pin");
        inside.still_held(token, insertion)?;
        inside.tries += 1;
        let held = inside.held(token)?;
        let puk = held.management.unblock.as_mut().expect("it was offered");
        if code.expose() != PUK.as_bytes() {
            let left = puk.tries_left.unwrap_or(3) - 1;
            puk.tries_left = Some(left);
            return Err(if left == 0 {
                Error::PinLocked
            } else {
                Error::PinIncorrect(Some(left))
            });
        }
        held.renewed(&new);
        Ok(())
    }
}

impl Inside {
    fn held(&mut self, token: &TokenId) -> Result<&mut Held, Error> {
        let held = self.held.iter_mut().find(|held| held.info.id == *token);
        held.ok_or(Error::TokenRemoved)
    }

    /// Spends nothing on a token of another insertion, as [`Source::change_pin`] says.
    fn still_held(&mut self, token: &TokenId, insertion: Option<u64>) -> Result<(), Error> {
        match self.held(token)?.info.insertion == insertion {
            true => Ok(()),
            false => Err(Error::TokenRemoved),
        }
    }
}

impl Held {
    /// Compares the PIN and counts, as a token does. A pad's PIN is always right.
    fn verify(&mut self, pin: Option<Pin>) -> Result<(), Error> {
        let right = self.changed.as_deref().unwrap_or(PIN.as_bytes());
        let state = &mut self.info.pin;
        if state.state == PinState::Locked {
            return Err(Error::PinLocked);
        }
        if state.pad || pin.is_some_and(|pin| pin.expose() == right) {
            return Ok(());
        }
        let left = state.tries_left.unwrap_or(1).saturating_sub(1);
        state.tries_left = Some(left);
        state.state = match left {
            0 => PinState::Locked,
            1 => PinState::FinalTry,
            _ => PinState::Low,
        };
        Err(Error::PinIncorrect(Some(left)))
    }

    fn renewed(&mut self, new: &Pin) {
        self.changed = Some(new.expose().to_vec());
        self.info.pin.state = PinState::Ok;
        self.info.pin.tries_left = Some(3);
    }
}

fn signature(key: &TestKey, input: &SignInput, known: &[Vec<u8>]) -> Vec<u8> {
    let message = match &input.data {
        SignData::Message(message) => message,
        SignData::Digest(digest) => {
            let same = |message: &&Vec<u8>| input.hash.digest(message) == *digest;
            known.iter().find(same).expect("a message the test has named")
        }
    };
    key.sign_fixed(key.default_algorithm(), message)
}
