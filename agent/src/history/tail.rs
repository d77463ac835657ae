//! The end of the file: the last record, and a torn line set aside.

use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::chain::{self, MAX_LINE};

/// What the next record has to follow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) seq: u64,
    pub(super) hash: String,
}

/// The last record; `None` in an empty file. Bytes after the last line feed are a write
/// that a power cut tore: they go to `*.torn` beside the file, and the file is cut there.
///
/// The caller holds the exclusive lock.
pub(super) fn mend(file: &mut File, path: &Path) -> std::io::Result<Option<Last>> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * MAX_LINE as u64);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;

    let whole = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole == 0 && start > 0 {
        return Err(damaged("its end is not text"));
    }
    if whole < end.len() {
        set_aside(path, &end[whole..])?;
        file.set_len(start + whole as u64)?;
        file.sync_all()?;
        tracing::warn!(
            bytes = end.len() - whole,
            "the history ended in a torn line; it was set aside"
        );
    }
    last(&end[..whole])
}

/// The record of the last line of `lines`.
fn last(lines: &[u8]) -> std::io::Result<Option<Last>> {
    let Some(inner) = lines.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let begin = inner.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (entry, hash) = chain::parse(&lines[begin..]).map_err(|why| damaged(&why))?;
    Ok(Some(Last { seq: entry.seq, hash }))
}

fn set_aside(path: &Path, torn: &[u8]) -> std::io::Result<()> {
    let mut aside = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path.with_extension("torn"))?;
    aside.write_all(torn)?;
    aside.write_all(b"\n")?;
    aside.sync_all()
}

fn damaged(why: &str) -> Error {
    Error::other(format!(
        "its last record is damaged: {why}; `eid-agent history verify` tells more, and moving the file away begins a new one"
    ))
}
