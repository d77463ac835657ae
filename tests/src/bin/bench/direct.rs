//! The bare operation: `C_Sign` through cryptoki, session and key handle cached.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use crate::stats::Sample;

/// The module, loaded into this process.
pub(crate) struct Module {
    context: Pkcs11,
    pin: AuthPin,
}

/// A session on one token, logged in, with the handle of its key.
pub(crate) struct Direct<'a> {
    session: Session,
    pin: &'a AuthPin,
    key: ObjectHandle,
    mechanism: Mechanism<'static>,
    data: Vec<u8>,
}

impl Module {
    /// Loads and initialises it.
    pub(crate) fn load(path: &Path, pin: &str) -> Self {
        let context = Pkcs11::new(path).expect("the module loads");
        context
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .expect("the module initialises");
        Self {
            context,
            pin: AuthPin::from(pin.to_owned()),
        }
    }

    /// Opens the token of this label.
    pub(crate) fn open(&self, label: &str, rsa: bool) -> Direct<'_> {
        let slots = self
            .context
            .get_slots_with_initialized_token()
            .expect("slots are listed");
        let has_label = |slot: &_| {
            self.context
                .get_token_info(*slot)
                .is_ok_and(|info| info.label() == label)
        };
        let slot = slots.into_iter().find(has_label).expect("the token is there");
        let session = self.context.open_ro_session(slot).expect("a session opens");
        session
            .login(UserType::User, Some(&self.pin))
            .expect("the PIN is right");
        let key = private_key(&session);
        let (mechanism, data) = match rsa {
            true => (Mechanism::Sha256RsaPkcs, vec![7; 64]),
            false => (Mechanism::Ecdsa, vec![7; 32]),
        };
        Direct {
            session,
            pin: &self.pin,
            key,
            mechanism,
            data,
        }
    }
}

impl Direct<'_> {
    /// `C_Sign` alone.
    pub(crate) fn sign(&self, count: usize) -> Sample {
        Sample::take(count, || {
            drop(
                self.session
                    .sign(&self.mechanism, self.key, &self.data)
                    .expect("it signs"),
            )
        })
    }

    /// What a consented operation must do at least: log in, find the key, sign, log out.
    pub(crate) fn sign_with_login(&self, count: usize) -> Sample {
        self.session.logout().expect("logged in before");
        let sample = Sample::take(count, || {
            self.session
                .login(UserType::User, Some(self.pin))
                .expect("the PIN is right");
            let key = private_key(&self.session);
            self.session.sign(&self.mechanism, key, &self.data).expect("it signs");
            self.session.logout().expect("logged in before");
        });
        self.session
            .login(UserType::User, Some(self.pin))
            .expect("the PIN is right");
        sample
    }
}

fn private_key(session: &Session) -> ObjectHandle {
    session
        .find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])
        .expect("keys are listed")[0]
}
