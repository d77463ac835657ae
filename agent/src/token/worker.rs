//! One thread per source: nothing else knows both threads and async.
//!
//! A [`Source`] blocks; its thread starts with the first question and then waits
//! for the next one without waking. Sources are asked at the same time, so a slow
//! one delays nobody else's tokens longer than its own bound.
//!
//! [`Tokens`] is what the rest of the agent asks. Below it: `thread`, where a source is asked; `look`, what looking at
//! all of them finds; `wait`, until that is something else; `spend`, what is done with a PIN.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_protocol::api::SourceKind;
use tokio::sync::{broadcast, watch};

use super::{Credential, Management, Notice, ReaderInfo, Source, TokenId, TokenInfo};
use crate::error::Error;

mod look;
mod spend;
mod thread;
mod wait;

use thread::Worker;

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

/// What one source has.
#[derive(Clone, Debug)]
pub struct Listed {
    /// [`Source::name`].
    pub source: String,
    /// [`Source::kind`].
    pub kind: SourceKind,
    /// Its tokens, or why it could not be asked.
    pub tokens: Result<Vec<TokenInfo>, Error>,
    /// [`Listing::shortfall`](super::Listing::shortfall): why some are not among them.
    pub shortfall: Option<Error>,
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
    /// A card has one owner: tokens that a PKCS#11 module finds in a reader whose card is served here are left out. So
    /// they are while the reader service is down, for the readers of the last look: the cards are ours once it is back.
    pub async fn listing(&self) -> Vec<Listed> {
        self.look(|_| true).await;
        let listed = |worker: &Worker| {
            let seen = held(&worker.seen);
            Listed {
                source: worker.name.clone(),
                kind: worker.kind,
                tokens: seen.listing.tokens.clone(),
                shortfall: seen.listing.shortfall.clone(),
            }
        };
        self.0.workers.iter().map(listed).collect()
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
            told.push((worker.kind, answer.await));
        }
        told
    }

    /// The certificates and keys of a token.
    pub async fn credentials(&self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        self.put(token, |source, token| source.credentials(token)).await
    }

    /// What can be done about a token's PIN.
    pub async fn management(&self, token: &TokenId) -> Result<Management, Error> {
        self.put(token, |source, token| source.management(token)).await
    }

    /// Puts a question about a token to the source that has it.
    async fn put<T: Send + 'static>(
        &self,
        token: &TokenId,
        question: impl FnOnce(&mut dyn Source, &TokenId) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let worker = self.owner(token).await?;
        let token = token.clone();
        let answer = worker.ask(move |source| question(source, &token)).await;
        worker.note_failure(answer.as_ref().err(), &self.0.events);
        answer
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
        let shows = |worker: &&Worker| held(&worker.seen).tokens.iter().any(|shown| shown.id == *token);
        self.0.workers.iter().find(shows)
    }
}

/// A lock whose holder panicked still guards whole data: every change here is one assignment.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
