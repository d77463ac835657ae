//! Frames of native messaging: a length in 32 bits of the machine's own order, then JSON in UTF-8.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::RangeInclusive;

use serde::Serialize;

/// Bytes of a command that a host takes which serves one.
pub const REQUEST: RangeInclusive<usize> = 5..=8192;
/// Bytes of its answer at most: the Web eID extension takes no more.
pub const MAX_ANSWER: usize = 8192;

/// Why there is no command.
#[derive(Debug)]
pub enum FrameError {
    /// Its length is outside what is taken; nothing of it was read.
    Length(u32),
    /// The input ended inside it.
    Truncated,
    /// The input cannot be read.
    Io(io::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => write!(f, "a message of {length} bytes, which is not taken"),
            Self::Truncated => f.write_str("the input ended inside a message"),
            Self::Io(error) => write!(f, "the input cannot be read: {error}"),
        }
    }
}

/// Reads one frame of so many bytes; `None` when the input ended before it began.
pub fn read(input: &mut impl Read, bounds: RangeInclusive<usize>) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; 4];
    match fill(input, &mut length)? {
        0 => return Ok(None),
        4 => {}
        _ => return Err(FrameError::Truncated),
    }
    let length = u32::from_ne_bytes(length);
    let wanted = usize::try_from(length).ok().filter(|length| bounds.contains(length));
    let mut body = vec![0; wanted.ok_or(FrameError::Length(length))?];
    match fill(input, &mut body)? == body.len() {
        true => Ok(Some(body)),
        false => Err(FrameError::Truncated),
    }
}

/// As much as there is, up to the whole buffer.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, FrameError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError::Io(error)),
        }
    }
    Ok(filled)
}

/// Writes one frame, whole; `InvalidData` when it is longer than `most` bytes (nothing is written then).
pub fn write(output: &mut impl Write, message: &impl Serialize, most: usize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= most);
    let length = length.ok_or_else(|| {
        let what = format!("an answer of {} bytes; {most} are allowed", body.len());
        io::Error::new(io::ErrorKind::InvalidData, what)
    })?;
    output.write_all(&[&length.to_ne_bytes(), &body[..]].concat())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn framed(length: u32, body: &[u8]) -> Vec<u8> {
        [&length.to_ne_bytes(), body].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut wire = Vec::new();
        for message in [json!({"a": "б"}), json!({"x": "y".repeat(8000)})] {
            write(&mut wire, &message, MAX_ANSWER).unwrap();
        }
        let mut input = &wire[..];
        let first = read(&mut input, REQUEST).unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&first).unwrap(), json!({"a": "б"}));
        assert_eq!(read(&mut input, REQUEST).unwrap().unwrap().len(), 8008);
        assert!(read(&mut input, REQUEST).unwrap().is_none());
    }

    #[test]
    fn lengths_are_bounded_both_ways() {
        for length in [0, 4, 8193, u32::MAX] {
            let error = read(&mut &framed(length, b"12345678")[..], REQUEST).unwrap_err();
            assert!(matches!(error, FrameError::Length(told) if told == length), "{error}");
        }
        let mut wire = Vec::new();
        let long = write(&mut wire, &"x".repeat(MAX_ANSWER), MAX_ANSWER).unwrap_err();
        assert_eq!(long.kind(), io::ErrorKind::InvalidData);
        assert!(wire.is_empty());
        write(&mut wire, &"x".repeat(MAX_ANSWER - 2), MAX_ANSWER).unwrap();
        assert_eq!(wire.len(), 4 + MAX_ANSWER);
    }

    proptest! {
        #[test]
        fn a_cut_anywhere_is_told(cut in 1usize..24) {
            let whole = framed(20, b"{\"command\":\"quit\"}  ");
            let read = read(&mut &whole[..cut], REQUEST);
            prop_assert!(matches!(read, Err(FrameError::Truncated)) || cut == 24);
        }
    }
}
