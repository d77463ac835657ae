//! A terminal: who the agent is to a card. Its certificates and its key are the deployer's, named in `[uec]`.

use std::fmt;

use gost3410::SecretKey;
use time::Date;
use zeroize::Zeroizing;

use super::assumed::{TERMINAL_FLAGS_V10, TERMINAL_FLAGS_V11};
use super::crypto::rsa::PrivateKey;
use super::cvc::{Certificate, Holder, Key};
use super::fci::Application;
use super::kind::{Suite, Version};
use crate::config::{TerminalConfig, UecConfig};

mod files;
pub(super) mod gost;
pub(super) mod rsa;

/// What a terminal proves itself with.
pub(super) enum TerminalKey {
    /// GOST R 34.10-2001.
    Gost(Box<SecretKey>),
    /// RSA.
    Rsa(PrivateKey),
}

/// One terminal of one version and suite.
pub(super) struct Terminal {
    /// Ca.id, which the card verifies first.
    pub(super) operator: Certificate,
    /// Cifd.id.
    pub(super) certificate: Certificate,
    /// Of `certificate`.
    pub(super) key: TerminalKey,
    /// TermInfo, tag 9F1C: sixteen bytes with v1.1, twelve with v1.0.
    pub(super) information: Vec<u8>,
}

/// A file of `[uec]` that cannot be used: the configuration's line, the file, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The terminals and roots that the configuration names, read once.
#[derive(Default)]
pub struct Terminals {
    terminals: Vec<Terminal>,
    roots: Vec<Certificate>,
    /// `roots = []` stands in the configuration.
    without_roots: bool,
    mistakes: Vec<Mistake>,
}

impl Terminals {
    /// Reads the files. One that cannot be used is left out, with what is wrong with it.
    pub fn load(config: &UecConfig) -> Self {
        let mut loaded = Self {
            without_roots: config.roots.as_ref().is_some_and(Vec::is_empty),
            ..Self::default()
        };
        for named in &config.terminals {
            match terminal(named) {
                Ok(terminal) => loaded.terminals.push(terminal),
                Err(mistake) => loaded.mistakes.push(mistake),
            }
        }
        for root in config.roots.iter().flatten() {
            match files::certificate(root, Holder::Authority) {
                Ok(root) => loaded.roots.push(root),
                Err(mistake) => loaded.mistakes.push(mistake),
            }
        }
        loaded
    }

    /// What is wrong with the files.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// What there is, for `doctor`: a line each.
    pub fn describe(&self) -> Vec<String> {
        let kind = |certificate: &Certificate| {
            let Certificate {
                version,
                suite,
                expires,
                ..
            } = certificate;
            format!("version {}, {}, valid until {expires}", version.name(), suite.name())
        };
        let terminals = self.terminals.iter().map(|terminal| {
            let (_, version) = terminal.operator.authority_key;
            format!("terminal: {}, authority's key {version}", kind(&terminal.certificate))
        });
        terminals
            .chain(self.roots.iter().map(|root| format!("root: {}", kind(root))))
            .collect()
    }

    /// Terminals whose certificates have run out on this day, for `doctor`: a sentence each.
    pub fn expired(&self, day: Date) -> Vec<String> {
        let expired = self.terminals.iter().filter_map(|terminal| terminal.expired(day));
        expired
            .map(|(holder, day)| format!("the certificate of {holder} has run out on {day}: a card may refuse it"))
            .collect()
    }

    /// The certificates of authorities.
    pub(super) fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    /// Whether the deployer wrote that there are no roots. One that cannot be read does not say so, nor does no line.
    pub(super) fn without_roots(&self) -> bool {
        self.without_roots
    }

