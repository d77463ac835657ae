//! One conversation with the identification application: plain until the terminal is authenticated, protected after.

use super::super::apdu::{Command, Le, Link, Response, Secret, Status};
use super::super::error::CardError;
use super::super::pin::{self, PinSpec};
use super::super::tlv;
use super::assumed::{PLAIN_COMMANDS_STATE_LE, SELECT_BLOCK_BEFORE_GET_DATA};
use super::fci::{self, Application, Block, Sector};
use super::kind::Version;
use super::messaging::Channel;
use crate::pin::Pin;

mod start;

/// RID and PIX of the identification application.
pub(super) const APPLICATION: [u8; 8] = [0xA0, 0, 0, 4, 0x32, 0x90, 0, 1];
/// The issuer's security domain: "UECISD" after the RID.
const SECURITY_DOMAIN: [u8; 11] = *b"\xA0\x00\x00\x04\x32UECISD";

/// The longest piece of a file that is asked for at once, plain and protected (FuncLib.c flReadBinary).
const PIECE: usize = 248;
const PROTECTED_PIECE: usize = 224;
/// What is read first of a file that is a data object: enough to know its length.
const HEADER: usize = 5;
/// "The end of the file was reached before what was asked for."
const ENDS_BEFORE: Status = Status(0x6282);
/// The longest file that is read: a photograph is left alone.
const LONGEST_FILE: usize = 8 * 1024;

/// What the card gave, or the status word it refused with.
pub(super) type Reply = Result<Vec<u8>, Status>;

/// A conversation.
pub(super) struct Session<'s, 't> {
    link: &'s mut Link<'t>,
    version: Version,
    mse: bool,
    long: bool,
    channel: Option<Channel>,
}

/// SELECT of the application by its AID: what it says of itself, `None` where the card has none.
///
/// `known`: the answer to reset is this card's, so that an empty answer is the MSE family's (section 7).
pub(super) fn select(link: &mut Link<'_>, known: bool) -> Result<Option<Application>, CardError> {
    let response = link.send(&Command::new(0, 0xA4, 4, 0).with(APPLICATION).wanting(Le::Max))?;
    if !response.status.is_ok() {
        return Ok(None);
    }
    let read = Application::read(&response.data);
    Ok(match response.data.is_empty() && known {
        true => Some(fci::of_mse_cards()),
        false => read,
    })
}

/// CIN: the card's production number, from the issuer's domain. The application is no longer selected after.
pub(super) fn production_number(link: &mut Link<'_>) -> Result<Option<Vec<u8>>, CardError> {
    let domain = link.send(&Command::new(0, 0xA4, 4, 0).with(SECURITY_DOMAIN).wanting(Le::Max))?;
    if !domain.status.is_ok() {
        return Ok(None);
    }
    let number = link.send(&Command::new(0, 0xCA, 0, 0xCF).wanting(Le::Max))?;
    Ok(number.status.is_ok().then(|| bare(0xCF, number.data)))
}

/// The value that GET DATA gave. By the documents v1.0's ordinary cards answer with the object around it and all others
/// without (section 7); the vendor's library has a build that wants the object of every card. What came tells the two
/// apart: bytes that are this tag, the right length and as many bytes are the object.
fn bare(tag: u16, came: Vec<u8>) -> Vec<u8> {
    match super::objects::only(&came, tag.into()) {
        Some(value) => value.to_vec(),
        None => came,
    }
}

impl<'s, 't> Session<'s, 't> {
    /// With the application selected.
    pub(super) fn plain(link: &'s mut Link<'t>, application: &Application) -> Self {
        Self {
            link,
            version: application.version,
            mse: application.auc.mse(),
            long: application.auc.long_apdu(),
            channel: None,
        }
    }

