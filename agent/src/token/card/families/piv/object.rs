//! Data objects (SP 800-73-4 part 1, section 3 and appendix A) and the answer to SELECT.

use plugin_protocol::encoding::hex;

use super::AID;
use crate::token::card::apdu::{Command, Le};
use crate::token::card::tlv;

/// Discovery object.
pub(super) const DISCOVERY: &[u8] = &[0x7E];
/// Card holder unique identifier.
pub(super) const CHUID: &[u8] = &[0x5F, 0xC1, 0x02];

/// GET DATA (part 2, 3.1.2).
pub(super) fn get(tag: &[u8]) -> Command {
    let list = tlv::encode(0x5C, tag);
    Command::new(0x00, 0xCB, 0x3F, 0xFF).with(list).wanting(Le::Max)
}

/// What an answer to SELECT names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// The PIV application.
    Piv,
    /// Another one.
    Other,
    /// Nothing.
    Untold,
}

impl Selected {
    /// The application property template `61` (part 2, table 3): its `4F` holds the PIX with the version, of early
    /// cards the whole AID, of some an AID with a byte less.
    pub(super) fn read(answer: &[u8]) -> Self {
        let name = tlv::find(answer, &[0x61, 0x4F]).or_else(|| tlv::find(answer, &[0x6F, 0x84]));
        match name {
            None => Self::Untold,
            Some(name) if is_piv(name) => Self::Piv,
            Some(_) => Self::Other,
        }
    }
}

/// Whether `4F` of the discovery object is ours.
pub(super) fn names_piv(discovery: &[u8]) -> bool {
    inside(discovery, &[0x7E, 0x4F]).is_some_and(is_piv)
}

/// A PIX, an AID, or the AID `A00000030800100001` of some cards by Giesecke & Devrient.
fn is_piv(name: &[u8]) -> bool {
    let (rid, pix) = AID.split_at(5);
    name.starts_with(pix) || name.starts_with(&AID) || name.strip_prefix(rid).is_some_and(|pix| pix == [0, 0x10, 0, 1])
}

/// A value inside an object; most cards give `7E` as it is, some inside `53` like the others.
fn inside<'a>(object: &'a [u8], path: &[u32]) -> Option<&'a [u8]> {
    tlv::find(object, path).or_else(|| tlv::find(tlv::find(object, &[0x53])?, path))
}

/// Which PIN opens the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum PinPolicy {
    /// The application's own, reference 80.
    #[default]
    Application,
    /// The card's global one, reference 00.
    Global,
}

impl PinPolicy {
    /// PIN usage policy `5F2F` of the discovery object (part 1, 3.3.2): 40 the application's PIN opens the keys,
    /// 20 the global one does; where both do, the second byte says which one the person is to be asked for.
    pub(super) fn read(discovery: &[u8]) -> Self {
        let policy = inside(discovery, &[0x7E, 0x5F2F]).unwrap_or_default();
        let (which, first) = match policy {
            [which, first, ..] => (which & 0x60, *first),
            [which] => (which & 0x60, 0),
            [] => return Self::Application,
        };
        match (which, first) {
            (0x20, _) | (0x60, 0x20) => Self::Global,
            _ => Self::Application,
        }
    }
}

/// The card holder unique identifier, as far as it tells this card from others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chuid {
    /// FASC-N, 25 bytes.
    fasc_n: Option<Vec<u8>>,
    /// Card UUID, 16 bytes.
    guid: Option<Vec<u8>>,
    /// Expiration date, YYYYMMDD.
    expires: Option<String>,
}

impl Chuid {
    /// From the object `53`; what is missing, empty or all zero tells nothing.
    pub(super) fn read(object: &[u8]) -> Self {
        let value = |tag, length: usize| {
            let value = tlv::find(object, &[0x53, tag])?;
            let tells = value.len() == length && value.iter().any(|byte| *byte != 0);
            tells.then(|| value.to_vec())
        };
        let digits = |text: Vec<u8>| {
            String::from_utf8(text)
                .ok()
                .filter(|text| text.bytes().all(|c| c.is_ascii_digit()))
        };
        Self {
            fasc_n: value(0x30, 25),
            guid: value(0x34, 16),
            expires: value(0x35, 8).and_then(digits),
        }
    }

    /// The UUID; where there is none, the FASC-N, which cards outside the federal government share (part 1, 3.4.1).
    pub(super) fn serial(&self) -> Option<String> {
        self.guid.as_ref().or(self.fasc_n.as_ref()).map(|bytes| hex(bytes))
    }

    /// For the person: the end of the number, and the date.
    pub(super) fn details(&self) -> Vec<(String, String)> {
        let name = if self.guid.is_some() { "card UUID" } else { "FASC-N" };
        let masked = self.serial().map(|serial| {
            let end = serial.len().saturating_sub(4);
            (name.to_owned(), format!("•••• {}", &serial[end..]))
        });
        let date = self.expires.as_ref().map(|date| {
            let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
            ("expires".to_owned(), format!("{year}-{month}-{day}"))
        });
        masked.into_iter().chain(date).collect()
    }
}
