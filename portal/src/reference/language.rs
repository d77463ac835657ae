//! The languages the portal speaks, and its words in them.
//!
//! The words are in `page/texts/`, one file a language, with the same keys: the pages are filled
//! with them here, and the page's script reads the same file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};

/// The cookie that keeps what the person switched to.
const COOKIE_NAME: &str = "eid-language";

/// The languages the portal speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Russian.
    Russian,
}

impl Language {
    /// Both, in the order of the switch.
    pub const ALL: [Self; 2] = [Self::Russian, Self::English];

    /// The one the reader switched to, else the one their browser prefers (RFC 9110 section 12.5.4);
    /// English when neither is named.
    pub fn of(headers: &HeaderMap) -> Self {
        chosen(headers).unwrap_or_else(|| preferred(headers))
    }

    /// The one of this tag, `en` or `ru`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// Its tag (RFC 5646).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }

    /// What it calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Russian => "Русский",
        }
    }

    /// The `Set-Cookie` that remembers it for a year.
    pub fn set_cookie(self, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        format!(
            "{COOKIE_NAME}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}",
            self.tag()
        )
    }

    /// The words as their file: a JSON object of strings.
    pub const fn json(self) -> &'static str {
        match self {
            Self::English => include_str!("page/texts/en.json"),
            Self::Russian => include_str!("page/texts/ru.json"),
        }
    }

    /// All words by their keys.
    pub fn words(self) -> &'static BTreeMap<String, String> {
        static ENGLISH: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| read(Language::English));
        static RUSSIAN: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| read(Language::Russian));
        match self {
            Self::English => &ENGLISH,
            Self::Russian => &RUSSIAN,
        }
    }

    /// The words of this key. That none is missing is for the tests to see, not for a person.
    pub fn say(self, key: &str) -> &'static str {
        self.words().get(key).map_or("", String::as_str)
    }
}

fn read(language: Language) -> BTreeMap<String, String> {
    serde_json::from_str(language.json()).expect("an object of strings, as the tests see")
}

fn chosen(headers: &HeaderMap) -> Option<Language> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, tag) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
    Language::from_tag(tag)
}

fn preferred(headers: &HeaderMap) -> Language {
    let value = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let (mut russian, mut english) = (0.0, 0.0);
    for range in value.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let language = parts.next().and_then(|tag| tag.split('-').next()).unwrap_or("");
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(Ok(1.0), str::parse::<f32>);
        let weight = weight.unwrap_or(0.0);
        if language.eq_ignore_ascii_case("ru") {
            russian = f32::max(russian, weight);
        } else if language.eq_ignore_ascii_case("en") {
            english = f32::max(english, weight);
        }
    }
    if russian > english {
        Language::Russian
    } else {
        Language::English
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys_and_places() {
        let (english, russian) = (Language::English.words(), Language::Russian.words());
        assert!(english.len() > 100, "only {} texts", english.len());
        let keys = |words: &'static BTreeMap<String, String>| words.keys().collect::<Vec<_>>();
        assert_eq!(keys(english), keys(russian));
        for (key, text) in english {
            let places = |text: &str| {
                let mut places: Vec<String> = text
                    .split('{')
                    .skip(1)
                    .map(|part| part.split('}').next().unwrap_or("").to_owned())
                    .collect();
                places.sort();
                places
            };
            assert!(
                !text.trim().is_empty() && !russian[key].trim().is_empty(),
                "{key} says nothing"
            );
            assert_eq!(places(text), places(&russian[key]), "the places in {key}");
            assert!(!text.contains('<') && !russian[key].contains('<'), "{key} holds markup");
        }
    }
}
