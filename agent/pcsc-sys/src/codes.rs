//! What calls answer.

use crate::LONG;

macro_rules! codes {
    ($($name:ident = $value:literal: $meaning:literal,)+) => {
        $(
            #[doc = $meaning]
            // Where LONG has 32 bits the codes are negative, as in the C headers.
            pub const $name: LONG = $value as u32 as LONG;
        )+
    };
}

codes! {
    SCARD_S_SUCCESS = 0x0000_0000: "Done.",
    SCARD_F_INTERNAL_ERROR = 0x8010_0001: "A consistency check failed.",
    SCARD_E_CANCELLED = 0x8010_0002: "`SCardCancel` ended the call.",
    SCARD_E_INVALID_HANDLE = 0x8010_0003: "The handle is not valid, or no more.",
    SCARD_E_INVALID_PARAMETER = 0x8010_0004: "A parameter cannot be.",
    SCARD_E_INVALID_TARGET = 0x8010_0005: "Start-up information is missing or wrong.",
    SCARD_E_NO_MEMORY = 0x8010_0006: "No memory.",
    SCARD_F_WAITED_TOO_LONG = 0x8010_0007: "A timer of the service ran out.",
    SCARD_E_INSUFFICIENT_BUFFER = 0x8010_0008: "The answer is larger than the buffer.",
    SCARD_E_UNKNOWN_READER = 0x8010_0009: "No reader of this name.",
    SCARD_E_TIMEOUT = 0x8010_000A: "The caller's time ran out.",
    SCARD_E_SHARING_VIOLATION = 0x8010_000B: "Another program has the card for itself.",
    SCARD_E_NO_SMARTCARD = 0x8010_000C: "No card is in the reader.",
    SCARD_E_UNKNOWN_CARD = 0x8010_000D: "The card's name is unknown.",
    SCARD_E_CANT_DISPOSE = 0x8010_000E: "The card cannot be left as asked.",
    SCARD_E_PROTO_MISMATCH = 0x8010_000F: "The card does not speak the protocol.",
    SCARD_E_NOT_READY = 0x8010_0010: "The reader or card is not ready.",
    SCARD_E_INVALID_VALUE = 0x8010_0011: "A value cannot be interpreted.",
    SCARD_E_SYSTEM_CANCELLED = 0x8010_0012: "The system ended the call, to log off or shut down.",
    SCARD_F_COMM_ERROR = 0x8010_0013: "The connection to the service broke.",
    SCARD_F_UNKNOWN_ERROR = 0x8010_0014: "Something is wrong that has no code.",
    SCARD_E_INVALID_ATR = 0x8010_0015: "The answer to reset is malformed.",
    SCARD_E_NOT_TRANSACTED = 0x8010_0016: "No transaction to end, or the exchange with the card failed.",
    SCARD_E_READER_UNAVAILABLE = 0x8010_0017: "The reader went away.",
    SCARD_P_SHUTDOWN = 0x8010_0018: "Aborted, so that the service can end.",
    SCARD_E_PCI_TOO_SMALL = 0x8010_0019: "The buffer for protocol information is too small.",
    SCARD_E_READER_UNSUPPORTED = 0x8010_001A: "The driver is not good enough.",
    SCARD_E_DUPLICATE_READER = 0x8010_001B: "Another reader has this name.",
    SCARD_E_CARD_UNSUPPORTED = 0x8010_001C: "The card is not good enough.",
    SCARD_E_NO_SERVICE = 0x8010_001D: "The service is not running.",
    SCARD_E_SERVICE_STOPPED = 0x8010_001E: "The service has ended.",
    SCARD_E_UNEXPECTED = 0x8010_001F: "The card said something unexpected; of pcsc-lite: the feature is missing.",
    SCARD_E_ICC_INSTALLATION = 0x8010_0020: "No primary provider for the card.",
    SCARD_E_ICC_CREATEORDER = 0x8010_0021: "The order of creation is not kept.",
    SCARD_E_DIR_NOT_FOUND = 0x8010_0023: "The directory is not on the card.",
    SCARD_E_FILE_NOT_FOUND = 0x8010_0024: "The file is not on the card.",
    SCARD_E_NO_DIR = 0x8010_0025: "The path is no directory of the card.",
    SCARD_E_NO_FILE = 0x8010_0026: "The path is no file of the card.",
    SCARD_E_NO_ACCESS = 0x8010_0027: "The file is not for this caller.",
    SCARD_E_WRITE_TOO_MANY = 0x8010_0028: "The card is full.",
    SCARD_E_BAD_SEEK = 0x8010_0029: "The file's pointer cannot be set so.",
    SCARD_E_INVALID_CHV = 0x8010_002A: "The PIN is wrong.",
    SCARD_E_UNKNOWN_RES_MNG = 0x8010_002B: "An unknown code from a layer below.",
    SCARD_E_NO_SUCH_CERTIFICATE = 0x8010_002C: "No such certificate.",
    SCARD_E_CERTIFICATE_UNAVAILABLE = 0x8010_002D: "The certificate cannot be had.",
    SCARD_E_NO_READERS_AVAILABLE = 0x8010_002E: "There is no reader.",
    SCARD_E_COMM_DATA_LOST = 0x8010_002F: "Data was lost on the way to the card.",
    SCARD_E_NO_KEY_CONTAINER = 0x8010_0030: "No such key container.",
    SCARD_E_SERVER_TOO_BUSY = 0x8010_0031: "The service is too busy.",
    SCARD_W_UNSUPPORTED_CARD = 0x8010_0065: "The answer to reset conflicts with the configuration.",
    SCARD_W_UNRESPONSIVE_CARD = 0x8010_0066: "The card does not answer a reset.",
    SCARD_W_UNPOWERED_CARD = 0x8010_0067: "The card has no power.",
    SCARD_W_RESET_CARD = 0x8010_0068: "The card was reset by another program.",
    SCARD_W_REMOVED_CARD = 0x8010_0069: "The card was taken out.",
    SCARD_W_SECURITY_VIOLATION = 0x8010_006A: "Access was denied.",
    SCARD_W_WRONG_CHV = 0x8010_006B: "The PIN was wrong.",
    SCARD_W_CHV_BLOCKED = 0x8010_006C: "The PIN is blocked.",
    SCARD_W_EOF = 0x8010_006D: "The end of the file.",
    SCARD_W_CANCELLED_BY_USER = 0x8010_006E: "The person cancelled.",
    SCARD_W_CARD_NOT_AUTHENTICATED = 0x8010_006F: "No PIN was given.",
    SCARD_W_CACHE_ITEM_NOT_FOUND = 0x8010_0070: "Not in the cache.",
    SCARD_W_CACHE_ITEM_STALE = 0x8010_0071: "Too old in the cache.",
    SCARD_W_CACHE_ITEM_TOO_BIG = 0x8010_0072: "Too large for the cache.",
}

/// The feature is missing. pcsc-lite and macOS give it the number of [`SCARD_E_UNEXPECTED`].
#[cfg(not(windows))]
pub const SCARD_E_UNSUPPORTED_FEATURE: LONG = SCARD_E_UNEXPECTED;
/// The feature is missing.
#[cfg(windows)]
pub const SCARD_E_UNSUPPORTED_FEATURE: LONG = 0x8010_0022_u32 as LONG;
