//! Readers with keys, over their control codes.

use super::*;
use crate::token::card::error::PinFailure;
use crate::token::card::pcsc::control_code;
use crate::token::card::pcsc::mock::Call;

const DIRECT: u32 = 0x4233_0006;
const START: u32 = 0x4233_0001;
const FINISH: u32 = 0x4233_0002;
const PROPERTIES: u32 = 0x4233_0012;

/// The answer to GET_FEATURE_REQUEST.
fn features(list: &[(u8, u32)]) -> Vec<u8> {
    let feature = |(tag, code): &(u8, u32)| [&[*tag, 4][..], &code.to_be_bytes()].concat();
    list.iter().flat_map(feature).collect()
}

/// A card in a reader with these features.
fn with_keys(list: &[(u8, u32)], pads: bool) -> (World, Cards, Vec<TokenInfo>) {
    let world = World::running();
    world.plug(READER);
    world.insert(READER, Plain::new(7));
    world.control(READER, control_code(3400), &features(list));
    let mut cards = source(&world, vec![PlainFamily::default()], &[]);
    cards.options.pads = pads;
    let omnikey = [0x0B, 2, 0x6B, 0x07, 0x0C, 2, 0x31, 0x30];
    world.control(READER, PROPERTIES, &omnikey);
    let tokens = listed(&mut cards);
    (world, cards, tokens)
}

fn sign(cards: &mut Cards, tokens: &[TokenInfo]) -> Result<Vec<Vec<u8>>, Error> {
    let credential = cards.credentials(&tokens[0].id).unwrap().remove(0);
    cards.sign(&tokens[0].id, job(&credential), None)
}

#[test]
fn the_pin_is_typed_on_a_reader_that_has_keys() {
    let (world, mut cards, tokens) = with_keys(&[(6, DIRECT)], true);
    assert!(tokens[0].pin.pad);
    world.log(READER);
    // The reader says "verified" though nothing verified: the card still wants its PIN before it signs.
    world.control(READER, DIRECT, &[0x90, 0x00]);
    let error = sign(&mut cards, &tokens).unwrap_err();
    assert!(error.to_string().contains("6982"), "{error}");
    let log = world.log(READER);
    let controls: Vec<_> = log.iter().filter(|line| line.starts_with("control")).collect();
    assert_eq!(controls.len(), 1, "features are asked for once: {log:?}");
    assert!(controls[0].contains(&format!("{DIRECT:08x}")) && controls[0].ends_with("0020008100"));
    assert!(log.contains(&"end Reset".to_owned()), "a PIN may be verified");
}

#[test]
fn a_key_that_cancels_and_a_person_who_left_are_told_apart() {
    for (status, expected) in [
        ([0x64, 0x01], Error::Cancelled),
        ([0x64, 0x00], Error::Expired),
        ([0x63, 0xC1], Error::PinIncorrect(Some(1))),
        ([0x69, 0x83], Error::PinLocked),
        ([0x64, 0x03], Error::PinLength(4, 8)),
    ] {
        let (world, mut cards, tokens) = with_keys(&[(6, DIRECT)], true);
        world.control(READER, DIRECT, &status);
        assert_eq!(sign(&mut cards, &tokens), Err(expected));
        assert_eq!(verifies(&world.log(READER)), 0, "nothing is typed for the person");
    }
}

#[test]
fn start_and_finish_serve_where_direct_is_not_there() {
    let (world, mut cards, tokens) = with_keys(&[(1, START), (2, FINISH)], true);
    assert!(tokens[0].pin.pad);
    world.control(READER, START, &[]);
    world.control(READER, FINISH, &[0x64, 0x01]);
    world.log(READER);
    assert_eq!(sign(&mut cards, &tokens), Err(Error::Cancelled));
    let log = world.log(READER);
    let at = |code: u32| {
        log.iter()
            .position(|line| line.starts_with(&format!("control {code:08x}")))
    };
    assert!(at(START).unwrap() < at(FINISH).unwrap());
}

#[test]
fn an_answer_without_a_status_word_is_a_removal() {
    let (world, mut cards, tokens) = with_keys(&[(6, DIRECT)], true);
    world.control(READER, DIRECT, &[]);
    assert_eq!(sign(&mut cards, &tokens), Err(Error::TokenRemoved));
}

#[test]
fn keys_are_left_alone_where_the_person_says_so_and_where_the_reader_lies() {
    let (world, mut cards, tokens) = with_keys(&[(6, DIRECT)], false);
    assert!(!tokens[0].pin.pad);
    assert!(sign(&mut cards, &tokens).is_err());
    assert!(!world.log(READER).iter().any(|line| line.starts_with("control")));

    let (_world, _cards, tokens) = with_keys(&[(6, DIRECT), (0x12, PROPERTIES)], true);
    assert!(!tokens[0].pin.pad, "OMNIKEY 3x21 has no keys");
}

#[test]
fn a_reader_is_let_out_of_an_entry_that_failed() {
    const PRESSED: u32 = 0x4233_0005;
    let (world, mut cards, tokens) = with_keys(&[(1, START), (2, FINISH), (5, PRESSED)], true);
    world.control(READER, START, &[]);
    world.control(READER, FINISH, &[0x64, 0x01]);
    world.log(READER);
    // It does not answer which key was pressed.
    assert!(sign(&mut cards, &tokens).is_err());
    let log = world.log(READER);
    assert!(
        log.iter().any(|line| line.contains(&format!("{PRESSED:08x}"))),
        "{log:?}"
    );
    assert!(
        log.iter().any(|line| line.contains(&format!("{FINISH:08x}"))),
        "{log:?}"
    );
}

/// A driver that does not return is one that hangs; a person who looks for a key is none.
#[test]
fn a_person_at_the_keys_is_waited_for_longer_than_a_driver() {
    let (world, mut cards, tokens) = with_keys(&[(6, DIRECT)], true);
    let insertion = cards.place(&tokens[0].id).unwrap().0;
    world.control(READER, DIRECT, &[0x64, 0x01]);
    world.log(READER);
    world.hang(READER, Call::Control);
    let bounds = Bounds {
        call: SHORT,
        ..WITH_PIN
    };
    let (told, ended) = std::sync::mpsc::channel();
    let sign = move |opened: &mut Opened, link: &mut Link<'_>| {
        let signed = opened.card()?.sign(0, "K0", &[], PinSource::Pad, link);
        let _ = told.send(signed.clone());
        signed
    };
    let pending = cards.put(&insertion, bounds, sign).unwrap();
    let asker = std::thread::spawn(move || pending.wait());
    world.until_logged(READER, &format!("control {DIRECT:08x}"));
    // The person takes longer than any call may.
    std::thread::sleep(bounds.call * 4);
    assert!(!asker.is_finished(), "who asked waits still");
    assert!(!cards.hangs(&insertion));
    let next = cards.put(&insertion, READING, |_, _| Ok(())).unwrap();
    world.let_go();
    assert_eq!(
        ended.recv_timeout(PATIENCE),
        Ok(Err(CardError::Pin(PinFailure::PadCancelled)))
    );
    assert_eq!(next.wait(), Ok(()), "nor is the reader refused to the next");
    // The end of the transaction is a call as any other, which a busy machine may make late.
    let answer = asker.join().unwrap();
    assert!(
        matches!(
            answer,
            Err(CardError::Pin(PinFailure::PadCancelled) | CardError::Silent(_))
        ),
        "{answer:?}"
    );
}
