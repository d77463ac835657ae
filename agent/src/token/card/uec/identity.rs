//! Block 1-2: what the card says of its holder once PIN1 was verified (uec.md, 1.8). Never logged.

use super::objects::{exactly, value};
use super::snils::Snils;

/// What a proof of the format `uec` carries of block 1-2: what a portal compares, and nothing beside it.
pub(super) const PROVED: [u16; 6] = [0xDF27, 0x5F20, 0x5F2B, 0xDF2D, 0xDF2E, 0xDF2F];

/// The most data objects that are looked at.
const MOST: usize = 32;

/// Who the holder is, as the card says. Shows itself as nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// DF27, where its check digits are right.
    pub(crate) snils: Option<Snils>,
    /// 5F20, cut to 26 characters by the card.
    pub(crate) name: Option<String>,
    /// DF2D.
    pub(crate) surname: Option<String>,
    /// DF2E.
    pub(crate) given_name: Option<String>,
    /// DF2F.
    pub(crate) patronymic: Option<String>,
    /// 5F2B.
    pub(crate) birth_date: Option<time::Date>,
    /// DF2B: the number of the policy of compulsory medical insurance, sixteen digits.
    pub(crate) oms: Option<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(a person)")
    }
}

impl Identity {
    /// Reads data objects one after the other; each may be missing. `None` where they are none, or one is not what its tag
    /// says.
    pub(crate) fn read(objects: &[u8]) -> Option<Self> {
        let objects = exactly(objects, MOST)?;
        let filled = |tag| value(&objects, tag).filter(|value| !blank(value));
        let text = |tag| filled(tag).map(|value| text(value).ok_or(())).transpose().ok();
        let read = |tag, wanted: fn(&[u8]) -> Option<String>| {
            filled(tag).map(|value| wanted(value).ok_or(())).transpose().ok()
        };
        Some(Self {
            snils: filled(0xDF27)
                .map(|value| Snils::from_bcd(value).ok_or(()))
                .transpose()
                .ok()?,
            name: text(0x5F20)?,
            surname: text(0xDF2D)?,
            given_name: text(0xDF2E)?,
            patronymic: text(0xDF2F)?,
            birth_date: filled(0x5F2B)
                .map(|value| birth_date(value).ok_or(()))
                .transpose()
                .ok()?,
            oms: read(0xDF2B, digits)?,
        })
    }
}

/// Nothing but filling: the field is empty.
fn blank(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, 0 | b' ' | 0xFF))
}

/// Text in ISO/IEC 8859-5 without the filling at its end; `None` where it has control characters.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes
        .iter()
        .rposition(|byte| !matches!(byte, 0 | b' '))
        .map_or(0, |last| last + 1);
    bytes[..end].iter().map(|byte| letter(*byte)).collect()
}

/// ISO/IEC 8859-5:1999: ASCII, then Cyrillic in Unicode's order, but for four places.
fn letter(byte: u8) -> Option<char> {
    let code = match byte {
        0x20..=0x7E | 0xA0 | 0xAD => byte.into(),
        0xF0 => 0x2116,
        0xFD => 0xA7,
        0xA1..=0xFF => 0x360 + u32::from(byte),
        _ => return None,
    };
    char::from_u32(code)
}

/// YYYYMMDD in BCD.
fn birth_date(bcd: &[u8]) -> Option<time::Date> {
    let [century, year, month, day] = <[u8; 4]>::try_from(bcd).ok()?.map(super::cvc::two_digits);
    let year = 100 * i32::from(century?) + i32::from(year?);
    time::Date::from_calendar_date(year, time::Month::try_from(month?).ok()?, day?).ok()
}

/// BCD digits.
fn digits(bcd: &[u8]) -> Option<String> {
    let nibbles = bcd.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| char::from_digit(nibble.into(), 10)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use fixtures::cvc::Holder;

    use super::*;

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        let all: String = (0xA0..=0xFF).map(|byte| letter(byte).unwrap()).collect();
        assert_eq!(
            all,
            concat!(
                "\u{A0}ЁЂЃЄЅІЇЈЉЊЋЌ\u{AD}ЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ",
                "абвгдежзийклмнопрстуфхцчшщъыьэюя№ёђѓєѕіїјљњћќ§ўџ"
            )
        );
        assert_eq!(text(b"M\xB0\xE0  \0 ").unwrap(), "MАр");
        for control in [0, 0x1B, 0x7F, 0x9F] {
            assert_eq!(text(&[control, b'x']), None);
        }
        assert_eq!(text(b"   ").unwrap(), "");
    }

    #[test]
    fn a_block_reads_with_and_without_filling() {
        let holder = Holder::default();
        for padded in [false, true] {
            let read = Identity::read(&holder.block_1_2(padded)).unwrap();
            assert_eq!(read.surname.as_deref(), Some(&*holder.surname));
            assert_eq!(read.given_name.as_deref(), Some(&*holder.given_name));
            assert_eq!(read.patronymic.as_deref(), Some(&*holder.patronymic));
            let born = read.birth_date.unwrap().to_string().replace('-', "");
            assert_eq!(born, holder.birth_date);
            assert!(read.snils.is_some());
            assert_eq!(read.oms.as_deref(), Some(&*holder.oms));
            assert_eq!(format!("{read:?}"), "(a person)");
        }
    }

    #[test]
    fn what_is_not_what_its_tag_says_is_refused_and_what_is_empty_is_missing() {
        let object = |tag, value: &[u8]| super::super::super::tlv::encode(tag, value);
        for wrong in [
            object(0xDF27, &[0x01, 0x12, 0x23, 0x34, 0x45, 0x96]),
            object(0x5F2B, &[0x19, 0x90, 0x13, 0x01]),
            object(0xDF2D, b"a\x07"),
            vec![0xDF],
        ] {
            assert_eq!(Identity::read(&wrong), None);
        }
        let empty = Identity::read(&[object(0xDF2D, b"    "), object(0xDF27, &[0; 6])].concat()).unwrap();
        assert_eq!((empty.surname, empty.snils), (None, None));
    }
}
