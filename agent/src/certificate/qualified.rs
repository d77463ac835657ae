//! What a certificate says in the attributes and extensions of Russian qualified certificates.
//!
//! Read for the person and passed on after their consent; verified by nobody here. What is
//! repeated, unreadable or has wrong check digits is left out.

use plugin_protocol::qualified::{
    IdentificationKind, IssuerSignTool, KeyUsagePeriod, QualifiedFacts, ToolClass, checksum,
};
use plugin_protocol::statement::rfc3339;
use time::OffsetDateTime;
use x509_parser::asn1_rs::{FromDer, GeneralizedTime, Header, Sequence, Tag, Utf8String};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::X509Certificate;
use x509_parser::x509::X509Name;

/// Most characters of a tool's name.
const TOOL: usize = 200;

/// Reads them all.
pub(super) fn facts(certificate: &X509Certificate<'_>) -> QualifiedFacts {
    let subject = certificate.subject();
    let inn = number(subject, "1.2.643.3.131.1.1");
    // Older certificates of organisations have their ten digits after two zeros.
    let padded = inn.and_then(|inn| inn.strip_prefix("00"));
    let organization = number(subject, "1.2.643.100.4").or(padded);
    let checked = |number: Option<&str>, fits: fn(&str) -> bool| number.filter(|n| fits(n)).map(str::to_owned);
    let value = |oid| extension(certificate, oid);
    QualifiedFacts {
        snils: checked(number(subject, "1.2.643.100.3"), checksum::is_snils),
        inn: checked(inn, checksum::is_inn_of_person),
        innle: checked(organization, checksum::is_inn_of_organization),
        ogrn: checked(number(subject, "1.2.643.100.1"), checksum::is_ogrn),
        ogrnip: checked(number(subject, "1.2.643.100.5"), checksum::is_ogrnip),
        subject_sign_tool: value("1.2.643.100.111").and_then(|der| text(der).map(|(text, _)| text)),
        issuer_sign_tool: value("1.2.643.100.112").and_then(issuer_sign_tool),
        tool_classes: tool_classes(certificate),
        identification_kind: value("1.2.643.100.114").and_then(whole::<u8>).map(IdentificationKind),
        private_key_usage_period: value("2.5.29.16").and_then(key_usage_period),
    }
}

/// An attribute that is there once.
fn number<'a>(name: &'a X509Name<'_>, oid: &str) -> Option<&'a str> {
    let mut found = name
        .iter_attributes()
        .filter(|attribute| attribute.attr_type().to_id_string() == oid);
    let only = found.next().filter(|_| found.next().is_none())?;
    std::str::from_utf8(only.attr_value().data).ok()
}

fn extension<'a>(certificate: &X509Certificate<'a>, oid: &str) -> Option<&'a [u8]> {
    let mut all = certificate.extensions().iter();
    all.find(|extension| extension.oid.to_id_string() == oid)
        .map(|extension| extension.value)
}

fn tool_classes(certificate: &X509Certificate<'_>) -> Vec<ToolClass> {
    let mut all = certificate.extensions().iter();
    let policies = all.find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::CertificatePolicies(policies) => Some(policies),
        _ => None,
    });
    let policies = policies.into_iter().flat_map(|policies| policies.iter());
    let mut classes: Vec<_> = policies
        .filter_map(|policy| ToolClass::from_policy(&policy.policy_id.to_id_string()))
        .collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// A UTF8String that is not empty, and what follows it.
fn text(der: &[u8]) -> Option<(String, &[u8])> {
    let (rest, text) = Utf8String::from_der(der).ok()?;
    let text: String = text.string().chars().take(TOOL).collect();
    (!text.is_empty()).then_some((text, rest))
}

/// IssuerSignTool: a SEQUENCE of four UTF8Strings.
fn issuer_sign_tool(der: &[u8]) -> Option<IssuerSignTool> {
    let (_, sequence) = Sequence::from_der(der).ok()?;
    let (sign_tool, rest) = text(&sequence.content)?;
    let (ca_tool, rest) = text(rest)?;
    let (sign_tool_certificate, rest) = text(rest)?;
    let (ca_tool_certificate, rest) = text(rest)?;
    rest.is_empty().then_some(IssuerSignTool {
        sign_tool,
        ca_tool,
        sign_tool_certificate,
        ca_tool_certificate,
    })
}

