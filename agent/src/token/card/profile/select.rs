//! SELECT (ISO/IEC 7816-4, 11.2.2), as a constant.

use super::super::apdu::{Command, Le, Link};
use super::super::error::CardError;

/// One SELECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Select {
    /// How `data` names it: 04 an application, 02 a file below, 08 a path from the MF, 09 one from here.
    pub p1: u8,
    /// 0C: nothing is wanted back; 04: the file's control parameters; 00: the FCI.
    pub p2: u8,
    /// AID, file identifier or path.
    pub data: &'static [u8],
}

impl Select {
    /// An application by its AID; nothing is wanted back.
    pub const fn application(aid: &'static [u8]) -> Self {
        Self {
            p1: 0x04,
            p2: 0x0C,
            data: aid,
        }
    }

    /// The master file; nothing is wanted back.
    pub const fn master_file() -> Self {
        Self {
            p1: 0x00,
            p2: 0x0C,
            data: &[],
        }
    }

    /// A file below the selected folder; its control parameters are wanted.
    pub const fn below(id: &'static [u8]) -> Self {
        Self {
            p1: 0x02,
            p2: 0x04,
            data: id,
        }
    }

    /// A file by its path from the master file; its control parameters are wanted.
    pub const fn path(path: &'static [u8]) -> Self {
        Self {
            p1: 0x08,
            p2: 0x04,
            data: path,
        }
    }

    /// A file by its path from the selected folder; its control parameters are wanted.
    pub const fn path_from_here(path: &'static [u8]) -> Self {
        Self {
            p1: 0x09,
            p2: 0x04,
            data: path,
        }
    }

    /// The same, and the FCI is wanted.
    pub const fn with_fci(self) -> Self {
        Self { p2: 0x00, ..self }
    }

    /// The same, and nothing is wanted back.
    pub const fn silent(self) -> Self {
        Self { p2: 0x0C, ..self }
    }

    /// As a command.
    pub fn command(&self) -> Command {
        command(self.p1, self.p2, self.data)
    }
}

/// SELECT of a file by its path from the master file, with its FCI.
pub(super) fn by_path(path: &[u8]) -> Command {
    command(0x08, 0x00, path)
}

/// SELECT of what `data` names.
pub(super) fn command(p1: u8, p2: u8, data: &[u8]) -> Command {
    let command = Command::new(0x00, 0xA4, p1, p2);
    let command = if data.is_empty() { command } else { command.with(data) };
    match p2 & 0x0C {
        0x0C => command,
        _ => command.wanting(Le::Max),
    }
}

/// Stands before a place from which a file was selected: the application is still that one, the file is not. No step
/// begins with it.
const MOVED: u8 = 0xFF;

/// Goes where `steps` lead, unless that is where this transaction already is; from where it is, if that is on the way.
pub(in crate::token::card) fn go(link: &mut Link<'_>, steps: &[Select]) -> Result<(), CardError> {
    let here = link.place().to_vec();
    let written = |step: &Select| [&[step.p1, step.p2, step.data.len() as u8], step.data].concat();
    let mut place = Vec::new();
    let mut left = steps;
    for (at, step) in steps.iter().enumerate() {
        place.extend(written(step));
        if place == here {
            left = &steps[at + 1..];
        }
    }
    link.set_place(Vec::new());
    for step in left {
        link.expect("SELECT", &step.command())?;
    }
    link.set_place(place);
    Ok(())
}

/// Selects the file at the end of a way; its control parameters, or `None` where there is no such file.
///
/// A path from the master file needs the application alone, whichever file of it is selected.
pub(super) fn file(link: &mut Link<'_>, at: &[Select]) -> Result<Option<Vec<u8>>, CardError> {
    let Some((file, folders)) = at.split_last() else {
        return Ok(None);
    };
    let mut place = link.place().to_vec();
    if file.p1 == 0x08 && place.first() == Some(&MOVED) {
        place.remove(0);
        link.set_place(place);
    }
    go(link, folders)?;
    let mut place = link.place().to_vec();
    place.insert(0, MOVED);
    link.set_place(place);
    let answer = link.send(&file.command())?;
    match answer.status.0 {
        0x9000 => Ok(Some(answer.data)),
        0x6A82 => Ok(None),
        _ => Err(CardError::Refused("SELECT of a file", answer.status)),
    }
}
