//! BER to DER, on the level of tags and lengths (X.690 sections 8 and 10).
//!
//! OpenSSL's `-stream`, Bouncy Castle and others write CMS in BER: indefinite
//! lengths, strings in pieces. This makes lengths definite and minimal, joins
//! OCTET STRINGs, and leaves every primitive content alone, so that what was DER,
//! certificates above all, stays as it is bit for bit. It does not sort sets:
//! the verifier wants to see the order that was sent.

/// How deep values may lie in each other.
const MAX_DEPTH: usize = 32;
/// How many values there may be.
const MAX_ELEMENTS: usize = 4096;

const EOC: u8 = 0x00;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED: u8 = 0x20;
const CLASS: u8 = 0xc0;
const NUMBER: u8 = 0x1f;

/// Why bytes are not BER that this portal takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BerError {
    /// They end in the middle of a value.
    Truncated,
    /// Something follows the one value.
    Trailing,
    /// A tag of more than one octet, or end-of-contents where none belongs.
    Tag,
    /// A reserved length, one of more than four octets, or an indefinite one of a primitive.
    Length,
    /// A string other than OCTET STRING in pieces, a piece that is no OCTET STRING, or a primitive SEQUENCE or SET.
    Form,
    /// Too deep or too many.
    TooMuch,
}

/// The DER form of the one value in `input`. Never longer than the input.
pub(super) fn to_der(input: &[u8]) -> Result<Vec<u8>, BerError> {
    let mut reader = Reader { input, elements: 0 };
    let mut out = Vec::with_capacity(input.len());
    reader.value(0, &mut out)?;
    if reader.input.is_empty() {
        Ok(out)
    } else {
        Err(BerError::Trailing)
    }
}

struct Reader<'a> {
    input: &'a [u8],
    elements: usize,
}

/// The length octets of a value.
enum Length {
    Definite(usize),
    Indefinite,
}

impl<'a> Reader<'a> {
    /// Reads one value and appends its DER.
    fn value(&mut self, depth: usize, out: &mut Vec<u8>) -> Result<(), BerError> {
        let (tag, length) = self.header(depth)?;
        if tag & CONSTRUCTED == 0 {
            let Length::Definite(length) = length else {
                return Err(BerError::Length);
            };
            return emit(tag, self.take(length)?, out);
        }
        let mut content = Vec::new();
        if tag == OCTET_STRING | CONSTRUCTED {
            self.contents(length, &mut |reader| reader.piece(depth + 1, &mut content))?;
            return emit(OCTET_STRING, &content, out);
        }
        self.contents(length, &mut |reader| reader.value(depth + 1, &mut content))?;
        emit(tag, &content, out)
    }

    /// Reads one piece of an OCTET STRING, itself perhaps in pieces (X.690 section 8.7.3.2).
    fn piece(&mut self, depth: usize, content: &mut Vec<u8>) -> Result<(), BerError> {
        let (tag, length) = self.header(depth)?;
        match (tag, length) {
            (OCTET_STRING, Length::Definite(length)) => {
                content.extend_from_slice(self.take(length)?);
                Ok(())
            }
            (OCTET_STRING, Length::Indefinite) => Err(BerError::Length),
            (tag, length) if tag == OCTET_STRING | CONSTRUCTED => {
                self.contents(length, &mut |reader| reader.piece(depth + 1, content))
            }
            _ => Err(BerError::Form),
        }
    }

