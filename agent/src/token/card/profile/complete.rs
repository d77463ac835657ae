//! What a record must say: looked at when the agent is built, for a record that leaves it out would only be found with
//! a card in hand.

use super::{Atr, KeyProfile, Profile, SlotProfile};

/// Does not build where one of these records leaves something out, or two have one id.
pub(in crate::token::card) const fn complete(records: &[&Profile]) {
    let mut at = 0;
    while at < records.len() {
        record(records[at]);
        let mut other = 0;
        while other < at {
            assert!(!same(records[other].id, records[at].id), "two families have one `id`");
            other += 1;
        }
        at += 1;
    }
}

const fn record(record: &Profile) {
    assert!(!record.id.is_empty(), "a family has no `id`");
    assert!(!record.name.is_empty(), "a family has no `name`");
    assert!(
        !record.atrs.is_empty(),
        "a family has no `atrs`: what is it recognised by?"
    );
    assert!(
        !record.slots.is_empty(),
        "a family has no `slots`: which PINs are there?"
    );
    assert!(record.chunk >= 1 && record.chunk <= 256, "`chunk` is 1 to 256 bytes");
    answers(record.atrs);
    answers(record.contactless);
    let mut at = 0;
    while at < record.slots.len() {
        slot(&record.slots[at]);
        at += 1;
    }
}

const fn answers(atrs: &[Atr]) {
    let mut at = 0;
    while at < atrs.len() {
        assert!(!atrs[at].pattern.is_empty(), "an answer to reset is empty");
        if let Some(mask) = atrs[at].mask {
            assert!(
                mask.len() == atrs[at].pattern.len(),
                "a mask is as long as its answer to reset"
            );
        }
        at += 1;
    }
}

const fn slot(slot: &SlotProfile) {
    let (shortest, longest) = slot.pin.length;
    assert!(!slot.pin.name.is_empty(), "a PIN has no name");
    assert!(
        shortest >= 1 && shortest <= longest,
        "a PIN's shortest length is more than its longest"
    );
    assert!(!slot.keys.is_empty(), "a PIN opens no key: `keys` of its slot");
    let mut at = 0;
    while at < slot.keys.len() {
        key(&slot.keys[at]);
        at += 1;
    }
}

const fn key(key: &KeyProfile) {
    assert!(!key.ways.is_empty(), "a key signs in no way: `ways`");
    if let super::Locator::File { at, .. } = key.certificate {
        assert!(!at.is_empty(), "a key's certificate is nowhere: `certificate`");
    }
    let mut at = 0;
    while at < key.ways.len() {
        assert!(!key.ways[at].hashes.is_empty(), "a way to sign has no `hashes`");
        at += 1;
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[test]
fn ids_are_compared_whole() {
    assert!(same("piv", "piv") && same("", ""));
    assert!(!same("piv", "pi") && !same("piv", "pix") && !same("", "piv"));
}

/// What does not build, panics when it is run.
#[test]
fn a_record_that_leaves_something_out_is_told_of() {
    use super::super::families::finid::V4;
    const NONE: Profile = Profile::USUAL;
    const NAMED: Profile = Profile {
        id: "x",
        name: "X",
        ..Profile::USUAL
    };
    const TWICE: Profile = Profile { name: "X", ..V4 };
    let told = |records: &[&Profile]| {
        let told = std::panic::catch_unwind(|| complete(records)).err()?;
        told.downcast_ref::<&str>().map(|text| (*text).to_owned())
    };
    assert_eq!(told(&[&V4]), None);
    for (records, expected) in [
        (&[&NONE][..], "no `id`"),
        (&[&NAMED], "no `atrs`"),
        (&[&V4, &TWICE], "one `id`"),
    ] {
        let told = told(records).unwrap_or_default();
        assert!(told.contains(expected), "{told}");
    }
}
