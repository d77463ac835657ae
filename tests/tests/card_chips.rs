//! The main job with chips that the agent speaks to itself: every scene with every family, in process and over a real
//! `pcscd`. `card_hardware` plays them with a card of plastic.

use system_tests::chip::rehearsal::Rehearsal;
use system_tests::chip::scenes::with_every_kind;
use system_tests::chip::{Ground, PIV, scenes};

/// A test for each ground.
macro_rules! on_both_grounds {
    ($($scene:ident),+ $(,)?) => {
        mod in_process {
            use super::*;
            $(#[test]
            fn $scene() {
                with_every_kind(Ground::Process, scenes::$scene);
            })+
        }

        mod over_pcscd {
            use super::*;
            $(#[test]
            fn $scene() {
                with_every_kind(Ground::Service, scenes::$scene);
            })+
        }
    };
}

on_both_grounds!(
    a_confirmation,
    a_wrong_pin_then_the_right_one,
    the_last_try_needs_an_extra_yes,
    a_card_that_is_put_in_wakes_the_operation,
    pulled_while_the_pin_is_asked,
    pulled_at_every_command,
    another_card_is_put_in_its_place,
    the_same_card_is_put_in_again,
    an_unknown_card,
);

#[tokio::test]
async fn a_locked_pin_is_not_tried() {
    for ground in [Ground::Process, Ground::Service] {
        scenes::a_locked_pin_is_not_tried(ground, PIV).await;
    }
}

/// What `card_hardware` plays, on its ground, with a virtual card and a program in the person's place. The card says what
/// was done to it in the end: a try is spent where it was said, and nowhere else.
#[tokio::test]
async fn the_scenes_of_hardware_are_rehearsed() {
    let rehearsal = Rehearsal::start(PIV);
    let ground = Ground::Hardware(Box::leak(Box::new(rehearsal.hardware())));
    macro_rules! play {
        ($($scene:ident),+ $(,)?) => {
            $(println!(stringify!($scene));
            scenes::$scene(ground, ground.kind()).await;)+
        };
    }
    system_tests::scenes_that_spend_no_try!(play);
    assert_eq!(rehearsal.watch.tries_spent(), 0);
    system_tests::scenes_that_spend_a_try!(play);
    assert_eq!(rehearsal.watch.tries_spent(), 1);
    assert_eq!(rehearsal.watch.verifies(), rehearsal.watch.signatures() + 1);
    assert_eq!(rehearsal.watch.forbidden(), Vec::<String>::new());
}