    /// Calls `each` until the contents of this length are used up.
    fn contents(
        &mut self,
        length: Length,
        each: &mut dyn FnMut(&mut Reader<'a>) -> Result<(), BerError>,
    ) -> Result<(), BerError> {
        match length {
            Length::Definite(length) => {
                let input = self.take(length)?;
                let mut inner = Reader {
                    input,
                    elements: self.elements,
                };
                while !inner.input.is_empty() {
                    each(&mut inner)?;
                }
                self.elements = inner.elements;
                Ok(())
            }
            Length::Indefinite => {
                while !self.input.starts_with(&[EOC, 0]) {
                    each(self)?;
                }
                self.take(2).map(|_| ())
            }
        }
    }

    fn header(&mut self, depth: usize) -> Result<(u8, Length), BerError> {
        self.elements += 1;
        if depth > MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(BerError::TooMuch);
        }
        let tag = self.octet()?;
        if tag & NUMBER == NUMBER || tag == EOC {
            return Err(BerError::Tag);
        }
        check_form(tag)?;
        let length = match self.octet()? {
            short @ 0..=0x7f => Length::Definite(usize::from(short)),
            0x80 => Length::Indefinite,
            long @ 0x81..=0x84 => {
                let octets = self.take(usize::from(long & 0x7f))?;
                Length::Definite(octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)))
            }
            _ => return Err(BerError::Length),
        };
        Ok((tag, length))
    }

    fn octet(&mut self) -> Result<u8, BerError> {
        self.take(1).map(|octets| octets[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BerError> {
        let (taken, rest) = self.input.split_at_checked(length).ok_or(BerError::Truncated)?;
        self.input = rest;
        Ok(taken)
    }
}

/// SEQUENCE and SET are constructed; of the other universal types only OCTET STRING may be.
fn check_form(tag: u8) -> Result<(), BerError> {
    if tag & CLASS != 0 {
        return Ok(());
    }
    let constructed = tag & CONSTRUCTED != 0;
    match tag & NUMBER {
        0x08 | 0x0b | 0x10 | 0x11 if constructed => Ok(()),
        0x08 | 0x0b | 0x10 | 0x11 => Err(BerError::Form),
        OCTET_STRING => Ok(()),
        _ if constructed => Err(BerError::Form),
        _ => Ok(()),
    }
}

/// A value in DER: definite, minimal length.
pub(super) fn emit(tag: u8, content: &[u8], out: &mut Vec<u8>) -> Result<(), BerError> {
    out.push(tag);
    let length = u32::try_from(content.len()).map_err(|_| BerError::TooMuch)?;
    match length {
        0..=0x7f => out.push(length as u8),
        _ => {
            let octets = length.to_be_bytes();
            let skip = octets.iter().take_while(|octet| **octet == 0).count();
            out.push(0x80 | (octets.len() - skip) as u8);
            out.extend_from_slice(&octets[skip..]);
        }
    }
    out.extend_from_slice(content);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn makes_lengths_definite_and_joins_strings() {
        for (ber, der) in [
            (&[0x30, 0x80, 0x02, 1, 5, 0, 0][..], &[0x30, 3, 2, 1, 5][..]),
            (&[0x30, 0x81, 3, 2, 1, 5], &[0x30, 3, 2, 1, 5]),
            (&[0x30, 0x84, 0, 0, 0, 3, 2, 1, 5], &[0x30, 3, 2, 1, 5]),
            (&[0x24, 0x80, 4, 1, 7, 4, 0, 4, 2, 8, 9, 0, 0], &[4, 3, 7, 8, 9]),
            (&[0x24, 7, 0x24, 0x80, 4, 1, 7, 0, 0], &[4, 1, 7]),
            (&[0xa0, 0x80, 0x24, 0x80, 0, 0, 0, 0], &[0xa0, 2, 4, 0]),
            (&[1, 1, 1], &[1, 1, 1]),
        ] {
            assert_eq!(to_der(ber).unwrap(), der, "{ber:02x?}");
        }
    }

    #[test]
    fn refuses_what_is_no_ber_or_too_odd() {
        use BerError::*;
        for (bytes, why) in [
            (&[][..], Truncated),
            (&[0x30], Truncated),
            (&[0x30, 2, 5], Truncated),
            (&[0x30, 0x80, 2, 1, 5], Truncated),
            (&[0x30, 0x80, 2, 1, 5, 0], Tag),
            (&[0x30, 0x82, 1], Truncated),
            (&[5, 0, 0], Trailing),
            (&[0, 0], Tag),
            (&[0x30, 2, 0, 0], Tag),
            (&[0x1f, 0x81, 1, 0], Tag),
            (&[4, 0x80, 0, 0], Length),
            (&[4, 0xff], Length),
            (&[4, 0x85, 0, 0, 0, 0, 1, 1], Length),
            (&[0x24, 3, 2, 1, 5], Form),
            (&[0x23, 0], Form),
            (&[0x2c, 0], Form),
            (&[0x10, 0], Form),
        ] {
            assert_eq!(to_der(bytes), Err(why), "{bytes:02x?}");
        }
        let deep = [0x30, 0x80].repeat(40);
        assert_eq!(to_der(&deep), Err(TooMuch));
        let many = [&[0x30, 0x82, 0x40, 0][..], &[5, 0].repeat(0x2000)].concat();
        assert_eq!(to_der(&many), Err(TooMuch));
    }

    /// A DER value of bounded size, and one of its BER spellings.
    fn spellings() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let leaf = (
            prop_oneof![Just(2u8), Just(4), Just(0x80), Just(0x0c)],
            prop::collection::vec(any::<u8>(), 0..200),
        )
            .prop_flat_map(|(tag, content)| {
                let at = 0..=content.len();
                (Just(tag), Just(content), at, 0u8..4)
            })
            .prop_map(|(tag, content, at, spelling)| (encode(tag, &content), spell(tag, &content, at, spelling)));
        leaf.prop_recursive(6, 40, 5, |inner| {
            (
                prop_oneof![Just(0x30u8), Just(0x31), Just(0xa0)],
                prop::collection::vec(inner, 0..5),
                0u8..3,
            )
                .prop_map(|(tag, parts, spelling)| {
                    let der: Vec<_> = parts.iter().flat_map(|(der, _)| der.clone()).collect();
                    let ber: Vec<_> = parts.iter().flat_map(|(_, ber)| ber.clone()).collect();
                    let spelt = match spelling {
                        0 => encode(tag, &ber),
                        1 => [&[tag, 0x80], &ber[..], &[0, 0]].concat(),
                        _ => [&[tag, 0x84][..], &(ber.len() as u32).to_be_bytes(), &ber].concat(),
                    };
                    (encode(tag, &der), spelt)
                })
        })
    }

    fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        emit(tag, content, &mut out).unwrap();
        out
    }

    fn spell(tag: u8, content: &[u8], at: usize, spelling: u8) -> Vec<u8> {
        let pieces = [encode(4, &content[..at]), encode(4, &content[at..])].concat();
        match (tag, spelling) {
            (4, 1) => encode(0x24, &pieces),
            (4, 2) => [&[0x24, 0x80], &pieces[..], &[0, 0]].concat(),
            (_, 3) => [&[tag, 0x84][..], &(content.len() as u32).to_be_bytes(), content].concat(),
            _ => encode(tag, content),
        }
    }

    proptest! {
        #[test]
        fn every_spelling_comes_to_the_same_der((der, ber) in spellings()) {
            prop_assert_eq!(to_der(&ber).unwrap(), der.clone());
            prop_assert_eq!(to_der(&der).unwrap(), der);
        }

        #[test]
        fn never_panics_never_grows_and_is_stable(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(der) = to_der(&bytes) {
                prop_assert!(der.len() <= bytes.len());
                prop_assert_eq!(to_der(&der).unwrap(), der);
            }
        }
    }
}
