//! One inserted card: what was read of it once, and what each of its calls does.

use std::collections::BTreeMap;
use std::sync::Arc;

use der::Decode;
use plugin_protocol::encoding::{hex, sha256};
use x509_cert::Certificate as X509;

use super::super::apdu::Link;
use super::super::error::{CardError, PinFailure};
use super::super::family::{Card, Evidence, PinManagement, Slot};
use super::super::pin::{PinSource, PinSpec, PinStatus};
use super::super::tlv;
use super::Uec;
use super::assumed::{PIN_LENGTH, PUK_LENGTH, SIGNATURE_ENABLED};
use super::crypto;
use super::cvc::{Certificate, ChainError, Holder, chain};
use super::fci::Application;
use super::kind::{Suite, Version};
use super::objects::only;
use super::obstacle::{Obstacle, Unproven};
use super::session::{Session, select};
use super::terminal::{NoTerminal, Terminal, Terminals};
use crate::certificate::Role;
use crate::clock::Clock;
use crate::pin::Pin;
use crate::prompt::Language;
use crate::token::{Closed, Credential, SignInput};

mod details;
mod prove;

/// Bytes of a PIN on the wire.
const BLOCK: usize = 8;
/// What the card's documents call PIN1: it lets the holder's data be read.
const PIN1: PinSpec = PinSpec::format_2("PIN1", 1, PIN_LENGTH, BLOCK);
/// PIN2: it lets the holder sign.
const PIN2: PinSpec = PinSpec::format_2("PIN2", 2, PIN_LENGTH, BLOCK);
/// The unblocking code: КРП, "код разблокирования ПИН".
const PUK: PinSpec = PinSpec::format_2("КРП (PUK)", 5, PUK_LENGTH, BLOCK);

/// The flag in a terminal's information that lets it ask for the holder's signature.
const MAY_ASK_TO_SIGN: u8 = 0x04;
/// DF2C: the card is in order.
const IN_ORDER: u8 = 0x77;

/// One card.
pub(super) struct UecCard {
    terminals: Arc<Terminals>,
    language: Language,
    clock: Clock,
    known: bool,
    application: Application,
    /// Which terminal it takes, or why none.
    terminal: Result<usize, Obstacle>,
    suite: Suite,
    status: Option<u8>,
    agreement: Option<Vec<u8>>,
    certificate: Option<Certificate>,
    issuer: Option<Certificate>,
    /// The certificates of the holder's signature, where the card has it and the terminal may ask for it.
    holder: Option<Vec<Vec<u8>>>,
    /// By its number, the tries of a PIN that was refused here.
    tries: BTreeMap<u8, Tries>,
}

/// The tries that a PIN has left.
#[derive(Clone, Copy)]
enum Tries {
    /// As the card named them when it refused the PIN last.
    Told(u8),
    /// It named more before, and was given a PIN since without naming any: there are so many at least, where it was
    /// not locked.
    Feared(u8),
}

impl Tries {
    /// What the person may be told: a number of the card's own. A last try that is feared is told as one all the same,
    /// for it needs an extra yes.
    fn shown(self) -> Option<u8> {
        match self {
            Self::Told(left) => Some(left),
            Self::Feared(left) => Some(left).filter(|left| *left == 1),
        }
    }

    /// After a PIN of which the card did not say how many are left.
    fn lowered(self) -> Self {
        let (Self::Told(left) | Self::Feared(left)) = self;
        Self::Feared(left.saturating_sub(1).max(1))
    }
}

