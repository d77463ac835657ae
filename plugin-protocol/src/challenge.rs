//! The portal's challenge: text of a restricted alphabet and length.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::{MAX_CHALLENGE, MIN_CHALLENGE};

/// A challenge: 32 to 128 characters of the base64 or base64url alphabet.
///
/// It is opaque text and never decoded. No document fits in it, which is what
/// lets the literal form be signed at all. Formats whose bytes the agent builds
/// ask for 44 characters or more ([`crate::ProofFormat::min_challenge`]).
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Challenge(String);

/// Why a text is not a [`Challenge`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// Not 32 to 128 characters.
    Length(usize),
    /// A character outside `A-Z a-z 0-9 + / - _ =`.
    Alphabet,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(found) => write!(
                f,
                "the challenge has {found} characters; {MIN_CHALLENGE} to {MAX_CHALLENGE} are allowed"
            ),
            Self::Alphabet => f.write_str("the challenge has a character outside the base64 and base64url alphabets"),
        }
    }
}

impl std::error::Error for ChallengeError {}

impl Challenge {
    /// The text as the portal issued it; its ASCII bytes are what is hashed or signed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Challenge {
    type Err = ChallengeError;

    fn from_str(text: &str) -> Result<Self, ChallengeError> {
        if !(MIN_CHALLENGE..=MAX_CHALLENGE).contains(&text.len()) {
            return Err(ChallengeError::Length(text.chars().count()));
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
        if !text.bytes().all(allowed) {
            return Err(ChallengeError::Alphabet);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Challenge({})", self.0)
    }
}

impl<'de> Deserialize<'de> for Challenge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
crate::schema::string_schema!(Challenge, "A challenge: base64 or base64url text, never decoded", 128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_its_alphabet_and_length() {
        assert!("a".repeat(32).parse::<Challenge>().is_ok());
        assert!("A+/-_=".repeat(8).parse::<Challenge>().is_ok());
        assert_eq!("a".repeat(31).parse::<Challenge>(), Err(ChallengeError::Length(31)));
        assert_eq!("a".repeat(129).parse::<Challenge>(), Err(ChallengeError::Length(129)));
        assert_eq!(" ".repeat(44).parse::<Challenge>(), Err(ChallengeError::Alphabet));
        assert_eq!("я".repeat(22).parse::<Challenge>(), Err(ChallengeError::Alphabet));
    }
}
