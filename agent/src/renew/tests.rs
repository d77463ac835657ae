#![allow(clippy::unwrap_used)]

use std::time::Duration;

use plugin_protocol::ProofFormat;
use plugin_protocol::api::PinState;

use super::*;
use crate::config::Config;
use crate::prompt::PromptError;
use crate::world::{Held, PUK, Person, Reply, World, pki, request};

/// The PIN as the tokens of these tests have it.
const OLD: &str = crate::world::PIN;
const NEW: &str = "654321";

fn token() -> Held {
    let issued = pki().person("Тестов Тест Тестович").issue();
    Held::new("token", &[issued]).manageable(Some(3))
}

fn locked() -> Held {
    token().pin(PinState::Locked, Some(0))
}

/// A confirmation's error, if any, and how many tries were spent.
async fn confirmed(world: &World) -> (Option<Error>, usize) {
    let ending = world.confirm(request(ProofFormat::WebEid)).await;
    (ending.result.err(), world.drawer.tries())
}

/// What is done at the command line.
async fn renewed(world: &World, task: Task) -> (Option<Error>, usize) {
    let renewer = Renewer {
        app: &world.app,
        client: &Client::CommandLine,
        life: &Life::new(Duration::from_secs(120)),
        within: None,
    };
    let token = world.app.tokens.list().await.remove(0);
    (renewer.renew(&token, task).await.err(), world.drawer.tries())
}

/// The steps that were asked, with what was wrong before each.
fn steps(world: &World) -> Vec<(Step, Option<Mishap>)> {
    let asked = world.person.asked().into_iter();
    asked
        .filter_map(|question| match question {
            Question::Renew(renewal) => Some((renewal.step, renewal.mishap)),
            _ => None,
        })
        .collect()
}

/// What the history has, with its outcome.
fn history(world: &World) -> Vec<(Action, String)> {
    let entries = world.history().into_iter();
    entries
        .map(|entry| (entry.record.action, entry.record.outcome))
        .collect()
}

fn told(outcomes: &[(Action, &str)]) -> Vec<(Action, String)> {
    outcomes
        .iter()
        .map(|(action, outcome)| (*action, (*outcome).to_owned()))
        .collect()
}

const DECLINE: Reply = Reply::Fail(PromptError::Declined);
const STEPS: [(Step, Option<Mishap>); 4] = [
    (Step::Offer, None),
    (Step::Key, None),
    (Step::New, None),
    (Step::Repeat, None),
];

#[tokio::test]
async fn a_locked_pin_is_unblocked_in_the_middle_and_the_confirmation_goes_on() {
    let replies = vec![
        Reply::Yes,
        Reply::Pin(PUK),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
    ];
    let world = World::new(vec![locked()], replies);
    assert_eq!(confirmed(&world).await, (None, 2));
    assert_eq!(steps(&world), STEPS);
    let Some(Question::Consent(consent)) = world.person.asked().pop() else {
        panic!("the consent comes last")
    };
    assert_eq!((consent.attempt, consent.candidate.token.pin.state), (1, PinState::Ok));
    let expected = [(Action::PinUnblock, "done"), (Action::Confirmation, "done")];
    assert_eq!(history(&world), told(&expected));
    let record = world.history().remove(0).record;
    assert_eq!(record.origin.unwrap().as_str(), crate::world::ORIGIN);
    // The plugin is told of what it asked for.
    let mine = world.app.history.for_client(&world.caller.id, 10).unwrap();
    assert_eq!(
        mine.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(),
        ["confirmation"]
    );
}

#[tokio::test]
async fn a_pin_that_locks_under_the_persons_hands_is_offered_to_be_unblocked() {
    let replies = vec![
        Reply::Yes,
        Reply::Pin("000000"),
        Reply::Yes,
        Reply::Pin(PUK),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
    ];
    let world = World::new(vec![token().pin(PinState::FinalTry, Some(1))], replies);
    assert_eq!(confirmed(&world).await, (None, 3));
    assert_eq!(steps(&world), STEPS);
    let expected = [
        (Action::Confirmation, "pin_incorrect"),
        (Action::PinUnblock, "done"),
        (Action::Confirmation, "done"),
    ];
    assert_eq!(history(&world), told(&expected));
}

