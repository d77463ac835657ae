//! One consented job: look again, log in, sign, log out. Nothing here tries a PIN twice.

use std::cmp::Reverse;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use cryptoki_sys::CK_MECHANISM_TYPE;
use plugin_protocol::api::PinState;
use plugin_protocol::api::SignatureScheme::{Ecdsa, Gost, RsaPkcs1, RsaPss};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::frame::{Failure, SIGNATURE_LIMIT};
use super::gost;
use super::key_name::KeyName;
use super::mechanism::{Way, ways};
use super::module::{Module, pin_info, usable};
use super::objects::{Certificate, Fit, Objects, PrivateKey};
use super::public_key::PublicKey;
use crate::token::{PinInfo, SignInput, SignJob, TokenId};

/// How the token is logged in to.
enum Login {
    /// With this PIN.
    Pin(RawAuthPin),
    /// On the reader's pad: C_Login without a PIN.
    Pad,
    /// Not at all.
    None,
}

impl Module {
    /// Signs every input of the job with its key.
    pub(super) fn sign(
        &self,
        id: &TokenId,
        job: &SignJob,
        pin: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let (slot, told) = self.find(id)?;
        let login = Login::new(&pin_info(&told), pin)?;
        let session = self.pkcs11.open_ro_session(slot)?;
        let name = KeyName::parse(&job.key).ok_or(Failure::TokenRemoved)?;
        let with_id = |id: Vec<u8>| Objects {
            raw: &self.raw,
            session: &session,
            only: Some(id),
        };
        // The same certificate still? Nothing is spent before this is certain.
        let same = |found: &Certificate| found.der == job.certificate && found.id == name.certificate;
        let certificate = with_id(name.certificate.clone())
            .certificates()?
            .into_iter()
            .find(same)
            .ok_or(Failure::TokenRemoved)?;
        let mechanisms = self.raw.mechanisms(slot)?;
        refuse_hopeless(&certificate.key, &mechanisms, &job.inputs)?;

        let logged_in = login.user(&session).map_err(|error| self.refused(slot, error))?;
        let key = key_for(&with_id(name.key), &certificate)?;
        let signer = Signer {
            module: self,
            session: &session,
            key,
            mechanisms,
            certificate,
        };
        let signatures = job.inputs.iter().map(|input| signer.sign(input, &login)).collect();
        drop(logged_in);
        signatures
    }

    /// What a refused login means, with the tries left as far as the flags tell them.
    fn refused(&self, slot: Slot, error: Error) -> Failure {
        match Failure::from(error) {
            Failure::PinIncorrect(_) => match self.pkcs11.get_token_info(slot) {
                Ok(told) if told.user_pin_locked() => Failure::PinLocked,
                Ok(told) if told.user_pin_final_try() => Failure::PinIncorrect(Some(1)),
                _ => Failure::PinIncorrect(None),
            },
            other => other,
        }
    }
}

impl Login {
    /// Refuses what cannot succeed before it costs a try.
    fn new(known: &PinInfo, pin: Option<Zeroizing<Vec<u8>>>) -> Result<Self, Failure> {
        match known.state {
            PinState::NotNeeded => return Ok(Self::None),
            PinState::Locked => return Err(Failure::PinLocked),
            PinState::MustChange => return Err(Failure::PinMustChange),
            PinState::Ok | PinState::Low | PinState::FinalTry => {}
        }
        if known.pad {
            return Ok(Self::Pad);
        }
        let mut pin = pin.ok_or(Failure::PinMissing)?;
        let (min, max) = known.length.unwrap_or((1, usize::MAX));
        // An empty PIN is C_Login's sign for the pad.
        if pin.len() < min.max(1) || pin.len() > max {
            return Err(Failure::PinLength(min.max(1), max));
        }
        Ok(Self::Pin(RawAuthPin::new(Box::new(std::mem::take(&mut *pin)))))
    }

    /// C_Login as the user.
    fn user<'a>(&self, session: &'a Session) -> Result<Option<LoggedIn<'a>>, Error> {
        use RvError::{UserAlreadyLoggedIn, UserAnotherAlreadyLoggedIn};
        if matches!(self, Self::None) {
            return Ok(None);
        }
        match self.attempt(session, UserType::User) {
            // Only a job of this process that could not log out leaves this; the PIN was not looked at.
            Err(Error::Pkcs11(UserAlreadyLoggedIn | UserAnotherAlreadyLoggedIn, Function::Login)) => {
                session.logout()?;
                self.attempt(session, UserType::User)?;
            }
            done => done?,
        }
        Ok(Some(LoggedIn(session)))
    }

    fn attempt(&self, session: &Session, user: UserType) -> Result<(), Error> {
        match self {
            Self::Pin(pin) => {
                debug_assert!(!pin.expose_secret().is_empty(), "refused before");
                session.login_with_raw(user, pin)
            }
            Self::Pad => session.login(user, None),
            Self::None => Ok(()),
        }
    }
}

