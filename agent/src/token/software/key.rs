//! A private key in memory: from PKCS#8, signs messages and digests.

use der::Encode;
use der::asn1::OctetStringRef;
use gost3410::{Algorithm, SecretKey};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::DecodePrivateKey;
use plugin_protocol::HashFunction::{self, Sha256, Sha384, Sha512, Streebog256, Streebog512};
use plugin_protocol::api::SignatureScheme::{self, Ecdsa, Gost, RsaPkcs1, RsaPss};
use ring::rand::SystemRandom;
use ring::signature::{
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding, RsaKeyPair,
};
use zeroize::Zeroizing;

use super::rsa;
use crate::error::Error;
use crate::token::pkcs11::digest_info;
use crate::token::{Mechanism, SignData, SignInput};

/// A private key; not `Clone` and not `Debug`, and wiped when dropped.
pub(super) enum PrivateKey {
    /// ring's own key, and the PKCS#8 for digests, which ring does not sign.
    Rsa(Box<RsaKeyPair>, Zeroizing<Vec<u8>>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(Box<p521::ecdsa::SigningKey>),
    Gost(Box<SecretKey>),
}

/// What decides which signatures a key makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    Ecdsa,
    Gost(Algorithm),
}

impl PrivateKey {
    /// From PKCS#8, DER: RSA of 2048 to 4096 bits, P-256, P-384, P-521, GOST R 34.10-2012.
    pub(super) fn from_pkcs8(der: Zeroizing<Vec<u8>>) -> Option<Self> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(&der) {
            return Some(Self::Rsa(Box::new(pair), der));
        }
        let p256 = || p256::ecdsa::SigningKey::from_pkcs8_der(&der).ok().map(Self::P256);
        let p384 = || p384::ecdsa::SigningKey::from_pkcs8_der(&der).ok().map(Self::P384);
        let p521 = || {
            p521::SecretKey::from_pkcs8_der(&der)
                .ok()
                .map(|key| Self::P521(Box::new(key.into())))
        };
        let gost = || {
            let key = SecretKey::from_pkcs8_der(&der).ok()?;
            Some(Self::Gost(Box::new(key)))
        };
        p256().or_else(p384).or_else(p521).or_else(gost)
    }

    /// The bits of the public key as in SubjectPublicKeyInfo: RSAPublicKey, the uncompressed point, or
    /// of GOST the OCTET STRING around the point's coordinates.
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P521(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::Gost(key) => octet_string(&key.public_key().to_x509()),
        }
    }

    /// What it can make.
    pub(super) fn mechanisms(&self) -> Vec<Mechanism> {
        mechanisms(match self {
            Self::Rsa(..) => Family::Rsa,
            Self::P256(_) | Self::P384(_) | Self::P521(_) => Family::Ecdsa,
            Self::Gost(key) => Family::Gost(key.public_key().algorithm()),
        })
    }

    /// One signature; ECDSA as raw `r || s`, GOST as `s || r`.
    pub(super) fn sign(&self, input: &SignInput) -> Result<Vec<u8>, Error> {
        let digest = || match &input.data {
            SignData::Message(message) => input.hash.digest(message),
            SignData::Digest(digest) => digest.clone(),
        };
        match (self, input.scheme, &input.data) {
            (Self::Rsa(pair, _), RsaPkcs1 | RsaPss, SignData::Message(message)) => {
                let encoding = encoding(input.scheme, input.hash).ok_or_else(|| unsupported(input))?;
                rsa_message(pair, encoding, message)
            }
            (Self::Rsa(_, pkcs8), RsaPkcs1, SignData::Digest(digest)) => {
                let info = digest_info(input.hash, digest).ok_or_else(|| unsupported(input))?;
                rsa::sign_digest_info(pkcs8, &info).ok_or_else(fault)
            }
            (Self::P256(key), Ecdsa, _) => prehashed::<p256::ecdsa::Signature>(key, &digest()).map(|s| s.to_vec()),
            (Self::P384(key), Ecdsa, _) => prehashed::<p384::ecdsa::Signature>(key, &digest()).map(|s| s.to_vec()),
            (Self::P521(key), Ecdsa, _) => {
                prehashed::<p521::ecdsa::Signature>(key.as_ref(), &digest()).map(|s| s.to_vec())
            }
            (Self::Gost(key), Gost, _) if streebog(key.public_key().algorithm()) == Some(input.hash) => {
                let signature = key.sign_digest(&digest()).map_err(|_| fault())?;
                Ok(signature.to_x509())
            }
            _ => Err(unsupported(input)),
        }
    }
}

/// The one hash function of a GOST key; none with which keys of 2001 would sign here.
fn streebog(algorithm: Algorithm) -> Option<HashFunction> {
    match algorithm {
        Algorithm::Gost2012_256 => Some(Streebog256),
        Algorithm::Gost2012_512 => Some(Streebog512),
        Algorithm::Gost2001 => None,
    }
}

/// DER of an OCTET STRING.
fn octet_string(bytes: &[u8]) -> Vec<u8> {
    let encoded = OctetStringRef::new(bytes).and_then(|octets| octets.to_der());
    encoded.expect("64 or 128 bytes have an encoding")
}

/// What keys in memory can make: digests too, but for RSASSA-PSS.
pub(super) fn mechanisms(family: Family) -> Vec<Mechanism> {
    let schemes: &[SignatureScheme] = match family {
        Family::Rsa => &[RsaPkcs1, RsaPss],
        Family::Ecdsa => &[Ecdsa],
        Family::Gost(algorithm) => {
            let (scheme, digest) = (Gost, true);
            let own = streebog(algorithm).map(|hash| Mechanism { scheme, hash, digest });
            return own.into_iter().collect();
        }
    };
    let of = |scheme: &SignatureScheme| {
        let (scheme, digest) = (*scheme, *scheme != RsaPss);
        [Sha256, Sha384, Sha512].map(|hash| Mechanism { scheme, hash, digest })
    };
    schemes.iter().flat_map(of).collect()
}

fn encoding(scheme: SignatureScheme, hash: HashFunction) -> Option<&'static dyn RsaEncoding> {
    Some(match (scheme == RsaPss, hash) {
        (false, Sha256) => &RSA_PKCS1_SHA256,
        (false, Sha384) => &RSA_PKCS1_SHA384,
        (false, Sha512) => &RSA_PKCS1_SHA512,
        (true, Sha256) => &RSA_PSS_SHA256,
        (true, Sha384) => &RSA_PSS_SHA384,
        (true, Sha512) => &RSA_PSS_SHA512,
        (_, Streebog256 | Streebog512) => return None,
    })
}

fn rsa_message(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, Error> {
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| fault())?;
    Ok(signature)
}

/// ECDSA with the nonce of RFC 6979.
fn prehashed<S>(key: &impl PrehashSigner<S>, digest: &[u8]) -> Result<S, Error> {
    let short = |_| Error::UnsupportedAlgorithm("the digest is too short for the curve".to_owned());
    key.sign_prehash(digest).map_err(short)
}

fn unsupported(input: &SignInput) -> Error {
    Error::UnsupportedAlgorithm(format!("{:?} with {:?} is not for this key", input.scheme, input.hash))
}

fn fault() -> Error {
    Error::Internal("a software key did not sign".to_owned())
}
