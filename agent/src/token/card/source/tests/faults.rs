//! What happens when something happens: each fault has one stated end, and none costs a second PIN try.

use super::*;
use crate::token::card::pcsc::Fault;
use crate::token::{Closed, ClosedCard, Strange, Stranger};

/// The scene after the person agreed: what is left is to sign.
fn agreed(card: &Plain) -> (World, Cards, TokenId, Credential) {
    let (world, mut cards, tokens) = with_card(card);
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    world.log(READER);
    (world, cards, tokens[0].id.clone(), credential)
}

#[test]
fn a_card_pulled_during_any_command_is_removed_and_its_pin_is_sent_once() {
    for commands_before in 0..2 {
        let card = Plain::new(7);
        let (world, mut cards, id, credential) = agreed(&card);
        world.pull_after(READER, commands_before);
        let error = cards.sign(&id, job(&credential), pin("0000")).unwrap_err();
        let wrong = commands_before == 1;
        assert_eq!(
            error,
            if wrong {
                Error::PinIncorrect(Some(2))
            } else {
                Error::TokenRemoved
            }
        );
        assert_eq!(verifies(&world.log(READER)), 1, "after {commands_before}");
        assert_eq!(card.tries()[0], 2);
    }
    // After the right PIN, before the signature.
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.pull_after(READER, 1);
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
    assert_eq!(verifies(&world.log(READER)), 1);
}

/// A reset of a card that is gone would have pcsc-lite believe in an empty reader, also where the card is back before it
/// looks. One that answers again may still know its PIN.
#[test]
fn a_card_that_is_gone_is_not_reset_and_one_that_answers_again_is() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.pull_after(READER, 0);
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
    let log = world.log(READER);
    assert!(!log.iter().any(|line| line.ends_with("Reset")), "{log:?}");

    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.fault(READER, Fault::NoCard);
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
    let log = world.log(READER);
    assert!(log.iter().any(|line| line.ends_with("Reset")), "{log:?}");
}

/// Two exchanges that fail one after the other say nothing of the card's power: it may know its PIN still.
#[test]
fn a_card_that_answers_nothing_and_yet_is_in_is_reset() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.fault(READER, Fault::NoCard);
    world.fault(READER, Fault::NoCard);
    cards.patience = |reader| {
        let mut patience = ordinary(reader);
        patience.with_pin.look = SHORT;
        patience
    };
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
    let log = world.log(READER);
    assert_eq!(commands(&log), ["002000810431323334", "00c0000000"]);
    assert!(log.contains(&"end Reset".to_owned()), "{log:?}");
    assert!(!card.verified());
}

/// What the service says of a reader is late by its own look: a card that is gone by then is not reset.
#[test]
fn a_card_that_the_service_misses_late_is_not_reset() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    let insertion = cards.place(&id).unwrap().0;
    world.until_asleep();
    world.fault(READER, Fault::NoCard);
    world.fault(READER, Fault::NoCard);
    let sign = move |opened: &mut Opened, link: &mut Link<'_>| {
        let pin = PinSource::Typed(Pin::new("1234".to_owned()));
        opened.card()?.sign(0, "K0", &job(&credential).inputs, pin, link)
    };
    let pending = cards.put(&insertion, WITH_PIN, sign).unwrap();
    world.until_logged(READER, "00c0000000");
    world.until_looking();
    world.remove(READER);
    assert_eq!(pending.wait(), Err(CardError::Removed));
    let log = world.log(READER);
    assert!(log.contains(&"end Leave".to_owned()), "{log:?}");
    assert!(!log.iter().any(|line| line.ends_with("Reset")), "{log:?}");
}

#[test]
fn a_card_pulled_before_it_is_asked_is_removed_and_nothing_is_sent() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.remove(READER);
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
    assert!(commands(&world.log(READER)).is_empty());
    world.unplug(READER);
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
}

