#![allow(clippy::unwrap_used)]
use fixtures::pki::{Issued, KeyUsage};
use plugin_protocol::limits::{CLIENT_ABSENCE, CLIENT_RECONNECT, OPERATION_LIFETIME, RESULT_LIFETIME};
use plugin_protocol::{ErrorCode, ProofFormat};
use tokio::time::advance;

use super::table::MAX_KEPT;
use super::*;
use crate::config::Config;
use crate::world::{Frozen, Held, Person, Reply, World, documents, pki, request};

const RIGHT: Reply = Reply::Pin("123456");
const LONG: Duration = Duration::from_secs(25);

fn person() -> Issued {
    pki().person("Тестов Тест Тестович").issue()
}

fn world(replies: Vec<Reply>) -> World {
    World::new(vec![Held::new("token", &[person()])], replies)
}

fn key(key: &str, body: u8) -> Option<Idempotency> {
    Some(Idempotency {
        key: key.to_owned(),
        body_digest: [body; 32],
    })
}

impl World {
    async fn start_with(&self, idempotency: Option<Idempotency>) -> Result<String, Error> {
        let request = request(ProofFormat::WebEid);
        Operations::start_confirmation(&self.app, &self.caller, request, idempotency).await
    }

    async fn start(&self) -> String {
        self.start_with(None).await.unwrap()
    }

    async fn view(&self, id: &str, wait: Duration) -> Operation {
        self.app
            .operations
            .view(&self.caller, Action::Confirmation, id, wait)
            .await
            .unwrap()
    }

    /// The operation at its end, after polls as a plugin makes them.
    async fn end(&self, id: &str) -> Operation {
        loop {
            let operation = self.view(id, LONG).await;
            if operation.state.is_final() {
                return operation;
            }
        }
    }
}

fn code(operation: &Operation) -> ErrorCode {
    operation.problem.as_ref().unwrap().code
}

#[tokio::test]
async fn a_confirmation_runs_from_request_to_proof() {
    let world = world(vec![RIGHT]);
    let id = world.start().await;
    let operation = world.end(&id).await;
    assert_eq!(
        (operation.id.as_str(), operation.state),
        (id.as_str(), OperationState::Done)
    );
    assert!(operation.proof.is_some() && operation.problem.is_none() && operation.test);
    assert!((RESULT_LIFETIME - 5..=RESULT_LIFETIME).contains(&operation.expires_in));

    let events = world
        .app
        .events
        .since(&world.caller.id, Some(0), Duration::ZERO)
        .await
        .events;
    let states: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::OperationChanged { operation, state } if *operation == id => Some(*state),
            _ => None,
        })
        .collect();
    use OperationState::{AwaitingConsent, Done, Signing};
    assert_eq!(states, [AwaitingConsent, Signing, Done]);
    let other = world.another("Other");
    assert_eq!(
        world.app.events.since(&other.id, Some(0), Duration::ZERO).await.events,
        []
    );
}

#[tokio::test]
async fn signatures_run_the_same_way() {
    let world = world(vec![RIGHT]);
    world.drawer.open().known = vec![b"one".to_vec()];
    let id = Operations::start_signatures(&world.app, &world.caller, documents(&[b"one"]), None).unwrap();
    let operations = &world.app.operations;
    let operation = operations
        .view(&world.caller, Action::Signatures, &id, LONG)
        .await
        .unwrap();
    assert_eq!(
        (operation.state, operation.signatures.unwrap().items.len()),
        (OperationState::Done, 1)
    );
}

/// The token comes while the window waits for it; the state `signing` is never met.
#[tokio::test]
async fn a_certificate_runs_the_same_way_once_there_is_a_token() {
    let world = World::new(vec![], vec![Reply::Hang, Reply::Yes]);
    let signing = pki()
        .person("Тестов Тест Тестович")
        .usage(&[KeyUsage::NonRepudiation])
        .issue();
    let asked = CertificateRequest {
        origin: crate::world::ORIGIN.parse().unwrap(),
        top_origin: None,
        token: None,
        role: Default::default(),
        origin_attested: true,
    };
    let id = Operations::start_certificate(&world.app, &world.caller, asked, None)
        .await
        .unwrap();
    world.person.asked_times(1).await;
    world.drawer.open().held = vec![Held::new("token", std::slice::from_ref(&signing))];
    let operations = &world.app.operations;
    let ended = operations
        .view(&world.caller, Action::Certificate, &id, LONG)
        .await
        .unwrap();
    assert_eq!((ended.state, ended.test), (OperationState::Done, true));
    let given = ended.certificate.unwrap();
    assert_eq!(
        given.certificate,
        plugin_protocol::encoding::base64(&signing.certificate)
    );
    assert!(ended.proof.is_none() && ended.signatures.is_none());
    let events = world
        .app
        .events
        .since(&world.caller.id, Some(0), Duration::ZERO)
        .await
        .events;
    let states: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::OperationChanged { state, .. } => Some(*state),
            _ => None,
        })
        .collect();
    assert_eq!(states, [OperationState::AwaitingConsent, OperationState::Done]);
}

