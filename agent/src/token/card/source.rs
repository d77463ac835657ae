//! The cards in all readers, as one source of tokens: each PIN of a card is a token.
//!
//! A card is recognised once for each insertion, in the transaction in which its PINs are first asked for their
//! tries; its certificates are read in the next, and kept for as long as it is in. What was read of one insertion is
//! never used for another: the key's name carries the insertion's number.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use plugin_protocol::api::SourceKind;

use super::apdu::Link;
use super::error::CardError;
use super::family::{Evidence, Family};
use super::pcsc::Stack;
use super::pin::{PinSource, PinStatus};
use super::readers::{Bounds, Insertion, Lane, Pending, Reader, Readers};
use crate::error::Error;
use crate::pin::Pin;
use crate::token::{
    Announcer, Credential, Inserted, Listing, Management, ProveJob, ReaderInfo, SignJob, Source, TokenId, TokenInfo,
    UnblockCode, Wanted, refuse_unsupported,
};

mod listing;
mod marks;
mod opened;

use marks::Marks;
use opened::Opened;

/// Another program's transaction is waited for so long: Windows ends one without traffic after five seconds, and
/// who asked must not wait much longer. (This and the next two are long in tests, of which a busy machine has many at
/// once; those that wait one out have [`Cards::patience`] of their own.)
const BEGIN: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 5 });
/// No command that reads takes a card so long; drivers give up after a few seconds themselves.
const CALL: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 15 });
/// A service that looks at its readers every 400 ms has looked twice by then.
const LOOK: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 1 });
/// Reading a card: contactless ones with many certificates take seconds.
const READING: Bounds = Bounds {
    begin: BEGIN,
    script: Duration::from_secs(60),
    call: CALL,
    look: LOOK,
};
/// With a PIN: a reader's keys are waited for, up to 90 s for the first and 90 s between two.
const WITH_PIN: Bounds = Bounds {
    begin: BEGIN,
    script: Duration::from_secs(240),
    // Some sign only once they were touched, for which they wait 15 s.
    call: CALL.saturating_mul(4),
    look: LOOK,
};

/// How long a reader is waited for.
#[derive(Clone, Copy)]
struct Patience {
    /// When its card is read.
    reading: Bounds,
    /// When its card is given a PIN.
    with_pin: Bounds,
}

/// With every reader alike.
fn ordinary(_reader: &str) -> Patience {
    Patience {
        reading: READING,
        with_pin: WITH_PIN,
    }
}

/// How cards are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// PINs may be typed on readers that have keys.
    pub pads: bool,
    /// Families that are left to PKCS#11 modules.
    pub leave: Vec<Left>,
}

/// A family that is left to PKCS#11 modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its [`Family::id`].
    pub family: String,
    /// Why, for the person to read.
    pub why: String,
}

/// All readers and the cards in them.
pub struct Cards {
    families: Arc<Vec<Box<dyn Family>>>,
    options: Options,
    /// With the reader of this name.
    patience: fn(&str) -> Patience,
    /// What tells cards without a number apart.
    marks: Arc<Marks>,
    readers: Readers,
    lanes: BTreeMap<(u64, String), Lane>,
    /// What is known of each card that is in.
    opened: BTreeMap<Insertion, Arc<Mutex<Opened>>>,
    /// Which token is behind which PIN of which card.
    shown: BTreeMap<TokenId, (Insertion, usize)>,
    /// What the next act with a PIN asks before it begins.
    wanted: Option<Wanted>,
    /// [`Listing::serves`], of the last look at the readers.
    served: Vec<String>,
}

impl Cards {
    /// The cards of these families in the readers of this stack. Nothing is asked before the first question.
    ///
    /// Cards that tell no number have the same id for as long as this is; see [`Cards::remembering`].
    pub fn new(stack: Arc<dyn Stack>, families: Vec<Box<dyn Family>>, options: Options) -> Self {
        Self {
            readers: Readers::new(stack),
            families: Arc::new(families),
            options,
            patience: ordinary,
            marks: Arc::new(Marks::passing()),
            lanes: BTreeMap::new(),
            opened: BTreeMap::new(),
            shown: BTreeMap::new(),
            wanted: None,
            served: Vec::new(),
        }
    }

    /// The same, with ids that stay over runs: what makes them is kept in the agent's state directory, and is made there
    /// when a card without a number is first met.
    pub fn remembering(mut self, state: &Path) -> Self {
        self.marks = Arc::new(Marks::kept_in(state));
        self
    }

