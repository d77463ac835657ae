//! One thread per source: the only file that knows both threads and async.
//!
//! A [`Source`] blocks; its thread starts with the first question and then waits
//! for the next one without waking. Sources are asked at the same time, so a slow
//! one delays nobody else's tokens longer than its own bound.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use plugin_protocol::api::SourceKind;
use tokio::sync::{broadcast, oneshot, watch};

use super::card::family::Evidence;
use super::{
    Announcer, Credential, Management, Notice, ProveJob, ReaderInfo, SignJob, Source, Stranger, TokenId, TokenInfo,
    Wanted,
};
use crate::error::Error;
use crate::pin::Pin;

/// How often [`Tokens::changed`] looks at sources that do not announce changes, while someone awaits it. (Tests wait it out.)
const LOOK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1000 });
/// How seldom it looks, at last, at sources that announce changes and could not be asked.
const SELDOM: Duration = LOOK.saturating_mul(8);
/// Events a slow subscriber may be behind before it loses the oldest.
const EVENTS: usize = 64;

/// What was noticed while looking at the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenEvent {
    /// A token is there that was not at the last look.
    Added(TokenId),
    /// A token is gone.
    Removed(TokenId),
    /// A source told of it.
    Noticed(Notice),
    /// A source could not be asked.
    WorkerFailed {
        /// [`Source::name`].
        module: String,
        /// It rests because it failed too often.
        suspended: bool,
    },
}

/// All tokens of all sources. Cheap to clone; the threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    workers: Vec<Worker>,
    events: broadcast::Sender<TokenEvent>,
    /// Changes with every notice of a source.
    noticed: watch::Sender<()>,
}

type Job = Box<dyn FnOnce(&mut dyn Source) + Send>;

/// What one source has.
#[derive(Clone, Debug)]
pub struct Listed {
    /// [`Source::name`].
    pub source: String,
    /// [`Source::kind`].
    pub kind: SourceKind,
    /// Its tokens, or why it could not be asked.
    pub tokens: Result<Vec<TokenInfo>, Error>,
    /// [`Source::shortfall`]: why some are not among them.
    pub shortfall: Option<Error>,
}

struct Worker {
    name: String,
    kind: SourceKind,
    lane: Mutex<Lane>,
    seen: Mutex<Seen>,
    /// It announces changes: it is asked again when it did.
    announces: AtomicBool,
    announcer: Announcer,
    /// Something was announced since it was asked last.
    stirred: Arc<AtomicBool>,
}

/// Where a source is: waiting for its first question, or on its thread.
enum Lane {
    Idle(Box<dyn Source>),
    Running(mpsc::Sender<Job>),
    Gone,
}

/// What the last look at a source found.
#[derive(Default)]
struct Seen {
    tokens: BTreeSet<TokenId>,
    /// The last look failed; its tokens are those of the one before.
    failed: bool,
    /// [`Source::serves`].
    serves: Vec<String>,
    /// [`Source::lacks`].
    lacks: bool,
    /// [`Source::shortfall`].
    shortfall: Option<Error>,
    /// [`Source::strangers`].
    strangers: Vec<Stranger>,
    /// The slots of its tokens, where it is a PKCS#11 module.
    slots: Vec<String>,
    suspended: bool,
}

impl Seen {
    /// There may be more than the last look found, and nothing will tell of it.
    fn falls_short(&self) -> bool {
        self.failed || self.lacks
    }
}

