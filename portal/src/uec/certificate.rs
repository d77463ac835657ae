//! CV certificates of the universal electronic card: `7F21 { 7F4E { … }, 5F37 }`.

use plugin_protocol::qualified::checksum::is_snils;
use plugin_protocol::uec::UecApplication;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::suite::{PublicKey, UecSuite};
use super::tlv::{NotTlv, Reader};
use crate::error::{Place, VerifyError};

/// Largest certificate read, octets.
const MAX_CERTIFICATE: usize = 2048;
/// Octets of the card's number and of the SNILS in a subject.
const PAN: usize = 10;
const SNILS: usize = 6;

/// What a certificate is for (value of `7F4C`/`80`); other types have no place in a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// 01: the root of the cards.
    Authority,
    /// 02: who issues identification applications.
    Issuer,
    /// 05: a card's identification application.
    Application,
    /// 07: a terminal.
    Terminal,
}

impl Type {
    const fn value(self) -> u8 {
        match self {
            Self::Authority => 1,
            Self::Issuer => 2,
            Self::Application => 5,
            Self::Terminal => 7,
        }
    }
}

/// A CV certificate of proper form. Nobody has verified its signature.
#[derive(Clone, Debug)]
pub(crate) struct CardCertificate {
    /// The complete TLV `7F21`.
    bytes: Vec<u8>,
    /// The complete TLV `7F4E` within it, which is what is signed.
    body: std::ops::Range<usize>,
    signature: Vec<u8>,
    kind: u8,
    application: UecApplication,
    subject: Vec<u8>,
    first_day: Date,
    last_day: Date,
    key: PublicKey,
}

impl CardCertificate {
    /// Reads one, the members in the order in which every one that was seen has them.
    pub(crate) fn read(bytes: &[u8], place: Place) -> Result<Self, VerifyError> {
        let wrong = |what| VerifyError::CertificateEncoding(place, what);
        if bytes.len() > MAX_CERTIFICATE {
            return Err(wrong("larger than 2 KiB"));
        }
        Self::parse(bytes).map_err(wrong)
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        const FORM: &str = "not a CV certificate of the card's profile";
        let parts = Parts::read(bytes).map_err(|NotTlv| FORM)?;
        let application = match parts.profile {
            1 => UecApplication::V10,
            2 => UecApplication::V11,
            _ => return Err("of an unknown profile (5F29)"),
        };
        let day = |bcd| day(bcd).ok_or("a date in it is none");
        let key = PublicKey::read(application, parts.key, parts.exponent).ok_or("its key is none of these cards")?;
        let start = parts.body.as_ptr() as usize - bytes.as_ptr() as usize;
        Ok(Self {
            bytes: bytes.to_vec(),
            body: start..start + parts.body.len(),
            signature: parts.signature.to_vec(),
            kind: parts.kind,
            application,
            subject: parts.subject.to_vec(),
            first_day: day(parts.first_day)?,
            last_day: day(parts.last_day)?,
            key,
        })
    }

    /// Its own bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `5F20`.
    pub(crate) fn subject(&self) -> &[u8] {
        &self.subject
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn suite(&self) -> UecSuite {
        self.key.suite()
    }

    pub(crate) fn application(&self) -> UecApplication {
        self.application
    }

    pub(crate) fn is(&self, kind: Type) -> bool {
        self.kind == kind.value()
    }

    /// Whether this key signed it.
    pub(crate) fn is_signed_by(&self, issuer: &PublicKey) -> bool {
        issuer.verifies(&self.bytes[self.body.clone()], &self.signature)
    }

    /// The last moment of its last day, UTC.
    pub(crate) fn valid_until(&self) -> OffsetDateTime {
        self.last_day.with_time(END_OF_DAY).assume_offset(UtcOffset::UTC)
    }

    /// Its days, both included, in UTC.
    pub(crate) fn check_validity(&self, now: OffsetDateTime, place: Place) -> Result<(), VerifyError> {
        let begin = self.first_day.midnight().assume_offset(UtcOffset::UTC);
        if now < begin {
            return Err(VerifyError::CertificateNotYetValid(place, begin));
        }
        if now > self.valid_until() {
            return Err(VerifyError::CertificateExpired(place, self.valid_until()));
        }
        Ok(())
    }

    /// Of an identification application: the card's number, 19 digits, and the holder's SNILS, 11 digits.
    pub(crate) fn holder(&self) -> Result<(String, String), &'static str> {
        let (pan, snils) = match self.subject.split_at_checked(PAN) {
            Some((pan, snils)) if snils.len() == SNILS => (pan, snils),
            _ => return Err("its subject is not a card's number and a SNILS"),
        };
        let pan = digits(pan).filter(|(digits, padding)| digits.len() == 19 && *padding == Padding::After);
        let (pan, _) = pan.ok_or("its subject holds no card's number")?;
        let snils = read_snils(snils).ok_or("its subject holds no SNILS")?;
        Ok((pan, snils))
    }
}

const END_OF_DAY: Time = match Time::from_hms(23, 59, 59) {
    Ok(time) => time,
    Err(_) => Time::MIDNIGHT,
};

