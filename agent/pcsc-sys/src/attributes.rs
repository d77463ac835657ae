//! Attributes of readers: a class in the upper word, a number in the lower (PC/SC part 3, 3.1).

use crate::{DWORD, ULONG};

macro_rules! attributes {
    ($($class:ident = $number:literal, $what:literal { $($name:ident = $tag:literal,)* })+) => {
        $(
            #[doc = concat!("Attributes of ", $what, ".")]
            pub const $class: ULONG = $number;
            $(
                #[doc = concat!("One of [`", stringify!($class), "`].")]
                pub const $name: DWORD = ($number << 16) | $tag;
            )*
        )+
    };
}

attributes! {
    SCARD_CLASS_VENDOR_INFO = 1, "the reader's vendor" {
        SCARD_ATTR_VENDOR_NAME = 0x0100,
        SCARD_ATTR_VENDOR_IFD_TYPE = 0x0101,
        SCARD_ATTR_VENDOR_IFD_VERSION = 0x0102,
        SCARD_ATTR_VENDOR_IFD_SERIAL_NO = 0x0103,
    }
    SCARD_CLASS_COMMUNICATIONS = 2, "the way to the reader" {
        SCARD_ATTR_CHANNEL_ID = 0x0110,
    }
    SCARD_CLASS_PROTOCOL = 3, "the protocols the reader can" {
        SCARD_ATTR_ASYNC_PROTOCOL_TYPES = 0x0120,
        SCARD_ATTR_DEFAULT_CLK = 0x0121,
        SCARD_ATTR_MAX_CLK = 0x0122,
        SCARD_ATTR_DEFAULT_DATA_RATE = 0x0123,
        SCARD_ATTR_MAX_DATA_RATE = 0x0124,
        SCARD_ATTR_MAX_IFSD = 0x0125,
        SCARD_ATTR_SYNC_PROTOCOL_TYPES = 0x0126,
    }
    SCARD_CLASS_POWER_MGMT = 4, "power" {
        SCARD_ATTR_POWER_MGMT_SUPPORT = 0x0131,
    }
    SCARD_CLASS_SECURITY = 5, "the reader's ways to know its user" {
        SCARD_ATTR_USER_TO_CARD_AUTH_DEVICE = 0x0140,
        SCARD_ATTR_USER_AUTH_INPUT_DEVICE = 0x0142,
    }
    SCARD_CLASS_MECHANICAL = 6, "mechanics" {
        SCARD_ATTR_CHARACTERISTICS = 0x0150,
    }
    SCARD_CLASS_VENDOR_DEFINED = 7, "the vendor's own making" {
        SCARD_ATTR_ESC_RESET = 0xA000,
        SCARD_ATTR_ESC_CANCEL = 0xA003,
        SCARD_ATTR_ESC_AUTHREQUEST = 0xA005,
        SCARD_ATTR_MAXINPUT = 0xA007,
    }
    SCARD_CLASS_IFD_PROTOCOL = 8, "the protocol in use" {
        SCARD_ATTR_CURRENT_PROTOCOL_TYPE = 0x0201,
        SCARD_ATTR_CURRENT_CLK = 0x0202,
        SCARD_ATTR_CURRENT_F = 0x0203,
        SCARD_ATTR_CURRENT_D = 0x0204,
        SCARD_ATTR_CURRENT_N = 0x0205,
        SCARD_ATTR_CURRENT_W = 0x0206,
        SCARD_ATTR_CURRENT_IFSC = 0x0207,
        SCARD_ATTR_CURRENT_IFSD = 0x0208,
        SCARD_ATTR_CURRENT_BWT = 0x0209,
        SCARD_ATTR_CURRENT_CWT = 0x020A,
        SCARD_ATTR_CURRENT_EBC_ENCODING = 0x020B,
        SCARD_ATTR_EXTENDED_BWT = 0x020C,
    }
    SCARD_CLASS_ICC_STATE = 9, "the card" {
        SCARD_ATTR_ICC_PRESENCE = 0x0300,
        SCARD_ATTR_ICC_INTERFACE_STATUS = 0x0301,
        SCARD_ATTR_CURRENT_IO_STATE = 0x0302,
        SCARD_ATTR_ATR_STRING = 0x0303,
        SCARD_ATTR_ICC_TYPE_PER_ATR = 0x0304,
    }
    SCARD_CLASS_SYSTEM = 0x7FFF, "the system's own view of the reader" {
        SCARD_ATTR_DEVICE_UNIT = 0x0001,
        SCARD_ATTR_DEVICE_IN_USE = 0x0002,
        SCARD_ATTR_DEVICE_FRIENDLY_NAME = 0x0003,
        SCARD_ATTR_DEVICE_SYSTEM_NAME = 0x0004,
        SCARD_ATTR_SUPRESS_T1_IFS_REQUEST = 0x0007,
    }
}
