//! The yes and the PIN: what is asked when, what is not asked, and what each costs.

use super::*;

#[tokio::test]
async fn after_a_wrong_pin_the_person_types_again_and_sees_the_tries() {
    let world = World::new(vec![token()], vec![WRONG, RIGHT]);
    world.confirm(web_eid()).await.result.unwrap();
    let asked: Vec<_> = consents(&world)
        .iter()
        .map(|c| (c.attempt, c.candidate.token.pin.tries_left))
        .collect();
    assert_eq!(asked, [(1, Some(3)), (2, Some(2))]);
    assert_eq!(consents(&world)[1].candidate.token.pin.state, PinState::Low);
    assert_eq!(world.drawer.tries(), 2);
    assert_eq!(world.outcomes(), ["pin_incorrect", "done"]);
    assert_eq!(world.history()[0].record.tries_left, Some(2));
}

#[tokio::test]
async fn the_last_try_needs_another_yes_and_then_locks() {
    let held = token().pin(PinState::Low, Some(2));
    let world = World::new(vec![held], vec![WRONG, Reply::Yes, WRONG]);
    assert_eq!(refused(&world).await, (Error::PinLocked, 2));
    assert!(
        matches!(world.person.asked()[1], Question::LastTry(..)),
        "asked before the PIN"
    );
    assert_eq!(world.outcomes(), ["pin_incorrect", "pin_incorrect", "pin_locked"]);
}

#[tokio::test]
async fn a_last_try_declined_costs_none() {
    for held in [
        token().pin(PinState::FinalTry, None),
        token().pin(PinState::Low, Some(1)),
    ] {
        let world = World::new(vec![held], vec![Reply::Fail(PromptError::Declined)]);
        assert_eq!(refused(&world).await, (Error::Declined, 0));
        assert!(matches!(world.person.asked()[0], Question::LastTry(..)));
    }
}

#[tokio::test]
async fn a_pin_of_no_use_is_not_asked_for() {
    for (held, error) in [
        (token().pin(PinState::Locked, Some(0)), Error::PinLocked),
        (token().pin(PinState::Ok, Some(0)), Error::PinLocked),
        (token().pin(PinState::MustChange, None), Error::PinMustChange),
    ] {
        let world = World::new(vec![held], vec![]);
        assert_eq!(refused(&world).await, (error, 0));
        assert!(world.person.asked().is_empty());
        assert_eq!(world.history().len(), 1);
    }
}

#[tokio::test]
async fn a_pin_pad_and_a_token_without_a_pin_need_a_yes_alone() {
    for (held, entry) in [
        (token().pad(), PinEntry::Pad),
        (token().pin(PinState::NotNeeded, None), PinEntry::None),
    ] {
        let world = World::new(vec![held], vec![Reply::Yes]);
        world.confirm(web_eid()).await.result.unwrap();
        assert_eq!(consents(&world)[0].pin, entry);
    }
}

#[tokio::test]
async fn a_yes_without_the_pin_that_is_needed_signs_nothing() {
    let world = World::new(vec![token()], vec![Reply::Yes]);
    assert!(matches!(refused(&world).await, (Error::PromptUnavailable(_), 0)));
}

#[tokio::test]
async fn every_way_of_not_agreeing_is_told_and_remembered() {
    for (answer, error, outcome) in [
        (PromptError::Declined, Error::Declined, "declined"),
        (PromptError::Cancelled, Error::Cancelled, "cancelled"),
        (PromptError::TimedOut, Error::Expired, "expired"),
        (
            PromptError::Unavailable("no display".into()),
            Error::PromptUnavailable("no display".into()),
            "prompt_unavailable",
        ),
    ] {
        let world = World::new(vec![token()], vec![Reply::Fail(answer)]);
        assert_eq!(refused(&world).await, (error, 0));
        assert_eq!(world.outcomes(), [outcome]);
    }
}

#[tokio::test]
async fn a_token_swapped_between_consent_and_signature_costs_no_try() {
    let other = person();
    let world = World::new(vec![token()], vec![]);
    let inside = world.drawer.clone();
    let swap = move || {
        let mut inside = inside.open();
        inside.held[0].credentials = Held::new("token", &[other]).credentials;
    };
    world.person.say(Reply::after(swap, RIGHT));
    assert_eq!(refused(&world).await, (Error::TokenRemoved, 0));

    let world = World::new(vec![token()], vec![]);
    let inside = world.drawer.clone();
    world
        .person
        .say(Reply::after(move || inside.open().held.clear(), RIGHT));
    assert_eq!(refused(&world).await, (Error::TokenRemoved, 0));
    assert_eq!(world.outcomes(), ["token_removed"]);
}

#[tokio::test]
async fn a_pairing_revoked_while_the_window_is_open_costs_no_try() {
    let world = World::new(vec![token()], vec![]);
    let (app, id) = (world.app.clone(), world.caller.id.clone());
    world
        .person
        .say(Reply::after(move || assert!(app.pairings.revoke(&id).unwrap()), RIGHT));
    assert_eq!(refused(&world).await, (Error::Cancelled, 0));
    assert_eq!(world.outcomes(), ["cancelled"]);
}

#[tokio::test]
async fn an_unattended_prompt_never_tries_again_and_marks_its_results() {
    let world = World::with(vec![token()], Person::unattended(vec![WRONG]), Config::default());
    assert_eq!(refused(&world).await, (Error::PinIncorrect(Some(2)), 1));
    assert_eq!(world.outcomes(), ["pin_incorrect"]);
    let world = World::with(vec![token()], Person::unattended(vec![RIGHT]), Config::default());
    let ending = world.confirm(web_eid()).await;
    assert!(ending.result.is_ok() && ending.test);
    assert!(world.history()[0].record.test);
}

/// It is not "wrong", and no count is told that the token did not tell.
#[tokio::test]
async fn a_pin_that_is_refused_for_its_form_is_asked_for_again_as_such() {
    for (refusal, told) in [
        (Error::PinForm, Refused::Form),
        (Error::PinFormat, Refused::Letters),
        (Error::PinLength(4, 8), Refused::Length(4, 8)),
    ] {
        let world = World::new(vec![token()], vec![WRONG, WRONG, RIGHT]);
        world.drawer.open().refusals.push_back(refusal);
        world.confirm(web_eid()).await.result.unwrap();
        let asked: Vec<_> = consents(&world)
            .iter()
            .map(|c| (c.attempt, c.refused, c.candidate.token.pin.tries_left))
            .collect();
        // The second PIN was wrong: nothing is left of the first one's refusal.
        assert_eq!(
            asked,
            [(1, None, Some(3)), (2, Some(told), Some(3)), (3, None, Some(2))]
        );
        assert_eq!(world.outcomes(), ["pin_incorrect", "pin_incorrect", "done"]);
    }
}