impl UecCard {
    /// Asks a card everything that is needed of it while it is inserted, once.
    pub(super) fn open(family: &Uec, known: bool, link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError> {
        let Some(application) = select(link, known)? else {
            return Ok(None);
        };
        let terminals = family.terminals.clone();
        let today = family.clock.now().date();
        let terminal = terminals.fitting(&application, today).map_err(Obstacle::Terminal);
        let of_terminal = terminal.as_ref().ok().and_then(|index| terminals.get(*index));
        let first = Suite::ALL.into_iter().find(|suite| application.auc.has(*suite));
        let mut card = Self {
            suite: of_terminal
                .map(|terminal| terminal.certificate.suite)
                .or(first)
                .unwrap_or(Suite::Gost),
            terminals,
            language: family.language,
            clock: family.clock.clone(),
            known,
            terminal,
            application,
            status: None,
            agreement: None,
            certificate: None,
            issuer: None,
            holder: None,
            tries: BTreeMap::new(),
        };
        card.read(link)?;
        Ok(Some(Box::new(card)))
    }

    /// Status, certificates, and whether the holder can sign.
    fn read(&mut self, link: &mut Link<'_>) -> Result<(), CardError> {
        let mut session = Session::plain(link, &self.application);
        self.status = session.status()?;
        if let Some(status) = self.status.filter(|status| *status != IN_ORDER) {
            self.terminal = Err(Obstacle::Status(status));
        }
        self.read_certificates(&mut session)?;
        self.mind_expiry();
        if self.terminal.is_err() {
            return Ok(());
        }
        let mut session = match self.session(link) {
            Ok(session) => session,
            // The card's own word on the terminal: it would say the same again.
            Err(
                refused @ (CardError::Closed(_)
                | CardError::Malformed(..)
                | CardError::Refused(..)
                | CardError::Unsupported(_)),
            ) => {
                self.terminal = Err(Obstacle::Refused(self.why_refused(&refused)));
                return Ok(());
            }
            // The reader's, or nobody's: the card is asked anew next time.
            Err(failed) => return Err(failed),
        };
        if self.certificate.is_none() || self.issuer.is_none() {
            self.read_certificates(&mut session)?;
        }
        // A plain error to one of the files has ended the session.
        if self.may_sign() && session.is_protected() {
            self.holder = holder(&mut session)?;
        }
        self.mind_expiry();
        if let (Ok(_), Err(unproven)) = (&self.terminal, self.leads_to_a_root()) {
            self.terminal = Err(Obstacle::Unproven(unproven));
        }
        Ok(())
    }

    /// A card whose time is over is of no use, whatever else keeps it from being one; but what it says of its own state
    /// comes first.
    fn mind_expiry(&mut self) {
        let certified = self.certificate.as_ref().map(|certificate| certificate.expires);
        let last = [self.application.expires, certified].into_iter().flatten().min();
        let over = last.filter(|day| *day < self.clock.now().date());
        if let (Some(day), false) = (over, matches!(self.terminal, Err(Obstacle::Status(_)))) {
            self.terminal = Err(Obstacle::Expired(day));
        }
    }

    /// Whether the card's certificate leads to a root; nobody's PIN is asked for where it does not.
    ///
    /// Whether it is still valid is the use case's to say.
    fn leads_to_a_root(&self) -> Result<(), Unproven> {
        if self.certificate.is_none() {
            return Err(Unproven::Withheld);
        }
        match self.chain() {
            None if self.terminals.without_roots() => Ok(()),
            None => Err(Unproven::NoRoot),
            Some(Ok(()) | Err(ChainError::Validity(_))) => Ok(()),
            Some(Err(broken)) => Err(Unproven::Broken(broken.to_string())),
        }
    }

    /// EF 000B and 000C (GOST), 000D and 000E (RSA). What the card does not let be read is not there.
    fn read_certificates(&mut self, session: &mut Session<'_, '_>) -> Result<(), CardError> {
        let (own, issuer) = match self.suite {
            Suite::Gost => (0x000B, 0x000C),
            Suite::Rsa => (0x000D, 0x000E),
        };
        let read = |content: Vec<u8>| tlv::first(&content).and_then(|first| Certificate::read(first.whole).ok());
        if self.certificate.is_none() {
            let content = session.optional_file(own)?.and_then(read);
            self.certificate = content.filter(|read| read.holder == Holder::Application);
        }
        if self.certificate.is_some() && self.issuer.is_none() {
            self.issuer = session.optional_file(issuer)?.and_then(read);
        }
        Ok(())
    }

    /// Selects the application, authenticates the terminal: the one session of a transaction.
    fn session<'s, 't>(&mut self, link: &'s mut Link<'t>) -> Result<Session<'s, 't>, CardError> {
        let terminals = self.terminals.clone();
        let terminal = self.terminal(&terminals)?;
        if select(link, self.known)?.as_ref() != Some(&self.application) {
            return Err(CardError::Removed);
        }
        let mut session = Session::plain(link, &self.application);
        session.set_environment(self.suite)?;
        self.agreement = Some(session.authenticate(terminal, self.agreement.clone())?);
        Ok(session)
    }

    /// Why the card did not take the terminal, with what may be the reason.
    fn why_refused(&self, refused: &CardError) -> String {
        let index = self.terminal.as_ref().ok();
        let terminal = index.and_then(|index| self.terminals.get(*index));
        match terminal.and_then(|terminal| terminal.expired(self.clock.now().date())) {
            Some((holder, day)) => format!("{}; the certificate of {holder} has run out on {day}", told(refused)),
            None => told(refused),
        }
    }

    fn terminal<'a>(&self, terminals: &'a Terminals) -> Result<&'a Terminal, CardError> {
        let closed = |obstacle: &Obstacle| CardError::Closed(obstacle.text(self.language));
        let index = self.terminal.as_ref().map_err(closed)?;
        let gone = || closed(&Obstacle::Terminal(NoTerminal::Configured));
        terminals.get(*index).ok_or_else(gone)
    }

    /// The holder's signature is of v1.1 with GOST, and of terminals that may ask for it.
    fn may_sign(&self) -> bool {
        let index = self.terminal.as_ref().ok();
        let flags = index
            .and_then(|index| self.terminals.get(*index))
            .map_or(0, Terminal::flags);
        self.application.version == Version::V11 && self.suite == Suite::Gost && flags & MAY_ASK_TO_SIGN != 0
    }

    /// What the card said of a PIN's tries, if anything.
    fn known_tries(&self, spec: &PinSpec) -> PinStatus {
        PinStatus {
            tries_left: self.tries.get(&spec.reference).copied().and_then(Tries::shown),
            ..PinStatus::default()
        }
    }

    /// What the card said of a PIN's tries when it had been given one. A blocked one is no number to keep: another
    /// program may unblock it. Where it named no number, or its answer is lost, the PIN may have cost a try.
    fn remember_tries(&mut self, spec: &PinSpec, answer: &Result<(), CardError>) {
        match answer {
            Err(CardError::Pin(PinFailure::Wrong(Some(left)))) => {
                self.tries.insert(spec.reference, Tries::Told(*left));
            }
            Ok(()) | Err(CardError::Pin(PinFailure::Blocked)) => {
                self.tries.remove(&spec.reference);
            }
            Err(_) => {
                if let Some(tries) = self.tries.get_mut(&spec.reference) {
                    *tries = tries.lowered();
                }
            }
        }
    }

    fn spec(&self, slot: usize) -> Result<&'static PinSpec, CardError> {
        match slot {
            0 => Ok(&PIN1),
            1 if self.holder.is_some() => Ok(&PIN2),
            _ => Err(CardError::Unsupported("this card has no such PIN".to_owned())),
        }
    }

    /// The certificate of the application, which every proof names.
    fn certificate(&self) -> Result<&Certificate, CardError> {
        let unread = "the universal card did not let its certificate be read, and proves nothing without it";
        self.certificate
            .as_ref()
            .ok_or_else(|| CardError::Unsupported(unread.to_owned()))
    }

    /// The chain above the card's certificate; `None` where no root is configured.
    fn chain(&self) -> Option<Result<(), ChainError>> {
        let (own, roots) = (self.certificate.as_ref()?, self.terminals.roots());
        (!roots.is_empty()).then(|| {
            let issuer = self.issuer.as_ref().ok_or(ChainError::Missing(own.holder))?;
            let today = self.clock.now().date();
            chain(own, issuer, roots, Some(today)).map(|_| ())
        })
    }
}