/// A certificate taken apart, nothing in it understood yet.
struct Parts<'a> {
    body: &'a [u8],
    profile: u8,
    subject: &'a [u8],
    last_day: &'a [u8],
    first_day: &'a [u8],
    key: &'a [u8],
    exponent: Option<&'a [u8]>,
    kind: u8,
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, NotTlv> {
        let mut outer = Reader::new(bytes);
        let mut certificate = Reader::new(outer.take(0x7f21, 1..=MAX_CERTIFICATE)?);
        outer.end()?;
        let body = certificate.next()?;
        let signature = certificate.take(0x5f37, 1..=256)?;
        certificate.end()?;
        if body.tag != 0x7f4e {
            return Err(NotTlv);
        }
        let mut members = Reader::new(body.value);
        let profile = members.take(0x5f29, 1..=1)?[0];
        members.take(0x42, 1..=16)?;
        let mut issuer_key = Reader::new(members.take(0x65, 1..=16)?);
        issuer_key.take(0x80, 1..=1)?;
        issuer_key.take(0x81, 1..=1)?;
        issuer_key.end()?;
        let subject = members.take(0x5f20, 1..=32)?;
        let last_day = members.take(0x5f24, 3..=3)?;
        let first_day = members.take(0x5f25, 3..=3)?;
        let mut key = Reader::new(members.take(0x7f49, 1..=300)?);
        let mut purpose = Reader::new(members.take(0x7f4c, 1..=300)?);
        members.end()?;
        let (first, exponent) = (key.take(0x81, 1..=256)?, key.take_optional(0x82, 1..=4)?);
        key.end()?;
        let kind = purpose.take(0x80, 1..=1)?[0];
        purpose.take_optional(0x81, 0..=255)?;
        purpose.take(0x82, 1..=4)?;
        purpose.take(0x83, 1..=4)?;
        purpose.end()?;
        Ok(Self {
            body: body.whole,
            profile,
            subject,
            last_day,
            first_day,
            key: first,
            exponent,
            kind,
            signature,
        })
    }
}

/// On which side of its digits a number is filled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Padding {
    None,
    /// One `F` at the end.
    After,
}

/// Packed digits, perhaps with one `F` at the end.
fn digits(bcd: &[u8]) -> Option<(String, Padding)> {
    let mut text: Vec<u8> = bcd.iter().flat_map(|octet| [octet >> 4, octet & 15]).collect();
    let padding = match text.last() {
        Some(15) => {
            text.pop();
            Padding::After
        }
        _ => Padding::None,
    };
    let text: Option<String> = text.iter().map(|digit| char::from_digit((*digit).into(), 10)).collect();
    text.map(|text| (text, padding))
}

/// A SNILS of 6 octets: its 11 digits after a zero, or before an `F` [INF: no card was seen]; check digits right.
pub(super) fn read_snils(bcd: &[u8]) -> Option<String> {
    let (text, padding) = digits(bcd).filter(|_| bcd.len() == SNILS)?;
    let text = match padding {
        Padding::None => text.strip_prefix('0')?.to_owned(),
        Padding::After => text,
    };
    is_snils(&text).then_some(text)
}

/// YYMMDD in packed digits, of this century.
fn day(bcd: &[u8]) -> Option<Date> {
    let (text, _) = digits(bcd).filter(|(text, _)| text.len() == 6)?;
    date(2000 + text[..2].parse::<i32>().ok()?, &text[2..])
}

/// A year, and MMDD.
pub(super) fn date(year: i32, month_and_day: &str) -> Option<Date> {
    let month = Month::try_from(month_and_day.get(..2)?.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year, month, month_and_day.get(2..)?.parse().ok()?).ok()
}

/// YYYYMMDD in packed digits.
pub(super) fn long_date(bcd: &[u8]) -> Option<Date> {
    let (text, _) = digits(bcd).filter(|(text, _)| text.len() == 8)?;
    date(text[..4].parse().ok()?, &text[4..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_in_packed_digits() {
        assert_eq!(
            read_snils(&[0x01, 0x12, 0x23, 0x34, 0x45, 0x95]).as_deref(),
            Some("11223344595")
        );
        assert_eq!(
            read_snils(&[0x11, 0x22, 0x33, 0x44, 0x59, 0x5f]).as_deref(),
            Some("11223344595")
        );
        for bad in [
            &[0x11, 0x22, 0x33, 0x44, 0x59, 0x50][..],
            &[0x01, 0x12, 0x23, 0x34, 0x45, 0x96],
            &[0x11, 0x22, 0x33, 0x44, 0x59, 0xff],
            &[0x01, 0x12, 0x23, 0x34, 0x45],
            &[0x00, 0x01, 0x12, 0x23, 0x34, 0x45, 0x95],
            &[0x01, 0x1a, 0x23, 0x34, 0x45, 0x95],
            &[],
        ] {
            assert_eq!(read_snils(bad), None, "{bad:02x?}");
        }
    }

    #[test]
    fn days() {
        assert_eq!(day(&[0x16, 0x02, 0x29]), Some(time::macros::date!(2016 - 02 - 29)));
        assert_eq!(
            long_date(&[0x19, 0x70, 0x12, 0x31]),
            Some(time::macros::date!(1970 - 12 - 31))
        );
        for bad in [
            [0x15, 0x02, 0x29],
            [0x15, 0x13, 0x01],
            [0x15, 0x01, 0x00],
            [0x1a, 0x01, 0x01],
            [0x15, 0x01, 0x0f],
        ] {
            assert_eq!(day(&bad), None, "{bad:02x?}");
        }
        assert_eq!(long_date(&[0x19, 0x70, 0x12]), None);
    }
}
