//! What sources tell of a look beside their tokens.

use super::*;
use crate::token::{Listing, Strange, Stranger};

/// Cards that are told of so.
struct Told(Listing);

impl Source for Told {
    fn name(&self) -> &str {
        "told"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pcsc
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        self.listing().tokens
    }

    fn listing(&mut self) -> Listing {
        self.0.clone()
    }

    fn credentials(&mut self, _: &TokenId) -> Result<Vec<Credential>, Error> {
        Err(Error::TokenRemoved)
    }

    fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        Err(Error::TokenRemoved)
    }
}

#[tokio::test]
async fn a_list_that_falls_short_says_of_what_beside_what_it_has() {
    let short = Listing {
        shortfall: Some(Error::CardInUse),
        ..Ok(vec![token("one")]).into()
    };
    let tokens = Tokens::new(vec![Box::new(Told(short))]);
    let listed = tokens.listing().await.remove(0);
    assert_eq!(listed.tokens.map(|tokens| tokens.len()), Ok(1));
    assert_eq!(listed.shortfall, Some(Error::CardInUse));
}

/// A card that the cards' wing does not know, a module may serve all the same.
#[tokio::test]
async fn a_card_that_a_module_shows_is_no_stranger() {
    let mut shown = token("one");
    shown.reader = Some("Reader 01".to_owned());
    let module = Fake::new("module", vec![shown]);
    let shows = module.tokens.clone();
    let stranger = |reader: &str| Stranger {
        reader: reader.to_owned(),
        why: Strange::Unserved,
    };
    let cards = Listing {
        strangers: ["Reader 00", "Reader 01"].map(stranger).to_vec(),
        ..Listing::default()
    };
    let tokens = Tokens::new(vec![Box::new(Told(cards)), Box::new(module)]);
    let readers = |tokens: &Tokens| {
        tokens
            .strangers()
            .into_iter()
            .map(|stranger| stranger.reader)
            .collect::<Vec<_>>()
    };
    assert!(readers(&tokens).is_empty(), "nobody looked yet");
    tokens.list().await;
    assert_eq!(readers(&tokens), ["Reader 00"]);
    // Who knows of it waits for something else; who does not, does not wait.
    let seen = [token("one").id];
    tokens.appeared(&seen, &[]).await;
    let known = tokens.strangers();
    let waits = tokens.appeared(&seen, &known);
    assert!(tokio::time::timeout(WHILE, waits).await.is_err());
    // The module shows it no longer where it fails: who knew of the other waits no longer.
    *shows.lock().unwrap() = Err(Error::ModuleFailed("module".to_owned(), "it ended".to_owned()));
    tokens.list().await;
    assert_eq!(readers(&tokens), ["Reader 00", "Reader 01"]);
    let waits = tokens.appeared(&[], &known);
    tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap();
}

#[tokio::test]
async fn a_card_that_is_served_here_is_not_offered_by_a_module_as_well() {
    let long = "A reader whose name is longer than the sixty-four bytes of a slot's description 00 00";
    let at = |name: &str, reader: &str| TokenInfo {
        reader: Some(reader.to_owned()),
        ..token(name)
    };
    let cards = Listing {
        serves: vec!["Reader 00".to_owned(), long.to_owned()],
        ..Ok(vec![at("card", "Reader 00")]).into()
    };
    let module = Fake::new(
        "module",
        vec![
            at("same", "Reader 00   "),
            at("cut", &long[..64]),
            at("other", "Reader 001"),
            token("none"),
        ],
    );
    let tokens = Tokens::new(vec![Box::new(module), Box::new(Told(cards))]);
    let ids: Vec<TokenId> = tokens.list().await.into_iter().map(|token| token.id).collect();
    assert_eq!(ids, ["other", "none", "card"].map(|name| token(name).id));
    let error = tokens.sign(&token("same").id, job(), pin("1234"), still).await;
    assert_eq!(error, Err(Error::TokenRemoved), "nobody reaches it");
}
