//! A card that is pulled at every command of a confirmation in turn.
//!
//! One agent and one person go through all of it. What is pulled while the card is recognised is as if it had never been
//! in, and the operation waits for a card; what is pulled later ends the operation, and the next one begins. In the end
//! one comes through: its commands are those at each of which a card was pulled before.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fixtures::card::vpcd::Fault;
use plugin_protocol::ErrorCode;
use plugin_protocol::api::{ConfirmationRequest, Operation, OperationState};

use super::{Counts, at_the_same_time, confirms};
use crate::apdu_log::Exchange;
use crate::chip::{Desk, Ground, Kind, pulled_after, pulled_at};
use crate::pinentry::script::NO_CARD_YET;
use crate::process::PATIENCE;
use crate::scene::{Scene, code};

/// An operation that has waited for so long is given up: none lives for more than two minutes.
const LONG: Duration = Duration::from_secs(60);

/// Pulled as it is given each command in turn, and after it has compared the PIN, and after the last; put back each
/// time, of these two also before the service looks. The agent goes on, and no PIN is sent that the person has not typed
/// for that.
pub async fn pulled_at_every_command(ground: Ground, kind: Kind) {
    let covered = Mutex::new(Covered::default());
    let lane = |first| (format!("{}, from command {first}", kind.id), first);
    at_the_same_time((1..=kind.lanes).map(lane), |first| {
        pulled_from(ground, kind, first, &covered)
    });
    let Covered { pulled, whole } = covered.into_inner().expect("nobody has panicked");
    println!("{}: pulled at each of {} different commands", kind.id, whole.len());
    let left: Vec<_> = whole.difference(&pulled).collect();
    assert!(left.is_empty(), "{}: never pulled at {left:02X?}", kind.id);
}

/// Commands by what tells them apart.
#[derive(Default)]
struct Covered {
    /// Those at which the card was pulled.
    pulled: BTreeSet<Vec<u8>>,
    /// Those of an operation that came through.
    whole: BTreeSet<Vec<u8>>,
}

/// Of a selection all of it, of what is different each time (cryptograms, PINs, what is protected) the header.
fn told_apart(exchange: &Exchange) -> Vec<u8> {
    let plain = exchange.command[0] & 0x0C == 0;
    let length = if plain && exchange.instruction() == 0xA4 {
        exchange.command.len()
    } else {
        4
    };
    exchange.command[..length].to_vec()
}

/// At this command and each `lanes`-th after it.
async fn pulled_from(ground: Ground, kind: Kind, first: usize, covered: &Mutex<Covered>) {
    let mut player = Player::new(ground, kind).await;
    let mut command = first;
    while player.pulled(pulled_at(command)).await {
        assert_eq!(player.carried_out(), command - 1);
        // The agent asks a card that it believes to be in twice more; there is none to answer.
        let dead = player.exchanges().split_off(command - 1);
        assert!(dead.iter().all(|exchange| exchange.response.is_empty()), "{dead:02X?}");
        let mut covered = covered.lock().expect("nobody has panicked");
        covered.pulled.extend(dead.first().map(told_apart));
        command += kind.lanes;
    }
    let whole = player.exchanges();
    assert!(command > whole.len(), "it came through before it was pulled");
    let apart = whole.iter().map(told_apart);
    covered.lock().expect("nobody has panicked").whole.extend(apart);
    if first == 1 {
        let verify = whole.iter().position(Exchange::bears_pin).expect("a PIN was sent") + 1;
        for command in [verify, whole.len()] {
            assert!(player.pulled(pulled_after(command)).await);
            assert_eq!((player.carried_out(), player.done().compared), (command, 1));
            player.put_back_at_once(command).await;
        }
    }
    player.comes_through().await;
    confirms(&player.desk, &player.scene).await;
}

/// Who goes through it.
struct Player {
    desk: Desk,
    scene: Scene,
    /// The operation that was not done when the card was pulled last.
    running: Option<Running>,
    /// What was done before the card was put in last.
    before: Before,
}

struct Running {
    request: ConfirmationRequest,
    operation: Operation,
    begun: Instant,
    /// PINs that were sent before it.
    sent: usize,
}

#[derive(Default)]
struct Before {
    counts: Counts,
    exchanges: usize,
    commands: usize,
}

impl Player {
    async fn new(ground: Ground, kind: Kind) -> Self {
        let desk = Desk::empty(ground, kind, |order| order);
        Self {
            scene: desk.scene().await,
            desk,
            running: None,
            before: Before::default(),
        }
    }

    /// Puts the card in with this fault, where an operation waits for it. `true`: it was pulled, and is out again;
    /// `false`: the operation came through before.
    async fn pulled(&mut self, fault: Fault) -> bool {
        let running = self.waiting().await;
        self.remember();
        self.desk.insert_faulty(&[fault]);
        let ended = self.ended_before_the_pull(&running.operation).await;
        let done = ended.is_some_and(|operation| self.is_done(&running, &operation));
        if !done {
            self.desk.pulled().await;
            self.running = Some(running);
        }
        self.desk.remove();
        match done {
            true => assert_eq!(self.done(), Counts::CONFIRMED, "{}", self.desk.kind.id),
            false => self.check(&fault),
        }
        !done
    }

