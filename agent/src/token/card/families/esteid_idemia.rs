//! The Estonian identity card by IDEMIA: 2018 and later, Cosmo 8.1, 8.2 and X; the e-resident's too.
//!
//! Sources: libelectronic-id `EIDIDEMIA.cpp`; OpenSC `card-esteid2018.c`, `pkcs15-esteid2018.c`; MOPP-Android `ID1.java`.
//!
//! Traps: the security environment comes before VERIFY; PIN2 is verified in ADF2 before each signature; its reference 85
//! is 05 in the query of the counter alone. Without contacts the card wants PACE.
//!
//! \[INF\] The data sheet has no CHANGE REFERENCE DATA of this card: it is sent as ISO/IEC 7816-4 has it, old block, new
//! block, and was never tried on one.

use super::super::profile::hex::hex;
use super::super::profile::{Atr, Document, KeyProfile, Locator, Profile, Select, SlotProfile};
use super::idemia::{AUTHENTICATION, CHUNK, MAIN, PIN1, PIN2, SIGNATURE};

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
            keys: &[KeyProfile {
                certificate: Locator::file(&[MAIN, Select::path_from_here(hex!("ADF1 3401"))]),
                ..AUTHENTICATION
            }],
            ..PIN1
        },
        SlotProfile {
            keys: &[KeyProfile {
                certificate: Locator::file(&[MAIN, Select::path_from_here(hex!("ADF2 341F"))]),
                ..SIGNATURE
            }],
            ..PIN2
        },
    ],
    ..Profile::USUAL
};
