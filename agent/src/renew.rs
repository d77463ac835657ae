//! Changing and unblocking a PIN: the person types, the token is asked once, and nothing is tried again by itself.
//!
//! Each round is one attempt and spends one try at most, of the old PIN or of the code that unblocks. What can be
//! known beforehand (a wrong length, two different new PINs) spends none. Each attempt is in the history.

use subtle::ConstantTimeEq;

use crate::app::App;
use crate::case::{Client, look_again, remembered, still_wanted};
use crate::error::Error;
use crate::history::{Action, Record};
use crate::life::Life;
use crate::pin::Pin;
use crate::prompt::{Answer, Mishap, Question, Renewal, Request, Step, Task};
use crate::token::{Management, TokenInfo, UnblockCode};

/// Who wants a PIN changed or unblocked, and in the middle of what.
pub struct Renewer<'a> {
    /// The collaborators.
    pub app: &'a App,
    /// Who asks.
    pub client: &'a Client,
    /// How long it goes on.
    pub life: &'a Life,
    /// What the person came for, where that is something else: they are offered to change or unblock the PIN first.
    pub within: Option<Request>,
}

/// What the token lets the person do about a PIN that cannot be used; `None` where that is nothing.
pub fn remedy(management: Management, must_change: bool) -> Option<Task> {
    match must_change {
        true => management.change.then_some(Task::ChangeFirst),
        false => management
            .unblock
            .filter(|code| code.tries_left != Some(0))
            .map(Task::Unblock),
    }
}

impl Renewer<'_> {
    /// What can be done about the token's PIN.
    pub async fn management(&self, token: &TokenInfo) -> Result<Management, Error> {
        self.life.race(self.app.tokens.management(&token.id)).await?
    }

    /// Changes or unblocks until it is done or the person gives up; the token as it is then.
    pub async fn renew(&self, token: &TokenInfo, task: Task) -> Result<TokenInfo, Error> {
        let mut renewal = Renewal {
            task,
            step: Step::Offer,
            token: token.clone(),
            within: self.within.clone(),
            mishap: None,
        };
        if self.within.is_some() {
            self.yes(&renewal).await?;
        }
        loop {
            match self.attempt(&mut renewal).await {
                Ok(()) => return look_again(self.app, self.life, token).await,
                Err(error) => self.after(&mut renewal, error).await?,
            }
        }
    }

    /// One attempt: the questions, then the token.
    async fn attempt(&self, renewal: &mut Renewal) -> Result<(), Error> {
        match (renewal.tries_left(), &renewal.task) {
            (Some(0), Task::Unblock(_)) => return Err(Error::PukLocked),
            (Some(0), _) => return Err(Error::PinLocked),
            (Some(1), _) => {
                renewal.step = Step::LastTry;
                self.yes(renewal).await?;
            }
            _ => {}
        }
        renewal.step = Step::Key;
        let key = self.typed(renewal).await?;
        renewal.mishap = None;
        let new = self.new_pin(renewal, &key).await?;
        still_wanted(self.app, self.client, self.life).await?;
        // What was typed is this card's: the token is asked by its insertion, and another in its place is given nothing.
        let (life, token) = (self.life.clone(), &renewal.token);
        let wanted = move || life.check();
        let done = match renewal.task {
            Task::Unblock(_) => self.app.tokens.unblock_pin(token, key, new, wanted).await,
            Task::Change | Task::ChangeFirst => self.app.tokens.change_pin(token, key, new, wanted).await,
        };
        self.remember(renewal, &done).await?;
        done
    }

    /// The new PIN, typed twice alike; typed again until it is, for that costs nothing.
    async fn new_pin(&self, renewal: &mut Renewal, key: &Pin) -> Result<Pin, Error> {
        loop {
            renewal.step = Step::New;
            let new = self.typed(renewal).await?;
            if !matches!(renewal.task, Task::Unblock(_)) && same(&new, key) {
                renewal.mishap = Some(Mishap::Same);
                continue;
            }
            renewal.mishap = None;
            renewal.step = Step::Repeat;
            let repeated = self.typed(renewal).await?;
            if same(&new, &repeated) {
                return Ok(new);
            }
            renewal.mishap = Some(Mishap::Differs);
        }
    }

    /// What the next attempt begins with; an error where there is none.
    async fn after(&self, renewal: &mut Renewal, error: Error) -> Result<(), Error> {
        let mishap = match error {
            _ if self.app.prompt.unattended() => return Err(error),
            Error::PinIncorrect(left) | Error::PukIncorrect(left) => Mishap::Wrong(left),
            Error::PinForm => Mishap::Form,
            Error::PinRefused => Mishap::Refused,
            error => return Err(error),
        };
        renewal.token = look_again(self.app, self.life, &renewal.token).await?;
        if let Task::Unblock(code) = &mut renewal.task {
            let now = self.management(&renewal.token).await?.unblock;
            *code = now.unwrap_or_else(|| code.clone());
        }
        if let Mishap::Wrong(told) = mishap {
            let known = match &mut renewal.task {
                Task::Unblock(UnblockCode { tries_left, .. }) => tries_left,
                Task::Change | Task::ChangeFirst => &mut renewal.token.pin.tries_left,
            };
            // Some cards refuse a change without a count (6300), and tell it when they are asked.
            *known = known.or(told);
            renewal.mishap = Some(Mishap::Wrong(told.or(*known)));
            return Ok(());
        }
        renewal.mishap = Some(mishap);
        Ok(())
    }

    async fn ask(&self, renewal: &Renewal) -> Result<Answer, Error> {
        let question = Question::Renew(renewal.clone());
        let answer = self.life.race(self.app.prompt.ask(&question)).await?;
        answer.map_err(Error::from)
    }

    async fn yes(&self, renewal: &Renewal) -> Result<(), Error> {
        match self.ask(renewal).await? {
            Answer::Yes => Ok(()),
            Answer::Pin(_) | Answer::Chosen(_) => Err(self.other_answer()),
        }
    }

    async fn typed(&self, renewal: &Renewal) -> Result<Pin, Error> {
        match self.ask(renewal).await? {
            Answer::Pin(pin) => Ok(pin),
            Answer::Yes | Answer::Chosen(_) => Err(self.other_answer()),
        }
    }

    fn other_answer(&self) -> Error {
        let name = self.app.prompt.name();
        Error::Internal(format!("the prompt {name} answered another question"))
    }

    async fn remember(&self, renewal: &Renewal, done: &Result<(), Error>) -> Result<(), Error> {
        let action = match renewal.task {
            Task::Unblock(_) => Action::PinUnblock,
            Task::Change | Task::ChangeFirst => Action::PinChange,
        };
        let origin = renewal.within.as_ref().map(|request| request.origin.clone());
        let mut record = Record::new(action, &self.client.caller(), origin);
        if let Some(request) = &renewal.within {
            record.top_origin = request.top_origin.clone();
            record.origin_attested = request.attested;
        }
        if renewal.within.is_none() {
            "eid-agent pin".clone_into(&mut record.client.name);
        }
        record.about(&renewal.token);
        record.ended(done);
        remembered(self.app, record).await
    }
}

/// Whether two PINs are alike; takes as long whatever they are.
fn same(one: &Pin, other: &Pin) -> bool {
    one.expose().ct_eq(other.expose()).into()
}

#[cfg(test)]
mod tests;
