//! What a token is: something that lists certificates and signs after a PIN.
//!
//! A [`Source`] is whatever brings tokens: the software token, one PKCS#11
//! module, the cards in all readers. Sources block and know nothing of async;
//! `worker` gives each its own thread and alone knows both.

use std::fmt;
use std::sync::Arc;

use plugin_protocol::HashFunction;
use plugin_protocol::api::{PinState, SignatureScheme, SourceKind, TokenKind, TokenSummary};
use plugin_protocol::encoding::{base64url, sha256};
use serde::{Deserialize, Serialize};

use self::card::family::Evidence;
use crate::certificate::{Role, is_cv_certificate};
use crate::error::Error;
use crate::pin::Pin;

mod bytes;
pub mod card;
mod closed;
mod discover;
mod listing;
mod notice;
pub mod pkcs11;
pub mod software;
pub mod worker;

pub use closed::{CardKind, Closed, ClosedCard};
pub use discover::{Discovered, discover, discover_at};
pub use listing::Listing;
pub use notice::{Announcer, Inserted, Notice, ReaderInfo, Strange, Stranger};

/// A token's opaque name: the same for the same token in the same place, and tells nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(String);

impl TokenId {
    /// From what tells this token from others: source, serial number, label.
    pub fn new(parts: &[&str]) -> Self {
        let mut text = Vec::new();
        for part in parts {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        Self(base64url(&sha256(&text)[..16]))
    }

    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a token without a PIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// Its opaque name.
    pub id: TokenId,
    /// What holds the key.
    pub kind: TokenKind,
    /// Its label; may hold a person's name, so it never goes to a plugin.
    pub label: String,
    /// The reader's or slot's name.
    pub reader: Option<String>,
    /// Its PIN.
    pub pin: PinInfo,
    /// What all its keys are for, where that is known without reading a certificate: tokens for
    /// something else are not looked at.
    #[serde(default)]
    pub role: Option<Role>,
    /// Counts insertions of cards: what was agreed to of one is not done to the next, which may be another card with
    /// the same name. `None`: of no card that is served here. Known within the agent alone.
    #[serde(skip)]
    pub insertion: Option<u64>,
    /// Whether its card is genuine is not checked, by the configuration's leave: windows warn whoever types a PIN for
    /// it. Known within the agent alone.
    #[serde(skip)]
    pub unproven: bool,
    /// A token for tests.
    pub test: bool,
}

/// What is known of a PIN before it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinInfo {
    /// What the card's documents and its holder's letter call it, "PIN1"; `None` where there is only one.
    #[serde(default)]
    pub name: Option<String>,
    /// Its state.
    pub state: PinState,
    /// Tries left, where the token tells.
    pub tries_left: Option<u8>,
    /// Typed on the reader (CKF_PROTECTED_AUTHENTICATION_PATH).
    pub pad: bool,
    /// Shortest and longest PIN, bytes, where the token tells.
    pub length: Option<(usize, usize)>,
}

impl TokenInfo {
    /// Whether it is the token that `before` was: of the same insertion, where it is on a card.
    pub fn is_still(&self, before: &Self) -> bool {
        self.id == before.id && self.insertion == before.insertion
    }

    /// What a paired plugin may know: no label.
    pub fn summary(&self) -> TokenSummary {
        TokenSummary {
            id: self.id.to_string(),
            kind: self.kind,
            reader: self.reader.clone(),
            pin: self.pin.state,
            tries_left: self.pin.tries_left,
            pin_pad: self.pin.pad,
            test: self.test,
        }
    }
}

/// A certificate with the key that fits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Names the key to its source; opaque to everyone else.
    pub key: String,
    /// The certificate, DER.
    #[serde(with = "bytes")]
    pub certificate: Vec<u8>,
    /// Intermediate certificates the token holds, DER; unordered and unverified.
    #[serde(with = "bytes::list")]
    pub intermediates: Vec<Vec<u8>>,
    /// What the token can make with this key.
    pub mechanisms: Vec<Mechanism>,
    /// What the token itself keeps the key for, where it says so (PIV: 9A, 9C): a key kept for another thing is
    /// used only where none that is kept for this one fits. The certificate's key usage is asked in any case.
    #[serde(skip)]
    pub role: Option<Role>,
}

impl Credential {
    /// Why nothing can be signed with its key, for the person to read; `None` where something can.
    pub fn unusable(&self) -> Option<&'static str> {
        match self.mechanisms.is_empty() {
            true if is_cv_certificate(&self.certificate) => Some("confirms identity by the format uec alone"),
            true => Some(pkcs11::why_unusable(&self.certificate)),
            false => None,
        }
    }
}

/// A signature the token can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mechanism {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// Its hash function.
    pub hash: HashFunction,
    /// The token takes a digest; otherwise it wants the message and hashes itself.
    pub digest: bool,
}

/// What is to be signed, in one consented operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignJob {
    /// [`Credential::key`].
    pub key: String,
    /// The certificate the person agreed to, DER: the source checks that it is still this one.
    #[serde(with = "bytes")]
    pub certificate: Vec<u8>,
    /// One or more, signed in this order after one login.
    pub inputs: Vec<SignInput>,
}

