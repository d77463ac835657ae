//! Bytes as the documents print them, checked when the agent is built.

/// `hex!("3BDB 9600")`: a `&'static [u8]`. Spaces do not count; anything else that is no hexadecimal digit, and half a
/// byte, do not build.
macro_rules! hex {
    ($text:literal) => {{
        const BYTES: [u8; $crate::token::card::profile::hex::length($text)] =
            $crate::token::card::profile::hex::bytes($text);
        const SLICE: &[u8] = &BYTES;
        SLICE
    }};
}
pub(in crate::token::card) use hex;

/// How many bytes the digits make.
pub(in crate::token::card) const fn length(text: &str) -> usize {
    let text = text.as_bytes();
    let (mut at, mut digits) = (0, 0);
    while at < text.len() {
        if text[at] != b' ' {
            digits += 1;
        }
        at += 1;
    }
    assert!(digits % 2 == 0, "half a byte");
    digits / 2
}

/// The bytes.
pub(in crate::token::card) const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let text = text.as_bytes();
    let mut bytes = [0; N];
    let (mut at, mut digits) = (0, 0);
    while at < text.len() {
        if text[at] != b' ' {
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit(text[at]);
            digits += 1;
        }
        at += 1;
    }
    bytes
}

const fn digit(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        b'A'..=b'F' => character - b'A' + 10,
        b'a'..=b'f' => character - b'a' + 10,
        _ => panic!("not a hexadecimal digit"),
    }
}

#[test]
fn bytes_are_those_that_are_printed() {
    assert_eq!(hex!("3B DB96 00 fF"), [0x3B, 0xDB, 0x96, 0x00, 0xFF]);
    assert_eq!(hex!(""), [0u8; 0]);
}
