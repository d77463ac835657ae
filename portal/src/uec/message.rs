//! What a card signs when it authenticates itself (PROTOCOL.md section 12, `uec`, `message`).

use plugin_protocol::uec::UecApplication;

use super::certificate::CardCertificate;
use super::suite::UecSuite;
use super::tlv::{NotTlv, Reader};
use crate::error::VerifyError;

/// Tag, shortest and longest value, in their order. The lengths that no source tells are bounded, not fixed.
type Form = [(u32, usize, usize)];

const STATEMENT_HASH: u32 = 0xdf02;
const TERMINAL: u32 = 0x9f1c;
const TERMINAL_KEY: u32 = 0x9f1d;
const COUNTER: u32 = 0x9f36;

/// Application 1.1. That the card itself puts in `9F1C` and `9F1D`, after `DF02`, is `[INF]`.
const FORM_11: &Form = &[
    (0x9f15, 10, 10),
    (0x9f37, 4, 4),
    (0x9f21, 6, 6),
    (0x9f03, 0, 255),
    (STATEMENT_HASH, 20, 32),
    (TERMINAL, 0, 16),
    (TERMINAL_KEY, 0, 33),
    (COUNTER, 2, 2),
    (0x9f35, 0, 64),
    (0xdf28, 0, 64),
];

/// Application 1.0.
const FORM_10: &Form = &[
    (0x9f15, 10, 10),
    (TERMINAL, 12, 12),
    (0x9f37, 4, 4),
    (0x9f21, 6, 6),
    (0x9f03, 0, 255),
    (STATEMENT_HASH, 20, 32),
    (COUNTER, 2, 2),
    (0x9f35, 0, 64),
];

/// A message of proper form.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    application: UecApplication,
    statement_hash: &'a [u8],
    terminal: &'a [u8],
    terminal_key: Option<&'a [u8]>,
    /// Where the counter begins, which the card adds to what it was given.
    counter_at: usize,
}

impl<'a> Message<'a> {
    pub(crate) fn read(bytes: &'a [u8], application: UecApplication) -> Result<Self, VerifyError> {
        const WRONG: VerifyError = VerifyError::Malformed("the card's message is not of its version's form");
        let form = match application {
            UecApplication::V10 => FORM_10,
            UecApplication::V11 => FORM_11,
        };
        Self::parse(bytes, application, form).map_err(|NotTlv| WRONG)
    }

    fn parse(bytes: &'a [u8], application: UecApplication, form: &Form) -> Result<Self, NotTlv> {
        let mut message = Self {
            bytes,
            application,
            statement_hash: &[],
            terminal: &[],
            terminal_key: None,
            counter_at: 0,
        };
        let mut reader = Reader::new(bytes);
        let mut at = 0;
        for &(tag, shortest, longest) in form {
            let object = reader.next()?;
            if object.tag != tag || !(shortest..=longest).contains(&object.value.len()) {
                return Err(NotTlv);
            }
            match tag {
                STATEMENT_HASH => message.statement_hash = object.value,
                TERMINAL => message.terminal = object.value,
                TERMINAL_KEY => message.terminal_key = Some(object.value),
                COUNTER => message.counter_at = at,
                _ => {}
            }
            at += object.whole.len();
        }
        reader.end()?;
        Ok(message)
    }

    /// `DF02`.
    pub(crate) fn statement_hash(&self) -> &'a [u8] {
        self.statement_hash
    }

    /// The bytes that are signed: with GOST, application 1.0 has what it was given in a template `5F70`.
    /// Whether an octet `80` follows there, as it does under a MAC, was never seen: none is taken [INF].
    pub(crate) fn signed(&self, suite: UecSuite) -> Vec<u8> {
        match (self.application, suite) {
            (UecApplication::V10, UecSuite::Gost) => {
                let (given, added) = self.bytes.split_at(self.counter_at);
                let mut signed = vec![0x5f, 0x70];
                signed.extend(length(given.len()));
                signed.extend_from_slice(given);
                signed.extend_from_slice(added);
                signed
            }
            _ => self.bytes.to_vec(),
        }
    }

    /// Whether it names a terminal at all: a card whose state is inconsistent names none.
    pub(crate) fn names_terminal(&self) -> bool {
        !self.terminal.is_empty()
    }

    /// That it names this terminal. What 1.0 has in `9F1C` comes from the terminal's settings, not its certificate.
    pub(crate) fn check_terminal(&self, terminal: &CardCertificate) -> Result<(), VerifyError> {
        let same = match self.terminal_key {
            None => true,
            Some(key) => self.terminal == terminal.subject() && key == terminal.key().compressed(),
        };
        if same {
            Ok(())
        } else {
            Err(VerifyError::TerminalMismatch)
        }
    }
}

/// A BER length: the message is shorter than 64 KiB, as everything in a proof is.
fn length(length: usize) -> Vec<u8> {
    let [.., high, low] = length.to_be_bytes();
    match length {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        _ => vec![0x82, high, low],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
        [&tag.to_be_bytes()[..], &length(value.len()), value].concat()
    }

    fn message_10() -> Vec<u8> {
        let parts: [(u16, &[u8]); 8] = [
            (0x9f15, &[0; 10]),
            (0x9f1c, &[1; 12]),
            (0x9f37, &[2; 4]),
            (0x9f21, &[3; 6]),
            (0x9f03, &[]),
            (0xdf02, &[4; 32]),
            (0x9f36, &[0, 1]),
            (0x9f35, &[5, 6]),
        ];
        parts.iter().flat_map(|(tag, value)| tlv(*tag, value)).collect()
    }

    #[test]
    fn version_1_0_with_gost_signs_a_template() {
        let bytes = message_10();
        let message = Message::read(&bytes, UecApplication::V10).unwrap();
        assert_eq!(message.statement_hash(), [4; 32]);
        let (given, added) = bytes.split_at(bytes.len() - 10);
        let expected = [&[0x5f, 0x70, given.len() as u8], given, added].concat();
        assert_eq!(message.signed(UecSuite::Gost), expected);
        assert_eq!(message.signed(UecSuite::Rsa), bytes, "plain with RSA");
    }

    #[test]
    fn a_long_template_has_a_long_length() {
        let long = tlv(0x9f03, &[7; 100]);
        let bytes = message_10();
        let at = 10 + 3 + 12 + 3 + 4 + 3 + 6 + 3;
        let bytes = [&bytes[..at], &long, &bytes[at + 3..]].concat();
        let message = Message::read(&bytes, UecApplication::V10).unwrap();
        assert_eq!(
            message.signed(UecSuite::Gost)[..4],
            [0x5f, 0x70, 0x81, (bytes.len() - 10) as u8]
        );
        assert_eq!(length(300), [0x82, 1, 44]);
    }

    #[test]
    fn each_version_has_its_own_form() {
        let bytes = message_10();
        assert!(Message::read(&bytes, UecApplication::V11).is_err());
        for cut in 0..bytes.len() {
            assert!(Message::read(&bytes[..cut], UecApplication::V10).is_err(), "{cut}");
        }
        let more = [&bytes[..], &tlv(0x9f36, &[0, 2])].concat();
        assert!(Message::read(&more, UecApplication::V10).is_err());
    }
}
