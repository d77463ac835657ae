#![allow(clippy::unwrap_used)]

use super::super::testing::{Script, unhex};
use super::*;

fn send(protocol: Protocol, command: &Command, transcript: &str) -> Result<Response, CardError> {
    let mut script = Script::new(protocol, transcript);
    Link::new(&mut script).send(command)
}

fn ok(protocol: Protocol, command: &Command, transcript: &str) -> Vec<u8> {
    let response = send(protocol, command, transcript).unwrap();
    assert_eq!(response.status, Status::OK);
    response.data
}

#[test]
fn the_four_cases_under_both_protocols() {
    let header = || Command::new(0x00, 0xA4, 0x04, 0x0C);
    for (command, t0, t1) in [
        (header(), "00A4040C", "00A4040C"),
        (header().wanting(Le::Max), "00A4040C 00", "00A4040C 00"),
        (header().wanting(Le::Exactly(256)), "00A4040C 00", "00A4040C 00"),
        (header().wanting(Le::Exactly(0x30)), "00A4040C 30", "00A4040C 30"),
        (header().with([1, 2]), "00A4040C 02 0102", "00A4040C 02 0102"),
        (
            header().with([1, 2]).wanting(Le::Max),
            "00A4040C 02 0102",
            "00A4040C 02 0102 00",
        ),
    ] {
        assert!(ok(Protocol::T0, &command, &format!("> {t0}\n< 9000")).is_empty());
        assert!(ok(Protocol::T1, &command, &format!("> {t1}\n< 9000")).is_empty());
    }
}

#[test]
fn what_61xx_promises_is_fetched_until_it_is_all_there() {
    let command = Command::new(0x00, 0x2A, 0x9E, 0x9A).with([7; 3]).wanting(Le::Max);
    let transcript = "
        > 002A9E9A 03 070707
        < 6100
        # SW2 = 00 is 256
        > 00C00000 00
        < AABB 6102
        > 00C00000 02
        < CCDD 9000";
    assert_eq!(ok(Protocol::T0, &command, transcript), unhex("AABBCCDD"));
    // Over T=1 the first answer may bring data itself.
    let transcript = "
        > 002A9E9A 03 070707 00
        < 11 6101
        > 00C00000 01
        < 22 9000";
    assert_eq!(ok(Protocol::T1, &command, transcript), unhex("1122"));
    // A command that wants nothing gets what the card has for it all the same.
    let silent = Command::new(0x00, 0x2A, 0x9E, 0x9A).with([7; 3]);
    assert_eq!(
        ok(
            Protocol::T1,
            &silent,
            "> 002A9E9A 03 070707\n< 6101\n> 00C00000 01\n< 33 9000"
        ),
        [0x33]
    );
}

#[test]
fn a_wrong_length_is_corrected_once() {
    let read = Command::new(0x00, 0xB0, 0x00, 0x00).wanting(Le::Max);
    assert_eq!(
        ok(Protocol::T0, &read, "> 00B00000 00\n< 6C02\n> 00B00000 02\n< AABB 9000"),
        unhex("AABB")
    );
    let twice = send(Protocol::T0, &read, "> 00B00000 00\n< 6C02\n> 00B00000 02\n< 6C01").unwrap();
    assert_eq!(twice.status, Status(0x6C01));
    // GET RESPONSE is corrected as any other.
    let transcript = "
        > 00B00000 00
        < 6105
        > 00C00000 05
        < 6C01
        > 00C00000 01
        < EE 9000";
    assert_eq!(ok(Protocol::T1, &read, transcript), [0xEE]);
    // What comes after the correction may still be in parts.
    let transcript = "
        > 00B00000 00
        < 6C00
        > 00B00000 00
        < 01 6101
        > 00C00000 01
        < 02 9000";
    assert_eq!(ok(Protocol::T1, &read, transcript), [1, 2]);
}

/// Under T=0 data and Le never go out together: not in the first command, and not in a correction of it.
#[test]
fn a_command_with_data_is_not_sent_again_with_a_length_under_t0() {
    let command = || Command::new(0x00, 0x2A, 0x9E, 0x9A).with([7; 3]).wanting(Le::Max);
    let answer = send(Protocol::T0, &command(), "> 002A9E9A 03 070707\n< 6C10").unwrap();
    assert_eq!(answer.status, Status(0x6C10));
    let transcript = "
        > 002A9E9A 03 070707 00
        < 6C01
        > 002A9E9A 03 070707 01
        < 42 9000";
    assert_eq!(ok(Protocol::T1, &command(), transcript), [0x42]);
}

#[test]
fn what_bears_a_pin_is_sent_once_whatever_the_card_says() {
    let verify = || Command::new(0, 0x20, 0, 1).with_secret(Secret::new(b"1234".to_vec()));
    for protocol in [Protocol::T0, Protocol::T1] {
        let response = send(protocol, &verify().wanting(Le::Max), "> 0020000104 31323334..\n< 6C04").unwrap();
        assert_eq!(response.status, Status(0x6C04));
    }
}

