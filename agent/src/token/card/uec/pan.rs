//! The card's number (PAN): shown by its last four digits alone.

use std::fmt;

/// On the wire, bytes: 19 digits BCD and a filling F.
pub(super) const LENGTH: usize = 10;

/// A card's number. It shows itself masked; nothing prints it whole.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pan(Vec<u8>);

impl Pan {
    /// Reads BCD digits with F after them (ISO/IEC 7812-1: 12 to 19).
    pub(super) fn from_bcd(bytes: &[u8]) -> Option<Self> {
        let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits: Vec<u8> = nibbles.clone().take_while(|nibble| *nibble < 10).collect();
        let filled = nibbles.skip(digits.len()).all(|nibble| nibble == 15);
        (filled && (12..=19).contains(&digits.len())).then_some(Self(digits))
    }
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••• ")?;
        self.0[self.0.len() - 4..]
            .iter()
            .try_for_each(|digit| write!(f, "{digit}"))
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_shows_its_last_digits_alone() {
        let bcd = [0x96, 0x43, 0x90, 0, 0, 0, 0, 0x12, 0x34, 0x5F];
        let pan = Pan::from_bcd(&bcd).unwrap();
        assert_eq!(
            (pan.to_string(), format!("{pan:?}")),
            ("•••• 2345".into(), "•••• 2345".into())
        );
        for wrong in [
            &bcd[..5],
            &[0x96; 11],
            &[0xFF; 10],
            &[0x12, 0xF3, 0x45, 0x67, 0x89, 0x12, 0x34, 0x56],
        ] {
            assert_eq!(Pan::from_bcd(wrong), None, "{wrong:02X?}");
        }
    }
}
