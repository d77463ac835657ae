//! Sources that announce their changes are asked when they did.

use super::*;
use crate::token::Announcer;

/// A source that announces its changes, as the cards do; it counts how often it is asked.
struct Announcing {
    tokens: Arc<Mutex<Result<Vec<TokenInfo>, Error>>>,
    announcer: Arc<Mutex<Option<Announcer>>>,
    asked: Arc<AtomicUsize>,
}

impl Source for Announcing {
    fn name(&self) -> &str {
        "announcing"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pcsc
    }

    fn announce(&mut self, announcer: Announcer) -> bool {
        *self.announcer.lock().unwrap() = Some(announcer);
        true
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.tokens.lock().unwrap().clone()
    }

    fn credentials(&mut self, _: &TokenId) -> Result<Vec<Credential>, Error> {
        Ok(Vec::new())
    }

    fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        Ok(Vec::new())
    }
}

impl Announcing {
    fn new(tokens: Result<Vec<TokenInfo>, Error>) -> Self {
        Self {
            tokens: Arc::new(Mutex::new(tokens)),
            announcer: Arc::default(),
            asked: Arc::default(),
        }
    }
}

/// Returns when a source was asked so often.
async fn until_asked(asked: &AtomicUsize, times: usize) {
    let reached = async {
        while asked.load(Ordering::SeqCst) < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.unwrap();
}

#[tokio::test]
async fn a_source_that_announces_is_asked_when_it_did_and_not_before() {
    let source = Announcing::new(Ok(vec![token("a")]));
    let (state, announcer, asked) = (source.tokens.clone(), source.announcer.clone(), source.asked.clone());
    let tokens = Tokens::new(vec![Box::new(source)]);
    let mut events = tokens.subscribe();
    assert_eq!(tokens.list().await.len(), 1);
    assert_eq!(events.recv().await.unwrap(), TokenEvent::Added(token("a").id));

    // Two wait, whoever of them looks.
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.changed(&[token("a").id]).await })
        })
        .collect();
    tokio::time::sleep(WHILE).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nothing polls");

    // A notice that changes no token ends no wait.
    let announce = announcer.lock().unwrap().clone().unwrap();
    let notice = Notice::ReaderAdded("r".to_owned());
    announce(notice.clone());
    assert_eq!(events.recv().await.unwrap(), TokenEvent::Noticed(notice));
    until_asked(&asked, 2).await;
    tokio::time::sleep(WHILE).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once for both");
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));

    *state.lock().unwrap() = Ok(Vec::new());
    announce(Notice::Changed);
    for waiting in waiting {
        tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_announcing_source_that_failed_is_tried_again_while_somebody_waits() {
    let source = Announcing::new(Err(Error::ReaderService("not there".to_owned())));
    let (state, asked) = (source.tokens.clone(), source.asked.clone());
    let tokens = Tokens::new(vec![Box::new(source)]);
    tokens.list().await;
    tokio::time::sleep(WHILE).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nobody waits");
    let waiting = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.changed(&[]).await }
    });
    until_asked(&asked, 3).await;
    assert!(!waiting.is_finished());
    *state.lock().unwrap() = Ok(vec![token("a")]);
    tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_announced_to_someone_who_went_is_still_news() {
    let source = Announcing::new(Ok(vec![token("a")]));
    let (state, announcer, asked) = (source.tokens.clone(), source.announcer.clone(), source.asked.clone());
    let tokens = Tokens::new(vec![Box::new(source)]);
    tokens.list().await;
    let wait = || {
        let tokens = tokens.clone();
        tokio::spawn(async move { tokens.changed(&[token("a").id]).await })
    };
    // One looks, and goes before the source has answered.
    let going = wait();
    let slow = tokio::task::spawn_blocking({
        let (state, asked) = (state.clone(), asked.clone());
        move || {
            let mut state = state.lock().unwrap();
            announcer.lock().unwrap().clone().unwrap()(Notice::Changed);
            let began = std::time::Instant::now();
            while asked.load(Ordering::SeqCst) < 2 {
                assert!(began.elapsed() < PATIENCE, "it is not asked");
                std::thread::sleep(Duration::from_millis(1));
            }
            going.abort();
            while !going.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            *state = Ok(Vec::new());
        }
    });
    slow.await.unwrap();
    tokio::time::timeout(PATIENCE, wait())
        .await
        .expect("the change is seen")
        .unwrap();
}
