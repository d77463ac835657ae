//! The family on the virtual card of `fixtures::card::uec`, which shares no code with it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use fixtures::card::VirtualCard;
use fixtures::card::kit::Protocol as Wire;
use fixtures::card::uec::{Errors, SignatureAnswer, UecCard, Variant};
use fixtures::cvc::{Key, Kind, Suite, Template, UecPki, Version};
use tempfile::TempDir;

use super::evidence::{Order, check};
use super::*;
use crate::clock::Clock;
use crate::config::{PlacedPath, TerminalConfig, UecConfig};
use crate::token::Closed;
use crate::token::card::apdu::Secret;
use crate::token::card::error::PinFailure;
use crate::token::card::family::Evidence;
use crate::token::card::pin::PinSource;
use crate::token::card::testing::{InProcess, Pulled, pin};
use crate::token::card::transport::{Protocol, Transport};

mod faults;
mod forged;
mod tries;

const STATEMENT: &[u8] = br#"{"a statement":1}"#;

/// The terminals that a card takes.
fn terminals(card: &UecCard) -> (TempDir, Arc<Terminals>) {
    let folder = tempfile::tempdir().unwrap();
    let loaded = Terminals::load(&config(card, folder.path()));
    assert_eq!(loaded.mistakes(), []);
    assert_eq!(loaded.warning(), None);
    (folder, Arc::new(loaded))
}

/// Their configuration, with the card's authority as the root.
fn config(card: &UecCard, folder: &std::path::Path) -> UecConfig {
    let files = card.write_terminal(folder);
    let placed = |path: &std::path::PathBuf| PlacedPath::new(path.clone());
    let terminal = |files: &fixtures::cvc::TerminalFiles| TerminalConfig {
        operator_certificate: placed(&files.operator_certificate),
        certificate: placed(&files.certificate),
        key: placed(&files.key),
    };
    UecConfig {
        terminals: files.iter().map(terminal).collect(),
        roots: Some(files.iter().map(|files| placed(&files.root)).collect()),
    }
}

/// In a reader, with the protocol that the card behaves for.
fn inserted(card: UecCard) -> InProcess<UecCard> {
    InProcess::new(card).over(Protocol::T0)
}

fn over_t1(card: UecCard) -> InProcess<UecCard> {
    InProcess::new(card.behaving(|behaviour| behaviour.protocol = Wire::T1))
}

fn atr(card: &InProcess<UecCard>) -> Vec<u8> {
    let mut copy = Vec::new();
    copy.extend(card.peek().atr());
    copy
}

fn opened(terminals: &Arc<Terminals>, reader: &mut InProcess<UecCard>) -> Box<dyn Card> {
    let atr = atr(reader);
    let family = Uec::new(terminals.clone());
    assert_eq!(family.recognise(&atr), Recognition::Sure);
    family.open(&atr, &mut Link::new(reader)).unwrap().unwrap()
}

/// Every sort of card that is documented.
fn variants() -> Vec<Variant> {
    let mut all = Vec::new();
    for version in [Version::V10, Version::V11] {
        for suite in [Suite::Gost, Suite::Rsa] {
            let ordinary = Variant::ordinary(version, suite);
            all.push(ordinary.clone());
            all.push(ordinary.clone().with_long_commands());
            all.push(Variant::micron(version, suite));
            all.push(ordinary.with_both_suites());
        }
    }
    all.push(Variant::micron(Version::V10, Suite::Gost).silent());
    all
}

fn proven(card: &mut dyn Card, slot: usize, digits: &str, reader: &mut dyn Transport) -> Result<Evidence, CardError> {
    card.prove(slot, STATEMENT, PinSource::Typed(pin(digits)), &mut Link::new(reader))
}

