#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use plugin_protocol::api::{PinState, SourceKind, TokenKind};

use super::wait::LOOK;
use super::*;
use crate::pin::Pin;
use crate::token::{PinInfo, SignJob};

mod announcing;
mod given_up;
mod listing;
mod order;

/// Several times what a source that does not announce is asked in.
const WHILE: Duration = LOOK.saturating_mul(10);

/// Events come within milliseconds; a machine under load is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A source in memory: its tokens are set from outside, its calls may be held up.
struct Fake {
    name: &'static str,
    tokens: Arc<Mutex<Result<Vec<TokenInfo>, Error>>>,
    signed: Arc<AtomicUsize>,
    /// `tokens` and `sign` wait for one message each, where there is a gate.
    gate: Option<Receiver<()>>,
}

fn token(name: &str) -> TokenInfo {
    TokenInfo {
        id: TokenId::new(&[name]),
        kind: TokenKind::Software,
        label: name.to_owned(),
        reader: None,
        pin: PinInfo {
            name: None,
            state: PinState::Ok,
            tries_left: None,
            pad: false,
            length: None,
        },
        role: None,
        insertion: None,
        unproven: false,
        test: true,
    }
}

impl Fake {
    fn new(name: &'static str, tokens: Vec<TokenInfo>) -> Self {
        Self {
            name,
            tokens: Arc::new(Mutex::new(Ok(tokens))),
            signed: Arc::default(),
            gate: None,
        }
    }

    fn gated(mut self) -> (Self, Sender<()>) {
        let (open, gate) = channel();
        self.gate = Some(gate);
        (self, open)
    }

    fn wait(&self) {
        if let Some(gate) = &self.gate {
            gate.recv().unwrap();
        }
    }
}

impl Source for Fake {
    fn name(&self) -> &str {
        self.name
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pkcs11
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        self.wait();
        self.tokens.lock().unwrap().clone()
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        Err(Error::NoCertificate(format!("{} has none on {token}", self.name)))
    }

    fn sign(&mut self, _: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        self.wait();
        self.signed.fetch_add(1, Ordering::SeqCst);
        match pin {
            Some(pin) if pin.expose() == b"1234" => Ok(vec![job.certificate]),
            _ => Err(Error::PinIncorrect(Some(2))),
        }
    }
}

fn job() -> SignJob {
    SignJob {
        key: "k".to_owned(),
        certificate: vec![1, 2, 3],
        inputs: Vec::new(),
    }
}

fn pin(text: &str) -> Option<Pin> {
    Some(Pin::new(text.to_owned()))
}

/// The signature is still wanted.
fn still() -> Result<(), Error> {
    Ok(())
}

#[tokio::test]
async fn a_token_is_asked_of_the_source_that_showed_it() {
    let tokens = Tokens::new(vec![
        Box::new(Fake::new("one", vec![token("a")])),
        Box::new(Fake::new("two", vec![token("b")])),
    ]);
    assert_eq!(tokens.list().await, vec![token("a"), token("b")]);
    let error = tokens.credentials(&token("b").id).await.unwrap_err();
    assert!(error.to_string().contains("two has none"), "{error}");
    assert_eq!(
        tokens.sign(&token("a").id, job(), pin("1234"), still).await,
        Ok(vec![vec![1, 2, 3]])
    );
    assert_eq!(
        tokens.sign(&token("a").id, job(), pin("9999"), still).await,
        Err(Error::PinIncorrect(Some(2)))
    );
}

#[tokio::test]
async fn an_unknown_token_is_looked_for_once_and_then_gone() {
    let tokens = Tokens::new(vec![Box::new(Fake::new("one", vec![token("a")]))]);
    assert_eq!(tokens.credentials(&token("z").id).await, Err(Error::TokenRemoved));
    // The look found the token that is there.
    assert!(tokens.showed(&token("a").id).is_some());
}

