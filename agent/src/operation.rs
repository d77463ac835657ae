//! The operations that run, and the results still kept.

use std::sync::Arc;
use std::time::Duration;

use plugin_protocol::api::{ConfirmationRequest, Operation, SignatureRequest};

use crate::app::App;
use crate::error::Error;
use crate::pairing::Caller;

/// A client's own name for a request it may send again (the `Idempotency-Key` header).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The header's text.
    pub key: String,
    /// SHA-256 of the request body: the same key with another body is a conflict.
    pub body_digest: [u8; 32],
}

/// The table of operations.
#[derive(Debug, Default)]
pub struct Operations {}

impl Operations {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a confirmation; its id.
    pub fn start_confirmation(
        app: &Arc<App>,
        caller: &Caller,
        request: ConfirmationRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<String, Error> {
        let _ = (app, caller, request, idempotency);
        Err(Error::Internal("not built yet".to_owned()))
    }

    /// Starts the signing of documents; its id.
    pub fn start_signatures(
        app: &Arc<App>,
        caller: &Caller,
        request: SignatureRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<String, Error> {
        let _ = (app, caller, request, idempotency);
        Err(Error::Internal("not built yet".to_owned()))
    }

    /// The operation as it stands; waits up to `wait` for it to become final.
    pub async fn view(&self, caller: &Caller, id: &str, wait: Duration) -> Result<Operation, Error> {
        let _ = (caller, id, wait);
        Err(Error::NotFound)
    }

    /// Cancels the operation and closes its window.
    pub async fn cancel(&self, caller: &Caller, id: &str) -> Result<Operation, Error> {
        let _ = (caller, id);
        Err(Error::NotFound)
    }

    /// Cancels what a revoked client has running.
    pub fn revoked(&self, client: &str) {
        let _ = client;
    }
}
