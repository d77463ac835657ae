//! The same against virtual cards, which were written from the standard by others.

use fixtures::card::kit::{self, Made, Order, Watch};
use fixtures::card::piv::{self, Piv as Card};

use super::*;
use crate::proof::verify_own;
use crate::token::card::recorder::Recorder;
use crate::token::card::testing::{InProcess, Pulled};
use crate::token::card::transport::Protocol::T0;
use crate::token::card::transport::Transport;

fn order() -> Order {
    Order::new("Иванова Анна")
}

type Variety = (&'static str, fn(&TestPki, &Order) -> Made, usize);

/// Every variety with the certificates that are on it.
const VARIETIES: [Variety; 6] = [
    ("P-256", piv::p256, 2),
    ("P-384", piv::p384, 2),
    ("RSA 2048", piv::rsa2048, 2),
    ("gzip", piv::gzip, 2),
    ("global PIN", piv::global_pin, 2),
    ("sparse", piv::sparse, 1),
];

/// What is signed with each mechanism of a key.
fn inputs(credential: &Credential) -> Vec<SignInput> {
    let input = |mechanism: &crate::token::Mechanism| input(mechanism.scheme, mechanism.hash, b"statement");
    credential.mechanisms.iter().map(input).collect()
}

#[test]
fn every_variety_signs_with_every_mechanism_and_nothing_forbidden_is_done() {
    let pki = TestPki::new();
    for (name, make, certificates) in VARIETIES {
        for (protocol, of_card) in [(T0, kit::Protocol::T0), (T1, kit::Protocol::T1)] {
            let made = make(&pki, &order().protocol(of_card));
            let watch = made.watch();
            let atr = fixtures::card::VirtualCard::atr(&made.chip);
            let pins = made.pins.clone();
            let issued = [
                made.authentication.certificate.clone(),
                made.signature.certificate.clone(),
            ];
            let mut transport = InProcess::new(made.chip).over(protocol);
            let mut link = Link::new(&mut transport);
            let mut card = Piv.open(&atr, &mut link).unwrap().unwrap();
            assert!(card.serial().is_some(), "{name}");
            let tries = card.pin_status(0, &mut link).unwrap().tries_left;
            assert_eq!(tries, Some(3), "{name}");
            let credentials = card.credentials(0, &mut link).unwrap();
            assert_eq!(credentials.len(), certificates, "{name}");
            let global = card.slots()[0].pin.reference == 0;
            let wanted = if global { "Global PIN" } else { "PIN" };
            let (_, right) = pins.iter().find(|(name, _)| name == wanted).unwrap();
            for (credential, issued) in credentials.iter().zip(&issued) {
                assert_eq!(credential.certificate, *issued);
                let inputs = inputs(credential);
                let signed = card.sign(0, &credential.key, &inputs, typed(right), &mut link).unwrap();
                for (input, signature) in inputs.iter().zip(&signed) {
                    verify_own(issued, input.scheme, input.hash, &input.data, signature).unwrap();
                }
            }
            assert_eq!((watch.forbidden(), watch.tries_spent()), (Vec::new(), 0), "{name}");
        }
    }
}

/// One confirmation with a card that was recognised: what it takes and not a command more.
#[test]
fn a_confirmation_takes_three_commands_after_its_certificates_are_known() {
    let pki = TestPki::new();
    for (kind, count) in [(KeyKind::P256, 3), (KeyKind::P384, 3), (KeyKind::Rsa2048, 5)] {
        let made = Card::of(kind).card(&pki, &order());
        let atr = fixtures::card::VirtualCard::atr(&made.chip);
        let mut recorder = Recorder::new(InProcess::new(made.chip));
        let mut card = Piv.open(&atr, &mut Link::new(&mut recorder)).unwrap().unwrap();
        let credential = card.credentials(0, &mut Link::new(&mut recorder)).unwrap().remove(0);
        let inputs = &inputs(&credential)[..1];
        recorder.clear();
        card.sign(
            0,
            &credential.key,
            inputs,
            typed("123456"),
            &mut Link::new(&mut recorder),
        )
        .unwrap();
        // SELECT, VERIFY, GENERAL AUTHENTICATE; of RSA in two parts and with one GET RESPONSE.
        assert_eq!(recorder.count(), count, "{:?}", recorder.exchanges());
    }
}

/// A card, everything that is done with it in one insertion, and the command after which it is gone.
fn everything(transport: &mut dyn Transport, atr: &[u8]) -> Result<Vec<Vec<u8>>, CardError> {
    let mut link = Link::new(transport);
    let mut card = Piv.open(atr, &mut link)?.expect("it is a PIV card");
    card.pin_status(0, &mut link)?;
    let credential = card.credentials(0, &mut link)?.remove(1);
    let inputs = [input(Ecdsa, Sha256, b"one"), input(Ecdsa, Sha256, b"two")];
    card.sign(0, &credential.key, &inputs, typed("123456"), &mut link)
}

#[test]
fn a_card_pulled_at_any_step_is_a_card_that_was_pulled() {
    let pki = TestPki::new();
    let make = || piv::p256(&pki, &order());
    let atr = fixtures::card::VirtualCard::atr(&make().chip);
    let mut recorder = Recorder::new(InProcess::new(make().chip));
    assert_eq!(everything(&mut recorder, &atr).unwrap().len(), 2);
    let commands = recorder.count();
    assert!(commands > 10);
    for step in 0..commands {
        let made = make();
        let watch: Watch = made.watch();
        let mut pulled = Pulled::after(InProcess::new(made.chip), step);
        assert_eq!(
            everything(&mut pulled, &atr),
            Err(CardError::Removed),
            "at command {step}"
        );
        assert_eq!(watch.tries_spent(), 0, "at command {step}");
    }
}

#[test]
fn tries_are_counted_by_the_card_alone_and_the_puk_gives_them_back() {
    let pki = TestPki::new();
    let made = piv::p256(&pki, &order());
    let watch = made.watch();
    let atr = fixtures::card::VirtualCard::atr(&made.chip);
    let mut transport = InProcess::new(made.chip);
    let mut link = Link::new(&mut transport);
    let mut card = Piv.open(&atr, &mut link).unwrap().unwrap();
    let inputs = [input(Ecdsa, Sha256, b"m")];
    for left in [Some(2), Some(1), None] {
        let signed = card.sign(0, "9A/11", &inputs, typed("000000"), &mut link);
        let expected = left.map_or(PinFailure::Blocked, |left| PinFailure::Wrong(Some(left)));
        assert_eq!(signed, Err(CardError::Pin(expected)));
        let told = card.pin_status(0, &mut link).unwrap().tries_left;
        assert_eq!(told, Some(left.unwrap_or(0)));
    }
    assert_eq!(watch.tries_spent(), 3);
    let unblocked = card.unblock_pin(0, pin("87654321"), pin("222222"), &mut link);
    assert_eq!(unblocked, Err(CardError::Pin(PinFailure::Wrong(Some(2)))));
    card.unblock_pin(0, pin("12345678"), pin("222222"), &mut link).unwrap();
    assert_eq!(card.pin_status(0, &mut link).unwrap().tries_left, Some(3));
    card.change_pin(0, pin("222222"), pin("33333333"), &mut link).unwrap();
    let old = card.sign(0, "9C/11", &inputs, typed("222222"), &mut link);
    assert_eq!(old, Err(CardError::Pin(PinFailure::Wrong(Some(2)))));
    assert_eq!(
        card.sign(0, "9C/11", &inputs, typed("33333333"), &mut link)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(watch.forbidden(), Vec::<String>::new());
}

#[test]
fn a_card_without_contacts_says_what_helps() {
    let pki = TestPki::new();
    let made = piv::contactless(&pki, &order());
    let atr = fixtures::card::VirtualCard::atr(&made.chip);
    let mut transport = InProcess::new(made.chip);
    let mut link = Link::new(&mut transport);
    let mut card = Piv.open(&atr, &mut link).unwrap().unwrap();
    let why = card.pin_status(0, &mut link).unwrap_err();
    assert!(
        matches!(&why, CardError::Unsupported(why) if why.contains("with contacts")),
        "{why:?}"
    );
    assert_eq!(card.credentials(0, &mut link).unwrap_err(), why);
}
