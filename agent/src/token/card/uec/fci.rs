//! What SELECT answers: the application's file control information (v1.0, `6F … A5`) or its file management data
//! (v1.1, `64`), and the sectors and blocks named there (uec.md, 1.5).

use time::Date;

use super::super::tlv::find;
use super::assumed::{MSE_AUC, TEMPLATES};
use super::cvc::date;
use super::kind::{Suite, Version};
use super::objects::{exactly, value};

/// The most sectors, or blocks of a sector, that are looked at.
const MOST: usize = 64;

/// What the identification application says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Application {
    /// Tag 9F08.
    pub(crate) version: Version,
    /// The last day (5F24).
    pub(crate) expires: Option<Date>,
    /// The first day (5F25).
    pub(crate) effective: Option<Date>,
    /// What the card can (tag C2).
    pub(crate) auc: Auc,
    /// Version of the authority's key in the card (tag 8F, v1.1); zero with v1.0.
    pub(crate) authority_key: u8,
    /// Its sectors.
    pub(crate) sectors: Vec<Sector>,
}

/// AUC, tag C2: flags, of which the first byte's are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Auc(pub(crate) [u8; 2]);

impl Auc {
    /// Whether the card has the suite.
    pub(crate) fn has(self, suite: Suite) -> bool {
        self.0[0] & suite.flag() != 0
    }

    /// Commands with more than 255 bytes of data.
    pub(crate) fn long_apdu(self) -> bool {
        self.0[0] & 0x20 != 0
    }

    /// It wants MSE after each SELECT: the family that the vendor's code calls "Micron".
    pub(crate) fn mse(self) -> bool {
        self.0[0] & 0x10 != 0
    }
}

/// A sector: a folder of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sector {
    /// Its number (DF20).
    pub(crate) id: u8,
    /// Its file (51).
    pub(crate) file: u16,
    /// Version of its format (DF21).
    pub(crate) format: u8,
}

/// A block: a file, or data objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its number (DF22).
    pub(crate) id: u8,
    /// Its file (51).
    pub(crate) file: u16,
}

impl Application {
    /// Reads the answer to SELECT; `None` where it is not this application's.
    pub(crate) fn read(answer: &[u8]) -> Option<Self> {
        TEMPLATES.into_iter().find_map(|path| {
            let inside = find(answer, path)?;
            let version = match find(inside, &[0x9F08])? {
                [byte] => Version::from_byte(*byte)?,
                _ => return None,
            };
            let day = |tag| find(inside, &[tag]).and_then(date);
            let auc = find(inside, &[0xC2])?;
            Some(Self {
                version,
                expires: day(0x5F24),
                effective: day(0x5F25),
                auc: Auc(auc.try_into().ok()?),
                authority_key: match (version, find(inside, &[0x8F])) {
                    (Version::V11, Some([byte])) => *byte,
                    _ => 0,
                },
                sectors: sectors(find(inside, &[0xE0]).unwrap_or_default())?,
            })
        })
    }

    /// The sector with this number.
    pub(crate) fn sector(&self, id: u8) -> Option<&Sector> {
        self.sectors.iter().find(|sector| sector.id == id)
    }
}

/// What a card of the MSE family is taken to have said, where it answers SELECT with nothing.
pub(crate) fn of_mse_cards() -> Application {
    let sector = |id: u8| Sector {
        id,
        file: id.into(),
        format: 0x10,
    };
    Application {
        version: Version::V10,
        expires: None,
        effective: None,
        auc: Auc(MSE_AUC),
        authority_key: 0,
        sectors: [1, 2, 3].map(sector).to_vec(),
    }
}

/// `E0`: a list of `E1 { DF20, 51, DF21 }`.
fn sectors(list: &[u8]) -> Option<Vec<Sector>> {
    listed(list, 0xE1, |entry| {
        Some(Sector {
            id: entry(0xDF20).and_then(byte)?,
            file: entry(0x51).and_then(file)?,
            format: entry(0xDF21).and_then(byte).unwrap_or(0),
        })
    })
}

/// The blocks that a sector's answer to SELECT names: `E2`, a list of `E3 { DF22, 51 }`.
pub(crate) fn blocks(version: Version, answer: &[u8]) -> Option<Vec<Block>> {
    let templates = match version {
        Version::V10 => &TEMPLATES[2..],
        Version::V11 => &TEMPLATES[..2],
    };
    let list = templates.iter().find_map(|path| find(find(answer, path)?, &[0xE2]))?;
    listed(list, 0xE3, |entry| {
        Some(Block {
            id: entry(0xDF22).and_then(byte)?,
            file: entry(0x51).and_then(file)?,
        })
    })
}

fn listed<T>(list: &[u8], tag: u32, read: impl Fn(&dyn Fn(u32) -> Option<Vec<u8>>) -> Option<T>) -> Option<Vec<T>> {
    let entries = exactly(list, MOST)?;
    let known = entries.iter().filter(|entry| entry.tag == tag);
    known
        .map(|entry| {
            let members = exactly(entry.value, MOST)?;
            read(&|tag| value(&members, tag).map(<[u8]>::to_vec))
        })
        .collect()
}

fn byte(value: Vec<u8>) -> Option<u8> {
    <[u8; 1]>::try_from(value).ok().map(|[byte]| byte)
}

fn file(value: Vec<u8>) -> Option<u16> {
    <[u8; 2]>::try_from(value).ok().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests;
