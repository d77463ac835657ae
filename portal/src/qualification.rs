//! Whether a certificate is qualified: what it claims, what supports that, and what nobody looked at.
//!
//! Under 63-ФЗ a certificate is qualified when an accredited authority issued it in the form of
//! order 795, and it was valid when the signature was made. A verifier sees the form and, where
//! it was given the state's list ([`crate::TrustList`]), the accreditation; the rest it can only name.

use const_oid::ObjectIdentifier;
use der::asn1::{GeneralizedTime, Utf8StringRef};
use der::{Decode, Sequence};
use plugin_protocol::qualified::{IdentificationKind, IssuerSignTool, KeyUsagePeriod, QualifiedFacts, ToolClass};
use plugin_protocol::statement::rfc3339;
use time::OffsetDateTime;

use crate::certificate::Certificate;
use crate::revocation::CertificateStatus;
use crate::subject::Subject;

const SUBJECT_SIGN_TOOL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.100.111");
const ISSUER_SIGN_TOOL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.100.112");
const IDENTIFICATION_KIND: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.100.114");
const PRIVATE_KEY_USAGE_PERIOD: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.16");

/// How much of a qualified certificate a policy demands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum QualifiedDemand {
    /// Nothing: [`Qualification`] tells what there is.
    #[default]
    Nothing,
    /// The certificate claims it in the form of order 795, and its key may still sign.
    Claimed,
    /// And the authority that issued it is accredited by the trust list given to the policy.
    Accredited,
}

/// What supports the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The strongest tool class its policies name.
    ToolClass(ToolClass),
    /// It names the person's signature tool.
    SubjectSignTool,
    /// It names its issuer's tools and their certificates of conformity.
    IssuerSignTool,
    /// It says how the person was identified.
    IdentificationKind(IdentificationKind),
    /// The authority that issued it is in force in the trust list: its name there.
    AccreditedIssuer(String),
}

/// What the form of order 795 demands and the certificate does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No tool class among its certificate policies.
    ToolClass,
    /// No issuerSignTool, or one that cannot be read.
    IssuerSignTool,
    /// No subjectSignTool, or one that cannot be read.
    SubjectSignTool,
    /// Neither СНИЛС nor ОГРН nor ИНН: nobody is named by number.
    Number,
    /// The private key may not sign now (privateKeyUsagePeriod).
    KeyUsagePeriod,
}

impl Lack {
    /// For sentences.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ToolClass => "it names no class of signature tools (KC1 to KA1)",
            Self::IssuerSignTool => "it does not name its issuer's tools",
            Self::SubjectSignTool => "it does not name the person's signature tool",
            Self::Number => "it names nobody by number (SNILS, INN, OGRN)",
            Self::KeyUsagePeriod => "its private key may not sign now",
        }
    }
}

/// What was not looked at, and would have to be for a legal judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// Whether the issuer is accredited: no trust list was given, or the issuer is not in force in it.
    Accreditation,
    /// Whether the accreditation was in force when the certificate was issued: the list tells today's status.
    AccreditationAtIssuance,
    /// The trust list's own signature: the file was taken as it is.
    TrustListSignature,
    /// Whether certificates of the path are revoked.
    Revocation,
    /// When the signature was made: there is no trusted time stamp, so it is judged by the portal's clock.
    SigningTime,
}

impl Unchecked {
    /// A stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accreditation => "accreditation",
            Self::AccreditationAtIssuance => "accreditation_at_issuance",
            Self::TrustListSignature => "trust_list_signature",
            Self::Revocation => "revocation",
            Self::SigningTime => "signing_time",
        }
    }
}

/// What a certificate claims to be, on what grounds, and what was not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualification {
    facts: QualifiedFacts,
    grounds: Vec<Ground>,
    lacks: Vec<Lack>,
    unchecked: Vec<Unchecked>,
}

