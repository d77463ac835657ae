//! What looking at the sources finds, and what of it is news.

use std::collections::BTreeSet;

use plugin_protocol::api::SourceKind;
use tokio::sync::broadcast;

use super::thread::Told;
use super::{TokenEvent, Tokens, Worker, held};
use crate::error::Error;
use crate::token::{Listing, Stranger, TokenId, TokenInfo};

/// What the last look at a source found.
#[derive(Default)]
pub(super) struct Seen {
    /// All it told.
    pub(super) listing: Listing,
    /// Its tokens; where the last look failed, those of the one before.
    pub(super) tokens: Vec<TokenInfo>,
    /// It was told of that it rests.
    suspended: bool,
    /// The [`Told::ticket`] of the newest look.
    ticket: u64,
}

impl Seen {
    /// There may be more than the last look found, and nothing will tell of it.
    pub(super) fn falls_short(&self) -> bool {
        self.listing.tokens.is_err() || self.listing.lacks
    }

    /// Whether no newer look than that of this ticket was taken down: who waited for another source may come late.
    fn takes(&mut self, ticket: u64) -> bool {
        let newest = ticket >= self.ticket;
        if newest {
            self.ticket = ticket;
        }
        newest
    }
}

impl Tokens {
    /// Asks the sources that are `wanted`, at the same time, and takes down what each has.
    pub(super) async fn look(&self, wanted: impl Fn(&Worker) -> bool) {
        let workers = &self.0.workers;
        // Every question is on its way before the first answer is awaited.
        let ask = |worker| (worker, Worker::ask_for_tokens(worker));
        let asked: Vec<_> = workers.iter().filter(|worker| wanted(worker)).map(ask).collect();
        let begun = Begun {
            tokens: self,
            asked: asked.iter().map(|(worker, _)| *worker).collect(),
        };
        let mut looked = Vec::with_capacity(asked.len());
        for (worker, answer) in asked {
            looked.push((worker, answer.await));
        }
        for (worker, told) in &looked {
            let mut seen = held(&worker.seen);
            if seen.takes(told.ticket) {
                seen.listing.serves.clone_from(&told.listing.serves);
            }
        }
        let serves = |worker: &Worker| held(&worker.seen).listing.serves.clone();
        let served: Vec<String> = workers.iter().flat_map(serves).collect();
        let mut differs = false;
        for (worker, mut told) in looked {
            if let (SourceKind::Pkcs11, Ok(tokens)) = (worker.kind, told.listing.tokens.as_mut()) {
                tokens.retain(|token| !token.reader.as_deref().is_some_and(|slot| is_of(slot, &served)));
            }
            differs |= worker.note(told, &self.0.events);
        }
        begun.ended();
        if differs {
            // Whoever else waits compares again.
            self.0.noticed.send_replace(());
        }
    }

    /// Cards that were in readers at the last look, and show no token: neither here nor by a module.
    pub fn strangers(&self) -> Vec<Stranger> {
        let workers = &self.0.workers;
        let slots: Vec<String> = workers.iter().flat_map(Worker::slots).collect();
        let strangers = |worker: &Worker| held(&worker.seen).listing.strangers.clone();
        let shown = |stranger: &Stranger| {
            let reader = std::slice::from_ref(&stranger.reader);
            slots.iter().any(|slot| is_of(slot, reader))
        };
        let strangers = workers.iter().flat_map(strangers);
        strangers.filter(|stranger| !shown(stranger)).collect()
    }
}

/// A look that has not been noted yet. Where whoever looked goes away before it is, what was announced is still news.
struct Begun<'a> {
    tokens: &'a Tokens,
    asked: Vec<&'a Worker>,
}

impl Begun<'_> {
    /// All of it was noted.
    fn ended(mut self) {
        self.asked.clear();
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.asked.is_empty() {
            self.asked.iter().for_each(|worker| worker.stir());
            self.tokens.0.noticed.send_replace(());
        }
    }
}

impl Worker {
    /// The slots of its tokens, where it is a PKCS#11 module that could be asked.
    fn slots(&self) -> Vec<String> {
        match self.kind {
            SourceKind::Pkcs11 => {
                let seen = held(&self.seen);
                let tokens = seen.listing.tokens.as_deref().unwrap_or_default();
                tokens.iter().filter_map(|token| token.reader.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Compares a look with the one before and tells of the difference. Whether there is one. A look that is older than
    /// the one before is no news.
    fn note(&self, told: Told, events: &broadcast::Sender<TokenEvent>) -> bool {
        let Told { ticket, listing } = told;
        let mut seen = held(&self.seen);
        if !seen.takes(ticket) {
            return false;
        }
        self.tell_failure(&mut seen, listing.tokens.as_ref().err(), events);
        let mut differs =
            seen.listing.tokens.is_err() != listing.tokens.is_err() || seen.listing.strangers != listing.strangers;
        if let Ok(tokens) = &listing.tokens {
            let (before, now) = (ids(&seen.tokens), ids(tokens));
            for gone in before.difference(&now) {
                let _ = events.send(TokenEvent::Removed(gone.clone()));
            }
            for new in now.difference(&before) {
                let _ = events.send(TokenEvent::Added(new.clone()));
            }
            differs |= now != before;
            seen.tokens.clone_from(tokens);
            seen.suspended = false;
        }
        seen.listing = listing;
        differs
    }

    /// Tells of each failure once, and of a rest once.
    pub(super) fn note_failure(&self, error: Option<&Error>, events: &broadcast::Sender<TokenEvent>) {
        self.tell_failure(&mut held(&self.seen), error, events);
    }

    fn tell_failure(&self, seen: &mut Seen, error: Option<&Error>, events: &broadcast::Sender<TokenEvent>) {
        let suspended = match error {
            Some(Error::ModuleFailed(..)) => false,
            Some(Error::ModuleUnavailable(..)) => true,
            _ => return,
        };
        if suspended && std::mem::replace(&mut seen.suspended, true) {
            return;
        }
        let _ = events.send(TokenEvent::WorkerFailed {
            module: self.name.clone(),
            suspended,
        });
    }
}

/// What a set of tokens is compared by.
pub(super) fn ids(tokens: &[TokenInfo]) -> BTreeSet<TokenId> {
    tokens.iter().map(|token| token.id.clone()).collect()
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
