//! The Estonian identity card by Thales: 2025 and later.
//!
//! Sources: libelectronic-id `EIDThales.cpp`, `EstEIDThales.hpp`; OpenSC `card-esteid2025.c`, `pkcs15-esteid2025.c`.
//!
//! Traps: PINs are filled with zeros, and FF costs a try; the signature's key is 05, not 02 as on the Finnish card; PIN2
//! of every new card must be changed first (DF2F = 00), PIN1 of those that a courier brought.
//!
//! \[INF\] The data sheet has no CHANGE REFERENCE DATA of this card: it is sent as ISO/IEC 7816-4 has it, old block, new
//! block, and was never tried on one.

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{Atr, Counter, Document, KeyProfile, Locator, Profile, Select, SlotProfile};
use super::thales::{APPLICATION, AUTHENTICATION, SIGNATURE, SLOT, USUAL};

/// What both PINs have in common.
const PIN: SlotProfile = SlotProfile {
    counter: Counter::Thales { transport_flag: true },
    tries_max: Some(3),
    ..SLOT
};

/// The record.
pub const PROFILE: Profile = Profile {
    id: "esteid-thales",
    name: "EstEID (Thales)",
    atrs: &[Atr::exact(hex!("3BFF9600008031FE438031B85365494464B085051012233F1D"))],
    contactless: &[Atr::exact(hex!("3B8F80018031D85365494464B085051012233F16"))],
    // Nine characters in DFDD/5007.
    document: Some(Document {
        at: &[APPLICATION, Select::path(hex!("DFDD 5007"))],
        length: 9,
        octets_at: None,
    }),
    slots: &[
        SlotProfile {
            pin: PinSpec::ascii("PIN1", 0x81, (4, 12), 0x00, 12),
            keys: &[KeyProfile {
                certificate: Locator::file(&[APPLICATION, Select::path(hex!("ADF1 3411"))]),
                ..AUTHENTICATION
            }],
            ..PIN
        },
        SlotProfile {
            pin: PinSpec::ascii("PIN2", 0x82, (5, 12), 0x00, 12),
            keys: &[KeyProfile {
                certificate: Locator::file(&[APPLICATION, Select::path(hex!("ADF2 3421"))]),
                reference: 0x05,
                ..SIGNATURE
            }],
            ..PIN
        },
    ],
    ..USUAL
};
