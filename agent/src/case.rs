//! One operation on its way: who asks for what, how long it lives, and the record it leaves.

use plugin_protocol::Origin;
use plugin_protocol::api::OperationState;
use plugin_protocol::encoding::from_base64;
use plugin_protocol::qualified::QualifiedFacts;

use crate::app::App;
use crate::choose::Chosen;
use crate::error::Error;
use crate::history::Record;
use crate::life::Life;
use crate::pairing::Caller;
use crate::prompt::{Answer, Candidate, Question, Request};
use crate::token::TokenInfo;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// A paired plugin: no PIN is tried for it once its pairing is revoked.
    Plugin(Caller),
    /// The person, from the command line.
    CommandLine,
}

impl Client {
    /// As the windows and the history name it.
    pub fn caller(&self) -> Caller {
        match self {
            Self::Plugin(caller) => caller.clone(),
            Self::CommandLine => Caller {
                id: "command-line".to_owned(),
                name: "eid-agent confirm".to_owned(),
            },
        }
    }
}

/// Refuses a top frame's origin that is the portal's own: a plugin leaves it out then.
pub(crate) fn check_top(origin: &Origin, top: Option<&Origin>) -> Result<(), Error> {
    match top {
        Some(top) if top == origin => {
            let why = "it is the origin itself; it is given only where another site embeds it".to_owned();
            Err(Error::InvalidField("top_origin", why))
        }
        _ => Ok(()),
    }
}

/// Refuses the page around a page that the plugin does not know.
pub(crate) fn check_unattested(top: Option<&Origin>) -> Result<(), Error> {
    match top {
        Some(_) => {
            let why = "who cannot tell the page's origin cannot tell that of the page around it".to_owned();
            Err(Error::InvalidField("top_origin", why))
        }
        None => Ok(()),
    }
}

/// A certificate that the request names.
pub(crate) fn named_certificate(text: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
    let wrong = || Error::InvalidField("certificate", "expected base64 (RFC 4648 section 4) of DER".to_owned());
    text.map(|text| from_base64(text).ok_or_else(wrong)).transpose()
}

/// Told of each state an operation comes to.
pub type Stage<'a> = &'a (dyn Fn(OperationState) + Send + Sync);

/// How an operation ended, once it is remembered.
#[derive(Debug)]
pub struct Ending<T> {
    /// The result.
    pub result: Result<T, Error>,
    /// What the certificate says in the form of qualified ones; with a result alone, so after consent.
    pub qualified: Option<QualifiedFacts>,
    /// A test token, or nobody was asked.
    pub test: bool,
}

impl<T> Ending<T> {
    /// The same end with its result wrapped.
    pub(crate) fn map<U>(self, wrap: impl FnOnce(T) -> U) -> Ending<U> {
        Ending {
            result: self.result.map(wrap),
            qualified: self.qualified,
            test: self.test,
        }
    }
}

/// One operation on its way.
pub struct Case<'a> {
    pub(crate) app: &'a App,
    pub(crate) client: &'a Client,
    pub(crate) asks: Request,
    pub(crate) life: &'a Life,
    pub(crate) stage: Stage<'a>,
    pub(crate) record: Record,
    /// What the chosen certificate says of itself.
    pub(crate) facts: QualifiedFacts,
}

impl Case<'_> {
    /// Puts a question to the person; the window closes when the operation ends first.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Answer, Error> {
        let answer = self.life.race(self.app.prompt.ask(question)).await?;
        answer.map_err(Error::from)
    }

    /// Goes on with this certificate.
    pub(crate) fn chose(&mut self, chosen: &Chosen) {
        let Candidate { token, certificate } = &chosen.candidate;
        self.record.chose(token, &chosen.credential.certificate, certificate);
        self.facts = certificate.qualified.clone();
    }

    /// Whether anyone still wants the signature: asked right before a PIN try and before a result is handed out.
    ///
    /// A client whose connection is broken off may be on its way back (a browser stops a plugin's worker and starts
    /// it again): it is awaited first, no longer than PROTOCOL.md section 8 allows.
    pub(crate) async fn still_wanted(&self) -> Result<(), Error> {
        still_wanted(self.app, self.client, self.life).await
    }

    /// Remembers the end, on the disk, before anyone is told. What cannot be remembered is not handed out.
    pub(crate) async fn end<T>(mut self, result: Result<T, Error>) -> Ending<T> {
        self.record.test |= self.app.prompt.unattended();
        self.record.ended(&result);
        let test = self.record.test;
        let remembered = remembered(self.app, self.record).await;
        let result = match (result, remembered) {
            (Ok(_), Err(error)) => Err(error),
            (result, _) => result,
        };
        let facts = Some(self.facts).filter(|facts| result.is_ok() && *facts != QualifiedFacts::default());
        Ending {
            result,
            qualified: facts,
            test,
        }
    }

    /// Remembers a wrong PIN that the person is asked again after.
    pub(crate) async fn remember_wrong_pin(&self, error: &Error) -> Result<(), Error> {
        let mut record = self.record.clone();
        record.test |= self.app.prompt.unattended();
        record.ended(&Err::<(), _>(error.clone()));
        remembered(self.app, record).await
    }
}

/// A token that was shown, as it is now: of the same insertion, or it is gone.
pub(crate) async fn look_again(app: &App, life: &Life, token: &TokenInfo) -> Result<TokenInfo, Error> {
    let present = life.race(app.tokens.list()).await?;
    let same = present.into_iter().find(|other| other.is_still(token));
    same.ok_or(Error::TokenRemoved)
}

/// [`Case::still_wanted`] of whoever asks.
pub(crate) async fn still_wanted(app: &App, client: &Client, life: &Life) -> Result<(), Error> {
    life.client_back().await?;
    life.check()?;
    match client {
        Client::Plugin(caller) if app.pairings.find(&caller.id).is_none() => Err(Error::Cancelled),
        _ => Ok(()),
    }
}

/// Remembers, on the disk, that a request was refused, before anyone is told why.
pub(crate) async fn refused(app: &App, mut record: Record, why: Error) -> Error {
    record.ended(&Err::<(), _>(why.clone()));
    match remembered(app, record).await {
        Ok(()) => why,
        Err(unremembered) => unremembered,
    }
}

/// Appends off the async threads, for the disk takes its time, and waits until the record is there.
/// Once begun it is finished, whoever waits.
pub(crate) async fn remembered(app: &App, record: Record) -> Result<(), Error> {
    let (history, now) = (app.history.clone(), app.clock.now());
    let appended = tokio::task::spawn_blocking(move || history.append(now, &record).map(|_| ()));
    appended
        .await
        .unwrap_or_else(|error| Err(Error::History(error.to_string())))
}
