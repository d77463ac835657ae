//! The terminal's authentication by RSA (uec-secure-messaging.md, 1.6), the same in both versions.

use zeroize::Zeroizing;

use super::super::super::error::CardError;
use super::super::crypto::block::Block;
use super::super::crypto::random;
use super::super::crypto::rsa::{HALF, PrivateKey, PublicKey};
use super::super::kind::Version;
use super::super::messaging::{self, Channel};
use super::gost::start;

/// What goes to the card, and the half that it does not see in clear.
pub(in super::super) struct Pending {
    /// The terminal's signature over the challenge.
    pub(in super::super) signature: Vec<u8>,
    /// The terminal's half, for the card's key.
    pub(in super::super) half: Vec<u8>,
    own: Zeroizing<[u8; HALF]>,
    start: Block,
}

/// Signs the challenge and makes the terminal's half.
pub(in super::super) fn begin(terminal: &PrivateKey, card: &PublicKey, challenge: &[u8]) -> Result<Pending, CardError> {
    let fault = || CardError::Unsupported("the terminal's RSA key does not sign".to_owned());
    let signature = terminal.sign(challenge).ok_or_else(fault)?;
    let own = Zeroizing::new(random::<HALF>()?);
    Ok(Pending {
        half: card.encrypt(own.as_slice())?,
        own,
        start: start(&signature)?,
        signature,
    })
}

impl Pending {
    /// Takes the card's answer: its half, and ours back, which shows that it could read it.
    pub(in super::super) fn complete(
        self,
        version: Version,
        terminal: &PrivateKey,
        answer: &[u8],
    ) -> Result<Channel, CardError> {
        let cards = terminal.open(answer, &self.own).ok_or_else(|| {
            CardError::Malformed(
                "MUTUAL AUTHENTICATE",
                "the card did not come to the same session keys".to_owned(),
            )
        })?;
        Ok(messaging::rsa::channel(version, &self.own, &cards, self.start))
    }
}