#[test]
fn every_sort_of_card_proves_itself_over_both_protocols() {
    for variant in variants() {
        let put: [fn(UecCard) -> InProcess<UecCard>; 2] = [inserted, over_t1];
        for put in put {
            let virtual_card = UecCard::new(variant.clone());
            let pki = virtual_card.pkis()[0].clone();
            let (_folder, terminals) = terminals(&virtual_card);
            let mut reader = put(virtual_card);
            let mut card = opened(&terminals, &mut reader);
            let credentials = card.credentials(0, &mut Link::new(&mut reader)).unwrap();
            assert_eq!(credentials[0].certificate, pki.application.certificate, "{variant:?}");
            let evidence = proven(&mut *card, 0, "1234", &mut reader).unwrap_or_else(|e| panic!("{variant:?}: {e:?}"));
            let checked = check(&evidence, &pki.application.certificate, STATEMENT);
            assert_eq!(checked.map(|checked| checked.order), Ok(None), "{variant:?}");
            assert_eq!(evidence.issuers, std::slice::from_ref(&pki.issuer.certificate));
            let read = identity::Identity::read(evidence.data.as_ref().unwrap()).unwrap();
            assert_eq!(read.surname.as_deref(), Some(&*pki.holder.surname));
            assert_eq!(read.oms, None, "the insurance number is nobody's business");
            assert_eq!(reader.card().tries("PIN1"), 3);
        }
    }
}

#[test]
fn the_holder_signs_with_pin2_in_either_order_of_octets() {
    for (answer, order) in [
        (SignatureAnswer::LittleEndian, Order::LittleEndian),
        (SignatureAnswer::BigEndian, Order::BigEndian),
    ] {
        let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
        let (_folder, terminals) = terminals(&virtual_card);
        let pki = virtual_card.pkis()[0].clone();
        let mut reader = inserted(virtual_card.behaving(|behaviour| behaviour.signature = answer));
        let mut card = opened(&terminals, &mut reader);
        assert_eq!(card.slots().len(), 2);
        let credential = &card.credentials(1, &mut Link::new(&mut reader)).unwrap()[0];
        assert!(credential.intermediates.contains(&pki.holder_certificate));
        let evidence = proven(&mut *card, 1, "5678", &mut reader).unwrap();
        assert_eq!(evidence.data, None, "PIN1 was not asked for");
        let checked = check(&evidence, &pki.application.certificate, STATEMENT).unwrap();
        assert_eq!(checked.order, Some(order));
    }
    let rsa = UecCard::new(Variant::ordinary(Version::V11, Suite::Rsa));
    let (_folder, terminals) = terminals(&rsa);
    assert_eq!(
        opened(&terminals, &mut inserted(rsa)).slots().len(),
        1,
        "GOST alone signs for a holder"
    );
}

#[test]
fn cards_that_answer_long_reads_shortly_are_read_whole() {
    for suite in [Suite::Gost, Suite::Rsa] {
        for longest in [1, 3, 17, 100, 223] {
            let virtual_card = UecCard::new(Variant::ordinary(Version::V11, suite));
            let (_folder, terminals) = terminals(&virtual_card);
            let virtual_card = virtual_card.behaving(|behaviour| behaviour.longest_read = longest);
            let mut reader = over_t1(virtual_card);
            let mut card = opened(&terminals, &mut reader);
            assert_eq!(
                card.slots().len(),
                if suite == Suite::Gost { 2 } else { 1 },
                "{longest}"
            );
            proven(&mut *card, 0, "1234", &mut reader).unwrap_or_else(|error| panic!("{longest}: {error:?}"));
        }
    }
}

/// Of one of 2048 bits each half of the mutual authentication is longer than a short command holds: it goes in ENVELOPE.
#[test]
fn a_terminal_with_a_longer_rsa_key_is_taken_by_short_and_long_cards() {
    let key = Key::rsa(include_bytes!("../../../../../fixtures/keys/rsa2048-a.pk8"));
    let mut pki = UecPki::new(Version::V11, Suite::Rsa);
    let template = Template::new(Version::V11, Kind::Terminal, pki.terminal_info(), &key.public(), pki.at);
    pki.terminal = pki.issue(template, key, &pki.operator.key);
    let ordinary = Variant::ordinary(Version::V11, Suite::Rsa);
    for variant in [ordinary.clone(), ordinary.with_long_commands()] {
        let put: [fn(UecCard) -> InProcess<UecCard>; 2] = [inserted, over_t1];
        for put in put {
            let virtual_card = UecCard::with_pkis(variant.clone(), vec![pki.clone()]);
            let (_folder, terminals) = terminals(&virtual_card);
            let mut reader = put(virtual_card);
            let mut card = opened(&terminals, &mut reader);
            proven(&mut *card, 0, "1234", &mut reader).unwrap_or_else(|error| panic!("{variant:?}: {error:?}"));
        }
    }
}