impl Tokens {
    /// Takes the sources over; none is asked, and no thread started, before the first question.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        let noticed = watch::Sender::new(());
        let worker = |source| Worker::new(source, &events, &noticed);
        let workers = sources.into_iter().map(worker).collect();
        Self(Arc::new(Inner {
            workers,
            events,
            noticed,
        }))
    }

    /// The tokens present now, of all sources. A source that fails costs only its own tokens.
    pub async fn list(&self) -> Vec<TokenInfo> {
        let listing = self.listing().await;
        listing
            .into_iter()
            .flat_map(|listed| listed.tokens.unwrap_or_default())
            .collect()
    }

    /// The same, source by source, with what each failed of.
    ///
    /// A card has one owner: tokens that a PKCS#11 module finds in a reader whose card is served here are left out.
    pub async fn listing(&self) -> Vec<Listed> {
        let looked = self.look(|_| true).await;
        let listed = |(worker, tokens): (&Worker, Option<_>)| Listed {
            source: worker.name.clone(),
            kind: worker.kind,
            tokens: tokens.unwrap_or_else(|| Ok(Vec::new())),
            shortfall: held(&worker.seen).shortfall.clone(),
        };
        self.0.workers.iter().zip(looked).map(listed).collect()
    }

    /// Asks the sources that are `wanted`, at the same time; `None` for the others.
    async fn look(&self, wanted: impl Fn(&Worker) -> bool) -> Vec<Option<Result<Vec<TokenInfo>, Error>>> {
        // Every question is on its way before the first answer is awaited.
        let ask = |worker: &Worker| {
            wanted(worker).then(|| {
                worker.stirred.store(false, Ordering::SeqCst);
                worker.ask(|source| {
                    let tokens = source.tokens();
                    let strangers = source.strangers();
                    Ok((tokens, source.serves(), source.lacks(), source.shortfall(), strangers))
                })
            })
        };
        let asked: Vec<_> = self.0.workers.iter().map(ask).collect();
        let mut looked = Vec::with_capacity(asked.len());
        let mut stranger = false;
        for (worker, answer) in self.0.workers.iter().zip(asked) {
            let Some(answer) = answer else {
                looked.push(None);
                continue;
            };
            let (tokens, serves, lacks, shortfall, strangers) = match received(&worker.name, answer).await {
                Ok(answer) => answer,
                Err(error) => (Err(error), Vec::new(), false, None, Vec::new()),
            };
            let mut seen = held(&worker.seen);
            (seen.serves, seen.lacks, seen.shortfall) = (serves, lacks, shortfall);
            stranger |= std::mem::replace(&mut seen.strangers, strangers.clone()) != strangers;
            drop(seen);
            looked.push(Some(tokens));
        }
        let served: Vec<String> = self
            .0
            .workers
            .iter()
            .flat_map(|worker| held(&worker.seen).serves.clone())
            .collect();
        for (worker, tokens) in self.0.workers.iter().zip(&mut looked) {
            let Some(tokens) = tokens else { continue };
            if let (SourceKind::Pkcs11, Ok(tokens)) = (worker.kind, tokens.as_mut()) {
                tokens.retain(|token| !token.reader.as_deref().is_some_and(|slot| is_of(slot, &served)));
                held(&worker.seen).slots = tokens.iter().filter_map(|token| token.reader.clone()).collect();
            }
            stranger |= worker.note(tokens, &self.0.events);
        }
        if stranger {
            // Whoever else waits compares again.
            self.0.noticed.send_replace(());
        }
        looked
    }

    /// Cards that were in readers at the last look, and show no token: neither here nor by a module.
    pub fn strangers(&self) -> Vec<Stranger> {
        let workers = &self.0.workers;
        let slots: Vec<String> = workers
            .iter()
            .flat_map(|worker| held(&worker.seen).slots.clone())
            .collect();
        let strangers = workers.iter().flat_map(|worker| held(&worker.seen).strangers.clone());
        let shown = |stranger: &Stranger| {
            let reader = std::slice::from_ref(&stranger.reader);
            slots.iter().any(|slot| is_of(slot, reader))
        };
        strangers.filter(|stranger| !shown(stranger)).collect()
    }

    /// The readers that sources look after, with what is in them; or why a source cannot tell.
    pub async fn readers(&self) -> Vec<(SourceKind, Result<Vec<ReaderInfo>, Error>)> {
        let asked: Vec<_> = self
            .0
            .workers
            .iter()
            .map(|worker| (worker, worker.ask(|source| source.readers())))
            .collect();
        let mut told = Vec::with_capacity(asked.len());
        for (worker, answer) in asked {
            told.push((worker.kind, received(&worker.name, answer).await));
        }
        told
    }

    /// The certificates and keys of a token.
    pub async fn credentials(&self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        let worker = self.owner(token).await?;
        let token = token.clone();
        let answer = received(&worker.name, worker.ask(move |source| source.credentials(&token))).await;
        worker.note_failure(answer.as_ref().err(), &self.0.events);
        answer
    }

    /// Has a token sign: logs in, signs every input, logs out.
    ///
    /// `wanted` is asked when the token's turn has come, which may be a while after the call, and again where the
    /// token had to be waited for then: its error costs no PIN try. Neither does a future that was dropped by then.
    pub async fn sign(
        &self,
        token: &TokenId,
        job: SignJob,
        pin: Option<Pin>,
        wanted: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let sign = move |source: &mut dyn Source, token: &TokenId| source.sign(token, job, pin);
        self.spend(token, wanted, sign).await
    }

    /// What can be done about a token's PIN.
    pub async fn management(&self, token: &TokenId) -> Result<Management, Error> {
        self.put(token, |source, token| source.management(token)).await
    }

    /// Changes the PIN of a token as it was shown, of this insertion and no other; `wanted` as [`Tokens::sign`] has it.
    pub async fn change_pin(
        &self,
        token: &TokenInfo,
        old: Pin,
        new: Pin,
        wanted: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let insertion = token.insertion;
        let change = move |source: &mut dyn Source, token: &TokenId| source.change_pin(token, insertion, old, new);
        self.spend(&token.id, wanted, change).await
    }

    /// Gives the PIN of a token as it was shown a new value and its tries back with the code for that; `wanted` as
    /// [`Tokens::sign`] has it.
    pub async fn unblock_pin(
        &self,
        token: &TokenInfo,
        code: Pin,
        new: Pin,
        wanted: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let insertion = token.insertion;
        let unblock = move |source: &mut dyn Source, token: &TokenId| source.unblock_pin(token, insertion, code, new);
        let unblocked = self.spend(&token.id, wanted, unblock).await;
        unblocked.map_err(|error| match error {
            Error::PinIncorrect(left) => Error::PukIncorrect(left),
            Error::PinLocked => Error::PukLocked,
            other => other,
        })
    }

    /// Has a card authenticate itself over a statement; `wanted` as [`Tokens::sign`] has it.
    pub async fn prove(
        &self,
        token: &TokenId,
        job: ProveJob,
        pin: Option<Pin>,
        wanted: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Evidence, Error> {
        let prove = move |source: &mut dyn Source, token: &TokenId| source.prove(token, job, pin);
        self.spend(token, wanted, prove).await
    }

    /// Puts an act that spends a PIN to the source that has the token, for as long as it is wanted and this future is.
    async fn spend<T: Send + 'static>(
        &self,
        token: &TokenId,
        wanted: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
        act: impl FnOnce(&mut dyn Source, &TokenId) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let here = Arc::new(());
        let asker = Arc::downgrade(&here);
        let wanted: Wanted = Arc::new(move || match asker.strong_count() {
            0 => Err(Error::Cancelled),
            _ => wanted(),
        });
        let question = move |source: &mut dyn Source, token: &TokenId| {
            wanted()?;
            source.bind(wanted);
            act(source, token)
        };
        let answer = self.put(token, question).await;
        drop(here);
        answer
    }

    /// Puts a question about a token to the source that has it.
    async fn put<T: Send + 'static>(
        &self,
        token: &TokenId,
        question: impl FnOnce(&mut dyn Source, &TokenId) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let worker = self.owner(token).await?;
        let token = token.clone();
        let answer = received(&worker.name, worker.ask(move |source| question(source, &token))).await;
        worker.note_failure(answer.as_ref().err(), &self.0.events);
        answer
    }

    /// Returns when the set of tokens differs from `seen`, or other cards are in that show none than `strangers`.
    ///
    /// As [`Tokens::changed`] is, which cares for tokens alone.
    pub async fn appeared(&self, seen: &[TokenId], strangers: &[Stranger]) {
        let seen: BTreeSet<TokenId> = seen.iter().cloned().collect();
        self.until(|| self.present() != seen || self.strangers() != strangers)
            .await;
    }

    /// Returns when the set of tokens differs from `seen`.
    ///
    /// A source that announces changes is asked when it did. The others are asked about once a second, and only while
    /// someone awaits it: portable PKCS#11 has no wait for slots that every module implements. A source that announces
    /// and could not be asked is tried again, more and more seldom, for what it failed of may pass unannounced.
    pub async fn changed(&self, seen: &[TokenId]) {
        let seen: BTreeSet<TokenId> = seen.iter().cloned().collect();
        self.until(|| self.present() != seen).await;
    }

    /// Looks, as [`Tokens::changed`] says, until what was found is so.
    async fn until(&self, is_so: impl Fn() -> bool) {
        let mut noticed = self.0.noticed.subscribe();
        let mut first = true;
        let (mut again, mut rest) = (tokio::time::Instant::now() + LOOK, LOOK);
        loop {
            noticed.mark_unchanged();
            let retry = tokio::time::Instant::now() >= again;
            self.look(|worker| worker.is_due(first, retry)).await;
            first = false;
            if is_so() {
                return;
            }
            if retry {
                rest = (rest * 2).min(SELDOM);
                again = tokio::time::Instant::now() + rest;
            }
            let workers = &self.0.workers;
            let polled = workers.iter().any(|worker| !worker.announces.load(Ordering::SeqCst));
            let failed = workers.iter().any(|worker| held(&worker.seen).falls_short());
            let next = match (polled, failed) {
                (true, _) => Some(tokio::time::Instant::now() + LOOK),
                (false, true) => Some(again),
                (false, false) => None,
            };
            tokio::select! {
                _ = noticed.changed() => {}
                () = at(next) => {}
            }
        }
    }

    /// The tokens that the last looks found.
    fn present(&self) -> BTreeSet<TokenId> {
        let shown = |worker: &Worker| {
            let seen = held(&worker.seen);
            match seen.failed {
                true => BTreeSet::new(),
                false => seen.tokens.clone(),
            }
        };
        self.0.workers.iter().flat_map(shown).collect()
    }

    /// What is noticed from now on, whoever looked.
    pub fn subscribe(&self) -> broadcast::Receiver<TokenEvent> {
        self.0.events.subscribe()
    }

    /// The source that showed this token last; looks again where none did.
    async fn owner(&self, token: &TokenId) -> Result<&Worker, Error> {
        if let Some(worker) = self.showed(token) {
            return Ok(worker);
        }
        self.listing().await;
        self.showed(token).ok_or(Error::TokenRemoved)
    }

    fn showed(&self, token: &TokenId) -> Option<&Worker> {
        self.0
            .workers
            .iter()
            .find(|worker| held(&worker.seen).tokens.contains(token))
    }
}