    /// The readers now; forgets what is no more.
    fn look(&mut self) -> Result<Vec<Reader>, Error> {
        let listed = self.readers.list();
        let readers = listed.as_deref().unwrap_or_default();
        let inside = |insertion: &Insertion| readers.iter().any(|reader| reader.card.as_ref() == Some(insertion));
        self.opened.retain(|insertion, _| inside(insertion));
        self.shown.retain(|_, (insertion, _)| inside(insertion));
        let same = |run: u64, name: &str| {
            let mut cards = readers
                .iter()
                .filter(|reader| reader.name == name)
                .map(|reader| &reader.card);
            cards.any(|card| card.as_ref().is_none_or(|card| card.service == run))
        };
        self.lanes.retain(|(run, name), _| same(*run, name));
        listed.map_err(Error::ReaderService)
    }

    /// Puts a script in line at the card of an insertion.
    fn put<T: Send + 'static>(
        &mut self,
        insertion: &Insertion,
        bounds: Bounds,
        script: impl FnOnce(&mut Opened, &mut Link<'_>) -> Result<T, CardError> + Send + 'static,
    ) -> Result<Pending<T>, CardError> {
        let opened = self.opened.entry(insertion.clone()).or_default().clone();
        let (families, leave) = (self.families.clone(), self.options.leave.clone());
        let place = (insertion.service, insertion.reader.clone());
        if !self.lanes.get(&place).is_some_and(Lane::is_alive) {
            let lane = self.readers.lane(&insertion.reader, self.options.pads)?;
            self.lanes.insert(place.clone(), lane);
        }
        let lane = self.lanes.get(&place).ok_or(CardError::Removed)?;
        Ok(lane.put(insertion, bounds, move |link, atr| {
            // A script that panicked left it half known: the card is asked anew.
            let mut opened = opened.lock().unwrap_or_else(|poisoned| {
                opened.clear_poison();
                let mut opened = poisoned.into_inner();
                *opened = Opened::default();
                opened
            });
            opened.recognise(&families, &leave, atr, link)?;
            script(&mut opened, link)
        }))
    }

    /// The same, and waits for what it gives.
    fn run<T: Send + 'static>(
        &mut self,
        insertion: &Insertion,
        bounds: Bounds,
        script: impl FnOnce(&mut Opened, &mut Link<'_>) -> Result<T, CardError> + Send + 'static,
    ) -> Result<T, CardError> {
        self.put(insertion, bounds, script)?.wait()
    }

    /// The same with a PIN, where that is still wanted once the card is ours alone.
    fn spend<T: Send + 'static>(
        &mut self,
        insertion: &Insertion,
        script: impl FnOnce(&mut Opened, &mut Link<'_>) -> Result<T, CardError> + Send + 'static,
    ) -> Result<T, Error> {
        let wanted = self.wanted.take();
        let act = move |opened: &mut Opened, link: &mut Link<'_>| match wanted.map_or(Ok(()), |wanted| wanted()) {
            Ok(()) => script(opened, link).map(Ok),
            Err(error) => Ok(Err(error)),
        };
        self.run(insertion, (self.patience)(&insertion.reader).with_pin, act)?
    }

    /// Whether a call to the reader of this card does not return.
    fn hangs(&self, insertion: &Insertion) -> bool {
        let place = (insertion.service, insertion.reader.clone());
        self.lanes.get(&place).is_some_and(Lane::is_hung)
    }

    /// The card and the PIN behind a token.
    fn place(&self, token: &TokenId) -> Result<(Insertion, usize), Error> {
        let (insertion, slot) = self.shown.get(token).ok_or(Error::TokenRemoved)?;
        match self.readers.holds(insertion) {
            true => Ok((insertion.clone(), *slot)),
            false => Err(Error::TokenRemoved),
        }
    }

    /// The same for the card that the person saw, and no other of its name.
    fn seen(&self, token: &TokenId, insertion: Option<u64>) -> Result<(Insertion, usize), Error> {
        let (now, slot) = self.place(token)?;
        match insertion == Some(now.number) {
            true => Ok((now, slot)),
            false => Err(Error::TokenRemoved),
        }
    }

    /// The same for what the person agreed to: the certificate read of this insertion, and where its PIN comes from.
    fn agreed(
        &self,
        token: &TokenId,
        certificate: &[u8],
        key: &str,
        pin: Option<Pin>,
    ) -> Result<(Insertion, usize, Credential, PinSource), Error> {
        let (insertion, slot) = self.place(token)?;
        let opened = self.opened.get(&insertion).ok_or(Error::TokenRemoved)?;
        let opened = held(opened)?;
        let read = opened.credentials(slot).ok_or(Error::TokenRemoved)?;
        let same = |credential: &&Credential| {
            credential.certificate == certificate && key == carried(&insertion, &credential.key)
        };
        let credential = read.iter().find(same).ok_or(Error::TokenRemoved)?.clone();
        let pin = match pin {
            Some(pin) => PinSource::Typed(pin),
            None if opened.has_pad(slot) => PinSource::Pad,
            None => {
                let why = "no PIN was given, and this reader takes none on keys of its own";
                return Err(Error::UnsupportedAlgorithm(why.to_owned()));
            }
        };
        Ok((insertion, slot, credential, pin))
    }
}