    /// What a person risks with these roots, where they risk something, or why no PIN is asked for; a sentence.
    pub fn warning(&self) -> Option<&'static str> {
        match (self.terminals.is_empty(), self.roots.is_empty(), self.without_roots) {
            (true, ..) | (_, false, _) => None,
            (_, _, true) => {
                Some("roots = []: whether a card is genuine is not checked, and a forged one may be given the PIN")
            }
            (_, _, false) => Some("no root is configured: no PIN of a universal card is asked for"),
        }
    }

    /// Which of them a card takes, by its number; or why none.
    ///
    /// Of several that fit, the first whose certificates are valid on the day. One that has expired is tried where there is
    /// no other: what a card without a clock takes of it is the card's own to say.
    pub(super) fn fitting(&self, application: &Application, day: Date) -> Result<usize, NoTerminal> {
        if self.terminals.is_empty() {
            return Err(NoTerminal::Configured);
        }
        let fits = |suite: Suite, terminal: &Terminal| {
            terminal.certificate.suite == suite
                && terminal.certificate.version == application.version
                && application.auc.has(suite)
                && terminal.flags() & suite.flag() != 0
                && (application.version == Version::V10
                    || terminal.operator.authority_key == (suite.ca_key(), application.authority_key))
        };
        let of = |suite| {
            let numbered = self.terminals.iter().enumerate();
            let mut fitting = numbered.filter(move |(_, terminal)| fits(suite, terminal));
            let first = fitting.next()?;
            let valid = |(_, terminal): &(usize, &Terminal)| terminal.expired(day).is_none();
            Some(match valid(&first) {
                true => first.0,
                false => fitting.find(valid).unwrap_or(first).0,
            })
        };
        Suite::ALL.into_iter().find_map(of).ok_or(NoTerminal::Fitting)
    }

    /// The terminal with this number.
    pub(super) fn get(&self, index: usize) -> Option<&Terminal> {
        self.terminals.get(index)
    }
}

/// Why the agent is no terminal to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTerminal {
    /// None is configured.
    Configured,
    /// None that is configured is of the card's version, suite and authority's key.
    Fitting,
}

impl Terminal {
    /// The flags in its information: suites, and 04 for the holder's signature.
    pub(super) fn flags(&self) -> u8 {
        let at = match self.certificate.version {
            Version::V11 => TERMINAL_FLAGS_V11,
            Version::V10 => TERMINAL_FLAGS_V10,
        };
        self.information.get(at).copied().unwrap_or(0)
    }

    /// Whose certificate has run out on this day, and when; the operator's first, as a card looks at them.
    pub(super) fn expired(&self, day: Date) -> Option<(Holder, Date)> {
        let run_out = |certificate: &&Certificate| certificate.expires < day;
        let found = [&self.operator, &self.certificate].into_iter().find(run_out)?;
        Some((found.holder, found.expires))
    }

    /// Its key in 33 bytes, tag 9F1D: compressed, of RSA the first byte of the modulus and its last 32.
    pub(super) fn compressed_key(&self) -> Vec<u8> {
        compressed(&self.certificate.key)
    }
}

/// Tag 9F1D of a terminal's key.
pub(super) fn compressed(key: &Key) -> Vec<u8> {
    match key {
        Key::Gost(key) => super::crypto::gost::compressed(key).to_vec(),
        // A modulus that was read has 128 bytes at least.
        Key::Rsa(key) => [&key.modulus[..1], &key.modulus[key.modulus.len() - 32..]].concat(),
    }
}

/// Reads one terminal's files and sees that they belong together.
fn terminal(config: &TerminalConfig) -> Result<Terminal, Mistake> {
    let operator = files::certificate(&config.operator_certificate, Holder::Operator)?;
    let certificate = files::certificate(&config.certificate, Holder::Terminal)?;
    let key = files::key(&config.key)?;
    let wrong = |what: &str| Err(files::mistake(&config.certificate, what));
    if !certificate.is_signed_by(&operator) {
        return wrong("the operator's certificate beside it did not sign it");
    }
    let key = match (&certificate.key, key) {
        (Key::Gost(public), TerminalKey::Gost(key)) if key.public_key().same_point(public) => TerminalKey::Gost(key),
        (Key::Rsa(public), TerminalKey::Rsa(key)) if key.public() == public => TerminalKey::Rsa(key),
        _ => {
            return Err(files::mistake(
                &config.key,
                "it is not the key of the terminal's certificate",
            ));
        }
    };
    let length = match certificate.version {
        Version::V11 => 16,
        Version::V10 => 12,
    };
    if certificate.subject.len() != length {
        return wrong("its subject (5F20) is no terminal's information of its version's length");
    }
    Ok(Terminal {
        information: certificate.subject.clone(),
        operator,
        certificate,
        key,
    })
}

/// A key in PKCS#8, of either suite.
fn read_key(pkcs8: Zeroizing<Vec<u8>>) -> Option<TerminalKey> {
    if let Ok(key) = SecretKey::from_pkcs8_der(&pkcs8) {
        return Some(TerminalKey::Gost(Box::new(key)));
    }
    PrivateKey::from_pkcs8(pkcs8).map(TerminalKey::Rsa)
}

#[cfg(test)]
mod tests;
