//! Tokens without hardware: the embedded software token, and PKCS#12 files.
//!
//! The embedded token is for demonstrations and tests. It lives in `STATE/software-token`,
//! made on first use: keys (PKCS#8) and certificates in PEM, the test root that issued them
//! in `root.pem`, and the count of PIN tries in `tries`. GOST keys, and a GOST root in
//! `gost-root.pem`, join them when they are asked for first ([`Keys`]). Its PIN is [`PIN`]; after [`TRIES`]
//! wrong ones it is locked, until `tries` is removed. Whoever can read the folder can sign
//! with it: its certificates name a test authority, and portals refuse them unless told.

use std::path::{Path, PathBuf};

use plugin_protocol::api::{PinState, SourceKind, TokenKind};
use plugin_protocol::encoding::{hex, sha256};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;

pub(crate) use self::certificate::{Authority, Root, Wish, validity_from};
pub(crate) use self::store::Slot;
use self::store::{Store, trouble};
use self::tries::Tries;
use super::{Credential, PinInfo, SignJob, Source, TokenId, TokenInfo};
use crate::error::Error;
use crate::pin::Pin;

mod certificate;
mod crl;
mod key;
mod kinds;
mod person;
mod pkcs12;
pub(crate) mod rsa;
mod store;
mod tries;

pub use kinds::{KeyKind, Keys, NoKeys};
pub use person::{NotAPerson, Person};
pub use pkcs12::Pkcs12;

/// The PIN of the embedded token; a test PIN, no secret.
pub const PIN: &str = "1234";
/// Wrong PINs until it is locked.
pub const TRIES: u8 = 3;
/// The longest PIN compared, bytes.
const PIN_LENGTH: (usize, usize) = (4, 16);

/// The embedded software token as a source.
pub struct Software {
    store: Store,
    now: fn() -> OffsetDateTime,
}

impl Software {
    /// In the agent's state directory, with the usual keys. Nothing is made before it is asked for.
    pub fn new(state: &Path) -> Self {
        Self::with_keys(state, &Keys::default())
    }

    /// The same with these keys.
    pub fn with_keys(state: &Path, keys: &Keys) -> Self {
        Self {
            store: Store::new(state, keys),
            now: OffsetDateTime::now_utc,
        }
    }

    /// The same under another clock, for tests.
    pub fn with_clock(self, now: fn() -> OffsetDateTime) -> Self {
        Self { now, ..self }
    }

    /// The token as it is on disk, after it was made or renewed where necessary.
    fn token(&self) -> Result<TokenInfo, Error> {
        self.store.ensure((self.now)())?;
        let left = Tries::left(&self.store.path("tries"), TRIES).map_err(|error| trouble("has no count", &error))?;
        let state = match left {
            0 => PinState::Locked,
            1 => PinState::FinalTry,
            TRIES => PinState::Ok,
            _ => PinState::Low,
        };
        Ok(TokenInfo {
            id: id(&self.store.certificate("root")?),
            kind: TokenKind::Software,
            label: "eid-agent software token".to_owned(),
            reader: None,
            pin: PinInfo {
                name: None,
                state,
                tries_left: Some(left),
                pad: false,
                length: Some(PIN_LENGTH),
            },
            role: None,
            insertion: None,
            unproven: false,
            test: true,
        })
    }

    /// Makes it if it is not there; the test root of the first key that it offers in PEM, for the policy of a portal.
    pub fn make(&self) -> Result<PathBuf, Error> {
        self.store.ensure((self.now)())?;
        Ok(self.store.path(&format!("{}.pem", self.root_kind().name())))
    }

    /// The family of the first key that it offers.
    pub(crate) fn root_kind(&self) -> Root {
        self.slots().first().map_or(Root::Ecdsa, |slot| slot.root)
    }

    /// The keys it offers.
    pub(crate) fn slots(&self) -> &[&'static Slot] {
        self.store.slots()
    }

