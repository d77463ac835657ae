//! A path that remembers where in the configuration it stands: what is wrong with the file is found out later.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// An absolute path and the line of the configuration that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedPath {
    /// The path.
    pub path: PathBuf,
    /// The line, from 1, where it came from a text.
    pub line: Option<usize>,
    offset: Option<usize>,
}

impl PlacedPath {
    /// Of no text.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            line: None,
            offset: None,
        }
    }

    /// Finds the line, once the text is at hand.
    pub(super) fn place(&mut self, text: &str) {
        let before = self.offset.take().and_then(|offset| text.get(..offset));
        self.line = before.map(|before| 1 + before.matches('\n').count());
    }
}

impl<'de> Deserialize<'de> for PlacedPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<PathBuf>::deserialize(deserializer)?;
        let offset = Some(spanned.span().start);
        Ok(Self {
            path: super::check_absolute(spanned.into_inner())?,
            line: None,
            offset,
        })
    }
}
