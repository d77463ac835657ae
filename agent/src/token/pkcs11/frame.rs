//! What travels between the agent and a module's process.
//!
//! A frame is its length (32 bits, big-endian) and so many bytes of JSON. The child
//! first sends one [`Started`]; then each [`Request`] is answered by one [`Response`].
//! A PIN is no JSON: where [`Request::Sign`] announces one, its bytes follow in a frame
//! of their own, so that no serialiser leaves a copy of it. Neither side trusts the
//! other's lengths: frames, lists and nesting (by serde_json, 128) are bounded both ways.

use std::io::{self, Read};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::token::{Credential, SignJob, TokenId, TokenInfo, bytes};

/// The longest frame, bytes, without its length.
pub(super) const LIMIT: usize = 256 * 1024;
/// The longest PIN, bytes.
pub(super) const PIN_LIMIT: usize = 255;
/// The most tokens one module may show.
pub(super) const TOKENS: usize = 64;
/// The longest name of a token, bytes; ours have 22.
pub(super) const TOKEN_ID: usize = 64;
/// The longest name of a key, bytes: two CKA_IDs of 256 in hexadecimal, and what parts them.
const KEY_NAME: usize = 2 * 512 + 1;
/// The most certificates one token may show.
pub(super) const CERTIFICATES: usize = 32;
/// The most signatures of one job.
pub(super) const SIGNATURES: usize = 64;
/// The longest certificate, bytes.
pub(super) const CERTIFICATE_LIMIT: usize = 8 * 1024;
/// The longest signature, bytes: RSA-8192.
pub(super) const SIGNATURE_LIMIT: usize = 1024;

/// The child's first word: the module is loaded and initialised, or why it is not.
pub(super) type Started = Result<(), String>;

/// A question to the module.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Tokens,
    Credentials(TokenId),
    Sign {
        token: TokenId,
        job: SignJob,
        /// A frame with the PIN follows.
        pin: bool,
    },
}

/// An answer.
pub(super) type Response = Result<Answer, Failure>;

/// What a question yields.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Answer {
    Tokens(Vec<TokenInfo>),
    Credentials(Vec<Credential>),
    Signatures(#[serde(with = "bytes::list")] Vec<Vec<u8>>),
}

/// How a question fails while the child lives.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    /// Cancelled on the reader's pad.
    Cancelled,
    /// The module failed of this: text that follows its name.
    Module(String),
    NoCertificate(String),
    PinIncorrect(Option<u8>),
    /// Shorter or longer than the token takes; not tried.
    PinLength(usize, usize),
    PinLocked,
    PinMustChange,
    /// A PIN is needed and none was given; not tried.
    PinMissing,
    TokenRemoved,
    Unsupported(String),
}

/// A value as a frame.
pub(super) fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, value)?;
    let length = frame.len() - 4;
    frame[..4].copy_from_slice(&prefix(length, LIMIT)?);
    Ok(frame)
}

/// A PIN as a frame; wiped when dropped.
pub(super) fn encode_pin(pin: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    // The room is taken before the PIN goes in: growing would leave a copy behind.
    let mut frame = Zeroizing::new(Vec::with_capacity(4 + pin.len()));
    frame.extend_from_slice(&prefix(pin.len(), PIN_LIMIT)?);
    frame.extend_from_slice(pin);
    Ok(frame)
}

fn prefix(length: usize, limit: usize) -> io::Result<[u8; 4]> {
    match u32::try_from(length) {
        Ok(prefix) if length <= limit => Ok(prefix.to_be_bytes()),
        _ => Err(invalid(format!(
            "a frame of {length} bytes; at most {limit} are allowed"
        ))),
    }
}

