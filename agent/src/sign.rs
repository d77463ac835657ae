//! The use case for documents: one consent, one login, a signature for each digest.

use plugin_protocol::api::{
    SignatureItem, SignatureMethod, SignatureOutcome, SignatureRequest, SignatureScheme, Signatures,
};
use plugin_protocol::encoding::{base64, from_base64, hex};
use plugin_protocol::limits::{MAX_ITEM_NAME, MAX_SIGNATURE_ITEMS};
use plugin_protocol::qualified::QualifiedFacts;
use plugin_protocol::{HashFunction, Origin};

use crate::app::App;
use crate::case::{Case, Client, Ending, Stage, check_top, named_certificate};
use crate::certificate::Role;
use crate::choose::{Wanted, choose};
use crate::consent::consented;
use crate::error::Error;
use crate::history::{self, Record};
use crate::legible::legible;
use crate::life::Life;
use crate::prompt::{Action, Document, Request};
use crate::proof::preferred_algorithm;
use crate::token::{Credential, SignData, SignInput, SignJob};

/// Documents to sign, each member known to be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    origin: Origin,
    top_origin: Option<Origin>,
    items: Vec<Item>,
    certificate: Option<Vec<u8>>,
    token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    name: Option<String>,
    hash: HashFunction,
    digest: Vec<u8>,
}

impl Documents {
    /// Checks a request: how many items, how long each digest, what their names hold.
    pub fn parse(request: SignatureRequest) -> Result<Self, Error> {
        check_top(&request.origin, request.top_origin.as_ref())?;
        let count = request.items.len();
        if !(1..=MAX_SIGNATURE_ITEMS).contains(&count) {
            let why = format!("{count} documents; 1 to {MAX_SIGNATURE_ITEMS} are allowed");
            return Err(Error::InvalidField("items", why));
        }
        let items = request.items.into_iter().enumerate();
        let items = items
            .map(|(index, item)| Item::parse(index, item))
            .collect::<Result<_, _>>()?;
        let certificate = named_certificate(request.certificate.as_deref())?;
        Ok(Self {
            origin: request.origin,
            top_origin: request.top_origin,
            items,
            certificate,
            token: request.token,
        })
    }

    fn record(&self, client: &Client) -> Record {
        let mut record = Record::new(history::Action::Signatures, &client.caller(), self.origin.clone());
        record.top_origin = self.top_origin.clone();
        record
    }

    /// What the person is told: every document.
    fn asks(&self, client: &Client) -> Request {
        let shown = |item: &Item| Document {
            name: item.name.clone(),
            hash: item.hash,
            digest: hex(&item.digest),
        };
        Request {
            origin: self.origin.clone(),
            attested: true,
            top_origin: self.top_origin.clone(),
            action: Action::Sign(self.items.iter().map(shown).collect()),
            client: client.caller().name,
        }
    }
}

impl Item {
    fn parse(index: usize, item: SignatureItem) -> Result<Self, Error> {
        let refuse = |why: String| Error::InvalidField("items", format!("document {}: {why}", index + 1));
        let expected = item.hash_function.length();
        let digest = from_base64(&item.hash).filter(|digest| digest.len() == expected);
        let digest = digest.ok_or_else(|| refuse(format!("its hash must be base64 of {expected} bytes")))?;
        let name = item.name.map(|name| readable(&name)).transpose().map_err(refuse)?;
        Ok(Self {
            name,
            hash: item.hash_function,
            digest,
        })
    }
}

/// A name as the person may read it: what cannot be seen, or changes how its neighbours
/// are shown, becomes U+FFFD, so that no name looks like another.
fn readable(name: &str) -> Result<String, String> {
    let length = name.chars().count();
    if !(1..=MAX_ITEM_NAME).contains(&length) {
        return Err(format!(
            "its name has {length} characters; 1 to {MAX_ITEM_NAME} are allowed"
        ));
    }
    if let Some(c) = name.chars().find(|c| c.is_control()) {
        return Err(format!("its name holds the control character U+{:04X}", u32::from(c)));
    }
    Ok(legible(name))
}

