//! Every certificate the mock shows, issued anew at its start for the software token's keys; and its CRL.

use std::path::Path;

use plugin_protocol::encoding::sha256;
use time::{Duration, OffsetDateTime};
use x509_cert::serial_number::SerialNumber;

use super::outcome::Outcome;
use crate::error::Error;
use crate::private_file;
use crate::token::software::{Authority, Person, Slot, Software, Wish, validity_from};

/// How far expired and future certificates are from now.
const APART: Duration = Duration::days(1);
/// How long those are valid.
const SPAN: Duration = Duration::days(365);

/// One certificate for one key.
pub(super) struct Issued {
    kind: Kind,
    /// The software token's name of the key.
    pub(super) slot: &'static str,
    /// DER.
    pub(super) certificate: Vec<u8>,
    /// Its issuer's, DER.
    pub(super) authority: Vec<u8>,
}

/// What is the matter with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    OtherPerson,
    Expired,
    NotYetValid,
    Revoked,
    UnknownIssuer,
}

/// All of them.
pub(super) struct Certificates(Vec<Issued>);

impl Certificates {
    /// Issues them for every key of the token, which are of one authority, and writes its CRL.
    pub(super) fn issue(software: &Software, person: &Person, crl: &Path, now: OffsetDateTime) -> Result<Self, Error> {
        let (own, stranger) = (
            software.authority(software.root_kind())?,
            Authority::stranger(software.root_kind(), "eid-agent mock, unknown authority"),
        );
        let stranger = stranger.map_err(|error| fault(&error))?;
        let root = |authority: &Authority| authority.root(now).map_err(|error| fault(&error));
        let (own_root, stranger_root) = (root(&own)?, root(&stranger)?);
        let mut issued = Vec::new();
        let mut revoked = Vec::new();
        let other = Person::other();
        for slot in software.slots() {
            for kind in Kind::ALL {
                let wish = Wish {
                    person: if kind == Kind::OtherPerson { &other } else { person },
                    role: slot.role,
                    validity: kind.validity(now),
                    serial: (kind == Kind::Revoked)
                        .then(|| revoked_serial(software, slot))
                        .transpose()?,
                };
                revoked.extend(wish.serial.clone());
                let (authority, root) = match kind {
                    Kind::UnknownIssuer => (&stranger, &stranger_root),
                    _ => (&own, &own_root),
                };
                issued.push(Issued {
                    kind,
                    slot: slot.name,
                    certificate: software.issue(authority, slot, &wish)?,
                    authority: root.clone(),
                });
            }
        }
        let list = own.crl(&revoked, now).map_err(|error| fault(&error))?;
        private_file::replace(crl, &list).map_err(|error| Error::Internal(format!("{}: {error}", crl.display())))?;
        Ok(Self(issued))
    }

    /// Those that an outcome shows.
    pub(super) fn of(&self, outcome: Outcome) -> impl Iterator<Item = &Issued> {
        let wanted = match outcome {
            Outcome::OtherPerson => Kind::OtherPerson,
            Outcome::ExpiredCertificate => Kind::Expired,
            Outcome::NotYetValidCertificate => Kind::NotYetValid,
            Outcome::RevokedCertificate => Kind::Revoked,
            Outcome::UnknownIssuer => Kind::UnknownIssuer,
            _ => Kind::Good,
        };
        self.0.iter().filter(move |issued| issued.kind == wanted)
    }
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Good,
        Self::OtherPerson,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::UnknownIssuer,
    ];

    fn validity(self, now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
        match self {
            Self::Expired => (now - APART - SPAN, now - APART),
            Self::NotYetValid => (now + APART, now + APART + SPAN),
            _ => validity_from(now),
        }
    }
}

/// The same at every start, so that a portal's CRL stays right when the mock is started anew.
fn revoked_serial(software: &Software, slot: &Slot) -> Result<SerialNumber, Error> {
    let key = software.public_key(slot)?;
    let mut octets = sha256(&[b"revoked ", key.as_slice()].concat());
    octets[0] = octets[0] & 0x3F | 0x40;
    SerialNumber::new(&octets[..16]).map_err(|error| fault(&error))
}

fn fault(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("the mock's certificates cannot be issued: {error}"))
}
