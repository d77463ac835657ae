//! The operations that run for plugins, and the results still kept.
//!
//! An operation is the use case ([`crate::confirm`], [`crate::sign`], [`crate::disclose`]) on a task of its
//! own, a [`Life`] that ends it, and a watched state that its plugin polls.

mod state;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugin_protocol::api::{CertificateRequest, ConfirmationRequest, Operation, OperationState, SignatureRequest};
use plugin_protocol::event::EventKind;
use plugin_protocol::limits::{MAX_WAIT, OPERATIONS_PER_MINUTE};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::app::{App, WindowGuard};
use crate::case::{Client, Ending};
use crate::confirm::{Confirmation, confirm};
use crate::disclose::{Disclosure, disclose};
use crate::error::Error;
use crate::events::Audience;
use crate::history::Action;
use crate::life::Life;
use crate::pairing::Caller;
use crate::rate::Rate;
use crate::rehearsal::Turn;
use crate::sign::{Documents, sign};
use state::{Outcome, Status};
use table::{Entry, Table};

/// How long [`Operations::cancel`] and [`Operations::close`] wait for a signature that is being made.
const PATIENCE: Duration = Duration::from_secs(3);

/// A client's own name for a request it may send again (the `Idempotency-Key` header).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The header's text.
    pub key: String,
    /// SHA-256 of the request body: the same key with another body is a conflict.
    pub body_digest: [u8; 32],
}

/// The table of operations.
pub struct Operations {
    table: Mutex<Table>,
    rate: Rate,
}

/// What an operation does.
enum Order {
    Confirm(Confirmation),
    Sign(Documents),
    Disclose(Disclosure),
}

impl Order {
    fn action(&self) -> Action {
        match self {
            Self::Confirm(_) => Action::Confirmation,
            Self::Sign(_) => Action::Signatures,
            Self::Disclose(_) => Action::Certificate,
        }
    }
}

impl Default for Operations {
    fn default() -> Self {
        Self::with_rate(OPERATIONS_PER_MINUTE)
    }
}

impl Operations {
    /// An empty table with the protocol's limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty table that starts so many operations a minute for each caller.
    pub fn with_rate(per_minute: u32) -> Self {
        Self {
            table: Mutex::default(),
            rate: Rate::per_minute(per_minute),
        }
    }

