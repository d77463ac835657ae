//! The Finnish identity card: v3 (Gemalto MultiApp v3.0, v4.2; FINEID S4-1 v3.0, v3.1) and v4 (Thales MultiApp v5; S4-1
//! v4.0, v4.1).
//!
//! Sources: libelectronic-id `FinEID.hpp`; FINEID S1 v4.2, S4-1 v4.2, S4-2 v4.0 as refineid-core reads them; OpenSC
//! `card-esteid2025.c`.
//!
//! Traps: zeros fill the PINs; the signature's certificate has another path in each version; v3 confirms with an RSA key
//! for which the card itself makes PSS, and with SHA-256 alone. Whether DF2F means on these cards what it means on the
//! Estonian one is not known: it is not looked at. Organisations' cards are another family.

use plugin_protocol::HashFunction::Sha256;
use plugin_protocol::api::SignatureScheme::RsaPss;

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{Atr, Document, KeyKind, KeyProfile, Locator, Profile, Select, SlotProfile, Way};
use super::thales::{APPLICATION, AUTHENTICATION, EC, SIGNATURE, SLOT, USUAL};

/// MGF1 with SHA-256 and a salt of 32 bytes, made by the card over the hash.
const PS256: Way = Way {
    key: KeyKind::Rsa,
    scheme: RsaPss,
    hashes: &[(Sha256, 0x45)],
    ..EC
};

/// TokenInfo: the card's number is the first octet string from the fourth byte on.
const NUMBER: Option<Document> = Some(Document {
    at: &[APPLICATION, Select::path(hex!("5032"))],
    length: 64,
    octets_at: Some(4),
});

const PIN1: SlotProfile = SlotProfile {
    pin: PinSpec::ascii("PIN1", 0x11, (4, 12), 0x00, 12),
    tries_max: Some(5),
    ..SLOT
};

const PIN2: SlotProfile = SlotProfile {
    pin: PinSpec::ascii("PIN2", 0x82, (6, 12), 0x00, 12),
    ..PIN1
};

/// The certificate for identity is at one place in both versions.
const IDENTITY: KeyProfile = KeyProfile {
    certificate: Locator::file(&[APPLICATION, Select::path(hex!("4331"))]),
    ..AUTHENTICATION
};

/// The record of v3: RSA for identity, a curve for signatures.
pub const V3: Profile = Profile {
    id: "finid-v3",
    name: "FinEID v3",
    atrs: &[
        // v3.1.
        Atr::exact(hex!("3B7F9600008031B865B08504021B1200F6829000")),
        // v3.0, issued until January 2021.
        Atr::exact(hex!("3B7F9600008031B865B0850300EF1200F6829000")),
    ],
    contactless: &[Atr::exact(hex!("3B8F80018031B865B08504021B1200F6829000BC"))],
    document: NUMBER,
    slots: &[
        SlotProfile {
            keys: &[KeyProfile {
                ways: &[PS256],
                ..IDENTITY
            }],
            ..PIN1
        },
        SlotProfile {
            keys: &[KeyProfile {
                certificate: Locator::file(&[APPLICATION, Select::path(hex!("5016 4335"))]),
                reference: 0x03,
                ..SIGNATURE
            }],
            ..PIN2
        },
    ],
    ..USUAL
};

/// The record of v4: P-384 for both.
pub const V4: Profile = Profile {
    id: "finid-v4",
    name: "FinEID v4",
    atrs: &[
        Atr::exact(hex!("3B7F9600008031B865B085050011122460829000")),
        Atr::exact(hex!("3B7F9600008031B865B085051024122460829000")),
        // Bytes 12 and 13 are the version of what is on the chip.
        Atr::masked(
            hex!("3B7F9600008031B865B085050011122460829000"),
            hex!("FFFFFFFFFFFFFFFFFFFFFFFF0000FFFFFFFFFFFF"),
        ),
    ],
    contactless: &[Atr::masked(
        hex!("3B8F80018031B865B08505001112246082900007"),
        hex!("FFFFFFFFFFFFFFFFFFFFFF0000FFFFFFFFFFFF00"),
    )],
    document: NUMBER,
    slots: &[
        SlotProfile {
            keys: &[IDENTITY],
            ..PIN1
        },
        SlotProfile {
            keys: &[KeyProfile {
                certificate: Locator::file(&[APPLICATION, Select::path(hex!("5016 4332"))]),
                reference: 0x02,
                ..SIGNATURE
            }],
            ..PIN2
        },
    ],
    ..USUAL
};
