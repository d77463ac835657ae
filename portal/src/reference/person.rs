//! Whether a proof's person is an account's person.
//!
//! The answer names what does not agree and never what the certificate or the card says there: whoever is
//! signed in may be looking at somebody else's card.

use serde::Serialize;

use time::Date;

use super::account::Account;
use crate::identity::Verified;
use crate::subject::Subject;
use crate::uec::{HolderSignature, VerifiedCard};

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
    /// Date of birth: only where both the account and a card have one to compare.
    BirthDate,
}

/// How it does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The certificate or the card does not have it, or not in a form that can be relied on.
    Absent,
    /// The certificate or the card says something else.
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

/// What a proof says of its person.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    snils: Option<&'a str>,
    surname: Option<&'a str>,
    given_names: GivenNames<'a>,
    /// Outside: whether there is anything to compare at all.
    birth_date: Option<Option<Date>>,
}

/// A certificate has the given name and the patronymic in one, a card apart.
#[derive(Clone, Copy, Debug, Default)]
enum GivenNames<'a> {
    #[default]
    None,
    Joined(&'a str),
    Apart(Option<&'a str>, Option<&'a str>),
}

impl<'a> From<&'a Subject> for Said<'a> {
    fn from(subject: &'a Subject) -> Self {
        Self {
            snils: subject.snils(),
            surname: subject.surname(),
            given_names: subject.given_name().map_or(GivenNames::None, GivenNames::Joined),
            birth_date: None,
        }
    }
}

/// SNILS of the card's certificate; names of its holder's certificate where that is proven, else those that were
/// read from the card, which nobody signed. Nobody signed the date of birth.
impl<'a> From<&'a VerifiedCard> for Said<'a> {
    fn from(card: &'a VerifiedCard) -> Self {
        let data = card.unsigned_data();
        let mut said = match (proven_holder(card), data) {
            (Some(holder), _) => Self::from(holder.subject()),
            (None, None) => Self::default(),
            (None, Some(data)) => Self {
                surname: data.surname(),
                given_names: GivenNames::Apart(data.given_name(), data.patronymic()),
                ..Self::default()
            },
        };
        said.snils = Some(card.snils());
        said.birth_date = data.map(|data| data.birth_date());
        said
    }
}

impl<'a> From<&'a Verified> for Said<'a> {
    fn from(verified: &'a Verified) -> Self {
        match verified {
            Verified::Certificate(identity) => identity.subject().into(),
            Verified::Card(card) => (&**card).into(),
        }
    }
}

/// The signature of a card's holder, where it proves who that is.
pub(super) fn proven_holder(card: &VerifiedCard) -> Option<&HolderSignature> {
    card.holder_signature().filter(|holder| holder.is_proven())
}

/// Everything in which the proof's person is not the account's; empty for the same person.
pub fn mismatches<'a>(account: &Account, said: impl Into<Said<'a>>) -> Vec<Mismatch> {
    let said: Said<'_> = said.into();
    let snils = compare(said.snils, |found| account.snils.as_deref() == Some(found));
    let surname = words(said.surname.unwrap_or(""));
    let surname = compare(Some(&surname[..]).filter(|found| !found.is_empty()), |found| {
        found == words(&account.surname)
    });
    let mut found: Vec<_> = [(Field::Snils, snils), (Field::Surname, surname)]
        .into_iter()
        .filter_map(|(field, how)| how.map(|how| Mismatch { field, how }))
        .collect();
    match said.given_names {
        GivenNames::None => found.extend(joined(account, "")),
        GivenNames::Joined(names) => found.extend(joined(account, names)),
        GivenNames::Apart(given, patronymic) => found.extend(apart(account, given, patronymic)),
    }
    if let Some((of_account, of_card)) = account.birth_date.zip(said.birth_date) {
        let how = compare(of_card.as_ref(), |found| *found == of_account);
        found.extend(how.map(|how| Mismatch {
            field: Field::BirthDate,
            how,
        }));
    }
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
fn joined(account: &Account, names: &str) -> Vec<Mismatch> {
    let found = words(names);
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

/// The given name and the patronymic in a field each.
fn apart(account: &Account, given: Option<&str>, patronymic: Option<&str>) -> Vec<Mismatch> {
    let same = |found: Option<&str>, own: &str| {
        let (found, own) = (words(found.unwrap_or("")), words(own));
        match (found == own, found.is_empty()) {
            (true, _) => None,
            (false, true) => Some(How::Absent),
            (false, false) => Some(How::Different),
        }
    };
    let both = [
        (Field::GivenName, same(given, &account.given_name)),
        (
            Field::Patronymic,
            same(patronymic, account.patronymic.as_deref().unwrap_or("")),
        ),
    ];
    both.into_iter()
        .filter_map(|(field, how)| how.map(|how| Mismatch { field, how }))
        .collect()
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
