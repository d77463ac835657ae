//! The main job with chips that the agent speaks to itself: every scene on both grounds with PIV, a confirmation with
//! every other family, and what is asked of a PIN with two of those.

use system_tests::chip::{Ground, KINDS, PIV, scenes};

/// A test for each ground.
macro_rules! on_both_grounds {
    ($($scene:ident),+ $(,)?) => {
        mod in_process {
            use super::*;
            $(#[tokio::test]
            async fn $scene() {
                scenes::$scene(Ground::Process, PIV).await;
            })+
        }

        mod over_pcscd {
            use super::*;
            $(#[tokio::test]
            async fn $scene() {
                scenes::$scene(Ground::Service, PIV).await;
            })+
        }
    };
}

on_both_grounds!(
    a_confirmation,
    a_wrong_pin_then_the_right_one,
    the_last_try_needs_an_extra_yes,
    a_locked_pin_is_not_tried,
    a_card_that_is_put_in_wakes_the_operation,
    pulled_while_the_pin_is_asked,
    another_card_is_put_in_its_place,
    pulled_at_the_pin,
    pulled_at_the_signature,
    pulled_while_it_is_read,
    the_same_card_is_put_in_again,
    an_unknown_card,
);

#[tokio::test]
async fn every_family_confirms_over_pcscd() {
    for kind in KINDS {
        println!("{}", kind.id);
        scenes::a_confirmation(Ground::Service, kind).await;
    }
}

/// How each engine counts tries, and lets go of a card that is gone.
const ENGINES: [&str; 2] = ["esteid-idemia", "finid-v4"];

#[tokio::test]
async fn a_wrong_pin_then_the_right_one_on_national_cards() {
    for kind in KINDS.into_iter().filter(|kind| ENGINES.contains(&kind.id)) {
        println!("{}", kind.id);
        scenes::a_wrong_pin_then_the_right_one(Ground::Service, kind).await;
    }
}

#[tokio::test]
async fn national_cards_are_pulled_while_the_pin_is_asked() {
    for kind in KINDS.into_iter().filter(|kind| ENGINES.contains(&kind.id)) {
        println!("{}", kind.id);
        scenes::pulled_while_the_pin_is_asked(Ground::Service, kind).await;
        scenes::pulled_at_the_pin(Ground::Service, kind).await;
    }
}
