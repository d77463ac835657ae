#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::sync::{Arc, Mutex};

use plugin_protocol::encoding::hex;

use super::super::recorder::Recorder;
use super::super::testing::{Script, pin};
use super::super::transport::{Protocol, Transport};
use super::*;

const PIN1: PinSpec = PinSpec {
    name: "PIN1",
    reference: 0x81,
    length: (4, 12),
    encoding: Encoding::Ascii,
    pad: Some(0xFF),
    stored: 12,
};
const BELGIAN: PinSpec = PinSpec {
    encoding: Encoding::Format2,
    stored: 8,
    ..PIN1
};

fn block(spec: &PinSpec, digits: &str) -> Result<String, PinFailure> {
    spec.block(&pin(digits)).map(|block| hex(block.expose()))
}

#[test]
fn ascii_blocks_are_filled_to_their_length() {
    assert_eq!(block(&PIN1, "1234").unwrap(), "31323334ffffffffffffffff");
    assert_eq!(block(&PIN1, "123456789012").unwrap(), hex(b"123456789012"));
    let zeros = PinSpec {
        pad: Some(0x00),
        ..PIN1
    };
    assert_eq!(block(&zeros, "12345").unwrap(), "313233343500000000000000");
    let long = PinSpec { stored: 64, ..PIN1 };
    assert_eq!(block(&long, "1234").unwrap(), format!("31323334{}", "ff".repeat(60)));
    let bare = PinSpec {
        pad: None,
        stored: 0,
        ..PIN1
    };
    assert_eq!(block(&bare, "1234").unwrap(), "31323334");
}

/// The two of the Belgian manual (BEL18, 3.2), and the longest.
#[test]
fn format_2_blocks_are_those_of_the_manual() {
    assert_eq!(block(&BELGIAN, "1234").unwrap(), "241234ffffffffff");
    assert_eq!(block(&BELGIAN, "12345").unwrap(), "2512345fffffffff");
    assert_eq!(block(&BELGIAN, "123456789012").unwrap(), "2c123456789012ff");
}

#[test]
fn what_is_no_pin_of_this_card_is_not_sent() {
    for spec in [PIN1, BELGIAN] {
        assert_eq!(block(&spec, "123"), Err(PinFailure::Length(4, 12)));
        assert_eq!(block(&spec, "1234567890123"), Err(PinFailure::Length(4, 12)));
        for wrong in ["12a4", "12 4", "١٢٣٤"] {
            assert_eq!(block(&spec, wrong), Err(PinFailure::Format), "{wrong}");
        }
        let mut script = Script::new(Protocol::T1, "");
        let result = Link::new(&mut script).verify(&spec, PinSource::Typed(pin("123")));
        assert_eq!(result, Err(CardError::Pin(PinFailure::Length(4, 12))));
    }
    assert_eq!(block(&PIN1, ""), Err(PinFailure::Length(4, 12)));
}

#[test]
fn two_blocks_follow_one_another() {
    let puk = PinSpec {
        length: (8, 12),
        ..PIN1
    };
    let both = PIN1.blocks(&puk, &pin("12345678"), &pin("4321")).unwrap();
    assert_eq!(hex(both.expose()), "3132333435363738ffffffff34333231ffffffffffffffff");
    let refused = PIN1.blocks(&puk, &pin("1234567"), &pin("4321"));
    assert_eq!(refused.map(|_| ()), Err(PinFailure::Length(8, 12)));
}

/// The table of national-cards.md, section 0, row by row.
#[test]
fn status_words_mean_what_the_table_says() {
    let of = |status| match verified(Status(status)) {
        Err(CardError::Pin(failure)) => failure,
        other => panic!("{status:04X}: {other:?}"),
    };
    assert_eq!(verified(Status::OK), Ok(()));
    assert_eq!(of(0x63C2), PinFailure::Wrong(Some(2)));
    assert_eq!(of(0x63CF), PinFailure::Wrong(Some(15)));
    assert_eq!(of(0x6302), PinFailure::Wrong(Some(2)));
    assert_eq!(of(0x6300), PinFailure::Wrong(None));
    for blocked in [0x63C0, 0x6983, 0x6984] {
        assert_eq!(of(blocked), PinFailure::Blocked);
    }
    for format in [0x6700, 0x6A80] {
        assert_eq!(of(format), PinFailure::Form);
    }
    for other in [
        0x6400, 0x6401, 0x6403, 0x6404, 0x6982, 0x6985, 0x6A88, 0x6D00, 0x6F86, 0x9001, 0x6C04, 0x6104, 0x0000,
    ] {
        let refused = CardError::Refused("VERIFY", Status(other));
        assert_eq!(verified(Status(other)), Err(refused));
    }
}

#[test]
fn a_change_has_words_of_its_own() {
    for refused in [0x6985, 0x6402, 0x6A80] {
        let failure = CardError::Pin(PinFailure::NewRefused);
        assert_eq!(changed(Status(refused)), Err(failure));
    }
    assert_eq!(changed(Status::OK), Ok(()));
    assert_eq!(changed(Status(0x63C1)), Err(CardError::Pin(PinFailure::Wrong(Some(1)))));
    assert_eq!(changed(Status(0x6983)), Err(CardError::Pin(PinFailure::Blocked)));
}

