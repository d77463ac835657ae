#![allow(clippy::unwrap_used)]

use plugin_protocol::HashFunction;
use plugin_protocol::api::{PinState, SignatureScheme};

use super::*;
use crate::certificate::Role;
use crate::token::card::family::Recognition;
use crate::token::card::pcsc::mock::World;
use crate::token::{SignData, SignInput};
use plain::{Plain, PlainFamily};

/// Another program's transaction is not waited for long.
fn begins_soon(reader: &str) -> Patience {
    let mut patience = ordinary(reader);
    (patience.reading.begin, patience.with_pin.begin) = (SHORT, SHORT);
    patience
}

mod faults;
mod hostile;
mod hung;
mod modules;
mod pads;
pub(crate) mod plain;
mod rutoken;

const READER: &str = "Reader 00";
/// Events come within milliseconds; a machine under load is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// A bound that a test waits out: where it stands, nothing that is to come within it does come.
const SHORT: Duration = Duration::from_millis(300);

/// A service with one reader, and the source over it.
fn scene() -> (World, Cards) {
    let world = World::running();
    world.plug(READER);
    let cards = source(&world, vec![PlainFamily::default()], &[]);
    (world, cards)
}

fn source(world: &World, families: Vec<PlainFamily>, leave: &[&str]) -> Cards {
    let families = families.into_iter().map(|family| Box::new(family) as Box<dyn Family>);
    let options = Options {
        pads: true,
        leave: leave.iter().map(|id| left(id)).collect(),
    };
    Cards::new(Arc::new(world.clone()), families.collect(), options)
}

fn left(family: &str) -> Left {
    Left {
        family: family.to_owned(),
        why: "the test says so".to_owned(),
    }
}

/// The scene with this card in, and its tokens.
fn with_card(card: &Plain) -> (World, Cards, Vec<TokenInfo>) {
    let (world, mut cards) = scene();
    world.insert(READER, card.clone());
    let tokens = listed(&mut cards);
    (world, cards, tokens)
}

/// The tokens, once there are some: the thread that waits for cards is told of one a moment after it is in.
fn listed(cards: &mut Cards) -> Vec<TokenInfo> {
    let begun = std::time::Instant::now();
    loop {
        let tokens = cards.tokens().unwrap_or_default();
        if !tokens.is_empty() {
            return tokens;
        }
        assert!(begun.elapsed() < PATIENCE, "no token appeared");
        std::thread::yield_now();
    }
}

/// The first listing that failed, and of what: a card may be announced a moment after it was put in.
fn failed(cards: &mut Cards) -> (Error, Listing) {
    let begun = std::time::Instant::now();
    loop {
        let listing = cards.listing();
        match &listing.tokens {
            Err(error) => return (error.clone(), listing),
            Ok(tokens) => assert!(tokens.is_empty() && begun.elapsed() < PATIENCE),
        }
    }
}

fn job(credential: &Credential) -> SignJob {
    SignJob {
        key: credential.key.clone(),
        certificate: credential.certificate.clone(),
        inputs: vec![SignInput {
            scheme: SignatureScheme::Ecdsa,
            hash: HashFunction::Sha256,
            data: SignData::Digest(vec![7; 32]),
        }],
    }
}

fn pin(digits: &str) -> Option<Pin> {
    Some(Pin::new(digits.to_owned()))
}

/// The commands of a log, in hexadecimal.
fn commands(log: &[String]) -> Vec<&str> {
    let command = |line: &&String| line.starts_with("00") || line.starts_with("80");
    log.iter().filter(command).map(String::as_str).collect()
}

/// PINs that went to the card.
fn verifies(log: &[String]) -> usize {
    commands(log)
        .iter()
        .filter(|line| line.starts_with("0020") && line.len() > 10)
        .count()
}

#[test]
fn each_pin_of_a_card_is_a_token() {
    let card = Plain::new(7);
    let (_world, _cards, tokens) = with_card(&card);
    let [identity, signature] = &tokens[..] else {
        panic!("{tokens:?}")
    };
    assert_eq!(
        (identity.role, signature.role),
        (Some(Role::Authentication), Some(Role::Signing))
    );
    assert_ne!(identity.id, signature.id);
    assert_eq!(identity.label, "Plain card (identity)");
    assert_eq!(identity.reader.as_deref(), Some(READER));
    assert_eq!(identity.pin.name.as_deref(), Some("PIN1"));
    assert_eq!((identity.pin.state, identity.pin.tries_left), (PinState::Ok, Some(3)));
    assert_eq!((identity.pin.pad, identity.pin.length), (false, Some((4, 8))));
    assert!(!identity.test);
}

