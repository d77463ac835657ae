//! The same scenes with the virtual card of every family, which share no code with the agent.

use fixtures::card::VirtualCard;
use fixtures::card::kit::{self, Made, Order, Watch};
use fixtures::card::{belid, esteid_idemia, esteid_thales, finid, latid, rutoken_ecp};

use super::super::super::recorder::Recorder;
use super::super::super::testing::{InProcess, Pulled};
use super::super::super::transport::Transport;
use super::*;
use crate::proof::verify_own;
use crate::token::Credential;

/// A virtual card and what there is to know of it.
struct Scene {
    name: &'static str,
    family: &'static str,
    make: fn(&TestPki, &Order) -> Made,
    /// PINs of its slots, in their order.
    pins: &'static [&'static str],
    /// Tries of each.
    tries: u8,
    /// Commands of one confirmation, by what the family's documents allow at least: identification, counter and the
    /// first slot's certificates; signature. Without GET RESPONSE and READ BINARY. Three transactions: each selects anew.
    least: [usize; 2],
}

const SCENES: &[Scene] = &[
    Scene {
        name: "EstEID, Cosmo 8",
        family: "esteid-idemia",
        make: esteid_idemia::cosmo_8,
        pins: &["1234", "12345"],
        tries: 3,
        least: [3, 4],
    },
    Scene {
        name: "EstEID, Cosmo X",
        family: "esteid-idemia",
        make: esteid_idemia::cosmo_x,
        pins: &["1234", "12345"],
        tries: 3,
        least: [3, 4],
    },
    Scene {
        name: "EstEID, Thales",
        family: "esteid-thales",
        make: esteid_thales::card,
        pins: &["1234", "12345"],
        tries: 3,
        least: [3, 5],
    },
    Scene {
        name: "FinEID v3.1",
        family: "finid-v3",
        make: finid::v3,
        pins: &["1234", "123456"],
        tries: 5,
        least: [3, 5],
    },
    Scene {
        name: "FinEID v3.1, RSA 3072",
        family: "finid-v3",
        make: finid::v3_rsa_3072,
        pins: &["1234", "123456"],
        tries: 5,
        least: [3, 5],
    },
    Scene {
        name: "FinEID v4.1",
        family: "finid-v4",
        make: finid::v4,
        pins: &["1234", "123456"],
        tries: 5,
        least: [3, 5],
    },
    Scene {
        name: "LatEID v2, P-384",
        family: "latid-v2",
        make: latid::v2_ec,
        pins: &["1234", "123456"],
        tries: 3,
        least: [7, 4],
    },
    Scene {
        name: "LatEID v2, Cosmo X",
        family: "latid-v2",
        make: latid::v2_ec_x,
        pins: &["1234", "123456"],
        tries: 3,
        least: [7, 4],
    },
    Scene {
        name: "LatEID v2, RSA",
        family: "latid-v2",
        make: latid::v2_rsa,
        pins: &["1234", "123456"],
        tries: 3,
        least: [7, 4],
    },
    Scene {
        name: "LatEID v1",
        family: "latid-v1",
        make: latid::v1,
        pins: &["1234", "123456"],
        tries: 3,
        least: [3, 4],
    },
    Scene {
        name: "BelEID 1.8",
        family: "belid",
        make: belid::v1_8,
        pins: &["1234"],
        tries: 3,
        least: [6, 5],
    },
    Scene {
        name: "BelEID 1.7",
        family: "belid",
        make: belid::v1_7,
        pins: &["1234"],
        tries: 3,
        least: [6, 5],
    },
    Scene {
        name: "Rutoken ECP",
        family: "rutoken-ecp",
        make: rutoken_ecp::usb,
        pins: &["12345678"],
        tries: 5,
        // EF.OD at insertion and when it is read, serial number, counter, EF.CD, EF.PrKD, two certificates; VERIFY,
        // the key's file, MSE SET, the block in two parts.
        least: [8, 5],
    },
    Scene {
        name: "Rutoken ECP SC",
        family: "rutoken-ecp",
        make: rutoken_ecp::card,
        pins: &["12345678"],
        tries: 5,
        least: [8, 5],
    },
];

