//! Bytes from strangers in every member: never a panic, and never another card than the one that signed.

use std::sync::OnceLock;

use fixtures::cvc::Evidence;
use proptest::prelude::*;

use super::{KINDS, Scene};
use crate::no_panic::{apply, change};

struct Goods {
    scene: Scene,
    evidence: Evidence,
    certificate: Vec<u8>,
}

fn goods() -> &'static Vec<Goods> {
    static GOODS: OnceLock<Vec<Goods>> = OnceLock::new();
    GOODS.get_or_init(|| {
        let scenes = KINDS.into_iter().map(|(version, suite)| Scene::new(version, suite));
        let plain = scenes.map(|scene| (scene.evidence(), scene));
        let holder = Scene::gost();
        let holders = std::iter::once((holder.evidence_of_holder(), holder));
        let all = plain.chain(holders).map(|(evidence, scene)| Goods {
            certificate: evidence.certificate.clone(),
            evidence,
            scene,
        });
        all.collect()
    })
}

/// The member of this number, in turn of all.
fn member(evidence: &mut Evidence, number: usize) -> &mut Vec<u8> {
    match number % 8 {
        0 => &mut evidence.certificate,
        1 => &mut evidence.issuers[0],
        2 => &mut evidence.message,
        3 => &mut evidence.cryptogram,
        4 => evidence.terminal.get_or_insert_default(),
        5 => evidence.data.get_or_insert_default(),
        6 if evidence.holder.is_some() => &mut evidence.holder.as_mut().unwrap().certificates[0],
        7 if evidence.holder.is_some() => &mut evidence.holder.as_mut().unwrap().signature,
        _ => &mut evidence.statement,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_member_is_refused_or_changes_nothing_that_is_signed(
        kind in 0..5usize,
        number in 0..8usize,
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let goods = &goods()[kind];
        let mut evidence = goods.evidence.clone();
        let changed = member(&mut evidence, number);
        *changed = apply(changed, &changes);
        if let Ok(card) = goods.scene.verify(&evidence) {
            prop_assert_eq!(card.certificate(), &goods.certificate[..]);
            prop_assert_eq!(card.snils(), &goods.scene.pki.holder.snils);
            prop_assert_eq!(&evidence.message, &goods.evidence.message);
            prop_assert_eq!(&evidence.cryptogram, &goods.evidence.cryptogram);
        }
    }

    #[test]
    fn noise_in_any_member_is_refused(kind in 0..5usize, number in 0..4usize, bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let goods = &goods()[kind];
        let mut evidence = goods.evidence.clone();
        *member(&mut evidence, number) = bytes.clone();
        prop_assert!(goods.scene.verify(&evidence).is_err());
        prop_assert!(portal::UecPolicy::new().root(&bytes).is_err());
        evidence = goods.evidence.clone();
        *member(&mut evidence, 5) = bytes;
        let _ = goods.scene.verify(&evidence);
    }

    /// A certificate that its issuer did sign, whatever is in it: read or refused.
    #[test]
    fn a_signed_certificate_with_anything_in_it(
        kind in 0..4usize,
        subject in prop::collection::vec(any::<u8>(), 0..40),
        octets in any::<[u8; 6]>(),
        changes in prop::collection::vec(change(), 0..3),
    ) {
        let goods = &goods()[kind];
        let mut pki = goods.scene.pki.clone();
        pki.respoil_application(|template| {
            template.subject = subject;
            template.key = apply(&template.key, &changes);
            template.kind = octets[0] % 9;
            template.profile = octets[1] % 4;
            template.expires += i64::from(octets[2]) * 10_000_000;
        });
        let certificate = pki.application.certificate.clone();
        let statement = goods.scene.statement(&certificate).to_canonical_json();
        let _ = goods.scene.verify(&pki.evidence(&statement));
    }
}

#[test]
fn the_goods_are_good() {
    for goods in goods() {
        goods.scene.verify(&goods.evidence).unwrap();
    }
}
