//! What Thales' PKCS#15 cards have in common: Estonia's of 2025 and Finland's.

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::Ecdsa;

use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{Input, KeyKind, Order, Output, Profile, Select, Step, Unblock, UnblockForm, Way};

/// "PKCS-15": every file, PIN and key.
pub(super) const APPLICATION: Select = Select::application(hex!("A000000063504B43532D3135"));

/// VERIFY before MSE SET; parts of 256 bytes, of which a card may give fewer.
pub(super) const USUAL: Profile = Profile {
    chunk: 256,
    order: Order::VerifyFirst,
    ..Profile::USUAL
};

/// Unblocks both PINs; zeros fill it as them, and a wrong filling costs a try.
pub(super) const UNBLOCK: Option<Unblock> = Some(Unblock {
    puk: PinSpec::ascii("PUK", 0x83, (8, 12), 0x00, 12),
    puk_at: &[APPLICATION],
    form: UnblockForm::CodeAndPin,
});

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
