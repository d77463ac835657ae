//! What is known once a proof is verified.
//!
//! A proof by a certificate and a universal electronic card's are not the same kind of knowledge, and so not the same
//! type: [`Verified`] holds one or the other.

use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::{ProofFormat, Purpose, SignatureAlgorithm};
use time::OffsetDateTime;

use crate::assurance::{Assurance, Limit, Proven};
use crate::certificate::Certificate;
use crate::path::ValidPath;
use crate::qualification::Qualification;
use crate::revocation::CertificateStatus;
use crate::subject::Subject;
use crate::uec::VerifiedCard;

/// What came out of [`crate::verify_any`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verified {
    /// A person signed by a certificate.
    Certificate(Box<VerifiedIdentity>),
    /// A universal electronic card proved itself, and perhaps its holder.
    Card(Box<VerifiedCard>),
}

impl Verified {
    /// What is proven, what is only told, and what limits it.
    pub fn assurance(&self) -> Assurance {
        match self {
            Self::Certificate(identity) => identity.assurance(),
            Self::Card(card) => card.assurance(),
        }
    }

    /// The person's SNILS, 11 digits: certified, in either case.
    pub fn snils(&self) -> Option<&str> {
        match self {
            Self::Certificate(identity) => identity.subject().snils(),
            Self::Card(card) => Some(card.snils()),
        }
    }

    /// A test certificate or card: this proves no person.
    pub fn is_test(&self) -> bool {
        match self {
            Self::Certificate(identity) => identity.is_test(),
            Self::Card(card) => card.is_test(),
        }
    }

    /// The proof's format.
    pub fn format(&self) -> ProofFormat {
        match self {
            Self::Certificate(identity) => identity.format(),
            Self::Card(_) => ProofFormat::Uec,
        }
    }

    /// The identity, if it is by a certificate.
    pub fn certificate(&self) -> Option<&VerifiedIdentity> {
        match self {
            Self::Certificate(identity) => Some(identity),
            Self::Card(_) => None,
        }
    }

    /// The card, if it is one's.
    pub fn card(&self) -> Option<&VerifiedCard> {
        match self {
            Self::Certificate(_) => None,
            Self::Card(card) => Some(card),
        }
    }
}

/// A person who proved, just now, to hold the key of a certificate this portal trusts. Never a universal electronic
/// card: that is a [`VerifiedCard`].
///
/// A value of this type comes out of [`crate::verify`] and [`crate::verify_any`] alone.
#[derive(Clone, Debug)]
pub struct VerifiedIdentity {
    subject: Subject,
    certificate: Certificate,
    path: Vec<Vec<u8>>,
    revocation: Vec<CertificateStatus>,
    algorithm: SignatureAlgorithm,
    format: ProofFormat,
    signed: Signed,
    qualification: Qualification,
    test: bool,
}

/// What a proof's signed bytes say besides origin, challenge and certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) time: Option<OffsetDateTime>,
    pub(crate) purpose: Option<Purpose>,
}

impl VerifiedIdentity {
    pub(crate) fn new(
        certificate: &Certificate,
        path: ValidPath<'_>,
        qualification: Qualification,
        algorithm: SignatureAlgorithm,
        format: ProofFormat,
        signed: Signed,
    ) -> Self {
        let above = path.intermediates.iter().copied().chain([path.anchor]);
        Self {
            subject: Subject::from_name(certificate.subject()),
            certificate: certificate.clone(),
            path: above.map(|certificate| certificate.der().to_vec()).collect(),
            revocation: path.revocation,
            algorithm,
            format,
            signed,
            qualification,
            test: path.test,
        }
    }

    /// Names and numbers of the person.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The certificate's serial number, lower-case hexadecimal.
    pub fn certificate_serial(&self) -> String {
        hex(self.certificate.serial())
    }

    /// The certificate, DER. Keep it with the account: it is the evidence.
    pub fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// SHA-256 of the certificate, lower-case hexadecimal, as statements name it.
    pub fn certificate_sha256(&self) -> String {
        hex(&sha256(self.certificate.der()))
    }

    /// The issuer's name in the form of RFC 4514.
    pub fn issuer(&self) -> String {
        self.certificate.issuer().to_string()
    }

    /// The last moment the certificate is valid.
    pub fn valid_until(&self) -> OffsetDateTime {
        self.certificate.validity().1
    }

    /// The authorities' certificates (DER), from the signer's issuer up to the trust anchor.
    pub fn path(&self) -> &[Vec<u8>] {
        &self.path
    }

    /// What is known of the revocation of the certificates, the signer's first, the anchor left out.
    pub fn revocation(&self) -> &[CertificateStatus] {
        &self.revocation
    }

    /// What the proof was signed with.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The proof's format.
    pub fn format(&self) -> ProofFormat {
        self.format
    }

    /// When the person's computer says it signed; `web-eid:1.0` does not say.
    pub fn signed_at(&self) -> Option<OffsetDateTime> {
        self.signed.time
    }

    /// The purpose that was signed; only `jws` and `cms` sign one.
    pub fn signed_purpose(&self) -> Option<Purpose> {
        self.signed.purpose
    }

    /// Whether the certificate claims to be qualified (63-ФЗ), on what grounds, and what was not checked.
    pub fn qualification(&self) -> &Qualification {
        &self.qualification
    }

    /// A test certificate: this proves no person.
    pub fn is_test(&self) -> bool {
        self.test
    }

    /// What is proven, what is only told, and what limits it.
    pub fn assurance(&self) -> Assurance {
        let mut assurance = Assurance::default();
        assurance.prove(Proven::CertificateKey);
        assurance.prove(Proven::CertificatePath);
        assurance.limit_revocation(&self.revocation);
        if self.test {
            assurance.limit(Limit::Test);
        }
        assurance
    }
}
