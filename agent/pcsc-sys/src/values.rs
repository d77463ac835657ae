//! Scopes, protocols, share modes, dispositions and states.

use crate::DWORD;

macro_rules! values {
    ($($name:ident = $value:expr, $meaning:literal;)+) => {
        $(#[doc = $meaning] pub const $name: DWORD = $value;)+
    };
}

values! {
    SCARD_SCOPE_USER = 0, "A context of this user.";
    SCARD_SCOPE_TERMINAL = 1, "A context of this terminal.";
    SCARD_SCOPE_SYSTEM = 2, "A context of the system.";
    SCARD_SCOPE_GLOBAL = 3, "A context of all.";

    SCARD_PROTOCOL_UNDEFINED = 0, "No protocol yet.";
    SCARD_PROTOCOL_UNSET = SCARD_PROTOCOL_UNDEFINED, "No protocol yet.";
    SCARD_PROTOCOL_T0 = 1, "T=0 (ISO/IEC 7816-3).";
    SCARD_PROTOCOL_T1 = 2, "T=1 (ISO/IEC 7816-3).";
    SCARD_PROTOCOL_T15 = 8, "T=15.";
    SCARD_PROTOCOL_ANY = SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, "T=0 or T=1, as the card likes.";

    SCARD_SHARE_EXCLUSIVE = 1, "Nobody else may connect.";
    SCARD_SHARE_SHARED = 2, "Others may connect, too.";
    SCARD_SHARE_DIRECT = 3, "The reader alone, with or without a card.";

    SCARD_LEAVE_CARD = 0, "Leave the card as it is.";
    SCARD_RESET_CARD = 1, "Reset the card.";
    SCARD_UNPOWER_CARD = 2, "Take the card's power.";
    SCARD_EJECT_CARD = 3, "Throw the card out.";

    SCARD_STATE_UNAWARE = 0x0000, "The caller knows nothing and wants to be told at once.";
    SCARD_STATE_IGNORE = 0x0001, "The caller does not care.";
    SCARD_STATE_CHANGED = 0x0002, "It is not as the caller believed.";
    SCARD_STATE_UNKNOWN = 0x0004, "No reader of this name.";
    SCARD_STATE_UNAVAILABLE = 0x0008, "Its state cannot be had.";
    SCARD_STATE_EMPTY = 0x0010, "No card is in.";
    SCARD_STATE_PRESENT = 0x0020, "A card is in.";
    SCARD_STATE_ATRMATCH = 0x0040, "A card with a wanted answer to reset is in.";
    SCARD_STATE_EXCLUSIVE = 0x0080, "A program has the card for itself.";
    SCARD_STATE_INUSE = 0x0100, "Programs share the card.";
    SCARD_STATE_MUTE = 0x0200, "The card does not answer.";
    SCARD_STATE_UNPOWERED = 0x0400, "The card has no power.";

    SCARD_AUTOALLOCATE = !0, "Memory for the answer is to be allocated.";
    INFINITE = 0xFFFF_FFFF, "No time limit.";
}

// What SCardStatus tells: bits of pcsc-lite and macOS, ordinals of Windows.
#[cfg(not(windows))]
values! {
    SCARD_PROTOCOL_RAW = 4, "No protocol of ISO/IEC 7816-3.";
    SCARD_UNKNOWN = 0x01, "Nothing is known.";
    SCARD_ABSENT = 0x02, "No card.";
    SCARD_PRESENT = 0x04, "A card, not in place.";
    SCARD_SWALLOWED = 0x08, "A card, in place, without power.";
    SCARD_POWERED = 0x10, "A card with power.";
    SCARD_NEGOTIABLE = 0x20, "A card that waits for its protocol.";
    SCARD_SPECIFIC = 0x40, "A card whose protocol is settled.";
}
#[cfg(windows)]
values! {
    SCARD_PROTOCOL_RAW = 0x0001_0000, "No protocol of ISO/IEC 7816-3.";
    SCARD_UNKNOWN = 0, "Nothing is known.";
    SCARD_ABSENT = 1, "No card.";
    SCARD_PRESENT = 2, "A card, not in place.";
    SCARD_SWALLOWED = 3, "A card, in place, without power.";
    SCARD_POWERED = 4, "A card with power.";
    SCARD_NEGOTIABLE = 5, "A card that waits for its protocol.";
    SCARD_SPECIFIC = 6, "A card whose protocol is settled.";
}
