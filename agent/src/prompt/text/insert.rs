//! The window that asks for a card or token, and what it says of cards that are in and of no use.

use super::clean::clean;
use super::compose::{LABEL, args};
use super::{Text, Texts};
use crate::prompt::Request;
use crate::token::{Closed, ClosedCard, Strange, Stranger};

/// Cards of which a window says why they cannot be used; further ones are counted.
const STRANGERS: usize = 3;

impl Texts {
    /// What is in comes right after what is asked for: a window may have a second page, and this is for the first.
    pub(super) fn insert(&self, request: &Request, strangers: &[Stranger]) -> Text {
        let mut sorted: Vec<&Stranger> = strangers.iter().collect();
        sorted.sort_by_key(|stranger| rank(stranger.why));
        let (strangers, more) = sorted.split_at(sorted.len().min(STRANGERS));
        let mut body = vec![self.say("insert")];
        body.extend(strangers.iter().map(|stranger| self.stranger(stranger)));
        if !more.is_empty() {
            body.push(self.with("insert-more", args([("count", more.len().into())])));
        }
        // Once is enough.
        let ended = self.say("card-ended");
        let is_told = strangers
            .iter()
            .any(|stranger| matches!(stranger.why, Strange::Closed(card) if card.kind.ended.is_some()));
        let warnings = self.warnings(request).into_iter();
        body.extend(warnings.filter(|warning| !is_told || *warning != ended));
        body.extend(self.client(request));
        Text {
            title: self.say("title-insert"),
            head: self.head(request),
            body,
            prompt: self.say("prompt-insert"),
            ok: self.say("cancel-insert"),
            next: self.say("next-page"),
            cancel: self.say("cancel-insert"),
            ..Text::default()
        }
    }

    fn stranger(&self, stranger: &Stranger) -> String {
        let reader = ("reader", unquoted(&clean(&stranger.reader, LABEL)).into());
        let id = match stranger.why {
            Strange::Unserved => "insert-unserved",
            Strange::Unread => "insert-unread",
            Strange::InUse => "insert-in-use",
            Strange::Hung => "insert-hung",
            Strange::Closed(card) => {
                let said = args([
                    reader,
                    ("card", self.kind(&card).into()),
                    ("why", self.why(card.why).into()),
                ]);
                let closed = self.with("insert-closed", said);
                let year = card.kind.ended.map(|year| args([("year", year.to_string().into())]));
                let ended = year.map(|year| self.with("programme-ended", year));
                return ended.map_or(closed.clone(), |ended| format!("{closed} {ended}"));
            }
        };
        self.with(id, args([reader]))
    }

    /// What card it is, in the language where that has a word for it.
    fn kind(&self, card: &ClosedCard) -> String {
        let named = args([("id", card.kind.id.into()), ("name", card.kind.name.into())]);
        self.with("card-kind", named)
    }

    fn why(&self, why: Closed) -> String {
        self.say(match why {
            Closed::TerminalMissing => "closed-terminal-missing",
            Closed::TerminalUnfit => "closed-terminal-unfit",
            Closed::TerminalRefused => "closed-terminal-refused",
            Closed::Expired(day) => {
                let day = self.date(day.midnight().assume_utc());
                return self.with("closed-expired", args([("day", day.into())]));
            }
            Closed::OutOfOrder => "closed-out-of-order",
            Closed::Unproven => "closed-unproven",
            Closed::Unchecked => "closed-unchecked",
            Closed::Contactless => "closed-contactless",
            Closed::Inactive => "closed-inactive",
            Closed::Module => "closed-module",
        })
    }
}

/// Those that a person can do most about, or expects most to work, come first.
fn rank(why: Strange) -> u8 {
    match why {
        Strange::Closed(_) => 0,
        Strange::InUse => 1,
        Strange::Hung => 2,
        Strange::Unread => 3,
        Strange::Unserved => 4,
    }
}

/// A reader's name is what its USB strings say, and stands between our quotation marks: it ends them nowhere.
fn unquoted(name: &str) -> String {
    name.replace(['"', '«', '»', '“', '”', '„'], "'")
}
