//! What is asked of a card whose selection does not settle it.

use super::*;

#[test]
fn a_card_that_compares_the_whole_identifier_is_selected_by_it_from_then_on() {
    let selected = format!("{SELECT_WHOLE}< 6108 4F06 000010000100 9000\n");
    let text = format!("{SELECT}< 6A82\n{selected}{DISCOVER}< 6A82\n{NO_CHUID}");
    let mut card = opened(CONTACT, &text).unwrap();
    let counter = format!("{selected}> 00200080\n< 63C3\n");
    let status = with(T1, &counter, |link| card.pin_status(0, link)).unwrap();
    assert_eq!(status.tries_left, Some(3));
    // It is another application's answer that does not name it, with whatever it was selected.
    let other = format!("{SELECT}< 6A82\n{SELECT_WHOLE}< 6108 4F06 000020000100 9000\n");
    assert!(opened(CONTACT, &other).is_none());
}

/// The discovery object is optional (part 1, 3.3.2), the CHUID is not (part 1, 3.1.2): where SELECT and the one name
/// nothing, the other does by what it holds.
#[test]
fn where_selection_tells_nothing_the_chuid_does() {
    let untold = format!("{SELECT}< 9000\n{DISCOVER}< 6A82\n");
    let chuid = |object: &str| format!("{untold}> 00CB3FFF 05 5C035FC102 00\n< {object} 9000\n");
    let guid = "53 12 3410 0102030405060708090A0B0C0D0E0F10";
    assert!(opened(CONTACT, &chuid(guid)).unwrap().serial().is_some());
    for nothing in ["", "5300", "53 12 3410 00000000000000000000000000000000"] {
        assert!(opened(CONTACT, &chuid(nothing)).is_none(), "{nothing}");
    }
    assert!(opened(CONTACT, &format!("{untold}{NO_CHUID}")).is_none());
    // One that names another application in its place is another's.
    let named = format!("{SELECT}< 9000\n{DISCOVER}< 7E 09 4F07 A0000002471001 9000\n");
    assert!(opened(CONTACT, &named).is_none());
}
