//! The terminal's authentication by GOST (uec-secure-messaging.md, 1.4 and 1.5).

use gost3410::{PublicKey, SecretKey};
use subtle::ConstantTimeEq;

use super::super::super::error::CardError;
use super::super::crypto::block::Block;
use super::super::crypto::gost::{compressed, ecdh, vko};
use super::super::kind::Version;
use super::super::messaging::Channel;
use super::super::messaging::gost::Keys;

/// Keys that the card has not shown to have yet.
pub(in super::super) struct Pending {
    keys: Keys,
    expected: [u8; 4],
    start: Block,
}

impl Pending {
    /// Takes the card's four bytes: they show that it came to the same keys, so that it has its own.
    pub(in super::super) fn complete(self, answer: &[u8]) -> Result<Channel, CardError> {
        match bool::from(self.expected.as_slice().ct_eq(answer)) {
            true => Ok(self.keys.channel(self.start)),
            false => Err(CardError::Malformed(
                "MUTUAL AUTHENTICATE",
                "the card did not come to the same session keys".to_owned(),
            )),
        }
    }
}

/// v1.1: the two static keys, diversified by both random numbers. `signature` is the terminal's over
/// `random || challenge`.
pub(in super::super) fn v11(
    terminal: &SecretKey,
    card: &PublicKey,
    random: &[u8],
    challenge: &[u8],
    signature: &[u8],
) -> Result<Pending, CardError> {
    let agreed = vko(terminal, card, &[random, challenge].concat()).map_err(no_agreement)?;
    let keys = Keys::derive(Version::V11, &agreed);
    Ok(Pending {
        expected: keys.imit(random),
        keys,
        start: start(signature)?,
    })
}

/// v1.0: an ephemeral key of the terminal and the card's static one. `signature` is the terminal's over
/// `challenge[..8] || Compress(Q_e)`.
pub(in super::super) fn v10(ephemeral: &SecretKey, card: &PublicKey, signature: &[u8]) -> Result<Pending, CardError> {
    let agreed = ecdh(ephemeral, card).map_err(no_agreement)?;
    let keys = Keys::derive(Version::V10, &agreed);
    let confirmed = [&compressed(ephemeral.public_key())[..], &[0x80]].concat();
    Ok(Pending {
        expected: keys.imit(&confirmed),
        keys,
        start: start(signature)?,
    })
}

/// SSC0: the first eight bytes of the signature, whatever its byte order.
pub(in super::super) fn start(signature: &[u8]) -> Result<Block, CardError> {
    let short = || CardError::Unsupported("the terminal's signature is shorter than a counter".to_owned());
    signature.first_chunk::<8>().copied().ok_or_else(short)
}

fn no_agreement(error: gost3410::Error) -> CardError {
    CardError::Malformed("the card's key for sessions", error.to_string())
}
