//! The scenes of `card_chips` with a card of plastic in a reader of this machine: what a person runs before a release, and
//! nobody else.
//!
//! ```text
//! EID_CARD=esteid-idemia EID_CARD_PIN=… cargo test -p system-tests --test card_hardware \
//!     --features i-have-a-real-card-and-accept-that-its-pin-may-lock
//! ```
//!
//! `EID_CARD` is the card's family; the other variables are in [`system_tests::chip::hardware`]. One card and one reader:
//! a second token in the machine would have the agent ask which one is meant. The tests ask on the terminal for the card
//! to be taken out and put in (`>>> Reader «…»: please take the card OUT.`) and wait a minute and a half for that. The
//! PIN is typed by the tests, and only the right one: while it is right, no try is spent. What a person has done wrong
//! (another card, another PIN) may spend one.
//!
//! The scene with a wrong PIN is behind a feature of its own, `spend-a-try-of-my-real-card-which-may-lock-for-good`: it
//! spends a try and gives it back with the right PIN; a test that ends between the two does not give it back.
//!
//! Not played, with the reasons:
//! - `the_last_try_needs_an_extra_yes` brings a card to its last try: one slip more and it locks;
//! - `a_locked_pin_is_not_tried` needs a locked card;
//! - `pulled_at_every_command`: no hand pulls a card at a chosen command;
//! - `an_unknown_card` is a virtual card that answers nobody;
//! - `another_card_is_put_in_its_place` only where `EID_CARD_ANOTHER` says that another card of the family is at hand.
//!
//! Rehearsed with a virtual card, a program in the person's place (for each kind of `chip::KINDS`):
//!
//! ```text
//! cargo run -p system-tests --bin pcscd-desk -- piv cargo test -p system-tests --test card_hardware \
//!     --features spend-a-try-of-my-real-card-which-may-lock-for-good
//! ```
//!
//! and with every `cargo test`, by `card_chips`, which plays the same list of scenes on the same ground.
#![cfg(feature = "i-have-a-real-card-and-accept-that-its-pin-may-lock")]

use std::sync::OnceLock;

use system_tests::chip::hardware::Hardware;
use system_tests::chip::{Ground, scenes};
use tokio::sync::{Mutex, MutexGuard};

/// The reader, for one scene at a time.
async fn desk() -> (Ground, MutexGuard<'static, ()>) {
    static HARDWARE: OnceLock<Hardware> = OnceLock::new();
    static ONE: Mutex<()> = Mutex::const_new(());
    let turn = ONE.lock().await;
    (Ground::Hardware(HARDWARE.get_or_init(Hardware::of_this_machine)), turn)
}

macro_rules! with_the_card_in_the_reader {
    ($($scene:ident),+ $(,)?) => {
        $(#[tokio::test]
        async fn $scene() {
            let (ground, _turn) = desk().await;
            scenes::$scene(ground, ground.kind()).await;
        })+
    };
}

system_tests::scenes_that_spend_no_try!(with_the_card_in_the_reader);

#[cfg(feature = "spend-a-try-of-my-real-card-which-may-lock-for-good")]
system_tests::scenes_that_spend_a_try!(with_the_card_in_the_reader);
