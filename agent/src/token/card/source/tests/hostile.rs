//! Cards, readers and faults that would keep what is not theirs: a transaction, a PIN that nobody wants used any more,
//! a whole insertion.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::token::card::apdu::Command;
use crate::token::card::pcsc::Fault;
use crate::token::{Strange, Stranger};

/// The card that is in, and its insertion.
fn inside(cards: &mut Cards) -> Insertion {
    let readers = cards.readers.list().unwrap();
    readers[0].card.clone().unwrap()
}

#[test]
fn a_pin_is_not_spent_for_somebody_who_left_while_the_card_was_waited_for() {
    let card = Plain::new(7);
    let (world, mut cards, tokens) = with_card(&card);
    let token = &tokens[0];
    let credential = cards.credentials(&token.id).unwrap().remove(0);
    let left = Arc::new(AtomicBool::new(false));
    for round in 0..4 {
        left.store(false, Ordering::SeqCst);
        world.log(READER);
        world.hold(READER, true);
        let leave = std::thread::spawn({
            let (world, left) = (world.clone(), left.clone());
            move || {
                world.until_logged(READER, "begin");
                left.store(true, Ordering::SeqCst);
                world.hold(READER, false);
            }
        });
        cards.bind(Arc::new({
            let left = left.clone();
            move || match left.load(Ordering::SeqCst) {
                true => Err(Error::Cancelled),
                false => Ok(()),
            }
        }));
        let typed = || Pin::new("0000".to_owned());
        let ended = match round {
            0 => cards.sign(&token.id, job(&credential), Some(typed())).map(drop),
            1 => cards.change_pin(&token.id, token.insertion, typed(), typed()),
            2 => cards.unblock_pin(&token.id, token.insertion, typed(), typed()),
            _ => {
                let job = ProveJob {
                    key: credential.key.clone(),
                    certificate: credential.certificate.clone(),
                    statement: Vec::new(),
                };
                cards.prove(&token.id, job, Some(typed())).map(drop)
            }
        };
        leave.join().unwrap();
        assert_eq!(ended, Err(Error::Cancelled), "round {round}");
        assert_eq!(commands(&world.log(READER)), Vec::<&str>::new(), "round {round}");
    }
    assert_eq!(card.tries(), [3, 3]);
}

#[test]
fn a_card_that_answers_for_ever_is_let_go_in_time() {
    let (world, mut cards, _) = with_card(&Plain::new(7));
    let insertion = inside(&mut cards);
    world.log(READER);
    let time = Duration::from_millis(100);
    let bounds = Bounds {
        script: time,
        ..READING
    };
    let (told, ends) = std::sync::mpsc::channel();
    let endless = move |_: &mut Opened, link: &mut Link<'_>| -> Result<(), CardError> {
        loop {
            if let Err(error) = link.send(&Command::new(0x80, 0x01, 0, 0)) {
                let _ = told.send(error.clone());
                return Err(error);
            }
        }
    };
    assert_eq!(cards.run(&insertion, bounds, endless), Err(CardError::Silent(time)));
    // The script itself ends, and its transaction with it.
    assert_eq!(ends.recv_timeout(PATIENCE), Ok(CardError::Silent(time)));
    world.until_logged(READER, "disconnect Leave");
    assert_eq!(listed(&mut cards).len(), 2);
}

#[test]
fn nobody_waits_in_line_behind_a_reader_that_hangs() {
    let (_world, mut cards, _) = with_card(&Plain::new(7));
    let insertion = inside(&mut cards);
    let bounds = Bounds {
        script: Duration::from_millis(50),
        ..READING
    };
    let (release, hang) = std::sync::mpsc::channel::<()>();
    let hangs = move |_: &mut Opened, _: &mut Link<'_>| {
        let _ = hang.recv();
        Ok(())
    };
    let silent = Err(CardError::Silent(bounds.script));
    assert_eq!(cards.run(&insertion, bounds, hangs), silent);
    let begun = std::time::Instant::now();
    assert_eq!(cards.run(&insertion, bounds, |_, _| Ok(())), silent);
    assert!(begun.elapsed() < READING.begin, "at once");
    // No call hangs, so nobody tells when it is done: whoever waits for cards asks again.
    let listing = cards.listing();
    assert!(listing.tokens.is_err());
    assert!(listing.lacks);
    // The reader is sound: nobody is told to pull it out.
    let slow = Stranger {
        reader: READER.to_owned(),
        why: Strange::Unread,
    };
    assert_eq!(listing.strangers, [slow]);
    assert_eq!(listing.serves, [READER]);
    drop(release);
    assert_eq!(listed(&mut cards).len(), 2);
    assert!(!cards.listing().lacks);
}

#[test]
fn a_panic_after_the_pin_resets_the_card_and_costs_one_question() {
    let card = Plain::new(7);
    let (world, mut cards, _) = with_card(&card);
    let insertion = inside(&mut cards);
    world.log(READER);
    let panics = |opened: &mut Opened, link: &mut Link<'_>| -> Result<(), CardError> {
        let pin = PinSource::Typed(Pin::new("1234".to_owned()));
        opened.card()?.sign(0, "K0", &[], pin, link)?;
        panic!("a fault of ours, after the PIN")
    };
    let error = cards.run(&insertion, WITH_PIN, panics).unwrap_err();
    assert!(matches!(error, CardError::Service(_)), "{error}");
    world.until_logged(READER, "end Reset");
    assert!(!card.verified());
    assert_eq!(listed(&mut cards).len(), 2);
}

#[test]
fn a_family_s_own_card_that_failed_once_is_asked_again() {
    let (world, mut cards) = scene();
    world.insert(READER, Plain::new(7));
    world.fault(READER, Fault::Other("nonsense".to_owned()));
    let (error, listing) = failed(&mut cards);
    assert!(error.to_string().contains("nonsense"), "{error}");
    assert!(listing.lacks, "and whoever waits for cards asks for it");
    assert_eq!(listing.serves, [READER]);
    let listing = cards.listing();
    assert_eq!(listing.tokens.unwrap().len(), 2);
    assert!(!listing.lacks);
}
