//! PKCS#15 (ISO/IEC 7816-15) as far as cards of these families need it: EF.OD leads to EF.CD and EF.PrKD, an entry of
//! EF.CD to a certificate, one of EF.PrKD to a key's reference.
//!
//! Two kinds of cards, two ways: where there is one key to an application, the [`first`] of each file is taken, and files
//! are selected below the application; where there are many, [`each`] certificate is taken with the key of the same
//! identifier, and files are selected by the paths that the entries give.

use super::super::apdu::Link;
use super::super::error::CardError;
use super::super::tlv::{self, Tlv};
use super::locate::{Found, cut, directory, file_length, malformed, parts, whole};
use super::{Profile, Select, select};

/// EF.OD below an application.
const EF_OD: [u8; 2] = [0x50, 0x31];
/// EF.OD: the file with certificates, and the one with private keys.
const CERTIFICATES: [u32; 3] = [0xA4, 0x30, 0x04];
const PRIVATE_KEYS: [u32; 3] = [0xA0, 0x30, 0x04];
/// An entry of EF.CD or EF.PrKD: the attributes of its type, and in them the path.
const PATH: [u32; 4] = [0xA1, 0x30, 0x30, 0x04];
/// The most certificates that are read of one card; each takes ten commands.
const MOST: usize = 16;

/// The certificate and the key of the application at `at`; `otherwise` is the reference of a key that names none.
pub(super) fn first(
    profile: &Profile,
    at: &[Select],
    otherwise: u8,
    link: &mut Link<'_>,
) -> Result<Option<Found>, CardError> {
    select::go(link, at)?;
    link.set_place(Vec::new());
    let Some(directory) = file(profile, link, EF_OD)? else {
        return Ok(None);
    };
    let in_directory = |path, what| file_id(tlv::find(&directory, path)).ok_or_else(|| malformed(what, nothing()));
    let certificates = in_directory(&CERTIFICATES, "EF.OD (the file of certificates)")?;
    let keys = in_directory(&PRIVATE_KEYS, "EF.OD (the file of private keys)")?;

    let certificates = file(profile, link, certificates)?.unwrap_or_default();
    let entry = entries(&certificates).next();
    let Some(certificate) = file_id(entry.and_then(|entry| tlv::find(entry.value, &PATH))) else {
        return Ok(None);
    };
    let Some(length) = selected(link, certificate)? else {
        return Ok(None);
    };
    let Some(certificate) = cut(whole(link, profile.chunk, Some(length))?)? else {
        return Ok(None);
    };
    let keys = file(profile, link, keys)?.unwrap_or_default();
    let reference = entries(&keys).next().and_then(key_reference).unwrap_or(otherwise);
    Ok(Some(Found {
        certificate,
        reference,
        file: None,
    }))
}

