//! What is wrong in a configuration file, at which line, and what was perhaps meant.

use std::fmt;
use std::path::{Path, PathBuf};

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    line: Option<usize>,
    what: String,
}

impl ConfigError {
    /// A mistake that the parser found in `text`.
    pub(super) fn in_text(text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map(|span| {
            1 + text.as_bytes()[..span.start.min(text.len())]
                .iter()
                .filter(|b| **b == b'\n')
                .count()
        });
        // Types are the program's words for numbers.
        let mut what = error
            .message()
            .replace("expected u16", "expected a whole number from 0 to 65535")
            .replace("expected u32", "expected a whole number, 0 or more");
        if let Some(meant) = meant(&what) {
            what += &format!("; did you mean `{meant}`?");
        }
        if let Some(key) = error.span().and_then(|span| key(text, span.start)) {
            what = format!("`{key}`: {what}");
        }
        Self { file: None, line, what }
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self {
            file: Some(path.to_owned()),
            line: None,
            what: error.to_string(),
        }
    }

    /// The same, with the file's name.
    pub(super) fn in_file(self, path: &Path) -> Self {
        Self {
            file: Some(path.to_owned()),
            ..self
        }
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("configuration")?,
        }
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for ConfigError {}

/// The key, as it is written, of the value that begins at `start`.
fn key(text: &str, start: usize) -> Option<&str> {
    let before = text.get(..start)?.trim_end().strip_suffix('=')?.trim_end();
    let begin = before.rfind(['\n', '{', ',']).map_or(0, |last| last + 1);
    Some(before[begin..].trim_start())
}

/// The allowed name nearest to the unknown one; the parser's message lists both, in backticks.
fn meant(message: &str) -> Option<&str> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    let (distance, name) = names.map(|name| (distance(unknown, name), name)).min()?;
    (distance <= 1 + unknown.len() / 4).then_some(name)
}

/// Levenshtein distance, bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
