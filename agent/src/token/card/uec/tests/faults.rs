//! Answers that are altered, cards that are pulled, readers that fail: at every command in turn.

use super::*;

/// One byte of one answer altered, in turn each of each answer of a whole proof: what comes of it is an error, or
/// evidence that is right all the same (an answer in clear that said nothing of importance).
#[test]
fn no_altered_answer_makes_wrong_evidence() {
    let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, terminals) = terminals(&virtual_card);
    let agreed = virtual_card.pkis()[0].application.certificate.clone();
    let mut reader = over_t1(virtual_card);
    let mut card = opened(&terminals, &mut reader);
    let mut right = Altering {
        inner: &mut reader,
        sent: 0,
        at: usize::MAX,
        alter: &|_| {},
    };
    let expected = proven(&mut *card, 0, "1234", &mut right).unwrap().data;
    let commands = right.sent;
    assert!(commands >= 10);
    for at in 0..commands {
        for place in [0, 1, 3, 7, 11, 18, 25] {
            // What a chain that broke off leaves behind ends with the connection.
            reader.card().reset();
            let alter = |answer: &mut Vec<u8>| {
                let last = answer.len() - 1;
                answer[place.min(last)] ^= 0x04;
            };
            let mut altering = Altering {
                inner: &mut reader,
                sent: 0,
                at,
                alter: &alter,
            };
            // A lost answer to VERIFY still counts as the card's own.
            let came = proven(&mut *card, 0, "1234", &mut altering);
            let length = altering.sent;
            assert!(
                length > at,
                "command {at}, byte {place}: {length} of {commands}, {came:?}"
            );
            if let Ok(evidence) = came {
                check(&evidence, &agreed, STATEMENT).unwrap_or_else(|why| panic!("command {at}, byte {place}: {why}"));
                assert_eq!(evidence.data, expected, "command {at}, byte {place}");
            }
        }
    }
    assert_eq!(reader.card().tries("PIN1"), 3, "the right PIN never cost a try");
}

#[test]
fn a_card_that_is_pulled_at_any_step_ends_in_removal_and_costs_no_try() {
    for version in [Version::V10, Version::V11] {
        for answered in 0.. {
            let virtual_card = UecCard::new(Variant::ordinary(version, Suite::Gost));
            let (_folder, terminals) = terminals(&virtual_card);
            let atr = virtual_card.atr();
            let mut reader = Pulled::after(inserted(virtual_card), answered);
            let family = Uec::new(terminals);
            let result = family
                .open(&atr, &mut Link::new(&mut reader))
                .and_then(|card| proven(&mut *card.unwrap(), 0, "1234", &mut reader));
            match result {
                Ok(_) if answered > 20 => break,
                Ok(_) => panic!("{answered} commands cannot be enough"),
                Err(error) => assert_eq!(error, CardError::Removed, "{version:?}, {answered}"),
            }
        }
    }
}

/// Fails at one command.
struct Failing<'a> {
    inner: &'a mut InProcess<UecCard>,
    answered: usize,
    error: &'a CardError,
}

impl Transport for Failing<'_> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        self.answered = self.answered.checked_sub(1).ok_or_else(|| self.error.clone())?;
        self.inner.transmit(command)
    }

    fn protocol(&self) -> Protocol {
        self.inner.protocol()
    }
}

/// What the reader did is no word of the card's: the card is not taken for one that has no file or wants no terminal.
#[test]
fn a_reader_that_fails_while_a_card_is_opened_leaves_no_obstacle() {
    let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
    let (_folder, terminals) = terminals(&virtual_card);
    let mut reader = over_t1(virtual_card);
    let (atr, family) = (atr(&reader), Uec::new(terminals));
    for error in [
        CardError::Silent(std::time::Duration::from_secs(15)),
        CardError::Reader("a parity error".to_owned()),
        CardError::InUse,
        CardError::Service("it ended".to_owned()),
    ] {
        for answered in 0.. {
            reader.card().reset();
            let mut failing = Failing {
                inner: &mut reader,
                answered,
                error: &error,
            };
            match family.open(&atr, &mut Link::new(&mut failing)) {
                Ok(card) => {
                    assert!(answered > 15, "{answered} commands cannot be enough");
                    assert_eq!(card.unwrap().slots().len(), 2);
                    break;
                }
                Err(came) => assert_eq!(came, error, "{answered}"),
            }
            // Asked again it is all there.
            reader.card().reset();
            let mut card = family.open(&atr, &mut Link::new(&mut reader)).unwrap().unwrap();
            assert_eq!(card.slots().len(), 2);
            assert!(card.credentials(0, &mut Link::new(&mut reader)).is_ok());
        }
    }
}
