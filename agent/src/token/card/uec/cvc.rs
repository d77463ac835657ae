//! CV certificates of the card's public key infrastructure (uec-secure-messaging.md, section 6).
//!
//! `7F21 { 7F4E { 5F29, 42, 65 { 80, 81 }, 5F20, 5F24, 5F25, 7F49 { 81, 82? }, 7F4C { 80, 81?, 82, 83 } }, 5F37 }`:
//! the members in the order that real ones have, each once. The signature is over the complete `7F4E`.

use std::fmt;

use time::{Date, Month};

use super::crypto::{gost, rsa};
use super::kind::{Suite, Version};
use super::objects::{exactly, only, value};
use super::pan::{self, Pan};
use super::snils::Snils;

mod chain;
pub(crate) use chain::{ChainError, chain};

/// The longest certificate that is looked at, bytes; those of 2048-bit RSA have about 600.
const LONGEST: usize = 2048;

/// Whose certificate it is (CertType.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// 01: the certification authority of the whole system.
    Authority,
    /// 02: an issuer of identification applications.
    Issuer,
    /// 03: a service provider.
    Provider,
    /// 04: a channel operator.
    Operator,
    /// 05: the identification application of one card.
    Application,
    /// 06: an authority of the subject of the federation.
    Office,
    /// 07: a terminal.
    Terminal,
}

impl Holder {
    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Authority,
            2 => Self::Issuer,
            3 => Self::Provider,
            4 => Self::Operator,
            5 => Self::Application,
            6 => Self::Office,
            7 => Self::Terminal,
            _ => return None,
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "a certification authority",
            Self::Issuer => "an issuer",
            Self::Provider => "a service provider",
            Self::Operator => "a channel operator",
            Self::Application => "a card's identification application",
            Self::Office => "an authorised office",
            Self::Terminal => "a terminal",
        })
    }
}

/// A certified key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A checked point.
    Gost(gost3410::PublicKey),
    /// A modulus and an exponent of 3 or 65537.
    Rsa(rsa::PublicKey),
}

/// A CV certificate, read but not verified.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    whole: Vec<u8>,
    body: std::ops::Range<usize>,
    signature: std::ops::Range<usize>,
    /// The version whose byte order it is in, by its profile (`5F29`).
    pub(crate) version: Version,
    /// What its key is of.
    pub(crate) suite: Suite,
    /// Whose it is.
    pub(crate) holder: Holder,
    /// Name of its issuer (tag 42); no link to the issuer's own subject in the sets that were seen.
    pub(crate) issuer: Vec<u8>,
    /// Reference (15h GOST, 16h RSA) and version of the authority's key at the top of its chain.
    pub(crate) authority_key: (u8, u8),
    /// `5F20`: PAN and SNILS of an application, the terminal's information of a terminal.
    pub(crate) subject: Vec<u8>,
    /// The last day of validity.
    pub(crate) expires: Date,
    /// The first day of validity.
    pub(crate) effective: Date,
    /// Rights (7F4C/81); their meaning is not documented.
    pub(crate) rights: Vec<u8>,
    pub(super) key: Key,
}

/// Why bytes are no CV certificate: the part that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is no CV certificate of the universal card: {}", self.0)
    }
}

