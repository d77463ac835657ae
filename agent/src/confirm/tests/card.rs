//! The format `uec`, from the request to the proof, with the real family on the virtual card.

use std::sync::Arc;

use fixtures::card::uec::{SignatureAnswer, UecCard, Variant};
use fixtures::card::{VirtualCard, kit};
use fixtures::cvc::{Suite, UecPki, Version};
use plugin_protocol::api::{PinState, SourceKind, TokenKind};
use plugin_protocol::uec::UecApplication;

use super::*;
use crate::certificate::Summary;
use crate::config::{PlacedPath, TerminalConfig, UecConfig};
use crate::pin::Pin;
use crate::token::card::apdu::Link;
use crate::token::card::family::{Card, Evidence, Family, Slot};
use crate::token::card::pin::PinSource;
use crate::token::card::testing::InProcess;
use crate::token::card::uec::{Terminals, Uec};
use crate::token::worker::Tokens;
use crate::token::{Credential, PinInfo, ProveJob, SignJob, Source, TokenId, TokenInfo};

/// A reader with one universal card, and no PC/SC below it.
struct Reader {
    card: Box<dyn Card>,
    transport: InProcess<UecCard>,
}

fn id(slot: usize) -> TokenId {
    TokenId::new(&["card", &slot.to_string()])
}

impl Reader {
    fn slot(&self, token: &TokenId) -> Result<usize, Error> {
        let slots = self.card.slots().len();
        (0..slots).find(|slot| id(*slot) == *token).ok_or(Error::TokenRemoved)
    }
}

impl Source for Reader {
    fn name(&self) -> &str {
        "reader"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pcsc
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        let info = |(index, slot): (usize, Slot)| TokenInfo {
            id: id(index),
            kind: TokenKind::Card,
            label: slot.label,
            reader: Some("Reader".to_owned()),
            pin: PinInfo {
                name: Some(slot.pin.name.to_owned()),
                state: PinState::Ok,
                tries_left: None,
                pad: false,
                length: Some(slot.pin.length),
            },
            role: slot.role,
            insertion: None,
            test: false,
        };
        Ok(self.card.slots().into_iter().enumerate().map(info).collect())
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        let slot = self.slot(token)?;
        Ok(self.card.credentials(slot, &mut Link::new(&mut self.transport))?)
    }

    fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        panic!("a universal card signs nothing but proofs")
    }

    fn prove(&mut self, token: &TokenId, job: ProveJob, pin: Option<Pin>) -> Result<Evidence, Error> {
        let slot = self.slot(token)?;
        let pin = PinSource::Typed(pin.expect("a PIN"));
        let mut link = Link::new(&mut self.transport);
        Ok(self.card.prove(slot, &job.statement, pin, &mut link)?)
    }
}

fn pki() -> UecPki {
    UecPki::at(Version::V11, Suite::Gost, NOW)
}

/// A world with this card in a reader, for which a terminal is configured.
fn world(card: UecCard, terminal: bool, replies: Vec<Reply>) -> World {
    let mut world = World::new(Vec::new(), replies);
    let placed = |path: &std::path::PathBuf| PlacedPath::new(path.clone());
    let files = card.write_terminal(world.folder.path());
    let terminals = files.iter().filter(|_| terminal).map(|files| TerminalConfig {
        operator_certificate: placed(&files.operator_certificate),
        certificate: placed(&files.certificate),
        key: placed(&files.key),
    });
    let config = UecConfig {
        terminals: terminals.collect(),
        roots: Some(files.iter().map(|files| placed(&files.root)).collect()),
    };
    let atr = card.atr();
    let card = card.behaving(|behaviour| behaviour.protocol = kit::Protocol::T1);
    let mut transport = InProcess::new(card);
    let family = Uec::new(Arc::new(Terminals::load(&config)));
    let card = family.open(&atr, &mut Link::new(&mut transport)).unwrap().unwrap();
    let reader = Reader { card, transport };
    Arc::get_mut(&mut world.app).unwrap().tokens = Tokens::new(vec![Box::new(reader)]);
    world
}

fn virtual_card() -> UecCard {
    UecCard::with_pkis(Variant::ordinary(Version::V11, Suite::Gost), vec![pki()]).without_clock()
}

fn uec(holder: bool) -> ConfirmationRequest {
    ConfirmationRequest {
        holder_signature: holder,
        ..request(ProofFormat::Uec)
    }
}