#[test]
fn an_exchange_that_fails_is_a_removal_whatever_pcsc_calls_it() {
    for fault in [Fault::NoCard, Fault::Reset, Fault::NoReader] {
        let card = Plain::new(7);
        let (world, mut cards, id, credential) = agreed(&card);
        world.fault(READER, fault);
        assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::TokenRemoved));
        assert_eq!(verifies(&world.log(READER)), 1);
        // A handle that is dead hurts nobody: the next script has one of its own.
        assert!(cards.sign(&id, job(&credential), pin("1234")).is_ok());
    }
}

#[test]
fn a_card_that_another_program_keeps_is_in_use_and_comes_back() {
    let card = Plain::new(7);
    let (world, mut cards) = scene();
    world.insert(READER, card);
    world.exclusive(READER, true);
    let (error, listing) = failed(&mut cards);
    assert_eq!(error, Error::CardInUse);
    assert_eq!(listing.serves, [READER], "no module takes it meanwhile");
    assert_eq!(cards.readers().unwrap()[0].card, Inserted::InUse);
    world.exclusive(READER, false);
    let tokens = listed(&mut cards);
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    world.exclusive(READER, true);
    assert_eq!(
        cards.sign(&tokens[0].id, job(&credential), pin("1234")),
        Err(Error::CardInUse)
    );
    assert_eq!(verifies(&world.log(READER)), 0);
}

fn begins_within(begin: Duration) -> Bounds {
    Bounds { begin, ..WITH_PIN }
}

/// PC/SC waits for ever; we do not, and what was given up is never done later.
#[test]
fn anothers_transaction_is_waited_for_within_a_bound() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    let insertion = cards.place(&id).unwrap().0;
    world.hold(READER, true);
    let sign = |inputs: Vec<SignInput>| {
        move |opened: &mut Opened, link: &mut Link<'_>| {
            let pin = PinSource::Typed(Pin::new("1234".to_owned()));
            opened.card()?.sign(0, "K0", &inputs, pin, link)
        }
    };
    let begun = std::time::Instant::now();
    let first = cards.put(&insertion, begins_within(SHORT), sign(job(&credential).inputs));
    world.until_logged(READER, "begin");
    // In line behind it.
    cards.patience = begins_soon;
    let second = std::time::Instant::now();
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::CardInUse));
    assert!(second.elapsed() >= SHORT);
    cards.patience = ordinary;
    assert_eq!(first.unwrap().wait(), Err(CardError::InUse));
    assert!(begun.elapsed() >= SHORT);
    // The readers beside it are served meanwhile.
    world.plug("Reader 01");
    world.insert("Reader 01", Plain::new(8));
    let others = listed(&mut cards);
    assert!(others.iter().all(|token| token.reader.as_deref() == Some("Reader 01")));

    world.hold(READER, false);
    // Its thread has to see that first.
    let begun = std::time::Instant::now();
    while !listed(&mut cards).iter().any(|token| token.id == id) {
        assert!(begun.elapsed() < PATIENCE);
    }
    let log = world.log(READER);
    assert_eq!(verifies(&log), 0, "{log:?}");
    // A short one costs nothing but its time.
    world.hold(READER, true);
    let release = std::thread::spawn({
        let world = world.clone();
        move || {
            world.until_logged(READER, "begin");
            world.hold(READER, false);
        }
    });
    assert!(cards.sign(&id, job(&credential), pin("1234")).is_ok());
    release.join().unwrap();
}