#[tokio::test]
async fn a_pin_that_must_be_changed_is_changed_first() {
    let replies = vec![
        Reply::Yes,
        Reply::Pin(OLD),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
    ];
    let world = World::new(vec![token().pin(PinState::MustChange, Some(3))], replies);
    assert_eq!(confirmed(&world).await, (None, 2));
    let Question::Renew(renewal) = &world.person.asked()[0] else {
        panic!("the offer comes first")
    };
    assert_eq!(renewal.task, Task::ChangeFirst);
    let expected = [(Action::PinChange, "done"), (Action::Confirmation, "done")];
    assert_eq!(history(&world), told(&expected));
}

#[tokio::test]
async fn an_offer_declined_costs_nothing_and_the_plugin_hears_of_the_pin() {
    for (replies, held) in [
        (vec![DECLINE], locked()),
        (vec![Reply::Yes, DECLINE], locked()),
        (vec![Reply::Yes, Reply::Pin(PUK), DECLINE], locked()),
        // The last try of the code is asked for before it is typed.
        (vec![Reply::Yes, DECLINE], locked().manageable(Some(1))),
    ] {
        let world = World::new(vec![held], replies);
        assert_eq!(confirmed(&world).await, (Some(Error::PinLocked), 0));
        assert_eq!(history(&world), told(&[(Action::Confirmation, "pin_locked")]));
    }
    let closed = vec![Reply::Fail(PromptError::Cancelled)];
    let world = World::new(vec![locked()], closed);
    assert_eq!(confirmed(&world).await, (Some(Error::Cancelled), 0));
}

#[tokio::test]
async fn what_cannot_be_unblocked_is_not_offered() {
    // The code is locked too; or nobody is there.
    let world = World::new(vec![locked().manageable(Some(0))], vec![]);
    assert_eq!(confirmed(&world).await, (Some(Error::PinLocked), 0));
    let world = World::with(vec![locked()], Person::unattended(vec![]), Config::default());
    assert_eq!(confirmed(&world).await, (Some(Error::PinLocked), 0));
    assert!(!world.drawer.open().calls.contains(&"management"));
}

#[tokio::test]
async fn a_wrong_code_is_asked_for_again_and_its_last_try_needs_a_yes() {
    let wrong = || Reply::Pin("87654321");
    let replies = vec![
        Reply::Yes,
        wrong(),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
        wrong(),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
        DECLINE,
    ];
    let world = World::new(vec![locked()], replies);
    assert_eq!(confirmed(&world).await, (Some(Error::PinLocked), 2));
    let asked = steps(&world);
    assert_eq!(asked[4], (Step::Key, Some(Mishap::Wrong(Some(2)))));
    assert_eq!(asked[7], (Step::LastTry, Some(Mishap::Wrong(Some(1)))));
    let left: Vec<_> = world.history().iter().map(|entry| entry.record.tries_left).collect();
    assert_eq!(left, [Some(2), Some(1), None]);
    let outcomes = [Action::PinUnblock, Action::PinUnblock, Action::Confirmation].map(|action| (action, "pin_locked"));
    assert_eq!(history(&world), told(&outcomes));
}

#[tokio::test]
async fn what_is_known_beforehand_costs_no_try() {
    let replies = vec![
        Reply::Pin(OLD),
        Reply::Pin(OLD),
        Reply::Pin(NEW),
        Reply::Pin("654322"),
        Reply::Pin(NEW),
        Reply::Pin(NEW),
    ];
    let world = World::new(vec![token()], replies);
    assert_eq!(renewed(&world, Task::Change).await, (None, 1));
    let expected = [
        (Step::Key, None),
        (Step::New, None),
        (Step::New, Some(Mishap::Same)),
        (Step::Repeat, None),
        (Step::New, Some(Mishap::Differs)),
        (Step::Repeat, None),
    ];
    assert_eq!(steps(&world), expected);
    let record = world.history().remove(0).record;
    assert_eq!(
        (record.action, record.origin, record.outcome.as_str()),
        (Action::PinChange, None, "done")
    );
    assert_eq!(record.client.id, "command-line");
}

