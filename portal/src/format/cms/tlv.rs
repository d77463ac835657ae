//! Reading DER values one after the other, keeping their bytes.
//!
//! The input went through [`super::ber::to_der`], so lengths are definite and
//! minimal and tags have one octet; still nothing here trusts that.

/// One value: its tag, what is in it, and all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tlv<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) raw: &'a [u8],
}

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
/// `[n]`, constructed.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// The values in some content, from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// The next value, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Tlv<'a>> {
        self.optional(tag)
    }

    /// The next value if it has this tag; otherwise it stays.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Tlv<'a>> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        self.next()
    }

    /// `Some` when nothing is left.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// All that are left; `None` when one cannot be read.
    pub(super) fn all(mut self) -> Option<Vec<Tlv<'a>>> {
        let mut found = Vec::new();
        while !self.0.is_empty() {
            found.push(self.next()?);
        }
        Some(found)
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (
                    octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)),
                    rest,
                )
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let raw = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some(Tlv { tag, content, raw })
    }
}
