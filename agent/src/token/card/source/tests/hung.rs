//! Calls into a driver that do not return: they cost their reader and nobody else, and when they return all is as before.

use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::token::card::pcsc::mock::Call;
use crate::token::{Notice, Strange, Stranger};

const OTHER: &str = "Reader 01";
/// The command that asks for a PIN's tries: each look begins with it.
const LOOK_AT_PIN: &str = "00200081";

/// Two readers with a card each, their tokens, and what is told.
fn two_readers() -> (World, Cards, Plain, Vec<TokenInfo>, Receiver<Notice>) {
    let world = World::running();
    let card = Plain::new(7);
    for (reader, card) in [(READER, card.clone()), (OTHER, Plain::new(8))] {
        world.plug(reader);
        world.insert(reader, card);
    }
    let mut cards = source(&world, vec![PlainFamily::default()], &[]);
    let (told, notices) = channel();
    cards.announce(Arc::new(move |notice| drop(told.send(notice))));
    let begun = std::time::Instant::now();
    let tokens = loop {
        let tokens = listed(&mut cards);
        if tokens.len() == 4 {
            break tokens;
        }
        assert!(begun.elapsed() < PATIENCE);
    };
    (world, cards, card, tokens, notices)
}

/// Returns when this is told.
fn told(notices: &Receiver<Notice>, what: &Notice) {
    while notices.recv_timeout(PATIENCE).unwrap() != *what {}
}

fn hung() -> Notice {
    Notice::ReaderHung(READER.to_owned())
}

fn recovered() -> Notice {
    Notice::ReaderRecovered(READER.to_owned())
}

fn in_the_other(tokens: &[TokenInfo]) -> bool {
    tokens.len() == 2 && tokens.iter().all(|token| token.reader.as_deref() == Some(OTHER))
}

/// A call to the first reader that does not return is soon taken for one that never will; the other's may be slow.
fn hangs_soon(reader: &str) -> Patience {
    let mut patience = ordinary(reader);
    if reader == READER {
        (patience.reading.call, patience.with_pin.call) = (SHORT, SHORT);
    }
    patience
}

/// The tokens, while the command to the first reader does not return.
fn meanwhile(world: &World, cards: &mut Cards) -> Vec<TokenInfo> {
    world.log(READER);
    world.hang(READER, Call::Transmit);
    cards.patience = hangs_soon;
    let tokens = cards.tokens().unwrap();
    cards.patience = ordinary;
    world.until_logged(READER, LOOK_AT_PIN);
    tokens
}

/// The end of the last job at the reader, whatever hung before.
fn let_go(world: &World, notices: &Receiver<Notice>) {
    world.let_go();
    told(notices, &recovered());
}

#[test]
fn a_command_that_does_not_return_costs_its_reader_alone_and_all_recovers() {
    let (world, mut cards, _, before, notices) = two_readers();
    let begun = std::time::Instant::now();
    assert!(in_the_other(&meanwhile(&world, &mut cards)));
    assert!(
        begun.elapsed() >= SHORT && begun.elapsed() < READING.script,
        "within its bound"
    );
    told(&notices, &hung());

    // From now on nobody waits for it, and nothing is put in line there.
    world.log(READER);
    let begun = std::time::Instant::now();
    let listing = cards.listing();
    assert!(in_the_other(&listing.tokens.unwrap()));
    assert!(!listing.lacks, "it tells by itself when it answers");
    assert!(
        listing.serves.contains(&READER.to_owned()),
        "no module takes its card meanwhile"
    );
    let stranger = Stranger {
        reader: READER.to_owned(),
        why: Strange::Hung,
    };
    assert_eq!(listing.strangers, [stranger]);
    let why = listing.shortfall.unwrap();
    assert!(why.to_string().contains("did not answer"), "{why}");
    let readers = cards.readers().unwrap();
    assert!(matches!(readers[0].card, Inserted::Hung(_)), "{readers:?}");
    assert!(matches!(readers[1].card, Inserted::Known { .. }), "{readers:?}");
    let silent = cards.credentials(&before[0].id).unwrap_err();
    assert!(silent.to_string().contains("did not answer"), "{silent}");
    let (mine, other) = (before[0].clone(), before[2].clone());
    let credential = cards.credentials(&other.id).unwrap().remove(0);
    assert!(cards.sign(&other.id, job(&credential), pin("1234")).is_ok());
    assert!(begun.elapsed() < READING.begin, "at once");
    assert!(world.log(READER).is_empty());

    let_go(&world, &notices);
    let listing = cards.listing();
    let now = listing.tokens.unwrap();
    assert_eq!((now.len(), listing.shortfall), (4, None));
    assert_eq!(listing.strangers, []);
    assert!(now[0].is_still(&mine), "of the same insertion");
    let credential = cards.credentials(&mine.id).unwrap().remove(0);
    assert!(cards.sign(&mine.id, job(&credential), pin("1234")).is_ok());
    let more: Vec<Notice> = notices.try_iter().filter(|notice| *notice == hung()).collect();
    assert_eq!(more, [], "told once");
}

