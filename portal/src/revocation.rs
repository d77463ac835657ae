//! Revocation: the evidence a portal has, and what it demands of it.
//!
//! Nothing is fetched here. A portal downloads CRLs from time to time, and may
//! ask an OCSP responder about [`crate::unverified_signer`] before it verifies.

use certval::ocsp::{BasicOcspResponse, OcspResponse, SingleResponse};
use der::Decode;
use time::{Duration, OffsetDateTime};
use x509_cert::certificate::Raw;
use x509_cert::crl::CertificateList;
use x509_cert::name::Name;

use crate::certificate::{Certificate, magnitude};

/// What is demanded, and what there is to answer it.
#[derive(Clone, Debug)]
pub struct Revocation {
    mode: Mode,
    max_age: Option<Duration>,
    crls: Vec<Crl>,
    responses: Vec<Response>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    BestEffort,
    Required,
}

/// A CRL; its signature is checked each time it is used.
#[derive(Clone, Debug)]
struct Crl {
    der: Vec<u8>,
    issuer: Name,
    this_update: OffsetDateTime,
}

/// An OCSP response; its signature is checked each time it is used.
#[derive(Clone, Debug)]
struct Response {
    der: Vec<u8>,
    answers: Vec<(Vec<u8>, OffsetDateTime)>,
}

/// Evidence that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceError {
    /// Not a CertificateList in DER (RFC 5280 section 5.1).
    Crl,
    /// Not a successful basic OCSP response in DER (RFC 6960 section 4.2.1).
    Ocsp,
}

impl std::fmt::Display for EvidenceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Crl => "not a certificate revocation list in DER",
            Self::Ocsp => "not a successful basic OCSP response in DER",
        })
    }
}

impl std::error::Error for EvidenceError {}

/// What is known of one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// The policy does not check revocation.
    NotChecked,
    /// No evidence says anything of it; the policy makes do with that.
    Unknown,
    /// Not in a CRL issued at this time.
    GoodByCrl(OffsetDateTime),
    /// Good by an OCSP response whose status was right at this time (thisUpdate).
    GoodByOcsp(OffsetDateTime),
}

/// One piece of evidence that may tell of a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Evidence<'a> {
    Crl { der: &'a [u8], this_update: OffsetDateTime },
    Ocsp { der: &'a [u8], this_update: OffsetDateTime },
}

impl Evidence<'_> {
    pub(crate) fn good(&self) -> CertificateStatus {
        match self {
            Self::Crl { this_update, .. } => CertificateStatus::GoodByCrl(*this_update),
            Self::Ocsp { this_update, .. } => CertificateStatus::GoodByOcsp(*this_update),
        }
    }

    fn this_update(&self) -> OffsetDateTime {
        match self {
            Self::Crl { this_update, .. } | Self::Ocsp { this_update, .. } => *this_update,
        }
    }
}

impl Revocation {
    /// Revocation is not looked at.
    pub fn none() -> Self {
        Self::new(Mode::Off)
    }

    /// A certificate known to be revoked is refused; one nothing is known of is accepted.
    pub fn best_effort() -> Self {
        Self::new(Mode::BestEffort)
    }

    /// Every certificate of the path but the anchor must be known to be good.
    pub fn required() -> Self {
        Self::new(Mode::Required)
    }

    fn new(mode: Mode) -> Self {
        Self {
            mode,
            max_age: None,
            crls: Vec::new(),
            responses: Vec::new(),
        }
    }

    /// Evidence issued longer ago is not used, even before its nextUpdate.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Adds a CRL, DER.
    pub fn crl(mut self, der: &[u8]) -> Result<Self, EvidenceError> {
        self.crls.push(Crl::parse(der).ok_or(EvidenceError::Crl)?);
        self.crls.sort_by_key(|crl| std::cmp::Reverse(crl.this_update));
        Ok(self)
    }

    /// Adds an OCSP response, DER.
    pub fn ocsp(mut self, der: &[u8]) -> Result<Self, EvidenceError> {
        self.responses.push(Response::parse(der).ok_or(EvidenceError::Ocsp)?);
        Ok(self)
    }

    pub(crate) fn is_checked(&self) -> bool {
        self.mode != Mode::Off
    }

    pub(crate) fn is_required(&self) -> bool {
        self.mode == Mode::Required
    }

    /// What may tell of `subject`, and is not too old: OCSP responses first, then CRLs, newest first.
    pub(crate) fn evidence_for<'a>(
        &'a self,
        subject: &'a Certificate,
        now: OffsetDateTime,
    ) -> impl Iterator<Item = Evidence<'a>> {
        let responses = self.responses.iter().filter_map(|response| response.about(subject));
        let crls = self
            .crls
            .iter()
            .filter(|crl| certval::compare_names(&crl.issuer, subject.issuer()));
        let crls = crls.map(|crl| Evidence::Crl {
            der: &crl.der,
            this_update: crl.this_update,
        });
        responses
            .chain(crls)
            .filter(move |evidence| self.max_age.is_none_or(|age| evidence.this_update() >= now - age))
    }
}

impl Crl {
    fn parse(der: &[u8]) -> Option<Self> {
        let list = CertificateList::<Raw>::from_der(der).ok()?;
        Some(Self {
            der: der.to_vec(),
            issuer: list.tbs_cert_list.issuer,
            this_update: to_time(list.tbs_cert_list.this_update.to_unix_duration())?,
        })
    }
}

impl Response {
    fn parse(der: &[u8]) -> Option<Self> {
        let response = OcspResponse::from_der(der).ok()?;
        let basic = BasicOcspResponse::from_der(response.response_bytes?.response.as_bytes()).ok()?;
        let answers = basic
            .tbs_response_data
            .responses
            .iter()
            .map(answer)
            .collect::<Option<_>>()?;
        Some(Self {
            der: der.to_vec(),
            answers,
        })
    }

    fn about(&self, subject: &Certificate) -> Option<Evidence<'_>> {
        let serial = subject.serial();
        let answer = self.answers.iter().find(|(about, _)| about == serial)?;
        Some(Evidence::Ocsp {
            der: &self.der,
            this_update: answer.1,
        })
    }
}

fn answer(single: &SingleResponse) -> Option<(Vec<u8>, OffsetDateTime)> {
    let serial = magnitude(single.cert_id.serial_number.as_bytes());
    Some((serial.to_vec(), to_time(single.this_update.0.to_unix_duration())?))
}

fn to_time(since_epoch: std::time::Duration) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(since_epoch.as_secs()).ok()?).ok()
}