/// Another program may keep its transaction for ever: neither PINs nor questions gather behind it.
#[test]
fn what_was_given_up_is_forgotten_at_once_and_nothing_is_put_in_line_behind_it() {
    let (world, mut cards, id, _) = agreed(&Plain::new(7));
    let insertion = cards.place(&id).unwrap().0;
    world.hold(READER, true);
    let typed = Arc::new(());
    let kept = Arc::downgrade(&typed);
    let spend = move |_: &mut Opened, _: &mut Link<'_>| {
        drop(typed);
        Ok(())
    };
    let pending = cards.put(&insertion, begins_within(SHORT), spend).unwrap();
    world.until_logged(READER, "begin");
    assert_eq!(pending.wait(), Err(CardError::InUse));
    assert!(kept.upgrade().is_none(), "while the other program still has the card");

    let begun = std::time::Instant::now();
    assert_eq!(cards.run(&insertion, READING, |_, _| Ok(())), Err(CardError::InUse));
    assert!(begun.elapsed() < READING.begin, "at once");

    world.hold(READER, false);
    while cards.run(&insertion, READING, |_, _| Ok(())) == Err(CardError::InUse) {
        assert!(begun.elapsed() < PATIENCE);
    }
    assert!(commands(&world.log(READER)).is_empty(), "it was known already");
}

#[test]
fn a_reset_by_another_program_before_our_transaction_is_connected_through() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.resets(READER, 2);
    assert!(cards.sign(&id, job(&credential), pin("1234")).is_ok());
    assert_eq!(verifies(&world.log(READER)), 1);
    // Not for ever.
    world.resets(READER, 100);
    assert_eq!(cards.sign(&id, job(&credential), pin("1234")), Err(Error::CardInUse));
    assert_eq!(verifies(&world.log(READER)), 0);
}

#[test]
fn a_service_that_is_missing_or_ends_is_told_and_found_again() {
    let world = World::default();
    let mut cards = source(&world, vec![PlainFamily::default()], &[]);
    assert!(matches!(cards.tokens(), Err(Error::ReaderService(why)) if why.contains("not running")));
    world.start();
    world.plug(READER);
    let card = Plain::new(7);
    world.insert(READER, card.clone());
    let tokens = listed(&mut cards);
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);

    world.stop();
    let begun = std::time::Instant::now();
    while cards.tokens().is_ok() {
        assert!(begun.elapsed() < PATIENCE);
    }
    while cards.credentials(&tokens[0].id).is_ok() {
        assert!(begun.elapsed() < PATIENCE);
    }
    // The old context is dead for ever; a new one works at once.
    world.start();
    let again = listed(&mut cards);
    assert_eq!(again[0].id, tokens[0].id);
    assert_eq!(
        cards.sign(&again[0].id, job(&credential), pin("1234")),
        Err(Error::TokenRemoved),
        "a restart is another insertion"
    );
    let fresh = cards.credentials(&again[0].id).unwrap().remove(0);
    assert!(cards.sign(&again[0].id, job(&fresh), pin("1234")).is_ok());
}

#[test]
fn a_service_that_dies_during_a_command_costs_one_operation() {
    let card = Plain::new(7);
    let (world, mut cards, id, credential) = agreed(&card);
    world.die_after(READER, 0);
    let error = cards.sign(&id, job(&credential), pin("1234")).unwrap_err();
    assert!(matches!(error, Error::ReaderService(_)), "{error}");
    assert_eq!(verifies(&world.log(READER)), 1);
    // Whoever waits for changes has to see that first, or takes the card for the one that was in.
    let begun = std::time::Instant::now();
    while cards.readers.list().is_ok() {
        assert!(begun.elapsed() < PATIENCE);
    }
    world.start();
    let tokens = listed(&mut cards);
    let fresh = cards.credentials(&tokens[0].id).unwrap().remove(0);
    assert!(cards.sign(&tokens[0].id, job(&fresh), pin("1234")).is_ok());
}

#[test]
fn a_card_at_the_edge_of_the_field_is_asked_again() {
    let (world, mut cards) = scene();
    world.insert(READER, Plain::new(7));
    world.fault(READER, Fault::NoCard);
    world.fault(READER, Fault::NoCard);
    assert_eq!(listed(&mut cards).len(), 2);
    // Only to recognise it: three times, and no more.
    let log = world.log(READER);
    assert_eq!(log.iter().filter(|line| *line == "8001000000").count(), 3, "{log:?}");
}

