//! A chip that the agent speaks to itself, in a reader: the grounds on which the scenes with chips are played.
//!
//! The same scene ([`scenes`]) is played with no PC/SC at all, the agent in this process ([`Ground::Process`]); over a
//! real `pcscd` and a virtual reader ([`Ground::Service`]); and in a reader of this machine, where somebody at the desk
//! moves the card ([`Ground::Hardware`]). What a scene must know of its ground it asks the [`Desk`]: how a card comes and
//! goes, what the right PIN is, whether what is done to the card is counted ([`Desk::counts`]), whether faults can be
//! ordered.

mod counts;
mod drawer;
pub mod hardware;
mod kinds;
pub mod rehearsal;
pub mod scenes;
mod service;

use agent::config::Config;
use fixtures::card::VirtualCard;
use fixtures::card::kit::{Order, Watch};
use fixtures::card::vpcd::{Fault, What, When};
use fixtures::cvc::UecPki;
use fixtures::pki::TestPki;
use plugin_protocol::api::{ConfirmationRequest, Operation};
use tempfile::TempDir;

use crate::agent::Setup;
use crate::apdu_log::Exchange;
use crate::ask::confirmation;
use crate::judge::Judge;
use crate::pcsc_client::PcscClient;
use crate::pcscd::Pcscd;
use crate::scene::Scene;
pub use counts::Counts;
use drawer::Drawer;
use hardware::Hardware;
use kinds::Virtual;
pub use kinds::{KINDS, Kind, PIV, terminal};
use service::Service;

/// Whose every card is, unless told.
pub const PERSON: &str = "Иванов Иван Иванович";
/// Whose another card is.
pub const OTHER_PERSON: &str = "Петров Пётр Петрович";

/// Where a scene is played.
#[derive(Clone, Copy)]
pub enum Ground {
    /// The agent is in this process, and so is the reader.
    Process,
    /// The agent is a process, the reader is vpcd's behind a real `pcscd`.
    Service,
    /// A reader of this machine; somebody moves the card in it.
    Hardware(&'static Hardware),
}

impl Ground {
    /// Of a card of plastic its kind; the other grounds have a card of any kind, and this is a PIV card.
    pub fn kind(self) -> Kind {
        match self {
            Self::Process | Self::Service => PIV,
            Self::Hardware(hardware) => hardware.kind,
        }
    }
}

enum Place {
    Process(Drawer),
    Service(Box<Service>),
    Hardware(Box<hardware::Seat>),
}

/// A reader on a ground, with a card that may be in it.
pub struct Desk {
    /// The kind of its card.
    pub kind: Kind,
    /// The authority behind its card.
    pub pki: TestPki,
    /// The certificate for identity on its card; empty where only the card knows.
    pub certificate: Vec<u8>,
    /// What was done to its card, if that is a virtual one.
    pub watch: Watch,
    right: String,
    place: Place,
    /// The card, while it is not in the reader.
    card: Option<Box<dyn VirtualCard>>,
    /// The same while another one is in.
    aside: Option<(Option<Box<dyn VirtualCard>>, Watch)>,
    /// The world of its card, where that is a universal one.
    world: Option<UecPki>,
    /// The agent's files as a terminal of universal cards.
    terminal: TempDir,
}

impl Desk {
    /// With a card of this kind, which is in the reader.
    pub fn new(ground: Ground, kind: Kind) -> Self {
        Self::ordered(ground, kind, |order| order)
    }

    /// The same, the card as ordered.
    pub fn ordered(ground: Ground, kind: Kind, order: impl FnOnce(Order) -> Order) -> Self {
        let mut desk = Self::prepared(ground, kind, order);
        desk.insert();
        desk
    }

    /// With so many tries of the PIN left.
    pub fn with_tries(ground: Ground, kind: Kind, left: u8) -> Self {
        Self::ordered(ground, kind, |order| order.tries_left(kind.pin, left))
    }

    /// The card lies beside the reader.
    pub fn empty(ground: Ground, kind: Kind, order: impl FnOnce(Order) -> Order) -> Self {
        let mut desk = Self::prepared(ground, kind, order);
        if let Place::Hardware(seat) = &mut desk.place {
            seat.remove();
        }
        desk
    }

