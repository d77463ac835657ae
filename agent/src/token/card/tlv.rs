//! BER-TLV as cards write it (ISO/IEC 7816-4:2013, 5.2.2): read with bounds, never past the end, never without end.
//!
//! Tags are numbers as they stand on the wire: `0x62`, `0xBF81`, `0x7F21`. Lengths are definite, of one to four bytes.

/// The longest tag, bytes.
const TAG: usize = 4;
/// The most elements of one template that are looked at.
const ELEMENTS: usize = 1024;
/// The deepest [`search`] looks.
const DEPTH: usize = 8;

/// One data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Its tag, all bytes of it.
    pub tag: u32,
    /// Its value.
    pub value: &'a [u8],
    /// The whole object: tag, length and value as they stand.
    pub whole: &'a [u8],
}

impl Tlv<'_> {
    /// Whether its value is made of data objects (bit 6 of the tag's first byte).
    pub fn is_constructed(&self) -> bool {
        self.whole.first().is_some_and(|byte| byte & 0x20 != 0)
    }
}

/// It is not BER-TLV, or longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The data objects that stand one after the other, each or the error that ends them.
/// Zero bytes between them, and FF to the end, are filling.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    left: usize,
}

/// The data objects of `bytes`.
pub fn elements(bytes: &[u8]) -> Elements<'_> {
    Elements {
        rest: bytes,
        left: ELEMENTS,
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Tlv<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.rest.iter().position(|byte| *byte != 0)?;
        let bytes = self.rest.get(start..)?;
        if bytes.iter().all(|byte| *byte == 0xFF) {
            return None;
        }
        let read = self.left.checked_sub(1).and_then(|left| {
            self.left = left;
            first(bytes)
        });
        self.rest = match read {
            Some(tlv) => bytes.get(tlv.whole.len()..).unwrap_or_default(),
            None => &[],
        };
        Some(read.ok_or(Malformed))
    }
}

/// The first data object of `bytes`, which begin with its tag; what follows it is left alone.
pub fn first(bytes: &[u8]) -> Option<Tlv<'_>> {
    let header = header(bytes)?;
    let end = header.start.checked_add(header.length)?;
    Some(Tlv {
        tag: header.tag,
        value: bytes.get(header.start..end)?,
        whole: bytes.get(..end)?,
    })
}

/// Tag and length of a data object whose value may not be there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its tag.
    pub tag: u32,
    /// Where its value starts.
    pub start: usize,
    /// How long its value is.
    pub length: usize,
}

/// Tag and length at the beginning of `bytes`; `None` where they are cut off or not BER.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let leading = *bytes.first()?;
    let mut tag = u32::from(leading);
    let mut at = 1;
    if leading & 0x1F == 0x1F {
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            if at > TAG {
                return None;
            }
            tag = tag << 8 | u32::from(byte);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let length = *bytes.get(at)?;
    at += 1;
    let count = match length {
        0..=0x7F => {
            let length = length.into();
            return Some(Header { tag, start: at, length });
        }
        0x81..=0x84 => usize::from(length & 0x0F),
        // 80 is the indefinite length, which cards do not use; more than four bytes is more than a card holds.
        _ => return None,
    };
    let digits = bytes.get(at..at + count)?;
    let length = digits.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let length = usize::try_from(length).ok()?;
    let start = at + count;
    Some(Header { tag, start, length })
}

/// Every data object of `bytes`; the error where one of them is none.
pub fn all(bytes: &[u8]) -> Result<Vec<Tlv<'_>>, Malformed> {
    elements(bytes).collect()
}

/// The value at the end of a path of tags, the first match on each level: `find(fci, &[0x62, 0x80])`.
pub fn find<'a>(bytes: &'a [u8], path: &[u32]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |inside, tag| {
        elements(inside)
            .map_while(Result::ok)
            .find_map(|tlv| (tlv.tag == *tag).then_some(tlv.value))
    })
}

/// The value of the first data object with this tag at any depth, eight levels at most.
pub fn search(bytes: &[u8], tag: u32) -> Option<&[u8]> {
    search_below(bytes, tag, DEPTH)
}

fn search_below(bytes: &[u8], tag: u32, depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    elements(bytes).map_while(Result::ok).find_map(|tlv| match tlv {
        _ if tlv.tag == tag => Some(tlv.value),
        _ if tlv.is_constructed() => search_below(tlv.value, tag, depth),
        _ => None,
    })
}

/// A data object with the shortest length that fits.
pub fn encode(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = trimmed(tag.into());
    match value.len() {
        length @ 0..=0x7F => bytes.extend(length.to_be_bytes().last()),
        length => {
            let digits = trimmed(length as u64);
            bytes.extend(digits.len().to_be_bytes().last().map(|count| 0x80 | count));
            bytes.extend(digits);
        }
    }
    bytes.extend(value);
    bytes
}

/// Big-endian without leading zeros, one byte at least.
fn trimmed(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    bytes[start..].to_vec()
}

#[cfg(test)]
mod tests;