#[test]
fn a_typed_pin_is_sent_once() {
    let mut script = Script::new(Protocol::T1, "> 002000810C 31323334FFFFFFFFFFFFFFFF\n< 63C2");
    let result = Link::new(&mut script).verify(&PIN1, PinSource::Typed(pin("1234")));
    assert_eq!(result, Err(CardError::Pin(PinFailure::Wrong(Some(2)))));
    // It was sent in the form that the documents give: that the card does not take it is neither a wrong PIN nor one that
    // was not tried.
    for refusal in ["6700", "6A80"] {
        let transcript = format!("> 002000810C 31323334FFFFFFFFFFFFFFFF\n< {refusal}");
        let mut script = Script::new(Protocol::T1, &transcript);
        let result = Link::new(&mut script).verify(&PIN1, PinSource::Typed(pin("1234")));
        let error = result.unwrap_err();
        assert_eq!(error, CardError::Pin(PinFailure::Form));
        let error = crate::error::Error::from(error);
        assert_eq!((error.problem().tries_left, error.retry_after()), (None, None));
        let said = error.to_string();
        assert!(
            said.contains("form or length") && !said.contains("tried") && !said.contains("wrong"),
            "{said}"
        );
    }
}

/// A typed PIN that a card refuses so was not "cancelled on the reader": nobody knows whether it cost a try.
#[test]
fn the_readers_words_mean_nothing_of_a_typed_pin() {
    for word in [0x6400, 0x6401, 0x6403, 0x6404] {
        let transcript = format!("> 002000810C 31323334FFFFFFFFFFFFFFFF\n< {word:04X}");
        let mut script = Script::new(Protocol::T1, &transcript);
        let result = Link::new(&mut script).verify(&PIN1, PinSource::Typed(pin("1234")));
        assert_eq!(result, Err(CardError::Refused("VERIFY", Status(word))));
    }
}

#[test]
fn the_readers_keys_are_used_where_it_has_them() {
    let verify = |answer, spec: &PinSpec| {
        let script = Script::new(Protocol::T1, "");
        let mut script = match answer {
            Some(answer) => script.with_pad(answer),
            None => script,
        };
        Link::new(&mut script).verify(spec, PinSource::Pad)
    };
    assert_eq!(verify(Some([0x90, 0x00]), &PIN1), Ok(()));
    assert_eq!(
        verify(Some([0x64, 0x01]), &PIN1),
        Err(CardError::Pin(PinFailure::PadCancelled))
    );
    assert_eq!(
        verify(Some([0x64, 0x00]), &PIN1),
        Err(CardError::Pin(PinFailure::PadTimedOut))
    );
    assert_eq!(
        verify(Some([0x64, 0x03]), &PIN1),
        Err(CardError::Pin(PinFailure::Length(4, 12)))
    );
    assert!(matches!(
        verify(Some([0x64, 0x04]), &PIN1),
        Err(CardError::Unsupported(_))
    ));
    // What is not the reader's own is the card's.
    assert_eq!(
        verify(Some([0x63, 0xC1]), &PIN1),
        Err(CardError::Pin(PinFailure::Wrong(Some(1))))
    );
    assert!(matches!(verify(None, &PIN1), Err(CardError::Unsupported(_))));
    // A block no reader can write is refused before the reader is asked.
    let long = PinSpec { stored: 64, ..PIN1 };
    assert!(matches!(verify(None, &long), Err(CardError::Unsupported(_))));
}

/// Where a subscriber writes, to be read afterwards.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_of_a_pin_is_in_a_log_at_the_finest_level() {
    let log = Log::default();
    let writer = log.clone();
    let verify = || {
        let transcript = "
            > 002000810C 393730353331FFFFFFFFFFFF
            < 63C2
            > 0020008108 26970531FFFFFFFF
            < 9000";
        let mut recorder = Recorder::new(Script::new(Protocol::T1, transcript));
        let mut link = Link::new(&mut recorder);
        let error = link.verify(&PIN1, PinSource::Typed(pin("970531"))).unwrap_err();
        link.verify(&BELGIAN, PinSource::Typed(pin("970531"))).unwrap();
        tracing::trace!(?error, exchanges = ?recorder.exchanges(), block = ?PIN1.block(&pin("970531")));
        assert_eq!((recorder.count(), recorder.with_data(0x20)), (2, 2));
        assert_eq!(recorder.exchanges()[0].to_string(), "002000810C -> (0 bytes) 63C2");
        assert_eq!(recorder.protocol(), Protocol::T1);
    };
    // A line of the log that another test reaches for the first time in the moment in which the subscriber below is
    // made stays silent for good (tracing-core registers the two without one lock): here all are reached before that.
    verify();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, verify);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("00 20 00 81 (12 bytes)"),
        "the log saw the commands: {text}"
    );
    for trace in ["970531", "393730353331", "57, 55, 48, 53", "26970531", "38, 151, 5, 49"] {
        assert!(!text.to_lowercase().contains(trace), "{trace} in {text}");
    }
}
