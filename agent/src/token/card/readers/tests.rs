#![allow(clippy::unwrap_used)]

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::*;
use crate::token::card::pcsc::mock::World;
use crate::token::card::source::tests::plain::Plain;

const READER: &str = "Reader 00";
/// Events come within milliseconds; a machine under load is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The readers of a world, followed by somebody.
fn followed(world: &World) -> (Readers, Receiver<Notice>) {
    let mut readers = Readers::new(Arc::new(world.clone()));
    let (told, notices) = channel();
    readers.announce(Arc::new(move |notice| drop(told.send(notice))));
    (readers, notices)
}

/// The next notices but `Changed`, as many as are expected.
fn next(notices: &Receiver<Notice>, count: usize) -> Vec<Notice> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match notices.recv_timeout(PATIENCE) {
            Ok(Notice::Changed) => {}
            Ok(notice) => seen.push(notice),
            Err(error) => panic!("{error} after {seen:?}"),
        }
    }
    seen
}

fn added() -> Notice {
    Notice::ReaderAdded(READER.to_owned())
}
fn removed() -> Notice {
    Notice::ReaderRemoved(READER.to_owned())
}
fn inserted() -> Notice {
    Notice::CardInserted(READER.to_owned())
}
fn pulled() -> Notice {
    Notice::CardRemoved(READER.to_owned())
}

#[test]
fn readers_and_cards_come_and_go_as_notices() {
    let world = World::running();
    let (mut readers, notices) = followed(&world);
    assert_eq!(readers.list(), Ok(Vec::new()));
    world.until_waiting();
    world.plug(READER);
    assert_eq!(next(&notices, 1), [added()]);
    world.until_waiting();
    world.insert(READER, Plain::new(7));
    assert_eq!(next(&notices, 1), [inserted()]);
    let card = readers.list().unwrap()[0].card.clone().unwrap();
    assert!(readers.holds(&card));
    world.until_waiting();
    world.remove(READER);
    assert_eq!(next(&notices, 1), [pulled()]);
    assert!(!readers.holds(&card));
    world.unplug(READER);
    assert_eq!(next(&notices, 1), [removed()]);
    assert_eq!(readers.list(), Ok(Vec::new()));
}

#[test]
fn a_reader_unplugged_with_its_card_takes_both_along() {
    let world = World::running();
    world.plug(READER);
    world.insert(READER, Plain::new(7));
    let (mut readers, notices) = followed(&world);
    assert!(readers.list().unwrap()[0].card.is_some());
    assert_eq!(next(&notices, 2), [added(), inserted()]);
    world.until_waiting();
    world.unplug(READER);
    assert_eq!(next(&notices, 2), [pulled(), removed()]);
}

/// Out and in between two looks: only the count of events tells.
#[test]
fn an_exchange_that_nobody_saw_is_another_insertion() {
    let world = World::running();
    world.plug(READER);
    world.insert(READER, Plain::new(7));
    let (mut readers, notices) = followed(&world);
    let before = readers.list().unwrap()[0].card.clone().unwrap();
    assert_eq!(next(&notices, 2), [added(), inserted()]);
    world.remove(READER);
    world.insert(READER, Plain::new(7));
    assert_eq!(next(&notices, 2), [pulled(), inserted()]);
    let after = readers.list().unwrap()[0].card.clone().unwrap();
    assert_ne!(before, after);
    assert!(!readers.holds(&before) && readers.holds(&after));
}

