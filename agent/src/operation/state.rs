//! Where an operation stands, as its plugin sees it.

use std::time::Duration;

use plugin_protocol::api::{Operation, OperationState, Signatures, SigningCertificate};
use plugin_protocol::limits::RESULT_LIFETIME;
use plugin_protocol::qualified::QualifiedFacts;
use plugin_protocol::{Problem, Proof};
use tokio::time::Instant;

use super::final_state;
use crate::case::Ending;

/// What an operation brings.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Proof(Box<Proof>),
    Signatures(Signatures),
    Certificate(SigningCertificate),
}

/// A state, until when it holds, and at the end its result.
#[derive(Clone, Debug)]
pub(super) struct Status {
    state: OperationState,
    until: Instant,
    outcome: Option<Outcome>,
    problem: Option<Problem>,
    qualified: Option<QualifiedFacts>,
    test: bool,
}

impl Status {
    /// Just begun: no token was looked at yet.
    pub(super) fn begun(deadline: Instant) -> Self {
        Self::at(OperationState::AwaitingToken, deadline)
    }

    /// At a state that is not final.
    pub(super) fn at(state: OperationState, deadline: Instant) -> Self {
        Self {
            state,
            until: deadline,
            outcome: None,
            problem: None,
            qualified: None,
            test: false,
        }
    }

    /// At its end.
    pub(super) fn ended(ending: Ending<Outcome>) -> Self {
        let until = Instant::now() + Duration::from_secs(RESULT_LIFETIME);
        let (state, outcome, problem) = match ending.result {
            Ok(outcome) => (OperationState::Done, Some(outcome), None),
            Err(error) => (final_state(&error), None, Some(error.problem())),
        };
        Self {
            state,
            until,
            outcome,
            problem,
            qualified: ending.qualified,
            test: ending.test,
        }
    }

    pub(super) fn state(&self) -> OperationState {
        self.state
    }

    pub(super) fn is_final(&self) -> bool {
        self.state.is_final()
    }

    /// Whether its result is to be forgotten.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.is_final() && now >= self.until
    }

    /// The body on the wire.
    pub(super) fn view(&self, id: &str) -> Operation {
        let mut view = Operation {
            id: id.to_owned(),
            state: self.state,
            expires_in: self.until.saturating_duration_since(Instant::now()).as_secs(),
            proof: None,
            signatures: None,
            certificate: None,
            qualified: self.qualified.clone(),
            problem: self.problem.clone(),
            test: self.test,
        };
        match self.outcome.clone() {
            Some(Outcome::Proof(proof)) => view.proof = Some(*proof),
            Some(Outcome::Signatures(signatures)) => view.signatures = Some(signatures),
            Some(Outcome::Certificate(certificate)) => view.certificate = Some(certificate),
            None => {}
        }
        view
    }
}
