//! A certificate out of its data object (SP 800-73-4 part 1, appendix A, tables 10 ff.).

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use crate::token::card::error::CardError;
use crate::token::card::tlv;

/// The longest certificate, bytes; the standard's containers hold two thousand.
const LONGEST: usize = 1 << 15;

/// The DER of `53 { 70 certificate, 71 CertInfo, FE }`; `None` where the object is empty.
///
/// CertInfo says whether it is compressed, and tools have set it wrongly both ways: the first byte settles it, for DER
/// begins with 30 and no compressed form does.
pub(super) fn read(object: &[u8]) -> Result<Option<Vec<u8>>, CardError> {
    let malformed = |why: &str| CardError::Malformed("GET DATA of a certificate", why.to_owned());
    let object = match tlv::find(object, &[0x53]) {
        Some(inside) => inside,
        None if object.is_empty() => return Ok(None),
        None => return Err(malformed("there is no template 53")),
    };
    let Some(certificate) = tlv::find(object, &[0x70]).filter(|value| !value.is_empty()) else {
        // `53 00`, and what tools leave behind that delete.
        return match object.is_empty() || tlv::all(object).is_ok() {
            true => Ok(None),
            false => Err(malformed("its elements run over its end")),
        };
    };
    let plain = match certificate {
        [0x30, ..] => Some(certificate.to_vec()),
        [0x1F, 0x8B, ..] => unpacked(GzDecoder::new(certificate)),
        // zlib's own form, bare and with the header of Net iD: 01 00 and the length.
        [0x78, ..] => unpacked(ZlibDecoder::new(certificate)),
        [0x01, 0x00, _, _, packed @ ..] => unpacked(ZlibDecoder::new(packed)),
        _ => None,
    };
    match plain {
        Some(plain) if plain.len() <= LONGEST => Ok(Some(without_filling(plain))),
        Some(_) => Err(malformed("it is longer than a certificate may be")),
        None => Err(malformed("it is neither DER nor compressed as the standard says")),
    }
}

/// The certificate as long as it says it is: some tools fill `70` up to the size of the container.
fn without_filling(mut der: Vec<u8>) -> Vec<u8> {
    if let Some(object) = tlv::first(&der).filter(|object| object.tag == 0x30) {
        let length = object.whole.len();
        der.truncate(length);
    }
    der
}

/// What a compressed certificate holds, one byte over the longest at most.
fn unpacked(packed: impl Read) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    packed.take(LONGEST as u64 + 1).read_to_end(&mut plain).ok()?;
    Some(plain)
}
