//! What is done with a PIN: for as long as it is wanted, and no longer than somebody waits for it.

use std::sync::Arc;

use super::Tokens;
use crate::error::Error;
use crate::pin::Pin;
use crate::token::card::family::Evidence;
use crate::token::{ProveJob, SignJob, Source, TokenId, TokenInfo, Wanted};

impl Tokens {
    /// Has a token sign: logs in, signs every input, logs out.
    ///
    /// `wanted` is asked when the token's turn has come, which may be a while after the call, and again where the
    /// token had to be waited for then: its error costs no PIN try. Neither does a future that was dropped by then; the
    /// PIN goes with it, whatever still holds the source.
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
}
