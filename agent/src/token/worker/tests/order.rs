//! Looks that end in another order than they were answered in.

use super::*;
use crate::token::Listing;

/// Cards that tell what is set from outside.
struct Cards(Arc<Mutex<Listing>>);

impl Source for Cards {
    fn name(&self) -> &str {
        "cards"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pcsc
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        self.listing().tokens
    }

    fn listing(&mut self) -> Listing {
        self.0.lock().unwrap().clone()
    }

    fn credentials(&mut self, _: &TokenId) -> Result<Vec<Credential>, Error> {
        Err(Error::TokenRemoved)
    }

    fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        Err(Error::TokenRemoved)
    }
}

#[tokio::test]
async fn an_older_look_is_not_taken_down_over_a_newer_one() {
    let reader = "Reader 00";
    let modules = TokenInfo {
        reader: Some(reader.to_owned()),
        ..token("module's")
    };
    let (module, open) = Fake::new("module", vec![modules.clone()]).gated();
    let told = Arc::new(Mutex::new(Listing {
        serves: vec![reader.to_owned()],
        ..Listing::default()
    }));
    let tokens = Tokens::new(vec![Box::new(Cards(told.clone())), Box::new(module)]);
    let mut events = tokens.subscribe();

    // One looks at all, and waits for the module when the cards have answered.
    let slow = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.list().await }
    });
    tokio::task::yield_now().await;
    tokens.0.workers[0].ask(|_| Ok(())).await.unwrap();

    // A card comes, the other is gone, and another looks at the cards alone.
    *told.lock().unwrap() = Ok(vec![token("card")]).into();
    tokens.look(|worker| worker.kind == SourceKind::Pcsc).await;
    assert_eq!(events.try_recv().unwrap(), TokenEvent::Added(token("card").id));

    open.send(()).unwrap();
    let listed = slow.await.unwrap();
    assert_eq!(listed, [token("card"), modules], "of both, what was told last");
    assert_eq!(events.try_recv().unwrap(), TokenEvent::Added(token("module's").id));
    assert!(events.try_recv().is_err(), "the card is not told gone");
}
