//! The accounts of the portal, in memory, and how far each is trusted.
//!
//! A real portal keeps these in its database. What must hold there as well: [`Accounts::confirm`]
//! looks at the level and raises it in one step, and one СНИЛС belongs to one account.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plugin_protocol::qualified::checksum::is_snils;
use serde::{Deserialize, Deserializer, Serialize};
use time::Date;
use time::macros::format_description;

use super::confirmation::Confirmation;

/// Longest account name, characters.
pub const MAX_ID: usize = 64;
/// The accounts of a portal that is given no file: the person of the agent's software token, who
/// passed the data check; two other persons, who did too, one of them that of the virtual universal electronic card;
/// and somebody who has only just registered.
const DEMO: &str = include_str!("accounts.json");

/// How far an account is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Registered; nothing the person said was checked.
    Simplified,
    /// The person's data were found in the state's registers. Whose hands typed them is not known.
    Standard,
    /// The person proved to be the one whose data these are.
    Confirmed,
}

impl Level {
    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simplified => "simplified",
            Self::Standard => "standard",
            Self::Confirmed => "confirmed",
        }
    }
}

/// An account, and the person it says it belongs to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its name: 1 to 64 of `a-z`, `0-9` and `-`.
    pub id: String,
    /// Фамилия.
    pub surname: String,
    /// Имя.
    pub given_name: String,
    /// Отчество, for who has one.
    #[serde(default)]
    pub patronymic: Option<String>,
    /// СНИЛС, 11 digits; read with or without its dashes and space. Known from level standard on.
    #[serde(default)]
    pub snils: Option<String>,
    /// Date of birth, YYYY-MM-DD; compared where a card says one.
    #[serde(default, deserialize_with = "day")]
    pub birth_date: Option<Date>,
    /// How far it is trusted.
    pub level: Level,
    /// What raised it to confirmed; absent for an account that was confirmed elsewhere.
    #[serde(skip)]
    pub confirmation: Option<Confirmation>,
}

impl Account {
    /// Фамилия, имя, отчество.
    pub fn full_name(&self) -> String {
        let names = [Some(&self.surname), Some(&self.given_name), self.patronymic.as_ref()];
        names
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// СНИЛС as people write it: `112-233-445 95`.
    pub fn printed_snils(&self) -> Option<String> {
        let digits = self.snils.as_deref()?;
        let (a, b, c, d) = (
            digits.get(..3)?,
            digits.get(3..6)?,
            digits.get(6..9)?,
            digits.get(9..11)?,
        );
        Some(format!("{a}-{b}-{c} {d}"))
    }

    fn check(&mut self) -> Result<(), AccountsError> {
        let fault = |what| Err(AccountsError::Invalid(self.id.clone(), what));
        if !is_id(&self.id) {
            return fault("id: 1 to 64 of a-z, 0-9 and -");
        }
        let names = [Some(&self.surname), Some(&self.given_name), self.patronymic.as_ref()];
        let is_name = |name: &String| !name.trim().is_empty() && !name.chars().any(char::is_control);
        if !names.into_iter().flatten().all(is_name) {
            return fault("surname, given_name, patronymic: a name, or no such member");
        }
        if let Some(written) = &self.snils {
            let digits: String = written.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
            if !is_snils(&digits) {
                return fault("snils: 11 digits with right check digits");
            }
            self.snils = Some(digits);
        }
        if self.snils.is_none() && self.level != Level::Simplified {
            return fault("snils: every level above simplified has one");
        }
        Ok(())
    }
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let date = Date::parse(&text, format_description!("[year]-[month]-[day]"));
    date.map(Some)
        .map_err(|_| serde::de::Error::custom("birth_date: YYYY-MM-DD"))
}

/// Whether this can be an account's name.
pub(super) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Why a file of accounts was not taken.
#[derive(Debug)]
pub enum AccountsError {
    /// An account, by its name, and what is wrong with it.
    Invalid(String, &'static str),
    /// Not JSON, or not of the right members.
    Json(serde_json::Error),
    /// Two accounts share a name or a СНИЛС.
    Twice(String),
}

impl fmt::Display for AccountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(id, what) => write!(f, "account {id:?}: {what}"),
            Self::Json(error) => write!(f, "not a list of accounts in JSON: {error}"),
            Self::Twice(id) => write!(f, "account {id:?}: its id or its snils is another account's too"),
        }
    }
}

impl std::error::Error for AccountsError {}

/// Why an account's level was not raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelError {
    /// It is confirmed.
    Already,
    /// Its data were not checked yet.
    DataCheckFirst,
    /// There is no such account.
    Unknown,
}

/// All accounts.
#[derive(Debug)]
pub struct Accounts(Mutex<Vec<Account>>);

impl Default for Accounts {
    fn default() -> Self {
        Self::from_json(DEMO).expect("the demo accounts are tested")
    }
}