impl Worker {
    fn new(source: Box<dyn Source>, events: &broadcast::Sender<TokenEvent>, noticed: &watch::Sender<()>) -> Self {
        let stirred = Arc::new(AtomicBool::new(true));
        let (stir, events, noticed) = (stirred.clone(), events.clone(), noticed.clone());
        let announcer = move |notice| {
            stir.store(true, Ordering::SeqCst);
            if notice != Notice::Changed {
                let _ = events.send(TokenEvent::Noticed(notice));
            }
            noticed.send_replace(());
        };
        Self {
            name: source.name().to_owned(),
            kind: source.kind(),
            lane: Mutex::new(Lane::Idle(source)),
            seen: Mutex::default(),
            announces: AtomicBool::new(false),
            announcer: Arc::new(announcer),
            stirred,
        }
    }

    /// Whether a wait for changes asks it: those that do not announce, those that did, and at times those that failed.
    fn is_due(&self, first: bool, retry: bool) -> bool {
        let announces = self.announces.load(Ordering::SeqCst);
        !announces || self.stirred.load(Ordering::SeqCst) || (!first && retry && held(&self.seen).falls_short())
    }

    /// Puts a question to the source; nobody waits here.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Source) -> Result<T, Error> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Error>> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |source| {
            // The asker may have gone while this waited for its turn.
            if !reply.is_closed() {
                let _ = reply.send(question(source));
            }
        });
        // Where the thread is gone, the job is dropped and its answer with it.
        let mut lane = held(&self.lane);
        if let Lane::Idle(source) = &mut *lane {
            let announces = source.announce(self.announcer.clone());
            self.announces.store(announces, Ordering::SeqCst);
        }
        lane.put(&self.name, job);
        drop(lane);
        answer
    }

    /// Compares a look with the one before and tells of the difference. Whether there is one.
    fn note(&self, tokens: &Result<Vec<TokenInfo>, Error>, events: &broadcast::Sender<TokenEvent>) -> bool {
        self.note_failure(tokens.as_ref().err(), events);
        let turned = std::mem::replace(&mut held(&self.seen).failed, tokens.is_err()) != tokens.is_err();
        let Ok(tokens) = tokens else { return turned };
        let now: BTreeSet<TokenId> = tokens.iter().map(|token| token.id.clone()).collect();
        let before = {
            let mut seen = held(&self.seen);
            seen.suspended = false;
            std::mem::replace(&mut seen.tokens, now.clone())
        };
        for gone in before.difference(&now) {
            let _ = events.send(TokenEvent::Removed(gone.clone()));
        }
        for new in now.difference(&before) {
            let _ = events.send(TokenEvent::Added(new.clone()));
        }
        turned || now != before
    }

    /// Tells of each failure once, and of a rest once.
    fn note_failure(&self, error: Option<&Error>, events: &broadcast::Sender<TokenEvent>) {
        let suspended = match error {
            Some(Error::ModuleFailed(..)) => false,
            Some(Error::ModuleUnavailable(..)) => true,
            _ => return,
        };
        let mut seen = held(&self.seen);
        if suspended && std::mem::replace(&mut seen.suspended, true) {
            return;
        }
        let _ = events.send(TokenEvent::WorkerFailed {
            module: self.name.clone(),
            suspended,
        });
    }
}

