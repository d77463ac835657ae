//! Waiting for other tokens, and looking meanwhile where nothing announces them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::look::ids;
use super::{Tokens, Worker, held};
use crate::token::{Stranger, TokenId};

/// How often [`Tokens::changed`] looks at sources that do not announce changes, while someone awaits it. (Tests wait it out.)
pub(super) const LOOK: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1000 });
/// How seldom it looks, at last, at sources that announce changes and could not be asked.
const SELDOM: Duration = LOOK.saturating_mul(8);

impl Tokens {
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
        let (mut again, mut rest) = (Instant::now() + LOOK, LOOK);
        loop {
            noticed.mark_unchanged();
            let retry = Instant::now() >= again;
            self.look(|worker| worker.is_due(first, retry)).await;
            first = false;
            if is_so() {
                return;
            }
            if retry {
                rest = (rest * 2).min(SELDOM);
                again = Instant::now() + rest;
            }
            let workers = &self.0.workers;
            let polled = workers.iter().any(|worker| !worker.announces());
            let failed = workers.iter().any(|worker| held(&worker.seen).falls_short());
            let next = match (polled, failed) {
                (true, _) => Some(Instant::now() + LOOK),
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
            match seen.listing.tokens {
                Ok(_) => ids(&seen.tokens),
                Err(_) => BTreeSet::new(),
            }
        };
        self.0.workers.iter().flat_map(shown).collect()
    }
}

impl Worker {
    /// Whether a wait for changes asks it: those that do not announce, those that did, and at times those that failed.
    fn is_due(&self, first: bool, retry: bool) -> bool {
        !self.announces() || self.is_stirred() || (!first && retry && held(&self.seen).falls_short())
    }
}

/// Until then; without a time, for ever.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
