//! The software token's folder: made whole or not at all, renewed when its certificates expire.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use gost3410::{Algorithm, ParameterSet, SecretKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::certificate::{Authority, Kind, Root, Wish, validity_from};
use super::key::PrivateKey;
use super::kinds::{KeyKind, Keys};
use super::person::Person;
use super::{TRIES, rsa};
use crate::certificate::{Role, Summary};
use crate::error::Error;
use crate::private_file;

/// One key of the token: the stem of its files, its kind, what its certificate is for and who issued it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    pub(crate) root: Root,
    /// It is offered with these kinds of key.
    with: &'static [KeyKind],
}

/// The set that most Russian certificates of 256 bits have.
const GOST_256: Kind = Kind::Gost(Algorithm::Gost2012_256, ParameterSet::CryptoProXchA);
const GOST_512: Kind = Kind::Gost(Algorithm::Gost2012_512, ParameterSet::Tc26_512A);

/// The keys; those of [`Root::Ecdsa`] are made with the token, the others when they are asked for.
pub(crate) const SLOTS: [Slot; 8] = [
    confirms("p256", Kind::P256, Root::Ecdsa, &[KeyKind::P256]),
    confirms("p384", Kind::P384, Root::Ecdsa, &[KeyKind::P384]),
    confirms("rsa2048", Kind::Rsa, Root::Ecdsa, &[KeyKind::Rsa2048]),
    confirms("gost256", GOST_256, Root::Gost, &[KeyKind::Gost256]),
    confirms("gost512", GOST_512, Root::Gost, &[KeyKind::Gost512]),
    signs("signing", Kind::P256, Root::Ecdsa, &KeyKind::USUAL),
    signs("gost256-signing", GOST_256, Root::Gost, &[KeyKind::Gost256]),
    signs("gost512-signing", GOST_512, Root::Gost, &[KeyKind::Gost512]),
];

const fn confirms(name: &'static str, kind: Kind, root: Root, with: &'static [KeyKind]) -> Slot {
    Slot {
        name,
        kind,
        role: Role::Authentication,
        root,
        with,
    }
}

const fn signs(name: &'static str, kind: Kind, root: Root, with: &'static [KeyKind]) -> Slot {
    Slot {
        role: Role::Signing,
        ..confirms(name, kind, root, with)
    }
}

/// The keys that are offered: those that confirm first, then those that sign documents, each in the order asked for.
pub(super) fn offered(keys: &Keys) -> Vec<&'static Slot> {
    let mut slots: Vec<&Slot> = Vec::new();
    for role in [Role::Authentication, Role::Signing] {
        for kind in keys.kinds() {
            for slot in SLOTS
                .iter()
                .filter(|slot| slot.role == role && slot.with.contains(kind))
            {
                // One key signs documents for several kinds.
                if slots.iter().all(|known| known.name != slot.name) {
                    slots.push(slot);
                }
            }
        }
    }
    slots
}

/// The folder.
pub(super) struct Store {
    folder: PathBuf,
    slots: Vec<&'static Slot>,
}

impl Store {
    /// `STATE/software-token` with these keys; nothing is made here.
    pub(super) fn new(state: &Path, keys: &Keys) -> Self {
        Self {
            folder: state.join("software-token"),
            slots: offered(keys),
        }
    }

    /// The keys that are offered.
    pub(super) fn slots(&self) -> &[&'static Slot] {
        &self.slots
    }

    /// The key of this name, if it is offered.
    pub(super) fn slot(&self, name: &str) -> Option<&'static Slot> {
        self.slots.iter().copied().find(|slot| slot.name == name)
    }

    /// A file of the token.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes the token if there is none, keys that it lacks, and new certificates if they have expired.
    pub(super) fn ensure(&self, now: OffsetDateTime) -> Result<(), Error> {
        let failed = |what| move |error: io::Error| trouble(what, &error);
        if !self.folder.is_dir() {
            self.make(now).map_err(failed("cannot be made"))?;
        }
        if self.slots.iter().any(|slot| self.lacks(slot)) {
            self.add(now).map_err(failed("cannot be given further keys"))?;
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

    /// Whoever issued the certificates of this family.
    pub(super) fn authority(&self, root: Root) -> io::Result<Authority> {
        Authority::new(root, &self.key_der(root.name())?)
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
            slots: SLOTS.iter().filter(|slot| slot.root == Root::Ecdsa).collect(),
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
        self.make_root(Root::Ecdsa, now)?;
        for slot in &self.slots {
            self.write(&format!("{}.key", slot.name), "PRIVATE KEY", &generate(slot.kind)?)?;
        }
        private_file::replace(&self.path("tries"), format!("{TRIES}\n").as_bytes())?;
        self.issue(&self.slots, now)
    }

    fn make_root(&self, root: Root, now: OffsetDateTime) -> io::Result<()> {
        let key = generate(root.kind())?;
        self.write(&format!("{}.key", root.name()), "PRIVATE KEY", &key)?;
        let certificate = Authority::new(root, &key)?.root(now).map_err(io::Error::other)?;
        self.write(&format!("{}.pem", root.name()), "CERTIFICATE", &certificate)
    }

    /// Whether a key is not there yet. A certificate is written after its key, so that where it is, both are.
    fn lacks(&self, slot: &Slot) -> bool {
        !self.path(&format!("{}.pem", slot.name)).exists()
    }

    /// Keys that a token of an older version, or one that was asked for fewer, does not have. What is there stays.
    fn add(&self, now: OffsetDateTime) -> io::Result<()> {
        let _one_at_a_time = private_file::lock(&self.folder)?;
        for slot in self
            .slots
            .iter()
            .filter(|slot| slot.root == Root::Gost && self.lacks(slot))
        {
            if !self.path(&format!("{}.pem", slot.root.name())).exists() {
                self.make_root(slot.root, now)?;
            }
            self.write(&format!("{}.key", slot.name), "PRIVATE KEY", &generate(slot.kind)?)?;
            self.issue(&[slot], now)?;
        }
        Ok(())
    }

    /// New certificates for keys that are there, by the roots that are there.
    fn issue(&self, slots: &[&Slot], now: OffsetDateTime) -> io::Result<()> {
        let person = Person::default();
        for slot in slots {
            let key = PrivateKey::from_pkcs8(self.key_der(slot.name)?).ok_or_else(|| invalid("no private key"))?;
            let wish = Wish {
                person: &person,
                role: slot.role,
                validity: validity_from(now),
                serial: None,
            };
            let certificate = self.authority(slot.root)?.person(&wish, slot.kind, &key.public());
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
            _ => self.issue(&self.slots, now),
        }
    }

    fn expired(&self, now: OffsetDateTime) -> Result<bool, Error> {
        for slot in &self.slots {
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
        Kind::Gost(algorithm, set) => {
            let key = SecretKey::generate(algorithm, set).map_err(io::Error::other)?;
            Ok(key.to_pkcs8_der())
        }
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