    /// The test root of its GOST keys in PEM; it is there where the token has such keys.
    #[cfg(test)]
    fn gost_root(&self) -> PathBuf {
        self.store.path("gost-root.pem")
    }

    /// An authority behind it: the mock has other certificates of the same keys issued.
    pub(crate) fn authority(&self, root: Root) -> Result<Authority, Error> {
        let authority = self.store.authority(root);
        authority.map_err(|error| trouble("has an unreadable root", &error))
    }

    /// The public key's bits, as SubjectPublicKeyInfo holds them.
    pub(crate) fn public_key(&self, slot: &Slot) -> Result<Vec<u8>, Error> {
        Ok(self.store.key(slot.name)?.public())
    }

    /// A certificate of this slot's key, DER, as wished.
    pub(crate) fn issue(&self, authority: &Authority, slot: &Slot, wish: &Wish<'_>) -> Result<Vec<u8>, Error> {
        let issued = authority.person(wish, slot.kind, &self.public_key(slot)?);
        issued.map_err(|error| Error::Internal(format!("no certificate for {}: {error}", slot.name)))
    }

    /// So many tries are left from now on.
    pub(crate) fn leave_tries(&self, left: u8) -> Result<(), Error> {
        let left = Tries::reset(&self.store.path("tries"), left);
        left.map_err(|error| trouble("cannot count PIN tries", &error))
    }

    /// The root of this token; another's, or none, is another token.
    fn root(&self, token: &TokenId) -> Result<Vec<u8>, Error> {
        let root = self.store.certificate("root").map_err(|_| Error::TokenRemoved)?;
        if id(&root) == *token {
            Ok(root)
        } else {
            Err(Error::TokenRemoved)
        }
    }

    /// Compares the PIN, having spent a try first.
    fn log_in(&self, pin: &Pin) -> Result<(), Error> {
        let failed = |error| trouble("cannot count PIN tries", &error);
        let given = pin.expose();
        if given.len() < PIN_LENGTH.0 || given.len() > PIN_LENGTH.1 {
            return Err(Error::PinLength(PIN_LENGTH.0, PIN_LENGTH.1));
        }
        let spent = Tries::spend(&self.store.path("tries"), TRIES).map_err(failed)?;
        let (tries, left) = spent.ok_or(Error::PinLocked)?;
        match (bool::from(given.ct_eq(PIN.as_bytes())), left) {
            (true, _) => tries.right().map_err(failed),
            (false, 0) => Err(Error::PinLocked),
            (false, left) => Err(Error::PinIncorrect(Some(left))),
        }
    }
}

/// The token's name: its own root tells it from others.
fn id(root: &[u8]) -> TokenId {
    TokenId::new(&["software", &hex(&sha256(root)[..8])])
}

impl Source for Software {
    fn name(&self) -> &str {
        "software token"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Software
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        Ok(vec![self.token()?])
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        self.root(token)?;
        let credential = |slot: &&Slot| {
            Ok(Credential {
                key: slot.name.to_owned(),
                certificate: self.store.certificate(slot.name)?,
                intermediates: vec![self.store.certificate(slot.root.name())?],
                mechanisms: key::mechanisms(slot.kind.family()),
                role: None,
            })
        };
        self.store.slots().iter().map(credential).collect()
    }

    fn sign(&mut self, token: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        self.root(token)?;
        let slot = self.store.slot(&job.key).ok_or(Error::TokenRemoved)?;
        if self.store.certificate(slot.name)? != job.certificate {
            return Err(Error::TokenRemoved);
        }
        let key = self.store.key(slot.name)?;
        super::refuse_unsupported(&key.mechanisms(), &job.inputs)?;
        let pin = pin.ok_or_else(|| Error::Internal("the software token wants a PIN".to_owned()))?;
        self.log_in(&pin)?;
        job.inputs.iter().map(|input| key.sign(input)).collect()
    }
}

#[cfg(test)]
mod tests;
