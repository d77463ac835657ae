//! The evidence of a proof of the format `uec` (PROTOCOL.md section 12): one terminal's session, one PIN, each thing
//! asked for once. A PIN goes to a card that has proven itself genuine, and to no other.

use time::OffsetDateTime;

use super::super::super::apdu::{Link, Status};
use super::super::super::error::CardError;
use super::super::super::family::{Evidence, HolderSignature};
use super::super::super::pin::PinSpec;
use super::super::super::tlv::encode;
use super::super::assumed::{BLOCK_OF_IDENTITY, SECTOR_OF_IDENTITY, SERVICE, STEPS, Step};
use super::super::crypto;
use super::super::evidence::check_cryptogram;
use super::super::identity::PROVED;
use super::super::kind::Version;
use super::super::objects::{exactly, value};
use super::super::obstacle::{Obstacle, Unproven};
use super::super::session::Session;
use super::super::terminal::Terminal;
use super::UecCard;
use crate::pin::Pin;

/// "There is no such file."
const NO_FILE: Status = Status(0x6A82);

/// What the card's answer to INTERNAL AUTHENTICATE consists of.
const ANSWER: [u32; 4] = [0x9F36, 0x9F35, 0xDF28, 0x5F74];

/// What a card signed with the key of its certificate, and its signature.
pub(super) struct Proven {
    message: Vec<u8>,
    cryptogram: Vec<u8>,
}

impl UecCard {
    /// Slot 0: the card's cryptogram, PIN1, block 1-2. Slot 1: the cryptogram, PIN2, the holder's signature.
    pub(super) fn evidence(
        &mut self,
        slot: usize,
        statement: &[u8],
        pin: Pin,
        link: &mut Link<'_>,
    ) -> Result<Evidence, CardError> {
        let spec = self.spec(slot)?;
        let terminals = self.terminals.clone();
        let terminal = self.terminal(&terminals)?;
        let mut evidence = Evidence {
            version: self.application.version.byte(),
            certificate: self.certificate()?.bytes().to_vec(),
            issuers: self.issuer.iter().map(|issuer| issuer.bytes().to_vec()).collect(),
            terminal: Some(terminal.certificate.bytes().to_vec()),
            ..Evidence::default()
        };
        let (mut session, proven) = self.unlocked(spec, pin, statement, link)?;
        (evidence.message, evidence.cryptogram) = (proven.message, proven.cryptogram);
        match slot {
            0 => evidence.data = self.identity(&mut session)?,
            _ => {
                evidence.holder = Some(HolderSignature {
                    certificates: self.holder.clone().unwrap_or_default(),
                    signature: session.signature(&self.suite.hash(statement))?,
                });
            }
        }
        Ok(evidence)
    }

    /// The one way by which a PIN goes to a card: in a terminal's session, after the card has signed the statement with
    /// the key of the certificate that leads to a root. Gives what it signed, and its signature.
    pub(super) fn unlocked<'s, 't>(
        &mut self,
        spec: &PinSpec,
        pin: Pin,
        statement: &[u8],
        link: &'s mut Link<'t>,
    ) -> Result<(Session<'s, 't>, Proven), CardError> {
        // A PIN that the card would refuse for its length ends here, with nothing sent.
        spec.block(&pin).map_err(CardError::Pin)?;
        let terminals = self.terminals.clone();
        let terminal = self.terminal(&terminals)?;
        let mut session = self.session(link)?;
        let (mut pin, mut proven) = (Some(pin), None);
        for step in STEPS {
            match step {
                Step::Cryptogram => {
                    let signed = self.cryptogram(&mut session, terminal, &self.suite.hash(statement))?;
                    check_cryptogram(self.certificate()?, &signed.message, &signed.cryptogram).map_err(forged)?;
                    proven = Some(signed);
                }
                Step::Pin => {
                    if let Some(pin) = pin.take() {
                        let verified = session.verify(spec, pin)?;
                        self.remember_tries(spec, &verified);
                        verified?;
                    }
                }
            }
        }
        let proven = proven.ok_or_else(|| forged("it was not asked for a cryptogram"))?;
        Ok((session, proven))
    }

