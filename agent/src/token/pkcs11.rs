//! Tokens behind a PKCS#11 module, which runs in a process of its own.
//!
//! Parent: [`Pkcs11`] is the source; `client` asks the child over a pipe with a deadline;
//! `breaker` lets a module rest that fails again and again; `order` learns how a token
//! orders the numbers of GOST signatures; [`discover`] finds modules.
//! Child: [`child::main`] loads the module and answers; `module`, `objects`, `sign`,
//! `mechanism` and `gost` are what it knows of PKCS#11, `raw` the only `unsafe`. `frame` is
//! what both sides speak.

use std::ffi::OsString;
use std::time::Instant;

use plugin_protocol::api::{SourceKind, TokenKind};

use self::breaker::Breaker;
use self::client::Connection;
pub use self::client::{Deadlines, Program};
use self::discover::ModulePath;
use self::frame::{Answer, Failure, Request, Response};
pub(super) use self::mechanism::{digest_info, why_unusable};
use self::order::Orders;
use super::{Credential, SignJob, Source, TokenId, TokenInfo};
use crate::error::Error;
use crate::pin::Pin;

mod breaker;
pub mod child;
mod ckr;
mod client;
pub mod discover;
mod frame;
mod gost;
mod key_name;
mod mechanism;
mod module;
mod objects;
mod order;
mod public_key;
mod raw;
mod sign;

/// The longest label or reader name passed on, characters.
const NAME: usize = 64;
/// The longest reason of a failure passed on, characters.
const REASON: usize = 200;

/// How a module is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The program that becomes the child.
    pub program: Program,
    /// How long its answers may take.
    pub deadlines: Deadlines,
    /// Variables set for the child beside those it inherits.
    pub environment: Vec<(OsString, OsString)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            program: Program::this(),
            deadlines: Deadlines::default(),
            environment: Vec::new(),
        }
    }
}

/// One module as a source of tokens. Its process starts with the first question.
pub struct Pkcs11 {
    name: String,
    path: ModulePath,
    options: Options,
    breaker: Breaker,
    connection: Option<Connection>,
    orders: Orders,
}

impl Pkcs11 {
    /// Nothing is started here.
    pub fn new(path: ModulePath, options: Options) -> Self {
        Self::named(path.file_name(), path, options)
    }

    /// The same under another name than its file's.
    pub fn named(name: String, path: ModulePath, options: Options) -> Self {
        Self {
            name,
            path,
            options,
            breaker: Breaker::default(),
            connection: None,
            orders: Orders::default(),
        }
    }

    /// Asks the child, starting one if there is none; a child that failed is not asked again.
    fn call(&mut self, request: &Request, pin: Option<Pin>, deadline: std::time::Duration) -> Result<Answer, Error> {
        let rest = |wait| Error::ModuleUnavailable(self.name.clone(), wait);
        self.breaker.allow(Instant::now()).map_err(rest)?;
        let response = self
            .connected()
            .and_then(|connection| connection.call(request, pin, deadline));
        match response {
            Ok(Err(Failure::Module(what))) | Err(what) => Err(self.failed(&what)),
            Ok(response) => {
                self.breaker.succeeded();
                self.answer(response)
            }
        }
    }

    fn connected(&mut self) -> Result<&mut Connection, String> {
        let Options {
            program,
            deadlines,
            environment,
        } = &self.options;
        if self.connection.as_mut().is_none_or(Connection::has_ended) {
            self.connection = None;
            self.path.check_again()?;
            let connection = Connection::start(program, self.path.as_path(), environment, deadlines.start)?;
            tracing::debug!(module = self.name, "module process started");
            self.connection = Some(connection);
        }
        self.connection.as_mut().ok_or_else(|| "has no process".to_owned())
    }

    fn failed(&mut self, what: &str) -> Error {
        let what = clean(what, REASON);
        tracing::warn!(module = self.name, what, "module failed");
        self.connection = None;
        self.breaker.failed(Instant::now());
        Error::ModuleFailed(self.name.clone(), what)
    }

    fn answer(&self, response: Response) -> Result<Answer, Error> {
        response.map_err(|failure| match failure {
            Failure::Cancelled => Error::Cancelled,
            Failure::Module(what) => Error::ModuleFailed(self.name.clone(), clean(&what, REASON)),
            Failure::NoCertificate(why) => Error::NoCertificate(clean(&why, REASON)),
            Failure::PinIncorrect(tries_left) => Error::PinIncorrect(tries_left),
            Failure::PinLength(min, max) => Error::PinLength(min, max),
            Failure::PinLocked => Error::PinLocked,
            Failure::PinMustChange => Error::PinMustChange,
            Failure::PinMissing => Error::Internal("the token wants a PIN and was given none".to_owned()),
            Failure::TokenRemoved => Error::TokenRemoved,
            Failure::Unsupported(what) => Error::UnsupportedAlgorithm(clean(&what, REASON)),
        })
    }

    /// An answer to another question than was asked.
    fn mixed_up(&mut self) -> Error {
        self.failed("answered another question")
    }
}

impl Source for Pkcs11 {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Pkcs11
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        match self.call(&Request::Tokens, None, self.options.deadlines.list)? {
            Answer::Tokens(tokens) => Ok(tokens.into_iter().map(cleaned).collect()),
            _ => Err(self.mixed_up()),
        }
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        match self.call(&Request::Credentials(token.clone()), None, self.options.deadlines.list)? {
            Answer::Credentials(credentials) => Ok(credentials),
            _ => Err(self.mixed_up()),
        }
    }

    fn sign(&mut self, token: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        let deadlines = self.options.deadlines;
        let deadline = if pin.is_some() { deadlines.sign } else { deadlines.pad };
        let request = Request::Sign {
            token: token.clone(),
            job: job.clone(),
            pin: pin.is_some(),
        };
        match self.call(&request, pin, deadline)? {
            Answer::Signatures(signatures) if signatures.len() == job.inputs.len() => {
                self.orders.settle(token, &job, signatures)
            }
            _ => Err(self.mixed_up()),
        }
    }
}

/// What a module's process says of a token, as far as it is believed: no control characters,
/// no endless names, and no claim to be another kind of token or one for tests.
fn cleaned(mut token: TokenInfo) -> TokenInfo {
    token.label = clean(&token.label, NAME);
    token.reader = token.reader.map(|reader| clean(&reader, NAME));
    token.kind = TokenKind::Pkcs11;
    token.test = false;
    token
}

fn clean(text: &str, limit: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(limit).collect()
}

#[cfg(test)]
mod tests;