/// Logs out when dropped, on every path.
struct LoggedIn<'a>(&'a Session);

impl Drop for LoggedIn<'_> {
    fn drop(&mut self) {
        // The session is closed next, which logs out as well where it is the last.
        let _ = self.0.logout();
    }
}

/// The one private key of the certificate, now that all are visible.
fn key_for(objects: &Objects<'_>, certificate: &Certificate) -> Result<PrivateKey, Failure> {
    let keys = objects.private_keys()?;
    // Where keys tell their public half themselves, the objects beside them are not read.
    let sure = |keys: &[PrivateKey]| keys.iter().any(|key| certificate.fit(&key.facts, &[]) == Fit::Yes);
    let public_keys = if sure(&keys) {
        Vec::new()
    } else {
        objects.public_keys()?
    };
    let fits = keys
        .into_iter()
        .map(|key| (certificate.fit(&key.facts, &public_keys), key));
    // Where nothing tells, the signature is checked against the certificate before it leaves the agent.
    let best = fits
        .filter(|(fit, _)| *fit != Fit::No)
        .min_by_key(|(fit, _)| Reverse(*fit));
    best.map(|(_, key)| key).ok_or_else(|| {
        Failure::NoCertificate("the token holds no private key that belongs to this certificate".to_owned())
    })
}

/// What the key cannot make, or the token has no mechanism for, is refused before the login.
///
/// The module is not trusted to refuse: SoftHSM 2.6.1 crashes on RSA-PSS with an EC key.
fn refuse_hopeless(key: &PublicKey, list: &[CK_MECHANISM_TYPE], inputs: &[SignInput]) -> Result<(), Failure> {
    if let PublicKey::Gost(key) = key
        && key.hash().is_none()
    {
        return Err(Failure::Unsupported(gost::OLD.to_owned()));
    }
    let fits = |input: &SignInput| match (key, input.scheme) {
        (PublicKey::Ec(..), Ecdsa) | (PublicKey::Rsa(_), RsaPkcs1 | RsaPss) => !input.hash.is_streebog(),
        (PublicKey::Gost(key), Gost) => key.hash() == Some(input.hash),
        _ => false,
    };
    inputs
        .iter()
        .find(|input| !fits(input) || ways(list, input).is_empty())
        .map_or(Ok(()), |input| Err(unsupported(input)))
}

fn unsupported(input: &SignInput) -> Failure {
    Failure::Unsupported(format!("no mechanism for {:?} with {:?}", input.scheme, input.hash))
}

struct Signer<'a> {
    module: &'a Module,
    session: &'a Session,
    key: PrivateKey,
    mechanisms: Vec<CK_MECHANISM_TYPE>,
    certificate: Certificate,
}

impl Signer<'_> {
    fn sign(&self, input: &SignInput, login: &Login) -> Result<Vec<u8>, Failure> {
        self.begin(input).and_then(|way| {
            if self.key.always_authenticate {
                login.attempt(self.session, UserType::ContextSpecific)?;
            }
            let signature = self.module.raw.sign(self.session, &way.data, SIGNATURE_LIMIT)?;
            match self.certificate.key.signature_length() {
                Some(length) if length == signature.len() => Ok(signature),
                _ => Err(Failure::Module(format!(
                    "answered with a signature of {} bytes",
                    signature.len()
                ))),
            }
        })
    }

    /// C_SignInit with the first mechanism the key takes; a refusal here costs nothing.
    fn begin(&self, input: &SignInput) -> Result<Way, Failure> {
        let mut refusal = unsupported(input);
        for way in ways(&usable(&self.mechanisms, Some(&self.key)), input) {
            match self
                .module
                .raw
                .sign_init(self.session, self.key.handle, way.mechanism, way.parameter())
            {
                Ok(()) => return Ok(way),
                // Some modules say so of a parameter that they miss, or do not want.
                Err(error @ Error::Pkcs11(RvError::ArgumentsBad, _)) => refusal = error.into(),
                Err(error) => match Failure::from(error) {
                    unsupported @ Failure::Unsupported(_) => refusal = unsupported,
                    other => return Err(other),
                },
            }
        }
        Err(refusal)
    }
}