/// The next frame's bytes; `None` at the end of the stream. Wiped when dropped.
pub(super) fn read(stream: &mut impl Read, limit: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut prefix = [0; 4];
    // An end between two frames is a goodbye; an end inside one is an error.
    match stream.read(&mut prefix[..1])? {
        0 => return Ok(None),
        _ => stream.read_exact(&mut prefix[1..])?,
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > limit {
        return Err(invalid(format!(
            "a frame of {length} bytes; at most {limit} are allowed"
        )));
    }
    let mut frame = Zeroizing::new(vec![0; length]);
    stream.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// The next frame's value; `None` at the end of the stream.
pub(super) fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let Some(frame) = read(stream, LIMIT)? else {
        return Ok(None);
    };
    Ok(Some(serde_json::from_slice(&frame)?))
}

impl Request {
    /// What the child refuses before it asks the module.
    pub(super) fn check(self) -> io::Result<Self> {
        let fits = match &self {
            Self::Sign { job, .. } => {
                (1..=SIGNATURES).contains(&job.inputs.len()) && job.certificate.len() <= CERTIFICATE_LIMIT
            }
            Self::Tokens | Self::Credentials(_) => true,
        };
        if fits {
            Ok(self)
        } else {
            Err(invalid("a job out of bounds".to_owned()))
        }
    }
}

impl Answer {
    /// Whether it stays within what was asked for: the child may have been taken over by its module.
    pub(super) fn check(self) -> io::Result<Self> {
        let certificates = |c: &Credential| {
            c.intermediates.len() <= CERTIFICATES
                && c.mechanisms.len() <= 32
                && c.key.len() <= KEY_NAME
                && c.intermediates
                    .iter()
                    .chain([&c.certificate])
                    .all(|der| der.len() <= CERTIFICATE_LIMIT)
        };
        let fits = match &self {
            Self::Tokens(tokens) => {
                tokens.len() <= TOKENS && tokens.iter().all(|token| token.id.as_str().len() <= TOKEN_ID)
            }
            Self::Credentials(list) => list.len() <= CERTIFICATES && list.iter().all(certificates),
            Self::Signatures(list) => list.iter().all(|signature| signature.len() <= SIGNATURE_LIMIT),
        };
        if fits {
            Ok(self)
        } else {
            Err(invalid("an answer out of bounds".to_owned()))
        }
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let sent = Request::Credentials(TokenId::new(&["a"]));
        let frame = encode(&sent).unwrap();
        let mut stream = frame.as_slice();
        let got: Request = receive(&mut stream).unwrap().unwrap();
        assert!(matches!(got, Request::Credentials(id) if id == TokenId::new(&["a"])));
        assert!(receive::<Request>(&mut stream).unwrap().is_none());

        let answer: Response = Ok(Answer::Signatures(vec![vec![0, 255], vec![]]));
        let mut stream: &[u8] = &encode(&answer).unwrap();
        assert_eq!(receive::<Response>(&mut stream).unwrap().unwrap(), answer);
    }

    #[test]
    fn a_pin_travels_in_a_frame_of_its_own() {
        let frame = encode_pin("пин".as_bytes()).unwrap();
        assert_eq!(&frame[..4], [0, 0, 0, 6]);
        assert_eq!(frame.capacity(), frame.len());
        let mut stream = frame.as_slice();
        assert_eq!(&**read(&mut stream, PIN_LIMIT).unwrap().unwrap(), "пин".as_bytes());
        assert!(encode_pin(&[b'1'; 256]).is_err());
    }

    #[test]
    fn an_oversized_frame_is_refused_before_it_is_read() {
        let mut stream: &[u8] = &[0xFF, 0xFF, 0xFF, 0xFF, b'x'];
        assert_eq!(
            receive::<Request>(&mut stream).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(stream, b"x");
        assert!(encode(&"x".repeat(LIMIT)).is_err());
    }

    #[test]
    fn an_end_inside_a_frame_is_an_error() {
        let frame = encode(&Request::Tokens).unwrap();
        for end in 1..frame.len() {
            let error = receive::<Request>(&mut &frame[..end]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{end}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = "[".repeat(LIMIT);
        let mut frame = (text.len() as u32).to_be_bytes().to_vec();
        frame.extend(text.as_bytes());
        assert!(receive::<serde_json::Value>(&mut frame.as_slice()).is_err());
    }

    #[test]
    fn lists_out_of_bounds_are_refused() {
        assert!(Answer::Signatures(vec![vec![0; SIGNATURE_LIMIT + 1]]).check().is_err());
        let named = |length: usize| {
            serde_json::from_value(serde_json::json!({
                "id": "x".repeat(length), "kind": "pkcs11", "label": "", "reader": null,
                "pin": {"state": "ok", "tries_left": null, "pad": false, "length": null}, "test": false,
            }))
            .unwrap()
        };
        assert!(Answer::Tokens(vec![named(TOKEN_ID)]).check().is_ok());
        assert!(Answer::Tokens(vec![named(TOKEN_ID + 1)]).check().is_err());
        let empty = Credential {
            key: String::new(),
            certificate: vec![],
            intermediates: vec![],
            mechanisms: vec![],
            role: None,
        };
        assert!(Answer::Credentials(vec![empty.clone(); CERTIFICATES]).check().is_ok());
        assert!(Answer::Credentials(vec![empty; CERTIFICATES + 1]).check().is_err());
        let job = SignJob {
            key: String::new(),
            certificate: vec![],
            inputs: vec![],
        };
        assert!(
            Request::Sign {
                token: TokenId::new(&[]),
                job,
                pin: false
            }
            .check()
            .is_err()
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = receive::<Request>(&mut bytes.as_slice());
            let _ = receive::<Response>(&mut bytes.as_slice());
        }

        #[test]
        fn arbitrary_json_never_panics(text in r#"[\[\]{}":,a-zA-Z0-9]{0,200}"#) {
            let mut frame = (text.len() as u32).to_be_bytes().to_vec();
            frame.extend(text.as_bytes());
            let _ = receive::<Request>(&mut frame.as_slice());
            let _ = receive::<Response>(&mut frame.as_slice());
        }
    }
}
