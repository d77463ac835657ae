//! The relying party: from a proof to a person, or to the reason why not.
//!
//! A portal does three things: it prepares a [`Policy`] once, issues challenges from a
//! [`ChallengeStore`], and calls [`verify`] for every proof that comes back.
//!
//! ```
//! use plugin_protocol::{Origin, Proof, Purpose};
//! use portal::{ChallengeStore, Policy, VerifiedIdentity};
//! use time::OffsetDateTime;
//!
//! struct Portal {
//!     origin: Origin,             // "https://portal.example": known, never taken from the proof
//!     policy: Policy,             // prepared once
//!     challenges: ChallengeStore, // single use, five minutes
//! }
//!
//! impl Portal {
//!     /// The page passes this to the plugin, with the origin the browser adds.
//!     fn ask(&self, session: &str, account: &str) -> Result<String, Box<dyn std::error::Error>> {
//!         let now = OffsetDateTime::now_utc();
//!         let challenge = self.challenges.issue(session, account, Purpose::ConfirmIdentity, now)?;
//!         Ok(challenge.to_string())
//!     }
//!
//!     /// The page brings back the challenge and the proof, as JSON.
//!     fn confirm(&self, session: &str, challenge: &str, proof: &str)
//!         -> Result<(String, VerifiedIdentity), Box<dyn std::error::Error>> {
//!         let now = OffsetDateTime::now_utc();
//!         let taken = self.challenges.take(&challenge.parse()?, session, now)?;
//!         let proof: Proof = serde_json::from_str(proof)?;
//!         let policy = self.policy.expecting(taken.purpose);
//!         let person = portal::verify(&proof, &self.origin, &taken.challenge, &policy, now)?;
//!         Ok((taken.account, person)) // raise this account to "confirmed" as this person
//!     }
//! }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pki = fixtures::pki::TestPki::new();
//! # let builder = Policy::builder().test_root(&pki.root.certificate)?;
//! # let policy = builder.intermediate(&pki.intermediate.certificate)?.build()?;
//! # let portal = Portal { origin: "https://portal.example".parse()?, policy, challenges: ChallengeStore::default() };
//! # let challenge = portal.ask("session", "account")?;
//! # let person = pki.person("Иванов Иван Иванович").issue();
//! # let (now, purpose) = (OffsetDateTime::now_utc(), Purpose::ConfirmIdentity);
//! # let statement = plugin_protocol::Statement::new(portal.origin.clone(), challenge.parse()?, purpose, now, &person.certificate);
//! # let header = plugin_protocol::jws::JwsHeader::new(plugin_protocol::SignatureAlgorithm::ES256, &[&person.certificate]);
//! # let input = plugin_protocol::jws::to_be_signed(&header, &statement);
//! # let signature = person.key.sign_fixed(person.key.default_algorithm(), input.as_bytes());
//! # let proof = Proof::Jws { jws: format!("{input}.{}", plugin_protocol::encoding::base64url(&signature)) };
//! # let proof = serde_json::to_string(&proof)?;
//! # let (account, identity) = portal.confirm("session", &challenge, &proof)?;
//! # assert_eq!(account, "account");
//! # assert_eq!(identity.subject().common_name(), Some("Иванов Иван Иванович"));
//! # assert!(portal.confirm("session", &challenge, &proof).is_err(), "a challenge is used once");
//! # Ok(())
//! # }
//! ```
//!
//! Read it in this order: [`challenge`], [`policy`], [`verify`](verify()), [`identity`] and [`subject`] for what
//! comes out, [`error`] for what else may; then how it is done: `format` opens a
//! proof, [`certificate`] reads a certificate, [`path`] finds and validates the way to a trust
//! anchor, [`revocation`] weighs evidence, [`signature`] alone verifies signatures,
//! and [`work`] bounds all of it. [`assurance`] says what a verified proof is worth, [`uec`] is the verifier of universal
//! electronic cards. For qualified signatures: [`qualification`] and [`trust_list`]. [`esia`] is for
//! information systems that speak OAuth with ESIA, and has nothing to do with proofs.
//!
//! # What cannot happen here
//!
//! - [`verify`](verify()) reads no clock, no file and no network: all it depends on is in its arguments.
//! - A [`VerifiedIdentity`] comes out of [`verify`](verify()) and [`verify_any`] alone.
//! - A universal electronic card is not taken for a certificate: [`verify`](verify()) refuses one, [`verify_any`] answers
//!   with a [`VerifiedCard`], and only where the [`Policy`] asks for these cards.
//! - A challenge is not taken twice: [`ChallengeStore::take`] looks it up and removes it in one step.
//! - A test certificate is not taken for a person's: see [`policy::PolicyBuilder::test_root`].
//!
//! # Limits
//!
//! GOST R 34.10-2012 comes in `cms` and `cms-challenge` alone, since JOSE has no name for it; 34.10-2001, whose use
//! for signing ended with 2019, is recognised, to be refused by its name (of the holder of a universal electronic card it is taken). [`Budget`] bounds how many signatures one
//! proof may cost. Revocation by indirect CRLs, CRLs for some reasons, CRLs whose distribution point
//! is named relative to their issuer, and by keys other than the issuer's and its OCSP delegates' stays unknown; a delta CRL is not read, so the base CRL it amends decides. Time stamps (CAdES-T) are not read.
//! ECDSA with a hash of another length than the curve's is taken on certificates where `ring`
//! verifies it, but not on proofs. Whether a signature is a qualified one in the eyes of the law is not judged:
//! [`Qualification`] says what its certificate claims, what supports that, and what nobody looked at; the state's
//! list's own signature is not verified.
//!
//! Feature `reference-portal` (default): [`mod@reference`], a small portal over all this, and the program `eid-portal`.

pub mod assurance;
pub mod certificate;
pub mod challenge;
pub mod error;
pub mod esia;
mod format;
pub mod identity;
pub mod path;
pub mod policy;
pub mod qualification;
#[cfg(feature = "reference-portal")]
pub mod reference;
pub mod revocation;
pub mod signature;
pub mod subject;
pub mod trust_list;
pub mod uec;
mod verify;
pub mod work;

pub use assurance::Assurance;
pub use challenge::ChallengeStore;
pub use error::{Place, Remedy, VerifyError};
pub use identity::{Verified, VerifiedIdentity};
pub use policy::{Budget, Policy};
pub use qualification::{Qualification, QualifiedDemand};
pub use revocation::{CertificateStatus, Revocation};
pub use subject::Subject;
pub use trust_list::TrustList;
pub use uec::{UecPolicy, VerifiedCard};
pub use verify::{unverified_signer, verify, verify_any};
