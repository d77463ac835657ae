//! What is asked of the person, by way of the daemon: a certificate, a signature.

use std::time::Duration;

use plugin_protocol::api::{CertificateRequest, CertificateRole, ConfirmationRequest, Operation, SigningCertificate};
use plugin_protocol::encoding::{base64, from_base64};
use plugin_protocol::{Challenge, ErrorCode, Origin, Proof, ProofFormat, Purpose};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::session::Choice;
use crate::history::Action;
use crate::native_host::Refusal;
use crate::native_host::client::{Client, ClientError, Request};

/// Whose page it says it is. The test portal is in the same policy, but the extension does not say which it is.
const ESIA: &str = "https://esia.gosuslugi.ru";
/// How long another page's window may take to close: a page that is loaded anew comes before its old host is gone.
const ROOM: Duration = Duration::from_secs(3);
/// How long until it is asked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// The person, for one page.
pub(super) struct Person<'a> {
    pub(super) client: &'a Client,
    pub(super) gone: &'a CancellationToken,
}

impl Person<'_> {
    /// Has them pick a certificate, on this token if one is named, and agree to show it to the page.
    pub(super) async fn certificate(&self, token: Option<&str>) -> Result<Choice, Refusal> {
        let request = CertificateRequest {
            origin: esia(),
            top_origin: None,
            token: token.map(str::to_owned),
            role: CertificateRole::Authentication,
            origin_attested: false,
        };
        let operation = self.perform(Action::Certificate, &request).await?;
        let SigningCertificate { certificate, token, .. } = operation.certificate.ok_or_else(other_result)?;
        let der = from_base64(&certificate).ok_or_else(other_result)?;
        Choice::new(token.ok_or_else(other_result)?, der).ok_or_else(other_result)
    }

    /// Has them agree to the signature of a challenge with the key of that certificate; the CMS, base64 of DER.
    pub(super) async fn sign(&self, choice: &Choice, challenge: Challenge, detached: bool) -> Result<String, Refusal> {
        let request = ConfirmationRequest {
            origin: esia(),
            top_origin: None,
            challenge,
            format: ProofFormat::CmsChallenge.name().to_owned(),
            detached,
            holder_signature: false,
            purpose: Purpose::SignIn,
            token: Some(choice.token.clone()),
            certificate: Some(base64(&choice.der)),
            origin_attested: false,
        };
        let operation = self.perform(Action::Confirmation, &request).await?;
        match operation.proof {
            Some(Proof::CmsChallenge(proof)) => Ok(proof.cms),
            _ => Err(other_result()),
        }
    }

    async fn perform(&self, action: Action, request: &impl Serialize) -> Result<Operation, Refusal> {
        let request = Request::new(action.collection(), request)?;
        let until = Instant::now() + ROOM;
        let operation = loop {
            let busy = match self.client.begin(&request).await {
                Err(ClientError::Problem(problem)) if problem.code == ErrorCode::Busy => problem,
                begun => break begun?,
            };
            if Instant::now() >= until {
                return Err(Refusal::Problem(busy));
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = self.gone.cancelled() => return Err(Refusal::Gone),
            }
        };
        let path = format!("{}/{}", action.collection(), operation.id);
        self.client.finish(operation, &path, self.gone).await
    }
}

fn esia() -> Origin {
    ESIA.parse().expect("an origin, as the tests know")
}

fn other_result() -> Refusal {
    Refusal::new(ErrorCode::Internal, "the agent's result is not what was asked for")
}
