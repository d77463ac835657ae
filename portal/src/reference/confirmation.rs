//! What raised an account to confirmed, kept with it: what was checked, and what was not.

use plugin_protocol::statement::rfc3339;
use serde::Serialize;
use time::OffsetDateTime;

use super::verdict::revocation;
use crate::certificate::Certificate;
use crate::error::Place;
use crate::identity::VerifiedIdentity;
use crate::qualification::QualifiedDemand;
use crate::subject::Subject;

/// Something the portal looked at, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The signature verifies with the certificate's key.
    Signature,
    /// The certificate is valid now and leads to an authority this portal trusts.
    Certificate,
    /// The answer is to this portal's own question, asked in this session, and was used once.
    Challenge,
    /// The purpose that was shown to the person is among what was signed.
    Purpose,
    /// СНИЛС and names are those of the account.
    Person,
    /// No certificate of the path is known to be revoked.
    Revocation,
    /// A certificate in the form of a qualified one (63-ФЗ), of an authority that the trust list says is accredited.
    Qualified,
}

impl Check {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 7] = [
        Self::Signature,
        Self::Certificate,
        Self::Challenge,
        Self::Purpose,
        Self::Person,
        Self::Revocation,
        Self::Qualified,
    ];

    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Certificate => "certificate",
            Self::Challenge => "challenge",
            Self::Purpose => "purpose",
            Self::Person => "person",
            Self::Revocation => "revocation",
            Self::Qualified => "qualified",
        }
    }
}

/// The evidence of one confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// When the portal decided.
    pub at: OffsetDateTime,
    /// A test certificate: this proves no person.
    pub test: bool,
    /// commonName of the certificate's issuer, or its whole name.
    pub issuer: String,
    /// The certificate's serial number, hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate, hexadecimal.
    pub certificate_sha256: String,
    /// The last moment the certificate is valid.
    pub valid_until: OffsetDateTime,
    checked: Vec<Check>,
}

impl Confirmation {
    /// Of a person who was found to be the account's.
    pub fn new(identity: &VerifiedIdentity, now: OffsetDateTime) -> Self {
        Self {
            at: now,
            test: identity.is_test(),
            issuer: issuer(identity),
            serial: identity.certificate_serial(),
            certificate_sha256: identity.certificate_sha256(),
            valid_until: identity.valid_until(),
            checked: checked(identity),
        }
    }

    /// What was checked.
    pub fn checked(&self) -> &[Check] {
        &self.checked
    }

    /// What was not.
    pub fn not_checked(&self) -> Vec<Check> {
        let all = Check::ALL.into_iter();
        all.filter(|check| !self.checked.contains(check)).collect()
    }

    /// As the page's script is told.
    pub(super) fn answer(&self) -> Answer<'_> {
        Answer {
            level: "confirmed",
            test: self.test,
            confirmed_at: rfc3339(self.at),
            checked: self.checked(),
            not_checked: self.not_checked(),
        }
    }
}

/// Answer to a good proof of `confirm_identity`.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    level: &'static str,
    test: bool,
    confirmed_at: String,
    checked: &'a [Check],
    not_checked: Vec<Check>,
}

fn checked(identity: &VerifiedIdentity) -> Vec<Check> {
    let mut checked = vec![Check::Signature, Check::Certificate, Check::Challenge];
    if identity.signed_purpose().is_some() {
        checked.push(Check::Purpose);
    }
    checked.push(Check::Person);
    if revocation(identity.revocation()) == "good" {
        checked.push(Check::Revocation);
    }
    if identity
        .qualification()
        .falls_short(QualifiedDemand::Accredited)
        .is_none()
    {
        checked.push(Check::Qualified);
    }
    checked
}

fn issuer(identity: &VerifiedIdentity) -> String {
    let certificate = Certificate::from_der(identity.certificate_der(), Place::Signer);
    let name = certificate
        .ok()
        .map(|certificate| Subject::from_name(certificate.issuer()));
    let common_name = name.and_then(|name| name.common_name().map(str::to_owned));
    common_name.unwrap_or_else(|| identity.issuer())
}
