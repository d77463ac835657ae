//! Whom the software token's certificates name.

use std::fmt;
use std::str::FromStr;

use der::Tag;
use x509_cert::name::RdnSequence;

use super::certificate::name;

/// A fictional person, as the subject of a qualified certificate names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Surname (2.5.4.4).
    pub surname: String,
    /// Given name and patronymic (2.5.4.42).
    pub given_name: String,
    /// СНИЛС (1.2.643.100.3), 11 digits.
    pub snils: Option<String>,
    /// ИНН (1.2.643.3.131.1.1), 12 digits.
    pub inn: Option<String>,
}

impl Default for Person {
    /// Nobody: the СНИЛС and the ИНН are the published examples of their check digits.
    fn default() -> Self {
        Self {
            surname: "Образцова".to_owned(),
            given_name: "Вера Тестовна".to_owned(),
            snils: Some("11223344595".to_owned()),
            inn: Some("500100732259".to_owned()),
        }
    }
}

impl Person {
    /// Nobody else: another name, other numbers, their check digits right too.
    pub fn other() -> Self {
        Self {
            surname: "Непохожий".to_owned(),
            given_name: "Пётр Чужович".to_owned(),
            snils: Some("08765430300".to_owned()),
            inn: Some("123456789047".to_owned()),
        }
    }

    /// Common name: surname, given name, patronymic.
    pub fn common_name(&self) -> String {
        format!("{} {}", self.surname, self.given_name)
    }

    /// The subject of a certificate.
    pub(super) fn subject(&self) -> der::Result<RdnSequence> {
        let common_name = self.common_name();
        let mut attributes = vec![
            ("2.5.4.6", Tag::PrintableString, "RU"),
            ("2.5.4.4", Tag::Utf8String, self.surname.as_str()),
            ("2.5.4.42", Tag::Utf8String, self.given_name.as_str()),
            ("2.5.4.3", Tag::Utf8String, common_name.as_str()),
        ];
        let snils = self.snils.as_deref();
        attributes.extend(snils.map(|digits| ("1.2.643.100.3", Tag::NumericString, digits)));
        let inn = self.inn.as_deref();
        attributes.extend(inn.map(|digits| ("1.2.643.3.131.1.1", Tag::NumericString, digits)));
        name(&attributes)
    }
}

/// Why a text names no person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPerson(String);

impl fmt::Display for NotAPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAPerson {}

impl FromStr for Person {
    type Err = NotAPerson;

    /// From `SN=Surname,GN=Name Patronymic,SNILS=…,INN=…`: the last two may be missing, or
    /// hold digits whose check digits are wrong, for a portal must be ready for both.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut surname, mut given_name, mut snils, mut inn) = (None, None, None, None);
        for part in text.split(',') {
            let pair = part.split_once('=').ok_or_else(|| {
                NotAPerson(format!(
                    "{part:?} is no NAME=VALUE; a person is SN=…,GN=…,SNILS=…,INN=…"
                ))
            })?;
            let (key, value) = (pair.0.trim(), pair.1.trim());
            let (place, value) = match key.to_ascii_uppercase().as_str() {
                "SN" | "SURNAME" => (&mut surname, words("SN", value)?),
                "GN" => (&mut given_name, words("GN", value)?),
                "SNILS" => (&mut snils, digits("SNILS", value, 11)?),
                "INN" => (&mut inn, digits("INN", value, 12)?),
                _ => return Err(NotAPerson(format!("{key} is none of SN, GN, SNILS, INN"))),
            };
            if place.replace(value).is_some() {
                return Err(NotAPerson(format!("{key} is there twice")));
            }
        }
        Ok(Self {
            surname: surname.ok_or_else(|| NotAPerson("SN, the surname, is missing".to_owned()))?,
            given_name: given_name.ok_or_else(|| NotAPerson("GN, the given name, is missing".to_owned()))?,
            snils,
            inn,
        })
    }
}

/// A name of 1 to 64 characters, as X.520 bounds it.
fn words(key: &str, value: &str) -> Result<String, NotAPerson> {
    let length = value.chars().count();
    match (1..=64).contains(&length) && !value.chars().any(char::is_control) {
        true => Ok(value.to_owned()),
        false => Err(NotAPerson(format!(
            "{key} has 1 to 64 characters, none of them a control character"
        ))),
    }
}

/// So many digits; spaces and hyphens between them are left out.
fn digits(key: &str, value: &str, count: usize) -> Result<String, NotAPerson> {
    let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    match digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(digits),
        false => Err(NotAPerson(format!("{key} has {count} digits"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_person_is_read_and_what_is_none_is_told() {
        let person: Person = "SN=Иванова, GN=Анна Петровна, SNILS=112-233-445 95".parse().unwrap();
        assert_eq!(person.common_name(), "Иванова Анна Петровна");
        assert_eq!((person.snils.as_deref(), person.inn), (Some("11223344595"), None));
        for (text, why) in [
            ("Иванова", "NAME=VALUE"),
            ("SN=Иванова", "GN, the given name, is missing"),
            ("SN=Иванова,GN=Анна,SN=Петрова", "SN is there twice"),
            ("SN=Иванова,GN=Анна,SNILS=12", "SNILS has 11 digits"),
            ("SN=Иванова,GN=,SNILS=11223344595", "GN has 1 to 64"),
            ("SN=Иванова,GN=Анна,O=Банк", "O is none of"),
        ] {
            let told = text.parse::<Person>().unwrap_err().to_string();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
