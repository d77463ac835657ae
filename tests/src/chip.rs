//! A chip that the agent speaks to itself, in a reader: the ground on which the scenes with chips are played.
//!
//! The same scene ([`scenes`]) is played over a real `pcscd` and a virtual reader ([`Ground::Service`]), and with no
//! PC/SC at all, the agent in this process ([`Ground::Process`]). A card of plastic is no ground yet (`tests/card_hardware.rs`
//! confirms with one): the scenes count tries and signatures on the card itself, and order its faults.

mod drawer;
pub mod scenes;

use fixtures::card::VirtualCard;
use fixtures::card::kit::{Made, Order, Watch};
use fixtures::card::vpcd::{Fault, Slot, What, When};
use fixtures::card::{belid, esteid_idemia, esteid_thales, finid, latid, piv};
use fixtures::pki::{Issued, TestPki};

use crate::agent::Setup;
use crate::judge::Judge;
use crate::pcsc_client::PcscClient;
use crate::pcscd::{Pcscd, Reader};
use crate::process::eventually;
use crate::scene::Scene;
use drawer::Drawer;

/// Whose every card is, unless told.
pub const PERSON: &str = "Иванов Иван Иванович";

/// A family of cards, and what a scene has to know of it.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its id.
    pub id: &'static str,
    make: fn(&TestPki, &Order) -> Made,
    /// The PIN for identity.
    pin: &'static str,
    /// Tries of it in all.
    tries: u8,
    /// How many VERIFY commands without a PIN come before the one with it, in a first confirmation.
    asks_tries: usize,
    /// The instruction that signs.
    signs: u8,
}

/// The families that the scenes are played on: one that has an application for all, and each of the national engines.
pub const KINDS: [Kind; 6] = [
    Kind {
        id: "piv",
        make: piv::p256,
        pin: "PIN",
        tries: 3,
        asks_tries: 1,
        signs: 0x87,
    },
    Kind {
        id: "esteid-idemia",
        make: esteid_idemia::cosmo_8,
        pin: "PIN1",
        tries: 3,
        asks_tries: 0,
        signs: 0x88,
    },
    Kind {
        id: "esteid-thales",
        make: esteid_thales::card,
        pin: "PIN1",
        tries: 3,
        asks_tries: 0,
        signs: 0x2A,
    },
    Kind {
        id: "finid-v4",
        make: finid::v4,
        pin: "PIN1",
        tries: 5,
        asks_tries: 0,
        signs: 0x2A,
    },
    Kind {
        id: "latid-v2",
        make: latid::v2_ec,
        pin: "PIN1",
        tries: 3,
        asks_tries: 0,
        signs: 0x88,
    },
    Kind {
        id: "belid",
        make: belid::v1_8,
        pin: "PIN",
        tries: 3,
        asks_tries: 0,
        signs: 0x2A,
    },
];

/// PIV.
pub const PIV: Kind = KINDS[0];

/// Where a scene is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The agent is in this process, and so is the reader.
    Process,
    /// The agent is a process, the reader is vpcd's behind a real `pcscd`.
    Service,
}

enum Place {
    Process(Drawer),
    Service(Box<Service>),
}

struct Service {
    pcscd: Pcscd,
    reader: Reader,
    slot: Slot,
    watcher: PcscClient,
}

/// A reader on a ground, with a card that may be in it.
pub struct Desk {
    /// The kind of its card.
    pub kind: Kind,
    /// The authority behind its card.
    pub pki: TestPki,
    /// The certificate for identity on its card.
    pub issued: Issued,
    /// What was done to its card.
    pub watch: Watch,
    right: String,
    place: Place,
    /// The card, while it is not in the reader.
    card: Option<Box<dyn VirtualCard>>,
}

impl Desk {
    /// With a card of this kind, which is in the reader.
    pub fn new(ground: Ground, kind: Kind) -> Self {
        Self::ordered(ground, kind, |order| order)
    }

    /// The same, the card as ordered.
    pub fn ordered(ground: Ground, kind: Kind, order: impl FnOnce(Order) -> Order) -> Self {
        let mut desk = Self::empty(ground, kind, order);
        desk.insert();
        desk
    }

    /// With so many tries of the PIN left.
    pub fn with_tries(ground: Ground, kind: Kind, left: u8) -> Self {
        Self::ordered(ground, kind, |order| order.tries_left(kind.pin, left))
    }

    /// The card lies beside the reader.
    pub fn empty(ground: Ground, kind: Kind, order: impl FnOnce(Order) -> Order) -> Self {
        let pki = TestPki::new();
        let made = (kind.make)(&pki, &order(Order::new(PERSON)));
        let place = match ground {
            Ground::Process => Place::Process(Drawer::default()),
            Ground::Service => {
                let pcscd = Pcscd::start();
                let reader = pcscd.reader();
                Place::Service(Box::new(Service {
                    slot: Slot::new(reader.port),
                    watcher: pcscd.client(),
                    reader,
                    pcscd,
                }))
            }
        };
        Self {
            kind,
            watch: made.watch(),
            right: made.pin(kind.pin).to_owned(),
            issued: made.authentication,
            pki,
            place,
            card: Some(Box::new(made.chip)),
        }
    }

