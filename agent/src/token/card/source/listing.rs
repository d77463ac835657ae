//! What is in all readers at one look.

use std::time::Duration;

use super::super::apdu::Link;
use super::super::error::CardError;
use super::super::readers::{Insertion, Pending, Reader};
use super::Cards;
use super::opened::{Opened, Tell};
use crate::error::Error;
use crate::token::{Listing, Strange, Stranger, TokenInfo};

/// A card that is in and yet fails to be read is asked so often: contactless ones may be moved.
pub(super) const ATTEMPTS: usize = 3;
/// And after such a pause, in which it may come to rest.
const PAUSE: Duration = Duration::from_millis(150);

impl Cards {
    /// The tokens on all cards, and the cards that show none.
    ///
    /// Where nothing else is there to be shown, a card that another program keeps is an error: the person would be
    /// asked for a card that is in already.
    pub(super) fn list(&mut self) -> Listing {
        let readers = match self.look() {
            Ok(readers) => readers,
            // Its cards are ours once it is back: no module takes them meanwhile.
            Err(error) => {
                return Listing {
                    serves: self.served.clone(),
                    ..Err(error).into()
                };
            }
        };
        let mut listing = Listing::default();
        let mute = readers.iter().filter(|reader| reader.mute);
        listing.strangers = mute.map(|reader| stranger(&reader.name, Strange::Unread)).collect();
        let mut tokens = Vec::new();
        for (insertion, answer) in self.ask(&readers) {
            match answer {
                Ok(tell) => tokens.extend(self.show(&insertion, tell, &mut listing)),
                Err(error) => self.miss(&insertion, error, &mut listing),
            }
        }
        self.served.clone_from(&listing.serves);
        listing.tokens = match listing.shortfall.take_if(|_| tokens.is_empty()) {
            Some(error) => Err(error),
            None => Ok(tokens),
        };
        listing
    }

    /// The tokens on a card that told of itself.
    fn show(&mut self, insertion: &Insertion, tell: Tell, listing: &mut Listing) -> Vec<TokenInfo> {
        if tell.serves {
            listing.serves.push(insertion.reader.clone());
        }
        let told = tell.strange.map(|why| stranger(&insertion.reader, why));
        listing.strangers.extend(told);
        let tokens = tell.tokens(insertion);
        for (slot, info) in tokens.iter().enumerate() {
            self.shown.insert(info.id.clone(), (insertion.clone(), slot));
        }
        tokens
    }

    /// Takes down that a card could not be read.
    fn miss(&self, insertion: &Insertion, error: CardError, listing: &mut Listing) {
        tracing::info!(reader = insertion.reader, %error, "a card was not read");
        let (held, hung) = (self.readers.holds(insertion), self.hangs(insertion));
        // A script that does not end has all that is known of it: then it may be ours.
        let opened = self.opened.get(insertion).and_then(|opened| opened.try_lock().ok());
        let left = opened.as_ref().and_then(|opened| opened.left_alone());
        if let Some(why) = left.filter(|_| !hung) {
            // The other program may well be our own, with the module that shows it: it is told of as it was.
            listing.strangers.extend(held.then(|| stranger(&insertion.reader, why)));
            return;
        }
        if left.is_none() && opened.is_none_or(|mut opened| opened.keeps(&error)) {
            listing.serves.push(insertion.reader.clone());
        }
        // A reader that hangs tells when it does no more; a card that is slow alone has nobody to tell.
        listing.lacks |= held && !hung;
        if held {
            listing
                .strangers
                .push(stranger(&insertion.reader, unread(&error, hung)));
        }
        if error != CardError::Removed {
            listing.shortfall = Some(Error::from(error));
        }
    }

    /// What is known of a card that is others' beyond doubt.
    fn settled(&self, insertion: &Insertion) -> Option<Tell> {
        let opened = self.opened.get(insertion)?.try_lock().ok()?;
        opened.settled()
    }

    /// Asks every card for its PINs, all readers at the same time; a card that is in and fails is asked again, and one
    /// that is known to be others' is not asked at all.
    fn ask(&mut self, readers: &[Reader]) -> Vec<(Insertion, Result<Tell, CardError>)> {
        let (mut told, mut left) = (Vec::new(), Vec::new());
        let answering = readers.iter().filter(|reader| !reader.mute);
        for insertion in answering.filter_map(|reader| reader.card.clone()) {
            match self.settled(&insertion) {
                Some(tell) => told.push((insertion, Ok(tell))),
                None => left.push(insertion),
            }
        }
        for attempt in 1..=ATTEMPTS {
            if attempt > 1 && !left.is_empty() {
                std::thread::sleep(PAUSE);
            }
            let asked: Vec<_> = left
                .drain(..)
                .map(|insertion| {
                    let marks = self.marks.clone();
                    let tell = move |opened: &mut Opened, link: &mut Link<'_>| opened.tell(&marks, link);
                    let bounds = (self.patience)(&insertion.reader).reading;
                    (self.put(&insertion, bounds, tell), insertion)
                })
                .collect();
            for (pending, insertion) in asked {
                match pending.and_then(Pending::wait) {
                    Err(CardError::Removed) if attempt < ATTEMPTS && self.readers.holds(&insertion) => {
                        left.push(insertion);
                    }
                    answer => told.push((insertion, answer)),
                }
            }
        }
        // In the readers' order, whoever answered first: what is the same as before shall look the same.
        told.sort_by(|(one, _), (other, _)| one.cmp(other));
        told
    }
}

/// Why a card that is in was not read, as the person is told while a token is waited for.
///
/// A card that talks past its time is silent too, and its reader is sound: nobody is to pull that one out.
fn unread(error: &CardError, hung: bool) -> Strange {
    match error {
        CardError::InUse => Strange::InUse,
        CardError::Silent(_) if hung => Strange::Hung,
        _ => Strange::Unread,
    }
}

fn stranger(reader: &str, why: Strange) -> Stranger {
    Stranger {
        reader: reader.to_owned(),
        why,
    }
}
