//! Finding and reading a card's files.

use super::super::apdu::{Command, Le, Link};
use super::super::error::CardError;
use super::super::tlv;
use super::{KeyProfile, Length, Locator, Profile, pkcs15, select};

/// The longest file that is read: the offset of READ BINARY has fifteen bits, and certificates are a tenth of it.
const LONGEST: usize = 0x7FFF;
/// The most parts in which a file is read; those of our families give it in ten.
const PARTS: usize = 300;

/// A certificate with the reference of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) certificate: Vec<u8>,
    pub(super) reference: u8,
    /// The path of the key's file, where that is selected before it signs.
    pub(super) file: Option<Vec<u8>>,
}

/// Reads the certificates of a key's record: one, those that PKCS#15 lists, or none.
pub(super) fn certificates(profile: &Profile, key: &KeyProfile, link: &mut Link<'_>) -> Result<Vec<Found>, CardError> {
    match key.certificate {
        Locator::File { at, length } => {
            let Some(fci) = select::file(link, at)? else {
                return Ok(Vec::new());
            };
            let read = match length {
                Length::Fci => whole(link, profile.chunk, Some(file_length(&fci)?))?,
                Length::Der => whole(link, profile.chunk, None)?,
            };
            let found = cut(read)?.map(|certificate| Found {
                certificate,
                reference: key.reference,
                file: None,
            });
            Ok(found.into_iter().collect())
        }
        Locator::Pkcs15 { at } => Ok(pkcs15::first(profile, at, key.reference, link)?.into_iter().collect()),
        Locator::Pkcs15Paths { directory } => pkcs15::each(profile, directory, key.reference, link),
    }
}

/// The length that a file's control parameters tell: 80, or else 81, in 62 or 6F.
pub(super) fn file_length(fci: &[u8]) -> Result<usize, CardError> {
    let of = |template| tlv::find(fci, &[template]);
    let inside = of(0x62).or_else(|| of(0x6F));
    let length = inside.and_then(|inside| tlv::find(inside, &[0x80]).or_else(|| tlv::find(inside, &[0x81])));
    let number = |bytes: &[u8]| bytes.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    let length = length.filter(|bytes| (1..=3).contains(&bytes.len())).map(number);
    length
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| malformed("SELECT of a file", "it does not tell the file's length".to_owned()))
}

/// Reads the data object at the beginning of the selected file: not what stands behind it, and not behind `length`.
pub(super) fn whole(link: &mut Link<'_>, chunk: usize, length: Option<usize>) -> Result<Vec<u8>, CardError> {
    let most = length.unwrap_or(LONGEST);
    if most == 0 {
        return Ok(Vec::new());
    }
    let mut file = read(link, 0, chunk.min(most))?;
    let wanted = object_length(&file).map_or(most, |object| object.min(most));
    append(link, &mut file, chunk, |_| wanted)?;
    file.truncate(wanted);
    Ok(file)
}

/// Reads so many bytes of the selected file; fewer where it ends before.
pub(super) fn parts(link: &mut Link<'_>, chunk: usize, length: usize) -> Result<Vec<u8>, CardError> {
    let mut file = Vec::new();
    append(link, &mut file, chunk, |_| length)?;
    Ok(file)
}

/// Reads the selected file as a directory: the data objects from its beginning on, up to filling or to `length`.
pub(super) fn directory(link: &mut Link<'_>, chunk: usize, length: usize) -> Result<Vec<u8>, CardError> {
    let mut file = Vec::new();
    append(link, &mut file, chunk, |file| match has_ended(file) {
        true => file.len(),
        false => length,
    })?;
    Ok(file)
}

/// Whether filling (00 or FF) stands where a data object would begin.
fn has_ended(file: &[u8]) -> bool {
    let mut rest = file;
    while let Some(tag) = rest.first() {
        if matches!(tag, 0x00 | 0xFF) {
            return true;
        }
        let Some(header) = tlv::header(rest) else { return false };
        rest = rest
            .get(header.start.saturating_add(header.length)..)
            .unwrap_or_default();
    }
    false
}

/// Reads on until `file` is as long as `wanted` says of it, in a bounded number of parts. A card may give less at once than it was asked for; past the end it gives nothing.
fn append(
    link: &mut Link<'_>,
    file: &mut Vec<u8>,
    chunk: usize,
    wanted: impl Fn(&[u8]) -> usize,
) -> Result<(), CardError> {
    for _ in 0..PARTS {
        let wanted = wanted(file);
        if file.len() >= wanted {
            return Ok(());
        }
        let part = read(link, file.len(), (wanted - file.len()).min(chunk))?;
        if part.is_empty() {
            return Ok(());
        }
        file.extend(part);
    }
    let why = format!("{} bytes in {PARTS} parts, and no end", file.len());
    Err(malformed("READ BINARY", why))
}

/// How long the certificate at the beginning of a file is; where there is none, nothing more is read.
fn object_length(file: &[u8]) -> Option<usize> {
    match file.first()? {
        0x30 => tlv::header(file).map(|header| header.start.saturating_add(header.length)),
        _ => Some(file.len()),
    }
}

/// READ BINARY (ISO/IEC 7816-4, 11.3.3).
fn read(link: &mut Link<'_>, offset: usize, length: usize) -> Result<Vec<u8>, CardError> {
    let [high, low] = (offset as u16).to_be_bytes();
    let answer = link.send(&Command::new(0x00, 0xB0, high, low).wanting(Le::Exactly(length)))?;
    match answer.status.0 {
        // 6282: the end came before Le; 6B00: it was there already.
        0x9000 | 0x6282 => Ok(answer.data),
        0x6B00 if offset > 0 => Ok(Vec::new()),
        _ => Err(CardError::Refused("READ BINARY", answer.status)),
    }
}

/// The certificate in a file; `None` where it is empty, and of nothing but zeros.
pub(super) fn cut(mut file: Vec<u8>) -> Result<Option<Vec<u8>>, CardError> {
    if file.iter().all(|byte| matches!(byte, 0x00)) || file.iter().all(|byte| matches!(byte, 0xFF)) {
        return Ok(None);
    }
    let length = match tlv::first(&file) {
        Some(object) if object.tag == 0x30 => object.whole.len(),
        _ => {
            let why = format!("{} bytes that are no certificate, or the beginning of one", file.len());
            return Err(malformed("READ BINARY of a certificate", why));
        }
    };
    file.truncate(length);
    Ok(Some(file))
}

pub(super) fn malformed(what: &'static str, why: String) -> CardError {
    CardError::Malformed(what, why)
}
