//! A loaded module: its tokens, and their certificates with keys.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::{Slot, TokenInfo as Told};
use cryptoki_sys::CK_MECHANISM_TYPE;
use plugin_protocol::api::{PinState, TokenKind};

use super::frame::{Failure, TOKENS};
use super::key_name::KeyName;
use super::objects::{Certificate, Fit, Objects, PrivateKey, PublicObject};
use super::raw::Raw;
use super::{mechanism, objects};
use crate::token::{Credential, PinInfo, TokenId, TokenInfo};

/// A module, loaded and initialised for the life of this process.
pub(super) struct Module {
    pub(super) pkcs11: Pkcs11,
    pub(super) raw: Raw,
    name: String,
}

impl Module {
    /// Loads and initialises. The error's text follows the module's name.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        let pkcs11 = Pkcs11::new(path).map_err(|error| format!("does not load ({error})"))?;
        let raw = Raw::open(path).map_err(|error| format!("does not load ({error})"))?;
        initialize(&pkcs11).map_err(|error| match error {
            Error::Pkcs11(rv, function) => format!("does not initialise ({function} answered {rv:?})"),
            error => format!("does not initialise ({error})"),
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { pkcs11, raw, name })
    }

    /// The initialised tokens. A slot whose token does not answer costs only itself.
    pub(super) fn tokens(&self) -> Result<Vec<TokenInfo>, Failure> {
        let present = self.present()?;
        Ok(present.iter().map(|(slot, told)| self.describe(*slot, told)).collect())
    }

    /// A token's certificates with their keys, without a login.
    pub(super) fn credentials(&self, id: &TokenId) -> Result<Vec<Credential>, Failure> {
        let (slot, told) = self.find(id)?;
        let session = self.pkcs11.open_ro_session(slot)?;
        let objects = Objects {
            raw: &self.raw,
            session: &session,
            only: None,
        };
        let seen = Seen {
            mechanisms: self.raw.mechanisms(slot)?,
            private_keys: objects.private_keys()?,
            public_keys: objects.public_keys()?,
            login_required: told.login_required(),
        };
        let certificates = objects.certificates()?;
        let found = seen.with_keys(&certificates);
        let is_one = |certificate: &Certificate| found.iter().any(|(one, _)| one.der == certificate.der);
        let rest = certificates.iter().filter(|c| c.authority && !is_one(c));
        let intermediates: Vec<_> = rest.map(|c| c.der.clone()).collect();
        Ok(found
            .into_iter()
            .map(|(certificate, key)| seen.credential(certificate, &key, &intermediates))
            .collect())
    }

    /// The slot and the flags of a token that was listed.
    pub(super) fn find(&self, id: &TokenId) -> Result<(Slot, Told), Failure> {
        self.present()?
            .into_iter()
            .find(|(_, told)| self.id(told) == *id)
            .ok_or(Failure::TokenRemoved)
    }

    fn present(&self) -> Result<Vec<(Slot, Told)>, Failure> {
        let slots = self.pkcs11.get_slots_with_token()?.into_iter().take(TOKENS);
        // Pulled out between the two calls, or broken: the others are still there.
        let told = slots.filter_map(|slot| Some((slot, self.pkcs11.get_token_info(slot).ok()?)));
        Ok(told.filter(|(_, told)| told.token_initialized()).collect())
    }

    fn id(&self, told: &Told) -> TokenId {
        TokenId::new(&[
            "pkcs11",
            &self.name,
            told.manufacturer_id(),
            told.model(),
            told.serial_number(),
            told.label(),
        ])
    }

    fn describe(&self, slot: Slot, told: &Told) -> TokenInfo {
        let reader = self.pkcs11.get_slot_info(slot).ok();
        let reader = reader.map(|slot| slot.slot_description().trim().to_owned());
        TokenInfo {
            id: self.id(told),
            kind: TokenKind::Pkcs11,
            label: told.label().trim().to_owned(),
            reader: reader.filter(|reader| !reader.is_empty()),
            pin: pin_info(told),
            role: None,
            insertion: None,
            unproven: false,
            test: false,
        }
    }
}