    /// What the card signed, and its signature (section 5).
    fn cryptogram(
        &self,
        session: &mut Session<'_, '_>,
        terminal: &Terminal,
        digest: &[u8],
    ) -> Result<Proven, CardError> {
        let version = self.application.version;
        let named = encode(0x9F1C, &terminal.information);
        let mut data = encode(0x9F15, &SERVICE);
        if version == Version::V10 {
            data.extend(&named);
        }
        data.extend(encode(0x9F37, &crypto::random::<4>()?));
        data.extend(encode(0x9F21, &moment(OffsetDateTime::now_utc())));
        data.extend(encode(0x9F03, &[]));
        data.extend(encode(0xDF02, digest));
        let answer = session
            .cryptogram(self.suite.application_key(), &data)
            .map_err(|error| self.unproven(error))?;

        let wrong = |what: &str| CardError::Malformed("INTERNAL AUTHENTICATE", what.to_owned());
        let objects = exactly(&answer, ANSWER.len()).ok_or_else(|| wrong("its answer is no data objects"))?;
        let mut message = data;
        if version == Version::V11 {
            message.extend(named);
            message.extend(encode(0x9F1D, &terminal.compressed_key()));
        }
        // v1.0 has no DF28.
        let told: &[u32] = match version {
            Version::V11 => &ANSWER[..3],
            Version::V10 => &ANSWER[..2],
        };
        for tag in told {
            let object = objects.iter().find(|object| object.tag == *tag);
            message.extend(object.ok_or_else(|| wrong("its answer lacks what it signed"))?.whole);
        }
        let cryptogram = value(&objects, 0x5F74).ok_or_else(|| wrong("its answer has no cryptogram"))?;
        Ok(Proven {
            message,
            cryptogram: cryptogram.to_vec(),
        })
    }

    /// Block 1-2, the objects that a proof carries; one that the card has not is left out.
    ///
    /// `None` where the card has no such block: it lists none, or knows no file where it lists one. Its proof is as good
    /// without: the card signs nothing of these data.
    fn identity(&self, session: &mut Session<'_, '_>) -> Result<Option<Vec<u8>>, CardError> {
        let Some(sector) = self.application.sector(SECTOR_OF_IDENTITY) else {
            return Ok(None);
        };
        let blocks = match session.sector(sector)? {
            Ok(blocks) => blocks,
            Err(refused) => return missing(refused),
        };
        let Some(block) = blocks.iter().find(|block| block.id == BLOCK_OF_IDENTITY) else {
            return Ok(None);
        };
        if let Err(refused) = session.block(*block)? {
            return missing(refused);
        }
        let mut data = Vec::new();
        for tag in PROVED {
            match session.data(tag)? {
                Ok(value) => data.extend(encode(tag.into(), &value)),
                Err(status) => tracing::debug!(tag = format!("{tag:04X}"), %status, "not on this card"),
            }
            // A plain error ends a session (v1.0 on any): what was read till then is what there is.
            if !session.is_protected() {
                break;
            }
        }
        Ok(Some(data))
    }

    /// A card that signs nothing before a PIN; asked again it will not either.
    fn unproven(&self, error: CardError) -> CardError {
        match error {
            CardError::Refused(_, status) => {
                let obstacle = Obstacle::Unproven(Unproven::NoCryptogram(status));
                CardError::Closed(obstacle.text(self.language))
            }
            other => other,
        }
    }
}

/// A sector or a block that is not there, by the status word of its SELECT; any other refusal is one.
fn missing(refused: Status) -> Result<Option<Vec<u8>>, CardError> {
    match refused {
        NO_FILE => Ok(None),
        other => Err(CardError::Refused("SELECT of the holder's data", other)),
    }
}

/// A card that has not the key of the certificate it shows.
fn forged(why: &str) -> CardError {
    CardError::Unsupported(format!(
        "this is not the universal card that its certificate names: {why}"
    ))
}

/// Six bytes BCD, YYMMDDhhmmss ([INF]).
fn moment(now: OffsetDateTime) -> [u8; 6] {
    let year = now.year().rem_euclid(100) as u8;
    [
        year,
        now.month().into(),
        now.day(),
        now.hour(),
        now.minute(),
        now.second(),
    ]
    .map(|n| ((n / 10) << 4) | (n % 10))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_moment_is_bcd() {
        let written = moment(datetime!(2026-11-26 08:05:59 UTC));
        assert_eq!(written, [0x26, 0x11, 0x26, 0x08, 0x05, 0x59]);
    }
}
