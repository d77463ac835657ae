//! Consent and PIN, then the signature: asked again only when the person types again.

use plugin_protocol::api::{OperationState, PinState};
use time::OffsetDateTime;

use crate::case::{Case, look_again};
use crate::choose::Chosen;
use crate::error::Error;
use crate::pin::Pin;
use crate::prompt::{Answer, Candidate, Consent, PinEntry, Question, Refused, Task};
use crate::proof::verify_own;
use crate::rehearsal::Check;
use crate::renew::{Renewer, remedy};
use crate::token::card::family::Evidence;
use crate::token::{PinInfo, ProveJob, SignJob, TokenId, TokenInfo};

/// What the token does once the person agreed.
enum Work {
    Sign(SignJob),
    Prove(ProveJob),
}

/// What came of it.
enum Made {
    Signatures(Vec<Vec<u8>>),
    Evidence(Box<Evidence>),
}

/// Asks for consent and has the token sign what `prepare` makes at that moment; its signatures,
/// each checked against the certificate, and what `prepare` kept for wrapping them.
///
/// After a wrong PIN the person is asked again, with the tries that are left; an unattended
/// prompt is not. Each question is one attempt, and each attempt spends one try at most.
pub async fn consented<K: Send>(
    case: &mut Case<'_>,
    chosen: Chosen,
    prepare: impl Fn(OffsetDateTime) -> Result<(SignJob, K), Error>,
) -> Result<(Vec<Vec<u8>>, K), Error> {
    let prepare = |now| prepare(now).map(|(job, kept)| (Work::Sign(job), kept));
    match worked(case, chosen, prepare).await? {
        (Made::Signatures(signatures), kept) => Ok((signatures, kept)),
        (Made::Evidence(_), _) => Err(Error::Internal("evidence where signatures were asked for".to_owned())),
    }
}

/// The same for a card that authenticates itself: what it handed out, not checked yet, and the statement it is about.
pub async fn proven(
    case: &mut Case<'_>,
    chosen: Chosen,
    statement: impl Fn(OffsetDateTime) -> Vec<u8>,
) -> Result<(Evidence, Vec<u8>), Error> {
    let (key, certificate) = (chosen.credential.key.clone(), chosen.credential.certificate.clone());
    let prepare = |now| {
        let statement = statement(now);
        let job = ProveJob {
            key: key.clone(),
            certificate: certificate.clone(),
            statement: statement.clone(),
        };
        Ok((Work::Prove(job), statement))
    };
    match worked(case, chosen, prepare).await? {
        (Made::Evidence(evidence), statement) => Ok((*evidence, statement)),
        (Made::Signatures(_), _) => Err(Error::Internal("signatures where evidence was asked for".to_owned())),
    }
}

