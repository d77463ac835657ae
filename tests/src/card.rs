//! The tokens that the scenarios are played on: the same scenes with another card in the slot.

use fixtures::evil::{Call, EvilModule};
use fixtures::pki::{Issued, KeyKind, TestPki};
use plugin_protocol::SignatureAlgorithm;

use crate::agent::Setup;

mod gost;

pub use gost::Gost;

/// The PIN of every card here.
pub const PIN: &str = "12345678";

/// A kind of card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One P-256 key behind the module of the fixtures that can do everything wrong.
    Ecdsa,
    /// One key of GOST R 34.10-2012, 256 bits, behind a module with the order of X.509.
    Gost256,
    /// The same with 512 bits, behind a module that puts r first.
    Gost512,
}

/// What is typed on a card's own pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pad {
    /// The right PIN.
    Right,
    /// The key for cancelling.
    Cancel,
}

/// How a card is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Its label.
    pub label: String,
    /// Whom the certificate is of; valid from 2023-11-14 to 2096-10-02.
    pub person: String,
    /// Wrong PINs until it locks.
    pub tries: u32,
    /// The PIN is typed on it, and how.
    pub pad: Option<Pad>,
    /// The key wants the PIN before each signature.
    pub always_authenticate: bool,
    /// Its PIN must be changed first.
    pub must_change: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            label: "Рутокен".to_owned(),
            person: "Иванов Иван Иванович".to_owned(),
            tries: 3,
            pad: None,
            always_authenticate: false,
            must_change: false,
        }
    }
}

/// A card in its slot.
pub trait Card {
    /// A daemon that finds it, and nothing else.
    fn setup(&self) -> Setup;
    /// The certificate on it, with its key.
    fn issued(&self) -> &Issued;
    /// The authority behind that.
    fn pki(&self) -> &TestPki;
    /// What its key signs with.
    fn algorithm(&self) -> SignatureAlgorithm;
    /// PINs compared so far, right or wrong.
    fn pins_tried(&self) -> usize;
    /// Calls of C_Login so far.
    fn logins(&self) -> usize;
    /// Calls of C_Sign so far.
    fn signings(&self) -> usize;
    /// Wrong PINs left; `None` before the first PIN was compared, where it cannot be known.
    fn tries_left(&self) -> Option<u32>;
    /// Sets the wrong PINs left: at 1 the next is the last, at 0 it is locked.
    fn set_tries_left(&self, tries: u32);
    /// The shortest and the longest PIN, characters.
    fn pin_length(&self) -> (usize, usize);
    /// Takes it out of its slot.
    fn remove(&self);
    /// Puts it back in.
    fn insert(&self);
}

impl Kind {
    /// A card of this kind.
    pub fn make(self, wish: &Wish) -> Box<dyn Card> {
        match self {
            Self::Ecdsa => Box::new(Ecdsa::new(wish)),
            Self::Gost256 => Box::new(Gost::new(KeyKind::GOST_256, SignatureAlgorithm::Gost256, "s-r", wish)),
            Self::Gost512 => Box::new(Gost::new(KeyKind::GOST_512, SignatureAlgorithm::Gost512, "r-s", wish)),
        }
    }
}

struct Ecdsa {
    pki: TestPki,
    issued: Issued,
    module: EvilModule,
}

impl Ecdsa {
    fn new(wish: &Wish) -> Self {
        let pki = TestPki::new();
        let person = pki.person(&wish.person).not_before(1_700_000_000);
        let issued = person.not_after(4_000_000_000).issue();
        let mut builder = EvilModule::builder(&issued).label(&wish.label).tries(wish.tries);
        builder = builder.certificate(&pki.intermediate.certificate);
        builder = match wish.pad {
            None => builder,
            Some(Pad::Right) => builder.protected_path(),
            Some(Pad::Cancel) => {
                let cancelled = fixtures::evil::Fault::FailIn(Call::Login, fixtures::evil::CKR_FUNCTION_CANCELED);
                builder.protected_path().fault(cancelled)
            }
        };
        if wish.always_authenticate {
            builder = builder.always_authenticate();
        }
        if wish.must_change {
            builder = builder.flags(fixtures::evil::CKF_USER_PIN_TO_BE_CHANGED);
        }
        let module = builder.build();
        Self { pki, issued, module }
    }
}

impl Card for Ecdsa {
    fn setup(&self) -> Setup {
        Setup::new().module(self.module.path())
    }

    fn issued(&self) -> &Issued {
        &self.issued
    }

    fn pki(&self) -> &TestPki {
        &self.pki
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ES256
    }

    fn pins_tried(&self) -> usize {
        self.module.pins_tried()
    }

    fn logins(&self) -> usize {
        self.module.count(Call::Login)
    }

    fn signings(&self) -> usize {
        self.module.count(Call::Sign)
    }

    fn tries_left(&self) -> Option<u32> {
        self.module.tries_left()
    }

    fn set_tries_left(&self, tries: u32) {
        self.module.set_tries_left(tries);
    }

    fn pin_length(&self) -> (usize, usize) {
        (4, 16)
    }

    fn remove(&self) {
        self.module.remove_token();
    }

    fn insert(&self) {
        self.module.insert_token();
    }
}
