//! Which origins may have their literal challenge signed (`cms-challenge`).
//!
//! The literal form signs bytes that the portal chose. It exists for portals that
//! check a CMS over their own challenge, and is refused everywhere else.

use plugin_protocol::{Origin, ProofFormat};

use crate::error::Error;

/// The state's sign-in service (ESIA), which has its literal challenge signed. Its portal for tests is left out:
/// whoever controls that one could pass a challenge of this one on to a person.
const SHIPPED: [&str; 1] = ["https://esia.gosuslugi.ru"];

/// The origins whose policy allows the literal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiteralOrigins(Vec<Origin>);

impl Default for LiteralOrigins {
    /// Those that are shipped: ESIA's. A configuration replaces them.
    fn default() -> Self {
        Self(SHIPPED.iter().filter_map(|origin| origin.parse().ok()).collect())
    }
}

impl LiteralOrigins {
    /// These origins and no others.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// Whether `origin` may ask for `format`.
    pub fn check(&self, origin: &Origin, format: ProofFormat) -> Result<(), Error> {
        match format {
            ProofFormat::CmsChallenge => self.check_named(origin),
            _ => Ok(()),
        }
    }

    /// Whether `origin` is one of them: only for these may a plugin ask that does not know which page it serves.
    pub fn check_named(&self, origin: &Origin) -> Result<(), Error> {
        if self.0.contains(origin) {
            return Ok(());
        }
        Err(Error::OriginNotAllowed(format!(
            "{origin} is not among the origins that may have their literal challenge signed; \
             use the format cms, or add it to [literal] origins in the agent's configuration"
        )))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_named_origins_get_the_literal_form() {
        let named: Origin = "https://esia.example".parse().unwrap();
        let other: Origin = "https://esia.example.org".parse().unwrap();
        let policy = LiteralOrigins::new(vec![named.clone()]);
        assert_eq!(policy.check(&named, ProofFormat::CmsChallenge), Ok(()));
        for format in ProofFormat::ALL {
            let verdict = policy.check(&other, format);
            assert_eq!(verdict.is_ok(), format != ProofFormat::CmsChallenge, "{format}");
        }
        let shipped = LiteralOrigins::default();
        assert!(shipped.check(&named, ProofFormat::CmsChallenge).is_err());
        for esia in SHIPPED {
            let esia: Origin = esia.parse().unwrap();
            assert_eq!(shipped.check(&esia, ProofFormat::CmsChallenge), Ok(()));
            assert!(
                LiteralOrigins::new(Vec::new()).check_named(&esia).is_err(),
                "it can be emptied"
            );
        }
        assert_eq!(shipped.0.len(), SHIPPED.len());
    }
}
