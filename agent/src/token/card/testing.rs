//! For tests of families: virtual cards without a reader, strict transcripts, and cards that are pulled.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use fixtures::card::VirtualCard;

use super::apdu::Secret;
use super::error::CardError;
use super::pin::PadEntry;
use super::transport::{Protocol, Transport};
use crate::pin::Pin;

/// A virtual card in process.
pub(crate) struct InProcess<C> {
    card: C,
    protocol: Protocol,
}

impl<C: VirtualCard> InProcess<C> {
    /// Reset to T=1.
    pub(crate) fn new(mut card: C) -> Self {
        card.reset();
        Self {
            card,
            protocol: Protocol::T1,
        }
    }

    /// The same, reset to this protocol.
    pub(crate) fn over(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// The card, to look at.
    pub(crate) fn peek(&self) -> &C {
        &self.card
    }

    /// The card.
    pub(crate) fn card(&mut self) -> &mut C {
        &mut self.card
    }
}

impl<C: VirtualCard> Transport for InProcess<C> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        Ok(self.card.transmit(command.expose()))
    }

    fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl<T: Transport> Transport for &mut T {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        (**self).transmit(command)
    }

    fn protocol(&self) -> Protocol {
        (**self).protocol()
    }
}

/// A transcript: `> command`, `< answer`, `# why` and blank lines; spaces in hexadecimal do not count. `..` at the end
/// of a command stands for any bytes.
///
/// Strict: commands come in this order, each byte as written, and nothing is left over when it is dropped.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    protocol: Protocol,
    /// What a reader with keys answers to a PIN, once; without it there are no keys.
    pad: Option<[u8; 2]>,
}

struct Step {
    why: String,
    command: Vec<u8>,
    open: bool,
    answer: Vec<u8>,
}

impl Script {
    /// Of its text.
    pub(crate) fn new(protocol: Protocol, text: &str) -> Self {
        let mut steps = VecDeque::new();
        let (mut why, mut command) = (String::new(), None);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_at(1) {
                ("#", comment) => comment.trim().clone_into(&mut why),
                (">", bytes) => command = Some(bytes.trim().to_owned()),
                ("<", bytes) => {
                    let sent: String = command.take().expect("a command before its answer");
                    steps.push_back(Step {
                        why: why.clone(),
                        open: sent.ends_with(".."),
                        command: unhex(sent.trim_end_matches('.')),
                        answer: unhex(bytes),
                    });
                }
                _ => panic!("not a line of a transcript: {line}"),
            }
        }
        assert_eq!(command, None, "a command without an answer");
        Self {
            steps,
            protocol,
            pad: None,
        }
    }

    /// With a reader's keys, whose entry the card answers so.
    pub(crate) fn with_pad(mut self, answer: [u8; 2]) -> Self {
        self.pad = Some(answer);
        self
    }
}

impl Transport for Script {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        let sent = shown(command.expose());
        let step = self
            .steps
            .pop_front()
            .unwrap_or_else(|| panic!("after the end: {sent}"));
        let expected = shown(&step.command);
        let fits = match step.open {
            true => sent.starts_with(&expected),
            false => sent == expected,
        };
        assert!(fits, "{}:\n  expected {expected}\n  sent     {sent}", step.why);
        Ok(step.answer)
    }

    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn has_pad(&self) -> bool {
        self.pad.is_some()
    }

    fn verify_on_pad(&mut self, _: &PadEntry) -> Result<[u8; 2], CardError> {
        Ok(self.pad.take().expect("one entry on the reader's keys"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let left: Vec<String> = self.steps.iter().map(|step| shown(&step.command)).collect();
            assert!(left.is_empty(), "never sent: {left:?}");
        }
    }
}

/// A transport from which the card is pulled: the command with this number, counted from zero, is not answered,
/// nor is any after it.
pub(crate) struct Pulled<T> {
    inner: T,
    left: usize,
    /// Stacks tell it in two ways: by an error, and by an answer of no bytes.
    empty: bool,
}

impl<T: Transport> Pulled<T> {
    /// Answers so many commands.
    pub(crate) fn after(inner: T, answered: usize) -> Self {
        Self {
            inner,
            left: answered,
            empty: answered.is_multiple_of(2),
        }
    }
}

impl<T: Transport> Transport for Pulled<T> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.inner.transmit(command)
            }
            None if self.empty => Ok(Vec::new()),
            None => Err(CardError::Removed),
        }
    }

    fn protocol(&self) -> Protocol {
        self.inner.protocol()
    }
}

/// A PIN that was typed.
pub(crate) fn pin(digits: &str) -> Pin {
    Pin::new(digits.to_owned())
}

/// Bytes of hexadecimal; spaces do not count.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