/// One signature to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInput {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// The hash function.
    pub hash: HashFunction,
    /// The bytes.
    pub data: SignData,
}

/// The bytes to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignData {
    /// The whole message: hashed here or on the token.
    Message(#[serde(with = "bytes")] Vec<u8>),
    /// Only a digest is known.
    Digest(#[serde(with = "bytes")] Vec<u8>),
}

/// What can be done about a token's PIN here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Management {
    /// Who knows it can change it.
    pub change: bool,
    /// The code that gives it its tries back, where the person has one.
    pub unblock: Option<UnblockCode>,
}

/// A code that unblocks a PIN, as far as it is known before it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnblockCode {
    /// What the holder's letter calls it: "PUK".
    pub name: String,
    /// Shortest and longest, digits.
    pub length: (usize, usize),
    /// Tries left, where the token tells without spending one.
    pub tries_left: Option<u8>,
}

/// What a card is to prove by its own authentication, for a proof of the format `uec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProveJob {
    /// [`Credential::key`].
    pub key: String,
    /// The certificate the person agreed to, as [`Credential::certificate`] has it: the source checks that it is still
    /// this one.
    pub certificate: Vec<u8>,
    /// The canonical confirmation statement.
    pub statement: Vec<u8>,
}

/// Whether an act with a PIN is still wanted, and why not.
pub type Wanted = Arc<dyn Fn() -> Result<(), Error> + Send + Sync>;

/// Something that brings tokens. Its calls block; each ends by itself within a bound.
pub trait Source: Send {
    /// What `doctor` and the log call it, without a folder.
    fn name(&self) -> &str;

    /// What plugins are told of it when it cannot be asked: nothing of its name.
    fn kind(&self) -> SourceKind;

    /// The tokens present now. Uninitialised ones are left out.
    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error>;

    /// The same, with what else is known of that look: for sources that have more to tell than an error.
    fn listing(&mut self) -> Listing {
        self.tokens().into()
    }

    /// Certificates with their keys, read without a PIN where the token allows it.
    ///
    /// Expired and CA certificates are among them; the use case sorts them out.
    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error>;

    /// Logs in with `pin` (`None`: on the reader's pad, or none is needed), signs every
    /// input, logs out. ECDSA signatures are raw `r || s`, those of GOST
    /// `s || r` as X.509 has them, whatever the token's order is. Never tries a PIN twice.
    fn sign(&mut self, token: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error>;

    /// Told before each call that spends a PIN: one that has to wait for the token asks `wanted` again when it has it.
    fn bind(&mut self, _wanted: Wanted) {}

    /// What can be done about the token's PIN. No try is spent.
    fn management(&mut self, _token: &TokenId) -> Result<Management, Error> {
        Ok(Management::default())
    }

    /// Changes the token's PIN, where it is still of this [`TokenInfo::insertion`]. Spends one try of the old one at most, and none where the new one cannot be taken.
    fn change_pin(&mut self, _token: &TokenId, _insertion: Option<u64>, _old: Pin, _new: Pin) -> Result<(), Error> {
        Err(Error::UnsupportedAlgorithm(
            "its PIN is changed in its own tool".to_owned(),
        ))
    }

    /// Gives the token's PIN a new value and its tries back, where it is still of this [`TokenInfo::insertion`]. Spends
    /// one try of `code` at most: what this says of "the PIN" it says of the code, and
    /// [`worker::Tokens::unblock_pin`] sets that right.
    fn unblock_pin(&mut self, _token: &TokenId, _insertion: Option<u64>, _code: Pin, _new: Pin) -> Result<(), Error> {
        Err(Error::UnsupportedAlgorithm(
            "its PIN is unblocked in its own tool".to_owned(),
        ))
    }

    /// Asked once, before the first question: whether the source tells `announcer` from then on of every change of
    /// its tokens. One that does is not asked again until it told of something; the others are asked every second
    /// while somebody waits for a token.
    fn announce(&mut self, _announcer: Announcer) -> bool {
        false
    }

    /// The readers it looks after, and what is in them, served here or not.
    fn readers(&mut self) -> Result<Vec<ReaderInfo>, Error> {
        Ok(Vec::new())
    }

    /// Has the card authenticate itself over a statement; `pin` as in [`Source::sign`]. What it hands out is not
    /// verified yet.
    fn prove(&mut self, _token: &TokenId, _job: ProveJob, _pin: Option<Pin>) -> Result<Evidence, Error> {
        let why = "only a universal electronic card makes this proof";
        Err(Error::UnsupportedAlgorithm(why.to_owned()))
    }
}

/// Refuses what `mechanisms` do not offer, before a PIN is spent on it.
fn refuse_unsupported(mechanisms: &[Mechanism], inputs: &[SignInput]) -> Result<(), Error> {
    let offered = |input: &&SignInput| {
        let digest = matches!(input.data, SignData::Digest(_));
        let fits = |m: &Mechanism| m.scheme == input.scheme && m.hash == input.hash && (m.digest || !digest);
        mechanisms.iter().any(fits)
    };
    let missing = inputs.iter().find(|input| !offered(input));
    missing.map_or(Ok(()), |input| {
        Err(Error::UnsupportedAlgorithm(format!(
            "{:?} with {:?} is not for this key",
            input.scheme, input.hash
        )))
    })
}