impl Accounts {
    /// From a JSON array of accounts.
    ///
    /// ```
    /// let accounts = portal::reference::account::Accounts::from_json(r#"[{
    ///     "id": "vera", "surname": "Образцова", "given_name": "Вера", "patronymic": "Тестовна",
    ///     "snils": "112-233-445 95", "level": "standard"
    /// }]"#)?;
    /// assert_eq!(accounts.get("vera").unwrap().full_name(), "Образцова Вера Тестовна");
    /// # Ok::<(), portal::reference::account::AccountsError>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, AccountsError> {
        let mut all: Vec<Account> = serde_json::from_str(text).map_err(AccountsError::Json)?;
        for index in 0..all.len() {
            all[index].check()?;
            let (before, this) = (&all[..index], &all[index]);
            let same = |other: &Account| other.id == this.id || (this.snils.is_some() && other.snils == this.snils);
            if before.iter().any(same) {
                return Err(AccountsError::Twice(this.id.clone()));
            }
        }
        Ok(Self(Mutex::new(all)))
    }

    /// The account of this name.
    pub fn get(&self, id: &str) -> Option<Account> {
        self.lock().iter().find(|account| account.id == id).cloned()
    }

    /// The confirmed account of the person with this СНИЛС, 11 digits.
    pub fn confirmed_with(&self, snils: &str) -> Option<Account> {
        let all = self.lock();
        let theirs = |account: &&Account| {
            account.level == Level::Confirmed && account.snils.as_deref().is_some_and(|own| own == snils)
        };
        all.iter().find(theirs).cloned()
    }

    /// All of them, in the order of the file: for the demo's sign-in, which no real portal has.
    pub fn all(&self) -> Vec<Account> {
        self.lock().clone()
    }

    /// Whether this level may be raised to confirmed.
    pub fn may_confirm(&self, id: &str) -> Result<(), LevelError> {
        let account = self.get(id).ok_or(LevelError::Unknown)?;
        raisable(account.level)
    }

    /// Raises a level from standard to confirmed, and keeps what proved it.
    pub fn confirm(&self, id: &str, confirmation: Confirmation) -> Result<(), LevelError> {
        let mut all = self.lock();
        let account = all.iter_mut().find(|account| account.id == id);
        let account = account.ok_or(LevelError::Unknown)?;
        raisable(account.level)?;
        account.level = Level::Confirmed;
        account.confirmation = Some(confirmation);
        Ok(())
    }

    /// A panic elsewhere leaves an account as it was or as it was to be: both are whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn raisable(level: Level) -> Result<(), LevelError> {
    match level {
        Level::Simplified => Err(LevelError::DataCheckFirst),
        Level::Standard => Ok(()),
        Level::Confirmed => Err(LevelError::Already),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(text: &str) -> String {
        Accounts::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn the_demo_has_every_level_that_can_be_confirmed_or_not() {
        let accounts = Accounts::default();
        let vera = accounts.get("vera").unwrap();
        assert_eq!(vera.full_name(), "Образцова Вера Тестовна");
        assert_eq!(vera.printed_snils().unwrap(), "112-233-445 95");
        assert_eq!(accounts.may_confirm("vera"), Ok(()));
        assert_eq!(accounts.may_confirm("ivan"), Ok(()));
        assert_eq!(accounts.may_confirm("pavel"), Err(LevelError::DataCheckFirst));
        assert_eq!(accounts.may_confirm("nobody"), Err(LevelError::Unknown));
        assert!(
            accounts.confirmed_with("11223344595").is_none(),
            "nobody is confirmed yet"
        );
    }

    #[test]
    fn a_file_is_checked_before_anybody_relies_on_it() {
        let account = |members: &str| {
            format!(
                r#"{{"id":"a","surname":"А","given_name":"Б","level":"standard","snils":"112-233-445 95"{members}}}"#
            )
        };
        let replaced = |old: &str, new: &str| format!("[{}]", account("").replace(old, new));
        assert!(Accounts::from_json(&format!("[{}]", account(""))).is_ok());
        assert!(refused("{}").contains("not a list"));
        assert!(refused(&format!("[{}]", account(r#","confirmation":{}"#))).contains("confirmation"));
        assert!(refused(&replaced(r#""id":"a""#, r#""id":"A b""#)).contains("id: 1 to 64"));
        assert!(refused(&replaced("445 95", "445 96")).contains("check digits"));
        assert!(refused(&replaced(r#","snils":"112-233-445 95""#, "")).contains("above simplified"));
        assert!(refused(&replaced("\"А\"", "\" \"")).contains("a name"));
        for (day, good) in [("1980-02-29", true), ("1981-02-29", false), ("29.02.1980", false)] {
            let text = format!("[{}]", account(&format!(r#","birth_date":"{day}""#)));
            assert_eq!(Accounts::from_json(&text).is_ok(), good, "{day}");
        }
        let other = account("").replace(r#""id":"a""#, r#""id":"b""#);
        assert!(refused(&format!("[{},{other}]", account(""))).contains("\"b\""));
    }
}
