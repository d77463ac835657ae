//! Questions in line whose asker goes, or whose thread does.

use super::*;

#[tokio::test]
async fn a_pin_that_is_given_up_in_line_is_gone_at_once() {
    let (fake, open) = Fake::new("one", vec![token("a")]).gated();
    let tokens = Tokens::new(vec![Box::new(fake)]);
    open.send(()).unwrap();
    tokens.list().await;

    // The thread is held by a look; a signature waits behind it, with its PIN and what says whether it is wanted.
    let look = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.list().await }
    });
    tokio::task::yield_now().await;
    let with_the_pin = Arc::new(());
    let kept = Arc::downgrade(&with_the_pin);
    let wanted = move || {
        drop(with_the_pin.clone());
        Ok(())
    };
    let id = token("a").id;
    let mut signing = Box::pin(tokens.sign(&id, job(), pin("0000"), wanted));
    let waits = tokio::time::timeout(Duration::from_millis(20), &mut signing).await;
    assert!(waits.is_err());
    assert_eq!(kept.strong_count(), 1, "it is in line");
    drop(signing);
    assert_eq!(kept.strong_count(), 0, "the thread is held still, and the PIN is gone");

    open.send(()).unwrap();
    assert_eq!(look.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_question_behind_one_that_ends_the_thread_is_answered() {
    let (fake, open) = Fake::new("one", vec![token("a")]).gated();
    let tokens = Tokens::new(vec![Box::new(fake)]);
    let listings = async { tokio::join!(tokens.listing(), tokens.listing()) };
    // Both are in line when the gate goes, at which the source panics.
    let end = async { drop(open) };
    let (listings, ()) = tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(listings, end) })
        .await
        .expect("nobody waits for a thread that is gone");
    for mut listing in [listings.0, listings.1] {
        let tokens = listing.remove(0).tokens;
        assert!(
            matches!(&tokens, Err(Error::Internal(why)) if why.contains("one")),
            "{tokens:?}"
        );
    }
}
