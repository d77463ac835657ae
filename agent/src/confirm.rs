//! The use case: a person confirms to a portal who they are.

use plugin_protocol::api::ConfirmationRequest;
use plugin_protocol::format::UnknownFormat;
use plugin_protocol::qualified::QualifiedFacts;
use plugin_protocol::{Origin, Proof, ProofFormat};

use crate::app::App;
use crate::case::{Case, Client, Ending, Stage, check_top, check_unattested, named_certificate, refused};
use crate::certificate::Role;
use crate::choose::{Chosen, Wanted, choose};
use crate::consent::{consented, proven};
use crate::error::Error;
use crate::history::{Action, Record};
use crate::life::Life;
use crate::prompt::{self, Request};
use crate::proof::{Subject, algorithm_for, draft, uec};
use crate::token::{Credential, SignData, SignInput, SignJob};

/// A request whose every member is known to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    subject: Subject,
    top_origin: Option<Origin>,
    attested: bool,
    holder_signature: bool,
    certificate: Option<Vec<u8>>,
    token: Option<String>,
}

impl Confirmation {
    /// Checks a request against what its format allows. What the origin may ask for is [`Confirmation::allowed`].
    pub fn parse(request: ConfirmationRequest) -> Result<Self, Error> {
        check_top(&request.origin, request.top_origin.as_ref())?;
        let unknown = |name: UnknownFormat| Error::UnsupportedFormat(name.to_string());
        let format = request.proof_format().map_err(unknown)?;
        if request.holder_signature && format != ProofFormat::Uec {
            let why = format!("the format {format} has one signature, and so no other of the holder");
            return Err(Error::InvalidField("holder_signature", why));
        }
        let confirmation = Self {
            subject: Subject {
                origin: request.origin,
                challenge: request.challenge,
                purpose: request.purpose,
                format,
                detached: request.detached,
            },
            top_origin: request.top_origin,
            attested: request.origin_attested,
            holder_signature: request.holder_signature,
            certificate: named_certificate(request.certificate.as_deref())?,
            token: request.token,
        };
        confirmation.subject.check()?;
        if !confirmation.attested {
            check_unattested(confirmation.top_origin.as_ref())?;
            confirmation.check_unattested_format()?;
        }
        Ok(confirmation)
    }

    /// What a page may have signed that its plugin does not know: the statement of the other formats names
    /// an origin, and the agent would vouch for what nobody has seen.
    fn check_unattested_format(&self) -> Result<(), Error> {
        match self.subject.format {
            ProofFormat::CmsChallenge => Ok(()),
            other => {
                let why = format!("{other} names the origin, which has to be known; only cms-challenge does not");
                Err(Error::InvalidField("origin_attested", why))
            }
        }
    }

    /// Whether the policy lets this origin ask for this format; what it does not is [`Confirmation::refuse`]d.
    pub fn allowed(&self, app: &App) -> Result<(), Error> {
        let policy = &app.config.literal.origins;
        // The literal form names no portal, so a page around the portal's must be trusted as the portal is.
        for origin in std::iter::once(&self.subject.origin).chain(&self.top_origin) {
            policy.check(origin, self.subject.format)?;
        }
        Ok(())
    }

    /// Remembers, on the disk, that it was refused, before anyone is told why.
    pub async fn refuse(&self, app: &App, client: &Client, why: Error) -> Error {
        refused(app, self.record(client), why).await
    }

    fn record(&self, client: &Client) -> Record {
        let mut record = Record::new(Action::Confirmation, &client.caller(), self.subject.origin.clone());
        record.top_origin = self.top_origin.clone();
        record.origin_attested = self.attested;
        record.purpose = Some(self.subject.purpose);
        record.format = Some(self.subject.format);
        record
    }

    /// What the person is told.
    fn asks(&self, client: &Client) -> Request {
        let purpose = self.subject.purpose;
        Request {
            origin: self.subject.origin.clone(),
            attested: self.attested,
            top_origin: self.top_origin.clone(),
            action: match self.subject.format {
                ProofFormat::CmsChallenge => prompt::Action::ConfirmLiteral(purpose),
                ProofFormat::Uec => prompt::Action::ConfirmCard {
                    purpose,
                    signed: self.holder_signature,
                },
                _ => prompt::Action::Confirm(purpose),
            },
            client: client.caller().name,
        }
    }
}

/// Confirms: choose, ask, check again, sign, check our own signature, remember; then the proof.
///
/// The caller holds the window ([`crate::app::Window`]).
pub async fn confirm(
    app: &App,
    client: &Client,
    confirmation: &Confirmation,
    life: &Life,
    stage: Stage<'_>,
) -> Ending<Proof> {
    let mut case = Case {
        app,
        client,
        asks: confirmation.asks(client),
        life,
        stage,
        record: confirmation.record(client),
        facts: QualifiedFacts::default(),
    };
    let result = match confirmation.subject.format {
        ProofFormat::Uec => cards_proof(&mut case, confirmation).await,
        _ => proof(&mut case, confirmation).await,
    };
    case.end(result).await
}

async fn proof(case: &mut Case<'_>, confirmation: &Confirmation) -> Result<Proof, Error> {
    let algorithm = |credential: &Credential| {
        algorithm_for(
            confirmation.subject.format,
            &credential.certificate,
            &credential.mechanisms,
        )
    };
    let wanted = Wanted {
        role: Role::Authentication,
        token: confirmation.token.as_deref(),
        certificate: confirmation.certificate.as_deref(),
        able: &|credential| algorithm(credential).map(|_| ()),
    };
    let chosen = choose(case, &wanted).await?;
    let Chosen { credential, .. } = chosen.clone();
    let algorithm = algorithm(&credential)?;
    let (signatures, draft) = consented(case, chosen, |now| {
        let intermediates = credential.intermediates.iter().map(Vec::as_slice);
        let certificates: Vec<&[u8]> = std::iter::once(credential.certificate.as_slice())
            .chain(intermediates)
            .collect();
        let draft = draft(&confirmation.subject, &certificates, algorithm, now)?;
        let input = SignInput {
            scheme: algorithm.scheme(),
            hash: algorithm.hash(),
            data: SignData::Message(draft.to_be_signed().to_vec()),
        };
        let job = SignJob {
            key: credential.key.clone(),
            certificate: credential.certificate.clone(),
            inputs: vec![input],
        };
        Ok((job, draft))
    })
    .await?;
    let signature = signatures.into_iter().next().ok_or(Error::SignatureMismatch)?;
    draft.finish(signature)
}

/// The same by a universal electronic card: it authenticates itself over the statement, and hands out what PIN1 opens, or
/// the signature that PIN2 allows.
async fn cards_proof(case: &mut Case<'_>, confirmation: &Confirmation) -> Result<Proof, Error> {
    let wanted = Wanted {
        role: match confirmation.holder_signature {
            false => Role::Authentication,
            true => Role::Signing,
        },
        token: confirmation.token.as_deref(),
        certificate: confirmation.certificate.as_deref(),
        able: &uec::able,
    };
    let chosen = choose(case, &wanted).await?;
    let agreed = chosen.credential.certificate.clone();
    let statement = |now| uec::statement(&confirmation.subject, &agreed, now);
    let (evidence, statement) = proven(case, chosen, statement).await?;
    uec::finish(evidence, &agreed, &statement, confirmation.holder_signature)
}

#[cfg(test)]
mod tests;
