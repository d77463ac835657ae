//! Approval without a person, for tests alone.
//!
//! It agrees only to what its policy file names: listed origins, listed actions,
//! and test tokens. Everything it touches is marked as a test.

mod policy;

use std::path::Path;

use plugin_protocol::api::PinState;

use policy::Policy;

use super::{Action, Answer, Asking, Candidate, Consent, PinEntry, Prompt, PromptError, Question, Request};

/// The banner, printed once.
const BANNER: &str = "\
********************************************************************************
*  UNATTENDED TEST APPROVAL IS ON. Nobody is asked before a test token signs.  *
*  Nothing signed here proves anything about a person.                         *
********************************************************************************";

/// Answers by a policy file.
pub struct Unattended {
    policy: Policy,
}

impl Unattended {
    /// Reads the policy, and prints a banner to the standard error.
    ///
    /// The file holds PINs: it must be a regular file of this user that nobody else can read (mode 0600).
    pub fn open(path: &Path) -> Result<Self, String> {
        let policy = Policy::read(path)?;
        eprintln!("{BANNER}");
        Ok(Self { policy })
    }

    fn answer(&self, question: &Question) -> Result<Answer, PromptError> {
        let verdict = match question {
            // Waits: somebody may insert it, or the operation expires.
            Question::InsertToken(request, _) => self.request(request).map(|()| Answer::Yes),
            Question::Choose(request, candidates) => self.request(request).and_then(|()| self.choose(candidates)),
            Question::Consent(consent) => self.consent(consent),
            Question::LastTry(..) => Err("the last try of a PIN is never spent without a person"),
            Question::Renew(_) => Err("a PIN is never changed or unblocked without a person"),
            Question::Pair { .. } if self.policy.pair => Ok(Answer::Yes),
            Question::Pair { .. } => Err("the policy does not say `pair = true`"),
        };
        verdict.map_err(|why| {
            tracing::warn!(why, "unattended approval refused");
            PromptError::Declined
        })
    }

    fn request(&self, request: &Request) -> Result<(), &'static str> {
        if !self.policy.origins.contains(&request.origin) {
            return Err("the policy does not list this origin");
        }
        let top = request.top_origin.as_ref();
        if top.is_some_and(|top| !self.policy.origins.contains(top)) {
            return Err("the policy does not list the origin that embeds this one");
        }
        if !self.policy.allows(&request.action) {
            return Err("the policy does not list this action");
        }
        Ok(())
    }

    fn choose(&self, candidates: &[Candidate]) -> Result<Answer, &'static str> {
        let first = candidates
            .iter()
            .position(|candidate| self.policy.entry(candidate).is_some());
        first
            .map(Answer::Chosen)
            .ok_or("none of the tokens is a test token that the policy names")
    }

    fn consent(&self, consent: &Consent) -> Result<Answer, &'static str> {
        self.request(&consent.request)?;
        let entry = self
            .policy
            .entry(&consent.candidate)
            .ok_or("the token is no test token that the policy names")?;
        if consent.attempt > 1 {
            return Err("the policy's PIN was wrong, and is not tried again");
        }
        let pin = &consent.candidate.token.pin;
        let spends = consent.pin != PinEntry::None;
        if spends && (pin.tries_left.is_some_and(|tries| tries <= 1) || pin.state == PinState::FinalTry) {
            return Err("the last try of a PIN is never spent without a person");
        }
        match consent.pin {
            PinEntry::None => Ok(Answer::Yes),
            PinEntry::Pad => Err("the PIN is typed on the reader, and nobody is here to do it"),
            PinEntry::Window => entry
                .pin()
                .map(Answer::Pin)
                .ok_or("the policy has no PIN for this token"),
        }
    }
}

impl Prompt for Unattended {
    fn name(&self) -> &str {
        "unattended"
    }

    fn unattended(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), PromptError> {
        Ok(())
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            let answer = self.answer(question)?;
            match question {
                Question::InsertToken(..) => std::future::pending().await,
                _ => Ok(answer),
            }
        })
    }
}

impl Policy {
    fn allows(&self, action: &Action) -> bool {
        let wanted = match action {
            Action::Confirm(purpose) | Action::ConfirmCard { purpose, .. } => policy::Permission::of(*purpose),
            Action::ConfirmLiteral(purpose) => {
                return self.literal && self.actions.contains(&policy::Permission::of(*purpose));
            }
            Action::Sign(_) => policy::Permission::Sign,
            Action::Certificate(_) => policy::Permission::Certificate,
        };
        self.actions.contains(&wanted)
    }
}

#[cfg(test)]
mod tests;