#[tokio::test]
async fn a_second_operation_is_busy_and_touches_nothing() {
    let world = world(vec![Reply::Hang]);
    let id = world.start().await;
    world.person.asked_times(1).await;
    let other = world.another("Other");
    let second = Operations::start_confirmation(&world.app, &other, request(ProofFormat::Jws), None).await;
    assert_eq!(second.unwrap_err(), Error::Busy);
    assert_eq!(
        world
            .app
            .operations
            .cancel(&world.caller, Action::Confirmation, &id)
            .await
            .unwrap()
            .state,
        OperationState::Cancelled
    );
    assert_eq!(world.person.asked().len(), 1);
    assert!(world.app.window.try_open().is_ok(), "the window is free again");
}

#[tokio::test]
async fn cancelling_closes_the_window_and_is_final() {
    let world = world(vec![Reply::Hang]);
    let id = world.start().await;
    world.person.asked_times(1).await;
    let cancelled = world
        .app
        .operations
        .cancel(&world.caller, Action::Confirmation, &id)
        .await
        .unwrap();
    assert_eq!(
        (cancelled.state, code(&cancelled)),
        (OperationState::Cancelled, ErrorCode::Cancelled)
    );
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
    assert_eq!(world.outcomes(), ["cancelled"]);
    let again = world
        .app
        .operations
        .cancel(&world.caller, Action::Confirmation, &id)
        .await
        .unwrap();
    assert_eq!(again.state, OperationState::Cancelled);
}

#[tokio::test]
async fn cancelling_what_is_done_changes_nothing() {
    let world = world(vec![RIGHT]);
    let id = world.start().await;
    world.end(&id).await;
    let still = world
        .app
        .operations
        .cancel(&world.caller, Action::Confirmation, &id)
        .await
        .unwrap();
    assert_eq!(still.state, OperationState::Done);
    assert!(still.proof.is_some());
}

