//! Strict transcripts of plain conversations, written from uec.md (1.5 to 1.7) and uec-secure-messaging.md (1.3, 2.5, 7).
#![allow(clippy::unwrap_used)]

use super::*;
use crate::token::card::testing::Script;
use crate::token::card::transport::Protocol;
use crate::token::card::uec::testing::{hex, seq};

/// v1.1 with GOST, without sectors; v1.0 of the MSE family with GOST.
const ORDINARY: &str = "6419 9F080111 5F2403301231 5F2503110315 C2028000 8F0101 E000";
const MSE: &str = "6F18 A516 5F2403301231 5F2503110315 9F080110 C2029000 E000";

fn application(fci: &str) -> Application {
    Application::read(&hex(fci)).unwrap()
}

/// What comes of a file by this transcript.
fn file(fci: &str, transcript: &str) -> Result<Reply, CardError> {
    let mut script = Script::new(Protocol::T1, transcript);
    let mut link = Link::new(&mut script);
    Session::plain(&mut link, &application(fci)).file(0x000F)
}

#[test]
fn what_a_short_answer_leaves_of_an_object_is_asked_for() {
    let read = file(
        ORDINARY,
        "# the card's key for sessions
         > 00A4000C02 000F
         < 9000
         # its header: five bytes, of which the card gives three
         > 00B0000005
         < EA0A81 9000
         > 00B0000309
         < 0801 9000
         # what is left comes in three answers
         > 00B0000507
         < 020304 9000
         > 00B0000804
         < 0506 9000
         # the end of the file was reached: what was asked for came all the same
         > 00B0000A02
         < 0708 6282",
    );
    assert_eq!(read.unwrap(), Ok([hex("EA0A8108"), seq(1, 8)].concat()));
}

#[test]
fn an_object_that_has_no_end_is_cut_short() {
    let select = "> 00A4000C02 000F\n< 9000\n> 00B0000005\n< EA0A810801 9000\n> 00B0000507\n";
    // Nothing came: there is no more, whatever the status word says.
    for (answer, refused) in [("9000", None), ("6282", Some(0x6282)), ("6B00", Some(0x6B00))] {
        let read = file(ORDINARY, &format!("{select}< {answer}"));
        match refused {
            None => assert!(matches!(read, Err(CardError::Malformed(_, why)) if why.contains("cut short"))),
            Some(status) => assert_eq!(read.unwrap(), Err(Status(status))),
        }
    }
    // The first five bytes say what no file of this card is.
    for header in ["EA84FFFFFF", "0000000000", "EA80000000"] {
        let read = file(
            ORDINARY,
            &format!("> 00A4000C02 000F\n< 9000\n> 00B0000005\n< {header} 9000"),
        );
        let whole = header.starts_with("00");
        assert_eq!(read.is_ok(), whole, "{header}");
    }
}

#[test]
fn an_mse_cards_file_ends_with_a_short_piece_in_either_way() {
    for end in ["9000", "6282"] {
        let read = file(
            MSE,
            &format!(
                "> 00A4000C02 000F
                 < 9000
                 # bare bytes: as much as there is
                 > 00B00000F8
                 < 0102030405060708 {end}"
            ),
        );
        assert_eq!(read.unwrap(), Ok(seq(1, 8)), "{end}");
    }
    let piece = "AB".repeat(248);
    let read = file(
        MSE,
        &format!(
            "> 00A4000C02 000F
             < 9000
             > 00B00000F8
             < {piece} 9000
             # it ended exactly there
             > 00B000F8F8
             < 6B00"
        ),
    );
    assert_eq!(read.unwrap(), Ok(hex(&piece)));
}

#[test]
fn a_value_is_the_same_with_its_object_around_it_and_without() {
    for fci in [ORDINARY, MSE] {
        for (answer, value) in [
            ("011223344595", "011223344595"),
            ("DF2706 011223344595", "011223344595"),
            // Another object, a length that is not its own, one byte more: a bare value.
            ("DF2B06 011223344595", "DF2B06011223344595"),
            ("DF2705 011223344595", "DF2705011223344595"),
            ("DF2706 01122334459500", "DF270601122334459500"),
        ] {
            let mut script = Script::new(Protocol::T1, &format!("> 00CADF2700\n< {answer} 9000"));
            let mut link = Link::new(&mut script);
            let read = Session::plain(&mut link, &application(fci)).data(0xDF27).unwrap();
            assert_eq!(read, Ok(hex(value)), "{answer}");
        }
    }
    for answer in ["77", "DF2C0177"] {
        let mut script = Script::new(Protocol::T1, &format!("> 00CADF2C01\n< {answer} 9000"));
        let mut link = Link::new(&mut script);
        let status = Session::plain(&mut link, &application(ORDINARY)).status();
        assert_eq!(status.unwrap(), Some(0x77), "{answer}");
    }
}
