//! The Latvian identity card by IDEMIA: v2, which is issued, and v1, which was.
//!
//! Sources: libelectronic-id `LatEIDIDEMIAv2.cpp`, and of January 2025 `LatEIDIDEMIAv1.cpp`; OpenSC `card-esteid2018.c`.
//!
//! Traps: the certificates and keys of v2 are where PKCS#15 says, and may be of either kind; reading EF.PrKD moves what is
//! selected, so that the ADF is selected again before MSE SET. v1 fills its PINs to 64 bytes, which no reader's keys
//! can, and signs documents with INTERNAL AUTHENTICATE as well.
//!
//! \[INF\] The data sheet has no CHANGE REFERENCE DATA of v2: it is sent as ISO/IEC 7816-4 has it, old block, new
//! block, and was never tried on one.

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::RsaPkcs1;

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{
    Atr, Input, KeyKind, KeyProfile, Locator, Output, Profile, Select, SlotProfile, Step, Way,
};
use super::idemia::{AUTHENTICATION, AWP, CHUNK, EC_AUTHENTICATION, EC_SIGNATURE, MAIN, PIN1, PIN2, SIGNATURE};
use crate::certificate::Role;

/// INTERNAL AUTHENTICATE with RSA: the DigestInfo goes in.
const RSA_AUTHENTICATION: Way = Way {
    key: KeyKind::Rsa,
    since: 0,
    scheme: RsaPkcs1,
    hashes: &[(Sha256, 0x02)],
    template: 0xA4,
    input: Input::DigestInfo,
    step: Step::InternalAuthenticate,
    output: Output::Raw,
};

/// PSO with RSA: here the bare hash goes in, and the card makes the DigestInfo.
const RSA_SIGNATURE: Way = Way {
    hashes: &[(Sha256, 0x42)],
    template: 0xB6,
    input: Input::Hash,
    step: Step::Compute,
    ..RSA_AUTHENTICATION
};

/// The record of v2.
pub const V2: Profile = Profile {
    id: "latid-v2",
    name: "LatEID v2",
    atrs: &[
        // Cosmo 8.1 and 8.2.
        Atr::exact(hex!("3BDB960080B1FE451F830012428F536549440F900020")),
        // Cosmo X.
        Atr::exact(hex!("3BDC960080B1FE451F830012428F54654944320F900012")),
    ],
    contactless: &[Atr::exact(hex!("3B8B80010012428F536549440F900071"))],
    chunk: CHUNK,
    slots: &[
        SlotProfile {
            keys: &[KeyProfile {
                ways: &[EC_AUTHENTICATION, RSA_AUTHENTICATION],
                ..AUTHENTICATION
            }],
            ..PIN1
        },
        SlotProfile {
            pin: PinSpec::ascii("PIN2", 0x85, (6, 12), 0xFF, 12),
            keys: &[KeyProfile {
                ways: &[EC_SIGNATURE, RSA_SIGNATURE],
                ..SIGNATURE
            }],
            ..PIN2
        },
    ],
    ..Profile::USUAL
};

/// v1 signs everything in one way.
const V1_RSA: Way = Way {
    hashes: &[(Sha256, 0x02), (Sha384, 0x02), (Sha512, 0x02)],
    ..RSA_AUTHENTICATION
};

const V1_AUTHENTICATION: KeyProfile = KeyProfile {
    certificate: Locator::der_file(&[MAIN, Select::path_from_here(hex!("ADF1 A002"))]),
    reference: 0x82,
    ways: &[V1_RSA],
    ..AUTHENTICATION
};

/// The record of v1: no application for signatures, everything in ADF1.
///
/// How its PINs are changed and unblocked is not documented: that is not offered.
pub const V1: Profile = Profile {
    id: "latid-v1",
    name: "LatEID v1",
    atrs: &[Atr::exact(hex!("3BDD18008131FE45904C41545649412D65494490008C"))],
    contactless: &[],
    chunk: 0xB5,
    slots: &[
        SlotProfile {
            pin: PinSpec::ascii("PIN1", 0x01, (4, 12), 0xFF, 64),
            keys: &[V1_AUTHENTICATION],
            change: false,
            unblock: None,
            ..PIN1
        },
        SlotProfile {
            pin: PinSpec::ascii("PIN2", 0x81, (6, 12), 0xFF, 64),
            pin_at: &[AWP],
            keys: &[KeyProfile {
                role: Some(Role::Signing),
                certificate: Locator::der_file(&[MAIN, Select::path_from_here(hex!("ADF1 A001"))]),
                reference: 0x81,
                each_time: true,
                ..V1_AUTHENTICATION
            }],
            change: false,
            unblock: None,
            ..PIN2
        },
    ],
    ..Profile::USUAL
};