#[test]
fn a_confirmation_sends_each_command_once_in_short_transactions() {
    let card = Plain::new(7);
    let (world, mut cards, tokens) = with_card(&card);
    let log = world.log(READER);
    assert_eq!(
        log,
        [
            "connect",
            "begin",
            "begun",
            "control 42000d48 ",
            "8001000000",
            "00200081",
            "00200082",
            "end Leave",
            "disconnect Leave"
        ]
    );

    let credentials = cards.credentials(&tokens[0].id).unwrap();
    assert_eq!(cards.credentials(&tokens[0].id).unwrap(), credentials, "kept");
    assert_eq!(
        commands(&world.log(READER)),
        ["8002008100"],
        "the other PIN's is not read"
    );

    let signature = cards.sign(&tokens[0].id, job(&credentials[0]), pin("1234"));
    assert_eq!(signature, Ok(vec![vec![0x51, 7]]));
    let log = world.log(READER);
    assert_eq!(commands(&log), ["002000810431323334", "8003008100"]);
    // Reset while it is ours, so that nobody rides on the PIN.
    assert_eq!(log[log.len() - 2..], ["end Reset", "disconnect Leave"]);
    assert!(!card.verified());
}

#[test]
fn tries_are_read_anew_for_each_listing_and_shown_as_states() {
    let card = Plain::new(7);
    let (world, mut cards, tokens) = with_card(&card);
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    let expected = [(PinState::Low, 2), (PinState::FinalTry, 1), (PinState::Locked, 0)];
    for (state, left) in expected {
        let error = cards.sign(&tokens[0].id, job(&credential), pin("0000")).unwrap_err();
        let locked = left == 0;
        assert_eq!(
            error,
            if locked {
                Error::PinLocked
            } else {
                Error::PinIncorrect(Some(left))
            }
        );
        world.log(READER);
        let now = cards.tokens().unwrap();
        assert_eq!((now[0].pin.state, now[0].pin.tries_left), (state, Some(left)));
        assert_eq!(now[1].pin.state, PinState::Ok, "the other PIN");
        assert_eq!(
            commands(&world.log(READER)),
            ["00200081", "00200082"],
            "recognised once"
        );
    }
}

#[test]
fn what_was_agreed_to_is_what_signs() {
    let card = Plain::new(7);
    let (world, mut cards, tokens) = with_card(&card);
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    let other = SignJob {
        certificate: vec![1],
        ..job(&credential)
    };
    assert_eq!(cards.sign(&tokens[0].id, other, pin("1234")), Err(Error::TokenRemoved));
    let mut unable = job(&credential);
    unable.inputs[0].hash = HashFunction::Sha512;
    let error = cards.sign(&tokens[0].id, unable, pin("1234")).unwrap_err();
    assert!(matches!(error, Error::UnsupportedAlgorithm(_)), "{error}");
    // Without a PIN and without keys nothing is sent.
    let error = cards.sign(&tokens[0].id, job(&credential), None).unwrap_err();
    assert!(error.to_string().contains("no PIN"), "{error}");
    assert_eq!(verifies(&world.log(READER)), 0);
}

#[test]
fn nothing_of_one_insertion_is_used_for_the_next() {
    let card = Plain::new(7);
    let (world, mut cards, tokens) = with_card(&card);
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    world.remove(READER);
    world.insert(READER, card.clone());
    world.log(READER);
    let error = cards.sign(&tokens[0].id, job(&credential), pin("1234")).unwrap_err();
    assert_eq!(error, Error::TokenRemoved);

    // The same card has the same tokens; but it has to be agreed to anew.
    let again = listed(&mut cards);
    assert_eq!(again[0].id, tokens[0].id);
    let fresh = cards.credentials(&again[0].id).unwrap().remove(0);
    assert_eq!(
        cards.sign(&again[0].id, job(&credential), pin("1234")),
        Err(Error::TokenRemoved)
    );
    assert_eq!(verifies(&world.log(READER)), 0);
    assert!(cards.sign(&again[0].id, job(&fresh), pin("1234")).is_ok());
    assert_eq!(card.tries(), [3, 3]);
}