#[test]
fn a_mute_card_is_named() {
    let (world, mut cards) = scene();
    world.mute(READER, true);
    world.insert(READER, Plain::new(7));
    let begun = std::time::Instant::now();
    while matches!(cards.readers().unwrap()[0].card, Inserted::Nothing) {
        assert!(begun.elapsed() < PATIENCE);
    }
    let listing = cards.listing();
    assert_eq!(listing.tokens, Ok(Vec::new()));
    assert_eq!(listing.strangers, [stranger(Strange::Unread)]);
    assert!(matches!(&cards.readers().unwrap()[0].card, Inserted::Unreadable(why) if why.contains("right way")));
}

fn stranger(why: Strange) -> Stranger {
    Stranger {
        reader: READER.to_owned(),
        why,
    }
}

/// Whoever waits for a token is to hear of the card that is in already.
#[test]
fn a_card_that_shows_no_token_is_told_of_with_its_reader() {
    // Nobody's.
    let world = World::running();
    world.plug(READER);
    let mut cards = source(&world, Vec::new(), &[]);
    world.insert(READER, Plain::new(7));
    let begun = std::time::Instant::now();
    let mut until = |there: bool| loop {
        assert!(begun.elapsed() < PATIENCE);
        let listing = cards.listing();
        assert_eq!((&listing.tokens, &listing.shortfall), (&Ok(Vec::new()), &None));
        if listing.strangers.is_empty() != there {
            break listing.strangers;
        }
    };
    assert_eq!(until(true), [stranger(Strange::Unserved)]);
    world.remove(READER);
    until(false);
    // One that was ours, and answers no more.
    let (world, mut cards, _) = with_card(&Plain::new(7));
    assert_eq!(cards.listing().strangers, []);
    world.exclusive(READER, true);
    let listing = cards.listing();
    assert_eq!(listing.tokens, Err(Error::CardInUse));
    assert_eq!(listing.strangers, [stranger(Strange::InUse)]);
    assert_eq!(cards.readers().unwrap()[0].card, Inserted::InUse);
    // Another program's transaction is the same to the person.
    world.exclusive(READER, false);
    listed(&mut cards);
    world.hold(READER, true);
    cards.patience = begins_soon;
    let listing = cards.listing();
    assert_eq!(listing.tokens, Err(Error::CardInUse));
    assert_eq!(listing.strangers, [stranger(Strange::InUse)]);
    cards.patience = ordinary;
    world.hold(READER, false);
    listed(&mut cards);
    assert_eq!(cards.listing().strangers, []);
}

/// It is not shown, so nobody is asked for its PIN; it is its family's all the same, and no module takes it.
#[test]
fn a_card_whose_family_says_that_it_is_of_no_use_is_told_of_with_that() {
    let why = Closed::Inactive;
    let family = PlainFamily {
        closed: Some(why),
        ..PlainFamily::default()
    };
    let kind = family.kind();
    let world = World::running();
    world.plug(READER);
    let mut cards = source(&world, vec![family], &[]);
    world.insert(READER, Plain::new(7));
    let begun = std::time::Instant::now();
    let listing = loop {
        assert!(begun.elapsed() < PATIENCE);
        let listing = cards.listing();
        assert_eq!(listing.tokens, Ok(Vec::new()));
        if !listing.strangers.is_empty() {
            break listing;
        }
    };
    let card = ClosedCard { kind, why };
    assert_eq!(listing.strangers, [stranger(Strange::Closed(card))]);
    assert_eq!((listing.serves, listing.lacks), (vec![READER.to_owned()], false));
    let told = &cards.readers().unwrap()[0].card;
    assert!(
        matches!(told, Inserted::Known { closed: Some(closed), .. } if *closed == card),
        "{told:?}"
    );
}
