//! PIN entry on a reader's keys: the structures of PC/SC part 10, version 2.02.09.
//!
//! A reader tells its features when asked with CM_IOCTL_GET_FEATURE_REQUEST ([`Features`]). The PIN goes from its keys
//! to the card: the computer sends the frame of a VERIFY command ([`PadEntry`]) and gets a status word back.

use super::pin::{Encoding, PadEntry, PinSpec};

/// Function code of CM_IOCTL_GET_FEATURE_REQUEST (part 10, 2.2): `SCARD_CTL_CODE(3400)`.
pub const GET_FEATURE_REQUEST: u32 = 3400;
/// Seconds until the reader gives up waiting for the first digit, and for the next one.
pub const TIMEOUT: u8 = 90;
/// The longest PIN block that the structure can describe, bytes: four bits.
const LONGEST_BLOCK: usize = 15;

/// Whether a reader can write this PIN.
pub fn can_write(spec: &PinSpec) -> bool {
    PadEntry::of(spec).is_some()
}

impl PadEntry {
    /// The entry of a PIN; `None` where the structure cannot say how it is written.
    pub fn of(spec: &PinSpec) -> Option<Self> {
        if spec.stored > LONGEST_BLOCK {
            return None;
        }
        let block = match (spec.encoding, spec.pad) {
            (Encoding::Format2, _) => [&[0x20][..], &vec![0xFF; spec.stored.checked_sub(1)?]].concat(),
            (Encoding::Ascii, Some(pad)) => vec![pad; spec.stored],
            // The reader writes Lc and the digits.
            (Encoding::Ascii, None) => Vec::new(),
            (Encoding::Text, _) => return None,
        };
        let length = u8::try_from(block.len()).ok()?;
        let mut template = vec![0x00, 0x20, 0x00, spec.reference, length];
        template.extend(block);
        Some(Self { spec: *spec, template })
    }

    /// PIN_VERIFY_STRUCTURE (part 10, 2.5.2), for FEATURE_VERIFY_PIN_DIRECT and FEATURE_VERIFY_PIN_START.
    pub fn verify_structure(&self) -> Vec<u8> {
        let (min, max) = self.spec.length;
        // bmFormatString, bmPINBlockString, bmPINLengthFormat.
        let formats = match (self.spec.encoding, self.spec.pad) {
            // Units of bytes, left-justified ASCII; the block's length, or 0: the PIN's own.
            (Encoding::Ascii | Encoding::Text, Some(_)) => [0x82, self.spec.stored as u8 & 0x0F, 0x00],
            (Encoding::Ascii | Encoding::Text, None) => [0x82, 0x00, 0x00],
            // BCD from bit 8 on; four bits of length at bit 4; a block of so many bytes.
            (Encoding::Format2, _) => [0x41, 0x40 | (self.spec.stored as u8 & 0x0F), 0x04],
        };
        let mut bytes = vec![TIMEOUT, TIMEOUT];
        bytes.extend(formats);
        // wPINMaxExtraDigit, little-endian: the longest, then the shortest.
        bytes.extend([max as u8, min as u8]);
        // Ends with the key "OK"; one message, in English, the first: "enter your PIN".
        bytes.extend([0x02, 0x01]);
        bytes.extend(0x0409u16.to_le_bytes());
        bytes.push(0x00);
        // bTeoPrologue: the reader's own in T=1.
        bytes.extend([0x00; 3]);
        bytes.extend((self.template.len() as u32).to_le_bytes());
        bytes.extend(&self.template);
        bytes
    }
}

/// Control codes of what a reader can do with its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// FEATURE_VERIFY_PIN_START: begins the entry.
    pub start: Option<u32>,
    /// FEATURE_VERIFY_PIN_FINISH: waits for its end and gives the status word.
    pub finish: Option<u32>,
    /// FEATURE_GET_KEY_PRESSED, which some drivers want between START and FINISH.
    pub key_pressed: Option<u32>,
    /// FEATURE_VERIFY_PIN_DIRECT: the whole in one call.
    pub direct: Option<u32>,
    /// FEATURE_GET_TLV_PROPERTIES: what reader it is ([`is_false_pad`]).
    pub properties: Option<u32>,
}

