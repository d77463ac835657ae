//! The kinds of cards that are known: a file each, with its source document on top.
//!
//! # Adding a family
//!
//! A national card is one constant, a [`Profile`](super::profile::Profile). Open the file of the card that is most like
//! yours, with its data sheet beside you, and go through the record from the top:
//!
//! 1. **Who it is**: `id`, `name`, and `atrs` with [`Atr::exact`](super::profile::Atr::exact), or
//!    [`Atr::masked`](super::profile::Atr::masked) where bytes of the answer to reset vary. Bytes are written as the
//!    data sheet prints them: `hex!("3B DB 96 00 …")`. Answers of the same card without contacts go to `contactless`.
//! 2. **Its PINs**, one [`SlotProfile`](super::profile::SlotProfile) each, identity first: the reference, the lengths, the
//!    filling ([`PinSpec::ascii`](super::pin::PinSpec::ascii) or
//!    [`PinSpec::format_2`](super::pin::PinSpec::format_2)); where the card knows it (`pin_at`); how its tries are asked
//!    for (`counter`). Never say `EmptyVerify` of a card whose document does not say that it is free.
//! 3. **Its keys**: where the certificate is (`Locator`: a path, or PKCS#15) and what tells its length; what is selected
//!    before it signs (`sign_at`); whether each signature wants the PIN anew (`each_time`).
//! 4. **How it signs**: a [`Way`](super::profile::Way) per kind of signature: the hash functions with the algorithm byte of
//!    MSE SET, what goes in (`input`) and the command (`step`). `order` says whether MSE SET stands before or after VERIFY.
//! 5. **What is odd about it** is a function in the record: `identify` (asked once per insertion), `Counter::Own`, `mse`.
//!    `belid` has one of each.
//! 6. A line in [`NATIONAL`], its id in [`FAMILY_IDS`], and a test in `families/tests/`: the data sheet's transcript, as it is printed there, and the
//!    scenarios of `families/tests/scenes.rs` against the virtual card of `fixtures::card`.
//!
//! Nothing else has to be touched: recognition, transactions, windows, PIN pads, `eid-agent tokens` and the counting of
//! tries follow from the record. A card that is not like the others at all implements [`Family`] itself.

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
use super::profile::Profile;

/// Cards that are data, each recognised by its answer to reset. A family is added here.
pub const NATIONAL: [&Profile; 8] = [
    &esteid_idemia::PROFILE,
    &esteid_thales::PROFILE,
    &finid::V3,
    &finid::V4,
    &latid::V1,
    &latid::V2,
    &belid::PROFILE,
    &rutoken_ecp::PROFILE,
];

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
        families.push(Box::new(family));
    }
    families.push(Box::new(piv::Piv));
    families
}

#[cfg(test)]
mod tests;
