//! The PC/SC C API (winscard), as far as crate `pcsc` calls it.
//!
//! It stands in the place of the registry's crate of this name, with one difference: on Linux and the BSDs
//! nothing is linked. `libpcsclite.so.1` is loaded at the first call; where that cannot be done, every call answers
//! [`SCARD_E_NO_SERVICE`], which is what a machine without a running service answers as well. So a program
//! builds without pcsc-lite's headers, starts without its library, and finds it once it is installed.
//!
//! Names, types and values are those of `winscard.h`, `pcsclite.h` and `reader.h` (pcsc-lite 1.9.9) and of the
//! Windows SDK; what a call does is described at <https://pcsclite.apdu.fr/api/>.

#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]

use std::ffi::{c_char, c_void};

mod attributes;
mod codes;
#[cfg(any(windows, target_os = "macos"))]
mod linked;
#[cfg(not(any(windows, target_os = "macos")))]
mod loaded;
mod values;

pub use attributes::*;
pub use codes::*;
#[cfg(any(windows, target_os = "macos"))]
pub use linked::*;
#[cfg(not(any(windows, target_os = "macos")))]
pub use loaded::*;
pub use values::*;

#[cfg(not(target_os = "macos"))]
mod integers {
    /// An unsigned number: `unsigned long` but on macOS.
    pub type DWORD = std::ffi::c_ulong;
    /// A signed number: `long` but on macOS.
    pub type LONG = std::ffi::c_long;
    /// An unsigned number: `unsigned long` but on macOS.
    pub type ULONG = std::ffi::c_ulong;
}
#[cfg(target_os = "macos")]
mod integers {
    /// An unsigned number of 32 bits.
    pub type DWORD = u32;
    /// A signed number of 32 bits.
    pub type LONG = i32;
    /// An unsigned number of 32 bits.
    pub type ULONG = u32;
}
pub use integers::{DWORD, LONG, ULONG};

/// A context of the resource manager.
#[cfg(not(windows))]
pub type SCARDCONTEXT = LONG;
/// A context of the resource manager.
#[cfg(windows)]
pub type SCARDCONTEXT = usize;

/// A connection to a card.
#[cfg(not(windows))]
pub type SCARDHANDLE = LONG;
/// A connection to a card.
#[cfg(windows)]
pub type SCARDHANDLE = usize;

/// Longest answer to reset, bytes (ISO/IEC 7816-3).
pub const MAX_ATR_SIZE: usize = 33;
/// [`MAX_ATR_SIZE`] by its Windows name.
pub const SCARD_ATR_LENGTH: usize = MAX_ATR_SIZE;
/// Room for an answer to reset in [`SCARD_READERSTATE`].
#[cfg(not(windows))]
pub const ATR_BUFFER_SIZE: usize = MAX_ATR_SIZE;
/// Room for an answer to reset in [`SCARD_READERSTATE`].
#[cfg(windows)]
pub const ATR_BUFFER_SIZE: usize = 36;
/// Room for a short APDU, bytes.
pub const MAX_BUFFER_SIZE: usize = 264;
/// Room for an extended APDU: header, Lc, data, Le, status word.
pub const MAX_BUFFER_SIZE_EXTENDED: usize = 4 + 3 + (1 << 16) + 3 + 2;

/// Names a protocol to `SCardTransmit`.
#[cfg_attr(not(target_os = "macos"), repr(C))]
#[cfg_attr(target_os = "macos", repr(C, packed))]
pub struct SCARD_IO_REQUEST {
    /// One of `SCARD_PROTOCOL_*`.
    pub dwProtocol: DWORD,
    /// Size of this structure.
    pub cbPciLength: DWORD,
}

/// What a caller believes of a reader, and what is so.
#[cfg_attr(not(target_os = "macos"), repr(C))]
#[cfg_attr(target_os = "macos", repr(C, packed))]
pub struct SCARD_READERSTATE {
    /// Its name.
    pub szReader: *const c_char,
    /// The caller's own.
    pub pvUserData: *mut c_void,
    /// What the caller knows: `SCARD_STATE_*`, the event counter in the upper 16 bits.
    pub dwCurrentState: DWORD,
    /// What is so now.
    pub dwEventState: DWORD,
    /// Bytes used of `rgbAtr`.
    pub cbAtr: DWORD,
    /// The answer to reset of the card that is in.
    pub rgbAtr: [u8; ATR_BUFFER_SIZE],
}

/// The control code of a reader's function, as `SCardControl` takes it.
#[cfg(not(windows))]
pub const fn SCARD_CTL_CODE(code: DWORD) -> DWORD {
    0x4200_0000 + code
}
/// The control code of a reader's function, as `SCardControl` takes it: of FILE_DEVICE_SMARTCARD (31h), buffered, any access.
#[cfg(windows)]
pub const fn SCARD_CTL_CODE(code: DWORD) -> DWORD {
    (0x31 << 16) | (code << 2)
}
