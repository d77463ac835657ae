//! Rutoken ECP, as OpenSC lays it out: USB tokens (ECP, ECP DS), cards (ECP SC), and the contacts of ECP 3.0.
//!
//! Sources: OpenSC `card-rtecp.c`, `pkcs15-rtecp.c` and `rutoken_ecp.profile`. There is no document of the maker's that
//! could be cited; what only OpenSC's code tells is so because OpenSC works with it.
//!
//! **What is served here, and what is not.** RSA keys of 2048 bits and more that were put on the token with OpenSC's
//! tools (`pkcs15-init`, or `pkcs11-tool` over `opensc-pkcs11.so`). Tokens that were written with the maker's own
//! software, as nearly all are that a Russian authority hands out, are laid out otherwise \[INF\], and so are GOST keys
//! (the commands of GOST R 34.10-2012 are not documented): these are served by the maker's PKCS#11 module, here as
//! everywhere. Where that module is used, no byte is sent to such a token by this program (`modules`); where it is not, a
//! token without PKCS#15 files is left alone after one SELECT (`only_with`).
//!
//! Traps: the PIN is sent as it is typed, and filling makes it wrong; a wrong one is answered 6300 without a number, and
//! VERIFY without data tells it; 6F86 says that another login is active; blocks and signatures stand with their last byte
//! first; a SELECT that wants no FCI is refused by cards under T=0. A login holds for every program: it ends with the
//! reset after each of our PINs. Rutoken Lite has a like answer to reset and signs nothing. ECP 3.0 without contacts
//! ("RtSC") is left to modules: its PIN would go through the air as it is typed.
//!
//! \[INF\] VERIFY without data costs no try, also where no wrong PIN went before it (`Counter::EmptyVerify`): OpenSC sends
//! one after 6300 alone, and the token's tries are told so only there; no document says that it is free.
//!
//! \[INF\] The shortest PIN is what a token was formatted with: 4 is OpenSC's. How many tries there are in all stands in
//! the attributes of the PIN's file, of which OpenSC writes both halves alike; it is not told. The holder's change of a
//! PIN is not documented but for OpenSC's own form of it, and is not offered; the SO's unblocking is not the holder's.

use plugin_protocol::HashFunction::{Sha256, Sha384, Sha512};
use plugin_protocol::api::SignatureScheme::RsaPkcs1;
use plugin_protocol::encoding::hex as text;

use super::super::apdu::{Command, Le, Link};
use super::super::error::CardError;
use super::super::pin::PinSpec;
use super::super::profile::hex::hex;
use super::super::profile::{
    Atr, Counter, Identity, Input, KeyKind, KeyProfile, Locator, Logout, Order, Output, Profile, Select, SlotProfile,
    Step, Way, masked,
};

/// EF.OD of the application 5000: OpenSC's place for it.
const EF_OD: Select = Select::path(hex!("5000 5031")).with_fci();

/// RSA over a block that is made here; no algorithm is set.
const RSA: Way = Way {
    key: KeyKind::Rsa,
    since: 0,
    scheme: RsaPkcs1,
    hashes: &[(Sha256, 0), (Sha384, 0), (Sha512, 0)],
    template: 0xB6,
    input: Input::Pkcs1Block,
    step: Step::Compute,
    output: Output::Raw,
};

/// The record.
pub const PROFILE: Profile = Profile {
    id: "rutoken-ecp",
    name: "Rutoken ECP",
    atrs: &[
        // USB: "Rutoken ECP", "Rutoken DS ".
        Atr::exact(hex!("3B8B01 5275746F6B656E20454350 A0")),
        Atr::exact(hex!("3B8B01 5275746F6B656E20445320 C1")),
        // ECP SC under T=0, and under T=1, which is ECP 3.0 with contacts too: "RutokenECPsc".
        Atr::masked(
            hex!("3B9C9600 5275746F6B656E4543507363"),
            hex!("00000000 FFFFFFFFFFFFFFFFFFFFFFFF"),
        ),
        Atr::masked(
            hex!("3B9C94801140 5275746F6B656E4543507363 C3"),
            hex!("000000000000 FFFFFFFFFFFFFFFFFFFFFFFF 00"),
        ),
    ],
    only_with: &[EF_OD],
    elsewhere: Some(
        "nothing on it is laid out as is read here (PKCS#15, RSA keys, as OpenSC does it); its maker's PKCS#11 module \
         (librtpkcs11ecp) serves it, with its GOST keys",
    ),
    // The maker's, and CryptoPro's, whose containers are on such tokens.
    modules: &["rtpkcs11", "cppkcs11"],
    note: Some("RSA keys alone are served here; GOST keys need its maker's PKCS#11 module (librtpkcs11ecp)"),
    identify,
    order: Order::VerifyFirst,
    mse: |_, key| vec![0x84, 0x01, key],
    reversed: true,
    logout: Some(Logout {
        status: 0x6F86,
        command: [0x80, 0x40, 0x00, 0x00],
    }),
    slots: &[SlotProfile {
        pin: PinSpec::text("PIN", 0x02, (4, 32)),
        pin_at: &[],
        counter: Counter::EmptyVerify,
        tries_max: None,
        keys: &[KeyProfile {
            role: None,
            certificate: Locator::Pkcs15Paths { directory: EF_OD },
            reference: 0x01,
            sign_at: &[],
            each_time: false,
            ways: &[RSA],
        }],
        change: false,
        unblock: None,
    }],
    ..Profile::USUAL
};

/// GET DATA 0181: the serial number, in an order of bytes that nothing tells. A token that does not give it has none.
fn identify(link: &mut Link<'_>) -> Result<Identity, CardError> {
    let answer = link.send(&Command::new(0x00, 0xCA, 0x01, 0x81).wanting(Le::Max))?;
    let serial = Some(answer.data).filter(|data| answer.status.is_ok() && !data.is_empty());
    let serial = serial.map(|data| text(&data));
    let shown = serial.iter().map(|serial| ("serial".to_owned(), masked(serial)));
    Ok(Identity {
        details: shown.collect(),
        serial,
        ..Identity::default()
    })
}
