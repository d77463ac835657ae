//! `uec`: what a universal electronic card proves of itself (PROTOCOL.md section 12).

use plugin_protocol::encoding::base64;
use plugin_protocol::uec::{UEC_PROOF_VERSION, UecApplication, UecHolder, UecProof};
use plugin_protocol::{Proof, ProofFormat};
use time::OffsetDateTime;

use super::Subject;
use crate::certificate::is_cv_certificate;
use crate::error::Error;
use crate::token::Credential;
use crate::token::card::family::Evidence;
use crate::token::card::uec::evidence::check;
use crate::token::card::uec::kind::Version;

/// Whether a key makes this format, for [`crate::choose::Wanted::able`].
pub fn able(credential: &Credential) -> Result<(), Error> {
    match is_cv_certificate(&credential.certificate) {
        true => Ok(()),
        false => Err(Error::UnsupportedAlgorithm(format!(
            "the format {} is made by a universal electronic card alone, and this is none",
            ProofFormat::Uec
        ))),
    }
}

/// The canonical statement that the card is to prove itself over.
pub fn statement(subject: &Subject, certificate: &[u8], now: OffsetDateTime) -> Vec<u8> {
    subject.statement(certificate, now).to_canonical_json()
}

/// Wraps what the card handed out, once it was found right: of the agreed certificate, about the statement, with the
/// holder's signature where it was asked for.
pub fn finish(evidence: Evidence, agreed: &[u8], statement: &[u8], holder: bool) -> Result<Proof, Error> {
    let wrong = |why: &str| {
        tracing::warn!(why, "the card's evidence is wrong");
        Error::SignatureMismatch
    };
    let checked = check(&evidence, agreed, statement).map_err(wrong)?;
    if evidence.holder.is_some() != holder {
        return Err(wrong(
            "it has the holder's signature where none was asked for, or lacks it",
        ));
    }
    if let Some(order) = checked.order {
        tracing::info!(?order, "the holder's signature verifies");
    }
    Ok(wrap(evidence, statement))
}

fn wrap(evidence: Evidence, statement: &[u8]) -> Proof {
    let many = |all: &[Vec<u8>]| all.iter().map(|one| base64(one)).collect();
    Proof::Uec(UecProof {
        version: UEC_PROOF_VERSION,
        statement: base64(statement),
        application: match Version::from_byte(evidence.version) {
            Some(Version::V10) => UecApplication::V10,
            _ => UecApplication::V11,
        },
        certificate: base64(&evidence.certificate),
        issuers: many(&evidence.issuers),
        message: base64(&evidence.message),
        cryptogram: base64(&evidence.cryptogram),
        terminal: evidence.terminal.as_deref().map(base64),
        data: evidence.data.as_deref().map(base64),
        holder: evidence.holder.map(|holder| UecHolder {
            certificates: many(&holder.certificates),
            signature: base64(&holder.signature),
        }),
    })
}
