//! Cards that a PKCS#11 module shows: they are not kept from it, also while it has one for itself, and one that may be
//! ours is.

use std::sync::atomic::{AtomicBool, Ordering};

use fixtures::card::{VirtualCard, rutoken_ecp};

use super::super::{listing::ATTEMPTS, opened::PATIENCE};
use super::*;
use crate::token::card::pcsc::Fault;
use crate::token::{Closed, Strange};

/// A card that refuses everything while it sulks.
struct Sulky(Plain, Arc<AtomicBool>);

impl VirtualCard for Sulky {
    fn atr(&self) -> Vec<u8> {
        self.0.atr()
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        match self.1.load(Ordering::SeqCst) {
            true => vec![0x6F, 0x00],
            false => self.0.transmit(command),
        }
    }
}

/// A card of this family, which sulks, and what ends that.
fn sulking(family: PlainFamily) -> (World, Cards, Arc<AtomicBool>) {
    let world = World::running();
    world.plug(READER);
    let sulks = Arc::new(AtomicBool::new(true));
    world.insert(READER, Sulky(Plain::new(7), sulks.clone()));
    let cards = source(&world, vec![family], &[]);
    (world, cards, sulks)
}

fn put_in(family: PlainFamily, leave: &[&str]) -> (World, Cards) {
    let world = World::running();
    world.plug(READER);
    world.insert(READER, Plain::new(7));
    let cards = source(&world, vec![family], leave);
    (world, cards)
}

fn possible() -> PlainFamily {
    PlainFamily {
        recognises: Recognition::Possible,
        ..PlainFamily::default()
    }
}

/// The first listing that tells of the card: it may be announced a moment after it was put in.
fn told_of(cards: &mut Cards) -> Listing {
    let begun = std::time::Instant::now();
    loop {
        let listing = cards.listing();
        if !listing.strangers.is_empty() {
            return listing;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "no card was told of");
        std::thread::yield_now();
    }
}

fn why(listing: &Listing) -> Strange {
    listing.strangers[0].why
}

/// The module's own child has it for itself: that is no other program, and the module's token stays.
#[test]
fn a_card_that_is_others_is_asked_once_and_stays_theirs_while_they_have_it() {
    let foreign = PlainFamily {
        opens: false,
        ..possible()
    };
    let scenes = [
        put_in(foreign, &[]),
        put_in(PlainFamily::default(), &["plain"]),
        rutoken::put_in(rutoken_ecp::of_its_maker, Vec::new()),
    ];
    for (world, mut cards) in scenes {
        let before = told_of(&mut cards);
        assert_eq!((&before.tokens, &before.serves), (&Ok(Vec::new()), &Vec::new()));
        world.log(READER);
        world.hold(READER, true);
        assert_eq!(cards.listing(), before);
        assert_eq!(world.log(READER), Vec::<String>::new(), "not even connected to");
        world.hold(READER, false);
        // The next insertion may be another card.
        world.remove(READER);
        world.insert(READER, Plain::new(8));
        world.log(READER);
        let begun = std::time::Instant::now();
        while !world.log(READER).contains(&"connect".to_owned()) {
            assert!(begun.elapsed() < Duration::from_secs(10));
            cards.listing();
        }
    }
}

/// A family's question failed: nobody's for now, which keeps no module from it, and asked again at the next look.
#[test]
fn a_card_that_no_family_knew_because_something_failed_is_asked_again() {
    let (world, mut cards, sulks) = sulking(possible());
    let before = told_of(&mut cards);
    assert_eq!(why(&before), Strange::Unserved);
    world.log(READER);
    cards.patience = begins_soon;
    world.hold(READER, true);
    assert_eq!(cards.listing(), before, "told of as it was");
    assert!(world.log(READER).contains(&"begin".to_owned()));
    sulks.store(false, Ordering::SeqCst);
    world.hold(READER, false);
    assert_eq!(listed(&mut cards).len(), 2);
    assert_eq!(cards.listing().serves, [READER]);
}

#[test]
fn a_family_s_own_card_that_is_not_read_here_may_be_shown_by_a_module() {
    let (_world, mut cards, sulks) = sulking(PlainFamily::default());
    let (error, listing) = failed(&mut cards);
    assert!(error.to_string().contains("6F00"), "{error}");
    assert_eq!(why(&listing), Strange::Unread);
    assert_eq!(listing.serves, Vec::<String>::new());
    assert!(listing.lacks, "it is asked again");
    sulks.store(false, Ordering::SeqCst);
    assert_eq!(listed(&mut cards).len(), 2);
    assert_eq!(cards.listing().serves, [READER]);
}

/// A passing fault may be that of a card of ours; a driver that fails of every SELECT keeps the card from no module.
#[test]
fn a_card_that_gives_no_answer_is_kept_from_modules_for_a_few_looks() {
    for (fault, attempts) in [(Fault::Other("nonsense".to_owned()), 1), (Fault::NoCard, ATTEMPTS)] {
        let (world, mut cards) = put_in(possible(), &[]);
        let failing = |looks: usize| (0..looks * attempts).for_each(|_| world.fault(READER, fault.clone()));
        failing(PATIENCE + 2);
        for look in 1..=PATIENCE + 2 {
            let listing = told_of(&mut cards);
            assert_eq!(why(&listing), Strange::Unread);
            assert_eq!(listing.serves.is_empty(), look > PATIENCE, "{fault:?}: look {look}");
        }
        assert_eq!(listed(&mut cards).len(), 2);
        // Now it is known to be ours.
        failing(PATIENCE + 2);
        for _ in 0..PATIENCE + 2 {
            assert_eq!(told_of(&mut cards).serves, [READER], "{fault:?}");
        }
    }
}

/// A maker's module may take its PIN without contacts (PACE).
#[test]
fn a_card_that_wants_contacts_here_may_be_shown_by_a_module() {
    let closed = Some(Closed::Contactless);
    let family = PlainFamily {
        closed,
        ..PlainFamily::default()
    };
    let (world, mut cards) = put_in(family, &[]);
    let before = told_of(&mut cards);
    assert!(
        matches!(why(&before), Strange::Closed(card) if Some(card.why) == closed),
        "{before:?}"
    );
    assert_eq!((&before.tokens, &before.serves), (&Ok(Vec::new()), &Vec::new()));
    // The module has it for itself.
    cards.patience = begins_soon;
    world.hold(READER, true);
    assert_eq!(cards.listing(), before);
    world.hold(READER, false);
}
