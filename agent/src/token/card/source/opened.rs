//! What is known of one card for as long as it is in.

use std::collections::BTreeMap;

use plugin_protocol::api::{PinState, TokenKind};
use plugin_protocol::encoding::hex;

use super::super::apdu::Link;
use super::super::error::CardError;
use super::super::family::{Card, Family, Recognition, Slot};
use super::super::pin::{PadEntry, PinStatus};
use super::super::readers::Insertion;
use super::Left;
use super::marks::Marks;
use crate::token::{CardKind, Closed, ClosedCard, Credential, Inserted, PinInfo, Strange, TokenId, TokenInfo};

/// So many looks at which a card gave no answer are borne with before a module may show it.
pub(super) const PATIENCE: usize = 3;

/// One card; before its first transaction nothing is known of it.
#[derive(Default)]
pub(super) struct Opened {
    atr: Vec<u8>,
    found: Option<Found>,
    pads: bool,
    credentials: BTreeMap<usize, Vec<Credential>>,
    /// What tells the card from others of its family, once that was found out; empty where nothing does.
    mark: Option<String>,
    /// Looks at which it could not be asked what it is: the reader failed, or the card did not answer.
    missed: usize,
}

/// What a card turned out to be.
enum Found {
    /// One of a family, served here.
    Ours { kind: CardKind, card: Box<dyn Card> },
    /// One of a family that is left to PKCS#11 modules, and why.
    Left(CardKind, String),
    /// Surely one of a family, with nothing that is served here; and who serves it.
    Elsewhere(CardKind, &'static str),
    /// Nobody's; these families asked it. `sure`: each heard a plain no, and it need not be asked again.
    Foreign { tried: Vec<&'static str>, sure: bool },
}

/// What a card's PINs are like now.
pub(super) struct Tell {
    /// No module may show it as well.
    pub(super) serves: bool,
    /// Why it shows no token, where it shows none.
    pub(super) strange: Option<Strange>,
    atr: Vec<u8>,
    id: &'static str,
    name: &'static str,
    mark: String,
    slots: Vec<(Slot, PinStatus)>,
    unproven: bool,
    pads: bool,
}

impl Opened {
    /// Finds the card's family, once: those that are sure first, then those that have to ask.
    pub(super) fn recognise(
        &mut self,
        families: &[Box<dyn Family>],
        leave: &[Left],
        atr: &[u8],
        link: &mut Link<'_>,
    ) -> Result<(), CardError> {
        if !matches!(self.found, None | Some(Found::Foreign { sure: false, .. })) {
            return Ok(());
        }
        self.atr = atr.to_vec();
        self.pads = link.transport().has_pad();
        let mut likely: Vec<_> = families.iter().map(|family| (family.recognise(atr), family)).collect();
        likely.retain(|(recognition, _)| *recognition != Recognition::No);
        likely.sort_by_key(|(recognition, _)| std::cmp::Reverse(*recognition));
        let mut tried = Vec::new();
        let (mut doubt, mut plain) = (None, true);
        for (recognition, family) in likely {
            let sure = recognition == Recognition::Sure;
            let kind = family.kind();
            let left = leave.iter().find(|left| left.family == kind.id);
            let left = left.map(|left| Found::Left(kind, left.why.clone()));
            if sure && left.is_some() {
                self.found = left;
                return Ok(());
            }
            match (family.open(atr, link), family.elsewhere()) {
                (Ok(Some(card)), _) => {
                    self.found = Some(left.unwrap_or(Found::Ours { kind, card }));
                    return Ok(());
                }
                (Ok(None), Some(why)) if sure => {
                    self.found = Some(Found::Elsewhere(kind, why));
                    return Ok(());
                }
                (Ok(None), _) => {}
                (Err(error @ (CardError::Malformed(..) | CardError::Refused(..))), _) if sure => {
                    doubt = Some(error);
                }
                (Err(error @ (CardError::Malformed(..) | CardError::Refused(..) | CardError::Unsupported(_))), _) => {
                    tracing::info!(family = kind.id, %error, "a card is not of this family");
                    plain = false;
                }
                (Err(error), _) => return Err(error),
            }
            tried.push(kind.name);
        }
        // A card that is a family's by its answer to reset, and failed, is no other's: it is asked again next time.
        if let Some(error) = doubt {
            return Err(error);
        }
        self.found = Some(Found::Foreign { tried, sure: plain });
        Ok(())
    }

    /// What there is to tell of a card that is others' beyond doubt: it is not asked again. A module that shows it may
    /// have it for itself just now.
    pub(super) fn settled(&self) -> Option<Tell> {
        let settled = matches!(
            self.found,
            Some(Found::Left(..) | Found::Elsewhere(..) | Found::Foreign { sure: true, .. })
        );
        settled.then(|| self.untold())
    }

    /// Whether no module may show this card, which was not read for this reason: it may be ours, and a module that shows
    /// it now would be a second owner a moment later.
    pub(super) fn keeps(&mut self, error: &CardError) -> bool {
        let ours = matches!(self.found, Some(Found::Ours { .. }));
        match error {
            CardError::InUse | CardError::Silent(_) | CardError::Service(_) => true,
            // It answered, and is not read here however often it is asked: a module may read it.
            CardError::Malformed(..)
            | CardError::Refused(..)
            | CardError::Unsupported(_)
            | CardError::Closed(_)
            | CardError::Pin(_) => ours,
            // Commonly a passing fault, of a contactless card at the edge of the field or of a driver that is busy with
            // an insertion: then it may well be ours. Some drivers fail so of every SELECT that a card does not take
            // (SCARD_E_NOT_TRANSACTED): then it would be kept from its module for as long as it is in.
            CardError::Reader(_) | CardError::Removed => {
                self.missed = self.missed.saturating_add(1);
                ours || self.missed <= PATIENCE
            }
        }
    }

    /// All that can be told without asking the card.
    fn untold(&self) -> Tell {
        Tell {
            serves: false,
            strange: self.left_alone(),
            atr: self.atr.clone(),
            id: "",
            name: "",
            mark: String::new(),
            slots: Vec::new(),
            unproven: false,
            pads: self.pads,
        }
    }

    /// The card, where it is served here.
    pub(super) fn card(&mut self) -> Result<&mut dyn Card, CardError> {
        match &mut self.found {
            Some(Found::Ours { card, .. }) => Ok(card.as_mut()),
            _ => Err(CardError::Removed),
        }
    }

    /// The tries of each PIN, read anew.
    pub(super) fn tell(&mut self, marks: &Marks, link: &mut Link<'_>) -> Result<Tell, CardError> {
        let mut tell = self.untold();
        let Some(Found::Ours { kind, card }) = &mut self.found else {
            return Ok(tell);
        };
        (tell.serves, tell.strange, tell.id, tell.name) = (true, None, kind.id, kind.name);
        tell.unproven = card.is_unproven();
        for (index, slot) in card.slots().into_iter().enumerate() {
            let status = match card.pin_status(index, link) {
                Ok(status) => status,
                // A counter that cannot be read is one that is not known; the card says the rest when it is asked.
                Err(error @ (CardError::Malformed(..) | CardError::Refused(..) | CardError::Unsupported(_))) => {
                    tracing::info!(%error, "the state of a PIN was not read");
                    PinStatus::default()
                }
                Err(error) => return Err(error),
            };
            tell.slots.push((slot, status));
        }
        if let Some(why) = card.closed() {
            tell.strange = Some(Strange::Closed(ClosedCard { kind: *kind, why }));
            tell.serves = !is_for_modules(why);
            tell.slots.clear();
            return Ok(tell);
        }
        tell.mark = self.marked(marks, link)?;
        Ok(tell)
    }

    /// What there is to say of a card that a module may show, as far as is known: one that is not ours, or not here.
    pub(super) fn left_alone(&self) -> Option<Strange> {
        match &self.found {
            Some(Found::Left(kind, _) | Found::Elsewhere(kind, _)) => Some(Strange::Closed(ClosedCard {
                kind: *kind,
                why: Closed::Module,
            })),
            Some(Found::Foreign { .. }) => Some(Strange::Unserved),
            Some(Found::Ours { kind, card }) => {
                let why = card.closed().filter(|why| is_for_modules(*why))?;
                Some(Strange::Closed(ClosedCard { kind: *kind, why }))
            }
            None => None,
        }
    }

    /// What tells the card from others of its family: its number, or else the mark of its first certificate.
    ///
    /// Found out once for each insertion, after the PINs were asked for; the certificate is kept, and is the one that
    /// whoever asks for the slot's certificates would have read next.
    fn marked(&mut self, marks: &Marks, link: &mut Link<'_>) -> Result<String, CardError> {
        if let Some(known) = &self.mark {
            return Ok(known.clone());
        }
        let card = self.card()?;
        let (number, slots) = (card.serial(), card.slots().len());
        let mark = match number {
            Some(number) => number,
            None => self.certified(slots, marks, link)?.unwrap_or_default(),
        };
        self.mark = Some(mark.clone());
        Ok(mark)
    }

    /// The mark of the first certificate that can be read.
    fn certified(&mut self, slots: usize, marks: &Marks, link: &mut Link<'_>) -> Result<Option<String>, CardError> {
        for slot in 0..slots {
            match self.read(slot, link) {
                Ok(read) => {
                    if let Some(first) = read.first() {
                        return Ok(marks.of(&first.certificate));
                    }
                }
                // What the person is to know of that is said when its certificates are asked for.
                Err(
                    error @ (CardError::Closed(_)
                    | CardError::Malformed(..)
                    | CardError::Refused(..)
                    | CardError::Unsupported(_)),
                ) => {
                    tracing::info!(%error, "no certificate tells this card from others");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The certificates behind a PIN: read once.
    pub(super) fn read(&mut self, slot: usize, link: &mut Link<'_>) -> Result<Vec<Credential>, CardError> {
        if let Some(known) = self.credentials.get(&slot) {
            return Ok(known.clone());
        }
        let read = self.card()?.credentials(slot, link)?;
        self.credentials.insert(slot, read.clone());
        Ok(read)
    }

    /// The certificates behind a PIN, where they were read.
    pub(super) fn credentials(&self, slot: usize) -> Option<&[Credential]> {
        self.credentials.get(&slot).map(Vec::as_slice)
    }

    /// Whether the slot's PIN is typed on the reader.
    pub(super) fn has_pad(&self, slot: usize) -> bool {
        let Some(Found::Ours { card, .. }) = &self.found else {
            return false;
        };
        let slots = card.slots();
        slots.get(slot).is_some_and(|slot| on_pad(slot, self.pads))
    }

    /// What it is, for people.
    pub(super) fn describe(&mut self, link: &mut Link<'_>) -> Result<Inserted, CardError> {
        Ok(match &mut self.found {
            Some(Found::Ours { kind, card }) => Inserted::Known {
                family: kind.name.to_owned(),
                closed: card.closed().map(|why| ClosedCard { kind: *kind, why }),
                slots: card
                    .slots()
                    .into_iter()
                    .map(|slot| (slot.pin.name.to_owned(), slot.role))
                    .collect(),
                details: card.details(link)?,
            },
            Some(Found::Left(kind, why)) => Inserted::Left {
                family: kind.name.to_owned(),
                why: why.clone(),
            },
            Some(Found::Elsewhere(kind, why)) => Inserted::Elsewhere {
                family: kind.name.to_owned(),
                why: (*why).to_owned(),
            },
            Some(Found::Foreign { tried, .. }) => Inserted::Unknown {
                atr: self.atr.clone(),
                tried: tried.iter().map(|name| (*name).to_owned()).collect(),
            },
            None => Inserted::Unreadable("it was not asked yet".to_owned()),
        })
    }
}

/// Whether a module may do with such a card what is not done here: a maker's takes a PIN without contacts, over PACE.
fn is_for_modules(why: Closed) -> bool {
    why == Closed::Contactless
}

fn on_pad(slot: &Slot, pads: bool) -> bool {
    pads && slot.pad && PadEntry::of(&slot.pin).is_some()
}

impl Tell {
    /// Its tokens, in the order of its slots.
    pub(super) fn tokens(self, insertion: &Insertion) -> Vec<TokenInfo> {
        let reader = insertion.reader.as_str();
        let several = self.slots.len() > 1;
        let token = |(slot, status): &(Slot, PinStatus)| TokenInfo {
            id: TokenId::new(&["card", reader, &hex(&self.atr), self.id, &self.mark, slot.pin.name]),
            kind: TokenKind::Card,
            label: match slot.label.is_empty() {
                true => self.name.to_owned(),
                false => format!("{} {}", self.name, slot.label),
            },
            reader: Some(reader.to_owned()),
            pin: PinInfo {
                name: several.then(|| slot.pin.name.to_owned()),
                state: state(status),
                tries_left: status.tries_left,
                pad: on_pad(slot, self.pads),
                length: Some(slot.pin.length),
            },
            role: slot.role,
            insertion: Some(insertion.number),
            unproven: self.unproven,
            test: false,
        };
        self.slots.iter().map(token).collect()
    }
}

/// What the counter means to the person.
fn state(status: &PinStatus) -> PinState {
    match (status.tries_left, status.tries_max) {
        (Some(0), _) => PinState::Locked,
        _ if status.must_change => PinState::MustChange,
        (Some(1), _) => PinState::FinalTry,
        (Some(left), Some(max)) if left < max => PinState::Low,
        _ => PinState::Ok,
    }
}
