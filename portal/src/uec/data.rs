//! What was read of a card after PIN1 (block 1-2). The card does not sign it.

use std::collections::HashSet;

use time::Date;

use super::certificate::{long_date, read_snils};
use super::tlv::Reader;
use crate::error::VerifyError;

/// Objects looked at before it is too many.
const MAX_OBJECTS: usize = 32;

/// Names and date of birth as the agent read them: **true only if the agent is**, since no signature covers them.
///
/// What is there but not readable is left out and named in [`unusable`](Self::unusable).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnsignedCardData {
    surname: Option<String>,
    given_name: Option<String>,
    patronymic: Option<String>,
    holder_name: Option<String>,
    birth_date: Option<Date>,
    unusable: Vec<&'static str>,
}

impl UnsignedCardData {
    /// Фамилия (`DF2D`).
    pub fn surname(&self) -> Option<&str> {
        self.surname.as_deref()
    }

    /// Имя (`DF2E`).
    pub fn given_name(&self) -> Option<&str> {
        self.given_name.as_deref()
    }

    /// Отчество (`DF2F`).
    pub fn patronymic(&self) -> Option<&str> {
        self.patronymic.as_deref()
    }

    /// The holder's name as it is embossed (`5F20`), at most 26 characters.
    pub fn holder_name(&self) -> Option<&str> {
        self.holder_name.as_deref()
    }

    /// Date of birth (`5F2B`).
    pub fn birth_date(&self) -> Option<Date> {
        self.birth_date
    }

    /// What is there but not readable.
    pub fn unusable(&self) -> &[&'static str] {
        &self.unusable
    }

    /// Reads the objects; a SNILS among them must be the one that the card's certificate has. Tags unknown here are
    /// passed over.
    pub(crate) fn read(bytes: &[u8], certified_snils: &str) -> Result<Self, VerifyError> {
        const WRONG: VerifyError = VerifyError::Malformed("the card's data are not data objects, each once");
        let mut data = Self::default();
        let mut seen = HashSet::new();
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let object = reader.next().map_err(|_| WRONG)?;
            if !seen.insert(object.tag) || seen.len() > MAX_OBJECTS {
                return Err(WRONG);
            }
            if object.tag == 0xdf27 {
                if read_snils(object.value).as_deref() != Some(certified_snils) {
                    return Err(VerifyError::SnilsMismatch);
                }
            } else {
                data.put(object.tag, object.value);
            }
        }
        Ok(data)
    }

    fn put(&mut self, tag: u32, value: &[u8]) {
        let (place, name) = match tag {
            0xdf2d => (&mut self.surname, "surname"),
            0xdf2e => (&mut self.given_name, "given name"),
            0xdf2f => (&mut self.patronymic, "patronymic"),
            0x5f20 => (&mut self.holder_name, "holder's name"),
            0x5f2b => {
                self.birth_date = long_date(value);
                if self.birth_date.is_none() {
                    self.unusable.push("date of birth");
                }
                return;
            }
            _ => return,
        };
        match text(value) {
            Some(text) if text.is_empty() => {}
            Some(text) => *place = Some(text),
            None => self.unusable.push(name),
        }
    }
}

/// ISO 8859-5, filled up with zeros or spaces; `None` where a control character is among it.
fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().rposition(|octet| !matches!(octet, 0 | b' '));
    let text: Option<String> = bytes[..end.map_or(0, |end| end + 1)]
        .iter()
        .map(|octet| character(*octet))
        .collect();
    text.map(|text| text.trim().to_owned())
}

fn character(octet: u8) -> Option<char> {
    match octet {
        b' '..=b'~' => Some(char::from(octet)),
        0xa0 => Some(' '),
        0xad => Some('-'),
        0xf0 => Some('№'),
        0xfd => Some('§'),
        0xa1..=0xff => char::from_u32(0x400 + u32::from(octet) - 0xa0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SNILS: &str = "11223344595";

    #[test]
    fn what_is_there_is_read() {
        let bytes = [
            &[0xdf, 0x27, 6, 0x01, 0x12, 0x23, 0x34, 0x45, 0x95][..],
            &[0xdf, 0x2d, 5, 0xb2, 0xd5, 0xe0, 0xd0, 0x20],
            &[0xdf, 0x2e, 3, 0xa1, 0xf1, 0],
            &[0xdf, 0x2f, 1, 0x07],
            &[0x5f, 0x2b, 4, 0x19, 0x80, 0x02, 0x30],
            &[0xdf, 0x24, 2, 0xff, 0xff],
        ]
        .concat();
        let data = UnsignedCardData::read(&bytes, SNILS).unwrap();
        assert_eq!((data.surname(), data.given_name()), (Some("Вера"), Some("Ёё")));
        assert_eq!(
            (data.patronymic(), data.birth_date(), data.holder_name()),
            (None, None, None)
        );
        assert_eq!(data.unusable(), ["patronymic", "date of birth"]);
    }

    #[test]
    fn another_snils_is_refused_and_so_is_one_that_cannot_be_read() {
        for snils in [[0x08, 0x76, 0x54, 0x30, 0x30, 0x00], [0xff; 6]] {
            let bytes = [&[0xdf, 0x27, 6], &snils[..]].concat();
            assert_eq!(UnsignedCardData::read(&bytes, SNILS), Err(VerifyError::SnilsMismatch));
        }
    }

    #[test]
    fn an_object_is_there_once_and_the_last_one_whole() {
        let twice = [0xdf, 0x2d, 0, 0xdf, 0x2d, 0];
        let many: Vec<u8> = (0..40).flat_map(|tag| [0x80 | tag, 0]).collect();
        for bytes in [&twice[..], &[0xdf, 0x2d, 2, 1], &[0xdf], &many] {
            let refused = UnsignedCardData::read(bytes, SNILS);
            assert!(matches!(refused, Err(VerifyError::Malformed(_))), "{bytes:02x?}");
        }
        assert_eq!(UnsignedCardData::read(&[], SNILS), Ok(UnsignedCardData::default()));
    }

    #[test]
    fn iso_8859_5_is_cyrillic_without_gaps() {
        let all: String = (0xb0..=0xef).filter_map(character).collect();
        assert_eq!((all.chars().next(), all.chars().last()), (Some('А'), Some('я')));
        assert_eq!(
            [0xa1, 0xae, 0xf1, 0xfe, 0xff].map(character),
            ['Ё', 'Ў', 'ё', 'ў', 'џ'].map(Some)
        );
        assert_eq!([0x7f, 0x80, 0x9f, 0x1b].map(character), [None; 4]);
    }
}