#[test]
fn another_card_is_another_token() {
    let (world, mut cards, tokens) = with_card(&Plain::new(7));
    world.remove(READER);
    world.insert(READER, Plain::new(8));
    let begun = std::time::Instant::now();
    let again = loop {
        let again = listed(&mut cards);
        if again[0].id != tokens[0].id {
            break again;
        }
        assert!(begun.elapsed() < PATIENCE);
    };
    assert_eq!(cards.credentials(&tokens[0].id), Err(Error::TokenRemoved));
    assert!(cards.credentials(&again[0].id).is_ok());
}

/// A family without numbers: each card keeps its name over insertions, and costs no command more for it.
#[test]
fn cards_that_tell_no_number_are_told_apart_by_their_certificates() {
    let nameless = |certified| Plain::certified(plain::NAMELESS, certified);
    let (one, other) = (nameless(1), nameless(2));
    let (world, mut cards, first) = with_card(&one);
    let counters = ["00200081", "00200082"];
    assert_eq!(
        commands(&world.log(READER)),
        [&["8001000000"][..], &counters, &["8002008100"]].concat(),
        "one certificate of one slot"
    );
    cards.credentials(&first[0].id).unwrap();
    cards.tokens().unwrap();
    assert_eq!(commands(&world.log(READER)), counters, "read once");
    assert_ne!(first[0].id, first[1].id);

    let swapped = |cards: &mut Cards, card: &Plain, before: &TokenInfo| {
        world.remove(READER);
        world.insert(READER, card.clone());
        let begun = std::time::Instant::now();
        loop {
            let tokens = listed(cards);
            if tokens[0].insertion != before.insertion {
                return tokens;
            }
            assert!(begun.elapsed() < PATIENCE);
        }
    };
    let second = swapped(&mut cards, &other, &first[0]);
    assert_ne!(second[0].id, first[0].id);
    assert_ne!(second[1].id, first[1].id);
    let again = swapped(&mut cards, &one, &second[0]);
    assert_eq!([&again[0].id, &again[1].id], [&first[0].id, &first[1].id]);
    assert_eq!((one.tries(), other.tries()), ([3, 3], [3, 3]));
}

/// Certificates are public, and an id goes to plugins before anybody agreed: it is no function of the card alone.
#[test]
fn the_id_of_a_card_without_a_number_is_known_again_here_and_nowhere_else() {
    let world = World::running();
    world.plug(READER);
    world.insert(READER, Plain::certified(plain::NAMELESS, 1));
    let ids = |state: &tempfile::TempDir| {
        let mut cards = source(&world, vec![PlainFamily::default()], &[]).remembering(state.path());
        listed(&mut cards).into_iter().map(|token| token.id).collect::<Vec<_>>()
    };
    let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = ids(&here);
    assert_eq!(ids(&here), first, "another run, or another program of the agent");
    assert!(ids(&elsewhere).iter().all(|id| !first.contains(id)));
}

#[test]
fn cards_of_nobody_are_named_and_cards_of_others_are_left() {
    let world = World::running();
    for reader in [READER, "Reader 01"] {
        world.plug(reader);
    }
    world.insert(READER, Plain::new(7));
    let asked = |id| PlainFamily {
        id,
        recognises: Recognition::Possible,
        opens: false,
        closed: None,
    };
    let mut cards = source(&world, vec![asked("a"), asked("b")], &[]);
    let listing = cards.listing();
    assert_eq!((listing.tokens, listing.serves), (Ok(Vec::new()), Vec::new()));
    let readers = cards.readers().unwrap();
    assert_eq!(readers[1].card, Inserted::Nothing);
    let Inserted::Unknown { atr, tried } = &readers[0].card else {
        panic!("{readers:?}")
    };
    assert_eq!((atr.as_slice(), tried.len()), (&[0x3B, 0x02, 0x50, 0x4C][..], 2));

    // Left to modules, by its answer to reset alone: not a byte is sent.
    world.log(READER);
    let mut cards = source(&world, vec![PlainFamily::default()], &["plain"]);
    let listing = cards.listing();
    assert_eq!((listing.tokens, listing.serves), (Ok(Vec::new()), Vec::new()));
    assert!(matches!(&cards.readers().unwrap()[0].card, Inserted::Left { family, .. } if family == "Plain card"));
    assert!(commands(&world.log(READER)).is_empty());

    let mut cards = source(&world, vec![PlainFamily::default()], &[]);
    listed(&mut cards);
    assert_eq!(cards.listing().serves, [READER]);
    let known = &cards.readers().unwrap()[0].card;
    let Inserted::Known {
        family,
        slots,
        details,
        closed: None,
    } = known
    else {
        panic!("{known:?}")
    };
    assert_eq!((family.as_str(), slots.len(), details.len()), ("Plain card", 2, 1));
}

