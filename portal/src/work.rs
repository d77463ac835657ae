//! Counting the work that one proof causes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::VerifyError;
use crate::policy::Budget;

/// What is left of a [`Budget`] while one proof is verified. Clones share the counters.
#[derive(Clone, Debug)]
pub struct Work {
    budget: Budget,
    signature_checks: Arc<AtomicUsize>,
    path_steps: Arc<AtomicUsize>,
    /// What came of each signature that was checked, by its fingerprint.
    outcomes: Arc<Mutex<HashMap<[u8; 32], bool>>>,
}

impl Work {
    /// A fresh account.
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            signature_checks: Arc::default(),
            path_steps: Arc::default(),
            outcomes: Arc::default(),
        }
    }

    /// The limits.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Accounts for one signature check before it is made.
    pub fn check_signature(&self) -> Result<(), VerifyError> {
        spend(&self.signature_checks, self.budget.signature_checks, "signature checks")
    }

    /// What `check` says of the signature with this fingerprint; asked once, however many paths lead over it.
    pub(crate) fn check_once(&self, print: [u8; 32], check: impl FnOnce() -> bool) -> Result<bool, VerifyError> {
        let outcomes = || self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = outcomes().get(&print).copied();
        if let Some(valid) = known {
            return Ok(valid);
        }
        self.check_signature()?;
        let valid = check();
        outcomes().insert(print, valid);
        Ok(valid)
    }

    /// Accounts for one issuer tried.
    pub fn step(&self) -> Result<(), VerifyError> {
        spend(&self.path_steps, self.budget.path_steps, "path building")
    }

    /// Whether all signature checks are used up.
    pub fn exhausted(&self) -> bool {
        self.signature_checks.load(Ordering::Relaxed) > self.budget.signature_checks
    }
}

fn spend(counter: &AtomicUsize, limit: usize, what: &'static str) -> Result<(), VerifyError> {
    let spent = counter.fetch_add(1, Ordering::Relaxed);
    if spent < limit {
        Ok(())
    } else {
        Err(VerifyError::BudgetExceeded(what))
    }
}
