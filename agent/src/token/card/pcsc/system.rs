//! The system's own PC/SC, over crate `pcsc`.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pcsc::{Disposition, Error, PNP_NOTIFICATION, Protocols, ReaderState, Scope, ShareMode, State};
use zeroize::Zeroizing;

use super::{Connection, Context, Ending, Exchange, Fault, Seen, Stack, Watched};
use crate::token::card::transport::Protocol;

/// pcsc-lite waits for so many readers at a time, the pseudo reader for arrivals included (PCSCLITE_MAX_READERS_CONTEXTS).
const MOST: usize = 16;
/// An answer: extended APDUs may have 65,536 bytes and a status word.
const ANSWER: usize = pcsc::MAX_BUFFER_SIZE_EXTENDED;
/// An answer to a control code.
const CONTROL_ANSWER: usize = 1024;

/// The system's PC/SC service.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl System {
    /// Whether its library is there; if not, what the system says.
    pub fn library() -> Result<(), String> {
        pcsc_sys::library()
    }
}

impl Stack for System {
    fn establish(&self) -> Result<Box<dyn Context>, Fault> {
        match pcsc::Context::establish(Scope::System) {
            Ok(context) => Ok(Box::new(Line {
                context,
                arrivals: AtomicU32::new(0),
            })),
            Err(error) => Err(match Self::library() {
                Err(why) => Fault::NoService(format!("its library is missing ({why})")),
                // Without a service there are many ways of saying so.
                Ok(()) => Fault::NoService(error.to_string()),
            }),
        }
    }
}

struct Line {
    context: pcsc::Context,
    /// What the pseudo reader for arrivals said before the readers were listed last: see [`pseudo_reader`].
    arrivals: AtomicU32,
}

impl Context for Line {
    fn readers(&self) -> Result<Vec<String>, Fault> {
        let mut arrivals = [pseudo_reader(0)];
        // It returns at once, and says how many there were whether it calls that a change or not.
        match self.context.get_status_change(Duration::ZERO, &mut arrivals) {
            Ok(()) | Err(Error::Timeout) => {}
            Err(error) => return Err(fault(error)),
        }
        self.arrivals.store(arrivals[0].event_count(), Ordering::Relaxed);
        let names = self.context.list_readers_owned().map_err(fault)?;
        // Names that are not UTF-8 could not be asked for again.
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    fn wait(&self, watched: &mut [Watched], arrivals: bool, timeout: Option<Duration>) -> Result<(), Fault> {
        let mut states: Vec<ReaderState> = Vec::with_capacity(watched.len() + 1);
        for one in watched.iter().take(MOST - 1) {
            states.push(ReaderState::new(name(&one.reader)?, known(one.known)));
        }
        let watching = states.len();
        if arrivals {
            states.push(pseudo_reader(self.arrivals.load(Ordering::Relaxed)));
        }
        self.context.get_status_change(timeout, &mut states).map_err(fault)?;
        for (one, state) in watched.iter_mut().zip(&states[..watching]) {
            one.found = seen(state);
            state.atr().clone_into(&mut one.atr);
        }
        Ok(())
    }

    fn cancel(&self) {
        let _ = self.context.cancel();
    }

    fn connect(&self, reader: &str) -> Result<Box<dyn Connection>, Fault> {
        let card = self.context.connect(&name(reader)?, ShareMode::Shared, Protocols::ANY);
        Ok(Box::new(Connected(Some(card.map_err(fault)?))))
    }
}

/// The pseudo reader for arrivals, of which this is known: the upper word of its state counts readers (Windows), or
/// comings and goings of readers (pcsc-lite from 2.3 on), so that none is missed that happened since. Before that it is
/// zero, and what happened before a wait began is not known to it.
fn pseudo_reader(known: u32) -> ReaderState {
    ReaderState::new(PNP_NOTIFICATION().to_owned(), counted(known))
}

fn counted(count: u32) -> State {
    State::from_bits_retain((count << 16).into())
}

fn name(reader: &str) -> Result<CString, Fault> {
    CString::new(reader).map_err(|_| Fault::NoReader)
}

/// What is handed back as known: the flags but "changed", and the count of events.
fn known(seen: Option<Seen>) -> State {
    let flags = |seen: Seen| seen.flags & !(State::CHANGED.bits() as u32);
    State::from_bits_retain(seen.map_or(0, flags).into())
}

fn seen(state: &ReaderState) -> Seen {
    let (flags, events) = (state.event_state(), state.event_count());
    Seen {
        present: flags.contains(State::PRESENT),
        mute: flags.contains(State::MUTE),
        events: events as u16,
        flags: (flags.bits() as u32 & 0xFFFF) | (events << 16),
    }
}

/// Dropped without `disconnect`, it leaves the card as it is: crate `pcsc` would reset it under others' hands.
struct Connected(Option<pcsc::Card>);

impl Connected {
    fn card(&mut self) -> Result<&mut pcsc::Card, Fault> {
        self.0.as_mut().ok_or(Fault::NoCard)
    }
}

impl Connection for Connected {
    fn transacted(&mut self, script: &mut dyn FnMut(&mut dyn Exchange) -> Ending) -> Result<(), Fault> {
        let card = self.card()?;
        let ended = match card.transaction() {
            Ok(transaction) => {
                // A transaction that is dropped leaves the card as it is.
                let protocol = negotiated(transaction.status2_owned().map(|status| status.protocol2()))?;
                let buffer = Zeroizing::new(vec![0; ANSWER]);
                let ending = script(&mut Transacted {
                    card: &transaction,
                    protocol,
                    buffer,
                });
                transaction.end(disposition(ending)).map_err(|(_, error)| error)
            }
            Err(error) => Err(error),
        };
        ended.map_err(fault)
    }