/// Signs: the steps of [`crate::confirm::confirm`], with a key meant for signing alone.
///
/// The caller holds the window ([`crate::app::Window`]).
pub async fn sign(
    app: &App,
    client: &Client,
    documents: &Documents,
    life: &Life,
    stage: Stage<'_>,
) -> Ending<Signatures> {
    let mut case = Case {
        app,
        client,
        asks: documents.asks(client),
        life,
        stage,
        record: documents.record(client),
        facts: QualifiedFacts::default(),
    };
    let result = signatures(&mut case, documents).await;
    case.end(result).await
}

async fn signatures(case: &mut Case<'_>, documents: &Documents) -> Result<Signatures, Error> {
    let wanted = Wanted {
        role: Role::Signing,
        token: documents.token.as_deref(),
        certificate: documents.certificate.as_deref(),
        able: &|credential| inputs(credential, &documents.items).map(|_| ()),
    };
    let chosen = choose(case, &wanted).await?;
    let inputs = inputs(&chosen.credential, &documents.items)?;
    let certificate = chosen.credential.certificate.clone();
    let job = SignJob {
        key: chosen.credential.key.clone(),
        certificate: certificate.clone(),
        inputs,
    };
    let (signatures, job) = consented(case, chosen, |_| Ok((job.clone(), job.clone()))).await?;
    let outcome = |(input, signature): (&SignInput, &Vec<u8>)| SignatureOutcome {
        scheme: input.scheme,
        hash_function: input.hash,
        signature: base64(signature),
    };
    Ok(Signatures {
        certificate: base64(&certificate),
        items: job.inputs.iter().zip(&signatures).map(outcome).collect(),
    })
}

/// What the token is asked to sign, each digest by a mechanism that it has.
fn inputs(credential: &Credential, items: &[Item]) -> Result<Vec<SignInput>, Error> {
    let methods = methods(credential)?;
    let input = |item: &Item| {
        let method = methods.iter().find(|method| method.hash_function == item.hash);
        let method = method.ok_or_else(|| {
            let hash = item.hash.name();
            Error::UnsupportedAlgorithm(format!("it signs no {hash} digest that is given to it"))
        })?;
        Ok(SignInput {
            scheme: method.scheme,
            hash: item.hash,
            data: SignData::Digest(item.digest.clone()),
        })
    };
    items.iter().map(input).collect()
}

/// How the key signs a digest of each hash function that it can sign at all: one scheme each, so that
/// a portal which has to name it inside the document can know it beforehand.
pub(crate) fn methods(credential: &Credential) -> Result<Vec<SignatureMethod>, Error> {
    // Which schemes the key itself can serve; of GOST it fixes the hash function too.
    let algorithm = preferred_algorithm(&credential.certificate, &credential.mechanisms)?;
    let schemes: &[SignatureScheme] = match algorithm.scheme() {
        SignatureScheme::Ecdsa => &[SignatureScheme::Ecdsa],
        SignatureScheme::RsaPkcs1 | SignatureScheme::RsaPss => &[SignatureScheme::RsaPkcs1, SignatureScheme::RsaPss],
        SignatureScheme::Gost => &[SignatureScheme::Gost],
    };
    let able = |scheme: SignatureScheme, hash: HashFunction| {
        if hash.is_streebog() != algorithm.is_gost() || (algorithm.is_gost() && hash != algorithm.hash()) {
            return false;
        }
        let mut mechanisms = credential.mechanisms.iter();
        mechanisms.any(|mechanism| mechanism.digest && mechanism.scheme == scheme && mechanism.hash == hash)
    };
    let method = |hash_function: HashFunction| {
        let scheme = schemes.iter().copied().find(|scheme| able(*scheme, hash_function))?;
        Some(SignatureMethod { scheme, hash_function })
    };
    Ok(HashFunction::ALL.into_iter().filter_map(method).collect())
}

#[cfg(test)]
mod tests;