impl Certificate {
    /// Reads one certificate, which fills the bytes.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let wrong = |what| move || Malformed(what);
        let whole = Some(bytes)
            .filter(|bytes| bytes.len() <= LONGEST)
            .ok_or(Malformed("it is too long"))?;
        let inside = only(whole, 0x7F21).ok_or(Malformed("it does not begin with 7F21, or more follows it"))?;
        let parts = exactly(inside, 2).ok_or(Malformed("the members of 7F21"))?;
        let [body, signature] = parts[..] else {
            return Err(Malformed("7F21 has other members than 7F4E and 5F37"));
        };
        if (body.tag, signature.tag) != (0x7F4E, 0x5F37) {
            return Err(Malformed("7F21 has other members than 7F4E and 5F37"));
        }
        let fields = exactly(body.value, 8).ok_or(Malformed("the members of 7F4E"))?;
        let tags: Vec<u32> = fields.iter().map(|field| field.tag).collect();
        if tags != [0x5F29, 0x42, 0x65, 0x5F20, 0x5F24, 0x5F25, 0x7F49, 0x7F4C] {
            return Err(Malformed("7F4E has not the members of a certificate, in their order"));
        }
        let field = |at: usize| fields[at].value;
        let version = match field(0) {
            [1] => Version::V10,
            [2] => Version::V11,
            _ => return Err(Malformed("its profile (5F29) is neither 01 nor 02")),
        };
        let authority = exactly(field(2), 2).ok_or(Malformed("65"))?;
        let one = |tag| match value(&authority, tag) {
            Some([byte]) => Ok(*byte),
            _ => Err(Malformed("65 has no key reference (80) and version (81)")),
        };
        let authority_key = (one(0x80)?, one(0x81)?);
        let purpose = exactly(field(7), 4).ok_or(Malformed("7F4C"))?;
        let holder = match value(&purpose, 0x80) {
            Some([byte]) => Holder::from_byte(*byte),
            _ => None,
        };
        let holder = holder.ok_or_else(wrong("its type (7F4C/80) is not from 01 to 07"))?;
        let rights = value(&purpose, 0x81).unwrap_or_default().to_vec();
        if matches!(holder, Holder::Operator | Holder::Terminal) && rights.is_empty() {
            return Err(Malformed("an operator's or a terminal's has no rights (7F4C/81)"));
        }
        let key = read_key(version, field(6))?;
        let suite = match key {
            Key::Gost(_) => Suite::Gost,
            Key::Rsa(_) => Suite::Rsa,
        };
        // Both parts are slices of `whole`, at its end.
        let end = whole.len();
        let signature_start = end - signature.value.len();
        let body_end = end - signature.whole.len();
        Ok(Self {
            body: body_end - body.whole.len()..body_end,
            signature: signature_start..end,
            version,
            suite,
            holder,
            issuer: field(1).to_vec(),
            authority_key,
            subject: field(3).to_vec(),
            expires: date(field(4)).ok_or(Malformed("its last day (5F24)"))?,
            effective: date(field(5)).ok_or(Malformed("its first day (5F25)"))?,
            rights,
            key,
            whole: whole.to_vec(),
        })
    }

    /// As it was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// The complete `7F4E`, which is signed and which a card takes first.
    pub(super) fn body(&self) -> &[u8] {
        &self.whole[self.body.clone()]
    }

    /// The complete `5F37`, which a card takes second.
    pub(super) fn signature_object(&self) -> &[u8] {
        &self.whole[self.body.end..]
    }

    /// Whether `signer`'s key signed it. Nothing else is looked at.
    pub(crate) fn is_signed_by(&self, signer: &Self) -> bool {
        signer.version == self.version && signer.signed(self.body(), &self.whole[self.signature.clone()])
    }

    /// Whether its key signed the message, in its version's encodings.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::Gost(key) => gost::verify(self.version, key, message, signature),
            Key::Rsa(key) => key.verify(message, signature),
        }
    }

    /// Whether the day is within its validity.
    pub(crate) fn valid_on(&self, day: Date) -> bool {
        (self.effective..=self.expires).contains(&day)
    }

    /// The card's number, of a certificate of an application.
    pub(crate) fn pan(&self) -> Option<Pan> {
        let subject = self.subject.get(..pan::LENGTH).filter(|_| self.names_a_person())?;
        Pan::from_bcd(subject)
    }

    /// The holder's SNILS, of a certificate of an application.
    pub(crate) fn snils(&self) -> Option<Snils> {
        let subject = self.subject.get(pan::LENGTH..).filter(|_| self.names_a_person())?;
        Snils::from_bcd(subject)
    }

    fn names_a_person(&self) -> bool {
        self.holder == Holder::Application && self.subject.len() == pan::LENGTH + super::snils::LENGTH
    }
}

/// The subject names a person, and the bytes are long: neither belongs in a log.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version, suite, holder, ..
        } = self;
        write!(f, "{} {} certificate of {holder}", version.name(), suite.name())
    }
}

fn read_key(version: Version, bytes: &[u8]) -> Result<Key, Malformed> {
    let members = exactly(bytes, 2).ok_or(Malformed("7F49"))?;
    let first = value(&members, 0x81).ok_or(Malformed("7F49 has no key (81)"))?;
    match (value(&members, 0x82), members.len()) {
        (None, 1) => gost::public_key(version, first)
            .map(Key::Gost)
            .map_err(|_| Malformed("its GOST key is no point of the curve")),
        (Some(exponent), 2) => {
            let exponent = stripped(exponent);
            let modulus = stripped(first);
            // A library of the card's makers takes no other exponents (flCheckCertificateFormat).
            match (exponent, modulus.len()) {
                ([3] | [1, 0, 1], 128..=256) => Ok(Key::Rsa(rsa::PublicKey {
                    modulus: modulus.to_vec(),
                    exponent: exponent.to_vec(),
                })),
                _ => Err(Malformed(
                    "its RSA key is not one of 1024 to 2048 bits with the exponent 3 or 65537",
                )),
            }
        }
        _ => Err(Malformed("7F49 has other members than 81 and 82")),
    }
}

pub(super) fn stripped(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[start..]
}

/// Three bytes BCD, YYMMDD; the years are those from 2000.
pub(super) fn date(bcd: &[u8]) -> Option<Date> {
    let [year, month, day] = *bcd else { return None };
    let year = 2000 + i32::from(two_digits(year)?);
    Date::from_calendar_date(year, Month::try_from(two_digits(month)?).ok()?, two_digits(day)?).ok()
}

/// A byte BCD.
pub(super) fn two_digits(byte: u8) -> Option<u8> {
    let (high, low) = (byte >> 4, byte & 15);
    (high < 10 && low < 10).then_some(10 * high + low)
}

#[cfg(test)]
mod tests;
