//! Who can be asked here.

use std::io::IsTerminal;
use std::sync::Arc;

use super::{Asking, Flavour, Language, Pinentry, Prompt, PromptError, Question, Terminal, Unattended};
use crate::config::{PromptConfig, PromptKind};

/// The prompt that the configuration names; by itself, a pinentry that can show a window,
/// else the terminal the agent runs in, else a pinentry on the terminal that `GPG_TTY`
/// names, else [`Nobody`]. Never the unattended one.
pub fn detect(config: &PromptConfig) -> Arc<dyn Prompt> {
    let language = Language::choose(config.language);
    match config.kind {
        PromptKind::Auto => automatic(config, language),
        PromptKind::Pinentry => match pinentry(config, language) {
            Some(pinentry) => Arc::new(pinentry),
            None => Arc::new(Nobody::new(
                "no pinentry is installed; install pinentry-gnome3, pinentry-qt or pinentry-curses, \
                 or name one under [prompt] in the configuration",
            )),
        },
        PromptKind::Terminal => Arc::new(Terminal::new(language)),
        PromptKind::Unattended => match &config.policy {
            Some(policy) => match Unattended::open(policy) {
                Ok(unattended) => Arc::new(unattended),
                Err(why) => Arc::new(Nobody::new(&why)),
            },
            None => Arc::new(Nobody::new(
                "unattended approval needs a policy file; name it as `policy` under [prompt] in the configuration",
            )),
        },
    }
}

fn pinentry(config: &PromptConfig, language: Language) -> Option<Pinentry> {
    match &config.pinentry {
        Some(program) => Some(Pinentry::new(program.clone(), language)),
        None => Pinentry::find(language),
    }
}

fn automatic(config: &PromptConfig, language: Language) -> Arc<dyn Prompt> {
    let terminal = Terminal::new(language);
    let terminal_works = std::io::stdin().is_terminal() && terminal.check().is_ok();
    match pinentry(config, language) {
        // A program that was named is what the person wants.
        Some(named) if config.pinentry.is_some() => Arc::new(named),
        Some(found) if found.check().is_ok() && (found.shows_window() || !terminal_works) => Arc::new(found),
        _ if terminal_works => Arc::new(terminal),
        // It may not work now; it says why at each question, and works once that is mended.
        Some(found) => Arc::new(found),
        None => Arc::new(Nobody::new(
            "neither a pinentry nor a terminal is here; install pinentry-gnome3 or pinentry-qt, \
             or start the agent in the foreground of a terminal",
        )),
    }
}

impl Pinentry {
    /// Whether it needs no terminal here.
    fn shows_window(&self) -> bool {
        match self.flavour() {
            Flavour::Window => true,
            Flavour::Unknown => super::pinentry::has_display(),
            Flavour::Text => false,
        }
    }
}

/// Nobody can be asked; it says why, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nobody(String);

impl Nobody {
    /// Because of `why`.
    pub fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl Prompt for Nobody {
    fn name(&self) -> &str {
        "nobody"
    }

    fn check(&self) -> Result<(), PromptError> {
        Err(PromptError::Unavailable(self.0.clone()))
    }

    fn ask<'a>(&'a self, _question: &'a Question) -> Asking<'a> {
        Box::pin(async { self.check().map(|()| super::Answer::Yes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LanguageChoice;

    #[tokio::test]
    async fn nobody_says_why_and_never_agrees() {
        let question = super::super::fixture::pair();
        let refusal = Nobody::new("no display").ask(&question).await.err();
        assert_eq!(refusal, Some(PromptError::Unavailable("no display".to_owned())));
    }

    #[test]
    fn what_is_named_is_taken_or_told_missing() {
        let config = |kind| PromptConfig {
            kind,
            pinentry: Some("/nonexistent/pinentry-qt".into()),
            language: LanguageChoice::En,
            policy: None,
        };
        for kind in [PromptKind::Auto, PromptKind::Pinentry] {
            let prompt = detect(&config(kind));
            assert_eq!(prompt.name(), "pinentry-qt");
            assert!(matches!(prompt.check(), Err(PromptError::Unavailable(why)) if why.contains("install")));
        }
        assert_eq!(detect(&config(PromptKind::Terminal)).name(), "terminal");
        let prompt = detect(&config(PromptKind::Unattended));
        assert!(!prompt.unattended());
        assert!(matches!(prompt.check(), Err(PromptError::Unavailable(why)) if why.contains("policy")));
    }
}
