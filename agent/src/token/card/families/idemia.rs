//! What IDEMIA's IAS-ECC cards have in common: Estonia's and Latvia's.

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::Ecdsa;

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{
    Counter, Input, KeyKind, KeyProfile, Locator, Output, Select, SlotProfile, Step, Unblock, UnblockForm, Way,
};
use crate::certificate::Role;

/// The main application: both folders below it, PIN1 and the PUK.
pub(super) const MAIN: Select = Select::application(hex!("A000000077010800070000FE00000100"));
/// ADF1, "AWP": identity.
pub(super) const AWP: Select = Select::application(hex!("E828BD080FF2504F5420415750"));
/// ADF2, "QSCD Application": signature.
pub(super) const QSCD: Select = Select::application(b"QSCD Application");

/// What the Alcor Micro AU9540 reads at once without failing, bytes.
pub(super) const CHUNK: usize = 0xC0;

/// The code that unblocks both PINs: known to the main application.
const UNBLOCK: Option<Unblock> = Some(Unblock {
    puk: PinSpec::ascii("PUK", 0x02, (8, 12), 0xFF, 12),
    puk_at: &[MAIN],
    form: UnblockForm::AfterVerify,
});

/// PIN1, but for its key.
pub(super) const PIN1: SlotProfile = SlotProfile {
    pin: PinSpec::ascii("PIN1", 0x01, (4, 12), 0xFF, 12),
    pin_at: &[MAIN],
    counter: Counter::Ias,
    tries_max: None,
    keys: &[],
    change: true,
    unblock: UNBLOCK,
};

/// PIN2, but for its key and its shortest length.
pub(super) const PIN2: SlotProfile = SlotProfile {
    pin: PinSpec::ascii("PIN2", 0x85, (5, 12), 0xFF, 12),
    pin_at: &[QSCD],
    ..PIN1
};

/// The key of PIN1, but for where its certificate is.
pub(super) const AUTHENTICATION: KeyProfile = KeyProfile {
    role: Some(Role::Authentication),
    certificate: Locator::Pkcs15 { at: &[MAIN, AWP] },
    reference: 0x81,
    sign_at: &[AWP],
    each_time: false,
    ways: &[EC_AUTHENTICATION],
};

/// The key of PIN2, likewise.
pub(super) const SIGNATURE: KeyProfile = KeyProfile {
    role: Some(Role::Signing),
    certificate: Locator::Pkcs15 { at: &[MAIN, QSCD] },
    reference: 0x9F,
    sign_at: &[QSCD],
    each_time: true,
    ways: &[EC_SIGNATURE],
};

/// INTERNAL AUTHENTICATE with P-384: always 48 bytes, one algorithm for every hash.
pub(super) const EC_AUTHENTICATION: Way = Way {
    key: KeyKind::Ec,
    since: 0,
    scheme: Ecdsa,
    hashes: &[(Sha384, 0x04), (Sha256, 0x04), (Sha512, 0x04)],
    template: 0xA4,
    input: Input::Fixed(48),
    step: Step::InternalAuthenticate,
    output: Output::Raw,
};

/// PSO COMPUTE DIGITAL SIGNATURE with P-384. Algorithms of their own for each hash (44, 64) were given up: 54 and 48 bytes.
pub(super) const EC_SIGNATURE: Way = Way {
    hashes: &[(Sha384, 0x54), (Sha256, 0x54), (Sha512, 0x54)],
    template: 0xB6,
    step: Step::Compute,
    ..EC_AUTHENTICATION
};