#[tokio::test]
async fn a_failing_source_costs_only_its_own_tokens_and_is_told_of() {
    let broken = Fake::new("broken", Vec::new());
    let state = broken.tokens.clone();
    *state.lock().unwrap() = Err(Error::ModuleFailed("broken".to_owned(), "crashed".to_owned()));
    let tokens = Tokens::new(vec![Box::new(broken), Box::new(Fake::new("fine", vec![token("a")]))]);
    let mut events = tokens.subscribe();

    assert_eq!(tokens.list().await, vec![token("a")]);
    let failed = |suspended| TokenEvent::WorkerFailed {
        module: "broken".to_owned(),
        suspended,
    };
    assert_eq!(events.try_recv().unwrap(), failed(false));
    assert_eq!(events.try_recv().unwrap(), TokenEvent::Added(token("a").id));

    // A rest is told of once, however often it is met.
    *state.lock().unwrap() = Err(Error::ModuleUnavailable("broken".to_owned(), Duration::from_secs(9)));
    tokens.list().await;
    tokens.list().await;
    assert_eq!(events.try_recv().unwrap(), failed(true));
    assert!(events.try_recv().is_err());
}

#[tokio::test]
async fn sources_are_asked_at_the_same_time() {
    // Each source opens the other's gate only after it was asked itself: asked in turn, this would hang.
    let (first, open_first) = Fake::new("first", vec![token("a")]).gated();
    let (second, open_second) = Fake::new("second", vec![token("b")]).gated();
    let tokens = Tokens::new(vec![Box::new(first), Box::new(second)]);
    let listing = tokens.listing();
    let open = async {
        open_second.send(()).unwrap();
        open_first.send(()).unwrap();
    };
    let (listing, ()) = tokio::join!(listing, open);
    assert_eq!(listing.len(), 2);
    assert!(listing.iter().all(|listed| listed.tokens.is_ok()));
}

#[tokio::test]
async fn a_caller_that_went_before_its_turn_spends_no_try() {
    let (fake, open) = Fake::new("one", vec![token("a")]).gated();
    let signed = fake.signed.clone();
    let tokens = Tokens::new(vec![Box::new(fake)]);
    open.send(()).unwrap();
    tokens.list().await;

    // The thread is held by a look; a signature waits behind it and is given up.
    let look = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.list().await }
    });
    tokio::task::yield_now().await;
    let id = token("a").id;
    let given_up = tokio::time::timeout(Duration::from_millis(20), tokens.sign(&id, job(), pin("0000"), still));
    assert!(given_up.await.is_err());
    open.send(()).unwrap();
    look.await.unwrap();

    // The next signature is the only one that reached the token.
    open.send(()).unwrap();
    tokens.sign(&token("a").id, job(), pin("1234"), still).await.unwrap();
    assert_eq!(signed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_operation_that_ended_before_its_turn_spends_no_try() {
    let fake = Fake::new("one", vec![token("a")]);
    let signed = fake.signed.clone();
    let tokens = Tokens::new(vec![Box::new(fake)]);
    let ended = || Err(Error::Expired);
    let answer = tokens.sign(&token("a").id, job(), pin("1234"), ended).await;
    assert_eq!(answer, Err(Error::Expired));
    assert_eq!(signed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn changed_returns_when_the_set_differs() {
    let fake = Fake::new("one", vec![token("a")]);
    let state = fake.tokens.clone();
    let tokens = Tokens::new(vec![Box::new(fake)]);
    // Differs at once.
    tokens.changed(&[]).await;
    let seen = [token("a").id];
    let change = async {
        *state.lock().unwrap() = Ok(vec![token("a"), token("b")]);
    };
    tokio::join!(tokens.changed(&seen), change);
    assert_eq!(tokens.list().await.len(), 2);
}

#[tokio::test]
async fn a_source_that_panics_is_an_error_not_a_hang() {
    struct Panics;
    impl Source for Panics {
        fn name(&self) -> &str {
            "panics"
        }
        fn kind(&self) -> SourceKind {
            SourceKind::Software
        }
        fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
            panic!("a fault in a source")
        }
        fn credentials(&mut self, _: &TokenId) -> Result<Vec<Credential>, Error> {
            Ok(Vec::new())
        }
        fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
            Ok(Vec::new())
        }
    }
    let tokens = Tokens::new(vec![Box::new(Panics)]);
    for _ in 0..2 {
        let listing = tokens.listing().await;
        assert!(matches!(&listing[0].tokens, Err(Error::Internal(why)) if why.contains("panics")));
    }
}
