//! From a [`Renewal`] to a [`Text`].

use super::clean::{break_long, clean};
use super::compose::{LABEL, ORIGIN_WIDTH, args};
use super::{Text, Texts};
use crate::prompt::{Mishap, Renewal, Step, Task};
use crate::token::UnblockCode;

/// Most characters of the name of a PIN or a code.
const PIN_NAME: usize = 24;

impl Texts {
    pub(super) fn renewal(&self, renewal: &Renewal) -> Text {
        let (title, ok) = match renewal.task {
            Task::Change => ("title-pin-change", "ok-pin-change"),
            Task::ChangeFirst => ("title-pin-change-first", "ok-pin-change"),
            Task::Unblock(_) => ("title-pin-unblock", "ok-pin-unblock"),
        };
        let mut body = match renewal.step {
            Step::Offer => vec![self.offer(renewal)],
            Step::LastTry => vec![self.last_try_of(renewal)],
            Step::Key => [
                vec![self.key(renewal)],
                self.length(renewal).into_iter().collect(),
                self.tries_of(renewal).into_iter().collect(),
            ]
            .concat(),
            Step::New => [vec![self.say("pin-new")], self.length(renewal).into_iter().collect()].concat(),
            Step::Repeat => vec![self.say("pin-repeat")],
        };
        if renewal.token.unproven {
            body.push(self.say("card-unproven"));
        }
        body.extend(renewal.within.iter().flat_map(|request| self.cautions(request)));
        Text {
            title: self.say(title),
            head: self.renewal_head(renewal),
            body,
            prompt: match renewal.is_typed() {
                true => self.field(renewal),
                false => self.say("prompt-yes-no"),
            },
            ok: self.say(if renewal.is_typed() { "ok-next" } else { ok }),
            next: self.say("next-page"),
            cancel: self.say("cancel"),
            error: renewal.mishap.map(|mishap| self.mishap(renewal, mishap)),
            ..Text::default()
        }
    }

    /// The question of a terminal for what nobody may see.
    pub(in crate::prompt) fn hidden_field(&self, renewal: &Renewal) -> String {
        let field = self.field(renewal);
        self.with("prompt-hidden", args([("field", field.into())]))
    }

    /// What to say of something typed that cannot be right; `None` when it may be sent. No try is spent on it.
    pub fn unfit_renewal(&self, typed: &[u8], renewal: &Renewal) -> Option<String> {
        if typed.is_empty() {
            return Some(self.say("error-pin-empty"));
        }
        if !typed.iter().all(u8::is_ascii_digit) {
            return Some(self.say("error-pin-digits"));
        }
        let (least, most) = renewal.length()?;
        let wrong = !(least..=most).contains(&typed.len());
        let rule = self.length(renewal).filter(|_| wrong)?;
        Some(format!("{rule} {}", self.say("error-no-try")))
    }

    /// Whose PIN it is; then what the person goes on with afterwards.
    fn renewal_head(&self, renewal: &Renewal) -> String {
        let label = clean(&renewal.token.label, LABEL);
        let pin = self.pin_name(renewal);
        let token = match &renewal.token.reader {
            Some(reader) => {
                let reader = clean(reader, LABEL);
                let values = args([("pin", pin.into()), ("label", label.into()), ("reader", reader.into())]);
                self.with("pin-of-reader", values)
            }
            None => self.with("pin-of", args([("pin", pin.into()), ("label", label.into())])),
        };
        match &renewal.within {
            Some(request) => {
                let origin = break_long(request.origin.as_str(), ORIGIN_WIDTH);
                format!("{origin}\n{}\n\n{token}", self.say("pin-within"))
            }
            None => token,
        }
    }

    fn pin_name(&self, renewal: &Renewal) -> String {
        match &renewal.pin().name {
            Some(name) => clean(name, PIN_NAME),
            None => self.say("pin-name"),
        }
    }

    fn offer(&self, renewal: &Renewal) -> String {
        match &renewal.task {
            Task::Unblock(code) => self.with("pin-offer-unblock", args([("code", code_name(code).into())])),
            Task::Change | Task::ChangeFirst => self.say("pin-offer-change"),
        }
    }

    fn last_try_of(&self, renewal: &Renewal) -> String {
        match &renewal.task {
            Task::Unblock(code) => self.with("pin-last-try-code", args([("code", code_name(code).into())])),
            Task::Change | Task::ChangeFirst => self.say("last-try"),
        }
    }

    /// What is to be typed first.
    fn key(&self, renewal: &Renewal) -> String {
        match &renewal.task {
            Task::Unblock(code) => self.with("pin-code", args([("code", code_name(code).into())])),
            Task::Change => self.say("pin-old"),
            Task::ChangeFirst => self.say("pin-old-first"),
        }
    }

    fn length(&self, renewal: &Renewal) -> Option<String> {
        let (least, most) = renewal.length()?;
        Some(match least == most {
            true => self.with("pin-digits-exactly", args([("count", least.into())])),
            false => self.with("pin-digits", args([("least", least.into()), ("most", most.into())])),
        })
    }

    fn tries_of(&self, renewal: &Renewal) -> Option<String> {
        let Task::Unblock(code) = &renewal.task else {
            return self.tries(renewal.pin());
        };
        let name = code_name(code);
        Some(match code.tries_left {
            Some(count) => self.with("tries-code", args([("code", name.into()), ("count", count.into())])),
            None => self.with("tries-code-unknown", args([("code", name.into())])),
        })
    }

    fn field(&self, renewal: &Renewal) -> String {
        match (renewal.step, &renewal.task) {
            (Step::New, _) => self.say("prompt-pin-new"),
            (Step::Repeat, _) => self.say("prompt-pin-repeat"),
            (_, Task::Unblock(code)) => self.with("prompt-code", args([("code", code_name(code).into())])),
            (_, Task::Change | Task::ChangeFirst) => self.say("prompt-pin-old"),
        }
    }

    fn mishap(&self, renewal: &Renewal, mishap: Mishap) -> String {
        match (mishap, &renewal.task) {
            (Mishap::Form, _) => self.say("error-pin-form"),
            (Mishap::Differs, _) => self.say("error-pin-differs"),
            (Mishap::Same, _) => self.say("error-pin-same"),
            (Mishap::Refused, _) => self.say("error-pin-refused"),
            (Mishap::Wrong(Some(count)), Task::Unblock(code)) => {
                let values = args([("code", code_name(code).into()), ("count", count.into())]);
                self.with("error-code-tries", values)
            }
            (Mishap::Wrong(None), Task::Unblock(code)) => {
                self.with("error-code", args([("code", code_name(code).into())]))
            }
            (Mishap::Wrong(Some(count)), _) => self.with("error-pin-tries", args([("count", count.into())])),
            (Mishap::Wrong(None), _) => self.say("error-pin"),
        }
    }
}

fn code_name(code: &UnblockCode) -> String {
    clean(&code.name, PIN_NAME)
}
