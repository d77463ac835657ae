//! What the person reads, in Russian and English.
//!
//! One [`Text`] serves every kind of window: a head that names the portal and
//! what it asks, paragraphs, a field, buttons. Words of ours come from
//! `texts/*.ftl`; everything else goes through [`clean`](clean::clean) first.

pub(crate) mod clean;
mod compose;
mod insert;
mod qualified;
mod renewal;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use crate::config::LanguageChoice;

/// A language that the windows speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Russian.
    Ru,
}

impl Language {
    /// The one chosen, or that of the environment (`LC_ALL`, `LC_MESSAGES`, `LANG`: the first that is set).
    pub fn choose(choice: LanguageChoice) -> Self {
        match choice {
            LanguageChoice::En => Self::En,
            LanguageChoice::Ru => Self::Ru,
            LanguageChoice::Auto => {
                let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
                let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
                Self::of_locale(locale.as_deref().unwrap_or_default())
            }
        }
    }

    fn of_locale(locale: &str) -> Self {
        match locale.split(['_', '.', '@']).next() {
            Some("ru") => Self::Ru,
            _ => Self::En,
        }
    }

    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::En => ("en", include_str!("texts/en.ftl")),
            Self::Ru => ("ru", include_str!("texts/ru.ftl")),
        }
    }
}

/// One window, in plain text. Lines end in `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The window's title.
    pub title: String,
    /// Who asks, and for what: stands on every page of a window that has several.
    pub head: String,
    /// What has no room of its own, most important first: cautions of a choice, beside each candidate, and of a
    /// consent what the certificate says of how it came about.
    pub notes: Vec<String>,
    /// What else the person should know, most important first; of a choice, one paragraph per candidate.
    pub body: Vec<String>,
    /// The label of the field, or the question of a terminal.
    pub prompt: String,
    /// The button that agrees.
    pub ok: String,
    /// The button that turns to the next page or candidate.
    pub next: String,
    /// The button that declines.
    pub cancel: String,
    /// What was wrong with the last answer.
    pub error: Option<String>,
}

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// A window: long digests are cut in the middle when there are many.
    Window,
    /// A terminal, which scrolls.
    Scroll,
}

/// The texts of one language.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
    language: Language,
}

impl Texts {
    /// Loads the texts.
    pub fn new(language: Language) -> Self {
        let (tag, source) = language.source();
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let locale = tag.parse().expect("a language tag");
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Isolation marks are what some pinentries show as boxes; what they would isolate is clean already.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { bundle, language }
    }

    /// A message without variables.
    pub(super) fn say(&self, id: &str) -> String {
        self.with(id, FluentArgs::new())
    }

    /// A message with variables.
    fn with(&self, id: &str, args: FluentArgs<'_>) -> String {
        let pattern = self.bundle.get_message(id).and_then(|message| message.value());
        let Some(pattern) = pattern else {
            debug_assert!(false, "no text {id}");
            return id.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors);
        debug_assert!(errors.is_empty(), "text {id}: {errors:?}");
        text.into_owned()
    }
}

#[cfg(test)]
mod tests;
