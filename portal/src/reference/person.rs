//! Whether a certificate's person is an account's person.
//!
//! The answer names what does not agree and never what the certificate says there: whoever is
//! signed in may be looking at somebody else's card.

use serde::Serialize;

use super::account::Account;
use crate::subject::Subject;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// СНИЛС, digit by digit.
    Snils,
    /// Фамилия against surname.
    Surname,
    /// Имя against the beginning of givenName.
    GivenName,
    /// Отчество against the rest of givenName.
    Patronymic,
}

/// How it does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The certificate does not have it, or not in a form that can be relied on.
    Absent,
    /// The certificate says something else.
    Different,
}

/// One thing that does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// What.
    pub field: Field,
    /// How.
    pub how: How,
}

/// Everything in which the certificate's subject is not the account's person; empty for the same person.
pub fn mismatches(account: &Account, subject: &Subject) -> Vec<Mismatch> {
    let snils = compare(subject.snils(), |found| account.snils.as_deref() == Some(found));
    let surname = words(subject.surname().unwrap_or(""));
    let surname = compare(Some(&surname[..]).filter(|found| !found.is_empty()), |found| {
        found == words(&account.surname)
    });
    let mut found: Vec<_> = [(Field::Snils, snils), (Field::Surname, surname)]
        .into_iter()
        .filter_map(|(field, how)| how.map(|how| Mismatch { field, how }))
        .collect();
    found.extend(given_names(account, subject));
    found
}

fn compare<T: ?Sized>(found: Option<&T>, is_same: impl Fn(&T) -> bool) -> Option<How> {
    match found {
        None => Some(How::Absent),
        Some(found) if is_same(found) => None,
        Some(_) => Some(How::Different),
    }
}

/// givenName holds the given name and the patronymic in one (приказ ФСБ № 795); the account has two fields.
fn given_names(account: &Account, subject: &Subject) -> Vec<Mismatch> {
    let found = words(subject.given_name().unwrap_or(""));
    let given = words(&account.given_name);
    let patronymic = words(account.patronymic.as_deref().unwrap_or(""));
    let mismatch = |field, how| Mismatch { field, how };
    if found.is_empty() {
        let mut both = vec![mismatch(Field::GivenName, How::Absent)];
        both.extend((!patronymic.is_empty()).then(|| mismatch(Field::Patronymic, How::Absent)));
        return both;
    }
    let Some(rest) = found.strip_prefix(&given[..]) else {
        let mut wrong = vec![mismatch(Field::GivenName, How::Different)];
        wrong.extend((!found.ends_with(&patronymic)).then(|| mismatch(Field::Patronymic, How::Different)));
        return wrong;
    };
    if rest == patronymic {
        Vec::new()
    } else if rest.is_empty() {
        vec![mismatch(Field::Patronymic, How::Absent)]
    } else if !patronymic.is_empty() && rest.ends_with(&patronymic) {
        vec![mismatch(Field::GivenName, How::Different)]
    } else {
        vec![mismatch(Field::Patronymic, How::Different)]
    }
}

/// A name's words as registers mean them: case, Ё and Е, kinds of spaces and dashes make no difference,
/// nor does whether Ё and Й are written as one character or as two.
fn words(name: &str) -> Vec<String> {
    let mut plain = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'ё' => plain.push('е'),
            '\u{308}' if plain.ends_with('е') => {}
            '\u{306}' if plain.ends_with('и') => {
                plain.pop();
                plain.push('й');
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            c => plain.push(c),
        }
    }
    // "Римский - Корсаков" is one word, as without the spaces.
    let spaced = plain.replace('-', " - ");
    let mut words: Vec<String> = Vec::new();
    let mut joins = false;
    for word in spaced.split_whitespace() {
        match words.last_mut() {
            Some(last) if joins || word == "-" => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
        joins = word == "-";
    }
    words
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::account::Accounts;
    use super::*;

    fn account(given_name: &str, patronymic: Option<&str>) -> Account {
        let mut account = Accounts::default().get("vera").unwrap();
        account.given_name = given_name.to_owned();
        account.patronymic = patronymic.map(str::to_owned);
        account
    }

    fn found(account: &Account, given_name: &str) -> Vec<(Field, How)> {
        let pki = fixtures::pki::TestPki::new();
        let name = fixtures::pki::Name::new().surname("Образцова").snils("11223344595");
        let name = if given_name.is_empty() {
            name
        } else {
            name.given_name(given_name)
        };
        let der = pki.person("Кто Угодно").subject(name).issue().certificate;
        let certificate = crate::certificate::Certificate::from_der(&der, crate::Place::Signer).unwrap();
        let subject = Subject::from_name(certificate.subject());
        let mismatches = mismatches(account, &subject);
        mismatches.iter().map(|m| (m.field, m.how)).collect()
    }

    #[test]
    fn given_name_and_patronymic_are_told_apart() {
        use Field::{GivenName, Patronymic};
        use How::{Absent, Different};
        let vera = account("Вера", Some("Тестовна"));
        for (given, expected) in [
            ("Вера Тестовна", &[][..]),
            ("ВЕРА  ТЕСТОВНА", &[]),
            ("Анна Тестовна", &[(GivenName, Different)]),
            ("Вера Ивановна", &[(Patronymic, Different)]),
            ("Вера", &[(Patronymic, Absent)]),
            ("Вера Мария Тестовна", &[(GivenName, Different)]),
            ("Анна Ивановна", &[(GivenName, Different), (Patronymic, Different)]),
            ("Верам Тестовна", &[(GivenName, Different)]),
            ("", &[(GivenName, Absent), (Patronymic, Absent)]),
        ] {
            assert_eq!(found(&vera, given), expected, "{given:?}");
        }
        let without = account("Вера", None);
        assert_eq!(found(&without, "Вера"), []);
        assert_eq!(found(&without, "Вера Тестовна"), [(Patronymic, Different)]);
        assert_eq!(found(&without, "Анна Тестовна"), [(GivenName, Different)]);
    }

    #[test]
    fn spelling_that_means_nothing_makes_no_difference() {
        for (one, other) in [
            ("Соловьёв", "СОЛОВЬЕВ"),
            ("Соловье\u{308}в", "Соловьёв"),
            ("Андреи\u{306}", "Андрей"),
            ("Римский-Корсаков", "Римский – Корсаков"),
            ("Анна\u{a0}Мария", " анна  мария "),
        ] {
            assert_eq!(words(one), words(other), "{one} and {other}");
        }
        for (one, other) in [("Иванов", "Иванова"), ("Анна Мария", "Анна-Мария"), ("Ира", "Йра")]
        {
            assert_ne!(words(one), words(other), "{one} and {other}");
        }
    }
}
