//! How many requests wait for something: for events, or for a pairing's decision.
//!
//! (An operation knows more of its client than this: see `life/presence.rs`.)

use std::time::Duration;

use tokio::sync::watch;

/// Counts open requests. Cheap; nothing wakes up unless someone awaits a change.
pub struct OpenRequests(watch::Sender<usize>);

/// One open request; dropping it (answered, or its connection gone) ends it.
pub struct OpenRequest<'a>(&'a OpenRequests);

impl OpenRequests {
    /// Nobody there.
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Counts a request until the guard is dropped.
    pub fn enter(&self) -> OpenRequest<'_> {
        self.0.send_modify(|open| *open += 1);
        OpenRequest(self)
    }

    /// Returns when somebody is there.
    pub async fn arrived(&self) {
        self.until(|open| open > 0).await;
    }

    /// Returns when nobody is there.
    pub async fn left(&self) {
        self.until(|open| open == 0).await;
    }

    /// Returns when nobody has been there for all of `grace`.
    pub async fn gone(&self, grace: Duration) {
        loop {
            self.left().await;
            if tokio::time::timeout(grace, self.arrived()).await.is_err() {
                return;
            }
        }
    }

    async fn until(&self, state: impl Fn(usize) -> bool) {
        let mut open = self.0.subscribe();
        // The sender is ours and outlives this borrow, so the wait cannot fail.
        let _ = open.wait_for(|open| state(*open)).await;
    }
}

impl Default for OpenRequests {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|open| *open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::time::{Instant, advance};

    #[tokio::test(start_paused = true)]
    async fn is_gone_only_after_a_whole_grace_without_anyone() {
        let requests = Arc::new(OpenRequests::new());
        let begun = Instant::now();
        let gone = tokio::spawn({
            let requests = requests.clone();
            async move {
                requests.gone(Duration::from_secs(10)).await;
                Instant::now()
            }
        });
        for _ in 0..3 {
            let _first = requests.enter();
            let second = requests.enter();
            tokio::task::yield_now().await;
            advance(Duration::from_secs(25)).await;
            drop(second);
            advance(Duration::from_secs(25)).await;
            drop(_first);
            tokio::task::yield_now().await;
            advance(Duration::from_secs(9)).await;
        }
        assert!(!gone.is_finished());
        let ended = gone.await.expect("no panic");
        assert_eq!(ended - begun, Duration::from_secs(3 * 59 + 1));
    }
}
