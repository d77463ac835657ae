//! The terminal's authentication (uec-secure-messaging.md, section 1): certificates, a challenge, one exchange.

use super::super::super::apdu::{Command, Le, Response};
use super::super::super::error::CardError as Error;
use super::super::super::transport::Protocol;
use super::super::assumed::TERMINAL_RANDOM;
use super::super::crypto::{self, gost, rsa};
use super::super::cvc::{Certificate, Holder};
use super::super::kind::{Suite, Version};
use super::super::messaging::Channel;
use super::super::objects::{only, value};
use super::super::terminal::{self, Terminal, TerminalKey};
use super::Session;

/// What one ENVELOPE carries (HAL_SCReader.c crAPDU).
const ENVELOPE: usize = 248;

impl Session<'_, '_> {
    /// MSE, four times, after each SELECT of an MSE card: always plain.
    pub(in super::super) fn set_environment(&mut self, suite: Suite) -> Result<(), Error> {
        if !self.mse {
            return Ok(());
        }
        for (p1, p2) in [(0x81, 0xB6), (0x81, 0xA4), (0x31, 0xB4), (0x31, 0xB8)] {
            let command = Command::new(0, 0x22, p1, p2).with([0x83, 1, suite.ca_key()]);
            self.expect_plain("MANAGE SECURITY ENVIRONMENT", &command)?;
        }
        Ok(())
    }

    /// Authenticates the terminal, the application selected and its environment set: commands are protected after.
    ///
    /// `agreement` is the card's key for sessions where it was read before; it is given back.
    pub(in super::super) fn authenticate(
        &mut self,
        terminal: &Terminal,
        agreement: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        self.verify_certificate(&terminal.operator)?;
        self.verify_certificate(&terminal.certificate)?;
        let agreement = match agreement {
            Some(read) => read,
            None => self.agreement_key(terminal.certificate.suite)?,
        };
        let length = if self.mse { 8 } else { 16 };
        let get_challenge = Command::new(0, 0x84, 0, 0).wanting(Le::Exactly(length));
        let challenge = self.expect_plain("GET CHALLENGE", &get_challenge)?;
        if challenge.len() != length {
            return Err(Error::Malformed("GET CHALLENGE", format!("{} bytes", challenge.len())));
        }
        self.channel = Some(self.exchange(terminal, &agreement, &challenge)?);
        Ok(agreement)
    }

    /// PSO VERIFY CERTIFICATE: whole, or its body and its signature chained.
    fn verify_certificate(&mut self, certificate: &Certificate) -> Result<(), Error> {
        let p2 = match self.version {
            Version::V10 if !self.mse => 0xAE,
            _ => 0xBE,
        };
        let mut parts = vec![(0x10, certificate.body()), (0, certificate.signature_object())];
        if self.long && !self.mse {
            parts = vec![(0, certificate.bytes())];
        }
        for (cla, data) in parts {
            let answer = self.long_command([cla, 0x2A, 0, p2], data, Le::None)?;
            if !answer.status.is_ok() {
                let what = match certificate.holder {
                    Holder::Operator => "VERIFY CERTIFICATE of the operator",
                    _ => "VERIFY CERTIFICATE of the terminal",
                };
                return Err(Error::Refused(what, answer.status));
            }
        }
        Ok(())
    }

    /// EF 000F or 0010: `EA { 81 }` or `EB { 81, 82 }`, of MSE cards the bare bytes. Freely read.
    fn agreement_key(&mut self, suite: Suite) -> Result<Vec<u8>, Error> {
        let file = match suite {
            Suite::Gost => 0x000F,
            Suite::Rsa => 0x0010,
        };
        self.file(file)?
            .map_err(|status| Error::Refused("READ BINARY of the card's key for sessions", status))
    }

    fn exchange(&mut self, terminal: &Terminal, agreement: &[u8], challenge: &[u8]) -> Result<Channel, Error> {
        let what = "the card's key for sessions";
        let malformed = || Error::Malformed(what, "it is no key of its suite".to_owned());
        match &terminal.key {
            TerminalKey::Gost(own) => {
                let octets = match self.mse {
                    true => agreement.get(..64),
                    false => only(agreement, 0xEA).and_then(|inside| only(inside, 0x81)),
                };
                let card = gost::public_key(self.version, octets.ok_or_else(malformed)?).map_err(|_| malformed())?;
                self.exchange_gost(own, &card, challenge)
            }
            TerminalKey::Rsa(own) => {
                let card = card_rsa(self.mse, agreement).ok_or_else(malformed)?;
                self.exchange_rsa(own, &card, challenge)
            }
        }
    }