/// EF 0012 says whether the holder can sign, EF 0011 holds the certificates.
fn holder(session: &mut Session<'_, '_>) -> Result<Option<Vec<Vec<u8>>>, CardError> {
    let Some(descriptor) = session.optional_file(0x0012)? else {
        return Ok(None);
    };
    let bits = only(&descriptor, 0x30).and_then(|inside| tlv::find(inside, &[0x03]));
    if !matches!(bits, Some([_unused, flags]) if *flags == SIGNATURE_ENABLED) || !session.is_protected() {
        return Ok(None);
    }
    Ok(session
        .optional_file(0x0011)?
        .map(|content| x509(&content))
        .filter(|found| !found.is_empty()))
}

/// X.509 certificates in one data object: one itself, or those in a wrapper ([UNKNOWN] which of the two).
fn x509(content: &[u8]) -> Vec<Vec<u8>> {
    let is_one = |bytes: &&[u8]| X509::from_der(bytes).is_ok();
    if is_one(&content) {
        return vec![content.to_vec()];
    }
    let inside = tlv::first(content).map_or(&[][..], |wrapper| wrapper.value);
    let objects = tlv::elements(inside).map_while(Result::ok).map(|object| object.whole);
    objects.filter(is_one).map(<[u8]>::to_vec).collect()
}

