//! PKCS#15 (ISO/IEC 7816-15) as far as the Latvian card needs it: EF.OD leads to EF.CD and EF.PrKD, the first entry of
//! EF.CD to the certificate, the first of EF.PrKD to the key's reference.

use super::super::apdu::Link;
use super::super::error::CardError;
use super::super::tlv::{self, Tlv};
use super::locate::{Found, cut, file_length, malformed, parts, whole};
use super::{Profile, Select, select};

/// EF.OD below an application.
const EF_OD: [u8; 2] = [0x50, 0x31];
/// EF.OD: the file with certificates, and the one with private keys.
const CERTIFICATES: [u32; 3] = [0xA4, 0x30, 0x04];
const PRIVATE_KEYS: [u32; 3] = [0xA0, 0x30, 0x04];
/// EF.CD: X509CertificateAttributes of the first entry, and in them the path.
const CERTIFICATE: [u32; 5] = [0x30, 0xA1, 0x30, 0x30, 0x04];

/// The certificate and the key of the application at `at`; `otherwise` is the reference of a key that names none.
pub(super) fn find(
    profile: &Profile,
    at: &[Select],
    otherwise: u8,
    link: &mut Link<'_>,
) -> Result<Option<Found>, CardError> {
    select::go(link, at)?;
    link.set_place(Vec::new());
    let Some(directory) = file(link, EF_OD)? else {
        return Ok(None);
    };
    let in_directory = |path, what| file_id(tlv::find(&directory, path)).ok_or_else(|| malformed(what, nothing()));
    let certificates = in_directory(&CERTIFICATES, "EF.OD (the file of certificates)")?;
    let keys = in_directory(&PRIVATE_KEYS, "EF.OD (the file of private keys)")?;

    let certificates = file(link, certificates)?.unwrap_or_default();
    let Some(certificate) = file_id(tlv::find(&certificates, &CERTIFICATE)) else {
        return Ok(None);
    };
    let Some(length) = selected(link, certificate)? else {
        return Ok(None);
    };
    let Some(certificate) = cut(whole(link, profile.chunk, Some(length))?)? else {
        return Ok(None);
    };
    let keys = file(link, keys)?.unwrap_or_default();
    let reference = key_reference(&keys).unwrap_or(otherwise);
    Ok(Some(Found { certificate, reference }))
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

/// Reads a directory file, in parts as large as a card gives.
fn file(link: &mut Link<'_>, id: [u8; 2]) -> Result<Option<Vec<u8>>, CardError> {
    let Some(length) = selected(link, id)? else {
        return Ok(None);
    };
    parts(link, 256, length).map(Some)
}

/// The reference of the first key: in the class attributes, the element after the common ones (CommonKeyAttributes,
/// keyReference). The outer tag is A0 of a key on a curve and 30 of an RSA key; the certificate tells the same.
fn key_reference(keys: &[u8]) -> Option<u8> {
    let entry = first(keys)?;
    let mut attributes = tlv::elements(entry.value).map_while(Result::ok).skip(1);
    let class = attributes.find(|element| element.tag == 0x30)?;
    match tlv::find(class.value, &[0x02])? {
        [_, reference] => Some(*reference),
        _ => None,
    }
}

fn first(bytes: &[u8]) -> Option<Tlv<'_>> {
    tlv::elements(bytes).next()?.ok()
}
