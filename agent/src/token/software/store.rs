//! The software token's folder: made whole or not at all, renewed when its certificates expire.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::certificate::{Authority, Kind, Wish, validity_from};
use super::key::PrivateKey;
use super::person::Person;
use super::{TRIES, rsa};
use crate::certificate::{Role, Summary};
use crate::error::Error;
use crate::private_file;

/// One key of the token: the stem of its files, its kind and what its certificate is for.
pub(crate) struct Slot {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
}

/// The keys, the likeliest first.
pub(crate) const SLOTS: [Slot; 4] = [
    Slot {
        name: "p256",
        kind: Kind::P256,
        role: Role::Authentication,
    },
    Slot {
        name: "p384",
        kind: Kind::P384,
        role: Role::Authentication,
    },
    Slot {
        name: "rsa2048",
        kind: Kind::Rsa,
        role: Role::Authentication,
    },
    Slot {
        name: "signing",
        kind: Kind::P256,
        role: Role::Signing,
    },
];

/// The folder.
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    /// `STATE/software-token`; nothing is made here.
    pub(super) fn new(state: &Path) -> Self {
        Self {
            folder: state.join("software-token"),
        }
    }

    /// A file of the token.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the token if there is none, and new certificates if they have expired.
    pub(super) fn ensure(&self, now: OffsetDateTime) -> Result<(), Error> {
        let failed = |what| move |error: io::Error| trouble(what, &error);
        if !self.folder.is_dir() {
            self.make(now).map_err(failed("cannot be made"))?;
        }
        if self.expired(now)? {
            self.renew(now).map_err(failed("has expired and cannot be renewed"))?;
        }
        Ok(())
    }

    /// A certificate, DER.
    pub(super) fn certificate(&self, name: &str) -> Result<Vec<u8>, Error> {
        let text = fs::read_to_string(self.path(&format!("{name}.pem")));
        let der = text.and_then(|text| from_pem("CERTIFICATE", &text).map(|der| der.to_vec()));
        der.map_err(|error| trouble("has an unreadable certificate", &error))
    }

    /// A private key.
    pub(super) fn key(&self, name: &str) -> Result<PrivateKey, Error> {
        let der = self.key_der(name);
        let key = der.and_then(|der| PrivateKey::from_pkcs8(der).ok_or_else(|| invalid("no private key")));
        key.map_err(|error| trouble("has an unreadable key", &error))
    }

    /// Whoever issued the certificates.
    pub(super) fn authority(&self) -> io::Result<Authority> {
        Ok(Authority::new(pair(&self.key_der("root")?)?))
    }

    fn key_der(&self, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let text = Zeroizing::new(fs::read_to_string(self.path(&format!("{name}.key")))?);
        from_pem("PRIVATE KEY", &text)
    }

    /// Makes the token beside its place and moves it there in one step. Of two at once, the first one stays.
    fn make(&self, now: OffsetDateTime) -> io::Result<()> {
        let state = self.folder.parent().unwrap_or(Path::new("/"));
        private_file::create_directory(state)?;
        let _one_at_a_time = private_file::lock(&self.folder)?;
        if self.folder.is_dir() {
            return Ok(());
        }
        let beside = Self {
            folder: state.join("software-token.new"),
        };
        // Left behind by one that was killed.
        match fs::remove_dir_all(&beside.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private_file::create_directory(&beside.folder)?;
        beside.fill(now)?;
        fs::File::open(&beside.folder)?.sync_all()?;
        fs::rename(&beside.folder, &self.folder)?;
        fs::File::open(state)?.sync_all()
    }

    fn fill(&self, now: OffsetDateTime) -> io::Result<()> {
        let root = generate(Kind::P256)?;
        self.write("root.key", "PRIVATE KEY", &root)?;
        let certificate = Authority::new(pair(&root)?).root(now).map_err(io::Error::other)?;
        self.write("root.pem", "CERTIFICATE", &certificate)?;
        for slot in &SLOTS {
            self.write(&format!("{}.key", slot.name), "PRIVATE KEY", &generate(slot.kind)?)?;
        }
        private_file::replace(&self.path("tries"), format!("{TRIES}\n").as_bytes())?;
        self.issue(now)
    }

    /// New certificates for the keys that are there, by the root that is there.
    fn issue(&self, now: OffsetDateTime) -> io::Result<()> {
        let root = self.authority()?;
        let person = Person::default();
        for slot in &SLOTS {
            let key = PrivateKey::from_pkcs8(self.key_der(slot.name)?).ok_or_else(|| invalid("no private key"))?;
            let wish = Wish {
                person: &person,
                role: slot.role,
                validity: validity_from(now),
                serial: None,
            };
            let certificate = root.person(&wish, slot.kind, &key.public());
            self.write(
                &format!("{}.pem", slot.name),
                "CERTIFICATE",
                &certificate.map_err(io::Error::other)?,
            )?;
        }
        Ok(())
    }

    fn renew(&self, now: OffsetDateTime) -> io::Result<()> {
        let _one_at_a_time = private_file::lock(&self.folder)?;
        match self.expired(now) {
            Ok(false) => Ok(()),
            _ => self.issue(now),
        }
    }

    fn expired(&self, now: OffsetDateTime) -> Result<bool, Error> {
        for slot in &SLOTS {
            let certificate = Summary::read(&self.certificate(slot.name)?);
            if certificate.is_none_or(|certificate| certificate.not_after < now) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(&self, name: &str, label: &str, der: &[u8]) -> io::Result<()> {
        private_file::replace(&self.path(name), to_pem(label, der).as_bytes())
    }
}

pub(super) fn generate(kind: Kind) -> io::Result<Zeroizing<Vec<u8>>> {
    let random = SystemRandom::new();
    let ec = |algorithm| {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| invalid("no random numbers"))?;
        Ok(Zeroizing::new(pkcs8.as_ref().to_vec()))
    };
    match kind {
        Kind::Rsa => rsa::generate().ok_or_else(|| invalid("no RSA key")),
        Kind::P256 => ec(&ECDSA_P256_SHA256_ASN1_SIGNING),
        Kind::P384 => ec(&ECDSA_P384_SHA384_ASN1_SIGNING),
    }
}

pub(super) fn pair(pkcs8: &[u8]) -> io::Result<EcdsaKeyPair> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &SystemRandom::new());
    pair.map_err(|_| invalid("the root's key is none"))
}

/// PEM (RFC 7468 section 2).
pub(super) fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(Base64::encode_string(der));
    let mut pem = Zeroizing::new(String::with_capacity(2 * text.len() + 100));
    pem.push_str(&format!("-----BEGIN {label}-----\n"));
    for at in (0..text.len()).step_by(64) {
        pem.push_str(&text[at..text.len().min(at + 64)]);
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

/// The first block of this label.
pub(super) fn from_pem(label: &str, text: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let inner = text
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end))
        .map(|(inner, _)| inner);
    let inner = inner.ok_or_else(|| invalid(&format!("no PEM block {label}")))?;
    let text: Zeroizing<String> = Zeroizing::new(inner.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    Base64::decode_vec(&text)
        .map(Zeroizing::new)
        .map_err(|_| invalid("the PEM block is not base64"))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

/// The token is ours alone, so its troubles are for the log.
pub(super) fn trouble(what: &str, error: &io::Error) -> Error {
    Error::Internal(format!(
        "the software token {what}: {error}; remove its folder to start anew"
    ))
}
