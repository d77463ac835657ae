//! What raised an account to confirmed, kept with it: what was checked, and what was not.

use plugin_protocol::statement::rfc3339;
use serde::Serialize;
use time::OffsetDateTime;

use super::person::proven_holder;
use super::verdict::revocation;
use crate::certificate::Certificate;
use crate::error::Place;
use crate::identity::{Verified, VerifiedIdentity};
use crate::qualification::QualifiedDemand;
use crate::subject::Subject;
use crate::uec::VerifiedCard;

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
    /// The card is one that its issuer made under a root this portal trusts, and it answered just now.
    Card,
    /// The СНИЛС that the card's issuer certified is the account's.
    Snils,
    /// The names are the account's, and somebody certified them.
    Names,
    /// The card's holder signed with PIN2, by a certificate that leads to an authority this portal trusts.
    Holder,
    /// The card was not lost, stolen or blocked.
    Blocked,
    /// The algorithms are in force.
    Algorithms,
}

impl Check {
    /// Those of a certificate, in the order they are shown.
    pub const OF_CERTIFICATES: &'static [Self] = &[
        Self::Signature,
        Self::Certificate,
        Self::Challenge,
        Self::Purpose,
        Self::Person,
        Self::Revocation,
        Self::Qualified,
    ];

    /// Those of a universal electronic card. Nobody can look whether one is blocked, or bring its algorithms back.
    pub const OF_CARDS: &'static [Self] = &[
        Self::Card,
        Self::Challenge,
        Self::Purpose,
        Self::Snils,
        Self::Names,
        Self::Holder,
        Self::Blocked,
        Self::Algorithms,
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
            Self::Card => "card",
            Self::Snils => "snils",
            Self::Names => "names",
            Self::Holder => "holder",
            Self::Blocked => "blocked",
            Self::Algorithms => "algorithms",
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
    /// By what.
    pub means: Means,
    /// SHA-256 of the certificate, hexadecimal.
    pub certificate_sha256: String,
    /// The last moment the certificate is valid.
    pub valid_until: OffsetDateTime,
    checked: Vec<Check>,
}

/// What a person confirmed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// An X.509 certificate.
    Certificate {
        /// commonName of its issuer, or the whole name.
        issuer: String,
        /// Its serial number, hexadecimal.
        serial: String,
    },
    /// A universal electronic card.
    Card {
        /// The last digits of its number.
        number: String,
    },
}

impl Confirmation {
    /// Of a person who was found to be the account's.
    pub fn new(verified: &Verified, now: OffsetDateTime) -> Self {
        match verified {
            Verified::Certificate(identity) => Self::by_certificate(identity, now),
            Verified::Card(card) => Self::by_card(card, now),
        }
    }

    fn by_certificate(identity: &VerifiedIdentity, now: OffsetDateTime) -> Self {
        Self {
            at: now,
            test: identity.is_test(),
            means: Means::Certificate {
                issuer: issuer(identity),
                serial: identity.certificate_serial(),
            },
            certificate_sha256: identity.certificate_sha256(),
            valid_until: identity.valid_until(),
            checked: checked(identity),
        }
    }

    fn by_card(card: &VerifiedCard, now: OffsetDateTime) -> Self {
        Self {
            at: now,
            test: card.is_test(),
            means: Means::Card {
                number: card.masked_number(),
            },
            certificate_sha256: card.certificate_sha256(),
            valid_until: card.valid_until(),
            checked: checked_of_card(card),
        }
    }

    /// What was checked.
    pub fn checked(&self) -> &[Check] {
        &self.checked
    }

    /// What was not.
    pub fn not_checked(&self) -> Vec<Check> {
        let all = match self.means {
            Means::Certificate { .. } => Check::OF_CERTIFICATES,
            Means::Card { .. } => Check::OF_CARDS,
        };
        let rest = all.iter().filter(|check| !self.checked.contains(check));
        rest.copied().collect()
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

fn checked_of_card(card: &VerifiedCard) -> Vec<Check> {
    let mut checked = vec![Check::Card, Check::Challenge, Check::Purpose, Check::Snils];
    if proven_holder(card).is_some() {
        checked.extend([Check::Names, Check::Holder]);
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
