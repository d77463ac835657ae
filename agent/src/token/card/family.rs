//! What a kind of card is: how it is recognised, what its PINs open, how it signs.

use super::apdu::Link;
use super::error::CardError;
use super::pin::{PinSource, PinSpec, PinStatus};
use crate::certificate::Role;
use crate::pin::Pin;
use crate::token::{CardKind, Closed, Credential, SignInput};

/// What an answer to reset says of a card before a byte is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recognition {
    /// It is another family's.
    No,
    /// The card has to be asked.
    Possible,
    /// It is this family's.
    Sure,
}

/// A kind of card.
pub trait Family: Send + Sync {
    /// Its short name in the configuration: "esteid-idemia".
    fn id(&self) -> &'static str;

    /// Its name for people: "EstEID (IDEMIA)".
    fn name(&self) -> &'static str;

    /// What the answer to reset says.
    fn recognise(&self, atr: &[u8]) -> Recognition;

    /// PKCS#11 modules that serve more of such a card than is served here, each by a part of its file's name in small
    /// letters: where one of them is used, the card is left to it, unless the configuration says otherwise.
    fn modules(&self) -> &'static [&'static str] {
        &[]
    }

    /// Who serves a card whose answer to reset is this family's beyond doubt, and on which [`Family::open`] finds
    /// nothing that is served here; for the person to read.
    fn elsewhere(&self) -> Option<&'static str> {
        None
    }

    /// The year with which the programme of these cards ended, where it has.
    fn ended(&self) -> Option<u16> {
        None
    }

    /// The family as those outside know it.
    fn kind(&self) -> CardKind {
        CardKind {
            id: self.id(),
            name: self.name(),
            ended: self.ended(),
        }
    }

    /// Asks the card whether it is one, where the answer to reset does not settle it, and what it has.
    /// `Ok(None)`: it is another card. Called once for each insertion.
    fn open(&self, atr: &[u8], link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError>;
}

impl<F: Family + ?Sized> Family for &F {
    fn id(&self) -> &'static str {
        (**self).id()
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn recognise(&self, atr: &[u8]) -> Recognition {
        (**self).recognise(atr)
    }

    fn modules(&self) -> &'static [&'static str] {
        (**self).modules()
    }

    fn elsewhere(&self) -> Option<&'static str> {
        (**self).elsewhere()
    }

    fn ended(&self) -> Option<u16> {
        (**self).ended()
    }

    fn open(&self, atr: &[u8], link: &mut Link<'_>) -> Result<Option<Box<dyn Card>>, CardError> {
        (**self).open(atr, link)
    }
}

/// A PIN of a card with what it opens: one token to the rest of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The PIN.
    pub pin: PinSpec,
    /// What the keys behind it are for, where they are all for one thing.
    pub role: Option<Role>,
    /// Whether the PIN may be typed on the reader's keys.
    pub pad: bool,
    /// How the slot is called to the person, beside the family's name.
    pub label: String,
}

/// One inserted card of a family.
///
/// Between two transactions other programs may have selected anything: each method begins by
/// selecting what it needs. What does not change while the card is inserted may be kept.
pub trait Card: Send {
    /// A number that tells this card from others of its family, where it was read without a PIN. Never shown.
    /// `None`: a certificate is read at the first listing to tell it by.
    fn serial(&self) -> Option<String> {
        None
    }

    /// Whether it is taken although nothing shows that it is genuine: windows warn before its PIN is typed.
    /// Families whose cards make no claim to be shown genuine say no.
    fn is_unproven(&self) -> bool {
        false
    }

    /// Why nothing can be done with the card here, where that is so: it is then told of instead of shown, nobody is asked
    /// for its PIN, and [`Card::details`] may say more. Asked after the state of its PINs; nothing is sent.
    fn closed(&self) -> Option<Closed> {
        None
    }

    /// Its slots, the one for identity first. Nothing is sent.
    fn slots(&self) -> Vec<Slot>;

