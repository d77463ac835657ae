//! Cards that are in and of no use, beside tokens.

use std::io::Write;
use std::sync::{Arc, Mutex};

use plugin_protocol::api::SourceKind;

use super::*;
use crate::certificate::Role;
use crate::pin::Pin;
use crate::token::worker::Tokens;
use crate::token::{Credential, Listing, SignJob, Source, Strange, Stranger, TokenId, TokenInfo};

const READER: &str = "Reader 00";

/// A reader with a card of no use.
struct Reader;

impl Source for Reader {
    fn name(&self) -> &str {
        "reader"
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pcsc
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        Ok(Vec::new())
    }

    fn listing(&mut self) -> Listing {
        let stranger = Stranger {
            reader: READER.to_owned(),
            why: Strange::Unserved,
        };
        Listing {
            strangers: vec![stranger],
            ..self.tokens().into()
        }
    }

    fn credentials(&mut self, _: &TokenId) -> Result<Vec<Credential>, Error> {
        Err(Error::TokenRemoved)
    }

    fn sign(&mut self, _: &TokenId, _: SignJob, _: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        Err(Error::TokenRemoved)
    }
}

/// What is logged at the usual level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Another token is in, so none is waited for.
#[tokio::test]
async fn beside_a_token_that_does_not_fit_the_log_tells_of_the_card() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut world = World::new(vec![Held::new("empty", &[])], vec![]);
    let tokens = Tokens::new(vec![Box::new(Reader), world.drawer.source()]);
    Arc::get_mut(&mut world.app).unwrap().tokens = tokens;
    let (error, tries) = refused(&world).await;
    assert_eq!(error, Error::NoneFits("there is none on the token".to_owned()));
    assert!(!error.problem().detail.contains(READER) && tries == 0);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told = log.lines().find(|line| line.contains("no certificate could be taken"));
    assert!(told.is_some_and(|line| line.contains(READER)), "{log}");
}

/// A page learns before consent neither that a card has a PIN for each purpose nor which.
#[tokio::test]
async fn a_token_for_another_purpose_is_counted_in_a_neutral_word() {
    let mut held = token();
    held.info.role = Some(Role::Signing);
    let world = World::new(vec![held], vec![]);
    assert_eq!(
        refused(&world).await.0,
        Error::NoneFits("1 not for this purpose".to_owned())
    );
}
