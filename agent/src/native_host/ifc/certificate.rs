//! A certificate as the page's library reads it: texts, in forms that it can take apart.

use plugin_protocol::encoding::{base64, hex, sha256};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Bytes of a certificate's digest in its id.
const ID: usize = 20;

/// The name of its container: it is the same for the same certificate and says nothing of it. (The official plugin has
/// the key's CKA_ID here; the page only hands it back.)
pub(super) fn id(der: &[u8]) -> String {
    hex(&sha256(der)[..ID])
}

/// `cert_sn`, `cert_subject`, `cert_issuer`, `cert_valid_from`, `cert_valid_to`, `cert_sign_alg`; `None` if it
/// is no certificate.
pub(super) fn fields(der: &[u8]) -> Option<Map<String, Value>> {
    let (_, certificate) = X509Certificate::from_der(der)
        .ok()
        .filter(|(rest, _)| rest.is_empty())?;
    let validity = certificate.validity();
    let fields = json!({
        "cert_sn": serial(certificate.raw_serial()),
        "cert_subject": name(certificate.subject()),
        "cert_issuer": name(certificate.issuer()),
        "cert_valid_from": date(validity.not_before.to_datetime()),
        "cert_valid_to": date(validity.not_after.to_datetime()),
        // The key's, not the signature's: for another the page has no name.
        "cert_sign_alg": certificate.public_key().algorithm.algorithm.to_id_string(),
    });
    match fields {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// `cert_info`: the fields with the certificate itself.
pub(super) fn info(fields: &Map<String, Value>, der: &[u8]) -> Value {
    let mut info = fields.clone();
    info.insert("base64".to_owned(), base64(der).into());
    info.insert("pem".to_owned(), pem(der).into());
    info.insert("version".to_owned(), "3".into());
    info.insert("extensions".to_owned(), "".into());
    info.into()
}

/// Upper-case hexadecimal with colons, without the zero byte that only says that it is not negative.
fn serial(bytes: &[u8]) -> String {
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// `type=value` of each attribute on a line of its own, in the certificate's order.
fn name(name: &X509Name<'_>) -> String {
    let lines: Vec<String> = name.iter_attributes().map(line).collect();
    lines.join("\n")
}

fn line(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    format!("{}={}", known_type(&oid).unwrap_or(&oid), shown(&text(attribute)))
}

/// The library's long names; it takes any other type as it is.
fn known_type(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "commonName",
        "2.5.4.4" => "surname",
        "2.5.4.6" => "countryName",
        "2.5.4.7" => "localityName",
        "2.5.4.8" => "stateOrProvinceName",
        "2.5.4.9" => "streetAddress",
        "2.5.4.10" => "organizationName",
        // So it is spelt there.
        "2.5.4.11" => "organizationUnitName",
        "2.5.4.12" => "title",
        "2.5.4.42" => "givenName",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

/// The value of any string type; of another, its bytes as RFC 4514 section 2.4 writes them.
fn text(attribute: &AttributeTypeAndValue<'_>) -> String {
    let value = attribute.attr_value();
    let wide = |width: usize| {
        let point = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        value.data.chunks(width).map(point).collect::<Vec<u32>>()
    };
    match value.tag() {
        Tag::BmpString => {
            let units: Vec<u16> = wide(2)
                .into_iter()
                .filter_map(|unit| u16::try_from(unit).ok())
                .collect();
            String::from_utf16_lossy(&units)
        }
        Tag::UniversalString => {
            let character = |point: u32| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
            wide(4).into_iter().map(character).collect()
        }
        Tag::Utf8String | Tag::PrintableString | Tag::NumericString | Tag::Ia5String | Tag::VisibleString => {
            String::from_utf8_lossy(value.data).into_owned()
        }
        // Meant as Latin-1 wherever it still occurs.
        Tag::TeletexString => value.data.iter().map(|byte| char::from(*byte)).collect(),
        _ => format!("#{}", hex(value.data)),
    }
}

/// No value may begin a line of its own, or hide what stands behind it: the library takes an attribute for what is
/// before the second `=`.
fn shown(value: &str) -> String {
    let replaced = |c: char| match c {
        '=' => '\u{ff1d}',
        '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() => ' ',
        c => c,
    };
    value.chars().map(replaced).collect()
}

/// As RFC 9110 section 5.6.7 writes a date (the form of RFC 1123), which every browser parses.
fn date(moment: OffsetDateTime) -> String {
    let utc = moment.to_offset(time::UtcOffset::UTC);
    let weekday = &utc.weekday().to_string()[..3];
    let month = &utc.month().to_string()[..3];
    let (day, year) = (utc.day(), utc.year());
    let (hour, minute, second) = utc.to_hms();
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// RFC 7468.
fn pem(der: &[u8]) -> String {
    let text = base64(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use fixtures::pki::TestPki;

    #[test]
    fn a_qualified_certificate_reads_as_the_library_takes_it_apart() {
        let issued = TestPki::at(1_795_642_692)
            .person("Тестов=Тест, \"Т\"\nSNILS=1\\")
            .officer_of("ООО «Ромашка»", "Директор", "1027700132195", "7707083893")
            .issue();
        let fields = fields(&issued.certificate).unwrap();
        let subject = fields["cert_subject"].as_str().unwrap();
        let lines: Vec<(&str, &str)> = subject.split('\n').map(|line| line.split_once('=').unwrap()).collect();
        assert!(lines.iter().all(|(_, value)| !value.contains('=')), "{subject}");
        assert!(
            lines.contains(&("commonName", "Тестов\u{ff1d}Тест, \"Т\" SNILS\u{ff1d}1\\")),
            "{subject}"
        );
        assert!(lines.contains(&("organizationName", "ООО «Ромашка»")), "{subject}");
        assert!(lines.contains(&("title", "Директор")), "{subject}");
        assert!(lines.contains(&("1.2.643.100.1", "1027700132195")), "{subject}");
        assert!(fields["cert_issuer"].as_str().unwrap().contains("commonName="));
        assert_eq!(fields["cert_sign_alg"], "1.2.840.10045.2.1", "the key's algorithm");
        let sn = fields["cert_sn"].as_str().unwrap();
        let pairs = sn.split(':');
        assert!(
            pairs.clone().all(|pair| pair.len() == 2 && pair == pair.to_uppercase()),
            "{sn}"
        );
        assert!(pairs.count() > 4 && !sn.starts_with("00:"), "{sn}");
        assert!(super::fields(b"no certificate").is_none());
        assert_eq!(id(&issued.certificate).len(), 2 * ID);
    }

    #[test]
    fn dates_and_serials_have_one_form() {
        let moment = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        assert_eq!(date(moment(1_427_846_400)), "Wed, 01 Apr 2015 00:00:00 GMT");
        assert_eq!(date(moment(2_145_916_799)), "Thu, 31 Dec 2037 23:59:59 GMT");
        assert_eq!(serial(&[0, 0x8a, 1]), "8A:01");
        assert_eq!(serial(&[0]), "00");
        assert_eq!(serial(&[1]), "01");
    }

    #[test]
    fn pem_is_that_of_every_program() {
        let issued = TestPki::at(1_795_642_692).person("Тест").issue();
        let fields = fields(&issued.certificate).unwrap();
        let info = info(&fields, &issued.certificate);
        let (_, read) = x509_parser::pem::parse_x509_pem(info["pem"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(read.contents, issued.certificate);
        assert_eq!(info["base64"], base64(&issued.certificate));
        for (member, value) in &fields {
            assert_eq!(&info[member], value);
        }
    }
}
