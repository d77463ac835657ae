//! Universal electronic cards: what a good proof says, and everything that is refused.

mod assurance;
mod fuzz;
mod good;
mod refused;
mod vectors;

use fixtures::cvc::{Evidence, Suite, UecPki, Version};
use plugin_protocol::encoding::base64;
use plugin_protocol::{Challenge, Origin, Proof, Purpose, Statement};
use portal::policy::PolicyBuilder;
use portal::{Policy, UecPolicy, Verified, VerifiedCard, VerifyError};
use time::OffsetDateTime;

/// Both versions of both suites.
pub const KINDS: [(Version, Suite); 4] = [
    (Version::V11, Suite::Gost),
    (Version::V10, Suite::Gost),
    (Version::V11, Suite::Rsa),
    (Version::V10, Suite::Rsa),
];

/// A portal that takes cards, and a card.
pub struct Scene {
    pub pki: UecPki,
    pub origin: Origin,
    pub challenge: Challenge,
    pub policy: Policy,
    pub now: OffsetDateTime,
}

impl Scene {
    pub fn new(version: Version, suite: Suite) -> Self {
        let pki = UecPki::new(version, suite);
        Self {
            policy: with_holders(&pki).universal_cards(cards(&pki)).build().unwrap(),
            origin: "https://portal.example".parse().unwrap(),
            challenge: base64(&[7; 32]).parse().unwrap(),
            now: OffsetDateTime::from_unix_timestamp(pki.at).unwrap(),
            pki,
        }
    }

    pub fn gost() -> Self {
        Self::new(Version::V11, Suite::Gost)
    }

    /// The same that demands the holder's signature.
    pub fn demanding(self) -> Self {
        let cards = cards(&self.pki).demand_holder_signature();
        let policy = with_holders(&self.pki).universal_cards(cards).build().unwrap();
        Self { policy, ..self }
    }

    /// The statement for a card with this certificate.
    pub fn statement(&self, certificate: &[u8]) -> Statement {
        let purpose = Purpose::ConfirmIdentity;
        Statement::new(
            self.origin.clone(),
            self.challenge.clone(),
            purpose,
            self.now,
            certificate,
        )
    }

    pub fn statement_bytes(&self) -> Vec<u8> {
        self.statement(&self.pki.application.certificate).to_canonical_json()
    }

    /// What the card hands out after PIN1.
    pub fn evidence(&self) -> Evidence {
        self.pki.evidence(&self.statement_bytes())
    }

    /// What it hands out after PIN2.
    pub fn evidence_of_holder(&self) -> Evidence {
        self.pki.evidence_of_holder(&self.statement_bytes())
    }

    pub fn verify(&self, evidence: &Evidence) -> Result<VerifiedCard, VerifyError> {
        self.verify_proof(&Proof::Uec(evidence.proof()))
    }

    pub fn verify_proof(&self, proof: &Proof) -> Result<VerifiedCard, VerifyError> {
        let verified = portal::verify_any(proof, &self.origin, &self.challenge, &self.policy, self.now)?;
        match verified {
            Verified::Card(card) => Ok(*card),
            other => panic!("no card: {other:?}"),
        }
    }
}

/// A policy that trusts the holders' authority.
pub fn with_holders(pki: &UecPki) -> PolicyBuilder {
    Policy::builder().test_root(&pki.holder_authority.certificate).unwrap()
}

/// Cards under this root, of either suite.
pub fn cards(pki: &UecPki) -> UecPolicy {
    let cards = UecPolicy::new().test_root(&pki.authority.certificate).unwrap();
    cards.accept_rsa_sha1()
}
