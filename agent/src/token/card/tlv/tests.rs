#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::testing::unhex;
use super::*;

/// FCIs, counters and certificates' beginnings as the families' documents print them, and what breaks readers.
const CORPUS: &[&str] = &[
    "",
    "00",
    "62 04 80 02 05 EC",
    "6F 0C 84 05 A000000003 A5 03 88 01 01",
    "70 12 BF8101 0E A0 0C 9A 01 03 9B 01 02 A1 04 8C 02 F3 00",
    "A0 1A 83 01 81 8C 02 F3 00 9C 02 F3 00 DF21 02 0303 DF27 02 1EFF DF28 01 0C DF2F 01 01",
    "30 82 04 D2",
    "30 80 00 00",
    "1F",
    "1FFFFFFFFFFFFF",
    "1F8000",
    "62 84 FFFFFFFF 00",
    "62 85 0000000001 00",
    "62 FF",
    "62 03 80 02 05",
    "FF FF FF FF",
    "53 00",
];

#[test]
fn lengths_of_every_form_are_read() {
    for (text, tag, value) in [
        ("80 02 05EC", 0x80, "05EC"),
        ("80 00", 0x80, ""),
        ("80 81 01 AA", 0x80, "AA"),
        ("7F21 82 0002 AABB CC", 0x7F21, "AABB"),
        ("BF8101 83 000001 AA", 0xBF_8101, "AA"),
        ("53 84 00000001 AA", 0x53, "AA"),
    ] {
        let bytes = unhex(text);
        let tlv = first(&bytes).unwrap();
        assert_eq!((tlv.tag, tlv.value), (tag, unhex(value).as_slice()), "{text}");
    }
    for text in [
        "30 80 0000",
        "80 02 05",
        "1F",
        "1F81828301",
        "62 85 0000000001 00",
        "80",
    ] {
        assert_eq!(first(&unhex(text)), None, "{text}");
    }
}

#[test]
fn a_header_is_enough_to_know_how_much_to_read() {
    let read = header(&unhex("30 82 04D2")).unwrap();
    assert_eq!((read.tag, read.start + read.length), (0x30, 4 + 1234));
    assert_eq!(header(&unhex("30 82 04")), None);
}

#[test]
fn values_are_found_by_their_path() {
    let idemia = unhex(CORPUS[4]);
    assert_eq!(find(&idemia, &[0x70, 0xBF_8101, 0xA0, 0x9B]), Some(&[2][..]));
    assert_eq!(find(&idemia, &[0x70, 0xBF_8102, 0xA0, 0x9B]), None);
    assert_eq!(find(&idemia, &[]), Some(idemia.as_slice()));
    let thales = unhex(CORPUS[5]);
    assert_eq!(find(&thales, &[0xA0, 0xDF21]), Some(&[3, 3][..]));
    assert_eq!(search(&idemia, 0x9A), Some(&[3][..]));
    assert_eq!(search(&thales, 0x9A), None);
}

#[test]
fn filling_is_passed_over_and_what_is_cut_off_is_told() {
    let filled = unhex("00 80 01 AA 0000 81 01 BB FFFF");
    let tags: Vec<u32> = all(&filled).unwrap().iter().map(|tlv| tlv.tag).collect();
    assert_eq!(tags, [0x80, 0x81]);
    let cut = unhex("80 01 AA 81 05 BB");
    assert_eq!(all(&cut), Err(Malformed));
    // What stands before it is still found, and what is behind it is not guessed.
    assert_eq!(find(&cut, &[0x80]), Some(&[0xAA][..]));
    assert_eq!(find(&cut, &[0x81]), None);
}

#[test]
fn neither_depth_nor_number_is_without_end() {
    let nested = (0..40).fold(vec![0x80, 0x01, 0xAA], |inside, _| encode(0x30, &inside));
    assert_eq!(search(&nested, 0x80), None);
    let shallow = (0..6).fold(vec![0x80, 0x01, 0xAA], |inside, _| encode(0x30, &inside));
    assert_eq!(search(&shallow, 0x80), Some(&[0xAA][..]));
    let many = [0x80, 0x00].repeat(ELEMENTS + 1);
    assert_eq!(all(&many), Err(Malformed));
    assert_eq!(all(&many[2..]).unwrap().len(), ELEMENTS);
}

/// Everything a reader of this module does with bytes it does not know.
fn devour(bytes: &[u8]) {
    for tlv in elements(bytes).take(ELEMENTS + 2) {
        let Ok(tlv) = tlv else { break };
        assert!(tlv.whole.len() <= bytes.len() && tlv.value.len() <= tlv.whole.len());
        assert!(tlv.whole.ends_with(tlv.value));
    }
    for path in [&[0x62, 0x80][..], &[0x30, 0x30, 0x02], &[0x70, 0xBF_8101, 0xA0, 0x9B]] {
        let _ = find(bytes, path);
    }
    let (_, _, _) = (search(bytes, 0x80), header(bytes), all(bytes));
}

/// Every example, cut at each length and with each byte changed.
#[test]
fn no_example_and_nothing_near_it_breaks_the_reader() {
    for text in CORPUS {
        let bytes = unhex(text);
        for length in 0..=bytes.len() {
            devour(&bytes[..length]);
        }
        for at in 0..bytes.len() {
            for other in [0x00, 0x1F, 0x30, 0x7F, 0x80, 0x81, 0x84, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] = other;
                devour(&changed);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        devour(&bytes);
    }

    #[test]
    fn what_is_written_is_read(
        tag in prop_oneof![0x40u32..0x5F, 0x7F01u32..0x7F7F, Just(0xBF_8101u32)],
        value in proptest::collection::vec(any::<u8>(), 0..70_000),
    ) {
        let bytes = encode(tag, &value);
        let tlv = first(&bytes).unwrap();
        prop_assert_eq!((tlv.tag, tlv.value), (tag, value.as_slice()));
        prop_assert_eq!(tlv.whole, bytes.as_slice());
    }
}
