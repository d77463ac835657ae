//! What one look at a source found.

use super::{Stranger, TokenInfo};
use crate::error::Error;

/// A source's answer to the question for its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The tokens present now, or why the source cannot tell.
    pub tokens: Result<Vec<TokenInfo>, Error>,
    /// Readers whose cards this speaks for: nobody else offers these.
    pub serves: Vec<String>,
    /// A token that is there could not be read, and nothing will tell when it can be: who waits for it asks again.
    pub lacks: bool,
    /// Why a token is not among those there are.
    pub shortfall: Option<Error>,
    /// Cards that are in a reader, and show no token here. Where its reader is not among `serves`, a module may show one:
    /// then nobody is told of the card.
    pub strangers: Vec<Stranger>,
}

impl Default for Listing {
    fn default() -> Self {
        Ok(Vec::new()).into()
    }
}

/// With nothing more to say of it.
impl From<Result<Vec<TokenInfo>, Error>> for Listing {
    fn from(tokens: Result<Vec<TokenInfo>, Error>) -> Self {
        Self {
            tokens,
            serves: Vec::new(),
            lacks: false,
            shortfall: None,
            strangers: Vec::new(),
        }
    }
}