/// Whether a family is played here.
pub(super) fn has(family: &str) -> bool {
    SCENES.iter().any(|scene| scene.family == family)
}

pub(super) fn order() -> Order {
    Order::new("ivanov")
}

/// The card in a reader.
pub(super) type Reader = Recorder<InProcess<kit::Chip>>;

pub(super) fn insert(made: Made) -> (Reader, Watch) {
    let watch = made.watch();
    let protocol = match made.chip.protocol() {
        kit::Protocol::T0 => Protocol::T0,
        kit::Protocol::T1 => Protocol::T1,
    };
    (Recorder::new(InProcess::new(made.chip).over(protocol)), watch)
}

/// Opened by the one family that knows its answer to reset.
pub(super) fn open(reader: &mut Reader) -> Box<dyn Card> {
    let atr = reader.inner().card().atr();
    let mut sure = NATIONAL
        .iter()
        .filter(|family| family.recognise(&atr) == Recognition::Sure);
    let family = sure.next().unwrap();
    family.open(&atr, &mut Link::new(reader)).unwrap().unwrap()
}

/// What the source does after a PIN was verified.
fn reset(reader: &mut Reader) {
    reader.inner().card().reset();
}

/// One input for each way that the credential has.
fn inputs(credential: &Credential) -> Vec<SignInput> {
    let one = |at, mechanism: &crate::token::Mechanism| {
        let digest = mechanism.hash.digest(b"document");
        SignInput {
            scheme: mechanism.scheme,
            hash: mechanism.hash,
            data: match at {
                0 => SignData::Message(b"statement".to_vec()),
                _ => SignData::Digest(digest),
            },
        }
    };
    credential
        .mechanisms
        .iter()
        .enumerate()
        .map(|(at, mechanism)| one(at, mechanism))
        .collect()
}

/// Every scene over both protocols, where its card has both.
fn everywhere(scene: impl Fn(&Scene, &TestPki, &Order)) {
    for each in SCENES {
        for protocol in [kit::Protocol::T0, kit::Protocol::T1] {
            eprintln!("{} over {protocol:?}", each.name);
            scene(each, &PKI, &order().protocol(protocol));
        }
    }
}

#[test]
fn every_key_signs_in_every_way_and_each_signature_verifies() {
    everywhere(|scene, pki, order| {
        let (mut reader, watch) = insert((scene.make)(pki, order));
        let mut card = open(&mut reader);
        for (slot, digits) in scene.pins.iter().enumerate() {
            let credentials = card.credentials(slot, &mut Link::new(&mut reader)).unwrap();
            assert!(!credentials.is_empty(), "{} has nothing in slot {slot}", scene.name);
            for credential in credentials {
                let inputs = inputs(&credential);
                assert!(!inputs.is_empty(), "{} signs nothing", scene.name);
                let mut link = Link::new(&mut reader);
                let signatures = card
                    .sign(slot, &credential.key, &inputs, typed(digits), &mut link)
                    .unwrap();
                for (input, signature) in inputs.iter().zip(&signatures) {
                    let SignInput { scheme, hash, data } = input;
                    verify_own(&credential.certificate, *scheme, *hash, data, signature).unwrap();
                }
            }
        }
        assert_eq!(watch.forbidden(), [""; 0], "{}", scene.name);
        assert_eq!(watch.tries_spent(), 0);
    });
}