#[tokio::test]
async fn each_round_is_one_try_and_the_last_one_needs_a_yes() {
    let round = |old| [Reply::Pin(old), Reply::Pin(NEW), Reply::Pin(NEW)];
    let mut replies = Vec::from(round("000000"));
    replies.extend(round("000001"));
    replies.push(Reply::Yes);
    replies.extend(round("000002"));
    let world = World::new(vec![token()], replies);
    assert_eq!(renewed(&world, Task::Change).await, (Some(Error::PinLocked), 3));
    let asked = steps(&world);
    assert_eq!(asked[3], (Step::Key, Some(Mishap::Wrong(Some(2)))));
    assert_eq!(asked[6], (Step::LastTry, Some(Mishap::Wrong(Some(1)))));
}

#[tokio::test]
async fn a_new_pin_that_the_card_refuses_is_asked_for_again() {
    let round = |new| [Reply::Pin(OLD), Reply::Pin(new), Reply::Pin(new)];
    let replies = Vec::from(round("111111")).into_iter().chain(round(NEW)).collect();
    let world = World::new(vec![token()], replies);
    assert_eq!(renewed(&world, Task::Change).await, (None, 2));
    assert_eq!(steps(&world)[3], (Step::Key, Some(Mishap::Refused)));
    assert_eq!(
        history(&world),
        told(&[(Action::PinChange, "pin_must_change"), (Action::PinChange, "done")])
    );
}

/// The tries are read when the token is chosen and when it is done, and not in between; what was typed for a card goes
/// to no other all the same.
#[tokio::test]
async fn a_change_lists_the_token_no_more_than_it_has_to() {
    let typed = || vec![Reply::Pin(OLD), Reply::Pin(NEW), Reply::Pin(NEW)];
    let world = World::new(vec![token()], typed());
    assert_eq!(renewed(&world, Task::Change).await, (None, 1));
    assert_eq!(world.drawer.open().calls, ["tokens", "change_pin", "tokens"]);

    let mut replies = typed();
    replies.pop();
    let world = World::new(vec![token()], replies);
    let drawer = world.drawer.clone();
    let exchanged = move || drawer.open().held[0].info.insertion = Some(2);
    world.person.say(Reply::after(exchanged, Reply::Pin(NEW)));
    assert_eq!(renewed(&world, Task::Change).await, (Some(Error::TokenRemoved), 0));
    assert_eq!(world.drawer.open().calls, ["tokens", "change_pin"]);
    assert_eq!(history(&world), told(&[(Action::PinChange, "token_removed")]));
}

#[tokio::test]
async fn nothing_is_tried_on_a_token_that_has_gone_or_for_a_plugin_that_has() {
    let world = World::new(vec![locked()], vec![Reply::Yes, Reply::Pin(PUK), Reply::Pin(NEW)]);
    let drawer = world.drawer.clone();
    let pulled = Reply::after(move || drawer.open().held.clear(), Reply::Pin(NEW));
    world.person.say(pulled);
    assert_eq!(confirmed(&world).await, (Some(Error::TokenRemoved), 0));

    let world = World::new(vec![locked()], vec![Reply::Yes, Reply::Pin(PUK), Reply::Pin(NEW)]);
    let (app, caller) = (world.app.clone(), world.caller.id.clone());
    let revoked = Reply::after(move || drop(app.pairings.revoke(&caller)), Reply::Pin(NEW));
    world.person.say(revoked);
    assert_eq!(confirmed(&world).await, (Some(Error::Cancelled), 0));
}