#[test]
fn long_data_is_chained_and_a_refused_part_ends_it() {
    let data: Vec<u8> = (0..=255).chain(0..10).map(|byte: u16| byte as u8).collect();
    let part = plugin_protocol::encoding::hex(&data[..255]);
    let rest = plugin_protocol::encoding::hex(&data[255..]);
    let command = Command::new(0x00, 0x87, 0x07, 0x9A).with(data).wanting(Le::Max);
    let transcript = format!("> 1087079A FF {part}\n< 9000\n> 0087079A 0B {rest} 00\n< 42 9000");
    assert_eq!(ok(Protocol::T1, &command, &transcript), [0x42]);
    let transcript = format!("> 1087079A FF {part}\n< 9000\n> 0087079A 0B {rest}\n< 6101\n> 00C00000 01\n< 42 9000");
    assert_eq!(ok(Protocol::T0, &command, &transcript), [0x42]);
    let refused = send(Protocol::T1, &command, &format!("> 1087079A FF {part}\n< 6884")).unwrap();
    assert_eq!(refused.status, Status(0x6884));
    // 255 bytes are one command.
    let whole = Command::new(0, 0x87, 0, 0).with(vec![0x5A; 255]);
    ok(
        Protocol::T1,
        &whole,
        &format!("> 00870000 FF {}\n< 9000", "5A".repeat(255)),
    );
}

#[test]
fn extended_commands_are_for_cards_that_take_them() {
    let long = || Command::new(0, 0x2A, 0, 0).with(vec![0xAB; 256]);
    let body = "AB".repeat(256);
    for (command, wire) in [
        (long(), format!("002A0000 000100 {body}")),
        (long().wanting(Le::Max), format!("002A0000 000100 {body} 0000")),
        (long().wanting(Le::Exactly(512)), format!("002A0000 000100 {body} 0200")),
        (
            Command::new(0, 0xB0, 0, 0).wanting(Le::Exactly(65_536)),
            "00B00000 000000".to_owned(),
        ),
        (
            Command::new(0, 0xB0, 0, 0).wanting(Le::Exactly(512)),
            "00B00000 000200".to_owned(),
        ),
        // What is short stays short.
        (Command::new(0, 0xB0, 0, 0).wanting(Le::Max), "00B00000 00".to_owned()),
    ] {
        let mut script = Script::new(Protocol::T1, &format!("> {wire}\n< 9000"));
        let mut link = Link::new(&mut script);
        link.use_extended(true);
        assert!(link.send(&command).unwrap().status.is_ok());
    }
    // T=0 has no extended commands.
    let mut script = Script::new(
        Protocol::T0,
        &format!("> 102A0000 FF {}\n< 9000\n> 002A0000 01 AB\n< 9000", "AB".repeat(255)),
    );
    let mut link = Link::new(&mut script);
    link.use_extended(true);
    assert!(link.send(&long()).unwrap().status.is_ok());
}

#[test]
fn answers_that_are_too_short_mean_that_the_card_is_gone() {
    for answer in ["", "90"] {
        let gone = send(
            Protocol::T1,
            &Command::new(0, 0xB0, 0, 0),
            &format!("> 00B00000\n< {answer}"),
        );
        assert_eq!(gone, Err(CardError::Removed));
    }
}

/// Promises more and more, with a byte each time or without.
struct Endless(&'static [u8], usize);

impl Transport for Endless {
    fn transmit(&mut self, _: &Secret) -> Result<Vec<u8>, CardError> {
        self.1 += 1;
        Ok(self.0.to_vec())
    }

    fn protocol(&self) -> Protocol {
        Protocol::T1
    }
}

#[test]
fn a_card_that_promises_data_without_end_is_not_believed() {
    for (answer, most) in [(&[0x61, 0x10][..], 2), (&[0xAA, 0x61, 0x01], ROUNDS + 1)] {
        let mut card = Endless(answer, 0);
        let error = Link::new(&mut card).send(&Command::new(0, 0xB0, 0, 0)).unwrap_err();
        assert!(matches!(error, CardError::Malformed("GET RESPONSE", _)), "{error:?}");
        assert!(card.1 <= most, "{} commands", card.1);
    }
    let mut card = Endless(&[0x6C, 0x10], 0);
    let response = Link::new(&mut card)
        .send(&Command::new(0, 0xB0, 0, 0).wanting(Le::Max))
        .unwrap();
    assert_eq!((response.status, card.1), (Status(0x6C10), 2));
}

#[test]
fn a_refusal_names_what_was_asked() {
    let mut script = Script::new(Protocol::T1, "> 00A4000C\n< 6A82");
    let error = Link::new(&mut script).expect("SELECT", &Command::new(0, 0xA4, 0, 0x0C));
    assert_eq!(error, Err(CardError::Refused("SELECT", Status(0x6A82))));
}

#[test]
fn commands_and_answers_show_nothing_of_a_pin_or_of_what_is_on_the_card() {
    let secret = Command::new(0, 0x20, 0, 1).with_secret(Secret::new(b"1234".to_vec()));
    assert_eq!(format!("{secret:?}"), "00 20 00 01 (4 bytes) None");
    let plain = Command::new(0, 0xA4, 4, 0x0C).with([0xAD, 0xF1]).wanting(Le::Max);
    assert_eq!(format!("{plain:?}"), "00 A4 04 0C ADF1 Max");
    let response = Response {
        data: b"IVANOV".to_vec(),
        status: Status::OK,
    };
    assert_eq!(format!("{response:?}"), "(6 bytes) 9000");
}
