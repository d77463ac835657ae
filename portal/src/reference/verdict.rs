//! The verdict: what a verified proof makes of an account, as JSON.

use plugin_protocol::qualified::QualifiedFacts;
use plugin_protocol::statement::rfc3339;
use plugin_protocol::{ProofFormat, Purpose, SignatureAlgorithm};
use serde::Serialize;

use crate::challenge::Taken;
use crate::identity::VerifiedIdentity;
use crate::qualification::Qualification;
use crate::revocation::CertificateStatus;
use crate::subject::Subject;

/// The answer to a good `POST /proof`.
#[derive(Debug, Serialize)]
pub struct Verdict {
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
    /// What `identity` makes of the account that asked.
    pub fn new(taken: &Taken, identity: &VerifiedIdentity) -> Self {
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
