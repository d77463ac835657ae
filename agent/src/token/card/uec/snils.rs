//! SNILS, the number of a person's insurance account: eleven digits, the last two a check.

use std::fmt;

/// On the wire, bytes.
pub(super) const LENGTH: usize = 6;

/// A person's SNILS whose check digits were found right. It shows itself masked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Snils([u8; 11]);

impl Snils {
    /// Reads eleven BCD digits in six bytes, which leave room for one more: a zero in front of them, as the numbers beside
    /// it are right-justified, or a filling F behind, as the card's number has it ([INF] both: no document says which).
    pub(super) fn from_bcd(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; LENGTH] = bytes.try_into().ok()?;
        let nibbles: Vec<u8> = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
        let digits: [u8; 11] = match nibbles[..] {
            [ref digits @ .., 0xF] | [0, ref digits @ ..] => digits.try_into().ok()?,
            _ => return None,
        };
        let decimal = digits.iter().all(|digit| *digit < 10);
        (decimal && check(&digits) == digits[9] * 10 + digits[10]).then_some(Self(digits))
    }
}

/// The two check digits: the nine before them, weighted 9 to 1, modulo 101, of which 100 counts as 0.
/// Numbers up to 001-001-998 were given out without any; none of them is on a card.
fn check(digits: &[u8; 11]) -> u8 {
    let weighted = digits[..9].iter().zip((1..=9).rev());
    let sum: u32 = weighted.map(|(digit, weight)| u32::from(*digit) * weight).sum();
    (sum % 101 % 100) as u8
}

impl fmt::Display for Snils {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [.., g, h, i, j, k] = self.0;
        write!(f, "•••-•••-{g}{h}{i} {j}{k}")
    }
}

impl fmt::Debug for Snils {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••-•••-••• ••")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_check_digits_decide() {
        // The Pension Fund's own example.
        let right = Snils::from_bcd(&[0x01, 0x12, 0x23, 0x34, 0x45, 0x95]).unwrap();
        assert_eq!(right.to_string(), "•••-•••-445 95");
        assert_eq!(Snils::from_bcd(&[0x11, 0x22, 0x33, 0x44, 0x59, 0x5F]), Some(right));
        // One that begins with a zero of its own: the F behind it decides.
        let zero_first = Snils::from_bcd(&[0x01, 0x00, 0x00, 0x00, 0x00, 0x8F]).unwrap();
        assert_eq!(Snils::from_bcd(&[0x00, 0x10, 0x00, 0x00, 0x00, 0x08]), Some(zero_first));
        // Its sum is 101: modulo 101 nothing; another's is 100, which counts as nothing too.
        assert_eq!(check(&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), 5);
        assert_eq!(check(&[9, 1, 1, 0, 0, 0, 0, 2, 1, 0, 0]), 0);
        assert_eq!(check(&[9, 1, 1, 0, 0, 0, 0, 2, 0, 0, 0]), 0);
        for i in 0..11 {
            let mut bcd = [0x01, 0x12, 0x23, 0x34, 0x45, 0x95];
            let nibble = i + 1;
            bcd[nibble / 2] ^= if nibble % 2 == 0 { 0x10 } else { 0x01 };
            assert_eq!(Snils::from_bcd(&bcd), None, "digit {i}");
        }
        for wrong in [&[][..], &[0; 5], &[0x11, 0x12, 0x23, 0x34, 0x45, 0x95], &[0x0A; 6]] {
            assert_eq!(Snils::from_bcd(wrong), None);
        }
    }
}