    fn disconnect(mut self: Box<Self>, ending: Ending) {
        self.finish(ending);
    }
}

impl Connected {
    fn finish(&mut self, ending: Ending) {
        let Some(card) = self.0.take() else { return };
        if let Err((card, error)) = card.disconnect(disposition(ending)) {
            tracing::debug!(%error, "a connection to a card was lost before its end");
            // Its drop asks for a reset in vain, for the connection is dead, and lets go of its context. One that is
            // not would reset the card under others' hands: it and its context are kept rather than that.
            if !is_dead(error) {
                std::mem::forget(card);
            }
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        // A script that panicked may have given a PIN.
        self.finish(if std::thread::panicking() {
            Ending::Reset
        } else {
            Ending::Leave
        });
    }
}

/// What a connection's card speaks. One that says nothing of it was powered anew since, and has to be connected to once
/// more: commands in the form of the other protocol would be refused.
fn negotiated(told: Result<Option<pcsc::Protocol>, Error>) -> Result<Protocol, Fault> {
    match told {
        Ok(Some(pcsc::Protocol::T0)) => Ok(Protocol::T0),
        Ok(Some(_)) => Ok(Protocol::T1),
        Ok(None) => Err(Fault::Reset),
        Err(error) => Err(match fault(error) {
            Fault::Other(_) => Fault::Reset,
            known => known,
        }),
    }
}

/// Whether what a connection ended with says that it leads to no card any more.
fn is_dead(error: Error) -> bool {
    matches!(fault(error), Fault::NoCard | Fault::NoReader | Fault::NoService(_))
}

fn disposition(ending: Ending) -> Disposition {
    match ending {
        Ending::Leave => Disposition::LeaveCard,
        Ending::Reset => Disposition::ResetCard,
    }
}

struct Transacted<'a> {
    card: &'a pcsc::Card,
    protocol: Protocol,
    /// For answers; wiped, for they may hold personal data.
    buffer: Zeroizing<Vec<u8>>,
}

impl Exchange for Transacted<'_> {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, Fault> {
        let answer = self.card.transmit(command, &mut self.buffer).map_err(fault)?;
        Ok(answer.to_vec())
    }

    fn control(&mut self, code: u32, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut buffer = [0; CONTROL_ANSWER];
        let answer = self.card.control(code.into(), input, &mut buffer).map_err(fault)?;
        Ok(answer.to_vec())
    }
}

/// PC/SC's codes, by what they mean to us.
fn fault(error: Error) -> Fault {
    match error {
        Error::Cancelled => Fault::Cancelled,
        Error::Timeout => Fault::Timeout,
        Error::SharingViolation => Fault::Sharing,
        Error::ResetCard => Fault::Reset,
        Error::UnresponsiveCard | Error::UnpoweredCard | Error::UnsupportedCard | Error::ProtoMismatch => Fault::Mute,
        // NotTransacted is what pcsc-lite says of an exchange that failed: right after the card was pulled.
        Error::NoSmartcard | Error::RemovedCard | Error::NotTransacted => Fault::NoCard,
        Error::UnknownReader | Error::ReaderUnavailable => Fault::NoReader,
        // A context or handle of a service that ended; pcsc-lite's line to it broken.
        Error::NoService
        | Error::ServiceStopped
        | Error::CommError
        | Error::InvalidHandle
        | Error::Shutdown
        | Error::SystemCancelled => Fault::NoService(error.to_string()),
        other => Fault::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_known_again_without_its_change() {
        let seen = Seen {
            present: true,
            mute: false,
            events: 7,
            flags: 0x0007_0022,
        };
        assert_eq!(known(Some(seen)).bits(), 0x0007_0020);
        assert_eq!(known(None), State::UNAWARE);
    }

    #[test]
    fn what_the_pseudo_reader_counted_is_handed_back_in_the_upper_word() {
        assert_eq!(counted(0), State::UNAWARE);
        assert_eq!(counted(3).bits(), 0x0003_0000);
    }

    /// Its context is let go with it; a connection that may be alive is kept rather than reset.
    #[test]
    fn only_a_dead_connection_is_dropped() {
        for error in [
            Error::InvalidHandle,
            Error::CommError,
            Error::NoService,
            Error::ReaderUnavailable,
            Error::RemovedCard,
        ] {
            assert!(is_dead(error), "{error}");
        }
        for error in [Error::SharingViolation, Error::ResetCard, Error::InvalidValue] {
            assert!(!is_dead(error), "{error}");
        }
    }

    #[test]
    fn no_protocol_is_guessed() {
        assert_eq!(negotiated(Ok(Some(pcsc::Protocol::T0))), Ok(Protocol::T0));
        assert_eq!(negotiated(Ok(Some(pcsc::Protocol::T1))), Ok(Protocol::T1));
        assert_eq!(negotiated(Ok(None)), Err(Fault::Reset));
        assert_eq!(negotiated(Err(Error::InsufficientBuffer)), Err(Fault::Reset));
        assert_eq!(negotiated(Err(Error::RemovedCard)), Err(Fault::NoCard));
    }

    #[test]
    fn names_end_where_c_ends_them() {
        assert_eq!(name("a\0b"), Err(Fault::NoReader));
        assert_eq!(name("Reader 00 00").as_deref(), Ok(c"Reader 00 00"));
    }

    #[test]
    fn a_dead_context_is_known_by_any_of_its_codes() {
        for error in [Error::NoService, Error::CommError, Error::InvalidHandle] {
            assert!(matches!(fault(error), Fault::NoService(_)), "{error}");
        }
        assert_eq!(fault(Error::NotTransacted), Fault::NoCard);
    }
}
