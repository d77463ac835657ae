//! A circuit breaker: what fails again and again rests, longer each time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many failures …
const FAILURES: usize = 3;
/// … within this time open the breaker.
const WINDOW: Duration = Duration::from_secs(60);
/// The first rest; each further one is twice as long …
const FIRST_REST: Duration = Duration::from_secs(15);
/// … up to this.
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Counts failures. The clock is the caller's.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: VecDeque<Instant>,
    /// How often it has opened since the last success.
    rests: u32,
    until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be tried now; if not, how long the rest still lasts.
    pub(super) fn allow(&self, now: Instant) -> Result<(), Duration> {
        match self.until {
            Some(until) if now < until => Err(until - now),
            _ => Ok(()),
        }
    }

    /// A call failed. After a rest, one failure is enough for the next one.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failures.push_back(now);
        while self
            .failures
            .front()
            .is_some_and(|then| now.duration_since(*then) > WINDOW)
        {
            self.failures.pop_front();
        }
        if self.until.is_some() || self.failures.len() >= FAILURES {
            self.until = Some(now + FIRST_REST.saturating_mul(1 << self.rests.min(16)).min(LONGEST_REST));
            self.rests += 1;
            self.failures.clear();
        }
    }

    /// A call succeeded: everything is forgotten.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn three_failures_in_a_minute_open_it() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        breaker.failed(start);
        breaker.failed(start + SECOND);
        assert_eq!(breaker.allow(start + SECOND), Ok(()));
        breaker.failed(start + 2 * SECOND);
        assert_eq!(breaker.allow(start + 3 * SECOND), Err(FIRST_REST - SECOND));
        assert_eq!(breaker.allow(start + 2 * SECOND + FIRST_REST), Ok(()));
    }

    #[test]
    fn failures_far_apart_do_not() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        for n in 0..20 {
            breaker.failed(start + 31 * n * SECOND);
            assert_eq!(breaker.allow(start + 31 * n * SECOND), Ok(()));
        }
    }

    #[test]
    fn each_rest_is_twice_as_long_and_one_failure_after_it_is_enough() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        (0..FAILURES).for_each(|_| breaker.failed(now));
        let mut rest = FIRST_REST;
        for _ in 0..30 {
            assert_eq!(breaker.allow(now), Err(rest));
            now += rest;
            assert_eq!(breaker.allow(now), Ok(()));
            breaker.failed(now);
            rest = (2 * rest).min(LONGEST_REST);
        }
    }

    #[test]
    fn a_success_closes_it() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        (0..FAILURES).for_each(|_| breaker.failed(now));
        breaker.succeeded();
        breaker.failed(now);
        assert_eq!(breaker.allow(now), Ok(()));
    }
}