/// Every certificate that has a key on the card, with that key and its file; `otherwise` is the reference of a key that
/// names none. A certificate that the card does not give, or gives malformed, costs the others nothing: why is told where
/// there is no other.
pub(super) fn each(
    profile: &Profile,
    ef_od: Select,
    otherwise: u8,
    link: &mut Link<'_>,
) -> Result<Vec<Found>, CardError> {
    let Some(fci) = select::file(link, &[ef_od])? else {
        return Ok(Vec::new());
    };
    let od = directory(link, profile.chunk, file_length(&fci)?)?;
    let mut listed = |path: &[u32]| match tlv::find(&od, path) {
        Some(path) => at_path(profile, path, link),
        None => Ok(Vec::new()),
    };
    let (certificates, keys) = (listed(&CERTIFICATES)?, listed(&PRIVATE_KEYS)?);
    let (mut found, mut failed) = (Vec::new(), None);
    for entry in entries(&certificates).take(MOST) {
        let key = entries(&keys).find(|key| identifier(*key).is_some() && identifier(*key) == identifier(entry));
        let (Some(path), Some(key)) = (tlv::find(entry.value, &PATH), key) else {
            continue;
        };
        let certificate = match certificate_at(profile, path, link) {
            Ok(Some(certificate)) => certificate,
            Ok(None) => continue,
            Err(error @ (CardError::Malformed(..) | CardError::Refused(..))) => {
                tracing::info!(%error, "a certificate that the card lists is left out");
                failed = Some(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        found.push(Found {
            certificate,
            reference: key_reference(key).unwrap_or(otherwise),
            file: tlv::find(key.value, &PATH).map(|path| below_master_file(path).to_vec()),
        });
    }
    match failed {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// The certificate in the file at a path; `None` where the file is not there, or empty.
fn certificate_at(profile: &Profile, path: &[u8], link: &mut Link<'_>) -> Result<Option<Vec<u8>>, CardError> {
    match selected_path(path, link)? {
        Some(length) => cut(whole(link, profile.chunk, Some(length))?),
        None => Ok(None),
    }
}

/// The directory file at a path; empty where it is not there.
fn at_path(profile: &Profile, path: &[u8], link: &mut Link<'_>) -> Result<Vec<u8>, CardError> {
    match selected_path(path, link)? {
        Some(length) => directory(link, profile.chunk, length),
        None => Ok(Vec::new()),
    }
}

/// Selects a file by its path; its length, or `None` where it is not there.
fn selected_path(path: &[u8], link: &mut Link<'_>) -> Result<Option<usize>, CardError> {
    link.set_place(Vec::new());
    let answer = link.send(&select::by_path(below_master_file(path)))?;
    match answer.status.0 {
        0x9000 => file_length(&answer.data).map(Some),
        0x6A82 => Ok(None),
        _ => Err(CardError::Refused("SELECT of a PKCS#15 file", answer.status)),
    }
}

/// A path without the master file's identifier, which a SELECT by path does not have (ISO/IEC 7816-4, 11.2.2).
fn below_master_file(path: &[u8]) -> &[u8] {
    path.strip_prefix(&[0x3F, 0x00]).unwrap_or(path)
}

/// The identifier that a certificate and its key have in common: in the second element of an entry, the class
/// attributes, of a certificate and of a key alike.
fn identifier(entry: Tlv<'_>) -> Option<&[u8]> {
    tlv::find(class_attributes(entry)?.value, &[0x04])
}

fn nothing() -> String {
    "it does not say where that is".to_owned()
}

/// The last two bytes of a path: the file's identifier below its application.
fn file_id(path: Option<&[u8]>) -> Option<[u8; 2]> {
    path?.last_chunk().copied()
}

/// Selects a file below the application; its length, or `None` where it is not there.
fn selected(link: &mut Link<'_>, id: [u8; 2]) -> Result<Option<usize>, CardError> {
    let answer = link.send(&select::command(0x02, 0x04, &id))?;
    match answer.status.0 {
        0x9000 => file_length(&answer.data).map(Some),
        0x6A82 => Ok(None),
        _ => Err(CardError::Refused("SELECT of a PKCS#15 file", answer.status)),
    }
}

/// Reads a directory file, in parts as large as the family's cards give.
fn file(profile: &Profile, link: &mut Link<'_>, id: [u8; 2]) -> Result<Option<Vec<u8>>, CardError> {
    let Some(length) = selected(link, id)? else {
        return Ok(None);
    };
    parts(link, profile.chunk, length).map(Some)
}

/// A key's reference, one byte, or two of an INTEGER that would be negative (CommonKeyAttributes, keyReference).
fn key_reference(entry: Tlv<'_>) -> Option<u8> {
    match tlv::find(class_attributes(entry)?.value, &[0x02])? {
        [reference] | [_, reference] => Some(*reference),
        _ => None,
    }
}

/// The element after the common attributes. The outer tag is A0 of a key on a curve and 30 of an RSA key; the
/// certificate tells the same.
fn class_attributes(entry: Tlv<'_>) -> Option<Tlv<'_>> {
    let mut attributes = tlv::elements(entry.value).map_while(Result::ok).skip(1);
    attributes.find(|element| element.tag == 0x30)
}

fn entries(file: &[u8]) -> impl Iterator<Item = Tlv<'_>> {
    tlv::elements(file).map_while(Result::ok)
}
