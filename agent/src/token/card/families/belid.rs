//! The Belgian identity card: Belpic applets 1.7 (RSA) and 1.8 (curves), without its vendor's module.
//!
//! Sources: Belpic applet 1.7 and 1.8 reference manuals (BEL17, BEL18) and "card content v5_4" (BELC) in eid-mw;
//! eid-mw `card.cpp`; OpenSC `card-belpic.c`.
//!
//! Traps: MSE SET has a body of its own; files have no control parameters, and filling behind the certificate; one PIN
//! opens both keys, and for signatures it is verified immediately before each; below applet 1.7 a VERIFY without data
//! spends a try, and there is no PSS; after 6Cxx old cards need a pause. The answer to reset does not tell the applet:
//! its card data does.

use std::time::Duration;

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
use plugin_protocol::encoding::hex as text;

use super::super::apdu::{Command, Le, Link};
use super::super::error::CardError;
use super::super::pin::{PinSpec, PinStatus};
use super::super::profile::hex::hex;
use super::super::profile::{
    Atr, Counter, Identity, Input, KeyKind, KeyProfile, Locator, Output, Profile, Select, SlotProfile, Step, Way,
    empty_verify, go, masked,
};
use crate::certificate::Role;
use crate::token::Closed;

/// The applet; it is selected by default, and after another one was.
const BELPIC: Select = Select::application(hex!("A00000003029057000AD13100101FF"));
/// The folder of keys and certificates; MSE SET is for those of the selected one (from 1.7 on).
const DF_ID: Select = Select::below(hex!("DF00")).silent();

/// RSA, PKCS#1 v1.5 over a DigestInfo (BEL17, 6.3: algorithm 01).
const RSA: Way = Way {
    key: KeyKind::Rsa,
    since: 0,
    scheme: RsaPkcs1,
    hashes: &[(Sha256, 0x01), (Sha384, 0x01), (Sha512, 0x01)],
    template: 0xB6,
    input: Input::DigestInfo,
    step: Step::Compute,
    output: Output::Raw,
};
/// RSA, PSS with SHA-256 and a salt of 32 bytes: the bare hash goes in. The manuals at hand, of
/// 1.7 and 1.8, say nothing of older applets.
const PSS: Way = Way {
    since: APPLET_1_7,
    scheme: RsaPss,
    hashes: &[(Sha256, 0x20)],
    input: Input::Hash,
    ..RSA
};
/// A curve: the bare hash, as long as its algorithm says (BEL18, 6.3).
const EC: Way = Way {
    key: KeyKind::Ec,
    scheme: Ecdsa,
    hashes: &[(Sha384, 0x02), (Sha256, 0x01), (Sha512, 0x04)],
    input: Input::Hash,
    ..RSA
};

const AUTHENTICATION: KeyProfile = KeyProfile {
    role: Some(Role::Authentication),
    certificate: Locator::der_file(&[BELPIC, Select::path(hex!("DF00 5038")).silent()]),
    reference: 0x82,
    sign_at: &[BELPIC, DF_ID],
    each_time: false,
    ways: &[RSA, PSS, EC],
};
const SIGNATURE: KeyProfile = KeyProfile {
    role: Some(Role::Signing),
    certificate: Locator::der_file(&[BELPIC, Select::path(hex!("DF00 5039")).silent()]),
    reference: 0x83,
    each_time: true,
    ..AUTHENTICATION
};

/// The record.
pub const PROFILE: Profile = Profile {
    id: "belid",
    name: "BelEID",
    atrs: &[
        // 1.8.
        Atr::exact(hex!("3B7F96000080318065B085040120120FFF829000")),
        // 1.0, RSA-1024: shown, not used.
        Atr::exact(hex!("3B9894400AA503010101AD1310")),
        Atr::exact(hex!("3B989440FFA503010101AD1310")),
        // 1.7, and 1.1.
        Atr::masked(hex!("3B9813400AA503010101AD1311"), hex!("FFFF00FF00FFFFFFFFFFFFFF00")),
    ],
    identify,
    chunk: 0xF8,
    // eid-mw waits so long on cards that need it.
    resend_after: Duration::from_millis(50),
    mse: |algorithm, key| vec![0x04, 0x80, algorithm, 0x84, key],
    slots: &[SlotProfile {
        pin: PinSpec::format_2("PIN", 0x01, (4, 12), 8),
        pin_at: &[BELPIC],
        counter: Counter::Own(tries),
        tries_max: Some(3),
        keys: &[AUTHENTICATION, SIGNATURE],
        change: true,
        // The authority's work, with a code that the citizen does not have.
        unblock: None,
    }],
    ..Profile::USUAL
};

/// The applet version from which VERIFY without data is free, and PSS is known.
const APPLET_1_7: u8 = 0x17;
/// The one from which card data tells the tries.
const TELLS_TRIES: u8 = 0x18;

/// GET CARD DATA (BEL18, 6.14): serial number 0 to 15, applet version at 21, life cycle at 27.
fn card_data(p2: u8, length: usize, link: &mut Link<'_>) -> Result<Vec<u8>, CardError> {
    let command = Command::new(0x80, 0xE4, 0x00, p2).wanting(Le::Exactly(length));
    link.expect("GET CARD DATA", &command)
}

fn identify(link: &mut Link<'_>) -> Result<Identity, CardError> {
    go(link, &[BELPIC])?;
    let data = card_data(0x00, 0x1C, link)?;
    let (Some(serial), Some(version), Some(life)) = (data.get(..16), data.get(21), data.get(27)) else {
        let why = format!("{} bytes of card data", data.len());
        return Err(CardError::Malformed("GET CARD DATA", why));
    };
    let serial = text(serial);
    Ok(Identity {
        version: *version,
        details: vec![
            ("applet".to_owned(), format!("{}.{}", version >> 4, version & 0x0F)),
            ("serial".to_owned(), masked(&serial)),
        ],
        serial: Some(serial),
        closed: (*life != 0x0F).then_some(Closed::Inactive),
    })
}

/// Card data on 1.8; VERIFY without data on 1.7; nothing below, where asking would spend a try.
fn tries(identity: &Identity, pin: &PinSpec, link: &mut Link<'_>) -> Result<PinStatus, CardError> {
    match identity.version {
        TELLS_TRIES.. => {
            let left = card_data(0x01, 0x1F, link)?.get(28).copied();
            Ok(PinStatus {
                // FF: unknown.
                tries_left: left.filter(|left| *left <= 0x0F),
                ..PinStatus::default()
            })
        }
        APPLET_1_7 => empty_verify(pin, link),
        _ => Ok(PinStatus::default()),
    }
}