impl Source for Cards {
    fn name(&self) -> &str {
        "PC/SC"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pcsc
    }

    fn announce(&mut self, announcer: Announcer) -> bool {
        self.readers.announce(announcer);
        true
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        self.listing().tokens
    }

    fn listing(&mut self) -> Listing {
        self.list()
    }

    fn bind(&mut self, wanted: Wanted) {
        self.wanted = Some(wanted);
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        let (insertion, slot) = self.place(token)?;
        let read = move |opened: &mut Opened, link: &mut Link<'_>| opened.read(slot, link);
        let opened = self.opened.get(&insertion).ok_or(Error::TokenRemoved)?;
        let known = held(opened)?.credentials(slot).map(<[_]>::to_vec);
        let mut credentials = match known {
            Some(known) => known,
            None => self.run(&insertion, (self.patience)(&insertion.reader).reading, read)?,
        };
        for credential in &mut credentials {
            credential.key = carried(&insertion, &credential.key);
        }
        Ok(credentials)
    }

    fn sign(&mut self, token: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        let (insertion, slot, credential, pin) = self.agreed(token, &job.certificate, &job.key, pin)?;
        refuse_unsupported(&credential.mechanisms, &job.inputs)?;
        let sign = move |opened: &mut Opened, link: &mut Link<'_>| {
            opened.card()?.sign(slot, &credential.key, &job.inputs, pin, link)
        };
        self.spend(&insertion, sign)
    }

    fn prove(&mut self, token: &TokenId, job: ProveJob, pin: Option<Pin>) -> Result<Evidence, Error> {
        let (insertion, slot, _, pin) = self.agreed(token, &job.certificate, &job.key, pin)?;
        let prove =
            move |opened: &mut Opened, link: &mut Link<'_>| opened.card()?.prove(slot, &job.statement, pin, link);
        self.spend(&insertion, prove)
    }

    fn management(&mut self, token: &TokenId) -> Result<Management, Error> {
        let (insertion, slot) = self.place(token)?;
        let ask = move |opened: &mut Opened, link: &mut Link<'_>| {
            let card = opened.card()?;
            let management = card.management(slot);
            let status = match management.unblock {
                Some(_) => card.unblock_status(slot, link)?,
                None => PinStatus::default(),
            };
            Ok((management, status))
        };
        let (management, status) = self.run(&insertion, (self.patience)(&insertion.reader).reading, ask)?;
        let unblock = management.unblock.map(|code| UnblockCode {
            name: code.name.to_owned(),
            length: code.length,
            tries_left: status.tries_left,
        });
        Ok(Management {
            change: management.change,
            unblock,
        })
    }

    fn change_pin(&mut self, token: &TokenId, insertion: Option<u64>, old: Pin, new: Pin) -> Result<(), Error> {
        let (insertion, slot) = self.seen(token, insertion)?;
        let change = move |opened: &mut Opened, link: &mut Link<'_>| opened.card()?.change_pin(slot, old, new, link);
        self.spend(&insertion, change)
    }

    fn unblock_pin(&mut self, token: &TokenId, insertion: Option<u64>, code: Pin, new: Pin) -> Result<(), Error> {
        let (insertion, slot) = self.seen(token, insertion)?;
        let unblock = move |opened: &mut Opened, link: &mut Link<'_>| opened.card()?.unblock_pin(slot, code, new, link);
        self.spend(&insertion, unblock)
    }

    fn readers(&mut self) -> Result<Vec<ReaderInfo>, Error> {
        let readers = self.look()?;
        let info = |reader: Reader| {
            let card = match (reader.card, reader.mute) {
                (_, true) => Inserted::Unreadable("it does not answer; is it the right way round?".to_owned()),
                (None, false) => Inserted::Nothing,
                (Some(insertion), false) => {
                    let bounds = (self.patience)(&insertion.reader).reading;
                    let told = self.run(&insertion, bounds, Opened::describe);
                    told.unwrap_or_else(|error| match error {
                        CardError::Silent(time) if self.hangs(&insertion) => Inserted::Hung(time),
                        CardError::InUse => Inserted::InUse,
                        error => Inserted::Unreadable(error.to_string()),
                    })
                }
            };
            ReaderInfo {
                name: reader.name,
                card,
            }
        };
        Ok(readers.into_iter().map(info).collect())
    }
}

/// A card's key by its name outside: what was agreed to of one insertion names no key of another.
fn carried(insertion: &Insertion, key: &str) -> String {
    format!("{}:{key}", insertion.number)
}

/// What is known of a card. A script that hangs holds it: nobody waits for that one.
fn held(opened: &Mutex<Opened>) -> Result<MutexGuard<'_, Opened>, CardError> {
    match opened.try_lock() {
        Ok(opened) => Ok(opened),
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => Err(CardError::Silent(READING.script)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