#[test]
fn wrong_pins_are_counted_once_each_until_the_card_is_blocked() {
    everywhere(|scene, pki, order| {
        let (mut reader, watch) = insert((scene.make)(pki, order));
        let mut card = open(&mut reader);
        for slot in 0..scene.pins.len() {
            let credential = card.credentials(slot, &mut Link::new(&mut reader)).unwrap().remove(0);
            let before = watch.verifies();
            for left in (0..scene.tries).rev() {
                let mut link = Link::new(&mut reader);
                let status = card.pin_status(slot, &mut link).unwrap();
                assert_eq!(status.tries_left, Some(left + 1), "{}", scene.name);
                // Two inputs: the first refusal ends it.
                let twice = [inputs(&credential).remove(0), inputs(&credential).remove(0)];
                let refused = card.sign(
                    slot,
                    &credential.key,
                    &twice,
                    typed("987654"),
                    &mut Link::new(&mut reader),
                );
                let expected = match left {
                    0 => PinFailure::Blocked,
                    left => PinFailure::Wrong(Some(left)),
                };
                assert_eq!(refused, Err(CardError::Pin(expected)), "{}", scene.name);
            }
            assert_eq!(watch.verifies() - before, usize::from(scene.tries), "{}", scene.name);
            let status = card.pin_status(slot, &mut Link::new(&mut reader)).unwrap();
            assert_eq!(status.tries_left, Some(0));
        }
        assert_eq!(watch.forbidden(), [""; 0], "{}", scene.name);
    });
}

#[test]
fn pins_are_changed_and_unblocked() {
    everywhere(|scene, pki, order| {
        let (mut reader, watch) = insert((scene.make)(pki, order));
        let mut card = open(&mut reader);
        for (slot, digits) in scene.pins.iter().enumerate() {
            let management = card.management(slot);
            if !management.change {
                continue;
            }
            let credential = card.credentials(slot, &mut Link::new(&mut reader)).unwrap().remove(0);
            let one = [inputs(&credential).remove(0)];
            let sign = |card: &mut Box<dyn Card>, reader: &mut Reader, digits: &str| {
                reset(reader);
                card.sign(slot, &credential.key, &one, typed(digits), &mut Link::new(reader))
            };
            reset(&mut reader);
            card.change_pin(slot, pin(digits), pin("765432"), &mut Link::new(&mut reader))
                .unwrap();
            reset(&mut reader);
            let wrong = card.change_pin(slot, pin(digits), pin("765432"), &mut Link::new(&mut reader));
            let expected = PinFailure::Wrong(Some(scene.tries - 1));
            assert_eq!(wrong, Err(CardError::Pin(expected)), "{}", scene.name);
            sign(&mut card, &mut reader, "765432").unwrap();
            if management.unblock.is_none() {
                continue;
            }
            for _ in 0..scene.tries {
                let wrong = sign(&mut card, &mut reader, "111111");
                assert!(matches!(wrong, Err(CardError::Pin(_))));
            }
            reset(&mut reader);
            card.unblock_pin(slot, pin("12345678"), pin("222222"), &mut Link::new(&mut reader))
                .unwrap();
            sign(&mut card, &mut reader, "222222").unwrap();
        }
        assert_eq!(watch.forbidden(), [""; 0], "{}", scene.name);
    });
}

/// The applet at which asking would spend a try is not asked.
#[test]
fn an_old_belgian_card_keeps_its_tries() {
    let (mut reader, watch) = insert(belid::v1_1(&PKI, &order()));
    let mut card = open(&mut reader);
    for _ in 0..3 {
        assert_eq!(
            card.pin_status(0, &mut Link::new(&mut reader)).unwrap().tries_left,
            None
        );
    }
    assert_eq!((watch.tries_spent(), watch.forbidden()), (0, Vec::new()));
}

#[test]
fn belgian_cards_without_certificates_or_not_activated_say_so() {
    let (mut reader, _) = insert(belid::v1_8_without_certificates(&PKI, &order()));
    let mut card = open(&mut reader);
    assert_eq!(card.credentials(0, &mut Link::new(&mut reader)), Ok(Vec::new()));
    let (mut reader, _) = insert(belid::v1_7_not_activated(&PKI, &order()));
    let mut card = open(&mut reader);
    let error = card.credentials(0, &mut Link::new(&mut reader)).unwrap_err();
    assert!(error.to_string().contains("not activated"), "{error}");
}