    /// What types the right PIN.
    pub fn right(&self) -> String {
        format!("pin {}", self.right)
    }

    /// What types a wrong one, of the same length.
    pub fn wrong(&self) -> String {
        format!("pin {}", "9".repeat(self.right.len()))
    }

    /// Puts the card in.
    pub fn insert(&mut self) {
        self.insert_faulty(&[]);
    }

    /// Puts the card in; something will go wrong with it.
    pub fn insert_faulty(&mut self, faults: &[Fault]) {
        let card = self.card.take().expect("the card is not in");
        self.put(card, faults);
    }

    /// Puts another card in.
    pub fn insert_other(&mut self, card: impl VirtualCard + 'static) {
        self.put(Box::new(card), &[]);
    }

    fn put(&mut self, card: Box<dyn VirtualCard>, faults: &[Fault]) {
        match &mut self.place {
            Place::Process(drawer) => drawer.insert(card, faults),
            Place::Service(service) => {
                service.slot.insert_faulty(card, faults).expect("vpcd listens");
                service.watcher.wait_for_card(&service.reader.name);
            }
        }
    }

    /// Takes what is in out of the reader, and keeps it; also where a fault has pulled it already.
    pub fn remove(&mut self) {
        self.card = match &mut self.place {
            Place::Process(drawer) => drawer.remove(),
            Place::Service(service) => {
                let card = service.slot.remove();
                service.pcscd.wait_until_it_has_seen_the_removal(&service.reader);
                service.watcher.wait_for_none(&service.reader.name);
                card
            }
        };
    }

    /// The card is pulled when it is given a PIN; `after`: after it has compared it.
    pub fn pulled_at_the_pin(&self, after: bool) -> Fault {
        let what = if after { What::PulledAfter } else { What::Pulled };
        Fault {
            when: When::NthInstruction(0x20, self.kind.asks_tries + 1),
            what,
        }
    }

    /// The card is pulled when it is to sign.
    pub fn pulled_at_the_signature(&self) -> Fault {
        Fault {
            when: When::Instruction(self.kind.signs),
            what: What::Pulled,
        }
    }

    /// The card is pulled at this command of an insertion.
    pub fn pulled_at(&self, command: usize) -> Fault {
        Fault {
            when: When::Command(command),
            what: What::Pulled,
        }
    }

    /// A daemon that finds the reader and nothing else, a person and a plugin.
    pub async fn scene(&self) -> Scene {
        self.scene_with("").await
    }

    /// The same with more lines of configuration.
    pub async fn scene_with(&self, lines: &str) -> Scene {
        let setup = Setup::new().configure(lines);
        match &self.place {
            Place::Process(drawer) => Scene::open_here(setup, drawer.source()).await,
            Place::Service(service) => Scene::open(setup.pcscd(&service.pcscd)).await,
        }
    }

    /// A portal that trusts the card's authority, and OpenSSL.
    pub fn judge(&self) -> Judge {
        Judge::new(&self.pki.root_pem(), &[&self.pki.intermediate.certificate])
            .introducing(&self.pki.intermediate.certificate)
    }

    /// PINs that any program has sent to any card in this reader.
    pub fn pins_sent(&self) -> usize {
        match &self.place {
            Place::Process(drawer) => drawer.pins_sent(),
            Place::Service(service) => service.pcscd.pins_sent(),
        }
    }

    /// Its service; none where there is no service.
    pub fn service(&mut self) -> Option<&mut Pcscd> {
        match &mut self.place {
            Place::Process(_) => None,
            Place::Service(service) => Some(&mut service.pcscd),
        }
    }

    /// The service comes back after it has ended; whatever was in the reader has to be put in again.
    pub fn service_starts_again(&mut self) {
        if let Place::Service(service) = &mut self.place {
            if let Some(card) = service.slot.remove() {
                self.card = Some(card);
            }
            service.pcscd.start_again();
            service.watcher = service.pcscd.client();
            let listed = || service.watcher.readers().contains(&service.reader.name).then_some(());
            eventually("the readers of the new service", listed);
        }
    }

    /// A second client that is connected to the card.
    ///
    /// # Panics
    /// Where there is no service.
    pub fn second_client(&self, exclusive: bool) -> PcscClient {
        let Place::Service(service) = &self.place else {
            panic!("nobody else is in this process")
        };
        let client = service.pcscd.client();
        client.connect(&service.reader.name, exclusive).expect("the card");
        client
    }
}
