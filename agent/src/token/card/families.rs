//! The kinds of cards that are known: a file each, with its source document on top.
//!
//! # Adding a family
//!
//! A family is one constant, a [`Profile`], and one line here. Two files of the agent are touched,
//! `families/<card>.rs` and this one; what is left out of a record does not build, and a test says what is missing
//! beside it. Begin with the record that is most like the card, data sheet in hand:
//!
//! | the card … | look at |
//! |---|---|
//! | has its certificates at paths that are always the same | `esteid_thales` |
//! | has them where PKCS#15 says, one key to an application | `latid` |
//! | has as many keys as somebody put there, behind one PIN | `rutoken_ecp` |
//! | signs with RSA: by a DigestInfo, by PSS of its own, by a whole block | `latid`, `finid`, `rutoken_ecp` |
//! | is unlike the others in a thing or two: a function in the record | `belid` |
//! | is served by its maker's module as well, and better | `rutoken_ecp` |
//! | comes in versions, or shares a platform with another | `finid`; `idemia`, `thales` |
//!
//! and go through the record from the top, writing only what differs (`..Profile::USUAL`):
//!
//! 1. **Who it is**: `id`, `name`, and `atrs` with [`Atr::exact`](super::profile::Atr::exact), or
//!    [`Atr::masked`](super::profile::Atr::masked) where bytes of the answer to reset vary. Bytes are written as the
//!    data sheet prints them: `hex!("3B DB 96 00 …")`. Answers of the same card without contacts go to `contactless`.
//!    Where the answer does not settle that the card can be served: `only_with`. Where a PKCS#11 module serves more of it,
//!    so that it must not be taken from that: `modules`, `elsewhere`, `note`.
//! 2. **Its PINs**, one [`SlotProfile`](super::profile::SlotProfile) each, identity first: the reference, the lengths, the
//!    filling ([`PinSpec::ascii`](super::pin::PinSpec::ascii), [`PinSpec::format_2`](super::pin::PinSpec::format_2), or
//!    none and letters too: [`PinSpec::text`](super::pin::PinSpec::text)); where the card knows it (`pin_at`); how its
//!    tries are asked for (`counter`). Never say `EmptyVerify` of a card whose document does not say that it is free.
//! 3. **Its keys**: where the certificate is ([`Locator`](super::profile::Locator)) and what tells its length; what is
//!    selected before it signs (`sign_at`); whether each signature wants the PIN anew (`each_time`).
//! 4. **How it signs**: a [`Way`](super::profile::Way) per kind of signature: the hash functions with the algorithm byte of
//!    MSE SET, what goes in (`input`) and the command (`step`). `order` says whether MSE SET stands before or after VERIFY,
//!    `mse` what its body is, `reversed` that the card's numbers have their last byte first.
//! 5. **What is odd about it** is a function in the record: `identify` (asked once per insertion), `Counter::Own`, `mse`.
//! 6. **Its line** in [`NATIONAL`]. Ids for the configuration, `eid-agent doctor` and `tokens` follow from it.
//!
//! What is not in the documents, and was inferred, is marked `\[INF\]` on top of the file; what is not served of the card
//! is said there, and in `note` where the holder should read it.
//!
//! Then `cargo test -p agent families` tells what is missing until it is there:
//!
//! - its answers to reset, in `ANSWERS` of `families/tests.rs`, copied from the data sheet and not from the record;
//! - a virtual card, which shares no code with the agent: `fixtures/src/card/<card>.rs`, made of `fixtures::card::kit` from
//!   the data sheet alone, with its line in `fixtures::card::list` under the family's id;
//! - a row in `SCENES` of `families/tests/scenes.rs`: every key signs and its signatures are verified, tries are counted,
//!   PINs are changed, the card is pulled at each command, no command is sent in vain.
//!
//! Beside these, a transcript as the data sheet prints it (`families/tests/transcripts.rs` has the means), and a line in
//! `tests/src/chip/kinds.rs`, with which the family goes through every scene over a real `pcscd`, faults and all.
//!
//! Nothing else has to be touched: recognition, transactions, windows, PIN pads, `eid-agent tokens` and the counting of
//! tries follow from the record. Where the record lacks a word for what a card does, it is a new field with a default
//! in [`Profile::USUAL`], or a variant of one of its enums, read in one file of `profile/`: no other record changes. A card
//! that is not like the others at all implements [`Family`] itself.

pub mod belid;
pub mod esteid_idemia;
pub mod esteid_thales;
pub mod finid;
mod idemia;
pub mod latid;
pub mod piv;
pub mod rutoken_ecp;
mod thales;

use super::family::Family;
use super::profile::{Profile, complete};

/// Cards that are data, each recognised by its answer to reset. A family is added here.
pub const NATIONAL: &[&Profile] = &[
    &esteid_idemia::PROFILE,
    &esteid_thales::PROFILE,
    &finid::V3,
    &finid::V4,
    &latid::V1,
    &latid::V2,
    &belid::PROFILE,
    &rutoken_ecp::PROFILE,
];

const _: () = complete(NATIONAL);

/// Every family's [`Family::id`], for the configuration.
pub const FAMILY_IDS: [&str; NATIONAL.len() + 2] = {
    let mut ids = ["piv"; NATIONAL.len() + 2];
    let mut at = 0;
    while at < NATIONAL.len() {
        ids[at] = NATIONAL[at].id;
        at += 1;
    }
    ids[NATIONAL.len() + 1] = "uec";
    ids
};

/// Every family that needs nothing of the configuration.
pub fn all() -> Vec<Box<dyn Family>> {
    let mut families: Vec<Box<dyn Family>> = Vec::new();
    for family in NATIONAL {
        families.push(Box::new(*family));
    }
    families.push(Box::new(piv::Piv));
    families
}

#[cfg(test)]
mod tests;