#[test]
fn a_card_without_the_block_of_its_holder_proves_itself_without_it() {
    for version in [Version::V10, Version::V11] {
        let virtual_card = UecCard::new(Variant::ordinary(version, Suite::Gost));
        let agreed = virtual_card.pkis()[0].application.certificate.clone();
        let (_folder, terminals) = terminals(&virtual_card);
        let mut reader = inserted(virtual_card.without_block(1, 0x1002));
        let mut card = opened(&terminals, &mut reader);
        let evidence = proven(&mut *card, 0, "1234", &mut reader).unwrap();
        assert_eq!(evidence.data, None);
        assert!(check(&evidence, &agreed, STATEMENT).is_ok());
    }
}

#[test]
fn of_two_terminals_the_one_that_is_valid_is_taken() {
    let card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let mut old = card.pkis()[0].clone();
    old.respoil_terminal(|template| (template.effective, template.expires) = (1_200_000_000, 1_300_000_000));
    let (folder, older) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut both = config(&card, folder.path());
    let expired = config(&UecCard::with_pkis(card.variant().clone(), vec![old]), older.path());
    let today = time::OffsetDateTime::now_utc().date();
    both.terminals.insert(0, expired.terminals[0].clone());
    let loaded = Terminals::load(&both);
    assert_eq!(loaded.mistakes(), []);
    assert_eq!(loaded.expired(today).len(), 1);
    assert!(loaded.expired(today)[0].contains("the certificate of a terminal has run out on 2011"));

    let terminals = Arc::new(loaded);
    let mut reader = inserted(card);
    let mut opened_card = opened(&terminals, &mut reader);
    proven(&mut *opened_card, 0, "1234", &mut reader).unwrap();

    // Alone it is tried, and a card with a clock refuses it: the sentence says which, and why.
    both.terminals.truncate(1);
    let mut reader = inserted(UecCard::with_pkis(
        Variant::ordinary(Version::V11, Suite::Gost),
        reader.peek().pkis().to_vec(),
    ));
    let mut refusing = opened(&Arc::new(Terminals::load(&both)), &mut reader);
    let told = refusing.credentials(0, &mut Link::new(&mut reader)).unwrap_err();
    let said = format!("{told:?}");
    for needed in ["VERIFY CERTIFICATE of the terminal", "has run out on 2011"] {
        assert!(said.contains(needed), "{said}");
    }
}

#[test]
fn pins_are_changed_and_unblocked_on_every_sort_of_card() {
    for variant in variants() {
        let virtual_card = UecCard::new(variant.clone()).tries_left("PIN1", 0);
        let (_folder, terminals) = terminals(&virtual_card);
        let mut reader = inserted(virtual_card);
        let mut card = opened(&terminals, &mut reader);
        let management = card.management(0);
        assert!(management.change && management.unblock.is_some());
        let mut unblock = |puk| card.unblock_pin(0, pin(puk), pin("2468"), &mut Link::new(&mut reader));
        assert_eq!(
            unblock("87654321"),
            Err(CardError::Pin(PinFailure::Wrong(Some(9)))),
            "{variant:?}"
        );
        unblock("12345678").unwrap_or_else(|error| panic!("{variant:?}: {error:?}"));
        card.change_pin(0, pin("2468"), pin("13579"), &mut Link::new(&mut reader))
            .unwrap();
        let wrong = card.change_pin(0, pin("2468"), pin("1111"), &mut Link::new(&mut reader));
        assert_eq!(wrong, Err(CardError::Pin(PinFailure::Wrong(Some(2)))));
        proven(&mut *card, 0, "13579", &mut reader).unwrap();
    }
}

#[test]
fn errors_come_back_in_every_way() {
    for errors in [Errors::Plain, Errors::Protected, Errors::Inner] {
        let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
        let (_folder, terminals) = terminals(&virtual_card);
        let mut reader = inserted(virtual_card.behaving(|behaviour| behaviour.errors = errors));
        let mut card = opened(&terminals, &mut reader);
        let wrong = proven(&mut *card, 0, "4321", &mut reader).unwrap_err();
        assert_eq!(wrong, CardError::Pin(PinFailure::Wrong(Some(2))), "{errors:?}");
        proven(&mut *card, 0, "1234", &mut reader).unwrap();
    }
}

