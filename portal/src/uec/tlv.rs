//! BER-TLV as cards write it (ISO/IEC 7816-4, 5.2.2): definite lengths, tags of one to three octets.
//!
//! There is no recursion here: who reads a template asks for its inside by name, so depth is bounded by the code.

/// Longest value, octets: two octets of length.
const MAX_LENGTH: usize = 0xffff;

/// One data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    /// The tag's octets as one number: `5F20` is 0x5F20.
    pub(crate) tag: u32,
    /// What is inside.
    pub(crate) value: &'a [u8],
    /// All of it, tag and length included.
    pub(crate) whole: &'a [u8],
}

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

/// Not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTlv;

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next object.
    pub(crate) fn next(&mut self) -> Result<Tlv<'a>, NotTlv> {
        let all = self.0;
        let mut at = 0;
        let tag = read_tag(all, &mut at)?;
        let length = read_length(all, &mut at)?;
        let end = at.checked_add(length).ok_or(NotTlv)?;
        let value = all.get(at..end).ok_or(NotTlv)?;
        self.0 = &all[end..];
        let whole = &all[..end];
        Ok(Tlv { tag, value, whole })
    }

    /// The value of the next object, which must have this tag and a length of this range.
    pub(crate) fn take(&mut self, tag: u32, length: std::ops::RangeInclusive<usize>) -> Result<&'a [u8], NotTlv> {
        let next = self.next()?;
        let fits = next.tag == tag && length.contains(&next.value.len());
        if fits { Ok(next.value) } else { Err(NotTlv) }
    }

    /// The same where the object may be absent.
    pub(crate) fn take_optional(
        &mut self,
        tag: u32,
        length: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<&'a [u8]>, NotTlv> {
        let mut ahead = *self;
        match ahead.next() {
            Ok(next) if next.tag == tag => self.take(tag, length).map(Some),
            _ => Ok(None),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// That nothing is left over.
    pub(crate) fn end(self) -> Result<(), NotTlv> {
        if self.is_empty() { Ok(()) } else { Err(NotTlv) }
    }
}

fn octet(bytes: &[u8], at: &mut usize) -> Result<u8, NotTlv> {
    let octet = bytes.get(*at).copied().ok_or(NotTlv)?;
    *at += 1;
    Ok(octet)
}

fn read_tag(bytes: &[u8], at: &mut usize) -> Result<u32, NotTlv> {
    let first = octet(bytes, at)?;
    let mut tag = u32::from(first);
    if first & 0x1f != 0x1f {
        return Ok(tag);
    }
    for _ in 0..2 {
        let next = octet(bytes, at)?;
        tag = tag << 8 | u32::from(next);
        if next & 0x80 == 0 {
            return Ok(tag);
        }
    }
    Err(NotTlv)
}

fn read_length(bytes: &[u8], at: &mut usize) -> Result<usize, NotTlv> {
    let first = octet(bytes, at)?;
    let octets = match first {
        0..=0x7f => return Ok(usize::from(first)),
        0x81 | 0x82 => first & 0x7f,
        _ => return Err(NotTlv),
    };
    let mut length = 0;
    for _ in 0..octets {
        length = length << 8 | usize::from(octet(bytes, at)?);
    }
    debug_assert!(length <= MAX_LENGTH);
    Ok(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_and_lengths_of_every_form() {
        let mut reader = Reader::new(&[
            0x42, 0, 0x5f, 0x20, 1, 7, 0x5f, 0x81, 0x02, 0x81, 1, 8, 0x81, 0x82, 0, 1, 9,
        ]);
        let read: Vec<_> = std::iter::from_fn(|| reader.next().ok())
            .map(|tlv| (tlv.tag, tlv.value))
            .collect();
        let expected: [(u32, &[u8]); 4] = [(0x42, &[]), (0x5f20, &[7]), (0x5f8102, &[8]), (0x81, &[9])];
        assert_eq!(read, expected);
        assert!(reader.end().is_ok());
    }

    #[test]
    fn what_is_cut_off_or_of_another_form_is_refused() {
        let bad: [&[u8]; 9] = [
            &[],
            &[0x5f],
            &[0x5f, 0x81, 0x81, 0],
            &[0x42],
            &[0x42, 2, 1],
            &[0x42, 0x80, 0, 0],
            &[0x42, 0x81],
            &[0x42, 0x82, 1],
            &[0x42, 0x83, 0, 0, 1, 1],
        ];
        for bytes in bad {
            assert_eq!(Reader::new(bytes).next(), Err(NotTlv), "{bytes:02x?}");
        }
    }

    #[test]
    fn an_object_is_taken_by_its_tag_and_length() {
        let bytes = [0x80, 1, 5, 0x81, 2, 1, 2];
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.take_optional(0x81, 0..=9), Ok(None), "not the next one");
        assert_eq!(reader.take(0x80, 1..=1), Ok(&[5][..]));
        assert_eq!(reader.take_optional(0x81, 0..=1), Err(NotTlv), "too long");
        assert_eq!(Reader::new(&bytes).end(), Err(NotTlv));
    }

    proptest! {
        #[test]
        fn noise_is_read_within_its_bounds(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            let mut read = 0;
            while let Ok(tlv) = reader.next() {
                prop_assert!(tlv.whole.ends_with(tlv.value) && tlv.whole.len() >= tlv.value.len() + 2);
                prop_assert_eq!(&bytes[read..read + tlv.whole.len()], tlv.whole);
                read += tlv.whole.len();
            }
            prop_assert!(read <= bytes.len());
        }
    }
}