impl Features {
    /// Of the answer to [`GET_FEATURE_REQUEST`]: tag, 4, control code big-endian (part 10, 2.2). What is unknown or
    /// cut off is left out.
    pub fn parse(answer: &[u8]) -> Self {
        let mut features = Self::default();
        for feature in answer.chunks_exact(6) {
            let [tag, 4, code @ ..] = feature else { break };
            let code = code.try_into().ok().map(u32::from_be_bytes);
            match tag {
                0x01 => features.start = code,
                0x02 => features.finish = code,
                0x05 => features.key_pressed = code,
                0x06 => features.direct = code,
                0x12 => features.properties = code,
                _ => (),
            }
        }
        features
    }

    /// Whether a PIN can be typed on it.
    pub fn has_pad(&self) -> bool {
        self.direct.is_some() || (self.start.is_some() && self.finish.is_some())
    }
}

/// Whether an answer to FEATURE_GET_TLV_PROPERTIES (part 10, 2.6.14) is of a reader that says it has keys and has none:
/// HID OMNIKEY 3x21 and 6121.
pub fn is_false_pad(properties: &[u8]) -> bool {
    let (vendor, product) = (property(properties, 0x0B), property(properties, 0x0C));
    vendor == Some(0x076B) && matches!(product, Some(0x3031 | 0x6632))
}

/// A property of two bytes, little-endian.
fn property(properties: &[u8], wanted: u8) -> Option<u16> {
    let mut rest = properties;
    while let [tag, length, after @ ..] = rest {
        let (value, next) = after.split_at_checked(usize::from(*length))?;
        match value {
            [low, high] if *tag == wanted => return Some(u16::from_le_bytes([*low, *high])),
            _ => rest = next,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use plugin_protocol::encoding::hex;

    use super::*;

    const PIN1: PinSpec = PinSpec {
        name: "PIN1",
        reference: 0x01,
        length: (4, 12),
        encoding: Encoding::Ascii,
        pad: Some(0xFF),
        stored: 12,
    };

    #[test]
    fn ascii_pins_are_typed_into_a_filled_block() {
        let entry = PadEntry::of(&PIN1).unwrap();
        assert_eq!(hex(&entry.template), format!("002000010c{}", "ff".repeat(12)));
        assert_eq!(
            hex(&entry.verify_structure()),
            format!("5a5a820c000c04020109040000000011000000002000010c{}", "ff".repeat(12))
        );
    }

    #[test]
    fn pins_without_filling_leave_length_and_digits_to_the_reader() {
        let spec = PinSpec {
            pad: None,
            stored: 0,
            ..PIN1
        };
        let entry = PadEntry::of(&spec).unwrap();
        assert_eq!(hex(&entry.template), "0020000100");
        assert_eq!(hex(&entry.verify_structure()[2..5]), "820000");
    }

    #[test]
    fn format_2_has_its_length_in_four_bits() {
        let spec = PinSpec {
            encoding: Encoding::Format2,
            stored: 8,
            ..PIN1
        };
        let entry = PadEntry::of(&spec).unwrap();
        assert_eq!(hex(&entry.template), "002000010820ffffffffffffff");
        assert_eq!(hex(&entry.verify_structure()[2..5]), "414804");
    }

    #[test]
    fn blocks_that_the_structure_cannot_describe_are_not_for_a_reader() {
        let spec = PinSpec { stored: 64, ..PIN1 };
        assert_eq!(PadEntry::of(&spec), None);
    }

    #[test]
    fn features_are_read_and_nonsense_is_left_out() {
        let answer = [
            6, 4, 0x42, 0x33, 0, 6, 1, 4, 0x42, 0x33, 0, 1, 0x63, 4, 0, 0, 0, 0, 2, 4, 0x42,
        ];
        let features = Features::parse(&answer);
        assert_eq!(
            (features.direct, features.start),
            (Some(0x4233_0006), Some(0x4233_0001))
        );
        assert!(features.finish.is_none() && features.has_pad());
        assert!(!Features::parse(&answer[6..]).has_pad(), "START without FINISH");
        assert_eq!(Features::parse(&[6, 3, 0, 0, 0, 0]), Features::default());
        assert_eq!(Features::parse(&[]), Features::default());
    }

    #[test]
    fn readers_that_lie_about_their_keys_are_known() {
        let omnikey = [0x01, 2, 0, 0, 0x0B, 2, 0x6B, 0x07, 0x0C, 2, 0x31, 0x30];
        assert!(is_false_pad(&omnikey));
        assert!(!is_false_pad(&[0x0B, 2, 0x6B, 0x07, 0x0C, 2, 0x22, 0x30]));
        assert!(!is_false_pad(&omnikey[..8]));
        assert!(!is_false_pad(&[0x0B, 200, 0x6B]));
    }
}