/// What a session without a login sees of a token.
struct Seen {
    mechanisms: Vec<CK_MECHANISM_TYPE>,
    private_keys: Vec<PrivateKey>,
    public_keys: Vec<PublicObject>,
    login_required: bool,
}

impl Seen {
    /// The certificates whose key is there, or may appear after the login, with its CKA_ID. One that
    /// is there several times is told once.
    fn with_keys<'a>(&self, certificates: &'a [Certificate]) -> Vec<(&'a Certificate, Vec<u8>)> {
        let mut found: Vec<(Fit, &Certificate, Vec<u8>)> = Vec::new();
        for certificate in certificates {
            let (fit, key) = self.key_of(certificate);
            match found.iter_mut().find(|(_, other, _)| other.der == certificate.der) {
                _ if fit == Fit::No => {}
                Some(known) if known.0 < fit => *known = (fit, certificate, key),
                Some(_) => {}
                None => found.push((fit, certificate, key)),
            }
        }
        found
            .into_iter()
            .map(|(_, certificate, key)| (certificate, key))
            .collect()
    }

    fn key_of(&self, certificate: &Certificate) -> (Fit, Vec<u8>) {
        if !self.private_keys.is_empty() || !self.login_required {
            return certificate.key_among(self.private_keys.iter().map(|key| &key.facts), &self.public_keys);
        }
        match certificate.key_hidden(&self.public_keys) {
            (Fit::Unknown, id) if certificate.authority => (Fit::No, id),
            found => found,
        }
    }

    fn credential(&self, certificate: &Certificate, key_id: &[u8], intermediates: &[Vec<u8>]) -> Credential {
        let fits =
            |key: &&PrivateKey| key.facts.id == key_id && certificate.fit(&key.facts, &self.public_keys) != Fit::No;
        let key = self.private_keys.iter().find(fits);
        let name = KeyName {
            certificate: certificate.id.clone(),
            key: key_id.to_vec(),
        };
        Credential {
            key: name.to_string(),
            certificate: certificate.der.clone(),
            intermediates: intermediates.to_vec(),
            mechanisms: mechanism::offered(&usable(&self.mechanisms, key), &certificate.key),
            role: None,
        }
    }
}

/// The token's mechanisms, less those the key forbids.
pub(super) fn usable(list: &[CK_MECHANISM_TYPE], key: Option<&objects::PrivateKey>) -> Vec<CK_MECHANISM_TYPE> {
    let allowed = key.and_then(|key| key.allowed.as_ref());
    list.iter()
        .copied()
        .filter(|mechanism| allowed.is_none_or(|allowed| allowed.contains(mechanism)))
        .collect()
}

/// What the flags tell of the user PIN.
pub(super) fn pin_info(told: &Told) -> PinInfo {
    let (state, tries_left) = match () {
        () if !told.login_required() => (PinState::NotNeeded, None),
        () if told.user_pin_locked() => (PinState::Locked, Some(0)),
        () if told.user_pin_to_be_changed() => (PinState::MustChange, None),
        () if told.user_pin_final_try() => (PinState::FinalTry, Some(1)),
        () if told.user_pin_count_low() => (PinState::Low, None),
        () => (PinState::Ok, None),
    };
    let (min, max) = (told.min_pin_length(), told.max_pin_length());
    let length = (0 < max && min <= max).then_some((min, max));
    PinInfo {
        name: None,
        state,
        tries_left,
        pad: told.protected_authentication_path(),
        length,
    }
}

/// C_Initialize; modules that cannot lock are only ever called from this one thread.
fn initialize(pkcs11: &Pkcs11) -> Result<(), Error> {
    match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Err(Error::Pkcs11(RvError::CantLock | RvError::ArgumentsBad | RvError::NeedToCreateThreads, _)) => {
            pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::empty()))
        }
        Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        done => done,
    }
}
