//! GOST tokens: the test token of the fixtures with a person of a GOST authority on it.

use fixtures::gost_token::{Call, GostToken};
use fixtures::pki::{Issued, KeyKind, TestPki, now};
use plugin_protocol::SignatureAlgorithm;
use serde_json::{Value, json};

use super::{Card, Pad, Wish};
use crate::agent::Setup;

/// One key of 256 or 512 bits.
pub struct Gost {
    pki: TestPki,
    issued: Issued,
    algorithm: SignatureAlgorithm,
    tries: u32,
    token: GostToken,
    settings: Value,
}

impl Gost {
    /// `order` is that of r and s: `s-r`, `r-s` or `reversed`.
    pub fn new(kind: KeyKind, algorithm: SignatureAlgorithm, order: &str, wish: &Wish) -> Self {
        let pki = TestPki::with_keys(KeyKind::GOST_512, KeyKind::GOST_256, now());
        let person = pki.person(&wish.person).key(kind);
        let issued = person.not_before(1_700_000_000).not_after(4_000_000_000).issue();
        let token = GostToken::new(&wish.label);
        token.import(&issued, &[1], "key");
        token.add_certificate(&pki.intermediate.certificate, &[2], "intermediate");
        if wish.must_change {
            token.token().set_user_must_change(true).expect("the token's file");
        }
        let card = Self {
            pki,
            issued,
            algorithm,
            tries: wish.tries,
            token,
            settings: settings(order, wish),
        };
        card.set(json!({}));
        card
    }

    /// Sets more of its settings, from now on.
    pub fn set(&self, more: Value) {
        let mut settings = self.settings.clone();
        let members = more.as_object().expect("an object").clone();
        settings.as_object_mut().expect("an object").extend(members);
        self.token.configure(&settings);
    }

    /// The token.
    pub fn token(&self) -> &GostToken {
        &self.token
    }
}

fn settings(order: &str, wish: &Wish) -> Value {
    let mut settings = json!({
        "journal": true,
        "profile": "rutoken",
        "signature_order": order,
        "user_tries": wish.tries,
        "always_authenticate": wish.always_authenticate,
    });
    if let Some(pad) = wish.pad {
        settings["protected_path"] = match pad {
            Pad::Right => "right".into(),
            Pad::Cancel => "cancel".into(),
        };
    }
    settings
}

impl Card for Gost {
    fn setup(&self) -> Setup {
        Setup::new().module(self.token.module())
    }

    fn issued(&self) -> &Issued {
        &self.issued
    }

    fn pki(&self) -> &TestPki {
        &self.pki
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn pins_tried(&self) -> usize {
        let compared = |line: &&String| ["pin right", "pin wrong"].contains(&line.as_str());
        self.token.journal().iter().filter(compared).count()
    }

    fn logins(&self) -> usize {
        self.token.count(Call::Login)
    }

    fn signings(&self) -> usize {
        self.token.count(Call::Sign)
    }

    fn tries_left(&self) -> Option<u32> {
        self.tries.checked_sub(self.token.user_failures())
    }

    fn set_tries_left(&self, tries: u32) {
        self.token.set_user_failures(self.tries - tries);
    }

    fn pin_length(&self) -> (usize, usize) {
        (4, 32)
    }

    fn remove(&self) {
        self.token.remove();
    }

    fn insert(&self) {
        self.token.insert();
    }
}