    fn exchange_gost(
        &mut self,
        own: &gost3410::SecretKey,
        card: &gost3410::PublicKey,
        challenge: &[u8],
    ) -> Result<Channel, Error> {
        let unsigned =
            |error: gost3410::Error| Error::Unsupported(format!("the terminal's key does not sign: {error}"));
        let (p2, data, pending) = match self.version {
            Version::V11 => {
                let random = crypto::random::<TERMINAL_RANDOM>()?;
                let signed = [&random, challenge].concat();
                let signature = gost::sign(self.version, own, &signed).map_err(unsigned)?;
                let pending = terminal::gost::v11(own, card, &random, challenge, &signature)?;
                (0x15, [&signature[..], &random].concat(), pending)
            }
            Version::V10 => {
                let ephemeral = gost::ephemeral().map_err(unsigned)?;
                let signed = [&challenge[..8], &gost::compressed(ephemeral.public_key())].concat();
                let signature = gost::sign(self.version, own, &signed).map_err(unsigned)?;
                let pending = terminal::gost::v10(&ephemeral, card, &signature)?;
                let public = gost::public_octets(self.version, ephemeral.public_key());
                (0x17, [signature, public].concat(), pending)
            }
        };
        let command = Command::new(0, 0x82, 0, p2).with(data).wanting(self.le());
        let answer = self.expect_plain("MUTUAL AUTHENTICATE", &command)?;
        pending.complete(&answer)
    }

    fn exchange_rsa(
        &mut self,
        own: &rsa::PrivateKey,
        card: &rsa::PublicKey,
        challenge: &[u8],
    ) -> Result<Channel, Error> {
        let pending = terminal::rsa::begin(own, card, challenge)?;
        // A key of 2048 bits makes each half longer than a short command holds.
        let whole = [&pending.signature[..], &pending.half].concat();
        let parts = match self.long && !self.mse {
            true => vec![([0, 0x82, 0, 0x18], &whole[..], self.le())],
            false => vec![
                ([0x10, 0x82, 0, 0x16], &pending.signature[..], Le::None),
                ([0, 0x82, 0, 0x16], &pending.half[..], self.le()),
            ],
        };
        let mut answer = None;
        for (header, data, le) in parts {
            let came = self.long_command(header, data, le)?;
            if !came.status.is_ok() {
                return Err(Error::Refused("MUTUAL AUTHENTICATE", came.status));
            }
            answer = Some(came);
        }
        let answer = answer.expect("there is a part at least");
        pending.complete(self.version, own, &answer.data)
    }

    /// A plain command of any length. One that a short APDU does not hold goes as an extended one, over T=0 and T=1 cut
    /// to pieces that ENVELOPE carries (section 1.2).
    fn long_command(&mut self, [cla, ins, p1, p2]: [u8; 4], data: &[u8], le: Le) -> Result<Response, Error> {
        let Ok(length) = u8::try_from(data.len()) else {
            return self.enveloped([cla, ins, p1, p2], data);
        };
        debug_assert!(length > 0, "every long command here carries something");
        self.link.send(&Command::new(cla, ins, p1, p2).with(data).wanting(le))
    }

    fn enveloped(&mut self, header: [u8; 4], data: &[u8]) -> Result<Response, Error> {
        let long = || Error::Unsupported("a command of more than 65,535 bytes".to_owned());
        let length = u16::try_from(data.len()).map_err(|_| long())?.to_be_bytes();
        let whole = [&header[..], &[0], &length, data].concat();
        let mut pieces = whole.chunks(ENVELOPE).peekable();
        while let Some(piece) = pieces.next() {
            let last = pieces.peek().is_none();
            let command = Command::new(0, 0xC2, 0, 0).with(piece);
            // The answer to the whole comes with the last piece.
            let answer = match last && self.link.protocol() == Protocol::T1 {
                true => self.link.send(&command.wanting(self.le()))?,
                false => self.link.send(&command)?,
            };
            if last || !answer.status.is_ok() {
                return Ok(answer);
            }
        }
        Err(long())
    }
}

/// The card's RSA key; of an MSE card the modulus alone, whose exponent is taken to be 65537.
fn card_rsa(mse: bool, agreement: &[u8]) -> Option<rsa::PublicKey> {
    if mse {
        return Some(rsa::PublicKey {
            modulus: agreement.get(..128)?.to_vec(),
            exponent: vec![1, 0, 1],
        });
    }
    let members = super::super::objects::exactly(only(agreement, 0xEB)?, 2)?;
    let number = |tag| value(&members, tag).map(|bytes| super::super::cvc::stripped(bytes).to_vec());
    Some(rsa::PublicKey {
        modulus: number(0x81)?,
        exponent: number(0x82)?,
    })
}
