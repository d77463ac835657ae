//! The Estonian identity card by IDEMIA: 2018 and later, Cosmo 8.1, 8.2 and X; the e-resident's too.
//!
//! Sources: libelectronic-id `EIDIDEMIA.cpp`; OpenSC `card-esteid2018.c`, `pkcs15-esteid2018.c`; MOPP-Android `ID1.java`.
//!
//! Traps: the security environment comes before VERIFY; PIN2 is verified in ADF2 before each signature; its reference 85
//! is 05 in the query of the counter alone. Without contacts the card wants PACE.
//!
//! \[INF\] The data sheet has no CHANGE REFERENCE DATA of this card: it is sent as ISO/IEC 7816-4 has it, old block, new
//! block, and was never tried on one.

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{Atr, Counter, Document, KeyProfile, Length, Locator, Profile, Select, SlotProfile};
use super::idemia::{AWP, CHUNK, EC_AUTHENTICATION, EC_SIGNATURE, MAIN, QSCD, UNBLOCK};
use crate::certificate::Role;

/// The record.
pub const PROFILE: Profile = Profile {
    id: "esteid-idemia",
    name: "EstEID (IDEMIA)",
    atrs: &[
        // Cosmo 8.1 and 8.2.
        Atr::exact(hex!("3BDB960080B1FE451F830012233F536549440F9000F1")),
        // Cosmo X.
        Atr::exact(hex!("3BDC960080B1FE451F830012233F54654944320F9000C3")),
    ],
    contactless: &[Atr::exact(hex!("3B8B80010012233F536549440F9000A0"))],
    // Eleven bytes in MF/D003: an octet string.
    document: Some(Document {
        at: &[Select::master_file(), Select::below(hex!("D003"))],
        length: 11,
        octets_at: Some(0),
    }),
    chunk: CHUNK,
    slots: &[
        SlotProfile {
            pin: PinSpec::ascii("PIN1", 0x01, (4, 12), 0xFF, 12),
            pin_at: &[MAIN],
            counter: Counter::Ias,
            tries_max: None,
            keys: &[KeyProfile {
                role: Some(Role::Authentication),
                certificate: Locator::File {
                    at: &[MAIN, Select::path_from_here(hex!("ADF1 3401"))],
                    length: Length::Fci,
                },
                reference: 0x81,
                sign_at: &[AWP],
                each_time: false,
                ways: &[EC_AUTHENTICATION],
            }],
            change: true,
            unblock: UNBLOCK,
        },
        SlotProfile {
            pin: PinSpec::ascii("PIN2", 0x85, (5, 12), 0xFF, 12),
            pin_at: &[QSCD],
            counter: Counter::Ias,
            tries_max: None,
            keys: &[KeyProfile {
                role: Some(Role::Signing),
                certificate: Locator::File {
                    at: &[MAIN, Select::path_from_here(hex!("ADF2 341F"))],
                    length: Length::Fci,
                },
                reference: 0x9F,
                sign_at: &[QSCD],
                each_time: true,
                ways: &[EC_SIGNATURE],
            }],
            change: true,
            unblock: UNBLOCK,
        },
    ],
    ..Profile::USUAL
};
