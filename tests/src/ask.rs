//! What plugins ask for in the tests.

use plugin_protocol::api::{CertificateRequest, CertificateRole, ConfirmationRequest, SignatureItem, SignatureRequest};
use plugin_protocol::encoding::base64;
use plugin_protocol::{HashFunction, Purpose};
use ring::rand::{SecureRandom, SystemRandom};

/// The portal that no page of these tests is from.
pub const ORIGIN: &str = "https://portal.example";

/// A confirmation for [`ORIGIN`] with a fresh challenge.
pub fn confirmation(format: &str) -> ConfirmationRequest {
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).expect("random numbers");
    ConfirmationRequest {
        origin: ORIGIN.parse().expect("an origin"),
        top_origin: None,
        challenge: base64(&random).parse().expect("44 characters of base64"),
        format: format.to_owned(),
        detached: false,
        holder_signature: false,
        purpose: Purpose::ConfirmIdentity,
        token: None,
        certificate: None,
        origin_attested: true,
    }
}

/// The signing of these documents, each hashed with SHA-256.
pub fn signatures(documents: &[(&str, &[u8])]) -> SignatureRequest {
    let item = |(name, content): &(&str, &[u8])| SignatureItem {
        name: Some((*name).to_owned()),
        hash_function: HashFunction::Sha256,
        hash: base64(&HashFunction::Sha256.digest(content)),
    };
    SignatureRequest {
        origin: ORIGIN.parse().expect("an origin"),
        top_origin: None,
        items: documents.iter().map(item).collect(),
        certificate: None,
        token: None,
    }
}

/// The signing certificate, for [`ORIGIN`].
pub fn certificate() -> CertificateRequest {
    CertificateRequest {
        origin: ORIGIN.parse().expect("an origin"),
        top_origin: None,
        token: None,
        role: CertificateRole::Signing,
        origin_attested: true,
    }
}
