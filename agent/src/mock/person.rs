//! The person: answers every window as the scene wants it.

use std::sync::Arc;
use std::time::Duration;

use super::outcome::Outcome;
use super::stage::Stage;
use crate::pin::Pin;
use crate::prompt::{Answer, Asking, PinEntry, Prompt, PromptError, Question};
use crate::token::software::PIN;

/// A PIN that the software token takes and refuses.
const WRONG_PIN: &str = "0000";

/// Answers without a person.
pub(super) struct Scripted {
    stage: Arc<Stage>,
    delay: Duration,
}

/// What they do at a window; `None`: nothing, it stays open.
type Reaction = Option<Result<Answer, PromptError>>;

impl Scripted {
    pub(super) fn new(stage: Arc<Stage>, delay: Duration) -> Self {
        Self { stage, delay }
    }

    fn react(&self, question: &Question) -> Reaction {
        let outcome = self.stage.scene().outcome;
        match question {
            Question::InsertToken(..) => match outcome {
                Outcome::Cancelled => Some(Err(PromptError::Cancelled)),
                Outcome::NoToken => Some(Err(PromptError::TimedOut)),
                _ => None,
            },
            Question::Choose(..) => Some(Ok(Answer::Chosen(0))),
            Question::Renew(_) => Some(Err(PromptError::Declined)),
            Question::Consent(consent) => consented(outcome, consent.pin),
            _ => Some(Ok(Answer::Yes)),
        }
    }
}

fn consented(outcome: Outcome, pin: PinEntry) -> Reaction {
    let typed = |pin: &str| Some(Ok(Answer::Pin(Pin::new(pin.to_owned()))));
    match outcome {
        Outcome::Declined => Some(Err(PromptError::Declined)),
        Outcome::Cancelled => Some(Err(PromptError::Cancelled)),
        Outcome::Expired => Some(Err(PromptError::TimedOut)),
        Outcome::NoAnswer => None,
        Outcome::PromptUnavailable => {
            let why = "the mock plays an agent that has no display; install pinentry, or start it in a session";
            Some(Err(PromptError::Unavailable(why.to_owned())))
        }
        _ if pin != PinEntry::Window => Some(Ok(Answer::Yes)),
        Outcome::WrongPin | Outcome::WrongPinLastTry => typed(WRONG_PIN),
        _ => typed(PIN),
    }
}

impl Prompt for Scripted {
    fn name(&self) -> &str {
        "mock"
    }

    fn unattended(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), PromptError> {
        Ok(())
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asking<'a> {
        Box::pin(async move {
            if let Question::Pair { client, digits } = question {
                tracing::warn!(client, %digits, "mock: paired without asking anybody");
                return Ok(Answer::Yes);
            }
            tokio::time::sleep(self.delay).await;
            match self.react(question) {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}
