//! The calls where PC/SC is part of the system: linked as any library.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};

use crate::{DWORD, LONG, SCARD_IO_REQUEST, SCARD_READERSTATE, SCARDCONTEXT, SCARDHANDLE};

/// Whether the calls reach PC/SC's library; where it is part of the system, they do.
pub fn library() -> Result<(), String> {
    Ok(())
}

#[cfg_attr(windows, link(name = "winscard"))]
#[cfg_attr(target_os = "macos", link(name = "PCSC", kind = "framework"))]
#[allow(missing_docs)] // Each is PC/SC's call of its name.
unsafe extern "system" {
    pub static g_rgSCardT0Pci: SCARD_IO_REQUEST;
    pub static g_rgSCardT1Pci: SCARD_IO_REQUEST;
    pub static g_rgSCardRawPci: SCARD_IO_REQUEST;

    pub fn SCardEstablishContext(
        scope: DWORD,
        reserved1: *const c_void,
        reserved2: *const c_void,
        context: *mut SCARDCONTEXT,
    ) -> LONG;
    pub fn SCardReleaseContext(context: SCARDCONTEXT) -> LONG;
    pub fn SCardIsValidContext(context: SCARDCONTEXT) -> LONG;
    pub fn SCardCancel(context: SCARDCONTEXT) -> LONG;
    #[cfg_attr(windows, link_name = "SCardListReadersA")]
    pub fn SCardListReaders(
        context: SCARDCONTEXT,
        groups: *const c_char,
        readers: *mut c_char,
        length: *mut DWORD,
    ) -> LONG;
    #[cfg_attr(windows, link_name = "SCardGetStatusChangeA")]
    pub fn SCardGetStatusChange(
        context: SCARDCONTEXT,
        timeout: DWORD,
        states: *mut SCARD_READERSTATE,
        count: DWORD,
    ) -> LONG;
    #[cfg_attr(windows, link_name = "SCardConnectA")]
    pub fn SCardConnect(
        context: SCARDCONTEXT,
        reader: *const c_char,
        share: DWORD,
        protocols: DWORD,
        card: *mut SCARDHANDLE,
        active: *mut DWORD,
    ) -> LONG;
    pub fn SCardReconnect(
        card: SCARDHANDLE,
        share: DWORD,
        protocols: DWORD,
        initialization: DWORD,
        active: *mut DWORD,
    ) -> LONG;
    pub fn SCardDisconnect(card: SCARDHANDLE, disposition: DWORD) -> LONG;
    pub fn SCardBeginTransaction(card: SCARDHANDLE) -> LONG;
    pub fn SCardEndTransaction(card: SCARDHANDLE, disposition: DWORD) -> LONG;
    #[cfg_attr(windows, link_name = "SCardStatusA")]
    pub fn SCardStatus(
        card: SCARDHANDLE,
        reader: *mut c_char,
        reader_length: *mut DWORD,
        state: *mut DWORD,
        protocol: *mut DWORD,
        atr: *mut u8,
        atr_length: *mut DWORD,
    ) -> LONG;
    pub fn SCardGetAttrib(card: SCARDHANDLE, attribute: DWORD, value: *mut u8, length: *mut DWORD) -> LONG;
    pub fn SCardSetAttrib(card: SCARDHANDLE, attribute: DWORD, value: *const u8, length: DWORD) -> LONG;
    pub fn SCardTransmit(
        card: SCARDHANDLE,
        send_protocol: *const SCARD_IO_REQUEST,
        send: *const u8,
        send_length: DWORD,
        receive_protocol: *mut SCARD_IO_REQUEST,
        receive: *mut u8,
        receive_length: *mut DWORD,
    ) -> LONG;
    #[cfg_attr(target_os = "macos", link_name = "SCardControl132")]
    pub fn SCardControl(
        card: SCARDHANDLE,
        code: DWORD,
        send: *const u8,
        send_length: DWORD,
        receive: *mut u8,
        receive_room: DWORD,
        receive_length: *mut DWORD,
    ) -> LONG;
}