/// PrivateKeyUsagePeriod: `[0]` and `[1]`, each an implicit GeneralizedTime.
fn key_usage_period(der: &[u8]) -> Option<KeyUsagePeriod> {
    let (_, sequence) = Sequence::from_der(der).ok()?;
    let mut period = KeyUsagePeriod::default();
    let mut rest: &[u8] = &sequence.content;
    while !rest.is_empty() {
        let (after, header) = Header::from_der(rest).ok()?;
        let length = header.length().definite().ok()?;
        let content = after.get(..length)?;
        let tag = rest.first()?;
        rest = &after[length..];
        let end = match (tag, period.not_before.is_none(), period.not_after.is_none()) {
            (0x80, true, true) => &mut period.not_before,
            (0x81, _, true) => &mut period.not_after,
            _ => return None,
        };
        *end = Some(rfc3339(moment(content)?));
    }
    (period != KeyUsagePeriod::default()).then_some(period)
}

/// The content octets of a GeneralizedTime.
fn moment(content: &[u8]) -> Option<OffsetDateTime> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 0x80)?;
    let der = [&[Tag::GeneralizedTime.0 as u8, length], content].concat();
    let (_, time) = GeneralizedTime::from_der(&der).ok()?;
    time.utc_datetime().ok()
}

/// A value that is all of `der`.
fn whole<'a, T: FromDer<'a>>(der: &'a [u8]) -> Option<T> {
    let (rest, value) = T::from_der(der).ok()?;
    rest.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::pki::{Extension, TestPki};

    use super::*;
    use crate::certificate::Summary;

    fn facts_of(der: &[u8]) -> QualifiedFacts {
        Summary::read(der).unwrap().qualified
    }

    #[test]
    fn a_qualified_certificate_is_read_whole() {
        let period = b"\x30\x22\x80\x0f20260101000000Z\x81\x0f20270101000000Z".to_vec();
        let person = TestPki::new()
            .person("Иванов Иван Иванович")
            .snils("11223344595")
            .inn("500100732259")
            .officer_of("ПАО «Пример»", "Директор", "1027700132195", "7707083893")
            .extension(Extension::new("2.5.29.16", false, period))
            .issue();
        let facts = facts_of(&person.certificate);
        assert_eq!(facts.snils.as_deref(), Some("11223344595"));
        assert_eq!(facts.inn.as_deref(), Some("500100732259"));
        assert_eq!(facts.ogrn.as_deref(), Some("1027700132195"));
        assert_eq!(facts.innle.as_deref(), Some("7707083893"));
        assert_eq!(facts.ogrnip, None);
        assert!(facts.subject_sign_tool.is_some() && facts.issuer_sign_tool.is_some());
        assert!(!facts.tool_classes.is_empty() && facts.claim_qualified());
        assert_eq!(facts.identification_kind, Some(IdentificationKind::PERSONAL));
        let period = facts.private_key_usage_period.unwrap();
        assert_eq!(period.not_before.as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(period.not_after.as_deref(), Some("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_wrong_is_left_out() {
        let pki = TestPki::new();
        let person = pki.person("x").snils("11223344596").without("1.2.643.100.112");
        let odd = person.extension(Extension::new("2.5.29.16", false, vec![0x30, 0x03, 0x80, 0x05, 0x00]));
        let facts = facts_of(&odd.issue().certificate);
        assert_eq!(facts.snils, None, "its check digits are wrong");
        assert_eq!(facts.issuer_sign_tool, None);
        assert_eq!(facts.private_key_usage_period, None);
        assert!(!facts.claim_qualified());
        let inn = pki.person("x").inn("007707083893").issue();
        let facts = facts_of(&inn.certificate);
        assert_eq!((facts.inn, facts.innle.as_deref()), (None, Some("7707083893")));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            let _ = (issuer_sign_tool(&bytes), key_usage_period(&bytes), text(&bytes));
        }
    }
}
