//! One question to the person, from its request to its end, in the place of an older one of the same origin.

use std::collections::HashSet;
use std::time::Duration;

use plugin_protocol::api::Operation;
use plugin_protocol::{ErrorCode, Origin};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::client::{Client, ClientError, Request};
use super::note::{Arrival, Note, NoteFile};
use super::{Daemon, Host, Refusal};
use crate::history::Action;

/// How long the window may take to become free, and the note of whoever has it to be there.
const ROOM: Duration = Duration::from_millis(500);
/// How long until it is asked for again.
const PAUSE: Duration = Duration::from_millis(50);
/// So many older questions make room for one; more do not come at once.
const MAX_REPLACED: usize = 4;

/// Who asks, and since when.
pub(super) struct Question {
    client: Client,
    file: NoteFile,
    origin: Origin,
    since: Arrival,
}

impl Question {
    /// A question of `origin` that came at `since`, for a daemon that was reached.
    pub(super) fn new(host: Host, daemon: &Daemon, client: Client, origin: Origin, since: Arrival) -> Self {
        Self {
            client,
            file: NoteFile::of(host, &daemon.state),
            origin,
            since,
        }
    }

    /// Starts the operation and waits for its end. When `gone` is cancelled, so is the operation.
    pub(super) async fn perform(
        &self,
        action: Action,
        request: &impl Serialize,
        gone: &CancellationToken,
    ) -> Result<Operation, Refusal> {
        let request = Request::new(action.collection(), request)?;
        let operation = self.begin(&request, gone).await?;
        let note = Note {
            action,
            id: operation.id.clone(),
            origin: self.origin.clone(),
            since: self.since,
        };
        let path = note.path();
        let _left = self.file.leave(note);
        self.client.finish(operation, &path, gone).await
    }

    /// The operation, once it runs. The window of an older question of the same origin is closed
    /// for it; any other stays.
    async fn begin(&self, request: &Request, gone: &CancellationToken) -> Result<Operation, Refusal> {
        let mut replaced = HashSet::new();
        let mut until = Instant::now() + ROOM;
        loop {
            let busy = match self.client.begin(request).await {
                Err(ClientError::Problem(problem)) if problem.code == ErrorCode::Busy => problem,
                begun => return Ok(begun?),
            };
            if gone.is_cancelled() {
                return Err(Refusal::Gone);
            }
            // Without a note it may be on its way, and after a replacement the old one may be there still.
            match self.file.read().filter(|note| !replaced.contains(&note.id)) {
                Some(note) if !note.gives_way_to(&self.origin, self.since) => return Err(Refusal::Problem(busy)),
                Some(note) if replaced.len() < MAX_REPLACED => {
                    self.replace(&note).await?;
                    replaced.insert(note.id);
                    until = Instant::now() + ROOM;
                }
                _ if Instant::now() >= until => return Err(Refusal::Problem(busy)),
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// Ends another's question. That of a host or a daemon that is no more is unknown, and no matter.
    async fn replace(&self, note: &Note) -> Result<(), Refusal> {
        match self.client.cancel(&note.path()).await {
            Ok(_) | Err(ClientError::Problem(_)) => Ok(()),
            Err(failed) => Err(failed.into()),
        }
    }
}