#[tokio::test]
async fn another_plugin_sees_and_cancels_nothing() {
    let world = world(vec![Reply::Hang]);
    let id = world.start().await;
    world.person.asked_times(1).await;
    let other = world.another("Other");
    assert_eq!(
        world
            .app
            .operations
            .view(&other, Action::Confirmation, &id, Duration::ZERO)
            .await
            .unwrap_err(),
        Error::NotFound
    );
    assert_eq!(
        world
            .app
            .operations
            .cancel(&other, Action::Confirmation, &id)
            .await
            .unwrap_err(),
        Error::NotFound
    );
    world
        .app
        .operations
        .cancel(&world.caller, Action::Confirmation, &id)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_same_key_and_body_are_the_same_operation() {
    let world = world(vec![RIGHT, RIGHT]);
    let id = world.start_with(key("k", 1)).await.unwrap();
    assert_eq!(
        world.start_with(key("k", 1)).await.unwrap(),
        id,
        "while it runs, and not busy"
    );
    world.end(&id).await;
    assert_eq!(world.start_with(key("k", 1)).await.unwrap(), id, "when it is done");
    let conflict = world.start_with(key("k", 2)).await.unwrap_err();
    assert_eq!(conflict.code(), ErrorCode::IdempotencyConflict);
    let other = world.another("Other");
    let theirs = Operations::start_confirmation(&world.app, &other, request(ProofFormat::WebEid), key("k", 2))
        .await
        .unwrap();
    assert_ne!(theirs, id, "keys are each plugin's own");
    world
        .app
        .operations
        .view(&other, Action::Confirmation, &theirs, LONG)
        .await
        .unwrap();
    let signing = Operations::start_signatures(&world.app, &world.caller, documents(&[b"one"]), key("k", 1)).unwrap();
    assert_ne!(signing, id, "and each of the two paths' own");
}

#[tokio::test]
async fn a_refused_request_leaves_no_key_behind() {
    let world = world(vec![RIGHT]);
    let mut unknown = request(ProofFormat::WebEid);
    unknown.format = "unknown".to_owned();
    let refused = Operations::start_confirmation(&world.app, &world.caller, unknown, key("k", 1)).await;
    assert!(matches!(refused, Err(Error::UnsupportedFormat(_))));
    let id = world.start_with(key("k", 2)).await.unwrap();
    assert_eq!(world.end(&id).await.state, OperationState::Done);
}

#[tokio::test]
async fn too_many_a_minute_are_refused() {
    let mut config = Config::default();
    config.rates.operations_per_minute = 2;
    let held = vec![Held::new("token", &[person()])];
    let world = World::with(held, Person::new(vec![RIGHT, RIGHT, RIGHT]), config);
    for _ in 0..2 {
        let id = world.start().await;
        world.end(&id).await;
    }
    assert!(matches!(world.start_with(None).await, Err(Error::RateLimited(_))));
    assert!(world.app.window.try_open().is_ok(), "a refusal keeps no window");
    let other = world.another("Other");
    let id = Operations::start_confirmation(&world.app, &other, request(ProofFormat::WebEid), None)
        .await
        .unwrap();
    world
        .app
        .operations
        .view(&other, Action::Confirmation, &id, LONG)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_expires_and_costs_no_try() {
    let _frozen = Frozen::new();
    let world = world(vec![Reply::Hang]);
    let id = world.start().await;
    world.person.asked_times(1).await;
    let polling = world.end(&id);
    let passing = async {
        for _ in 0..=OPERATION_LIFETIME / 20 {
            advance(Duration::from_secs(20)).await;
            tokio::task::yield_now().await;
        }
    };
    let (operation, ()) = tokio::join!(polling, passing);
    assert_eq!(
        (operation.state, code(&operation)),
        (OperationState::Expired, ErrorCode::Expired)
    );
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
    assert_eq!(world.outcomes(), ["expired"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_away_is_cancelled() {
    let _frozen = Frozen::new();
    let world = world(vec![Reply::Hang]);
    let id = world.start().await;
    world.person.asked_times(1).await;
    advance(Duration::from_secs(CLIENT_ABSENCE - 1)).await;
    assert_eq!(
        world.view(&id, Duration::ZERO).await.state,
        OperationState::AwaitingConsent
    );
    advance(Duration::from_secs(CLIENT_ABSENCE - 1)).await;
    assert_eq!(
        world.view(&id, Duration::ZERO).await.state,
        OperationState::AwaitingConsent,
        "it asked in between"
    );
    advance(Duration::from_secs(CLIENT_ABSENCE + 1)).await;
    // A request at this very moment would be the client's return: first the window closes.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.person.closed(), 1);
    let operation = world.end(&id).await;
    assert_eq!(
        (operation.state, code(&operation)),
        (OperationState::Cancelled, ErrorCode::Cancelled)
    );
    assert_eq!((world.person.closed(), world.drawer.tries()), (1, 0));
}

impl World {
    /// An operation whose person types the PIN after the client's connection broke off, and how it goes on.
    async fn agreed_while_broken_off(&self) -> (String, watch::Receiver<Status>) {
        let (answer, gate) = tokio::sync::oneshot::channel::<()>();
        self.person.say(Reply::Late(gate, Box::new(RIGHT)));
        let id = self.start().await;
        self.person.asked_times(1).await;
        self.break_off(&id).await;
        answer.send(()).unwrap();
        self.settle().await;
        let found = self
            .app
            .operations
            .table()
            .find(&self.caller, Action::Confirmation, &id);
        (id, found.unwrap().1)
    }

    /// A long poll whose connection is closed before the answer.
    async fn break_off(&self, id: &str) {
        let poll = tokio::spawn({
            let (app, caller, id) = (self.app.clone(), self.caller.clone(), id.to_owned());
            async move { app.operations.view(&caller, Action::Confirmation, &id, LONG).await }
        });
        tokio::task::yield_now().await;
        poll.abort();
        assert!(poll.await.unwrap_err().is_cancelled());
    }

    /// Everything that is ready to go on does so, without a request that would be the client's return.
    async fn settle(&self) {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }

    /// It was cancelled, and no try was spent on it.
    async fn cancelled_unspent(&self, id: &str) {
        assert_eq!(self.view(id, Duration::ZERO).await.state, OperationState::Cancelled);
        assert_eq!(
            (self.drawer.tries(), self.outcomes()),
            (0, vec!["cancelled".to_owned()])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_try_is_spent_while_the_poll_is_broken_off() {
    let _frozen = Frozen::new();
    let world = world(vec![]);
    let (id, mut watched) = world.agreed_while_broken_off().await;
    advance(Duration::from_secs(CLIENT_RECONNECT - 1)).await;
    world.settle().await;
    assert_eq!(
        (watched.borrow().state(), world.drawer.tries()),
        (OperationState::AwaitingConsent, 0)
    );
    advance(Duration::from_secs(2)).await;
    watched.wait_for(Status::is_final).await.unwrap();
    world.cancelled_unspent(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_back_in_time_finds_what_the_person_agreed_to_meanwhile() {
    let _frozen = Frozen::new();
    let world = world(vec![]);
    let (id, _) = world.agreed_while_broken_off().await;
    advance(Duration::from_secs(CLIENT_RECONNECT - 1)).await;
    let operation = world.end(&id).await;
    assert_eq!(
        (operation.state, operation.proof.is_some()),
        (OperationState::Done, true)
    );
    assert_eq!((world.drawer.tries(), world.person.asked().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pairing_revoked_while_its_client_is_broken_off_ends_it_at_once() {
    let _frozen = Frozen::new();
    let world = world(vec![]);
    let (id, mut watched) = world.agreed_while_broken_off().await;
    world.app.operations.revoked(&world.caller.id);
    watched.wait_for(Status::is_final).await.unwrap();
    world.cancelled_unspent(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_result_is_forgotten_after_its_time() {
    let _frozen = Frozen::new();
    let world = world(vec![RIGHT]);
    let id = world.start().await;
    world.end(&id).await;
    advance(Duration::from_secs(RESULT_LIFETIME - 1)).await;
    assert_eq!(world.view(&id, LONG).await.state, OperationState::Done);
    advance(Duration::from_secs(2)).await;
    let gone = world
        .app
        .operations
        .view(&world.caller, Action::Confirmation, &id, LONG)
        .await;
    assert_eq!(gone.unwrap_err(), Error::NotFound);
}

#[tokio::test]
async fn a_revoked_pairing_ends_what_it_has_running() {
    let world = world(vec![Reply::Hang]);
    let id = world.start().await;
    world.person.asked_times(1).await;
    world.app.operations.revoked("someone else");
    assert_eq!(
        world.view(&id, Duration::ZERO).await.state,
        OperationState::AwaitingConsent
    );
    world.app.operations.revoked(&world.caller.id);
    assert_eq!(world.end(&id).await.state, OperationState::Cancelled);
    assert_eq!(world.person.closed(), 1);
}

#[tokio::test]
async fn at_the_daemons_end_all_is_cancelled_and_remembered() {
    let world = world(vec![Reply::Hang]);
    world.start().await;
    world.person.asked_times(1).await;
    world.app.operations.close().await;
    assert_eq!(
        (world.outcomes(), world.person.closed()),
        (vec!["cancelled".to_owned()], 1)
    );
    assert!(world.start_with(None).await.is_err(), "and nothing new begins");
}

#[tokio::test]
async fn a_prompt_that_breaks_down_leaves_nobody_waiting() {
    let world = world(vec![Reply::after(|| panic!("the prompt breaks down"), RIGHT)]);
    let id = world.start().await;
    let operation = world.end(&id).await;
    assert_eq!(
        (operation.state, code(&operation)),
        (OperationState::Failed, ErrorCode::Internal)
    );
    assert!(
        operation.problem.unwrap().detail.is_empty(),
        "what broke is for the log"
    );
    assert!(world.app.window.try_open().is_ok());
}

#[tokio::test]
async fn the_table_is_bounded() {
    let mut config = Config::default();
    config.rates.operations_per_minute = 10_000;
    let replies = (0..=MAX_KEPT).map(|_| RIGHT).collect();
    let world = World::with(vec![Held::new("token", &[person()])], Person::new(replies), config);
    let first = world.start().await;
    world.end(&first).await;
    for _ in 0..MAX_KEPT {
        let id = world.start().await;
        world.end(&id).await;
    }
    let gone = world
        .app
        .operations
        .view(&world.caller, Action::Confirmation, &first, Duration::ZERO)
        .await;
    assert_eq!(gone.unwrap_err(), Error::NotFound);
}

#[tokio::test]
async fn refusals_of_the_policy_are_remembered_and_as_rare_as_operations() {
    let mut config = Config::default();
    config.rates.operations_per_minute = 2;
    let world = World::with(vec![], Person::new(vec![]), config);
    let refused = async || {
        let literal = request(ProofFormat::CmsChallenge);
        let refused = Operations::start_confirmation(&world.app, &world.caller, literal, None).await;
        refused.unwrap_err().code()
    };
    assert_eq!(refused().await, ErrorCode::OriginNotAllowed);
    assert_eq!(world.outcomes(), ["origin_not_allowed"], "before it was told");
    assert_eq!(refused().await, ErrorCode::OriginNotAllowed);
    assert_eq!(refused().await, ErrorCode::RateLimited);
    assert_eq!(world.outcomes().len(), 2);
}
