//! A token of which a PKCS#11 module may serve more: nothing is taken from that.

use fixtures::card::kit::{Made, Order};
use fixtures::card::rutoken_ecp;
use fixtures::pki::TestPki;

use super::*;
use crate::token::card::families;
use crate::token::{Closed, Strange, Stranger};

/// The source with this token in, and what `leave` says of it.
pub(super) fn put_in(make: fn(&TestPki, &Order) -> Made, leave: Vec<Left>) -> (World, Cards) {
    let world = World::running();
    world.plug(READER);
    world.insert(READER, make(&TestPki::new(), &Order::new("Иванов Иван Иванович")).chip);
    let options = Options { pads: true, leave };
    let cards = Cards::new(Arc::new(world.clone()), families::all(), options);
    (world, cards)
}

#[test]
fn without_a_module_its_rsa_keys_are_served() {
    let (_world, mut cards) = put_in(rutoken_ecp::usb, Vec::new());
    let tokens = listed(&mut cards);
    assert_eq!(tokens.len(), 1);
    assert_eq!((tokens[0].label.as_str(), tokens[0].role), ("Rutoken ECP PIN", None));
    assert_eq!(tokens[0].pin.tries_left, Some(5));
    assert_eq!(cards.credentials(&tokens[0].id).unwrap().len(), 2);
    assert_eq!(cards.listing().serves, [READER]);
}

#[test]
fn left_to_a_module_it_gets_not_a_byte() {
    let (world, mut cards) = put_in(rutoken_ecp::usb, vec![left("rutoken-ecp")]);
    let listing = cards.listing();
    assert_eq!(listing.tokens, Ok(Vec::new()));
    assert!(listing.serves.is_empty(), "the module's token is shown");
    let told = cards.readers().unwrap().remove(0).card;
    assert!(
        matches!(&told, Inserted::Left { family, why } if family == "Rutoken ECP" && why.contains("test says")),
        "{told:?}"
    );
    assert!(commands(&world.log(READER)).is_empty());
}

#[test]
fn as_its_maker_writes_it_it_is_left_to_any_module_and_said_so() {
    let (world, mut cards) = put_in(rutoken_ecp::of_its_maker, Vec::new());
    let listing = cards.listing();
    assert_eq!(listing.tokens, Ok(Vec::new()));
    assert!(listing.serves.is_empty(), "the module's token is shown");
    let told = cards.readers().unwrap().remove(0).card;
    assert!(
        matches!(&told, Inserted::Elsewhere { family, why } if family == "Rutoken ECP" && why.contains("librtpkcs11ecp")),
        "{told:?}"
    );
    let strangers = listing.strangers;
    assert!(
        matches!(&strangers[..], [Stranger { why: Strange::Closed(card), .. }]
            if card.kind.name == "Rutoken ECP" && card.why == Closed::Module),
        "{strangers:?}"
    );
    // One SELECT in all, and no other family asks it.
    assert_eq!(commands(&world.log(READER)).len(), 1);
}
