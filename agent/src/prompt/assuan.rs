//! The client half of Assuan, as far as a pinentry needs it.
//!
//! Lines of at most 1000 octets, commands answered by `OK` or `ERR`, data in
//! `D` lines, percent-escapes both ways (Assuan manual, "Client requests" and
//! "Server responses"). The buffers that a PIN passes through are wiped, and are
//! as large from the start as they may become, so that no copy is left behind.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::{Zeroize, Zeroizing};

/// Octets of a line, without its line feed.
pub(super) const MAX_LINE: usize = 1000;
/// Octets of data one answer may bring: far more than any PIN.
const MAX_DATA: usize = 512;
/// Lines one answer may have.
const MAX_LINES: usize = 200;

/// An answer.
pub(super) enum Reply {
    /// `OK`, with the data that came before it.
    Ok(Zeroizing<Vec<u8>>),
    /// `ERR`: the code without its source, and the text.
    Err(u32, String),
}

/// The peer does not speak Assuan, or no longer speaks at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It closed its end.
    Closed,
    /// A line, an answer or its data is longer than Assuan or we allow.
    TooLong,
    /// Something that is no answer.
    Garbage,
}

/// A connection.
pub(super) struct Assuan<R, W> {
    input: R,
    output: W,
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Assuan<R, W> {
    /// Over the peer's output and input.
    pub(super) fn new(input: R, output: W) -> Self {
        Self {
            input,
            output,
            buffer: Zeroizing::new(vec![0; MAX_LINE + 1]),
            filled: 0,
        }
    }

    /// Waits for the greeting, an `OK`.
    pub(super) async fn greeting(&mut self) -> Result<(), Broken> {
        match self.reply().await? {
            Reply::Ok(_) => Ok(()),
            Reply::Err(..) => Err(Broken::Garbage),
        }
    }

    /// Sends `command`, with `argument` escaped, and waits for the answer.
    pub(super) async fn call(&mut self, command: &str, argument: &str) -> Result<Reply, Broken> {
        let line = match argument {
            "" => command.to_owned(),
            argument => format!("{command} {}", escape(argument)),
        };
        if line.len() > MAX_LINE {
            return Err(Broken::TooLong);
        }
        self.send(&line).await?;
        self.reply().await
    }

    async fn send(&mut self, line: &str) -> Result<(), Broken> {
        let line = format!("{line}\n");
        self.output
            .write_all(line.as_bytes())
            .await
            .map_err(|_| Broken::Closed)?;
        self.output.flush().await.map_err(|_| Broken::Closed)
    }

    async fn reply(&mut self) -> Result<Reply, Broken> {
        let mut data = Zeroizing::new(Vec::with_capacity(MAX_DATA));
        for _ in 0..MAX_LINES {
            let line = self.line().await?;
            let (word, rest) = split(&line);
            match word {
                b"OK" => return Ok(Reply::Ok(data)),
                b"ERR" => return error(rest),
                b"D" => unescape(rest, &mut data)?,
                b"S" => (),
                b"INQUIRE" => self.send("CAN").await?,
                word if word.first() == Some(&b'#') => (),
                _ => return Err(Broken::Garbage),
            }
        }
        Err(Broken::TooLong)
    }

    /// The next line, without its line feed.
    async fn line(&mut self) -> Result<Zeroizing<Vec<u8>>, Broken> {
        loop {
            if let Some(end) = self.buffer[..self.filled].iter().position(|byte| *byte == b'\n') {
                let line = Zeroizing::new(self.buffer[..end].to_vec());
                self.buffer.copy_within(end + 1..self.filled, 0);
                self.filled -= end + 1;
                self.buffer[self.filled..].zeroize();
                return Ok(line);
            }
            if self.filled == self.buffer.len() {
                return Err(Broken::TooLong);
            }
            let read = self.input.read(&mut self.buffer[self.filled..]).await;
            match read {
                Ok(0) | Err(_) => return Err(Broken::Closed),
                Ok(read) => self.filled += read,
            }
        }
    }
}

/// The first word and what follows its space.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|byte| *byte == b' ') {
        Some(space) => (&line[..space], &line[space + 1..]),
        None => (line, &[]),
    }
}