#[tokio::test]
async fn a_card_proves_itself_and_its_holder_by_pin1() {
    let world = world(virtual_card(), true, vec![Reply::Pin("1234")]);
    let Proof::Uec(proof) = world.confirm(uec(false)).await.result.unwrap() else {
        panic!("another format")
    };
    assert_eq!((proof.version, proof.application), (1, UecApplication::V11));
    assert_eq!(from_base64(&proof.certificate).unwrap(), pki().application.certificate);
    assert!(proof.data.is_some() && proof.holder.is_none() && proof.terminal.is_some());
    let statement = String::from_utf8(from_base64(&proof.statement).unwrap()).unwrap();
    let named = hex(&sha256(&pki().application.certificate));
    assert!(
        statement.contains(&named) && statement.contains(crate::world::ORIGIN),
        "{statement}"
    );

    let asked = consents(&world);
    let action = Action::ConfirmCard {
        purpose: Purpose::ConfirmIdentity,
        signed: false,
    };
    assert_eq!(asked[0].request.action, action);
    assert!(asked[0].candidate.certificate.name.starts_with("УЭК •••• "));
    let record = &world.history()[0].record;
    assert_eq!(
        (record.outcome.as_str(), record.format),
        ("done", Some(ProofFormat::Uec))
    );
    assert_eq!(record.signed[0].digest, hex(&sha256(statement.as_bytes())));
    let text = std::fs::read_to_string(world.app.history.path()).unwrap();
    let holder = pki().holder;
    for secret in [&holder.surname, &holder.snils, &holder.pan] {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
}

#[tokio::test]
async fn the_holder_signs_by_pin2_when_it_is_asked_for() {
    let world = world(virtual_card(), true, vec![Reply::Pin("5678")]);
    let Proof::Uec(proof) = world.confirm(uec(true)).await.result.unwrap() else {
        panic!("another format")
    };
    assert!(proof.data.is_none());
    let holder = proof.holder.unwrap();
    let certificate = Summary::read(&from_base64(&holder.certificates[0]).unwrap()).unwrap();
    assert_eq!(certificate.name, pki().holder.full_name());
    assert_eq!(from_base64(&holder.signature).unwrap().len(), 64);
    assert_eq!(consents(&world)[0].candidate.token.pin.name.as_deref(), Some("PIN2"));
}

#[tokio::test]
async fn after_a_wrong_pin_the_person_is_asked_again_with_the_tries_the_card_told() {
    let world = world(virtual_card(), true, vec![Reply::Pin("4321"), Reply::Pin("1234")]);
    world.confirm(uec(false)).await.result.unwrap();
    let asked = consents(&world);
    assert_eq!(asked[0].candidate.token.pin.tries_left, None, "it tells none unasked");
    assert_eq!(
        (asked[1].attempt, asked[1].candidate.token.pin.tries_left),
        (2, Some(2))
    );
    assert_eq!(world.outcomes(), ["pin_incorrect", "done"]);
}

#[tokio::test]
async fn a_signature_that_verifies_in_no_order_is_not_handed_out() {
    let mut wrong = pki();
    wrong.holder_key = fixtures::cvc::Key::gost_named("somebody else");
    let card = UecCard::with_pkis(Variant::ordinary(Version::V11, Suite::Gost), vec![wrong]).without_clock();
    let refused = world(card, true, vec![Reply::Pin("5678")]).confirm(uec(true)).await;
    assert_eq!(refused.result.unwrap_err(), Error::SignatureMismatch);
    let silent = virtual_card().behaving(|behaviour| behaviour.signature = SignatureAnswer::Nothing);
    let refused = world(silent, true, vec![Reply::Pin("5678")]).confirm(uec(true)).await;
    assert_eq!(refused.result.unwrap_err(), Error::SignatureMismatch);
}

#[tokio::test]
async fn without_a_terminal_nobody_is_asked_for_a_pin() {
    let world = world(virtual_card(), false, Vec::new());
    let refused = world.confirm(uec(false)).await.result.unwrap_err();
    assert!(
        matches!(&refused, Error::UnsupportedAlgorithm(why) if why.contains("only from a terminal")),
        "{refused}"
    );
    assert!(consents(&world).is_empty());
}

#[tokio::test]
async fn other_formats_and_other_tokens_are_refused_with_a_sentence() {
    for format in ProofFormat::X509 {
        let world = world(virtual_card(), true, Vec::new());
        let refused = world.confirm(request(format)).await.result.unwrap_err();
        assert!(
            matches!(&refused, Error::UnsupportedAlgorithm(why) if why.contains("by the format uec alone")),
            "{format}: {refused}"
        );
    }
    let world = World::new(vec![token()], Vec::new());
    let refused = world.confirm(uec(false)).await.result.unwrap_err();
    assert!(
        matches!(&refused, Error::UnsupportedAlgorithm(why) if why.contains("universal electronic card alone")),
        "{refused}"
    );
    assert_eq!(world.drawer.tries(), 0);
}
