//! Which origins may have their literal challenge signed (`cms-challenge`).
//!
//! The literal form signs bytes that the portal chose. It exists for portals that
//! check a CMS over their own challenge, and is refused everywhere else.

use plugin_protocol::{Origin, ProofFormat};

use crate::error::Error;

/// The origins whose policy allows the literal form. Empty by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiteralOrigins(Vec<Origin>);

impl LiteralOrigins {
    /// These origins and no others.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// Whether `origin` may ask for `format`.
    pub fn check(&self, origin: &Origin, format: ProofFormat) -> Result<(), Error> {
        if format != ProofFormat::CmsChallenge || self.0.contains(origin) {
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
        assert!(
            LiteralOrigins::default()
                .check(&named, ProofFormat::CmsChallenge)
                .is_err()
        );
    }
}