    /// Starts a confirmation; its id. The same idempotency key with the same body is the same operation.
    ///
    /// One that the policy refuses leaves a record: no more of them a minute than of operations.
    pub async fn start_confirmation(
        app: &Arc<App>,
        caller: &Caller,
        request: ConfirmationRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<String, Error> {
        if let Some(id) = app
            .operations
            .table()
            .known(caller, Action::Confirmation, idempotency.as_ref())?
        {
            return Ok(id);
        }
        let confirmation = Confirmation::parse(request)?;
        if let Err(why) = confirmation.allowed(app) {
            app.operations.spend(caller)?;
            return Err(confirmation.refuse(app, &Client::Plugin(caller.clone()), why).await);
        }
        Self::start(app, caller, Order::Confirm(confirmation), idempotency)
    }

    /// Starts the signing of documents; its id.
    pub fn start_signatures(
        app: &Arc<App>,
        caller: &Caller,
        request: SignatureRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<String, Error> {
        if let Some(id) = app
            .operations
            .table()
            .known(caller, Action::Signatures, idempotency.as_ref())?
        {
            return Ok(id);
        }
        let documents = Documents::parse(request)?;
        Self::start(app, caller, Order::Sign(documents), idempotency)
    }

    /// Starts the handing over of a certificate; its id.
    ///
    /// One that the policy refuses leaves a record, as in [`Operations::start_confirmation`].
    pub async fn start_certificate(
        app: &Arc<App>,
        caller: &Caller,
        request: CertificateRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<String, Error> {
        if let Some(id) = app
            .operations
            .table()
            .known(caller, Action::Certificate, idempotency.as_ref())?
        {
            return Ok(id);
        }
        let disclosure = Disclosure::parse(request)?;
        if let Err(why) = disclosure.allowed(app) {
            app.operations.spend(caller)?;
            return Err(disclosure.refuse(app, &Client::Plugin(caller.clone()), why).await);
        }
        Self::start(app, caller, Order::Disclose(disclosure), idempotency)
    }

    /// The window first: a second operation touches no token.
    fn start(app: &Arc<App>, caller: &Caller, order: Order, idempotency: Option<Idempotency>) -> Result<String, Error> {
        let window = app.window.try_open()?;
        app.operations.spend(caller)?;
        let turn = app.begin_turn()?;
        let life = Life::watched(app.config.deadlines.operation);
        let (status, watched) = watch::channel(Status::begun(life.deadline()));
        let entry = Entry::new(caller, order.action(), idempotency, life.clone(), watched);
        let id = app.operations.table().insert(entry)?;
        let running = Running {
            app: Arc::clone(app),
            client: Client::Plugin(caller.clone()),
            id: id.clone(),
            status,
        };
        tokio::spawn(running.run(order, life, window, turn));
        Ok(id)
    }

    /// The operation as it stands; waits up to `wait` (25 s at most) for it to become final.
    ///
    /// While this waits its client counts as there; a future dropped before it is ready
    /// is a client whose connection broke off.
    pub async fn view(&self, caller: &Caller, action: Action, id: &str, wait: Duration) -> Result<Operation, Error> {
        let (life, mut watched) = self.table().find(caller, action, id)?;
        let poll = life.poll();
        let wait = wait.min(Duration::from_secs(MAX_WAIT));
        // Either end of the wait is told by the state itself.
        let _ = timeout(wait, watched.wait_for(Status::is_final)).await;
        let view = watched.borrow().view(id);
        if let Some(poll) = poll {
            poll.answered();
        }
        Ok(view)
    }

    /// Cancels the operation and closes its window. A signature that the token is making
    /// is awaited for a moment; its result is discarded and remembered as cancelled.
    pub async fn cancel(&self, caller: &Caller, action: Action, id: &str) -> Result<Operation, Error> {
        let (life, mut watched) = self.table().find(caller, action, id)?;
        life.cancel();
        let _ = timeout(PATIENCE, watched.wait_for(Status::is_final)).await;
        let view = watched.borrow().view(id);
        Ok(view)
    }

    /// Cancels what a client has running whose pairing is revoked.
    pub fn revoked(&self, client: &str) {
        self.table().of_client(client).for_each(|entry| entry.life.cancel());
    }

    /// Cancels everything and waits until it is remembered: for the daemon's end.
    pub async fn close(&self) {
        let watched = self.table().close();
        for mut status in watched {
            let _ = timeout(PATIENCE, status.wait_for(Status::is_final)).await;
        }
    }

    fn spend(&self, caller: &Caller) -> Result<(), Error> {
        self.rate.spend(&caller.id).map_err(Error::RateLimited)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An operation on its task.
struct Running {
    app: Arc<App>,
    client: Client,
    id: String,
    status: watch::Sender<Status>,
}

impl Running {
    async fn run(self, order: Order, life: Life, window: WindowGuard, turn: Option<Turn>) {
        let stage = |state| self.tell(Status::at(state, life.deadline()));
        let ending = match &order {
            Order::Confirm(confirmation) => {
                let ending = confirm(&self.app, &self.client, confirmation, &life, &stage).await;
                ending.map(|proof| Outcome::Proof(Box::new(proof)))
            }
            Order::Sign(documents) => {
                let ending = sign(&self.app, &self.client, documents, &life, &stage).await;
                ending.map(Outcome::Signatures)
            }
            Order::Disclose(disclosure) => {
                let ending = disclose(&self.app, &self.client, disclosure, &life, &stage).await;
                ending.map(Outcome::Certificate)
            }
        };
        if let Err(error) = &ending.result
            && error.is_kept_short()
        {
            tracing::info!(%error, "an operation ended, and its caller is not told why in full");
        }
        // The next operation may begin as soon as this one is seen to have ended.
        drop((turn, window));
        self.tell(Status::ended(ending));
    }

    /// Shows a state to whoever polls, and tells of it if it is another one.
    fn tell(&self, status: Status) {
        let state = status.state();
        let before = self.status.send_replace(status).state();
        if before != state {
            let changed = EventKind::OperationChanged {
                operation: self.id.clone(),
                state,
            };
            self.app
                .events
                .publish(changed, Audience::Client(self.client.caller().id));
        }
    }
}

impl Drop for Running {
    /// A task that was torn down leaves nobody waiting.
    fn drop(&mut self) {
        if !self.status.borrow().is_final() {
            let torn = Error::Internal("the operation's task was torn down".to_owned());
            self.tell(Status::ended(Ending {
                result: Err(torn),
                qualified: None,
                test: false,
            }));
        }
    }
}

/// The final state that an error leads to.
fn final_state(error: &Error) -> OperationState {
    match error {
        Error::Cancelled => OperationState::Cancelled,
        Error::Expired | Error::NoToken | Error::StrangeCard(_) => OperationState::Expired,
        _ => OperationState::Failed,
    }
}

#[cfg(test)]
mod tests;
