//! Which certificate: wait for a token, read what is on it, leave out what does not fit, ask if several remain.

use std::fmt::Write;

use plugin_protocol::api::OperationState;

use crate::case::Case;
use crate::certificate::{Role, Summary, Unfit};
use crate::error::Error;
use crate::prompt::{Answer, Candidate, Question};
use crate::rehearsal::Check;
use crate::token::{Credential, Stranger, TokenId, TokenInfo};

/// What a request asks for.
pub struct Wanted<'a> {
    /// What the key must be meant for.
    pub role: Role,
    /// Only the token with this id.
    pub token: Option<&'a str>,
    /// Only this certificate, DER.
    pub certificate: Option<&'a [u8]>,
    /// Whether the token can make these signatures with the key.
    pub able: &'a (dyn Fn(&Credential) -> Result<(), Error> + Sync),
}

/// A certificate with the key that will sign.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// As the person reads it.
    pub candidate: Candidate,
    /// As the token signs with it.
    pub credential: Credential,
    /// The token's PIN state was read some time ago: the person had to choose first.
    pub stale: bool,
}

/// Finds the one certificate that will sign.
pub async fn choose(case: &Case<'_>, wanted: &Wanted<'_>) -> Result<Chosen, Error> {
    let tokens = tokens(case, wanted.token).await?;
    (case.stage)(OperationState::AwaitingConsent);
    let mut found = read(case, &tokens, wanted)
        .await
        .inspect_err(|_| tell(&case.app.tokens.strangers(), "no certificate could be taken"))?;
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    let candidates = found.iter().map(|chosen| chosen.candidate.clone()).collect();
    match case.ask(&Question::Choose(case.asks.clone(), candidates)).await? {
        Answer::Chosen(index) if index < found.len() => Ok(Chosen {
            stale: true,
            ..found.swap_remove(index)
        }),
        _ => Err(Error::Internal(format!(
            "the prompt {} chose none of {} certificates",
            case.app.prompt.name(),
            found.len()
        ))),
    }
}

/// The tokens to look at, as soon as there is one. When the time ends first, there was none, or only cards that show
/// none.
async fn tokens(case: &Case<'_>, named: Option<&str>) -> Result<Vec<TokenInfo>, Error> {
    match appearing(case, named).await {
        Err(Error::Expired) => {
            let stranger = case.app.tokens.strangers().into_iter().next();
            Err(stranger.map_or(Error::NoToken, |stranger| Error::StrangeCard(Box::new(stranger.why))))
        }
        tokens => tokens,
    }
}

async fn appearing(case: &Case<'_>, named: Option<&str>) -> Result<Vec<TokenInfo>, Error> {
    loop {
        let listing = case.life.race(case.app.tokens.listing()).await?;
        let failures: Vec<Error> = listing
            .iter()
            .filter_map(|listed| listed.tokens.clone().err())
            .collect();
        let sources = listing.len();
        let present: Vec<TokenInfo> = listing
            .into_iter()
            .flat_map(|listed| listed.tokens.unwrap_or_default())
            .collect();
        let seen: Vec<TokenId> = present.iter().map(|token| token.id.clone()).collect();
        let suitable: Vec<TokenInfo> = present
            .into_iter()
            .filter(|token| named.is_none_or(|id| token.id.as_str() == id))
            .collect();
        if !suitable.is_empty() {
            return Ok(suitable);
        }
        // Waiting for a token helps nobody when no source can be asked.
        if sources > 0 && failures.len() == sources {
            return Err(failures.into_iter().next().unwrap_or(Error::NoToken));
        }
        (case.stage)(OperationState::AwaitingToken);
        insert(case, &seen).await?;
    }
}

/// Asks for a token, and says of cards that are in and show none, until either changes or the person closes the window.
async fn insert(case: &Case<'_>, seen: &[TokenId]) -> Result<(), Error> {
    let strangers = case.app.tokens.strangers();
    tell(&strangers, "a token is waited for");
    let question = Question::InsertToken(case.asks.clone(), strangers.clone());
    let waited = case.life.race(async {
        tokio::select! {
            () = case.app.tokens.appeared(seen, &strangers) => Ok(()),
            answer = case.app.prompt.ask(&question) => answer.map(|_| ()),
        }
    });
    waited.await?.map_err(Error::from)
}

