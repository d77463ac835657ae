//! The plainest card there can be, and its family: two PINs, a key behind each.

use std::sync::{Arc, Mutex};

use fixtures::card::VirtualCard;
use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;

use crate::certificate::Role;
use crate::pin::Pin;
use crate::token::card::apdu::{Command, Le, Link};
use crate::token::card::error::CardError;
use crate::token::card::family::{Card, Family, PinManagement, Recognition, Slot};
use crate::token::card::pin::{PinSource, PinSpec, PinStatus};
use crate::token::{Closed, Credential, Mechanism, SignInput};

/// Cards with this number do not tell it: those that have the same certificate have the same name.
pub(crate) const NAMELESS: u8 = 0;

/// PIN 1234 behind 81, 5678 behind 82, three tries each.
#[derive(Clone)]
pub(crate) struct Plain(Arc<Mutex<Inner>>);

struct Inner {
    serial: u8,
    /// What tells its certificates from another card's.
    certified: u8,
    tries: [u8; 2],
    verified: [bool; 2],
}

impl Plain {
    pub(crate) fn new(serial: u8) -> Self {
        Self::certified(serial, serial)
    }

    /// With a number, and certificates of another.
    pub(crate) fn certified(serial: u8, certified: u8) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            serial,
            certified,
            tries: [3, 3],
            verified: [false, false],
        })))
    }

    pub(crate) fn tries(&self) -> [u8; 2] {
        self.0.lock().unwrap().tries
    }

    pub(crate) fn verified(&self) -> bool {
        self.0.lock().unwrap().verified.contains(&true)
    }
}

impl VirtualCard for Plain {
    fn atr(&self) -> Vec<u8> {
        vec![0x3B, 0x02, 0x50, 0x4C]
    }

    fn reset(&mut self) {
        self.0.lock().unwrap().verified = [false, false];
    }

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        let mut card = self.0.lock().unwrap();
        let slot = usize::from(command[3] & 1 == 0);
        let pin: &[u8] = if slot == 0 { b"1234" } else { b"5678" };
        match (command[1], command.len()) {
            (0x01, _) => vec![card.serial, 0x90, 0x00],
            (0x02, _) => vec![0xCE, card.certified, command[3], 0x90, 0x00],
            (0x20, 4 | 5) => vec![0x63, 0xC0 | card.tries[slot]],
            (0x20, _) if card.tries[slot] == 0 => vec![0x69, 0x83],
            (0x20, _) if &command[5..] == pin => {
                card.tries[slot] = 3;
                card.verified[slot] = true;
                vec![0x90, 0x00]
            }
            (0x20, _) => {
                card.tries[slot] -= 1;
                vec![0x63, 0xC0 | card.tries[slot]]
            }
            (0x03, _) if card.verified[slot] => vec![0x51, card.serial, 0x90, 0x00],
            (0x03, _) => vec![0x69, 0x82],
            _ => vec![0x6D, 0x00],
        }
    }
}

/// Its family; `id` and `answer` may be another's.
pub(crate) struct PlainFamily {
    pub(crate) id: &'static str,
    pub(crate) recognises: Recognition,
    pub(crate) opens: bool,
    pub(crate) closed: Option<Closed>,
}

impl Default for PlainFamily {
    fn default() -> Self {
        Self {
            id: "plain",
            recognises: Recognition::Sure,
            opens: true,
            closed: None,
        }
    }
}

impl Family for PlainFamily {
    fn id(&self) -> &'static str {
        self.id
    }

    fn name(&self) -> &'static str {
        "Plain card"
    }

    fn recognise(&self, atr: &[u8]) -> Recognition {
        match atr {
            [0x3B, 0x02, 0x50, 0x4C] => self.recognises,
            _ => Recognition::No,
        }
    }

    fn open(&self, _: &[u8], link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError> {
        let serial = link.expect("the serial number", &Command::new(0x80, 0x01, 0, 0).wanting(Le::Max))?;
        Ok(match self.opens {
            true => Some(Box::new(PlainCard(serial, self.closed))),
            false => None,
        })
    }
}

struct PlainCard(Vec<u8>, Option<Closed>);

fn reference(slot: usize) -> u8 {
    0x81 + slot as u8
}

const PIN: PinSpec = PinSpec {
    pad: None,
    ..PinSpec::ascii("PIN1", 0x81, (4, 8), 0xFF, 0)
};

impl Card for PlainCard {
    fn serial(&self) -> Option<String> {
        (self.0[0] != NAMELESS).then(|| format!("{:02X}", self.0[0]))
    }

    fn closed(&self) -> Option<Closed> {
        self.1
    }

    fn slots(&self) -> Vec<Slot> {
        let slot = |name, reference, role, label: &str| Slot {
            pin: PinSpec { name, reference, ..PIN },
            role: Some(role),
            pad: true,
            label: label.to_owned(),
        };
        vec![
            slot("PIN1", 0x81, Role::Authentication, "(identity)"),
            slot("PIN2", 0x82, Role::Signing, "(signature)"),
        ]
    }

    fn pin_status(&mut self, slot: usize, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
        let status = link.send(&Command::new(0, 0x20, 0, reference(slot)))?.status;
        Ok(PinStatus {
            tries_left: Some(status.bytes()[1] & 0x0F),
            tries_max: Some(3),
            must_change: false,
        })
    }

    fn credentials(&mut self, slot: usize, link: &mut Link<'_>) -> Result<Vec<Credential>, CardError> {
        let read = Command::new(0x80, 0x02, 0, reference(slot)).wanting(Le::Max);
        Ok(vec![Credential {
            key: format!("K{slot}"),
            certificate: link.expect("the certificate", &read)?,
            intermediates: Vec::new(),
            mechanisms: vec![Mechanism {
                scheme: SignatureScheme::Ecdsa,
                hash: HashFunction::Sha256,
                digest: true,
            }],
            role: None,
        }])
    }

    fn sign(
        &mut self,
        slot: usize,
        _: &str,
        inputs: &[SignInput],
        pin: PinSource,
        link: &mut Link<'_>,
    ) -> Result<Vec<Vec<u8>>, CardError> {
        let spec = PinSpec {
            reference: reference(slot),
            ..PIN
        };
        link.verify(&spec, pin)?;
        let sign = Command::new(0x80, 0x03, 0, reference(slot)).wanting(Le::Max);
        inputs.iter().map(|_| link.expect("the signature", &sign)).collect()
    }

    fn management(&self, _: usize) -> PinManagement {
        PinManagement {
            change: true,
            unblock: None,
        }
    }

    fn change_pin(&mut self, slot: usize, old: Pin, _: Pin, link: &mut Link<'_>) -> Result<(), CardError> {
        let spec = PinSpec {
            reference: reference(slot),
            ..PIN
        };
        link.verify(&spec, PinSource::Typed(old))
    }

    fn details(&mut self, link: &mut Link<'_>) -> Result<Vec<(String, String)>, CardError> {
        link.expect("the serial number", &Command::new(0x80, 0x01, 0, 0).wanting(Le::Max))?;
        Ok(vec![("colour".to_owned(), "plain".to_owned())])
    }
}
