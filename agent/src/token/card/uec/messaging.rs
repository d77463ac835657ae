//! Secure messaging: every command of a session protected, every answer checked (uec-secure-messaging.md, section 2).
//!
//! | | v1.1 GOST | v1.0 GOST | RSA suite |
//! |---|---|---|---|
//! | data (DO 87) | indicator 01, CBC | indicator 02, CFB | indicator 01, CBC |
//! | Le (DO 97) | where a length is stated | always, 00 for none | where a length is stated |
//! | MAC input ends with | nothing | `80` | nothing |
//! | counter starts at | SSC0+1 | SSC0+1 | SSC0+1, v1.0 SSC0+2 |
//!
//! An answer is believed only when its MAC fits. An outer error without data objects cannot be checked: its status
//! word is told, and the session is over, for nobody knows the card's counter after it.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::super::apdu::{Command, Data, Le, Response, Secret, Status};
use super::super::error::CardError;
use super::super::tlv::encode;
use super::crypto::block::Block;
use super::objects::{exactly, value};

pub(super) mod gost;
pub(super) mod rsa;

/// The bits of CLA that say "protected, the header is in the MAC" (ISO/IEC 7816-4, 5.4.1).
const PROTECTED: u8 = 0x0C;
/// The longest data that a command may carry: what DO 87 makes of it still fits 255 bytes.
const LONGEST: usize = 224;

/// What a suite does with one message.
pub(super) trait Ciphers: Send {
    /// The counter, enciphered: the IV of the message that it numbers.
    fn iv(&self, counter: Block) -> Block;
    /// Enciphers data.
    fn encrypt(&self, iv: Block, plain: &[u8]) -> Vec<u8>;
    /// Deciphers data; nothing where its padding is wrong.
    fn decrypt(&self, iv: Block, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
    /// The four bytes over a message.
    fn mac(&self, message: &[u8]) -> [u8; 4];
}

/// What else the versions differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// The first byte of DO 87 in commands. In answers it is not looked at.
    indicator: u8,
    /// DO 97 is always there.
    always_le: bool,
    /// What is appended to every MAC's input.
    tail: &'static [u8],
    /// What the first command's counter is more than SSC0.
    first: u64,
}

/// One session with a card.
pub(super) struct Channel {
    ciphers: Box<dyn Ciphers>,
    rules: Rules,
    /// Of the next command.
    counter: u64,
    alive: bool,
}

impl Channel {
    /// `start` is SSC0, the first eight bytes of the terminal's signature.
    pub(super) fn new(ciphers: Box<dyn Ciphers>, rules: Rules, start: Block) -> Self {
        Self {
            ciphers,
            rules,
            counter: u64::from_be_bytes(start).wrapping_add(rules.first),
            alive: true,
        }
    }

    /// Whether card and terminal still have the same counter.
    pub(super) fn is_alive(&self) -> bool {
        self.alive
    }

    /// The command as it goes to the card; its data becomes unreadable, a secret stays one.
    ///
    /// Until its answer was opened the session is over: one counter, and so one IV, serves one command.
    pub(super) fn protect(&mut self, command: &Command) -> Result<Command, CardError> {
        if !self.alive {
            return Err(lost("it ended with the error before"));
        }
        let plain = match &command.data {
            Data::None => &[][..],
            Data::Plain(data) => data,
            Data::Secret(data) => data.expose(),
        };
        if plain.len() > LONGEST {
            return Err(CardError::Unsupported(
                "a protected command of more than 224 bytes".to_owned(),
            ));
        }
        self.alive = false;
        let counter = self.counter.to_be_bytes();
        let mut objects = Vec::new();
        if !plain.is_empty() {
            let secret = self.ciphers.encrypt(self.ciphers.iv(counter), plain);
            objects.extend(encode(0x87, &[&[self.rules.indicator][..], &secret].concat()));
        }
        match command.le {
            Le::Exactly(wanted) => objects.extend([0x97, 1, wanted as u8]),
            Le::None | Le::Max if self.rules.always_le => objects.extend([0x97, 1, 0]),
            Le::None | Le::Max => {}
        }
        let cla = command.cla | PROTECTED;
        let header = [cla, command.ins, command.p1, command.p2, 0x80, 0, 0, 0];
        let mac = self.mac(counter, &[&header, &objects]);
        objects.extend(encode(0x8E, &mac));
        let protected = Command::new(cla, command.ins, command.p1, command.p2);
        Ok(match command.data {
            Data::Secret(_) => protected.with_secret(Secret::new(objects)),
            _ => protected.with(objects),
        })
    }

    /// What the card answered to the command that was protected last.
    pub(super) fn open(&mut self, answer: &Response) -> Result<Response, CardError> {
        let counter = self.counter.wrapping_add(1).to_be_bytes();
        self.counter = self.counter.wrapping_add(2);
        let opened = self.checked(counter, answer);
        // Whatever was not checked ends the session: (a) of section 2.4, and everything that is altered.
        self.alive = opened.is_ok();
        match opened {
            Err(_) if !answer.status.is_ok() && answer.data.is_empty() => Ok(answer.clone()),
            opened => opened,
        }
    }

    fn checked(&self, counter: Block, answer: &Response) -> Result<Response, CardError> {
        let objects = exactly(&answer.data, 3).ok_or_else(|| lost("the answer is not made of data objects"))?;
        let known = |tag| [0x87, 0x99, 0x8E].contains(&tag);
        if objects.iter().any(|object| !known(object.tag)) {
            return Err(lost("the answer has data objects that do not belong there"));
        }
        let once = |tag| {
            let mut found = objects.iter().filter(move |object| object.tag == tag);
            (found.next(), found.next().is_none())
        };
        let ((data, true), (Some(status), true), (Some(mac), true)) = (once(0x87), once(0x99), once(0x8E)) else {
            return Err(lost("the answer lacks its status or its MAC, or has one twice"));
        };
        let data_object = data.map(|object| object.whole).unwrap_or_default();
        let expected = self.mac(counter, &[data_object, status.whole]);
        if !bool::from(expected.as_slice().ct_eq(mac.value)) {
            return Err(lost("the answer's MAC is wrong"));
        }
        let Some([one, two]) = value(&objects, 0x99) else {
            return Err(lost("the answer's status is not two bytes"));
        };
        let inner = Status(u16::from_be_bytes([*one, *two]));
        if !answer.status.is_ok() && answer.status != inner {
            return Err(lost("the answer's two status words differ"));
        }
        let plain = match data.map(|object| object.value) {
            None => Vec::new(),
            Some([_indicator, secret @ ..]) => {
                let plain = self.ciphers.decrypt(self.ciphers.iv(counter), secret);
                plain.ok_or_else(|| lost("the answer's padding is wrong"))?.to_vec()
            }
            Some([]) => return Err(lost("the answer's data object is empty")),
        };
        Ok(Response {
            data: plain,
            status: inner,
        })
    }

    fn mac(&self, counter: Block, parts: &[&[u8]]) -> [u8; 4] {
        let input = [&[&counter[..]], parts, &[self.rules.tail]].concat().concat();
        self.ciphers.mac(&input)
    }
}

fn lost(why: &str) -> CardError {
    CardError::Malformed("secure messaging", why.to_owned())
}

#[cfg(test)]
mod tests;