/// A card's refusal in words.
fn told(error: &CardError) -> String {
    match error {
        CardError::Refused(what, status) => format!("{what} was refused with {status}"),
        CardError::Malformed(what, why) => format!("{what}: {why}"),
        CardError::Closed(why) | CardError::Unsupported(why) => why.clone(),
        other => other.to_string(),
    }
}

/// A PIN of this card is typed in the window: the reader's keys cannot encipher it.
fn typed(pin: PinSource) -> Result<Pin, CardError> {
    match pin {
        PinSource::Typed(pin) => Ok(pin),
        PinSource::Pad => Err(CardError::Unsupported(
            "a reader's keys cannot encipher the PIN as this card wants it; type it on the computer".to_owned(),
        )),
    }
}

impl Card for UecCard {
    fn serial(&self) -> Option<String> {
        // Of the certificate, not of the numbers in it: those could be guessed from their hash.
        self.certificate
            .as_ref()
            .map(|certificate| hex(&sha256(certificate.bytes())))
    }

    /// `roots = []`: the deployer's word, which the person should know of.
    fn is_unproven(&self) -> bool {
        self.terminal.is_ok() && self.terminals.without_roots()
    }

    fn closed(&self) -> Option<Closed> {
        self.terminal.as_ref().err().map(Obstacle::closed)
    }

    fn slots(&self) -> Vec<Slot> {
        let slot = |pin, role, label: &str| Slot {
            pin,
            role: Some(role),
            pad: false,
            label: label.to_owned(),
        };
        let mut slots = vec![slot(PIN1, Role::Authentication, "PIN1")];
        if self.holder.is_some() {
            slots.push(slot(PIN2, Role::Signing, "PIN2"));
        }
        slots
    }

    /// The card tells its tries only in the answer to a wrong PIN: they are unknown until then. What it told is kept while
    /// it is in, so that the last try needs an extra yes also in the next operation.
    fn pin_status(&mut self, slot: usize, _: &mut Link<'_>) -> Result<PinStatus, CardError> {
        self.spec(slot).map(|spec| self.known_tries(spec))
    }