async fn worked<K: Send>(
    case: &mut Case<'_>,
    mut chosen: Chosen,
    prepare: impl Fn(OffsetDateTime) -> Result<(Work, K), Error>,
) -> Result<(Made, K), Error> {
    case.chose(&chosen);
    if chosen.stale {
        chosen.candidate.token = look_again(case.app, case.life, &chosen.candidate.token).await?;
    }
    let mut attempt = 0;
    let mut refused = None;
    loop {
        attempt += 1;
        (case.stage)(OperationState::AwaitingConsent);
        if let Some(renewed) = renewed(case, &chosen.candidate.token).await? {
            chosen.candidate.token = renewed;
            attempt = 1;
            refused = None;
        }
        let pin = agreement(case, &chosen.candidate, attempt, refused).await?;
        case.still_wanted().await?;
        let (work, kept) = prepare(case.app.clock.now())?;
        match &work {
            Work::Sign(job) => case.record.signing(&job.inputs),
            Work::Prove(job) => case.record.proving(&job.statement),
        }
        (case.stage)(OperationState::Signing);
        match made(case, &chosen.candidate.token.id, work, pin).await {
            Ok(made) => return Ok((made, kept)),
            Err(error @ (Error::PinForm | Error::PinFormat | Error::PinIncorrect(_) | Error::PinLength(..)))
                if !case.app.prompt.unattended() =>
            {
                case.remember_wrong_pin(&error).await?;
                case.still_wanted().await?;
                chosen.candidate.token = after_wrong_pin(case, &chosen.candidate.token, &error).await?;
                refused = refusal(&error);
            }
            Err(error @ (Error::PinLocked | Error::PinMustChange)) => {
                let Some(_) = remedy_of(case, &chosen.candidate.token, &error).await? else {
                    return Err(error);
                };
                case.remember_wrong_pin(&error).await?;
                case.still_wanted().await?;
                chosen.candidate.token = unusable(case, &chosen.candidate.token, &error).await?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Has the token do it. Signatures are checked against the certificate.
async fn made(case: &Case<'_>, token: &TokenId, work: Work, pin: Option<Pin>) -> Result<Made, Error> {
    let life = case.life.clone();
    let wanted = move || life.check();
    let made = match work {
        Work::Sign(job) => {
            let signatures = case.app.tokens.sign(token, job.clone(), pin, wanted).await?;
            if !case.app.waives(Check::OwnSignature) {
                check(&job, &signatures)?;
            }
            Made::Signatures(signatures)
        }
        Work::Prove(job) => Made::Evidence(Box::new(case.app.tokens.prove(token, job, pin, wanted).await?)),
    };
    case.still_wanted().await?;
    Ok(made)
}

/// Where the PIN is locked, or must be changed first, and the token lets the person do something about that: offers
/// it, and goes on with the token as it is afterwards. `None` where the PIN can be used.
async fn renewed(case: &Case<'_>, token: &TokenInfo) -> Result<Option<TokenInfo>, Error> {
    let why = match entry(&token.pin) {
        Err(why @ (Error::PinLocked | Error::PinMustChange)) => why,
        _ => return Ok(None),
    };
    let Some(task) = remedy_of(case, token, &why).await? else {
        return Err(why);
    };
    match renewer(case).renew(token, task).await {
        Ok(token) => Ok(Some(token)),
        // They came for something else, which does not happen because of the PIN.
        Err(Error::Declined | Error::PinRefused | Error::PukLocked) => Err(why),
        Err(error) => Err(error),
    }
}

/// What the person can do here about a PIN that cannot be used; nothing where nobody is asked.
async fn remedy_of(case: &Case<'_>, token: &TokenInfo, why: &Error) -> Result<Option<Task>, Error> {
    if case.app.prompt.unattended() {
        return Ok(None);
    }
    let management = renewer(case).management(token).await?;
    Ok(remedy(management, *why == Error::PinMustChange))
}

fn renewer<'a>(case: &'a Case<'_>) -> Renewer<'a> {
    Renewer {
        app: case.app,
        client: case.client,
        life: case.life,
        within: Some(case.asks.clone()),
    }
}

/// The token after it refused its PIN altogether: what it says of itself, or else what its refusal said.
async fn unusable(case: &Case<'_>, token: &TokenInfo, error: &Error) -> Result<TokenInfo, Error> {
    let mut token = look_again(case.app, case.life, token).await?;
    token.pin.state = match error {
        Error::PinMustChange => PinState::MustChange,
        _ => PinState::Locked,
    };
    Ok(token)
}

/// Asks for consent alone: nothing is signed, so the PIN is not needed and its state does not matter.
pub(crate) async fn agreed(case: &mut Case<'_>, chosen: &Chosen) -> Result<(), Error> {
    let candidate = &chosen.candidate;
    case.chose(chosen);
    (case.stage)(OperationState::AwaitingConsent);
    let question = Question::Consent(Consent {
        request: case.asks.clone(),
        candidate: candidate.clone(),
        pin: PinEntry::None,
        attempt: 1,
        refused: None,
    });
    yes(case, case.ask(&question).await?)?;
    // It is the token in front of the person that they agreed to.
    look_again(case.app, case.life, &candidate.token).await?;
    case.still_wanted().await
}

/// The person's yes to this certificate, and the PIN where it is typed here.
async fn agreement(
    case: &Case<'_>,
    candidate: &Candidate,
    attempt: u32,
    refused: Option<Refused>,
) -> Result<Option<Pin>, Error> {
    let entry = entry(&candidate.token.pin)?;
    if entry != PinEntry::None && is_last_try(&candidate.token.pin) {
        let question = Question::LastTry(case.asks.clone(), candidate.clone());
        yes(case, case.ask(&question).await?)?;
    }
    let question = Question::Consent(Consent {
        request: case.asks.clone(),
        candidate: candidate.clone(),
        pin: entry,
        attempt,
        refused,
    });
    match (entry, case.ask(&question).await?) {
        (PinEntry::Window, Answer::Pin(pin)) => Ok(Some(pin)),
        (PinEntry::Window, _) => Err(Error::PromptUnavailable(format!(
            "{} agreed but gave no PIN, which this token needs",
            case.app.prompt.name()
        ))),
        (PinEntry::Pad | PinEntry::None, answer) => yes(case, answer).map(|()| None),
    }
}

fn yes(case: &Case<'_>, answer: Answer) -> Result<(), Error> {
    match answer {
        Answer::Yes => Ok(()),
        Answer::Pin(_) | Answer::Chosen(_) => {
            let name = case.app.prompt.name();
            Err(Error::Internal(format!("the prompt {name} answered another question")))
        }
    }
}

/// How the PIN is given; an error where it is of no use to ask for it.
fn entry(pin: &PinInfo) -> Result<PinEntry, Error> {
    match pin.state {
        PinState::Locked => Err(Error::PinLocked),
        PinState::MustChange => Err(Error::PinMustChange),
        PinState::NotNeeded => Ok(PinEntry::None),
        _ if pin.tries_left == Some(0) => Err(Error::PinLocked),
        _ if pin.pad => Ok(PinEntry::Pad),
        _ => Ok(PinEntry::Window),
    }
}

fn is_last_try(pin: &PinInfo) -> bool {
    pin.state == PinState::FinalTry || pin.tries_left == Some(1)
}

/// What a refusal says where it does not say that the PIN is wrong.
fn refusal(error: &Error) -> Option<Refused> {
    match error {
        Error::PinForm => Some(Refused::Form),
        Error::PinFormat => Some(Refused::Letters),
        Error::PinLength(least, most) => Some(Refused::Length(*least, *most)),
        _ => None,
    }
}

/// The token as it is after a wrong PIN: what the token itself says, and what its refusal said.
async fn after_wrong_pin(case: &Case<'_>, token: &TokenInfo, error: &Error) -> Result<TokenInfo, Error> {
    let mut token = look_again(case.app, case.life, token).await?;
    if let Error::PinIncorrect(Some(left)) = error {
        token.pin.tries_left.get_or_insert(*left);
    }
    Ok(token)
}

/// Nothing leaves that does not verify with the certificate the person agreed to.
fn check(job: &SignJob, signatures: &[Vec<u8>]) -> Result<(), Error> {
    if signatures.len() != job.inputs.len() {
        return Err(Error::SignatureMismatch);
    }
    for (input, signature) in job.inputs.iter().zip(signatures) {
        verify_own(&job.certificate, input.scheme, input.hash, &input.data, signature)?;
    }
    Ok(())
}
