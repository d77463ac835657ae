//! The spine's scenes on GOST tokens of 256 and 512 bits: formats, PINs, cards that come and go.

use system_tests::card::Kind;
use system_tests::spine::{formats, pins, slot};

/// Plays scenes on both kinds, each as a test of its own.
macro_rules! on_both {
    ($($scene:ident :: $name:ident),+ $(,)?) => {
        mod bits_256 {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                $scene::$name(Kind::Gost256).await;
            })+
        }

        mod bits_512 {
            use super::*;
            $(#[tokio::test]
            async fn $name() {
                $scene::$name(Kind::Gost512).await;
            })+
        }
    };
}

on_both! {
    formats::every_format_that_carries_the_algorithm,
    formats::documents,
    formats::a_real_portal_takes_each_challenge_once,
    pins::a_wrong_pin_is_asked_again_and_counted_once,
    pins::the_last_try_needs_an_extra_yes,
    pins::a_wrong_pin_that_leaves_one_try_leads_to_the_question,
    pins::a_locked_pin_is_never_asked_for,
    pins::a_pin_that_must_be_changed_is_never_asked_for,
    pins::a_pin_typed_on_the_reader_is_not_asked_for_here,
    pins::the_cancel_key_of_the_reader_cancels,
    pins::a_pin_of_an_impossible_length_costs_no_try,
    pins::a_key_that_wants_the_pin_each_time_gets_it_from_one_window,
    slot::a_token_removed_between_consent_and_signature,
    slot::a_token_that_is_put_in_wakes_the_operation,
    slot::the_window_tells_whose_certificate_on_which_card,
}