/// The first coming is told of at once; while it flickers nothing is, until it stays.
#[test]
fn a_card_that_flickers_is_told_of_when_it_stays() {
    let world = World::running();
    world.plug(READER);
    let (mut readers, notices) = followed(&world);
    readers.list().unwrap();
    let begun = Instant::now();
    world.insert(READER, Plain::new(7));
    assert_eq!(next(&notices, 2), [added(), inserted()]);
    let first = readers.list().unwrap()[0].card.clone().unwrap();
    for _ in 0..50 {
        world.until_waiting();
        world.remove(READER);
        world.until_waiting();
        world.insert(READER, Plain::new(7));
    }
    // It is in for the last time. What counts was told of.
    let last = first.events + 100;
    let mut told = Vec::new();
    while readers.list().unwrap()[0].card.as_ref().map(|card| card.events) != Some(last) {
        told.extend(next(&notices, 1));
    }
    let took = begun.elapsed();
    told.extend(notices.try_iter().filter(|notice| *notice != Notice::Changed));
    let (pairs, rest) = told.as_chunks::<2>();
    assert!(pairs.iter().all(|pair| *pair == [pulled(), inserted()]), "{told:?}");
    assert!(!pairs.is_empty() && rest.is_empty(), "{told:?}");
    // On a slow machine it may have stayed meanwhile, too: each time for so long.
    assert!(
        SETTLE * u32::try_from(pairs.len()).unwrap() <= took,
        "{told:?} in {took:?}"
    );
}

/// Readers come together. Where the service counts them none is missed; else the list is read once more after a change.
#[test]
fn a_reader_that_comes_between_the_list_and_the_wait_is_noticed() {
    for (counting, lists) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let world = World::running();
        if counting {
            world.counting();
        }
        let second = "Reader 01";
        // With a reader there, the list is read once more after its card was looked at.
        if lists > 0 {
            world.plug(READER);
        }
        world.plug_after_list(second, lists);
        let (mut readers, notices) = followed(&world);
        readers.list().unwrap();
        let came = Notice::ReaderAdded(second.to_owned());
        // Nothing else wakes the thread: one that was missed is never told of.
        let told = next(&notices, 1 + usize::from(lists > 0));
        assert_eq!(told.last(), Some(&came), "{counting} {lists}");
        world.until_asleep();
        assert_eq!(readers.list().unwrap().len(), told.len());
    }
}

/// One that comes later, while nothing else happens, is missed by no service that counts.
#[test]
fn a_service_that_counts_readers_loses_none() {
    let world = World::running();
    world.counting();
    world.plug(READER);
    let (mut readers, notices) = followed(&world);
    readers.list().unwrap();
    next(&notices, 1);
    world.until_asleep();
    // The card's coming wakes the thread, which lists the readers and waits for good: nothing is to come after that.
    world.plug_after_list("Reader 01", 0);
    world.insert(READER, Plain::new(7));
    let told = next(&notices, 2);
    assert!(told.contains(&Notice::ReaderAdded("Reader 01".to_owned())), "{told:?}");
}

#[test]
fn nothing_is_asked_before_the_first_question_and_nothing_polls_after_it() {
    let world = World::running();
    world.plug(READER);
    let (mut readers, notices) = followed(&world);
    assert_eq!(world.established(), 0);
    readers.list().unwrap();
    next(&notices, 1);
    world.until_asleep();
    let waits = world.waits();
    for _ in 0..20 {
        readers.list().unwrap();
    }
    assert_eq!(
        (world.established(), world.waits()),
        (1, waits),
        "questions wake nobody"
    );
    // Without a service nothing is tried unasked.
    world.stop();
    assert_eq!(next(&notices, 1), [removed()]);
    let begun = Instant::now();
    while readers.list().is_ok() {
        assert!(begun.elapsed() < PATIENCE);
    }
    let tried = world.established();
    assert!(matches!(
        notices.recv_timeout(Duration::from_millis(200)),
        Ok(Notice::Changed) | Err(_)
    ));
    assert_eq!(world.established(), tried);
    assert!(readers.list().unwrap_err().contains("not running"));
    assert_eq!(world.established(), tried + 1, "one question, one try");
}

#[test]
fn the_thread_ends_with_its_owner_wherever_it_is() {
    for running in [true, false] {
        let world = World::default();
        if running {
            world.start();
        }
        let (mut readers, notices) = followed(&world);
        let _ = readers.list();
        let begun = Instant::now();
        drop(readers);
        assert!(begun.elapsed() < FAREWELL, "running: {running}");
        // The announcer is gone, so the thread that held it is.
        while notices.recv_timeout(PATIENCE).is_ok() {}
        assert!(matches!(
            notices.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Disconnected)
        ));
    }
}