    /// The same of the unblocking code.
    fn unblock_status(&mut self, slot: usize, _: &mut Link<'_>) -> Result<PinStatus, CardError> {
        self.spec(slot).map(|_| self.known_tries(&PUK))
    }

    /// Nothing is sent: all was read when the card was opened.
    ///
    /// Without a terminal no key of the card can be used, and the error says so.
    fn credentials(&mut self, slot: usize, _: &mut Link<'_>) -> Result<Vec<Credential>, CardError> {
        let spec = self.spec(slot)?;
        self.terminal(&self.terminals)?;
        let role = match slot {
            0 => Role::Authentication,
            _ => Role::Signing,
        };
        let issuers = self.issuer.iter().map(|issuer| issuer.bytes().to_vec());
        let holders = self.holder.iter().filter(|_| slot == 1).flatten().cloned();
        Ok(vec![Credential {
            key: spec.name.to_owned(),
            certificate: self.certificate()?.bytes().to_vec(),
            intermediates: issuers.chain(holders).collect(),
            mechanisms: Vec::new(),
            role: Some(role),
        }])
    }

    /// Never: what the card's keys sign is a proof of the format `uec`, and nothing else.
    fn sign(
        &mut self,
        _: usize,
        _: &str,
        _: &[SignInput],
        _: PinSource,
        _: &mut Link<'_>,
    ) -> Result<Vec<Vec<u8>>, CardError> {
        let why = "a universal card's keys (GOST R 34.10-2001, RSA with SHA-1) sign proofs of the format uec alone";
        Err(CardError::Unsupported(why.to_owned()))
    }

    fn management(&self, slot: usize) -> PinManagement {
        match self.terminal.is_ok() && self.spec(slot).is_ok() {
            true => PinManagement {
                change: true,
                unblock: Some(PUK),
            },
            false => PinManagement::default(),
        }
    }

    fn change_pin(&mut self, slot: usize, old: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        let spec = self.spec(slot)?;
        // What would be refused is refused before a try is spent on the old one.
        spec.block(&new).map_err(CardError::Pin)?;
        let (mut session, _) = self.unlocked(spec, old, &crypto::random::<32>()?, link)?;
        session.change(spec, new)
    }

    fn unblock_pin(&mut self, slot: usize, puk: Pin, new: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        let spec = self.spec(slot)?;
        spec.block(&new).map_err(CardError::Pin)?;
        let (mut session, _) = self.unlocked(&PUK, puk, &crypto::random::<32>()?, link)?;
        session.reset_counter(spec)?;
        session.change(spec, new)?;
        self.tries.remove(&spec.reference);
        Ok(())
    }

    fn details(&mut self, link: &mut Link<'_>) -> Result<Vec<(String, String)>, CardError> {
        self.describe(link)
    }

    fn prove(
        &mut self,
        slot: usize,
        statement: &[u8],
        pin: PinSource,
        link: &mut Link<'_>,
    ) -> Result<Evidence, CardError> {
        self.evidence(slot, statement, typed(pin)?, link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::card::apdu::Status;

    #[test]
    fn what_went_wrong_is_told_in_words() {
        for error in [
            CardError::Closed("the terminal is none".to_owned()),
            CardError::InUse,
            CardError::Malformed("GET CHALLENGE", "3 bytes".to_owned()),
            CardError::Pin(PinFailure::Wrong(Some(2))),
            CardError::Reader("a parity error".to_owned()),
            CardError::Refused("MUTUAL AUTHENTICATE", Status(0x6982)),
            CardError::Removed,
            CardError::Service("it ended".to_owned()),
            CardError::Silent(std::time::Duration::from_secs(15)),
            CardError::Unsupported("no such key".to_owned()),
        ] {
            let (told, written) = (told(&error), format!("{error:?}"));
            let variant = written.split('(').next().unwrap_or_default();
            assert!(!told.contains(&written) && !told.contains(variant), "{told}");
            assert!(told.contains(' '), "{told}");
        }
    }
}
