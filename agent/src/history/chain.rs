//! How a record becomes a line, and each line vouches for the one before it.
//!
//! A line is a JSON object whose last two members are `prev` and `hash`. `hash` is
//! the SHA-256 (lower-case hexadecimal) of the line's own text without the `hash`
//! member, that is, of everything before `,"hash":` followed by `}`. `prev` is the
//! `hash` of the line before, 64 zeros on the first. So a person can check a line
//! with nothing but `sed` and `sha256sum`:
//!
//! ```text
//! sed -n 7p history.jsonl | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\n' | sha256sum
//! ```

use plugin_protocol::encoding::{hex, sha256};
use serde::{Deserialize, Serialize};

use super::record::Record;

/// `prev` of the first record.
pub(super) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The longest line that is read back; ours stay far below.
pub(super) const MAX_LINE: usize = 64 * 1024;

const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";

/// A record in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was written, UTC, RFC 3339 with whole seconds.
    pub time: String,
    /// What happened.
    #[serde(flatten)]
    pub record: Record,
    /// The hash of the record before.
    pub prev: String,
}

/// The line of an entry, with its line feed.
pub(super) fn line(entry: &Entry) -> String {
    let mut text = serde_json::to_string(entry).expect("strings and integers serialise");
    let hash = hash_of(&text);
    text.pop();
    text + BEFORE_HASH + &hash + AFTER_HASH + "\n"
}

/// The entry of a line and its hash, or what is wrong with the line by itself.
pub(super) fn parse(line: &[u8]) -> Result<(Entry, String), String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    let text = text.strip_suffix('\n').ok_or("it has no end")?;
    let unclosed = text.strip_suffix(AFTER_HASH).ok_or("it does not end with a hash")?;
    let (body, hash) = unclosed.rsplit_once(BEFORE_HASH).ok_or("it has no hash")?;
    let body = format!("{body}}}");
    if hash_of(&body) != hash {
        return Err("its text does not have the hash that it names".to_owned());
    }
    let entry = serde_json::from_str(&body).map_err(|error| format!("it is no record: {error}"))?;
    Ok((entry, hash.to_owned()))
}

fn hash_of(body: &str) -> String {
    hex(&sha256(body.as_bytes()))
}
