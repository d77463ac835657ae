//! The public key of a certificate, as far as proofs can use it.

use gost3410::Algorithm;
use plugin_protocol::SignatureAlgorithm;
use plugin_protocol::api::SignatureScheme;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::{PublicKey, RSAPublicKey};

use crate::certificate::{gost_algorithm, is_cv_certificate};
use crate::error::Error;

/// id-ecPublicKey (RFC 5480).
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// A public key; curve points uncompressed or compressed, as SEC 1 section 2.3.3 writes them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// NIST P-256.
    P256(Vec<u8>),
    /// NIST P-384.
    P384(Vec<u8>),
    /// NIST P-521.
    P521(Vec<u8>),
    /// RSA: modulus and public exponent, big-endian, no leading zeros.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: Vec<u8>,
    },
    /// GOST R 34.10-2012, on any of its parameter sets; of 2001 none is read.
    Gost(gost3410::PublicKey),
}

impl Key {
    /// Reads the key of a DER certificate.
    pub(super) fn read(certificate: &[u8]) -> Result<Self, Error> {
        if is_cv_certificate(certificate) {
            return Err(Error::UnsupportedAlgorithm(
                "a universal electronic card proves who you are by the format uec alone".to_owned(),
            ));
        }
        let unreadable = || Error::NoCertificate("the token's certificate cannot be read".to_owned());
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| unreadable())?;
        let spki = parsed.public_key();
        if let Some(algorithm) = gost_algorithm(spki) {
            return Self::gost(algorithm, spki.raw);
        }
        match spki.parsed() {
            Ok(PublicKey::RSA(key)) => Ok(Self::rsa(&key)),
            Ok(PublicKey::EC(point)) if spki.algorithm.algorithm.to_id_string() == EC_PUBLIC_KEY => {
                let curve = spki.algorithm.parameters.as_ref();
                let curve = curve.and_then(|any| any.clone().oid().ok()).ok_or_else(unreadable)?;
                Self::on_curve(&curve.to_id_string(), point.data().to_vec())
            }
            Ok(_) => Err(Error::UnsupportedAlgorithm(format!(
                "its key is of the kind {}, and only RSA, ECDSA and GOST R 34.10-2012 keys are supported",
                spki.algorithm.algorithm
            ))),
            Err(_) => Err(unreadable()),
        }
    }

    fn rsa(key: &RSAPublicKey<'_>) -> Self {
        let trimmed = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        Self::Rsa {
            modulus: trimmed(key.modulus),
            exponent: trimmed(key.exponent),
        }
    }

    fn gost(algorithm: Algorithm, spki: &[u8]) -> Result<Self, Error> {
        if algorithm == Algorithm::Gost2001 {
            return Err(Error::UnsupportedAlgorithm(
                "its key is of GOST R 34.10-2001, whose use for signing ended with 2019; \
                 a certificate of GOST R 34.10-2012 has to take its place"
                    .to_owned(),
            ));
        }
        let key = gost3410::PublicKey::from_spki_der(spki);
        let refused = |error| Error::UnsupportedAlgorithm(format!("its GOST key cannot be used: {error}"));
        key.map(Self::Gost).map_err(refused)
    }

    fn on_curve(oid: &str, point: Vec<u8>) -> Result<Self, Error> {
        match oid {
            "1.2.840.10045.3.1.7" => Ok(Self::P256(point)),
            "1.3.132.0.34" => Ok(Self::P384(point)),
            "1.3.132.0.35" => Ok(Self::P521(point)),
            other => Err(Error::UnsupportedAlgorithm(format!(
                "its key lies on the curve {other}, and only P-256, P-384 and P-521 are supported"
            ))),
        }
    }

    /// Whether this key makes `algorithm`; `ES*` fix the curve (RFC 7518 section 3.4).
    pub(super) fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        match self {
            Self::P256(_) => algorithm == SignatureAlgorithm::ES256,
            Self::P384(_) => algorithm == SignatureAlgorithm::ES384,
            Self::P521(_) => algorithm == SignatureAlgorithm::ES512,
            Self::Rsa { .. } => matches!(algorithm.scheme(), SignatureScheme::RsaPkcs1 | SignatureScheme::RsaPss),
            Self::Gost(key) => match key.algorithm() {
                Algorithm::Gost2012_256 => algorithm == SignatureAlgorithm::Gost256,
                Algorithm::Gost2012_512 => algorithm == SignatureAlgorithm::Gost512,
                Algorithm::Gost2001 => false,
            },
        }
    }

    /// For sentences.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::P256(_) => "P-256",
            Self::P384(_) => "P-384",
            Self::P521(_) => "P-521",
            Self::Rsa { .. } => "RSA",
            Self::Gost(_) => "GOST R 34.10-2012",
        }
    }
}
