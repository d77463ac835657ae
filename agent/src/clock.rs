//! The wall clock as an argument: tests hold one that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use time::OffsetDateTime;

/// Tells the time of day, UTC. Deadlines use tokio's monotonic clock instead.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands at `now` (whole seconds) until it is moved; clones move together.
    pub fn fixed(now: OffsetDateTime) -> Self {
        Self(Kind::Fixed(Arc::new(AtomicI64::new(now.unix_timestamp()))))
    }

    /// The time now, UTC.
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Kind::System => OffsetDateTime::now_utc(),
            Kind::Fixed(seconds) => OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::SeqCst))
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(&self) -> i64 {
        self.now().unix_timestamp()
    }

    /// Moves a fixed clock forward; the machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Kind::Fixed(seconds) = &self.0 {
            seconds.fetch_add(by.as_secs() as i64, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(OffsetDateTime::from_unix_timestamp(1_795_642_692).unwrap());
        let other = clock.clone();
        assert_eq!(clock.unix(), 1_795_642_692);
        clock.advance(Duration::from_secs(60));
        assert_eq!(other.unix(), 1_795_642_752);
        assert!(Clock::system().unix() > 1_700_000_000);
    }
}
