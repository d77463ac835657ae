//! What is known once a card's proof is verified.

use plugin_protocol::Purpose;
use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::uec::UecApplication;
use time::OffsetDateTime;

use super::certificate::CardCertificate;
use super::data::UnsignedCardData;
use super::holder::{HolderPath, HolderSignature};
use super::suite::UecSuite;
use crate::assurance::{Assurance, Limit, Proven, Told};
use crate::identity::Signed;

/// A universal electronic card that proved, just now, to be the one with this SNILS. Whose hands held it is another
/// question: see [`assurance`](Self::assurance).
///
/// A value of this type comes out of [`crate::verify_any`] alone. It is no [`crate::VerifiedIdentity`], so that nobody
/// takes it for a person's signature by a certificate.
#[derive(Clone, Debug)]
pub struct VerifiedCard {
    pub(super) pan: String,
    pub(super) snils: String,
    pub(super) application: UecApplication,
    pub(super) suite: UecSuite,
    pub(super) certificate: CardCertificate,
    pub(super) path: Vec<Vec<u8>>,
    pub(super) valid_until: OffsetDateTime,
    pub(super) names_terminal: bool,
    pub(super) data: Option<UnsignedCardData>,
    pub(super) holder: Option<HolderSignature>,
    pub(super) signed: Signed,
    pub(super) test: bool,
}

impl VerifiedCard {
    /// The holder's SNILS, 11 digits: certified by the card's issuer.
    pub fn snils(&self) -> &str {
        &self.snils
    }

    /// The card's number, 19 digits: certified. Show [`masked_number`](Self::masked_number).
    pub fn number(&self) -> &str {
        &self.pan
    }

    /// The last four digits of the card's number: `•••• 1234`.
    pub fn masked_number(&self) -> String {
        format!("•••• {}", &self.pan[self.pan.len() - 4..])
    }

    /// The version of its identification application.
    pub fn application(&self) -> UecApplication {
        self.application
    }

    /// What it and its authorities sign with.
    pub fn suite(&self) -> UecSuite {
        self.suite
    }

    /// The CV certificate of the identification application. Keep it with the account: it is the evidence.
    pub fn certificate(&self) -> &[u8] {
        self.certificate.bytes()
    }

    /// SHA-256 of that certificate, lower-case hexadecimal, as the statement names it.
    pub fn certificate_sha256(&self) -> String {
        hex(&sha256(self.certificate.bytes()))
    }

    /// The CV certificates above it, from its issuer up to the root.
    pub fn path(&self) -> &[Vec<u8>] {
        &self.path
    }

    /// The last moment at which the card's certificate and those above it are all valid, UTC.
    pub fn valid_until(&self) -> OffsetDateTime {
        self.valid_until
    }

    /// What the agent says it read of the card. No signature covers it.
    pub fn unsigned_data(&self) -> Option<&UnsignedCardData> {
        self.data.as_ref()
    }

    /// The holder's signature, where one came along; whether it proves the holder is
    /// [`HolderSignature::is_proven`].
    pub fn holder_signature(&self) -> Option<&HolderSignature> {
        self.holder.as_ref()
    }

    /// When the person's computer says that this happened; the card signed it, and has no clock.
    pub fn signed_at(&self) -> Option<OffsetDateTime> {
        self.signed.time
    }

    /// The purpose in the statement that the card signed the hash of.
    pub fn signed_purpose(&self) -> Option<Purpose> {
        self.signed.purpose
    }

    /// Under a test root, the card's or its holder's: this proves no person.
    pub fn is_test(&self) -> bool {
        self.test
    }

    /// What is proven, what is only told, and what limits it.
    pub fn assurance(&self) -> Assurance {
        let mut assurance = Assurance::default();
        assurance.prove(Proven::CardAuthentic);
        assurance.prove(Proven::CardSnils);
        match &self.holder {
            Some(holder) if holder.is_proven() => assurance.prove(Proven::HolderSignature),
            Some(_) => assurance.tell(Told::HolderSignature),
            None => assurance.tell(Told::HolderPin),
        }
        if self.data.is_some() {
            assurance.tell(Told::CardData);
        }
        if self.names_terminal {
            assurance.tell(Told::Terminal);
        }
        assurance.limit(match self.suite {
            UecSuite::Gost => Limit::EndedGost2001,
            UecSuite::Rsa => Limit::EndedRsaSha1,
        });
        assurance.limit(Limit::CardBlockingUnknown);
        assurance.limit(Limit::FormNeverSeen);
        assurance.limit(Limit::ProgrammeEnded);
        if let Some(HolderPath::Valid { revocation, .. }) = self.holder.as_ref().map(HolderSignature::path) {
            assurance.limit_revocation(revocation);
        }
        if self.test {
            assurance.limit(Limit::Test);
        }
        assurance
    }
}
