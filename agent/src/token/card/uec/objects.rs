//! Data objects that stand one after the other with nothing between them: what is signed or MACed is read strictly.

use super::super::tlv::{self, Tlv};

/// The objects of `bytes`, which they fill to the last byte; at most `most` of them.
pub(super) fn exactly(bytes: &[u8], most: usize) -> Option<Vec<Tlv<'_>>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let object = tlv::first(rest)?;
        rest = &rest[object.whole.len()..];
        found.push(object);
        if found.len() > most {
            return None;
        }
    }
    Some(found)
}

/// The one object that `bytes` are, if it has this tag; its value.
pub(super) fn only(bytes: &[u8], tag: u32) -> Option<&[u8]> {
    tlv::first(bytes)
        .filter(|object| object.tag == tag && object.whole.len() == bytes.len())
        .map(|object| object.value)
}

/// The value of the object with this tag.
pub(super) fn value<'a>(objects: &[Tlv<'a>], tag: u32) -> Option<&'a [u8]> {
    objects
        .iter()
        .find(|object| object.tag == tag)
        .map(|object| object.value)
}
