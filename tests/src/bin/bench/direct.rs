//! The bare operation: `C_Sign` through cryptoki, session and key handle cached.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use crate::stats::Sample;

/// A session on the first initialised token, logged in.
pub struct Direct {
    session: Session,
    pin: AuthPin,
}

impl Direct {
    /// Loads the module into this process and logs in.
    pub fn open(module: &Path, pin: &str) -> Self {
        let context = Pkcs11::new(module).expect("the module loads");
        context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).expect("the module initialises");
        let slot = context.get_slots_with_initialized_token().expect("slots are listed")[0];
        let session = context.open_ro_session(slot).expect("a session opens");
        let pin = AuthPin::from(pin.to_owned());
        session.login(UserType::User, Some(&pin)).expect("the PIN is right");
        Self { session, pin }
    }

    fn key(&self, kind: KeyType) -> ObjectHandle {
        let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::KeyType(kind)];
        self.session.find_objects(&template).expect("keys are listed")[0]
    }

    /// `C_Sign` alone: P-256 over a digest, or RSA-2048 with SHA-256.
    pub fn sign(&self, rsa: bool, count: usize) -> Sample {
        let (key, mechanism, data) = self.operation(rsa);
        Sample::take(count, || drop(self.session.sign(&mechanism, key, &data).expect("the token signs")))
    }

    /// What a consented operation must do at least: log in, sign, log out.
    pub fn sign_with_login(&self, rsa: bool, count: usize) -> Sample {
        let (_, mechanism, data) = self.operation(rsa);
        self.session.logout().expect("logged in before");
        let sample = Sample::take(count, || {
            self.session.login(UserType::User, Some(&self.pin)).expect("the PIN is right");
            let key = self.key(if rsa { KeyType::RSA } else { KeyType::EC });
            self.session.sign(&mechanism, key, &data).expect("the token signs");
            self.session.logout().expect("logged in before");
        });
        self.session.login(UserType::User, Some(&self.pin)).expect("the PIN is right");
        sample
    }

    fn operation(&self, rsa: bool) -> (ObjectHandle, Mechanism<'static>, Vec<u8>) {
        match rsa {
            true => (self.key(KeyType::RSA), Mechanism::Sha256RsaPkcs, vec![7; 64]),
            false => (self.key(KeyType::EC), Mechanism::Ecdsa, vec![7; 32]),
        }
    }
}