/// `ERR <code> <text>`; the code's upper half names its source and is left out.
fn error(rest: &[u8]) -> Result<Reply, Broken> {
    let (code, text) = split(rest);
    let code = std::str::from_utf8(code).ok().and_then(|code| code.parse::<u32>().ok());
    let text = String::from_utf8_lossy(text).into_owned();
    code.map(|code| Reply::Err(code & 0xffff, text)).ok_or(Broken::Garbage)
}

/// Escapes what would end a line early or be taken for an escape.
pub(super) fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn unescape(text: &[u8], data: &mut Vec<u8>) -> Result<(), Broken> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match (digit(bytes.next()), digit(bytes.next())) {
                (Some(high), Some(low)) => (16 * high + low) as u8,
                _ => return Err(Broken::Garbage),
            },
            byte => *byte,
        };
        if data.len() == MAX_DATA {
            return Err(Broken::TooLong);
        }
        data.push(byte);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn answer(bytes: &[u8]) -> Result<Reply, Broken> {
        let mut sent = Vec::new();
        Assuan::new(bytes, &mut sent).call("GETPIN", "").await
    }

    async fn data(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
        match answer(bytes).await? {
            Reply::Ok(data) => Ok(data.to_vec()),
            Reply::Err(code, text) => panic!("{code} {text}"),
        }
    }

    #[tokio::test]
    async fn data_is_unescaped_and_joined() {
        assert_eq!(data(b"D 12%2534\nOK\n").await, Ok(b"12%34".to_vec()));
        let mixed = b"# hello\nS PASSWORD_FROM_CACHE\nD 12\nD %0a%C3%A9\nOK closing\n";
        assert_eq!(data(mixed).await, Ok(b"12\n\xc3\xa9".to_vec()));
        assert_eq!(data(b"OK\n").await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn errors_lose_their_source() {
        let Ok(Reply::Err(code, text)) = answer(b"ERR 83886179 Operation cancelled <Pinentry>\n").await else {
            panic!("an error")
        };
        assert_eq!((code, text.as_str()), (99, "Operation cancelled <Pinentry>"));
    }

    #[tokio::test]
    async fn what_is_no_assuan_is_refused() {
        let endless = "x".repeat(5000);
        let comments = "# \n".repeat(300);
        let flood = format!("{}OK\n", "D aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(20));
        for (bytes, broken) in [
            (&b""[..], Broken::Closed),
            (b"OK", Broken::Closed),
            (b"HTTP/1.1 200 OK\n", Broken::Garbage),
            (b"\n", Broken::Garbage),
            (b"ERR nonsense\n", Broken::Garbage),
            (b"D %4\nOK\n", Broken::Garbage),
            (b"D %zz\nOK\n", Broken::Garbage),
            (endless.as_bytes(), Broken::TooLong),
            (comments.as_bytes(), Broken::TooLong),
            (flood.as_bytes(), Broken::TooLong),
        ] {
            assert_eq!(
                data(bytes).await,
                Err(broken),
                "{:?}",
                String::from_utf8_lossy(bytes).get(..40)
            );
        }
    }

    #[tokio::test]
    async fn commands_are_escaped_and_bounded_and_inquiries_cancelled() {
        let mut sent = Vec::new();
        let mut peer = Assuan::new(&b"INQUIRE QUALITY\nERR 99\nOK\n"[..], &mut sent);
        peer.call("SETDESC", "100%\r\nсогласен?").await.unwrap();
        assert!(matches!(
            peer.call("SETDESC", &"%".repeat(400)).await,
            Err(Broken::TooLong)
        ));
        drop(peer);
        assert_eq!(String::from_utf8(sent).unwrap(), "SETDESC 100%25%0D%0Aсогласен?\nCAN\n");
    }
}