#[test]
fn pins_are_changed_within_one_transaction_and_the_card_is_reset() {
    let card = Plain::new(7);
    let (world, mut cards, tokens) = with_card(&card);
    assert!(cards.management(&tokens[0].id).unwrap().change);
    world.log(READER);
    let error = cards.change_pin(
        &tokens[0].id,
        tokens[0].insertion,
        Pin::new("0000".into()),
        Pin::new("4321".into()),
    );
    assert_eq!(error, Err(Error::PinIncorrect(Some(2))));
    let log = world.log(READER);
    assert_eq!(verifies(&log), 1);
    assert!(log.contains(&"end Reset".to_owned()));
    let error = cards.unblock_pin(
        &tokens[0].id,
        tokens[0].insertion,
        Pin::new("0000".into()),
        Pin::new("4321".into()),
    );
    assert!(matches!(error, Err(Error::UnsupportedAlgorithm(_))));
    let job = ProveJob {
        key: "1".to_owned(),
        certificate: vec![1],
        statement: Vec::new(),
    };
    assert_eq!(cards.prove(&tokens[0].id, job, pin("1234")), Err(Error::TokenRemoved));
}

/// Two cards that tell no serial number and hold the same certificates have one name; what was typed for one never goes to the other.
#[test]
fn what_was_typed_for_a_card_does_not_reach_the_next_of_its_name() {
    let (one, other) = (Plain::new(plain::NAMELESS), Plain::new(plain::NAMELESS));
    let (world, mut cards, tokens) = with_card(&one);
    let shown = &tokens[0];
    let credential = cards.credentials(&shown.id).unwrap().remove(0);
    world.remove(READER);
    world.insert(READER, other.clone());
    let begun = std::time::Instant::now();
    let now = loop {
        let now = listed(&mut cards).remove(0);
        if now.insertion != shown.insertion {
            break now;
        }
        assert!(begun.elapsed() < PATIENCE);
    };
    assert_eq!(now.id, shown.id);
    assert!(!now.is_still(shown));
    assert_eq!(
        cards.credentials(&now.id).unwrap()[0].certificate,
        credential.certificate
    );
    world.log(READER);

    let typed = |digits: &str| Pin::new(digits.to_owned());
    let changed = cards.change_pin(&shown.id, shown.insertion, typed("0000"), typed("4321"));
    assert_eq!(changed, Err(Error::TokenRemoved));
    let unmarked = cards.change_pin(&shown.id, None, typed("0000"), typed("4321"));
    assert_eq!(unmarked, Err(Error::TokenRemoved));
    let unblocked = cards.unblock_pin(&shown.id, shown.insertion, typed("0000"), typed("4321"));
    assert_eq!(unblocked, Err(Error::TokenRemoved));
    let job = ProveJob {
        key: credential.key.clone(),
        certificate: credential.certificate.clone(),
        statement: Vec::new(),
    };
    assert_eq!(cards.prove(&shown.id, job, pin("0000")), Err(Error::TokenRemoved));
    assert!(commands(&world.log(READER)).is_empty());
    assert_eq!((one.tries(), other.tries()), ([3, 3], [3, 3]));

    // What is typed for it does.
    let changed = cards.change_pin(&now.id, now.insertion, typed("0000"), typed("4321"));
    assert_eq!(changed, Err(Error::PinIncorrect(Some(2))));
}
