//! The use case without a signature: the person hands over the certificate that they sign documents with.
//!
//! A portal needs it before it can make the document to be signed.

use plugin_protocol::Origin;
use plugin_protocol::api::{CertificateRequest, SigningCertificate};
use plugin_protocol::encoding::base64;

use crate::app::App;
use crate::case::{Case, Client, Ending, Stage, check_top};
use crate::certificate::Role;
use crate::choose::{Wanted, choose};
use crate::consent::agreed;
use crate::error::Error;
use crate::history::{self, Record};
use crate::life::Life;
use crate::prompt::{Action, Request};
use crate::sign::methods;

/// A request for a signing certificate, each member known to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    origin: Origin,
    top_origin: Option<Origin>,
    token: Option<String>,
}

impl Disclosure {
    /// Checks a request.
    pub fn parse(request: CertificateRequest) -> Result<Self, Error> {
        check_top(&request.origin, request.top_origin.as_ref())?;
        Ok(Self {
            origin: request.origin,
            top_origin: request.top_origin,
            token: request.token,
        })
    }

    fn record(&self, client: &Client) -> Record {
        let mut record = Record::new(history::Action::Certificate, &client.caller(), self.origin.clone());
        record.top_origin = self.top_origin.clone();
        record
    }

    /// What the person is told.
    fn asks(&self, client: &Client) -> Request {
        Request {
            origin: self.origin.clone(),
            top_origin: self.top_origin.clone(),
            action: Action::Certificate,
            client: client.caller().name,
        }
    }
}

/// Hands over a certificate: the steps of [`crate::sign::sign`] without PIN and signature.
///
/// The caller holds the window ([`crate::app::Window`]).
pub async fn disclose(
    app: &App,
    client: &Client,
    disclosure: &Disclosure,
    life: &Life,
    stage: Stage<'_>,
) -> Ending<SigningCertificate> {
    let mut case = Case {
        app,
        client,
        asks: disclosure.asks(client),
        life,
        stage,
        record: disclosure.record(client),
    };
    let result = certificate(&mut case, disclosure).await;
    case.end(result).await
}

async fn certificate(case: &mut Case<'_>, disclosure: &Disclosure) -> Result<SigningCertificate, Error> {
    let wanted = Wanted {
        role: Role::Signing,
        token: disclosure.token.as_deref(),
        certificate: None,
        able: &|credential| match methods(credential)?.is_empty() {
            false => Ok(()),
            true => Err(Error::UnsupportedAlgorithm(
                "it signs no digest that is given to it".to_owned(),
            )),
        },
    };
    let chosen = choose(case, &wanted).await?;
    agreed(case, &chosen).await?;
    Ok(SigningCertificate {
        certificate: base64(&chosen.credential.certificate),
        algorithms: methods(&chosen.credential)?,
    })
}

#[cfg(test)]
mod tests;
