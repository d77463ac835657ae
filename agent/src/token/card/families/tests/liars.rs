//! Cards that answer nonsense: every family meets them without a panic, without an end that does not come, and without
//! a second PIN.

use proptest::prelude::*;

use super::super::super::apdu::Secret;
use super::super::super::recorder::Recorder;
use super::super::super::transport::Transport;
use super::*;
use plugin_protocol::HashFunction::{Sha256, Sha384};
use plugin_protocol::api::SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};

/// Gives these answers, over and over.
struct Liar {
    answers: Vec<Vec<u8>>,
    next: usize,
    protocol: Protocol,
}

impl Transport for Liar {
    fn transmit(&mut self, _: &Secret) -> Result<Vec<u8>, CardError> {
        let answer = self.answers[self.next % self.answers.len()].clone();
        self.next += 1;
        Ok(answer)
    }

    fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// Data that looks like what a card says, and data that does not.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just(unhex("62 04 80 02 00 40")),
        Just(unhex("62 04 81 02 7F FF")),
        Just(unhex("70 0C BF8101 08 A0 06 9A 01 03 9B 01 00")),
        Just(unhex("A0 0B 83 01 82 DF21 01 03 DF2F 01 00")),
        Just(unhex("A4 06 30 04 04 02 70 05 A0 06 30 04 04 02 70 01")),
        Just(unhex("30 82 7F FF")),
        Just(vec![0x18; 28]),
        // PKCS#15 by paths: a size, the directories, an entry for each, all of them the same file.
        Just(unhex("6F 08 8002 7FFF 8202 0100")),
        Just(unhex("A0 08 3006 0404 50006002 A4 08 3006 0404 50006002")),
        Just(unhex("3017 3003 0C0143 3006 040145 020181 A108 3006 3004 0402 5000")),
        Just(vec![0x30]),
        Just(certificate(KeyKind::P384)[..200].to_vec()),
    ];
    prop_oneof![known, proptest::collection::vec(any::<u8>(), 0..64), Just(Vec::new())]
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![
        6 => Just([0x90, 0x00]),
        1 => any::<u8>().prop_map(|low| [0x61, low]),
        1 => any::<u8>().prop_map(|low| [0x6C, low]),
        1 => (0xC0u8..=0xCF).prop_map(|low| [0x63, low]),
        1 => prop_oneof![Just([0x6A, 0x82]), Just([0x6B, 0x00]), Just([0x62, 0x82]), Just([0x69, 0x83])],
        1 => any::<[u8; 2]>(),
    ];
    (data(), status).prop_map(|(data, status)| [&data[..], &status].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_card_makes_a_family_panic_or_try_a_pin_twice(
        answers in proptest::collection::vec(answer(), 1..24),
        t0 in any::<bool>(),
    ) {
        let protocol = if t0 { Protocol::T0 } else { Protocol::T1 };
        for family in NATIONAL {
            let atr = ANSWERS.iter().find(|(id, _)| *id == family.id()).unwrap().1;
            let liar = Liar { answers: answers.clone(), next: 0, protocol };
            let mut recorder = Recorder::new(liar);
            let Ok(Some(mut card)) = family.open(&unhex(atr), &mut Link::new(&mut recorder)) else {
                continue;
            };
            let (mut tried, slots) = (0, card.slots().len());
            for slot in 0..slots {
                let mut link = Link::new(&mut recorder);
                let _ = card.pin_status(slot, &mut link);
                let _ = card.credentials(slot, &mut link);
                let _ = card.details(&mut link);
                for key in ["81", "01", "82"] {
                    let inputs = [
                        message(Ecdsa, Sha384, "m"),
                        message(RsaPkcs1, Sha256, "m"),
                        message(RsaPss, Sha256, "m"),
                    ];
                    for input in inputs {
                        tried += 1;
                        let _ = card.sign(slot, key, &[input], typed("123456"), &mut Link::new(&mut recorder));
                    }
                }
            }
            prop_assert!(recorder.with_data(0x20) <= tried, "{}", family.id());
            prop_assert!(recorder.count() < 40_000, "{}: {}", family.id(), recorder.count());
        }
    }
}
