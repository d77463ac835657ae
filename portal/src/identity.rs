//! What is known once a proof is verified.

use plugin_protocol::encoding::{hex, sha256};
use plugin_protocol::{ProofFormat, Purpose, SignatureAlgorithm};
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::path::ValidPath;
use crate::qualification::Qualification;
use crate::revocation::CertificateStatus;
use crate::subject::Subject;

/// A person who proved, just now, to hold the key of a certificate this portal trusts.
///
/// A value of this type comes out of [`crate::verify`] alone.
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
}
