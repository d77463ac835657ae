//! A card family as data, and the engine that plays it.
//!
//! Most national cards differ in numbers: where the certificate is, what the PIN is padded with, which bytes set the
//! key. A [`Profile`] is those numbers, one constant to a family ([`super::families`] says how one is written); this
//! module is everything that they have in common. What a family does in its own way is a function in its record.
//!
//! - `select`: gets to a file or an application, once per transaction where nothing else was selected since;
//! - `locate`: finds and reads a certificate, by path or by PKCS#15 (`pkcs15`);
//! - `counter`: what a card tells of its PINs;
//! - `sign`: security environment, VERIFY, signature, in the order of the family;
//! - `complete`: what a record must say, looked at when the agent is built;
//! - `play`: the [`Card`](super::family::Card) that all of this makes.

mod complete;
mod counter;
pub(super) mod hex;
mod key;
mod locate;
mod manage;
mod pkcs15;
mod play;
mod select;
mod sign;

use std::time::Duration;

use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;

pub(super) use self::complete::complete;
pub(super) use self::counter::empty_verify;
pub use self::key::KeyKind;
pub(super) use self::play::masked;
pub use self::select::Select;
pub(super) use self::select::go;
use super::apdu::Link;
use super::error::CardError;
use super::pin::{PinSpec, PinStatus};
use crate::certificate::Role;
use crate::token::Closed;

/// A card family (fields: national-cards.md, section 8).
#[derive(Clone, Copy)]
pub struct Profile {
    /// Its short name in the configuration.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Its answers to reset: exact ones are tried before those with a mask.
    pub atrs: &'static [Atr],
    /// Its answers to reset where it is read without contacts: known, so that the person is told to insert it.
    pub contactless: &'static [Atr],
    /// What a card has that is served here: where a card refuses to select one of these, it is left to others.
    pub only_with: &'static [Select],
    /// Who serves a card that has none of that, for the person to read.
    pub elsewhere: Option<&'static str>,
    /// PKCS#11 modules that serve more of such a card than is served here ([`Family::modules`](super::family::Family::modules)).
    pub modules: &'static [&'static str],
    /// What of such a card is not served here, for the person to read.
    pub note: Option<&'static str>,
    /// Asks what the answer to reset does not tell, once per insertion.
    pub identify: fn(&mut Link<'_>) -> Result<Identity, CardError>,
    /// Where its number stands, if it can be read without a PIN.
    pub document: Option<Document>,
    /// How much is read at once, bytes: 1 to 256.
    pub chunk: usize,
    /// How long to wait after 6Cxx before the command is sent again.
    pub resend_after: Duration,
    /// Whether the security environment is set before or after VERIFY.
    pub order: Order,
    /// The body of MSE SET for an algorithm and a key.
    pub mse: fn(algorithm: u8, key: u8) -> Vec<u8>,
    /// Its numbers stand in the card with their last byte first: what goes in to be signed is reversed, and so is what
    /// comes out.
    pub reversed: bool,
    /// What ends a login that stands in the way of ours.
    pub logout: Option<Logout>,
    /// Its PINs with what they open, the one for identity first.
    pub slots: &'static [SlotProfile],
}

impl Profile {
    /// What a family's record says only where it differs.
    pub const USUAL: Self = Self {
        id: "",
        name: "",
        atrs: &[],
        contactless: &[],
        only_with: &[],
        elsewhere: None,
        modules: &[],
        note: None,
        identify: |_| Ok(Identity::default()),
        document: None,
        chunk: 256,
        resend_after: Duration::ZERO,
        order: Order::MseFirst,
        mse: iso_mse,
        reversed: false,
        logout: None,
        slots: &[],
    };
}

/// An answer to reset, with the bits that matter where not all do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atr {
    /// The bytes.
    pub pattern: &'static [u8],
    /// As long as the pattern; `None` where every bit matters.
    pub mask: Option<&'static [u8]>,
}

impl Atr {
    /// Every bit matters.
    pub const fn exact(pattern: &'static [u8]) -> Self {
        Self { pattern, mask: None }
    }

