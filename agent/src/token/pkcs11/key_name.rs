//! How a key is named to the agent and found again: by the CKA_ID of its certificate and its own.

use std::fmt;

use plugin_protocol::encoding::hex;

/// Two CKA_IDs, as a rule the same one twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyName {
    /// Of the certificate.
    pub(super) certificate: Vec<u8>,
    /// Of the key pair.
    pub(super) key: Vec<u8>,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.certificate))?;
        if self.key != self.certificate {
            write!(f, "/{}", hex(&self.key))?;
        }
        Ok(())
    }
}

impl KeyName {
    /// Of its text; `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (certificate, key) = text.split_once('/').unwrap_or((text, text));
        Some(Self {
            certificate: from_hex(certificate)?,
            key: from_hex(key)?,
        })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(16 * digit(high)? + digit(low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (certificate, key, text) in [
            (&[1, 0xAB][..], &[1, 0xAB][..], "01ab"),
            (&[1], &[2], "01/02"),
            (&[], &[2], "/02"),
            (&[1], &[], "01/"),
            (&[], &[], ""),
        ] {
            let name = KeyName {
                certificate: certificate.to_vec(),
                key: key.to_vec(),
            };
            assert_eq!(name.to_string(), text);
            assert_eq!(KeyName::parse(text), Some(name));
        }
        for wrong in ["0", "0x", "+1", "01/0", "01/02/03", "эй"] {
            assert_eq!(KeyName::parse(wrong), None, "{wrong}");
        }
    }
}