impl Qualification {
    /// Judges the signer's certificate; `accredited` is its issuer's name, where that is an accredited authority.
    pub(crate) fn judge(
        certificate: &Certificate,
        accredited: Option<&str>,
        revocation: &[CertificateStatus],
        now: OffsetDateTime,
    ) -> Self {
        let facts = facts(certificate);
        Self {
            grounds: grounds(&facts, accredited),
            lacks: lacks(&facts, certificate, now),
            unchecked: unchecked(accredited, revocation),
            facts,
        }
    }

    /// Whether the certificate claims to be qualified. A claim is no proof: see [`grounds`](Self::grounds).
    pub fn is_claimed(&self) -> bool {
        self.facts.claim_qualified()
    }

    /// What it says in the attributes and extensions of qualified certificates.
    pub fn facts(&self) -> &QualifiedFacts {
        &self.facts
    }

    /// What supports the claim.
    pub fn grounds(&self) -> &[Ground] {
        &self.grounds
    }

    /// What the form demands and is not there.
    pub fn lacks(&self) -> &[Lack] {
        &self.lacks
    }

    /// What nobody looked at.
    pub fn unchecked(&self) -> &[Unchecked] {
        &self.unchecked
    }

    /// The accredited authority that issued it, by its name in the trust list.
    pub fn accredited_issuer(&self) -> Option<&str> {
        self.grounds.iter().find_map(|ground| match ground {
            Ground::AccreditedIssuer(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Why it does not meet `demand`; `None` when it does.
    pub fn falls_short(&self, demand: QualifiedDemand) -> Option<&'static str> {
        if demand == QualifiedDemand::Nothing {
            return None;
        }
        if let Some(lack) = self.lacks.first() {
            return Some(lack.text());
        }
        let wants_list = demand == QualifiedDemand::Accredited;
        (wants_list && self.accredited_issuer().is_none())
            .then_some("the authority that issued it is not in force in the trust list")
    }
}

fn grounds(facts: &QualifiedFacts, accredited: Option<&str>) -> Vec<Ground> {
    let class = facts.tool_classes.last().copied().map(Ground::ToolClass);
    let subject = facts.subject_sign_tool.as_ref().map(|_| Ground::SubjectSignTool);
    let issuer = facts.issuer_sign_tool.as_ref().map(|_| Ground::IssuerSignTool);
    let kind = facts.identification_kind.map(Ground::IdentificationKind);
    let accredited = accredited.map(|name| Ground::AccreditedIssuer(name.to_owned()));
    [class, subject, issuer, kind, accredited]
        .into_iter()
        .flatten()
        .collect()
}

fn lacks(facts: &QualifiedFacts, certificate: &Certificate, now: OffsetDateTime) -> Vec<Lack> {
    let numbers = [&facts.snils, &facts.ogrn, &facts.ogrnip, &facts.inn, &facts.innle];
    let out_of_period = match certificate.raw_extension(&PRIVATE_KEY_USAGE_PERIOD) {
        Some(der) => Period::read(der).is_none_or(|period| !period.contains(now)),
        None => false,
    };
    let lacking = [
        (facts.tool_classes.is_empty(), Lack::ToolClass),
        (facts.issuer_sign_tool.is_none(), Lack::IssuerSignTool),
        (facts.subject_sign_tool.is_none(), Lack::SubjectSignTool),
        (numbers.iter().all(|number| number.is_none()), Lack::Number),
        (out_of_period, Lack::KeyUsagePeriod),
    ];
    let lacking = lacking.into_iter().filter(|(lacking, _)| *lacking);
    lacking.map(|(_, lack)| lack).collect()
}

fn unchecked(accredited: Option<&str>, revocation: &[CertificateStatus]) -> Vec<Unchecked> {
    let known = |status: &CertificateStatus| {
        matches!(
            status,
            CertificateStatus::GoodByCrl(_) | CertificateStatus::GoodByOcsp(_)
        )
    };
    let mut unchecked = match accredited {
        Some(_) => vec![Unchecked::AccreditationAtIssuance, Unchecked::TrustListSignature],
        None => vec![Unchecked::Accreditation],
    };
    if !revocation.iter().all(known) {
        unchecked.push(Unchecked::Revocation);
    }
    unchecked.push(Unchecked::SigningTime);
    unchecked
}

/// What a certificate says in the form of order 795; what is unreadable is left out.
fn facts(certificate: &Certificate) -> QualifiedFacts {
    let subject = Subject::from_name(certificate.subject());
    let number = |text: Option<&str>| text.map(str::to_owned);
    let mut tool_classes: Vec<_> = certificate
        .policies()
        .iter()
        .filter_map(|policy| ToolClass::from_policy(&policy.to_string()))
        .collect();
    tool_classes.sort_unstable();
    tool_classes.dedup();
    let extension = |oid| certificate.raw_extension(oid);
    QualifiedFacts {
        snils: number(subject.snils()),
        inn: number(subject.inn()),
        innle: number(subject.innle()),
        ogrn: number(subject.ogrn()),
        ogrnip: number(subject.ogrnip()),
        subject_sign_tool: extension(&SUBJECT_SIGN_TOOL).and_then(utf8),
        issuer_sign_tool: extension(&ISSUER_SIGN_TOOL).and_then(issuer_sign_tool),
        tool_classes,
        identification_kind: extension(&IDENTIFICATION_KIND)
            .and_then(|der| u8::from_der(der).ok())
            .map(IdentificationKind),
        private_key_usage_period: extension(&PRIVATE_KEY_USAGE_PERIOD)
            .and_then(Period::read)
            .map(|period| period.written()),
    }
}

fn utf8(der: &[u8]) -> Option<String> {
    let text = Utf8StringRef::from_der(der).ok()?;
    (!text.as_str().is_empty()).then(|| text.as_str().to_owned())
}

/// IssuerSignTool (order 795, part III): four UTF8Strings.
#[derive(Sequence)]
struct FourTexts<'a> {
    sign_tool: Utf8StringRef<'a>,
    ca_tool: Utf8StringRef<'a>,
    sign_tool_cert: Utf8StringRef<'a>,
    ca_tool_cert: Utf8StringRef<'a>,
}

fn issuer_sign_tool(der: &[u8]) -> Option<IssuerSignTool> {
    let texts = FourTexts::from_der(der).ok()?;
    let owned = |text: Utf8StringRef<'_>| text.as_str().to_owned();
    Some(IssuerSignTool {
        sign_tool: owned(texts.sign_tool),
        ca_tool: owned(texts.ca_tool),
        sign_tool_certificate: owned(texts.sign_tool_cert),
        ca_tool_certificate: owned(texts.ca_tool_cert),
    })
}

/// PrivateKeyUsagePeriod (X.509 section 9.2.2.5): both ends optional, not both absent.
struct Period {
    not_before: Option<OffsetDateTime>,
    not_after: Option<OffsetDateTime>,
}

/// Its ASN.1; the tags are implicit.
#[derive(Sequence)]
struct PrivateKeyUsagePeriod {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    not_before: Option<GeneralizedTime>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    not_after: Option<GeneralizedTime>,
}

impl Period {
    fn read(der: &[u8]) -> Option<Self> {
        let period = PrivateKeyUsagePeriod::from_der(der).ok()?;
        let (not_before, not_after) = (period.not_before.map(moment), period.not_after.map(moment));
        (not_before.is_some() || not_after.is_some()).then_some(Self { not_before, not_after })
    }

    fn contains(&self, now: OffsetDateTime) -> bool {
        self.not_before.is_none_or(|begin| begin <= now) && self.not_after.is_none_or(|end| now <= end)
    }

    fn written(&self) -> KeyUsagePeriod {
        KeyUsagePeriod {
            not_before: self.not_before.map(rfc3339),
            not_after: self.not_after.map(rfc3339),
        }
    }
}

fn moment(time: GeneralizedTime) -> OffsetDateTime {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