#[test]
fn without_a_terminal_the_card_is_described_and_nothing_is_tried() {
    for variant in variants() {
        let mut reader = inserted(UecCard::new(variant.clone()));
        let mut card = opened(&Arc::new(Terminals::default()), &mut reader);
        let told = card.details(&mut Link::new(&mut reader)).unwrap();
        let all = format!("{told:?}");
        for needed in ["takes a PIN only from a terminal", "ended with 2016", "•••• "] {
            assert!(all.contains(needed), "{variant:?}: {all}");
        }
        let holder = reader.card().pkis()[0].holder.clone();
        assert!(!all.contains(&holder.pan) && !all.contains(&holder.snils), "{all}");
        for refused in [
            card.credentials(0, &mut Link::new(&mut reader)).unwrap_err(),
            proven(&mut *card, 0, "1234", &mut reader).unwrap_err(),
            card.change_pin(0, pin("1234"), pin("4321"), &mut Link::new(&mut reader))
                .unwrap_err(),
            card.unblock_pin(0, pin("12345678"), pin("4321"), &mut Link::new(&mut reader))
                .unwrap_err(),
        ] {
            assert!(matches!(&refused, CardError::Closed(why) if why.contains("only from a terminal")));
        }
        assert!(!card.management(0).change);
        assert_eq!(card.closed(), Some(Closed::TerminalMissing));
        for name in ["PIN1", "PUK"] {
            assert_eq!(reader.card().tries(name), if name == "PUK" { 10 } else { 3 });
        }
    }
}

#[test]
fn a_terminal_of_another_system_or_version_is_none() {
    let ours = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, other) = terminals(&UecCard::new(Variant::ordinary(Version::V10, Suite::Gost)));
    let mut reader = inserted(ours);
    let mut card = opened(&other, &mut reader);
    let refused = card.credentials(0, &mut Link::new(&mut reader)).unwrap_err();
    assert!(matches!(&refused, CardError::Closed(why) if why.contains("none of those configured")));
    assert_eq!(card.closed(), Some(Closed::TerminalUnfit));

    // The same version, but the card's authority did not sign the operator: found out when the card is opened.
    let mut pki = UecPki::new(Version::V11, Suite::Gost);
    pki.authority = pki.issuer.clone();
    let stranger = UecCard::with_pkis(Variant::ordinary(Version::V11, Suite::Gost), vec![pki]);
    let (_folder, terminals) = terminals(&UecCard::new(Variant::ordinary(Version::V11, Suite::Gost)));
    let mut reader = inserted(stranger);
    let mut card = opened(&terminals, &mut reader);
    let refused = card.credentials(0, &mut Link::new(&mut reader)).unwrap_err();
    assert!(
        matches!(&refused, CardError::Closed(why) if why.contains("VERIFY CERTIFICATE of the operator was refused"))
    );
    assert_eq!(card.closed(), Some(Closed::TerminalRefused));
}

#[test]
fn a_card_that_is_not_in_order_says_so() {
    let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, terminals) = terminals(&virtual_card);
    let mut reader = inserted(virtual_card.behaving(|behaviour| behaviour.status = 0x7F));
    let mut card = opened(&terminals, &mut reader);
    let refused = card.credentials(0, &mut Link::new(&mut reader)).unwrap_err();
    assert!(matches!(&refused, CardError::Closed(why) if why.contains("7F")));
    assert_eq!(card.closed(), Some(Closed::OutOfOrder));
}