    /// Only the bits of `mask` matter.
    pub const fn masked(pattern: &'static [u8], mask: &'static [u8]) -> Self {
        Self {
            pattern,
            mask: Some(mask),
        }
    }

    /// Whether a card answered so: at equal length, and the same under the mask.
    pub fn matches(&self, atr: &[u8]) -> bool {
        match self.mask {
            None => atr == self.pattern,
            Some(mask) => {
                let same = |((byte, pattern), mask): ((&u8, &u8), &u8)| byte & mask == pattern & mask;
                atr.len() == self.pattern.len() && atr.iter().zip(self.pattern).zip(mask).all(same)
            }
        }
    }
}

/// What a card says of itself when it is inserted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The version of its application, in the family's own numbers; 0 where it does not matter.
    pub version: u8,
    /// A number that no other card of the family has.
    pub serial: Option<String>,
    /// Names and values for `eid-agent tokens`.
    pub details: Vec<(String, String)>,
    /// Why nothing can be done with it.
    pub closed: Option<Closed>,
}

/// Where a card's number stands.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// Selects the file, the last of them the file itself.
    pub at: &'static [Select],
    /// How much of it is read, bytes.
    pub length: usize,
    /// Where in it the number's data object (tag 04) stands; `None` where the whole file is the number.
    pub octets_at: Option<usize>,
}

/// The order in which a family's documents set the security environment and verify the PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// MSE SET, VERIFY, signature: a security environment set after VERIFY would close what the PIN opened.
    MseFirst,
    /// VERIFY, MSE SET, signature.
    VerifyFirst,
}

/// How a login of another program is ended.
///
/// It is ended, and that is all: a PIN goes to a card once for each time that the person typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logout {
    /// What VERIFY answers where another login is active, and nothing was compared.
    pub status: u16,
    /// The header of the command that ends it: class, instruction, P1, P2.
    pub command: [u8; 4],
}

/// A PIN with what it opens.
#[derive(Clone, Copy)]
pub struct SlotProfile {
    /// The PIN.
    pub pin: PinSpec,
    /// Where the PIN is known to the card: selected before its counter is asked for, and before it is changed.
    pub pin_at: &'static [Select],
    /// How its tries are asked for.
    pub counter: Counter,
    /// Tries in all, where the card does not tell and the documents do.
    pub tries_max: Option<u8>,
    /// Its keys.
    pub keys: &'static [KeyProfile],
    /// It can be changed, with CHANGE REFERENCE DATA (old block, new block).
    pub change: bool,
    /// How it is unblocked, where the holder can.
    pub unblock: Option<Unblock>,
}

impl SlotProfile {
    /// What all its keys are for; `None` where that is not one thing, or not known.
    fn role(&self) -> Option<Role> {
        let first = self.keys.first()?.role;
        first.filter(|_| self.keys.iter().all(|key| key.role == first))
    }
}

