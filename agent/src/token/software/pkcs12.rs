//! A PKCS#12 file that the person names, as a token whose PIN is the file's password.
//!
//! Every use reads and decrypts the file anew; nothing of it is kept. What a certificate
//! says must be known before the password is: it is taken from the file where it is not
//! encrypted (or under an empty password), else from a certificate beside the file with
//! the same name and the ending `.pem`, `.crt` or `.cer`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use plugin_protocol::api::{PinState, SourceKind, TokenKind};
use plugin_protocol::encoding::{hex, sha256};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use self::file::{Contents, File};
use self::pbe::Closed;
use super::key::{Family, PrivateKey, mechanisms};
use super::store::from_pem;
use crate::certificate::{Summary, gost_algorithm};
use crate::error::Error;
use crate::pin::Pin;
use crate::token::{Credential, PinInfo, SignJob, Source, TokenId, TokenInfo, refuse_unsupported};

mod file;
mod pbe;

/// The longest file read, bytes.
const LIMIT: u64 = 1024 * 1024;
/// The longest password, bytes; an empty one is none.
const PASSWORD: (usize, usize) = (1, 255);

/// One file as a source. A file that is not there is a token that is not plugged in.
pub struct Pkcs12 {
    path: PathBuf,
    name: String,
}

/// The file as it is now.
struct Now {
    id: TokenId,
    file: File,
}

impl Pkcs12 {
    /// Nothing is read before it is asked for.
    pub fn new(path: PathBuf) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { path, name }
    }

    /// The same under another name than the file's.
    pub fn named(name: String, path: PathBuf) -> Self {
        Self { path, name }
    }

    /// `None` where there is no file.
    fn now(&self) -> Result<Option<Now>, Error> {
        let der = match read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unreadable(&format!("cannot be read ({error})"))),
            Ok(der) => der,
        };
        let file = File::parse(&der).map_err(|why| self.unreadable(&why))?;
        let place = self.path.to_string_lossy();
        Ok(Some(Now {
            id: TokenId::new(&["pkcs12", &place, &hex(&sha256(&der))]),
            file,
        }))
    }

    /// The file, if it is still the one that was listed.
    fn same(&self, token: &TokenId) -> Result<File, Error> {
        let now = self.now()?.filter(|now| now.id == *token);
        now.map(|now| now.file).ok_or(Error::TokenRemoved)
    }

    fn unreadable(&self, why: &str) -> Error {
        Error::NoCertificate(format!("{} {why}", self.name))
    }

    /// The certificates known without the password.
    fn certificates(&self, file: &File) -> Vec<Vec<u8>> {
        let public = file.public_certificates();
        if !public.is_empty() {
            return public;
        }
        let open = file.open("").map(|contents| contents.certificates).unwrap_or_default();
        if open.is_empty() { self.beside() } else { open }
    }

    /// The certificates in the file beside it, PEM or DER.
    fn beside(&self) -> Vec<Vec<u8>> {
        let paths = ["pem", "crt", "cer"].map(|ending| self.path.with_extension(ending));
        let bytes = paths.iter().find_map(|path| read(path).ok()).unwrap_or_default();
        match std::str::from_utf8(&bytes) {
            Ok(text) => text
                .split_inclusive("-----END CERTIFICATE-----")
                .filter_map(|block| from_pem("CERTIFICATE", block).ok())
                .map(|der| der.to_vec())
                .collect(),
            Err(_) => vec![bytes],
        }
    }

    fn open(&self, file: &File, password: &Pin) -> Result<Contents, Error> {
        let bytes = password.expose();
        if bytes.len() < PASSWORD.0 || bytes.len() > PASSWORD.1 {
            return Err(Error::PinLength(PASSWORD.0, PASSWORD.1));
        }
        let password = std::str::from_utf8(bytes).map_err(|_| Error::PinIncorrect(None))?;
        file.open(password).map_err(|closed| match closed {
            Closed::Password => Error::PinIncorrect(None),
            Closed::Unsupported(what) => Error::UnsupportedAlgorithm(format!("{} holds {what}", self.name)),
        })
    }
}

