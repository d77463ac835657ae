//! The relying party: from a proof to a person, or to the reason why not.
pub mod certificate;
pub mod challenge;
pub mod error;
mod format;
pub mod identity;
pub mod path;
pub mod policy;
pub mod revocation;
pub mod signature;
pub mod subject;
mod verify;
pub mod work;

pub use challenge::ChallengeStore;
pub use error::{Place, Remedy, VerifyError};
pub use identity::VerifiedIdentity;
pub use policy::{Budget, Policy};
pub use revocation::{CertificateStatus, Revocation};
pub use subject::Subject;
pub use verify::{unverified_signer, verify};