#[test]
fn a_pin_whose_command_hangs_is_sent_once_and_opens_nothing_for_somebody_who_left() {
    let (world, mut cards, card, tokens, notices) = two_readers();
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    let insertion = cards.place(&tokens[0].id).unwrap().0;
    world.log(READER);
    world.hang(READER, Call::Transmit);
    let bounds = Bounds {
        call: SHORT,
        ..WITH_PIN
    };
    let sign = move |opened: &mut Opened, link: &mut Link<'_>| {
        let pin = PinSource::Typed(Pin::new("1234".to_owned()));
        opened.card()?.sign(0, "K0", &job(&credential).inputs, pin, link)
    };
    assert_eq!(cards.run(&insertion, bounds, sign), Err(CardError::Silent(SHORT)));
    let_go(&world, &notices);
    let log = world.log(READER);
    assert_eq!(commands(&log), ["002000810431323334"], "no signature is asked for");
    assert!(log.contains(&"end Reset".to_owned()), "{log:?}");
    assert!(!card.verified());
}

#[test]
fn any_call_may_hang() {
    for (call, before_it) in [(Call::Connect, "connect"), (Call::End, "begun")] {
        let (world, mut cards, _, before, notices) = two_readers();
        let insertion = cards.place(&before[0].id).unwrap().0;
        world.log(READER);
        world.hang(READER, call);
        let bounds = Bounds {
            begin: SHORT,
            call: SHORT,
            ..READING
        };
        let pending = cards.put(&insertion, bounds, |_, _| Ok(())).unwrap();
        world.until_logged(READER, before_it);
        let ended = pending.wait();
        assert!(
            matches!(ended, Err(CardError::InUse | CardError::Silent(_))),
            "{call:?}: {ended:?}"
        );
        let begun = std::time::Instant::now();
        // While it is not known to hang it may be another program that is waited for.
        while !matches!(cards.readers().unwrap()[0].card, Inserted::Hung(_)) {
            assert!(begun.elapsed() < PATIENCE, "{call:?}");
        }
        told(&notices, &hung());
        world.log(READER);
        assert!(in_the_other(&cards.tokens().unwrap()), "{call:?}");
        assert!(world.log(READER).is_empty(), "{call:?}");
        let_go(&world, &notices);
        assert_eq!(cards.tokens().unwrap(), before, "{call:?}");
    }
}

#[test]
fn a_reader_that_is_pulled_while_it_hangs_is_another_when_it_is_back() {
    let (world, mut cards, card, before, notices) = two_readers();
    assert!(in_the_other(&meanwhile(&world, &mut cards)));
    told(&notices, &hung());
    world.unplug(READER);
    told(&notices, &Notice::ReaderRemoved(READER.to_owned()));
    assert!(in_the_other(&cards.tokens().unwrap()));
    world.plug(READER);
    world.insert(READER, card);
    told(&notices, &Notice::CardInserted(READER.to_owned()));
    let now = cards.tokens().unwrap();
    assert_eq!((now.len(), &now[0].id), (4, &before[0].id), "the old one hangs still");
    world.let_go();
    // Of the thread that waits for changes and of two readers: the old one's has ended.
    world.until_open(3);
    assert_eq!(cards.tokens().unwrap().len(), 4);
    assert!(
        notices.try_iter().all(|notice| notice != recovered()),
        "of a reader that is gone"
    );
}