impl Lane {
    /// Hands a job to the thread, starting it for the first one.
    fn put(&mut self, name: &str, job: Job) {
        if let Self::Idle(_) = self {
            let Self::Idle(source) = std::mem::replace(self, Self::Gone) else {
                return;
            };
            *self = start(name, source).map_or(Self::Gone, Self::Running);
        }
        if let Self::Running(jobs) = self
            && jobs.send(job).is_err()
        {
            *self = Self::Gone;
        }
    }
}

/// The source's thread; it ends with the last sender, after the job at hand.
fn start(name: &str, mut source: Box<dyn Source>) -> Option<mpsc::Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let run = move || {
        for job in jobs {
            job(source.as_mut());
        }
    };
    let thread = std::thread::Builder::new().name(format!("token {name}")).spawn(run);
    if let Err(error) = &thread {
        tracing::error!(source = name, %error, "no thread for a token source");
    }
    thread.ok().map(|_| sender)
}

/// Until then; without a time, for ever.
async fn at(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// Whether a module's slot is one of these readers. Its description has 64 bytes, filled with blanks and perhaps cut
/// (PKCS#11, CK_SLOT_INFO).
fn is_of(slot: &str, readers: &[String]) -> bool {
    const DESCRIPTION: usize = 64;
    let slot = slot.trim_end();
    let same = |reader: &String| {
        let reader = reader.trim_end();
        reader == slot || (slot.len() + 3 > DESCRIPTION && reader.starts_with(slot))
    };
    readers.iter().any(same)
}

async fn received<T>(name: &str, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
    let gone = || Error::Internal(format!("the thread of the token source {name} is gone"));
    answer.await.unwrap_or_else(|_| Err(gone()))
}

/// A lock whose holder panicked still guards whole data: every change here is one assignment.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names of sources that two of them share would confuse events and `doctor`: numbers the later ones.
pub fn distinct_names(names: Vec<String>) -> Vec<String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut number = |name: String| {
        let count = used.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name} ({count})") }
    };
    names.into_iter().map(&mut number).collect()
}

#[cfg(test)]
mod tests;