    /// The state of a slot's PIN; no try is spent.
    fn pin_status(&mut self, slot: usize, link: &mut Link<'_>) -> Result<PinStatus, CardError>;

    /// Certificates with their keys behind a slot, read without a PIN.
    fn credentials(&mut self, slot: usize, link: &mut Link<'_>) -> Result<Vec<Credential>, CardError>;

    /// Verifies the slot's PIN and signs every input with [`Credential::key`] `key`. Signatures as
    /// [`crate::token::Source::sign`] gives them. Spends one try at most.
    fn sign(
        &mut self,
        slot: usize,
        key: &str,
        inputs: &[SignInput],
        pin: PinSource,
        link: &mut Link<'_>,
    ) -> Result<Vec<Vec<u8>>, CardError>;

    /// Whether the person may change the slot's PIN here, and unblock it (with what: "PUK", the name of the code).
    fn management(&self, _slot: usize) -> PinManagement {
        PinManagement::default()
    }

    /// Changes a slot's PIN. Spends one try of it at most.
    fn change_pin(&mut self, _slot: usize, _old: Pin, _new: Pin, _link: &mut Link<'_>) -> Result<(), CardError> {
        Err(CardError::Unsupported(
            "PINs of this card are not changed here".to_owned(),
        ))
    }

    /// Gives a slot's PIN a new value and its tries back. Spends one try of the unblocking code at most.
    fn unblock_pin(&mut self, _slot: usize, _puk: Pin, _new: Pin, _link: &mut Link<'_>) -> Result<(), CardError> {
        Err(CardError::Unsupported(
            "PINs of this card are not unblocked here".to_owned(),
        ))
    }

    /// The state of the code that unblocks a slot's PIN, where the card tells without spending a try of it.
    fn unblock_status(&mut self, _slot: usize, _link: &mut Link<'_>) -> Result<PinStatus, CardError> {
        Ok(PinStatus::default())
    }

    /// What else is known of the card without a PIN, for `eid-agent tokens`: names and values, nothing secret, no
    /// whole number of the card.
    fn details(&mut self, _link: &mut Link<'_>) -> Result<Vec<(String, String)>, CardError> {
        Ok(Vec::new())
    }

    /// Has the card authenticate itself over `statement` for a proof of the format `uec`: the proof's evidence.
    fn prove(
        &mut self,
        _slot: usize,
        _statement: &[u8],
        _pin: PinSource,
        _link: &mut Link<'_>,
    ) -> Result<Evidence, CardError> {
        Err(CardError::Unsupported(
            "only a universal electronic card makes this proof".to_owned(),
        ))
    }
}

/// What can be done about a slot's PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PinManagement {
    /// It can be changed.
    pub change: bool,
    /// It can be unblocked with the code of this name and this length (digits).
    pub unblock: Option<PinSpec>,
}

/// What a universal electronic card hands out to prove itself and its holder: the body of a proof of the format `uec`.
///
/// The bytes are the card's own; nothing here is verified yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Version of the identification application (value of tag 9F08): 10h or 11h.
    pub version: u8,
    /// The certificate of the identification application (EF 000B or 000D), a CV certificate `7F21`.
    pub certificate: Vec<u8>,
    /// The certificates above it (EF 000C or 000E), CV certificates.
    pub issuers: Vec<Vec<u8>>,
    /// What the card signed, as TLVs in the order that uec-secure-messaging.md 5.3 gives, without template and `80`.
    pub message: Vec<u8>,
    /// Its signature: the value of tag 5F74, in the byte order of its version.
    pub cryptogram: Vec<u8>,
    /// The terminal's own CV certificate, which `message` names.
    pub terminal: Option<Vec<u8>>,
    /// Block 1-2 as TLVs, where PIN1 was verified.
    pub data: Option<Vec<u8>>,
    /// The holder's signature over GOST R 34.11-94 of the statement, where PIN2 was verified.
    pub holder: Option<HolderSignature>,
}

/// A signature made with PIN2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HolderSignature {
    /// The certificate of its key and those above it, X.509 DER as EF 0011 holds them.
    pub certificates: Vec<Vec<u8>>,
    /// 64 bytes as the card gave them.
    pub signature: Vec<u8>,
}