    /// Nobody has moved a card yet.
    fn prepared(ground: Ground, kind: Kind, order: impl FnOnce(Order) -> Order) -> Self {
        let pki = TestPki::new();
        let terminal = tempfile::tempdir().expect("a temporary directory");
        let place = match ground {
            Ground::Hardware(hardware) => return Self::of_plastic(hardware, pki, terminal),
            Ground::Process => Place::Process(Drawer::default()),
            Ground::Service => Place::Service(Box::new(Service::start())),
        };
        let made = (kind.make)(&pki, &order(Order::new(PERSON)));
        Self {
            kind,
            right: made.pin(kind.pin).to_owned(),
            watch: made.watch,
            certificate: made.certificate,
            pki,
            place,
            card: Some(made.card),
            aside: None,
            world: made.world,
            terminal,
        }
    }

    fn of_plastic(hardware: &'static Hardware, pki: TestPki, terminal: TempDir) -> Self {
        Self {
            kind: hardware.kind,
            right: hardware.pin.clone(),
            watch: Watch::default(),
            certificate: Vec::new(),
            pki,
            place: Place::Hardware(Box::new(hardware.seat())),
            card: None,
            aside: None,
            world: None,
            terminal,
        }
    }

    /// What types the right PIN.
    pub fn right(&self) -> String {
        format!("pin {}", self.right)
    }

    /// What types a wrong one, of the same length.
    pub fn wrong(&self) -> String {
        let digit = if self.right.contains(|digit| digit != '9') {
            "9"
        } else {
            "8"
        };
        format!("pin {}", digit.repeat(self.right.len()))
    }

    /// A request for a proof of the kind that the card can give.
    pub fn request(&self) -> ConfirmationRequest {
        confirmation(self.kind.format)
    }

    /// Puts the card in.
    pub fn insert(&mut self) {
        match &mut self.place {
            Place::Hardware(seat) => seat.insert(),
            _ => self.insert_faulty(&[]),
        }
    }

    /// Puts the card in; something will go wrong with it.
    pub fn insert_faulty(&mut self, faults: &[Fault]) {
        let card = self.card.take().expect("the card is not in");
        self.put(card, faults);
    }

    /// Puts a card that is no family's in.
    pub fn insert_other(&mut self, card: impl VirtualCard + 'static) {
        self.put(Box::new(card), &[]);
    }

    /// Whether another card of the same kind is at hand.
    pub fn has_another(&self) -> bool {
        match &self.place {
            Place::Hardware(seat) => seat.has_another(),
            _ => true,
        }
    }

    /// Puts another card of the same kind in, with the same PIN.
    pub fn insert_another(&mut self) {
        if let Place::Hardware(seat) = &mut self.place {
            return seat.insert_another();
        }
        let another = self.another();
        let watch = std::mem::replace(&mut self.watch, another.watch);
        self.aside = Some((self.card.take(), watch));
        self.put(another.card, &[]);
    }

    /// Another person's card of the same kind, under the same authority.
    fn another(&self) -> Virtual {
        let order = Order::new(OTHER_PERSON).pin(self.kind.pin, &self.right);
        let another = (self.kind.make)(&self.pki, &order);
        assert_ne!(another.certificate, self.certificate);
        another
    }

    fn put(&mut self, card: Box<dyn VirtualCard>, faults: &[Fault]) {
        match &mut self.place {
            Place::Process(drawer) => drawer.insert(card, faults),
            Place::Service(service) => service.insert(card, faults),
            Place::Hardware(_) => panic!("no virtual card fits into this reader"),
        }
    }

    /// Takes what is in out of the reader, and keeps it; also where a fault has pulled it already.
    pub fn remove(&mut self) {
        self.card = match &mut self.place {
            Place::Process(drawer) => drawer.remove(),
            Place::Service(service) => service.remove(),
            Place::Hardware(seat) => {
                seat.remove();
                None
            }
        };
        if let Some((own, watch)) = self.aside.take() {
            (self.card, self.watch) = (own, watch);
        }
    }

    /// Takes the card out and puts it back faster than the service looks; also where a fault has pulled it already.
    pub fn put_back_at_once(&mut self) {
        match &mut self.place {
            Place::Process(drawer) => drawer.put_back_at_once(),
            Place::Service(service) => service.put_back_at_once(),
            Place::Hardware(_) => panic!("no hand is as fast"),
        }
    }

    /// Waits until a fault has pulled the card.
    pub async fn pulled(&self) {
        crate::process::eventually_async("the pull", || self.is_pulled().then_some(())).await;
    }

    /// Whether a fault has pulled the card.
    fn is_pulled(&self) -> bool {
        match &self.place {
            Place::Process(drawer) => drawer.is_pulled(),
            Place::Service(service) => service.is_pulled(),
            Place::Hardware(_) => panic!("nobody orders faults of a card of plastic"),
        }
    }

