//! The families that the scenes are played with, and what a scene has to know of each.

use std::path::Path;

use fixtures::card::kit::{Made, Order, Watch};
use fixtures::card::uec::{named, ordered};
use fixtures::card::{VirtualCard, belid, esteid_idemia, esteid_thales, finid, latid, piv, rutoken_ecp};
use fixtures::cvc::{UecPki, write_terminal};
use fixtures::pki::TestPki;

/// A family of cards.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its id; of a family with several versions, the version's.
    pub id: &'static str,
    pub(super) make: fn(&TestPki, &Order) -> Virtual,
    /// The PIN for identity.
    pub pin: &'static str,
    /// Tries of it in all.
    pub tries: u8,
    /// The format of a proof by it: one that OpenSSL verifies, where there is one.
    pub format: &'static str,
    /// It says how many tries are left without being given a PIN.
    pub tells_tries: bool,
    /// It signs (authenticates itself) before it is given a PIN, which it gets only where that holds.
    pub(super) proves_first: bool,
    /// How many cards share the work of being pulled at every command: those that take many.
    pub(super) lanes: usize,
}

const fn national(id: &'static str, make: fn(&TestPki, &Order) -> Virtual) -> Kind {
    Kind {
        id,
        make,
        pin: "PIN1",
        tries: 3,
        format: "cms",
        tells_tries: true,
        proves_first: false,
        lanes: 1,
    }
}

const fn universal(id: &'static str, make: fn(&TestPki, &Order) -> Virtual) -> Kind {
    Kind {
        format: "uec",
        tells_tries: false,
        proves_first: true,
        lanes: 3,
        ..national(id, make)
    }
}

/// PIV.
pub const PIV: Kind = Kind {
    pin: "PIN",
    ..national("piv", |pki, order| piv::p256(pki, order).into())
};

/// Every family; of the universal electronic card both versions.
pub const KINDS: [Kind; 11] = [
    PIV,
    national("esteid-idemia", |pki, order| esteid_idemia::cosmo_8(pki, order).into()),
    national("esteid-thales", |pki, order| esteid_thales::card(pki, order).into()),
    Kind {
        tries: 5,
        ..national("finid-v3", |pki, order| finid::v3(pki, order).into())
    },
    Kind {
        tries: 5,
        ..national("finid-v4", |pki, order| finid::v4(pki, order).into())
    },
    national("latid-v1", |pki, order| latid::v1(pki, order).into()),
    national("latid-v2", |pki, order| latid::v2_ec(pki, order).into()),
    Kind {
        pin: "PIN",
        ..national("belid", |pki, order| belid::v1_8(pki, order).into())
    },
    Kind {
        pin: "PIN",
        tries: 5,
        ..national("rutoken-ecp", |pki, order| rutoken_ecp::usb(pki, order).into())
    },
    universal("uec", |_, order| Virtual::universal("uec", order)),
    universal("uec-1.0", |_, order| Virtual::universal("uec-1.0", order)),
];

impl Kind {
    /// The one with this id.
    pub fn find(id: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.id == id)
    }
}

/// A virtual card, and what is known of it outside.
pub(super) struct Virtual {
    pub(super) card: Box<dyn VirtualCard>,
    pub(super) watch: Watch,
    /// The certificate for identity: X.509, or CV where the card is a universal one.
    pub(super) certificate: Vec<u8>,
    pub(super) pins: Vec<(String, String)>,
    /// The world of a universal card.
    pub(super) world: Option<UecPki>,
}

impl From<Made> for Virtual {
    fn from(made: Made) -> Self {
        Self {
            watch: made.watch(),
            certificate: made.authentication.certificate,
            pins: made.pins,
            card: Box::new(made.chip),
            world: None,
        }
    }
}

impl Virtual {
    fn universal(id: &str, order: &Order) -> Self {
        let card = ordered(named(id).expect("it is listed"), order);
        let world = card.pkis()[0].clone();
        Self {
            watch: card.watch(),
            certificate: world.application.certificate.clone(),
            pins: card.pins(),
            card: Box::new(card),
            world: Some(world),
        }
    }

    /// The right value of a PIN.
    pub(super) fn pin(&self, name: &str) -> &str {
        let found = self.pins.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("this card has no {name}")).1
    }
}

/// What an agent is told to be a terminal of universal cards, whose files are written into `folder`.
pub fn terminal(world: &UecPki, folder: &Path) -> String {
    let files = write_terminal(folder, world);
    format!(
        "uec.roots = [{:?}]\nuec.terminals = [{{ operator_certificate = {:?}, certificate = {:?}, key = {:?} }}]\n",
        files.root, files.operator_certificate, files.certificate, files.key
    )
}

#[cfg(test)]
mod tests {
    use agent::token::card::families::FAMILY_IDS;

    use super::*;

    #[test]
    fn no_family_goes_without_the_scenes() {
        for id in FAMILY_IDS {
            assert!(Kind::find(id).is_some(), "no kind for the family {id}");
        }
    }
}