/// By its own word, with a terminal and without, or by that of its certificate.
#[test]
fn a_card_whose_time_is_over_says_when_and_nothing_is_tried() {
    let ordinary = || UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, with_terminal) = terminals(&ordinary());
    let at = ordinary().pkis()[0].at;
    let day = |seconds| time::OffsetDateTime::from_unix_timestamp(seconds).unwrap().date();
    let (issued, yesterday) = (at - 900 * fixtures::pki::DAY, at - fixtures::pki::DAY);
    let mut old = ordinary().pkis()[0].clone();
    old.respoil_application(|template| template.expires = yesterday);
    let certified = UecCard::with_pkis(ordinary().variant().clone(), vec![old]);
    for (card, terminals) in [
        (ordinary().valid(issued, yesterday), Arc::default()),
        (ordinary().valid(issued, yesterday), with_terminal.clone()),
        (certified, with_terminal.clone()),
    ] {
        let mut reader = inserted(card);
        let mut card = opened(&terminals, &mut reader);
        assert_eq!(card.closed(), Some(Closed::Expired(day(yesterday))));
        let refused = card.credentials(0, &mut Link::new(&mut reader)).unwrap_err();
        assert!(matches!(&refused, CardError::Closed(why) if why.contains(&day(yesterday).to_string())));
        proven(&mut *card, 0, "1234", &mut reader).unwrap_err();
        assert_eq!(reader.card().watch().verifies(), 0);
    }
    // Its last day is one of its days.
    let mut reader = inserted(ordinary().valid(issued, at));
    let clock = Clock::fixed(time::OffsetDateTime::from_unix_timestamp(at).unwrap());
    let family = Uec::new(with_terminal).by(clock);
    let atr = atr(&reader);
    let card = family.open(&atr, &mut Link::new(&mut reader)).unwrap().unwrap();
    assert_eq!(card.closed(), None);
}

/// In `eid-agent tokens` and `doctor`, and to whoever asked for a confirmation.
#[test]
fn what_a_card_can_do_here_is_told_in_the_persons_language() {
    let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, with_terminal) = terminals(&virtual_card);
    let russian = |terminals: Arc<Terminals>| {
        let card = UecCard::with_pkis(virtual_card.variant().clone(), virtual_card.pkis().to_vec());
        let mut reader = inserted(card);
        let family = Uec::new(terminals).speaking(Language::Ru);
        let atr = atr(&reader);
        let mut card = family.open(&atr, &mut Link::new(&mut reader)).unwrap().unwrap();
        let details = card.details(&mut Link::new(&mut reader)).unwrap();
        let here = details.into_iter().find(|(name, _)| name == "here").unwrap().1;
        (here, card.credentials(0, &mut Link::new(&mut reader)))
    };
    let (here, refused) = russian(Arc::default());
    assert!(here.contains("принимает ПИН-код только от терминала"), "{here}");
    assert_eq!(refused, Err(CardError::Closed(here.clone())));
    assert_eq!(
        crate::Error::from(refused.unwrap_err()).to_string(),
        here,
        "nothing in English stands before it"
    );
    let (here, credentials) = russian(with_terminal);
    assert!(here.starts_with("терминал указан"), "{here}");
    assert!(credentials.is_ok());
}

#[test]
fn other_cards_are_left_alone() {
    struct Nothing;
    impl Transport for Nothing {
        fn transmit(&mut self, _: &Secret) -> Result<Vec<u8>, CardError> {
            Ok(vec![0x6A, 0x82])
        }
        fn protocol(&self) -> Protocol {
            Protocol::T1
        }
    }
    let family = Uec::new(Arc::default());
    assert_eq!(family.recognise(&[0x3B, 0x00]), Recognition::Possible);
    assert!(
        family
            .open(&[0x3B, 0x00], &mut Link::new(&mut Nothing))
            .unwrap()
            .is_none()
    );
}

/// Counts and, at one command, alters a byte of the answer.
struct Altering<'a> {
    inner: &'a mut InProcess<UecCard>,
    sent: usize,
    at: usize,
    alter: &'a dyn Fn(&mut Vec<u8>),
}

impl Transport for Altering<'_> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        let mut answer = self.inner.transmit(command)?;
        if self.sent == self.at {
            (self.alter)(&mut answer);
        }
        self.sent += 1;
        Ok(answer)
    }

    fn protocol(&self) -> Protocol {
        self.inner.protocol()
    }
}

#[test]
fn a_proof_sends_each_thing_once() {
    let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost).with_long_commands());
    let (_folder, terminals) = terminals(&virtual_card);
    let mut reader = over_t1(virtual_card);
    let mut card = opened(&terminals, &mut reader);
    let mut counting = Altering {
        inner: &mut reader,
        sent: 0,
        at: usize::MAX,
        alter: &|_| {},
    };
    proven(&mut *card, 0, "1234", &mut counting).unwrap();
    // SELECT, two certificates, challenge, mutual authentication, INTERNAL AUTHENTICATE, VERIFY, sector, block and six
    // data objects. Certificates, the card's key and its status were read when it was inserted.
    assert_eq!(counting.sent, 1 + 2 + 1 + 1 + 1 + 1 + 2 + 6);
}