/// How a PIN's tries are asked for without spending one.
#[derive(Clone, Copy)]
pub enum Counter {
    /// GET DATA of IAS-ECC: `00 CB 3F FF 0A 4D087006BF81 <reference & 0F> 02A080 00`.
    Ias,
    /// GET DATA of Thales' cards: `00 CB 00 FF 05 A0038301 <reference>`.
    Thales {
        /// DF2F = 00 says that the PIN is still at its transport value, and must be changed.
        transport_flag: bool,
    },
    /// VERIFY without data: `00 20 00 <reference>` and no more. It tells the tries after a wrong PIN, too, where the
    /// answer to that did not.
    EmptyVerify,
    /// In the family's own way.
    Own(fn(&Identity, &PinSpec, &mut Link<'_>) -> Result<PinStatus, CardError>),
}

/// A key with its certificate.
#[derive(Clone, Copy)]
pub struct KeyProfile {
    /// What it is for; `None` where its certificate alone tells.
    pub role: Option<Role>,
    /// Where its certificate is.
    pub certificate: Locator,
    /// Its reference in MSE SET; where PKCS#15 finds the key, the one that is taken where the card names none.
    pub reference: u8,
    /// Selects what it signs in.
    pub sign_at: &'static [Select],
    /// The PIN is verified anew for each signature.
    pub each_time: bool,
    /// The signatures it makes.
    pub ways: &'static [Way],
}

/// Where a certificate is.
#[derive(Clone, Copy, Debug)]
pub enum Locator {
    /// In a file.
    File {
        /// Selects it, the last of them the file itself.
        at: &'static [Select],
        /// What tells its length.
        length: Length,
    },
    /// Where the PKCS#15 files of this application say: EF.OD 5031, from it EF.CD and EF.PrKD. The first certificate
    /// is the first key's; files are selected below the application.
    Pkcs15 {
        /// Selects the application.
        at: &'static [Select],
    },
    /// The same with as many certificates and keys as are there, told apart by their identifiers; files, those of keys
    /// too, are selected by their whole paths, and each of a key's signatures is made with its file selected.
    Pkcs15Paths {
        /// Selects EF.OD.
        directory: Select,
    },
}

impl Locator {
    /// In the file at the end of this way, whose control parameters tell its length.
    pub const fn file(at: &'static [Select]) -> Self {
        let length = Length::Fci;
        Self::File { at, length }
    }

    /// In the file at the end of this way, which is DER, and tells its length itself.
    pub const fn der_file(at: &'static [Select]) -> Self {
        let length = Length::Der;
        Self::File { at, length }
    }
}

/// What tells how long a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The answer to its SELECT: 80 or 81 in a template 62 or 6F.
    Fci,
    /// Its first bytes, for it is DER; what stands behind is filling.
    Der,
}

/// A way to sign.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The keys it is for: a family may have cards with either.
    pub key: KeyKind,
    /// The lowest [`Identity::version`] that knows it; 0: every card of the family does.
    pub since: u8,
    /// The scheme.
    pub scheme: SignatureScheme,
    /// The hash functions, each with its algorithm byte for MSE SET.
    pub hashes: &'static [(HashFunction, u8)],
    /// The control reference template of MSE SET: A4 or B6.
    pub template: u8,
    /// What goes to the card.
    pub input: Input,
    /// The command that signs.
    pub step: Step,
    /// What comes back.
    pub output: Output,
}

/// What of a message goes to the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Its hash.
    Hash,
    /// Its hash at this length: zeros before a shorter one, the first bytes of a longer one (FIPS 186-5, 6.4.1).
    Fixed(usize),
    /// The DigestInfo of its hash (RFC 8017, 9.2).
    DigestInfo,
    /// The whole block of EMSA-PKCS1-v1_5 (RFC 8017, 9.2), as long as the modulus.
    Pkcs1Block,
}

/// The command, or the two, that sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// INTERNAL AUTHENTICATE: `00 88 00 00`.
    InternalAuthenticate,
    /// PSO COMPUTE DIGITAL SIGNATURE with the input: `00 2A 9E 9A`.
    Compute,
    /// PSO HASH with the hash in a data object 90, then COMPUTE DIGITAL SIGNATURE without data: `00 2A 90 A0`, `00 2A 9E 9A`.
    HashThenCompute,
}

/// How a signature comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// As it is handed out: `r || s`, or as many bytes as an RSA modulus has.
    Raw,
    /// ECDSA as SEQUENCE { r, s }, DER.
    Der,
}

/// How a PIN gets its tries back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unblock {
    /// The code.
    pub puk: PinSpec,
    /// Selected before it is verified, where the code is known elsewhere than the PIN.
    pub puk_at: &'static [Select],
    /// How RESET RETRY COUNTER is written.
    pub form: UnblockForm,
}

/// The forms of RESET RETRY COUNTER (ISO/IEC 7816-4, 11.6.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnblockForm {
    /// `00 2C 00 <reference>` with the code and the new PIN.
    CodeAndPin,
    /// VERIFY of the code, then `00 2C 02 <reference>` with the new PIN.
    AfterVerify,
}

/// `80 01 <algorithm> 84 01 <key>` (ISO/IEC 7816-4, table 55).
pub fn iso_mse(algorithm: u8, key: u8) -> Vec<u8> {
    vec![0x80, 0x01, algorithm, 0x84, 0x01, key]
}
