//! The browser's frames, read on a thread of their own: so the end of the input is seen while a window is open.

use std::io::{self, Read};

use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::native_host::frame::{self, FrameError};

/// Bytes of a command that are read.
const COMMAND: std::ops::RangeInclusive<usize> = 0..=1024 * 1024;
/// Bytes that a browser sends at most; who says more is none.
const BROWSERS_MOST: u32 = 64 * 1024 * 1024;
/// Commands that wait for their turn. The page's library sends one at a time; a page without it that sends more
/// than these gets no answer to the surplus.
const WAITING: usize = 32;

/// What came.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A command, which may hold the PIN that a page asked for: it is wiped when it is done with.
    Command(Zeroizing<Vec<u8>>),
    /// One of so many bytes, which are skipped.
    TooLong(u32),
}

/// Whether there is still somebody there.
#[derive(Clone, Debug)]
pub(super) struct Gone {
    /// The input ended, or a signal came.
    page: CancellationToken,
    /// A signal came.
    stop: CancellationToken,
}

impl Gone {
    fn new() -> Self {
        let stop = CancellationToken::new();
        Self {
            page: stop.child_token(),
            stop,
        }
    }

    /// Cancelled when the page is gone: what waits for the person ends then.
    pub(super) fn page(&self) -> &CancellationToken {
        &self.page
    }

    /// A signal came: everything ends.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ready once a signal came.
    pub(super) async fn stopped(&self) {
        self.stop.cancelled().await;
    }
}

/// Starts to read. The receiver ends with the input; the commands before its end are still there to be answered.
pub(super) fn listen(mut input: impl Read + Send + 'static) -> (Receiver<Incoming>, Gone) {
    let (sender, commands) = channel(WAITING);
    let gone = Gone::new();
    let ended = gone.page.clone();
    std::thread::spawn(move || {
        while let Some(incoming) = next(&mut input) {
            // A full queue drops the command, so that the end of the input is never waited for.
            if sender.try_send(incoming).is_err() && sender.is_closed() {
                break;
            }
        }
        ended.cancel();
    });
    (commands, gone)
}

/// The next frame; `None` at the end, or where no frame can follow.
fn next(input: &mut impl Read) -> Option<Incoming> {
    match frame::read(input, COMMAND) {
        Ok(message) => message.map(|message| Incoming::Command(Zeroizing::new(message))),
        Err(FrameError::Length(length)) if length <= BROWSERS_MOST => {
            let skipped = io::copy(&mut input.take(u64::from(length)), &mut io::sink()).ok()?;
            (skipped == u64::from(length)).then_some(Incoming::TooLong(length))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn framed(length: u32, body: &[u8]) -> Vec<u8> {
        [&length.to_ne_bytes(), body].concat()
    }

    fn all(input: Vec<u8>) -> Vec<Option<usize>> {
        let mut input = &input[..];
        let told = |incoming| match incoming {
            Incoming::Command(message) => Some(message.len()),
            Incoming::TooLong(_) => None,
        };
        std::iter::from_fn(|| next(&mut input)).map(told).collect()
    }

    #[test]
    fn what_is_too_long_is_skipped_and_what_follows_is_read() {
        let most = *COMMAND.end();
        let long = framed(u32::try_from(most).unwrap() + 1, &vec![b' '; most + 1]);
        let whole = framed(u32::try_from(most).unwrap(), &vec![b' '; most]);
        let wire = [framed(0, b""), long.clone(), whole, framed(2, b"{}")].concat();
        assert_eq!(all(wire), [Some(0), None, Some(most), Some(2)]);
        assert_eq!(all([&long[..100], b"x"].concat()), [], "the input ended inside it");
        assert_eq!(all(framed(BROWSERS_MOST + 1, b"{}")), [], "no browser sends that");
        assert_eq!(
            all(b"{\"func_name\":\"version\"}".to_vec()),
            [],
            "text instead of frames"
        );
        assert_eq!(all(framed(2, b"{")), []);
    }

    #[tokio::test]
    async fn a_flood_is_not_kept_and_the_end_is_seen_behind_it() {
        let flood = framed(2, b"{}").repeat(10 * WAITING);
        let (mut commands, gone) = listen(io::Cursor::new(flood));
        gone.page().cancelled().await;
        let mut kept = 0;
        while commands.recv().await.is_some() {
            kept += 1;
        }
        assert_eq!(kept, WAITING);
    }
}