#[test]
fn a_pin_at_its_transport_value_is_not_tried_until_it_is_changed() {
    let (mut reader, watch) = insert(esteid_thales::card(&PKI, &order().must_change("PIN2")));
    let mut card = open(&mut reader);
    let mut link = Link::new(&mut reader);
    assert!(card.pin_status(1, &mut link).unwrap().must_change);
    let credential = card.credentials(1, &mut link).unwrap().remove(0);
    let one = [inputs(&credential).remove(0)];
    let refused = card.sign(1, &credential.key, &one, typed("12345"), &mut link);
    assert_eq!(refused, Err(CardError::Pin(PinFailure::MustChange)));
    assert_eq!(watch.verifies(), 0);
    card.change_pin(1, pin("12345"), pin("54321"), &mut link).unwrap();
    reset(&mut reader);
    let mut link = Link::new(&mut reader);
    assert!(!card.pin_status(1, &mut link).unwrap().must_change);
    card.sign(1, &credential.key, &one, typed("54321"), &mut link).unwrap();
}

/// Everything one confirmation and one signature do.
fn whole(scene: &Scene, atr: &[u8], transport: &mut dyn Transport) -> Result<(), CardError> {
    let mut link = Link::new(transport);
    let Some(mut card) = family(scene.family).open(atr, &mut link)? else {
        panic!("{} is another family's", scene.name)
    };
    for (slot, digits) in scene.pins.iter().enumerate() {
        card.pin_status(slot, &mut link)?;
        let credential = card.credentials(slot, &mut link)?.remove(0);
        let inputs = inputs(&credential);
        card.sign(
            slot,
            &credential.key,
            &inputs[..1],
            typed(digits),
            &mut Link::new(link.transport()),
        )?;
    }
    card.details(&mut link).map(|_| ())
}

#[test]
fn a_card_that_is_pulled_at_any_command_ends_it_without_a_second_pin() {
    for scene in SCENES {
        let made = (scene.make)(&PKI, &order());
        let atr = made.chip.atr();
        let (mut reader, watch) = insert(made);
        let mut before = 0;
        for answered in 0.. {
            reset(&mut reader);
            let seen = watch.verifies();
            let result = whole(scene, &atr, &mut Pulled::after(&mut reader, answered));
            let verifies = watch.verifies() - seen;
            assert!((before..=scene.pins.len()).contains(&verifies), "{}", scene.name);
            before = verifies;
            match result {
                Ok(()) => break,
                Err(error) => assert_eq!(error, CardError::Removed, "{} after {answered} commands", scene.name),
            }
            assert!(answered < 200, "{} does not end", scene.name);
        }
        assert_eq!((before, watch.tries_spent()), (scene.pins.len(), 0), "{}", scene.name);
    }
}

/// Commands of a script that are neither transport nor the reading of a file, whose number its length tells.
fn beside_reading(reader: &Reader) -> usize {
    let counted = |ins: u8| !matches!(ins, 0xB0 | 0xC0);
    reader.exchanges().iter().filter(|one| counted(one.command[1])).count()
}

#[test]
fn a_confirmation_sends_no_more_than_its_documents_ask_for() {
    for scene in SCENES {
        let (mut reader, _) = insert((scene.make)(&PKI, &order().protocol(kit::Protocol::T1)));
        let mut card = open(&mut reader);
        let mut link = Link::new(&mut reader);
        card.pin_status(0, &mut link).unwrap();
        let credential = card.credentials(0, &mut link).unwrap().remove(0);
        let first = (beside_reading(&reader), reader.count());
        reader.clear();
        let one = [inputs(&credential).remove(0)];
        card.sign(
            0,
            &credential.key,
            &one,
            typed(scene.pins[0]),
            &mut Link::new(&mut reader),
        )
        .unwrap();
        let second = (beside_reading(&reader), reader.count());
        eprintln!("{}: {} + {} commands", scene.name, first.1, second.1);
        assert_eq!([first.0, second.0], scene.least, "{}", scene.name);
        // What was read once is not read again, not even in another transaction.
        reader.clear();
        card.credentials(0, &mut Link::new(&mut reader)).unwrap();
        assert_eq!(reader.count(), 0, "{}", scene.name);
    }
}