    /// The operation's end, unless the card is pulled first. No request for it is broken off: a client that does so has ten
    /// seconds to be back, and the service may take longer to see that the card is gone.
    async fn ended_before_the_pull(&self, operation: &Operation) -> Option<Operation> {
        let deadline = Instant::now() + PATIENCE;
        while !self.desk.is_pulled() {
            let now = self.now(operation).await;
            if now.state.is_final() {
                return Some(now);
            }
            let kind = self.desk.kind.id;
            assert!(
                Instant::now() < deadline,
                "{kind}: neither pulled nor at its end: {now:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }

    /// Pulled, and back before the service looks: it never says that a card has come, and yet the next operation has one.
    async fn put_back_at_once(&mut self, command: usize) {
        let running = self.waiting().await;
        self.remember();
        self.desk.insert_faulty(&[pulled_at(command)]);
        self.desk.pulled().await;
        self.desk.put_back_at_once();
        let operation = self.scene.end(running.operation.clone()).await;
        assert!(!self.is_done(&running, &operation), "it was pulled at {command}");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = self.counts();
            let next = self.begin().await;
            let operation = self.scene.end(next.operation.clone()).await;
            if self.is_done(&next, &operation) {
                assert_eq!(self.counts().since(before), Counts::CONFIRMED, "{}", self.desk.kind.id);
                break;
            }
            // vpcd lets a card in when the service looks; until then none answers.
            assert_eq!(self.counts(), before, "{}", self.desk.kind.id);
            assert!(
                Instant::now() < deadline,
                "{}: the card is in, and yet {operation:?}",
                self.desk.kind.id
            );
        }
        self.desk.remove();
    }

    /// Puts the card in with which nothing goes wrong, and which stays in.
    async fn comes_through(&mut self) {
        let running = self.waiting().await;
        self.remember();
        self.desk.insert();
        let operation = self.scene.end(running.operation.clone()).await;
        assert!(self.is_done(&running, &operation));
        assert_eq!(self.done(), Counts::CONFIRMED, "{}", self.desk.kind.id);
    }

    fn remember(&mut self) {
        self.before = Before {
            counts: self.counts(),
            exchanges: self.desk.exchanges().len(),
            commands: self.desk.watch.commands(),
        };
    }

    /// An operation that waits for the card: that which the last pull has left waiting, or where that has failed another.
    async fn waiting(&mut self) -> Running {
        if let Some(running) = self.running.take() {
            let operation = self.at_rest(&running.operation).await;
            if operation.state != OperationState::AwaitingToken {
                assert!(!self.is_done(&running, &operation), "it was pulled");
            } else if running.begun.elapsed() < LONG {
                return running;
            } else {
                assert_eq!(code(&self.scene.cancel(&operation).await), ErrorCode::Cancelled);
            }
        }
        let running = self.begin().await;
        let operation = self.at_rest(&running.operation).await;
        assert_eq!(operation.state, OperationState::AwaitingToken);
        running
    }

    /// The operation once it waits for a card, or has ended.
    async fn at_rest(&self, operation: &Operation) -> Operation {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.now(operation).await;
            if now.state == OperationState::AwaitingToken || now.state.is_final() {
                return now;
            }
            assert!(
                Instant::now() < deadline,
                "{}: the card is out, and yet {now:?}",
                self.desk.kind.id
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The operation as it is.
    async fn now(&self, operation: &Operation) -> Operation {
        let now = self.scene.plugin.operation(&operation.id, 0).await;
        now.expect("the agent answers")
    }

    async fn begin(&self) -> Running {
        self.scene.person.will_answer(&[NO_CARD_YET, &self.desk.right()]);
        let request = self.desk.request();
        let sent = self.desk.pins_sent();
        let operation = self.scene.plugin.confirm(&request, None, None).await;
        Running {
            operation: operation
                .unwrap_or_else(|error| panic!("{error}; the agent's log:\n{}", self.scene.agent.log())),
            request,
            begun: Instant::now(),
            sent,
        }
    }

    /// It came to something, with the PIN that was typed for it and no other; or to nothing, because the card was pulled.
    fn is_done(&self, running: &Running, operation: &Operation) -> bool {
        let sent = self.desk.pins_sent() - running.sent;
        assert!(sent <= 1, "{}: {sent} PINs sent, one was typed", self.desk.kind.id);
        if operation.state != OperationState::Done {
            assert_eq!(code(operation), ErrorCode::TokenRemoved, "{:?}", operation.problem);
            return false;
        }
        self.desk.accept(&running.request, operation);
        assert_eq!(sent, 1);
        true
    }

    /// Nothing but what the card has carried out was done, and no try was spent.
    fn check(&self, fault: &Fault) {
        let (exchanges, done) = (self.exchanges(), self.done());
        let carried = &exchanges[..self.carried_out().min(exchanges.len())];
        let pins = |list: &[Exchange]| list.iter().filter(|exchange| exchange.bears_pin()).count();
        let expected = Counts {
            sent: pins(&exchanges),
            compared: pins(carried),
            wrong: 0,
            signed: done.signed,
        };
        assert_eq!(done, expected, "{}, {fault:?}", self.desk.kind.id);
        let signed_for = if self.desk.kind.proves_first { 1 } else { done.compared };
        assert!(
            done.sent <= 1 && done.signed <= signed_for,
            "{}, {fault:?}: {done:?}",
            self.desk.kind.id
        );
        assert_eq!(self.desk.watch.forbidden(), Vec::<String>::new(), "{fault:?}");
    }

    fn counts(&self) -> Counts {
        self.desk.counts().expect("a virtual card counts")
    }

    /// Since the card was put in last.
    fn done(&self) -> Counts {
        self.counts().since(self.before.counts)
    }

    /// Since the card was put in last.
    fn exchanges(&self) -> Vec<Exchange> {
        self.desk.exchanges().split_off(self.before.exchanges)
    }

    /// Commands since the card was put in last.
    fn carried_out(&self) -> usize {
        self.desk.watch.commands() - self.before.commands
    }
}
