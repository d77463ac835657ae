//! The ground that the other tests with cards stand on: our own pcscd, its virtual readers, and a card that is not ours.

use system_tests::foreign::ForeignCard;
use system_tests::pcscd::Pcscd;

/// SELECT of the PIV application (NIST SP 800-73-4 part 2, 3.1.1).
const SELECT_PIV: &[u8] = b"\x00\xA4\x04\x00\x05\xA0\x00\x00\x03\x08\x00";
/// VERIFY without a PIN: how many tries are left (3.2.1).
const TRIES: &[u8] = b"\x00\x20\x00\x80";

#[test]
fn a_card_comes_and_goes_and_every_apdu_is_seen() {
    let pcscd = Pcscd::start();
    let readers = pcscd.readers();
    let client = pcscd.client();
    assert_eq!(client.connect(&readers[0].name, false), Err("NoSmartcard".to_owned()));

    let card = ForeignCard::piv(&pcscd, &readers[0]);
    client.wait_for_card(&readers[0].name);
    client.wait_for_none(&readers[1].name);
    client.connect(&readers[0].name, false).expect("a card to connect to");
    let selected = client.send(SELECT_PIV).expect("an answer");
    assert!(
        selected.starts_with(&[0x61]) && selected.ends_with(&[0x90, 0x00]),
        "{selected:02X?}"
    );
    assert_eq!(client.send(TRIES).expect("an answer"), [0x63, 0xC3]);
    let wrong = client.send(b"\x00\x20\x00\x80\x08000000\xFF\xFF").expect("an answer");
    assert_eq!(wrong, [0x63, 0xC2]);

    card.remove();
    client.wait_for_none(&readers[0].name);
    assert!(client.send(TRIES).is_err());
    let seen = pcscd.exchanges();
    assert_eq!(seen[0].command, SELECT_PIV);
    assert_eq!(seen[0].response, selected);
    assert_eq!(pcscd.pins_sent(), 1);
}

#[test]
fn a_stopped_service_comes_back_with_its_readers() {
    let mut pcscd = Pcscd::start();
    let reader = pcscd.reader();
    let before = pcscd.client();
    pcscd.stop();
    assert_eq!(before.readers(), Vec::<String>::new());
    assert_eq!(pcscd.client().ask(&["readers"]), Err("NoService".to_owned()));
    pcscd.start_again();
    let _card = ForeignCard::piv(&pcscd, &reader);
    let after = pcscd.client();
    after.wait_for_card(&reader.name);
    after.connect(&reader.name, true).expect("the card");
    let second = pcscd.client();
    assert_eq!(second.connect(&reader.name, false), Err("SharingViolation".to_owned()));
}