impl Source for Pkcs12 {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> SourceKind {
        SourceKind::Software
    }

    fn tokens(&mut self) -> Result<Vec<TokenInfo>, Error> {
        let Some(now) = self.now()? else { return Ok(Vec::new()) };
        let summaries: Vec<_> = self
            .certificates(&now.file)
            .iter()
            .filter_map(|der| Summary::read(der))
            .collect();
        Ok(vec![TokenInfo {
            id: now.id,
            kind: TokenKind::Software,
            label: self.name.clone(),
            reader: None,
            pin: PinInfo {
                name: None,
                state: PinState::Ok,
                tries_left: None,
                pad: false,
                length: Some(PASSWORD),
            },
            role: None,
            insertion: None,
            unproven: false,
            test: !summaries.is_empty() && summaries.iter().all(|summary| summary.test),
        }])
    }

    fn credentials(&mut self, token: &TokenId) -> Result<Vec<Credential>, Error> {
        let file = self.same(token)?;
        let (authorities, people): (Vec<_>, Vec<_>) = self
            .certificates(&file)
            .into_iter()
            .filter_map(described)
            .partition(|(_, _, authority)| *authority);
        if people.is_empty() {
            return Err(self.unreadable(
                "keeps its certificates under its password; put them beside it: \
                 `openssl pkcs12 -in FILE.p12 -nokeys -out FILE.pem`",
            ));
        }
        let intermediates: Vec<_> = authorities.into_iter().map(|(der, ..)| der).collect();
        let credential = |(certificate, family, _): (Vec<u8>, Option<Family>, bool)| Credential {
            key: hex(&sha256(&certificate)),
            certificate,
            intermediates: intermediates.clone(),
            mechanisms: family.map(mechanisms).unwrap_or_default(),
            role: None,
        };
        Ok(people.into_iter().map(credential).collect())
    }

    fn sign(&mut self, token: &TokenId, job: SignJob, pin: Option<Pin>) -> Result<Vec<Vec<u8>>, Error> {
        let file = self.same(token)?;
        let (_, family, _) = described(job.certificate.clone()).ok_or(Error::TokenRemoved)?;
        refuse_unsupported(&family.map(mechanisms).unwrap_or_default(), &job.inputs)?;
        let pin = pin.ok_or_else(|| Error::Internal("a PKCS#12 file wants its password".to_owned()))?;
        let contents = self.open(&file, &pin)?;
        let key = key_of(contents, &job.certificate)
            .ok_or_else(|| self.unreadable("holds no private key that belongs to this certificate"))?;
        job.inputs.iter().map(|input| key.sign(input)).collect()
    }
}

/// A certificate, the family of its key (`None`: none we know), and whether it is an authority's.
fn described(der: Vec<u8>) -> Option<(Vec<u8>, Option<Family>, bool)> {
    let (family, authority) = {
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let key = certificate.public_key();
        let family = match (gost_algorithm(key), key.parsed()) {
            (Some(algorithm), _) => Some(Family::Gost(algorithm)),
            (None, Ok(PublicKey::RSA(_))) => Some(Family::Rsa),
            (None, Ok(PublicKey::EC(_))) => Some(Family::Ecdsa),
            _ => None,
        };
        (family, certificate.is_ca())
    };
    Some((der, family, authority))
}

/// The private key whose public half the certificate holds.
fn key_of(contents: Contents, certificate: &[u8]) -> Option<PrivateKey> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let public = &certificate.public_key().subject_public_key.data;
    let mut keys = contents.keys.into_iter().filter_map(PrivateKey::from_pkcs8);
    keys.find(|key| key.public() == **public)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LIMIT {
        false => Ok(bytes),
        true => Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 1 MiB")),
    }
}

#[cfg(test)]
mod tests;
