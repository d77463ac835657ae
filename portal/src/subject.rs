//! Who a certificate names, with the attributes of Russian qualified certificates.

use const_oid::ObjectIdentifier;
use der::{Any, Tag, Tagged};
use plugin_protocol::qualified::checksum;
use x509_cert::name::Name;

/// The names and numbers in a certificate's subject.
///
/// Only what is there exactly once, in a readable string type, and, for numbers
/// with check digits, with right ones; everything else is named in
/// [`unusable`](Self::unusable) and left out, so that a portal never compares
/// a number that cannot be one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    common_name: Option<String>,
    surname: Option<String>,
    given_name: Option<String>,
    country: Option<String>,
    organization: Option<String>,
    title: Option<String>,
    serial_number: Option<String>,
    snils: Option<String>,
    inn: Option<String>,
    innle: Option<String>,
    ogrn: Option<String>,
    ogrnip: Option<String>,
    unusable: Vec<&'static str>,
}

macro_rules! getters {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {
        $($(#[doc = $doc])+ pub fn $name(&self) -> Option<&str> { self.$name.as_deref() })+
    };
}

impl Subject {
    getters! {
        /// commonName (2.5.4.3): the full name, or an organisation's.
        common_name,
        /// surname (2.5.4.4).
        surname,
        /// givenName (2.5.4.42): given name and patronymic.
        given_name,
        /// countryName (2.5.4.6), two letters.
        country,
        /// organizationName (2.5.4.10): whose officer the person is.
        organization,
        /// title (2.5.4.12): the person's office in it.
        title,
        /// serialNumber (2.5.4.5): the person's number in many European certificates (`PNOEE-38001085718`).
        serial_number,
        /// СНИЛС (1.2.643.100.3): 11 digits, check digits right.
        snils,
        /// ИНН of a person (1.2.643.3.131.1.1): 12 digits, check digits right.
        inn,
        /// ИНН of an organisation (1.2.643.100.4, or the older form `00` and 10 digits in 1.2.643.3.131.1.1).
        innle,
        /// ОГРН (1.2.643.100.1): 13 digits, check digit right.
        ogrn,
        /// ОГРНИП (1.2.643.100.5): 15 digits, check digit right.
        ogrnip,
    }

    /// Attributes that are there but repeated, unreadable, or with wrong check digits; by their usual names.
    pub fn unusable(&self) -> &[&'static str] {
        &self.unusable
    }

    pub(crate) fn from_name(name: &Name) -> Self {
        let mut reader = Reader {
            name,
            unusable: Vec::new(),
        };
        let inn = reader.number("INN", "1.2.643.3.131.1.1", |text| {
            checksum::is_inn_of_person(text) || old_innle(text).is_some()
        });
        let old_innle = inn.as_deref().and_then(old_innle).map(str::to_owned);
        let innle = reader.number("INNLE", "1.2.643.100.4", checksum::is_inn_of_organization);
        Self {
            common_name: reader.text("CN", "2.5.4.3"),
            surname: reader.text("SN", "2.5.4.4"),
            given_name: reader.text("GN", "2.5.4.42"),
            country: reader.text("C", "2.5.4.6"),
            organization: reader.text("O", "2.5.4.10"),
            title: reader.text("title", "2.5.4.12"),
            serial_number: reader.text("serialNumber", "2.5.4.5"),
            snils: reader.number("SNILS", "1.2.643.100.3", checksum::is_snils),
            inn: inn.filter(|_| old_innle.is_none()),
            innle: innle.or(old_innle),
            ogrn: reader.number("OGRN", "1.2.643.100.1", checksum::is_ogrn),
            ogrnip: reader.number("OGRNIP", "1.2.643.100.5", checksum::is_ogrnip),
            unusable: reader.unusable,
        }
    }
}

/// The ten digits of an organisation in the older, padded form.
fn old_innle(text: &str) -> Option<&str> {
    text.strip_prefix("00")
        .filter(|rest| checksum::is_inn_of_organization(rest))
}

struct Reader<'a> {
    name: &'a Name,
    unusable: Vec<&'static str>,
}

impl Reader<'_> {
    fn text(&mut self, label: &'static str, oid: &str) -> Option<String> {
        self.number(label, oid, |_| true)
    }

    fn number(&mut self, label: &'static str, oid: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
        let oid = ObjectIdentifier::new_unwrap(oid);
        let mut found = self.name.iter().filter(|pair| pair.oid == oid);
        let first = found.next()?;
        let value = text_of(&first.value).filter(|text| found.next().is_none() && !text.is_empty() && fits(text));
        if value.is_none() {
            self.unusable.push(label);
        }
        value
    }
}

/// A DirectoryString or its like as text. TeletexString only where it is ASCII: its other half is ambiguous.
pub(crate) fn text_of(value: &Any) -> Option<String> {
    let bytes = value.value();
    match value.tag() {
        Tag::Utf8String => String::from_utf8(bytes.to_vec()).ok(),
        Tag::PrintableString | Tag::NumericString | Tag::Ia5String | Tag::TeletexString | Tag::VisibleString => {
            bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).into_owned())
        }
        Tag::BmpString if bytes.len().is_multiple_of(2) => {
            let units: Vec<_> = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}