    /// Whether commands are protected, and card and terminal agree on the counter.
    pub(super) fn is_protected(&self) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_alive)
    }

    /// One command: protected where there is a session. A session that was lost sends nothing more.
    pub(super) fn send(&mut self, command: &Command) -> Result<Response, CardError> {
        let Some(channel) = &mut self.channel else {
            return self.link.send(command);
        };
        let protected = channel.protect(command)?;
        let answer = self.link.send(&protected)?;
        channel.open(&answer)
    }

    /// The same with its data, or its refusal.
    pub(super) fn ask(&mut self, command: &Command) -> Result<Reply, CardError> {
        let response = self.send(command)?;
        Ok(match response.status.is_ok() {
            true => Ok(response.data),
            false => Err(response.status),
        })
    }

    /// A plain command, whatever the session is: GET CHALLENGE, MSE, MUTUAL AUTHENTICATE.
    fn expect_plain(&mut self, what: &'static str, command: &Command) -> Result<Vec<u8>, CardError> {
        self.link.expect(what, command)
    }

    /// DF2C, v1.1: what became of the card.
    pub(super) fn status(&mut self) -> Result<Option<u8>, CardError> {
        if self.version == Version::V10 {
            return Ok(None);
        }
        let asked = self.ask(&Command::new(0, 0xCA, 0xDF, 0x2C).wanting(Le::Exactly(1)))?;
        Ok(asked.ok().and_then(|value| bare(0xDF2C, value).first().copied()))
    }

    /// Selects a file and reads it whole: one data object, or of an MSE card what there is.
    pub(super) fn file(&mut self, file: u16) -> Result<Reply, CardError> {
        if let Err(refused) = self.select_file(file)? {
            return Ok(Err(refused));
        }
        match self.mse {
            true => self.raw(),
            false => self.object(file),
        }
    }

    /// The data object that the selected file begins with: five bytes first, then what they say is missing
    /// (flAppReadBlock).
    ///
    /// An answer that is shorter than what was asked for is not the end: its length says where that is, and the rest is
    /// asked for. Only an answer with nothing in it ends a file.
    fn object(&mut self, file: u16) -> Result<Reply, CardError> {
        let wrong = |why: &str| CardError::Malformed("READ BINARY", format!("file {file:04X} {why}"));
        let mut content = Vec::new();
        let mut end = HEADER;
        let mut measured = false;
        while content.len() < end {
            match self.read(content.len(), (end - content.len()).min(self.piece()))? {
                Ok(more) if more.is_empty() => return Err(wrong("is cut short")),
                Ok(more) => content.extend(more),
                Err(refused) => return Ok(Err(refused)),
            }
            if measured {
                continue;
            }
            match tlv::header(&content).map(|header| header.start.saturating_add(header.length)) {
                Some(length) if length <= LONGEST_FILE => (end, measured) = (length, true),
                None if content.len() < HEADER => {}
                _ => return Err(wrong("is no data object")),
            }
        }
        content.truncate(end);
        Ok(Ok(content))
    }

    /// Of an MSE card: pieces until a short one, which is the last (section 7). Its bytes tell no length, so a card of
    /// this family that answers shortly before the end is not read whole.
    fn raw(&mut self) -> Result<Reply, CardError> {
        let mut content = Vec::new();
        while content.len() < LONGEST_FILE {
            let wanted = self.piece();
            match self.read(content.len(), wanted)? {
                Ok(more) => {
                    let last = more.len() < wanted;
                    content.extend(more);
                    if last {
                        break;
                    }
                }
                // It ends exactly at a piece's end.
                Err(_) if !content.is_empty() => break,
                Err(refused) => return Ok(Err(refused)),
            }
        }
        Ok(Ok(content))
    }

    /// A file that a card may have: what it refuses is not there, and what is no file's content neither.
    pub(super) fn optional_file(&mut self, file: u16) -> Result<Option<Vec<u8>>, CardError> {
        match self.file(file) {
            Ok(reply) => Ok(reply.ok()),
            Err(CardError::Malformed(what, why)) => {
                tracing::debug!(file = format!("{file:04X}"), what, why, "a file that cannot be read");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn select_file(&mut self, file: u16) -> Result<Reply, CardError> {
        self.ask(&Command::new(0, 0xA4, 0, 0x0C).with(file.to_be_bytes()))
    }

    fn piece(&self) -> usize {
        match self.channel {
            Some(_) => PROTECTED_PIECE,
            None => PIECE,
        }
    }

    fn read(&mut self, offset: usize, wanted: usize) -> Result<Reply, CardError> {
        let [_, .., high, low] = offset.to_be_bytes();
        let read = self.send(&Command::new(0, 0xB0, high & 0x7F, low).wanting(Le::Exactly(wanted)))?;
        Ok(match read.status {
            // The file ends before what was asked for: what there is came (ISO/IEC 7816-4, 5.6).
            ENDS_BEFORE if !read.data.is_empty() => Ok(read.data),
            status if status.is_ok() => Ok(read.data),
            refused => Err(refused),
        })
    }

    /// GET DATA, the bare value.
    pub(super) fn data(&mut self, tag: u16) -> Result<Reply, CardError> {
        let [high, low] = tag.to_be_bytes();
        let got = self.ask(&Command::new(0, 0xCA, high, low).wanting(Le::Max))?;
        Ok(got.map(|value| bare(tag, value)))
    }

    /// The blocks of a sector; its folder is selected after.
    pub(super) fn sector(&mut self, sector: &Sector) -> Result<Result<Vec<Block>, Status>, CardError> {
        let p2 = match self.version {
            Version::V11 => 8,
            Version::V10 => 0,
        };
        let select = Command::new(0, 0xA4, 0, p2)
            .with(sector.file.to_be_bytes())
            .wanting(self.le());
        let version = self.version;
        Ok(self
            .ask(&select)?
            .map(|answer| fci::blocks(version, &answer).unwrap_or_default()))
    }

    /// Selects a block of the sector that is selected, for GET DATA.
    pub(super) fn block(&mut self, block: Block) -> Result<Result<(), Status>, CardError> {
        match SELECT_BLOCK_BEFORE_GET_DATA {
            true => Ok(self.select_file(block.file)?.map(|_| ())),
            false => Ok(Ok(())),
        }
    }

    /// Back from a sector to the application.
    pub(super) fn leave_sector(&mut self) -> Result<Reply, CardError> {
        let up = match self.version {
            Version::V10 => Command::new(0, 0xA4, 3, 0x0C),
            Version::V11 => Command::new(0, 0xA4, 0, 0x0C).with([0x3F, 0x3F]),
        };
        self.ask(&up)
    }

    /// INTERNAL AUTHENTICATE with the application's own key: its answer's objects.
    pub(super) fn cryptogram(&mut self, key: u8, data: &[u8]) -> Result<Vec<u8>, CardError> {
        let cla = match self.version {
            Version::V10 => 0x80,
            Version::V11 => 0,
        };
        let command = Command::new(cla, 0x88, 0, key).with(data).wanting(self.le());
        self.must("INTERNAL AUTHENTICATE", &command)
    }

    /// PSO COMPUTE DIGITAL SIGNATURE over a digest, v1.1.
    pub(super) fn signature(&mut self, digest: &[u8]) -> Result<Vec<u8>, CardError> {
        let command = Command::new(0, 0x2A, 0x9E, 0x9A).with(digest).wanting(self.le());
        self.must("COMPUTE DIGITAL SIGNATURE", &command)
    }

    /// A command that has to succeed.
    pub(super) fn must(&mut self, what: &'static str, command: &Command) -> Result<Vec<u8>, CardError> {
        self.ask(command)?.map_err(|status| CardError::Refused(what, status))
    }

    /// VERIFY, in a session alone. One try at most: what became of it, or, as the outer error, why nothing was sent.
    pub(super) fn verify(&mut self, spec: &PinSpec, pin: Pin) -> Result<Result<(), CardError>, CardError> {
        let block = self.pin_block(spec, &pin)?;
        drop(pin);
        let answer = self.send(&Command::new(0, 0x20, 0, spec.reference).with_secret(block));
        Ok(answer.and_then(|answer| pin::verified(answer.status)))
    }

    /// CHANGE REFERENCE DATA: the new value alone; the old one, or the unblocking code, was verified before.
    pub(super) fn change(&mut self, spec: &PinSpec, new: Pin) -> Result<(), CardError> {
        use super::super::error::PinFailure;
        let block = self.pin_block(spec, &new)?;
        drop(new);
        let status = self
            .send(&Command::new(0, 0x24, 1, spec.reference).with_secret(block))?
            .status;
        match status.0 {
            // Here 63Cx is a value that is too short (section 3.3): no try was spent.
            0x6A80 | 0x9602 | 0x63C0..=0x63CF => Err(CardError::Pin(PinFailure::NewRefused)),
            0x6A87 => Err(CardError::Pin(PinFailure::Length(spec.length.0, spec.length.1))),
            0x9000 => Ok(()),
            _ => Err(CardError::Refused("CHANGE REFERENCE DATA", status)),
        }
    }

    /// RESET RETRY COUNTER, after the unblocking code was verified; only the MSE family wants it.
    pub(super) fn reset_counter(&mut self, spec: &PinSpec) -> Result<(), CardError> {
        match self.mse {
            true => self
                .must("RESET RETRY COUNTER", &Command::new(0, 0x2C, 3, spec.reference))
                .map(|_| ()),
            false => Ok(()),
        }
    }

    /// The PIN's block, only where there is a session to protect it.
    fn pin_block(&self, spec: &PinSpec, pin: &Pin) -> Result<Secret, CardError> {
        if !self.is_protected() {
            let why = "a PIN of this card goes to it only in a session of a terminal".to_owned();
            return Err(CardError::Unsupported(why));
        }
        spec.block(pin).map_err(CardError::Pin)
    }

    /// Le of a plain command that carries data and wants some. A protected one never has it (section 2.1).
    fn le(&self) -> Le {
        match self.channel.is_none() && PLAIN_COMMANDS_STATE_LE {
            true => Le::Max,
            false => Le::None,
        }
    }
}

#[cfg(test)]
mod tests;
