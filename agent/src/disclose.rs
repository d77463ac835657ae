//! The use case without a signature: the person hands over the certificate that they sign documents with, or sign in with.
//!
//! A portal needs the first before it can make the document to be signed; a page that shows certificates to choose
//! from before it asks for a signature needs the second.

use plugin_protocol::Origin;
use plugin_protocol::api::{CertificateRequest, CertificateRole, SigningCertificate};
use plugin_protocol::encoding::base64;
use plugin_protocol::qualified::QualifiedFacts;

use crate::app::App;
use crate::case::{Case, Client, Ending, Stage, check_top, check_unattested, refused};
use crate::certificate::Role;
use crate::choose::{Wanted, choose};
use crate::consent::agreed;
use crate::error::Error;
use crate::history::{self, Record};
use crate::life::Life;
use crate::prompt::{Action, Request};
use crate::proof::preferred_algorithm;
use crate::sign::methods;
use crate::token::Credential;

/// A request for a certificate, each member known to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    origin: Origin,
    top_origin: Option<Origin>,
    attested: bool,
    role: CertificateRole,
    token: Option<String>,
}

impl Disclosure {
    /// Checks a request.
    pub fn parse(request: CertificateRequest) -> Result<Self, Error> {
        check_top(&request.origin, request.top_origin.as_ref())?;
        if !request.origin_attested {
            check_unattested(request.top_origin.as_ref())?;
            if request.role != CertificateRole::Authentication {
                let why = "documents are signed for an origin that is known; the role authentication may do without";
                return Err(Error::InvalidField("origin_attested", why.to_owned()));
            }
        }
        Ok(Self {
            origin: request.origin,
            top_origin: request.top_origin,
            attested: request.origin_attested,
            role: request.role,
            token: request.token,
        })
    }

    /// Whether the policy lets a plugin ask in this origin's name; what it does not is [`Disclosure::refuse`]d.
    pub fn allowed(&self, app: &App) -> Result<(), Error> {
        match self.attested {
            true => Ok(()),
            false => app.config.literal.origins.check_named(&self.origin),
        }
    }

    /// Remembers, on the disk, that it was refused, before anyone is told why.
    pub async fn refuse(&self, app: &App, client: &Client, why: Error) -> Error {
        refused(app, self.record(client), why).await
    }

    fn record(&self, client: &Client) -> Record {
        let mut record = Record::new(history::Action::Certificate, &client.caller(), self.origin.clone());
        record.top_origin = self.top_origin.clone();
        record.origin_attested = self.attested;
        record
    }

    /// What the person is told.
    fn asks(&self, client: &Client) -> Request {
        Request {
            origin: self.origin.clone(),
            attested: self.attested,
            top_origin: self.top_origin.clone(),
            action: Action::Certificate(self.role),
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
        facts: QualifiedFacts::default(),
    };
    let result = certificate(&mut case, disclosure).await;
    case.end(result).await
}

async fn certificate(case: &mut Case<'_>, disclosure: &Disclosure) -> Result<SigningCertificate, Error> {
    let wanted = Wanted {
        role: match disclosure.role {
            CertificateRole::Signing => Role::Signing,
            CertificateRole::Authentication => Role::Authentication,
        },
        token: disclosure.token.as_deref(),
        certificate: None,
        able: &|credential| able(credential, disclosure.role),
    };
    let chosen = choose(case, &wanted).await?;
    agreed(case, &chosen).await?;
    Ok(SigningCertificate {
        certificate: base64(&chosen.credential.certificate),
        algorithms: match disclosure.role {
            CertificateRole::Signing => methods(&chosen.credential)?,
            CertificateRole::Authentication => Vec::new(),
        },
        token: Some(chosen.candidate.token.id.to_string()),
    })
}

/// Whether the token can make what this certificate would be asked for next.
fn able(credential: &Credential, role: CertificateRole) -> Result<(), Error> {
    match role {
        CertificateRole::Authentication => {
            preferred_algorithm(&credential.certificate, &credential.mechanisms).map(|_| ())
        }
        CertificateRole::Signing if methods(credential)?.is_empty() => Err(Error::UnsupportedAlgorithm(
            "it signs no digest that is given to it".to_owned(),
        )),
        CertificateRole::Signing => Ok(()),
    }
}

#[cfg(test)]
mod tests;
