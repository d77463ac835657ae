//! What PINs cost, and what is known of the tries that are left.

use super::*;

#[test]
fn a_wrong_pin_costs_one_try_and_says_what_is_left() {
    for version in [Version::V10, Version::V11] {
        let virtual_card = UecCard::new(Variant::ordinary(version, Suite::Gost));
        let (_folder, terminals) = terminals(&virtual_card);
        let mut reader = inserted(virtual_card);
        let mut card = opened(&terminals, &mut reader);
        assert_eq!(
            card.pin_status(0, &mut Link::new(&mut reader)).unwrap().tries_left,
            None
        );
        for left in [2, 1] {
            let wrong = proven(&mut *card, 0, "4321", &mut reader).unwrap_err();
            assert_eq!(wrong, CardError::Pin(PinFailure::Wrong(Some(left))));
            assert_eq!(reader.card().tries("PIN1"), left);
            // What it told then is known from then on.
            let status = card.pin_status(0, &mut Link::new(&mut reader)).unwrap();
            assert_eq!(status.tries_left, Some(left));
        }
        // What is no PIN costs none.
        for (digits, failure) in [("12", PinFailure::Length(4, 8)), ("12a4", PinFailure::Format)] {
            assert_eq!(
                proven(&mut *card, 0, digits, &mut reader).unwrap_err(),
                CardError::Pin(failure)
            );
        }
        assert_eq!(reader.card().tries("PIN1"), 1);
        let last = proven(&mut *card, 0, "4321", &mut reader).unwrap_err();
        assert_eq!(last, CardError::Pin(PinFailure::Blocked));
        let blocked = proven(&mut *card, 0, "1234", &mut reader).unwrap_err();
        assert_eq!(blocked, CardError::Pin(PinFailure::Blocked));
        // Not kept: another program may unblock it meanwhile. Of the unblocking code, what it told is.
        let status = card.pin_status(0, &mut Link::new(&mut reader)).unwrap();
        assert_eq!(status.tries_left, None);
        let wrong = card.unblock_pin(0, pin("87654321"), pin("9876"), &mut Link::new(&mut reader));
        assert_eq!(wrong, Err(CardError::Pin(PinFailure::Wrong(Some(9)))));
        let status = card.unblock_status(0, &mut Link::new(&mut reader)).unwrap();
        assert_eq!(status.tries_left, Some(9));
        // The unblocking code gives it its tries back.
        card.unblock_pin(0, pin("12345678"), pin("9876"), &mut Link::new(&mut reader))
            .unwrap();
        proven(&mut *card, 0, "9876", &mut reader).unwrap();
        let status = card.pin_status(0, &mut Link::new(&mut reader)).unwrap();
        assert_eq!(status.tries_left, None);
    }
}

/// What comes of the card's answer.
type Comes<'a> = &'a dyn Fn(Vec<u8>) -> Result<Vec<u8>, CardError>;

/// What comes of the card's answer to VERIFY is another's say.
struct AtVerify<'a> {
    inner: &'a mut InProcess<UecCard>,
    comes: Comes<'a>,
}

impl Transport for AtVerify<'_> {
    fn transmit(&mut self, command: &Secret) -> Result<Vec<u8>, CardError> {
        let answer = self.inner.transmit(command)?;
        match command.expose()[1] {
            0x20 => (self.comes)(answer),
            _ => Ok(answer),
        }
    }

    fn protocol(&self) -> Protocol {
        self.inner.protocol()
    }
}

/// A number that the card told before is too high after a PIN of which it told none: the last try would come unasked.
#[test]
fn a_wrong_pin_whose_tries_are_not_told_leaves_one_less() {
    let unnumbered = |_| Ok(vec![0x63, 0x00]);
    let forged = |mut answer: Vec<u8>| {
        let mac = answer.len() - 3;
        answer[mac] ^= 1;
        Ok(answer)
    };
    let bare = |_| Ok(vec![0x90, 0x00]);
    let hung = |_| Err(CardError::Silent(std::time::Duration::from_secs(15)));
    let all: [Comes<'_>; 4] = [&unnumbered, &forged, &bare, &hung];
    for (index, comes) in all.into_iter().enumerate() {
        let virtual_card = UecCard::new(Variant::ordinary(Version::V11, Suite::Gost));
        let (_folder, terminals) = terminals(&virtual_card);
        let virtual_card = virtual_card.behaving(|behaviour| behaviour.errors = Errors::Protected);
        let mut reader = over_t1(virtual_card);
        let mut card = opened(&terminals, &mut reader);
        let shown = |card: &mut dyn Card, reader: &mut InProcess<UecCard>| {
            let link = &mut Link::new(reader);
            let pin = card.pin_status(0, link).unwrap().tries_left;
            (pin, card.unblock_status(0, link).unwrap().tries_left)
        };
        let unblock = |card: &mut dyn Card, reader: &mut dyn Transport| {
            card.unblock_pin(0, pin("87654321"), pin("9876"), &mut Link::new(reader))
                .unwrap_err()
        };
        // Where nothing was told, nothing is known after.
        let at_verify = &mut AtVerify {
            inner: &mut reader,
            comes,
        };
        proven(&mut *card, 0, "4321", at_verify).unwrap_err();
        assert_eq!(shown(&mut *card, &mut reader), (None, None), "{index}");
        assert_eq!(reader.card().tries("PIN1"), 2);
        proven(&mut *card, 0, "1234", &mut reader).unwrap();

        proven(&mut *card, 0, "4321", &mut reader).unwrap_err();
        unblock(&mut *card, &mut reader);
        assert_eq!(shown(&mut *card, &mut reader), (Some(2), Some(9)), "{index}");
        let at_verify = &mut AtVerify {
            inner: &mut reader,
            comes,
        };
        proven(&mut *card, 0, "4321", at_verify).unwrap_err();
        unblock(&mut *card, at_verify);
        // The last one is told as that; eight are nobody's word.
        assert_eq!(shown(&mut *card, &mut reader), (Some(1), None), "{index}");
        assert_eq!((reader.card().tries("PIN1"), reader.card().tries("PUK")), (1, 8));
        // What was not sent costs none; what the card tells again is known again.
        proven(&mut *card, 0, "12", &mut reader).unwrap_err();
        let wrong = CardError::Pin(PinFailure::Wrong(Some(7)));
        assert_eq!(unblock(&mut *card, &mut reader), wrong);
        assert_eq!(shown(&mut *card, &mut reader), (Some(1), Some(7)), "{index}");
        // Lower than one is nothing that the card did not say.
        let at_verify = &mut AtVerify {
            inner: &mut reader,
            comes,
        };
        proven(&mut *card, 0, "4321", at_verify).unwrap_err();
        assert_eq!(shown(&mut *card, &mut reader), (Some(1), Some(7)), "{index}");
        let blocked = proven(&mut *card, 0, "4321", &mut reader).unwrap_err();
        assert_eq!(blocked, CardError::Pin(PinFailure::Blocked));
        assert_eq!(shown(&mut *card, &mut reader).0, None, "{index}");
    }
}
