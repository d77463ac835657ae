//! Which keys the embedded token offers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A kind of key, by the name of the setting `software.keys` and of `--software-token=…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA of 2048 bits.
    Rsa2048,
    /// GOST R 34.10-2012 of 256 bits, on the set that most Russian certificates have.
    Gost256,
    /// GOST R 34.10-2012 of 512 bits.
    Gost512,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::P256, Self::P384, Self::Rsa2048, Self::Gost256, Self::Gost512];

    /// What the token offers where nobody asks for others: what it always did, so that nobody
    /// has more to choose from at each confirmation.
    pub const USUAL: [Self; 3] = [Self::P256, Self::P384, Self::Rsa2048];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Rsa2048 => "rsa2048",
            Self::Gost256 => "gost256",
            Self::Gost512 => "gost512",
        }
    }
}

/// Kinds of key, at least one, each once; the first is offered first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(Vec<KeyKind>);

impl Default for Keys {
    fn default() -> Self {
        Self(KeyKind::USUAL.to_vec())
    }
}

impl From<KeyKind> for Keys {
    fn from(kind: KeyKind) -> Self {
        Self(vec![kind])
    }
}

impl Keys {
    /// Every kind.
    pub fn all() -> Self {
        Self(KeyKind::ALL.to_vec())
    }

    /// The kinds, in their order.
    pub fn kinds(&self) -> &[KeyKind] {
        &self.0
    }

    fn read<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, NoKeys> {
        let mut kinds = Vec::new();
        for name in names.map(str::trim) {
            let kind = KeyKind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| NoKeys(format!("{name:?} is no kind of key")))?;
            match kinds.contains(&kind) {
                true => return Err(NoKeys(format!("{name} is there twice"))),
                false => kinds.push(kind),
            }
        }
        match kinds.is_empty() {
            true => Err(NoKeys("there is no kind of key".to_owned())),
            false => Ok(Self(kinds)),
        }
    }
}

impl FromStr for Keys {
    type Err = NoKeys;

    /// From names with commas between them, or `all`.
    fn from_str(text: &str) -> Result<Self, NoKeys> {
        match text {
            "all" => Ok(Self::all()),
            names => Self::read(names.split(',')),
        }
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Self::read(names.iter().map(String::as_str)).map_err(serde::de::Error::custom)
    }
}

/// Why a text names no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoKeys(String);

impl fmt::Display for NoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = KeyKind::ALL.iter().map(|kind| kind.name()).collect();
        write!(f, "{}; the kinds are {}", self.0, known.join(", "))
    }
}

impl std::error::Error for NoKeys {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_read_in_their_order_and_each_once() {
        let keys: Keys = "gost512, p256".parse().unwrap();
        assert_eq!(keys.kinds(), [KeyKind::Gost512, KeyKind::P256]);
        assert_eq!("all".parse::<Keys>().unwrap().kinds(), KeyKind::ALL);
        for (text, why) in [
            ("", "\"\" is no kind of key; the kinds are p256, "),
            ("gost", "\"gost\" is no kind"),
            ("p256,p256", "p256 is there twice"),
        ] {
            let told = text.parse::<Keys>().unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
        }
    }
}
