//! The verdict: what a verified proof makes of an account, as JSON.

use plugin_protocol::qualified::QualifiedFacts;
use plugin_protocol::statement::rfc3339;
use plugin_protocol::uec::UecApplication;
use plugin_protocol::{ProofFormat, Purpose, SignatureAlgorithm};
use serde::Serialize;

use super::person::proven_holder;
use crate::assurance::Assurance;
use crate::challenge::Taken;
use crate::identity::{Verified, VerifiedIdentity};
use crate::qualification::Qualification;
use crate::revocation::CertificateStatus;
use crate::subject::Subject;
use crate::uec::VerifiedCard;

/// The answer to a good `POST /proof`: by a certificate or a card, told apart by `format`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Verdict {
    /// A person signed by a certificate.
    Certificate(Box<OfCertificate>),
    /// A universal electronic card proved itself.
    Card(Box<OfCard>),
}

/// The verdict on a card.
#[derive(Debug, Serialize)]
pub struct OfCard {
    account: String,
    /// Always `confirmed`.
    level: &'static str,
    purpose: Purpose,
    /// Certified by the card's issuer.
    snils: String,
    card: CardFacts,
    /// The names in the holder's certificate, if its path is valid and it names the card's SNILS.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Names>,
    /// What the agent says it read; no signature covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsigned_data: Option<UnsignedData>,
    format: ProofFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<String>,
    assurance: Worth,
    test: bool,
}

#[derive(Debug, Serialize)]
struct CardFacts {
    /// The last digits.
    number: String,
    application: UecApplication,
    algorithm: &'static str,
    sha256: String,
    valid_until: String,
}

#[derive(Debug, Serialize)]
struct UnsignedData {
    #[serde(skip_serializing_if = "Option::is_none")]
    surname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patronymic: Option<String>,
    /// YYYY-MM-DD.
    #[serde(skip_serializing_if = "Option::is_none")]
    birth_date: Option<String>,
}

/// [`Assurance`] by its names.
#[derive(Debug, Serialize)]
struct Worth {
    proven: Vec<&'static str>,
    told: Vec<&'static str>,
    limits: Vec<&'static str>,
}

impl From<Assurance> for Worth {
    fn from(assurance: Assurance) -> Self {
        Self {
            proven: assurance.proven().iter().map(|fact| fact.name()).collect(),
            told: assurance.told().iter().map(|fact| fact.name()).collect(),
            limits: assurance.limits().iter().map(|fact| fact.name()).collect(),
        }
    }
}

/// The verdict on a certificate.
#[derive(Debug, Serialize)]
pub struct OfCertificate {
    account: String,
    /// Always `confirmed`.
    level: &'static str,
    purpose: Purpose,
    /// commonName.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    subject: Names,
    certificate: CertificateFacts,
    algorithm: SignatureAlgorithm,
    format: ProofFormat,
    /// RFC 3339; absent for `web-eid:1.0`, which signs no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<String>,
    /// `not_checked`, `unknown`, `good`.
    revocation: &'static str,
    qualified: Qualified,
    assurance: Worth,
    /// A test certificate: this proves no person.
    test: bool,
}

#[derive(Debug, Serialize)]
struct CertificateFacts {
    serial: String,
    sha256: String,
    issuer: String,
    valid_until: String,
}

/// Whether the certificate is a qualified one, as far as that can be told.
#[derive(Debug, Serialize)]
struct Qualified {
    claimed: bool,
    /// The accredited authority, by its name in the trust list.
    #[serde(skip_serializing_if = "Option::is_none")]
    accredited_issuer: Option<String>,
    /// What the form demands and is missing, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lacks: Vec<&'static str>,
    /// What nobody looked at: names of [`Unchecked`](crate::qualification::Unchecked).
    not_checked: Vec<&'static str>,
    facts: QualifiedFacts,
}

impl From<&Qualification> for Qualified {
    fn from(qualification: &Qualification) -> Self {
        Self {
            claimed: qualification.is_claimed(),
            accredited_issuer: qualification.accredited_issuer().map(str::to_owned),
            lacks: qualification.lacks().iter().map(|lack| lack.text()).collect(),
            not_checked: qualification
                .unchecked()
                .iter()
                .map(|unchecked| unchecked.name())
                .collect(),
            facts: qualification.facts().clone(),
        }
    }
}

macro_rules! names {
    ($($name:ident),+) => {
        #[derive(Debug, Serialize)]
        struct Names {
            $(#[serde(skip_serializing_if = "Option::is_none")] $name: Option<String>,)+
        }

        impl From<&Subject> for Names {
            fn from(subject: &Subject) -> Self {
                Self { $($name: subject.$name().map(str::to_owned)),+ }
            }
        }
    };
}

names!(
    surname,
    given_name,
    country,
    organization,
    title,
    serial_number,
    snils,
    inn,
    innle,
    ogrn,
    ogrnip
);

impl Verdict {
    /// What was verified makes this of the account that asked.
    pub fn new(taken: &Taken, verified: &Verified) -> Self {
        match verified {
            Verified::Certificate(identity) => Self::Certificate(Box::new(OfCertificate::new(taken, identity))),
            Verified::Card(card) => Self::Card(Box::new(OfCard::new(taken, card))),
        }
    }
}

impl OfCard {
    fn new(taken: &Taken, card: &VerifiedCard) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            account: taken.account.clone(),
            level: "confirmed",
            purpose: taken.purpose,
            snils: card.snils().to_owned(),
            card: CardFacts {
                number: card.masked_number(),
                application: card.application(),
                algorithm: card.suite().name(),
                sha256: card.certificate_sha256(),
                valid_until: rfc3339(card.valid_until()),
            },
            holder: proven_holder(card).map(|holder| holder.subject().into()),
            unsigned_data: card.unsigned_data().map(|data| UnsignedData {
                surname: text(data.surname()),
                given_name: text(data.given_name()),
                patronymic: text(data.patronymic()),
                birth_date: data.birth_date().map(|date| date.to_string()),
            }),
            format: ProofFormat::Uec,
            signed_at: card.signed_at().map(rfc3339),
            assurance: card.assurance().into(),
            test: card.is_test(),
        }
    }
}

impl OfCertificate {
    fn new(taken: &Taken, identity: &VerifiedIdentity) -> Self {
        Self {
            account: taken.account.clone(),
            level: "confirmed",
            purpose: taken.purpose,
            name: identity.subject().common_name().map(str::to_owned),
            subject: identity.subject().into(),
            certificate: CertificateFacts {
                serial: identity.certificate_serial(),
                sha256: identity.certificate_sha256(),
                issuer: identity.issuer(),
                valid_until: rfc3339(identity.valid_until()),
            },
            algorithm: identity.algorithm(),
            format: identity.format(),
            signed_at: identity.signed_at().map(rfc3339),
            revocation: revocation(identity.revocation()),
            qualified: identity.qualification().into(),
            assurance: identity.assurance().into(),
            test: identity.is_test(),
        }
    }
}

/// The least that is known of any certificate in the path.
pub(super) fn revocation(statuses: &[CertificateStatus]) -> &'static str {
    if statuses.contains(&CertificateStatus::NotChecked) {
        "not_checked"
    } else if statuses.contains(&CertificateStatus::Unknown) {
        "unknown"
    } else {
        "good"
    }
}
