//! The key of a certificate, as far as a card's answers are measured by it.

use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The kinds of keys that cards of these families hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// On a NIST curve.
    Ec,
    /// RSA.
    Rsa,
}

/// A kind with its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) kind: KeyKind,
    /// Of the curve's order, or of the modulus, bytes.
    pub(super) size: usize,
}

impl Key {
    /// Of a DER certificate; `None` of keys that are neither.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let info = certificate.public_key();
        let (kind, size) = match info.parsed().ok()? {
            PublicKey::RSA(rsa) => (KeyKind::Rsa, rsa.key_size().div_ceil(8)),
            PublicKey::EC(_) => {
                let curve = info.algorithm.parameters.as_ref()?.as_oid().ok()?;
                let size = match curve.to_id_string().as_str() {
                    "1.2.840.10045.3.1.7" => 32,
                    "1.3.132.0.34" => 48,
                    "1.3.132.0.35" => 66,
                    _ => return None,
                };
                (KeyKind::Ec, size)
            }
            _ => return None,
        };
        Some(Self { kind, size })
    }

    /// How long its signatures are, bytes.
    pub(super) fn signature(self) -> usize {
        match self.kind {
            KeyKind::Ec => 2 * self.size,
            KeyKind::Rsa => self.size,
        }
    }

    /// RSA below 2048 bits is not used any more.
    pub(super) fn is_weak(self) -> bool {
        self.kind == KeyKind::Rsa && self.size < 256
    }
}
