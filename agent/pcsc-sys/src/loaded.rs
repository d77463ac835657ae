//! The calls where PC/SC is a library that may be missing: found at the first call.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::sync::OnceLock;

use crate::{
    DWORD, LONG, SCARD_E_NO_SERVICE, SCARD_IO_REQUEST, SCARD_PROTOCOL_RAW, SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1,
    SCARD_READERSTATE, SCARDCONTEXT, SCARDHANDLE,
};

/// pcsc-lite's library by its interface's version. The name without one comes with the headers only.
const NAME: &str = "libpcsclite.so.1";

/// Loaded once and never unloaded: contexts and cards point into it.
static LIBRARY: OnceLock<Library> = OnceLock::new();

/// Whether the calls reach PC/SC's library; if not, what the system said when it was to be loaded.
///
/// A library that was missing is looked for again by each call, so installing it needs no restart.
pub fn library() -> Result<(), String> {
    loaded().map(|_| ())
}

fn loaded() -> Result<&'static Library, String> {
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    let library = Library::open(NAME).map_err(|error| error.to_string())?;
    // Where two threads were here at once, one of them loaded it a second time: the system counts that.
    Ok(LIBRARY.get_or_init(|| library))
}

macro_rules! calls {
    ($($(#[$doc:meta])+ fn $name:ident($($argument:ident: $kind:ty),+ $(,)?);)+) => {
        struct Library {
            $($name: unsafe extern "C" fn($($kind),+) -> LONG,)+
            // Keeps the functions above where they are.
            _file: libloading::Library,
        }

        impl Library {
            fn open(name: &str) -> Result<Self, libloading::Error> {
                // SAFETY: pcsc-lite's initialisers do nothing but prepare its own locks. Its functions have the
                // types below by its published header, and are called only while `_file` lives, which is for ever.
                unsafe {
                    let file = libloading::Library::new(name)?;
                    Ok(Self {
                        $($name: *file.get(concat!(stringify!($name), "\0").as_bytes())?,)+
                        _file: file,
                    })
                }
            }
        }

        $(
            $(#[$doc])+
            ///
            /// # Safety
            ///
            /// Pointers are valid for what PC/SC reads or writes there, or null where it allows that.
            pub unsafe fn $name($($argument: $kind),+) -> LONG {
                match loaded() {
                    // SAFETY: the caller's promise is the C function's condition.
                    Ok(library) => unsafe { (library.$name)($($argument),+) },
                    Err(_) => SCARD_E_NO_SERVICE,
                }
            }
        )+
    };
}

calls! {
    /// A new context; each thread that waits needs one of its own.
    fn SCardEstablishContext(scope: DWORD, reserved1: *const c_void, reserved2: *const c_void, context: *mut SCARDCONTEXT);
    /// Ends a context.
    fn SCardReleaseContext(context: SCARDCONTEXT);
    /// Whether the library knows the context; it says yes even when the service behind it is gone.
    fn SCardIsValidContext(context: SCARDCONTEXT);
    /// Ends the wait for changes that is under way in this context.
    fn SCardCancel(context: SCARDCONTEXT);
    /// The readers' names, each ended by a zero byte, the list by another.
    fn SCardListReaders(context: SCARDCONTEXT, groups: *const c_char, readers: *mut c_char, length: *mut DWORD);
    /// Waits until a reader is not as the caller believes.
    fn SCardGetStatusChange(context: SCARDCONTEXT, timeout: DWORD, states: *mut SCARD_READERSTATE, count: DWORD);
    /// Connects to the card in a reader.
    fn SCardConnect(
        context: SCARDCONTEXT, reader: *const c_char, share: DWORD, protocols: DWORD,
        card: *mut SCARDHANDLE, active: *mut DWORD,
    );
    /// Connects again by the same handle.
    fn SCardReconnect(card: SCARDHANDLE, share: DWORD, protocols: DWORD, initialization: DWORD, active: *mut DWORD);
    /// Ends a connection.
    fn SCardDisconnect(card: SCARDHANDLE, disposition: DWORD);
    /// Waits until nobody else has a transaction with the card, and begins one.
    fn SCardBeginTransaction(card: SCARDHANDLE);
    /// Ends a transaction.
    fn SCardEndTransaction(card: SCARDHANDLE, disposition: DWORD);
    /// The reader's and the card's state.
    fn SCardStatus(
        card: SCARDHANDLE, reader: *mut c_char, reader_length: *mut DWORD, state: *mut DWORD, protocol: *mut DWORD,
        atr: *mut u8, atr_length: *mut DWORD,
    );
    /// Reads an attribute of the reader.
    fn SCardGetAttrib(card: SCARDHANDLE, attribute: DWORD, value: *mut u8, length: *mut DWORD);
    /// Sets an attribute of the reader.
    fn SCardSetAttrib(card: SCARDHANDLE, attribute: DWORD, value: *const u8, length: DWORD);
    /// A command to the card, and its answer.
    fn SCardTransmit(
        card: SCARDHANDLE, send_protocol: *const SCARD_IO_REQUEST, send: *const u8, send_length: DWORD,
        receive_protocol: *mut SCARD_IO_REQUEST, receive: *mut u8, receive_length: *mut DWORD,
    );
    /// A command to the reader, and its answer.
    fn SCardControl(
        card: SCARDHANDLE, code: DWORD, send: *const u8, send_length: DWORD,
        receive: *mut u8, receive_room: DWORD, receive_length: *mut DWORD,
    );
}

const fn protocol(number: DWORD) -> SCARD_IO_REQUEST {
    SCARD_IO_REQUEST {
        dwProtocol: number,
        cbPciLength: size_of::<SCARD_IO_REQUEST>() as DWORD,
    }
}

/// Names T=0 to [`SCardTransmit`].
pub static g_rgSCardT0Pci: SCARD_IO_REQUEST = protocol(SCARD_PROTOCOL_T0);
/// Names T=1 to [`SCardTransmit`].
pub static g_rgSCardT1Pci: SCARD_IO_REQUEST = protocol(SCARD_PROTOCOL_T1);
/// Names the raw protocol to [`SCardTransmit`].
pub static g_rgSCardRawPci: SCARD_IO_REQUEST = protocol(SCARD_PROTOCOL_RAW);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_missing_library_is_told_by_the_system_and_not_kept() {
        for _ in 0..2 {
            let error = Library::open("libpcsclite-that-is-nowhere.so.1").err().unwrap();
            assert!(error.to_string().contains("nowhere"), "{error}");
        }
    }

    #[test]
    fn a_library_without_these_calls_is_refused() {
        // The C library is there on every machine and knows no cards.
        let name = if cfg!(target_env = "gnu") {
            "libc.so.6"
        } else {
            "libc.so"
        };
        let error = Library::open(name).err().unwrap();
        assert!(error.to_string().contains("SCard"), "{error}");
    }

    #[test]
    fn calls_without_a_service_answer_and_do_not_crash() {
        // A handle that nobody gave out: refused by the library where it is there, by us where it is not.
        // SAFETY: no pointers are passed.
        let answer = unsafe { SCardDisconnect(0, crate::SCARD_LEAVE_CARD) };
        match library() {
            Ok(()) => assert_eq!(answer, crate::SCARD_E_INVALID_HANDLE),
            Err(why) => {
                assert!(why.contains(NAME), "{why}");
                assert_eq!(answer, SCARD_E_NO_SERVICE);
            }
        }
    }
}
