//! Waiting for a token, and operations that end before they are done.

use std::sync::Arc;

use fixtures::card::VirtualCard;
use plugin_protocol::api::SourceKind;

use super::*;
use crate::pin::Pin;
use crate::token::card::families;
use crate::token::card::pcsc::mock::World as Service;
use crate::token::card::source::{Cards, Options};
use crate::token::worker::Tokens;
use crate::token::{Credential, SignJob, Source, Strange, Stranger, TokenId, TokenInfo};

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
    assert!(matches!(world.person.asked()[0], Question::InsertToken(..)));
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

/// Knows no command.
struct Foreign;

impl VirtualCard for Foreign {
    fn atr(&self) -> Vec<u8> {
        vec![0x3B, 0x02, 0x50, 0x4C]
    }

    fn reset(&mut self) {}

    fn transmit(&mut self, _: &[u8]) -> Vec<u8> {
        vec![0x6A, 0x82]
    }
}

/// The window is opened anew with the reader's name, which nobody else is told.
#[tokio::test(start_paused = true)]
async fn a_card_that_nobody_knows_is_told_of_while_a_token_is_waited_for() {
    const READER: &str = "Reader 00";
    let frozen = Frozen::new();
    let mut world = World::new(vec![], vec![Reply::Hang, Reply::Hang]);
    let service = Service::running();
    service.plug(READER);
    let options = Options {
        pads: false,
        leave: Vec::new(),
    };
    let cards = Cards::new(Arc::new(service.clone()), families::all(), options);
    Arc::get_mut(&mut world.app).unwrap().tokens = Tokens::new(vec![Box::new(cards)]);
    let life = Life::new(Duration::from_secs(1 << 26));
    let waiting = async {
        world.person.asked_times(1).await;
        service.insert(READER, Foreign);
        world.person.asked_times(2).await;
        tokio::time::advance(Duration::from_secs(1 << 27)).await;
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), waiting);
    let error = ending.result.unwrap_err();
    assert_eq!(error, Error::StrangeCard(Box::new(Strange::Unserved)));
    let problem = error.problem();
    assert_eq!(problem.code, ErrorCode::NoToken);
    assert!(
        problem.detail.contains("eid-agent tokens") && !problem.detail.contains(READER),
        "{}",
        problem.detail
    );
    let told: Vec<_> = world
        .person
        .asked()
        .into_iter()
        .map(|question| match question {
            Question::InsertToken(_, strangers) => strangers,
            other => panic!("{other:?}"),
        })
        .collect();
    let stranger = Stranger {
        reader: READER.to_owned(),
        why: Strange::Unserved,
    };
    assert_eq!(told, [vec![], vec![stranger]]);
    assert_eq!(
        (world.person.closed(), world.outcomes()),
        (2, vec!["no_token".to_owned()])
    );
    drop(frozen);
}

/// Nothing is in it.
struct Empty;

impl Source for Empty {
    fn name(&self) -> &str {
        "empty"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Software
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        Ok(Vec::new())
    }

    fn credentials(&mut self, _: &TokenId) -> Result<Vec<Credential>, Error> {
        Err(Error::TokenRemoved)
    }

    fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        Err(Error::TokenRemoved)
    }
}

/// Another source may have a token, so it is waited for; the window says what keeps the one that is in.
#[tokio::test(start_paused = true)]
async fn a_card_that_another_program_keeps_is_told_of_while_a_token_is_waited_for() {
    const READER: &str = "Reader 00";
    let frozen = Frozen::new();
    let mut world = World::new(vec![], vec![Reply::Hang]);
    let service = Service::running();
    service.plug(READER);
    service.insert(READER, Foreign);
    service.exclusive(READER, true);
    let options = Options {
        pads: false,
        leave: Vec::new(),
    };
    let mut cards = Cards::new(Arc::new(service), families::all(), options);
    let begun = std::time::Instant::now();
    while cards.listing().strangers.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    Arc::get_mut(&mut world.app).unwrap().tokens = Tokens::new(vec![Box::new(cards), Box::new(Empty)]);
    let life = Life::new(Duration::from_secs(1 << 26));
    let waiting = async {
        world.person.asked_times(1).await;
        tokio::time::advance(Duration::from_secs(1 << 27)).await;
    };
    let (ending, ()) = tokio::join!(world.confirm_within(web_eid(), &life), waiting);
    let error = ending.result.unwrap_err();
    assert_eq!(error, Error::StrangeCard(Box::new(Strange::InUse)));
    assert_eq!(
        error.problem(),
        Error::NoToken.problem(),
        "a page does not learn that one is in"
    );
    let told = world.person.asked().remove(0);
    assert!(
        matches!(&told, Question::InsertToken(_, strangers) if strangers[0].why == Strange::InUse),
        "{told:?}"
    );
    drop(frozen);
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
