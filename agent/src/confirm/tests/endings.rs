//! Waiting for a token, and operations that end before they are done.

use super::*;

#[tokio::test]
async fn a_source_that_fails_alone_is_told_at_once() {
    let world = World::new(vec![], vec![]);
    let failed = Error::ModuleFailed("drawer".into(), "crashed".into());
    world.drawer.open().listings.push_back(failed.clone());
    assert_eq!(refused(&world).await, (failed, 0));
    assert_eq!(world.outcomes(), ["module_failed"]);
}

#[tokio::test(start_paused = true)]
async fn the_window_for_inserting_closes_when_a_token_appears() {
    let frozen = Frozen::new();
    let world = World::new(vec![], vec![Reply::Hang, RIGHT]);
    // Years: the paused clock is pushed on while the token's thread answers in real time.
    let life = Life::new(Duration::from_secs(1 << 26));
    let confirming = world.confirm_within(web_eid(), &life);
    let inserting = async {
        world.person.asked_times(1).await;
        world.drawer.open().held.push(token());
        // The tokens are looked at about once a second.
        while world.person.asked().len() < 2 {
            tokio::time::advance(Duration::from_millis(500)).await;
            tokio::task::yield_now().await;
        }
    };
    let (ending, ()) = tokio::join!(confirming, inserting);
    ending.result.unwrap();
    assert!(matches!(world.person.asked()[0], Question::InsertToken(_)));
    assert_eq!(world.person.closed(), 1);
    drop(frozen);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_it_ends_with_its_time() {
    let _frozen = Frozen::new();
    let world = World::new(vec![], vec![Reply::Hang]);
    let life = Life::new(Duration::from_secs(5));
    let waiting = async {
        world.person.asked_times(1).await;
        tokio::time::advance(Duration::from_secs(6)).await;
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), waiting);
    assert_eq!(ending.result.unwrap_err(), Error::NoToken);
    assert_eq!(
        (world.person.closed(), world.outcomes()),
        (1, vec!["no_token".to_owned()])
    );
}

#[tokio::test]
async fn closing_the_window_for_inserting_cancels() {
    let world = World::new(vec![], vec![Reply::Fail(PromptError::Cancelled)]);
    assert_eq!(refused(&world).await, (Error::Cancelled, 0));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_closes_the_window_and_costs_no_try() {
    let frozen = Frozen::new();
    let world = World::new(vec![token()], vec![Reply::Hang]);
    let life = Life::new(Duration::from_secs(120));
    let waiting = async {
        world.person.asked_times(1).await;
        tokio::time::advance(Duration::from_secs(121)).await;
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), waiting);
    assert_eq!(ending.result.unwrap_err(), Error::Expired);
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
    assert_eq!(world.outcomes(), ["expired"]);
    drop(frozen);
}

#[tokio::test]
async fn cancelling_closes_the_window_and_costs_no_try() {
    let world = World::new(vec![token()], vec![Reply::Hang]);
    let life = Life::new(Duration::from_secs(120));
    let cancelling = async {
        world.person.asked_times(1).await;
        life.cancel();
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), cancelling);
    assert_eq!(ending.result.unwrap_err(), Error::Cancelled);
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
    assert_eq!(world.outcomes(), ["cancelled"]);
}

#[tokio::test]
async fn cancelled_while_it_signs_the_signature_is_thrown_away_and_remembered() {
    let world = World::new(vec![token()], vec![RIGHT]);
    let (go, hold) = std::sync::mpsc::channel();
    let (asked, signing) = tokio::sync::oneshot::channel();
    world.drawer.open().hold = Some(hold);
    world.drawer.open().asked = Some(asked);
    let life = Life::new(Duration::from_secs(120));
    let cancelling = async {
        signing.await.unwrap();
        life.cancel();
        go.send(()).unwrap();
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), cancelling);
    assert_eq!(ending.result.unwrap_err(), Error::Cancelled);
    let record = &world.history()[0].record;
    assert_eq!(
        (record.outcome.as_str(), record.signed.len()),
        ("cancelled", 1),
        "what was signed is known"
    );
}
