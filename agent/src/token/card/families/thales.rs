//! What Thales' PKCS#15 cards have in common: Estonia's of 2025 and Finland's.

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::Ecdsa;

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{
    Counter, Input, KeyKind, KeyProfile, Locator, Order, Output, Profile, Select, SlotProfile, Step, Unblock,
    UnblockForm, Way,
};
use crate::certificate::Role;

/// "PKCS-15": every file, PIN and key.
pub(super) const APPLICATION: Select = Select::application(hex!("A000000063504B43532D3135"));

/// VERIFY before MSE SET; parts of 256 bytes, of which a card may give fewer.
pub(super) const USUAL: Profile = Profile {
    chunk: 256,
    order: Order::VerifyFirst,
    ..Profile::USUAL
};

/// Unblocks both PINs; zeros fill it as them, and a wrong filling costs a try.
const UNBLOCK: Option<Unblock> = Some(Unblock {
    puk: PinSpec::ascii("PUK", 0x83, (8, 12), 0x00, 12),
    puk_at: &[APPLICATION],
    form: UnblockForm::CodeAndPin,
});

/// A PIN, but for what it is, its tries and its key. Zeros fill it: FF costs a try.
pub(super) const SLOT: SlotProfile = SlotProfile {
    pin: PinSpec::ascii("", 0x00, (4, 12), 0x00, 12),
    pin_at: &[APPLICATION],
    counter: Counter::Thales { transport_flag: false },
    tries_max: None,
    keys: &[],
    change: true,
    unblock: UNBLOCK,
};

/// The key for identity, but for where its certificate is.
pub(super) const AUTHENTICATION: KeyProfile = KeyProfile {
    role: Some(Role::Authentication),
    certificate: Locator::file(&[]),
    reference: 0x01,
    sign_at: &[APPLICATION],
    each_time: false,
    ways: &[EC],
};

/// The key for signatures, but for that and its reference.
pub(super) const SIGNATURE: KeyProfile = KeyProfile {
    role: Some(Role::Signing),
    each_time: true,
    ..AUTHENTICATION
};

/// ECDSA: the hash is loaded, then COMPUTE DIGITAL SIGNATURE without data. The algorithm's upper half is the hash
/// (4, 5, 6), the lower the scheme (4).
pub(super) const EC: Way = Way {
    key: KeyKind::Ec,
    since: 0,
    scheme: Ecdsa,
    hashes: &[(Sha384, 0x54), (Sha256, 0x44), (Sha512, 0x64)],
    template: 0xB6,
    input: Input::Hash,
    step: Step::HashThenCompute,
    output: Output::Raw,
};
