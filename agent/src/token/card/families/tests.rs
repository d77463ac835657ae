#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use fixtures::card::kit::{Purpose, certify};
use fixtures::pki::{KeyKind, TestPki};
use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;

use super::super::apdu::Link;
use super::super::error::{CardError, PinFailure};
use super::super::family::{Card, Family, PinManagement, Recognition};
use super::super::pin::{PinSource, PinStatus};
use super::super::profile::Profile;
use super::super::testing::{Script, pin, unhex};
use super::super::transport::Protocol;
use super::NATIONAL;
use crate::token::{Closed, SignData, SignInput};

mod belgian;
mod liars;
mod rutoken;
mod scenes;
mod transcripts;

/// The answers to reset of the facts, family by family, with some that vary under a mask.
const ANSWERS: &[(&str, &str)] = &[
    ("esteid-idemia", "3BDB960080B1FE451F830012233F536549440F9000F1"),
    ("esteid-idemia", "3BDC960080B1FE451F830012233F54654944320F9000C3"),
    ("esteid-idemia", "3B8B80010012233F536549440F9000A0"),
    ("esteid-thales", "3BFF9600008031FE438031B85365494464B085051012233F1D"),
    ("esteid-thales", "3B8F80018031D85365494464B085051012233F16"),
    ("finid-v3", "3B7F9600008031B865B08504021B1200F6829000"),
    ("finid-v3", "3B7F9600008031B865B0850300EF1200F6829000"),
    ("finid-v3", "3B8F80018031B865B08504021B1200F6829000BC"),
    ("finid-v4", "3B7F9600008031B865B085050011122460829000"),
    ("finid-v4", "3B7F9600008031B865B085051024122460829000"),
    ("finid-v4", "3B7F9600008031B865B08505FFFF122460829000"),
    ("finid-v4", "3B8F80018031B865B08505001112246082900007"),
    ("finid-v4", "3B8F80018031B865B08505102412246082900023"),
    ("latid-v1", "3BDD18008131FE45904C41545649412D65494490008C"),
    ("latid-v2", "3BDB960080B1FE451F830012428F536549440F900020"),
    ("latid-v2", "3BDC960080B1FE451F830012428F54654944320F900012"),
    ("latid-v2", "3B8B80010012428F536549440F900071"),
    ("belid", "3B7F96000080318065B085040120120FFF829000"),
    ("belid", "3B9813400AA503010101AD1311"),
    ("belid", "3B98FF40FFA503010101AD13EE"),
    ("belid", "3B9894400AA503010101AD1310"),
    ("belid", "3B989440FFA503010101AD1310"),
    ("rutoken-ecp", "3B8B015275746F6B656E20454350A0"),
    ("rutoken-ecp", "3B8B015275746F6B656E20445320C1"),
    ("rutoken-ecp", "3B9C96005275746F6B656E4543507363"),
    ("rutoken-ecp", "3B9C948011405275746F6B656E4543507363C3"),
    // ECP 3.0 with contacts.
    ("rutoken-ecp", "3B9C978011405275746F6B656E4543507363C0"),
];

#[test]
fn every_answer_to_reset_is_one_familys() {
    for (id, atr) in ANSWERS {
        let atr = unhex(atr);
        let sure = |family: &&&Profile| family.recognise(&atr) == Recognition::Sure;
        let families: Vec<_> = NATIONAL.iter().filter(sure).map(|family| family.id).collect();
        assert_eq!(families, [*id]);
        // Longer, shorter, and with a byte changed it is nobody's: the seventh, which no mask leaves out.
        let changed = [&atr[..6], &[atr[6] ^ 0x04], &atr[7..]].concat();
        for other in [&atr[..atr.len() - 1], &[&atr[..], &[0]].concat(), &changed] {
            let none = |family: &&Profile| family.recognise(other) == Recognition::No;
            assert!(NATIONAL.iter().all(none), "{id}");
        }
    }
    // Finnish organisations' cards are another family.
    for other in [
        "3BDD96008031FE450031B8640429ECC1739401808248",
        // Rutoken Lite signs nothing; Rutoken ECP 3.0 without contacts is left to modules.
        "3B88800152745343778183206A",
        "3B8B015275746F6B656E6C697465C2",
        "3B9E96005275746F6B656E4C697465534332",
        "",
    ] {
        let atr = unhex(other);
        assert!(NATIONAL.iter().all(|family| family.recognise(&atr) == Recognition::No));
    }
}

/// What `families.rs` says of a new family's tests.
#[test]
fn every_family_has_its_answers_its_virtual_card_and_its_scene() {
    for family in NATIONAL {
        let id = family.id;
        let answers = ANSWERS.iter().any(|(known, _)| *known == id);
        assert!(
            answers,
            "{id}: the data sheet's answers to reset are missing in ANSWERS of families/tests.rs"
        );
        let variant = fixtures::card::list::find(id);
        let variant = variant.unwrap_or_else(|| panic!("{id}: there is no virtual card of it in fixtures::card::list"));
        let ready = (variant.make)(&PKI, &fixtures::card::kit::Order::new("ivanov"));
        let recognised = family.recognise(&fixtures::card::VirtualCard::atr(&ready.card));
        assert_eq!(
            recognised,
            Recognition::Sure,
            "{id}: the virtual card is another family's"
        );
        assert!(
            scenes::has(id),
            "{id}: a row is missing in SCENES of families/tests/scenes.rs"
        );
    }
}

#[test]
fn without_contacts_the_person_is_told_to_insert_the_card() {
    for (id, atr) in ANSWERS.iter().filter(|(_, atr)| unhex(atr)[2..4] == [0x80, 0x01]) {
        // Nothing is sent to it.
        let mut script = Script::new(Protocol::T1, "");
        let mut link = Link::new(&mut script);
        let mut card = family(id).open(&unhex(atr), &mut link).unwrap().unwrap();
        assert_eq!(card.pin_status(0, &mut link), Ok(PinStatus::default()));
        let errors = [
            card.credentials(0, &mut link).unwrap_err(),
            card.sign(0, "81", &[], typed("1234"), &mut link).unwrap_err(),
            card.change_pin(0, pin("1234"), pin("4321"), &mut link).unwrap_err(),
            card.unblock_pin(0, pin("12345678"), pin("4321"), &mut link)
                .unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("reader with contacts"), "{id}: {error}");
        }
        assert_eq!(card.management(0), PinManagement::default());
        assert_eq!(card.closed(), Some(Closed::Contactless));
        assert!(card.details(&mut link).unwrap()[0].1.contains("reader with contacts"));
    }
}

fn family(id: &str) -> &'static Profile {
    NATIONAL.iter().find(|family| family.id == id).unwrap()
}

static PKI: LazyLock<TestPki> = LazyLock::new(TestPki::new);

/// A certificate of a new key.
fn certificate(kind: KeyKind) -> Vec<u8> {
    certify(&PKI, "ivanov", Purpose::Authentication, kind).certificate
}

fn message(scheme: SignatureScheme, hash: HashFunction, text: &str) -> SignInput {
    SignInput {
        scheme,
        hash,
        data: SignData::Message(text.into()),
    }
}

fn typed(digits: &str) -> PinSource {
    PinSource::Typed(pin(digits))
}

/// The one certificate behind a slot, and its key's name.
fn credential(card: &mut dyn Card, slot: usize, link: &mut Link<'_>) -> (String, Vec<u8>) {
    let credential = card.credentials(slot, link).unwrap().remove(0);
    (credential.key, credential.certificate)
}