/// Says in the log which cards are in and show no token, and meanwhile what happens.
fn tell(strangers: &[Stranger], meanwhile: &str) {
    for stranger in strangers {
        tracing::info!(%stranger, "{meanwhile}");
    }
}

/// Every certificate on `tokens` that fits, or why none does.
async fn read(case: &Case<'_>, tokens: &[TokenInfo], wanted: &Wanted<'_>) -> Result<Vec<Chosen>, Error> {
    let mut found = Vec::new();
    let mut left_out = LeftOut::default();
    for token in tokens {
        if token.role.is_some_and(|role| role != wanted.role) {
            left_out.add(Why::OtherPin);
            continue;
        }
        match case.life.race(case.app.tokens.credentials(&token.id)).await? {
            Ok(credentials) => {
                let mut fit = Vec::new();
                for credential in credentials {
                    match fitting(case, token, credential, wanted) {
                        Ok(chosen) => fit.push(chosen),
                        Err(why) => left_out.add(why),
                    }
                }
                found.extend(kept_for(fit, wanted.role));
            }
            Err(error) => left_out.failure = Some(error),
        }
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(left_out.error()),
    }
}

/// Of one token's certificates that fit, those whose keys it keeps for `role`; where it keeps none for that, all.
fn kept_for(mut fit: Vec<Chosen>, role: Role) -> Vec<Chosen> {
    if fit.iter().any(|chosen| chosen.credential.role == Some(role)) {
        fit.retain(|chosen| chosen.credential.role.is_none_or(|own| own == role));
    }
    fit
}

/// The certificate if it fits, or why it is left out.
fn fitting(case: &Case<'_>, token: &TokenInfo, credential: Credential, wanted: &Wanted<'_>) -> Result<Chosen, Why> {
    let summary = Summary::read(&credential.certificate).ok_or(Why::Unreadable)?;
    if wanted.certificate.is_some_and(|only| only != credential.certificate) {
        return Err(Why::Other);
    }
    match summary.fit(wanted.role, case.app.clock.now()) {
        Err(Unfit::Expired | Unfit::NotYetValid) if case.app.waives(Check::Validity) => {}
        fit => fit.map_err(|unfit| Why::Unfit(wanted.role, unfit))?,
    }
    (wanted.able)(&credential).map_err(Why::Unable)?;
    Ok(Chosen {
        candidate: Candidate {
            token: token.clone(),
            certificate: summary,
        },
        credential,
        stale: false,
    })
}

/// Why one certificate is left out.
enum Why {
    Unreadable,
    Other,
    OtherPin,
    Unfit(Role, Unfit),
    Unable(Error),
}

impl Why {
    /// In words that name nobody.
    fn text(&self) -> &'static str {
        match self {
            Self::Unreadable => "not readable",
            Self::Other => "not the one that was asked for",
            // Before consent a page does not learn that a card has a PIN for each purpose.
            Self::OtherPin => "not for this purpose",
            Self::Unfit(_, Unfit::Expired) => "expired",
            Self::Unfit(_, Unfit::NotYetValid) => "not valid yet",
            Self::Unfit(_, Unfit::Authority) => "of a certification authority",
            Self::Unfit(Role::Authentication, Unfit::WrongUsage) => "without the key usage digitalSignature",
            Self::Unfit(Role::Signing, Unfit::WrongUsage) => "without the key usage nonRepudiation",
            Self::Unable(_) => "whose key the token cannot sign this with",
        }
    }
}

/// What was left out, counted by reason.
#[derive(Default)]
struct LeftOut {
    counted: Vec<(&'static str, usize)>,
    unable: Option<Error>,
    failure: Option<Error>,
}

impl LeftOut {
    fn add(&mut self, why: Why) {
        let text = why.text();
        match self.counted.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => self.counted.push((text, 1)),
        }
        if let Why::Unable(error) = why {
            self.unable = Some(error);
        }
    }

    /// A key that lacks a mechanism comes first, for it would have fitted; then a token
    /// that could not be read; then the certificates that do not fit.
    fn error(self) -> Error {
        if let Some(error) = self.unable.or(self.failure) {
            return error;
        }
        let mut text = String::new();
        for (why, count) in &self.counted {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{count} {why}");
        }
        Error::NoneFits(match text.is_empty() {
            true => "there is none on the token".to_owned(),
            false => text,
        })
    }
}