    /// The reader's name.
    pub fn reader(&self) -> &str {
        match &self.place {
            Place::Process(_) => drawer::READER,
            Place::Service(service) => &service.reader.name,
            Place::Hardware(seat) => &seat.reader,
        }
    }

    /// What the agent must be told to be a terminal of this card; nothing where it needs none.
    fn lines(&self) -> String {
        let world = self.world.as_ref();
        world
            .map(|world| terminal(world, self.terminal.path()))
            .unwrap_or_default()
    }

    /// A daemon that finds the reader and nothing else, a person and a plugin.
    pub async fn scene(&self) -> Scene {
        self.scene_with("").await
    }

    /// The same with more lines of configuration.
    pub async fn scene_with(&self, lines: &str) -> Scene {
        let setup = Setup::new().configure(lines).configure(&self.lines());
        match &self.place {
            Place::Process(drawer) => {
                let config = Config::parse(&setup.config()).expect("a configuration");
                Scene::open_here(setup, drawer.source(&config)).await
            }
            Place::Service(service) => Scene::open(setup.pcscd(&service.pcscd)).await,
            Place::Hardware(seat) => Scene::open(seat.setup(setup)).await,
        }
    }

    /// A portal that trusts the card's authority, and OpenSSL.
    pub fn judge(&self) -> Judge {
        Judge::new(&self.pki.root_pem(), &[&self.pki.intermediate.certificate])
            .introducing(&self.pki.intermediate.certificate)
    }

    /// The proof is this card's: a portal says so, and of every CMS OpenSSL.
    pub fn accept(&self, request: &ConfirmationRequest, operation: &Operation) {
        match (&self.place, &self.world) {
            (Place::Hardware(seat), _) => seat.accept(request, operation),
            (_, Some(world)) => {
                let card = Judge::of_universal_cards(&world.authority.certificate).accept_card(request, operation);
                assert_eq!(card.certificate(), self.certificate);
                assert_eq!(card.snils(), world.holder.snils);
            }
            (_, None) => {
                let identity = self.judge().accept(request, operation);
                assert_eq!(identity.certificate_der(), self.certificate);
            }
        }
    }

    /// What was done to the card that is in, or was last; `None` where nobody counts it.
    pub fn counts(&self) -> Option<Counts> {
        match self.place {
            Place::Hardware(_) => None,
            _ => Some(Counts {
                sent: self.pins_sent(),
                compared: self.watch.verifies(),
                wrong: self.watch.tries_spent(),
                signed: self.watch.signatures(),
            }),
        }
    }

    /// So much was done to the card since, where it is counted; one that proves itself first has done so for each PIN.
    #[track_caller]
    pub fn expect(&self, before: Option<Counts>, mut expected: Counts) {
        if self.kind.proves_first {
            expected.signed = expected.sent;
        }
        if let (Some(before), Some(now)) = (before, self.counts()) {
            assert_eq!(now.since(before), expected, "{}", self.kind.id);
            assert_eq!(self.watch.forbidden(), Vec::<String>::new(), "{}", self.kind.id);
        }
    }

    /// What any program has sent to any card in this reader, oldest first; nothing is known of a card of plastic.
    pub fn exchanges(&self) -> Vec<Exchange> {
        match &self.place {
            Place::Process(drawer) => drawer.exchanges(),
            Place::Service(service) => service.pcscd.exchanges(),
            Place::Hardware(_) => Vec::new(),
        }
    }

    /// PINs that any program has sent to any card in this reader; none are known of a card of plastic.
    pub fn pins_sent(&self) -> usize {
        self.exchanges().iter().filter(|exchange| exchange.bears_pin()).count()
    }

    /// Its service; none where there is no service of ours.
    pub fn service(&mut self) -> Option<&mut Pcscd> {
        match &mut self.place {
            Place::Service(service) => Some(&mut service.pcscd),
            Place::Process(_) | Place::Hardware(_) => None,
        }
    }

    /// The service comes back after it has ended; whatever was in the reader has to be put in again.
    pub fn service_starts_again(&mut self) {
        if let Place::Service(service) = &mut self.place
            && let Some(card) = service.start_again()
        {
            self.card = Some(card);
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

/// The card is pulled at this command of an insertion, which it does not carry out.
pub fn pulled_at(command: usize) -> Fault {
    Fault {
        when: When::Command(command),
        what: What::Pulled,
    }
}

/// The card is pulled after it has carried out this command of an insertion, before its answer is heard.
pub fn pulled_after(command: usize) -> Fault {
    Fault {
        when: When::Command(command),
        what: What::PulledAfter,
    }
}
