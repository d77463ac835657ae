//! Rates: so many a minute, all at once if need be, then one by one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Callers remembered before those with a full budget are forgotten.
const REMEMBERED: usize = 256;

/// A rate for each of many callers, as a generic cell rate algorithm: one instant per caller.
pub struct Rate {
    /// Between two, once the budget is spent.
    interval: Duration,
    /// The whole budget.
    period: Duration,
    /// When each caller's budget will be full again.
    full_at: Mutex<HashMap<String, Instant>>,
}

impl Rate {
    /// `count` a minute; 0 allows none.
    pub fn per_minute(count: u32) -> Self {
        let period = Duration::from_secs(60);
        Self {
            interval: period.checked_div(count).unwrap_or(Duration::MAX),
            period,
            full_at: Mutex::default(),
        }
    }

    /// Spends one of `caller`'s; else how long until there is one.
    pub fn spend(&self, caller: &str) -> Result<(), Duration> {
        let now = Instant::now();
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full = full_at.get(caller).map_or(now, |full| (*full).max(now));
        let spent = (full - now).saturating_add(self.interval);
        if spent > self.period {
            return Err((spent - self.period).min(self.period));
        }
        if full_at.len() >= REMEMBERED {
            full_at.retain(|_, full| *full > now);
        }
        full_at.insert(caller.to_owned(), now + spent);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn spends_its_budget_and_regains_it() {
        let rate = Rate::per_minute(3);
        for _ in 0..3 {
            assert_eq!(rate.spend("a"), Ok(()));
        }
        assert_eq!(rate.spend("a"), Err(Duration::from_secs(20)));
        assert_eq!(rate.spend("b"), Ok(()), "each has its own");
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(rate.spend("a"), Ok(()));
        assert!(rate.spend("a").is_err());
        tokio::time::advance(Duration::from_secs(600)).await;
        for _ in 0..3 {
            assert_eq!(rate.spend("a"), Ok(()));
        }
        assert!(rate.spend("a").is_err(), "time adds no more than the budget");
    }

    #[tokio::test(start_paused = true)]
    async fn forgets_callers_with_a_full_budget_and_no_others() {
        let rate = Rate::per_minute(1);
        for caller in 0..REMEMBERED {
            assert_eq!(rate.spend(&caller.to_string()), Ok(()));
        }
        assert_eq!(rate.spend("new"), Ok(()));
        assert!(rate.spend("0").is_err(), "still spent");
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(rate.spend("newer"), Ok(()));
        assert_eq!(rate.full_at.lock().map(|map| map.len()).ok(), Some(1));
    }

    #[test]
    fn none_allows_none() {
        assert!(Rate::per_minute(0).spend("a").is_err());
    }
}
