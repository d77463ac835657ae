//! Public keys as certificates and tokens tell them, to see whether they are the same.

use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey as Parsed;

use super::gost;

/// A curve of the protocol, or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
    Other,
}

impl Curve {
    fn from_oid(oid: &str) -> Self {
        match oid {
            "1.2.840.10045.3.1.7" => Self::P256,
            "1.3.132.0.34" => Self::P384,
            "1.3.132.0.35" => Self::P521,
            _ => Self::Other,
        }
    }

    /// From CKA_EC_PARAMS: an OBJECT IDENTIFIER, or a PrintableString with the curve's name.
    pub(super) fn from_params(params: &[u8]) -> Self {
        match params {
            [0x06, length, oid @ ..] if usize::from(*length) == oid.len() => match oid {
                [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07] => Self::P256,
                [0x2B, 0x81, 0x04, 0x00, 0x22] => Self::P384,
                [0x2B, 0x81, 0x04, 0x00, 0x23] => Self::P521,
                _ => Self::Other,
            },
            [0x13, length, name @ ..] if usize::from(*length) == name.len() => match name {
                b"prime256v1" | b"secp256r1" | b"P-256" => Self::P256,
                b"secp384r1" | b"P-384" => Self::P384,
                b"secp521r1" | b"P-521" => Self::P521,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    /// Length of one half of a signature, bytes.
    pub(super) fn half(self) -> Option<usize> {
        match self {
            Self::P256 => Some(32),
            Self::P384 => Some(48),
            Self::P521 => Some(66),
            Self::Other => None,
        }
    }
}

/// A public key, as far as it must be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// The modulus, big-endian, without leading zeros.
    Rsa(Vec<u8>),
    /// The curve and the point as in SEC 1.
    Ec(Curve, Vec<u8>),
    /// GOST R 34.10.
    Gost(gost::Key),
    /// Something the protocol has no algorithm for.
    Other,
}

/// The GOST key of a certificate, to verify with.
pub(super) fn gost_key(certificate: &[u8]) -> Option<gost3410::PublicKey> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    gost3410::PublicKey::from_spki_der(certificate.public_key().raw).ok()
}

/// A public key as an object of a token tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Wholly.
    Key(PublicKey),
    /// The kind and the CKA_VALUE of a GOST key: what it does not tell, and the order of its octets, only a
    /// certificate shows.
    Gost(gost::Kind, Vec<u8>),
}

impl PublicKey {
    /// Whether the token's key is this certificate's; `None` where nothing tells.
    pub(super) fn is(&self, told: &Told) -> Option<bool> {
        match (self, told) {
            (Self::Gost(key), Told::Gost(kind, value)) if kind.fits(key) => key.is(value),
            (Self::Gost(key), Told::Key(Self::Gost(other))) => Some(key.same(other)),
            (_, Told::Key(other)) => Some(self == other),
            (_, Told::Gost(..)) => Some(false),
        }
    }

    /// Of a certificate, with whether it is an authority's; `None` if the bytes are no certificate.
    pub(super) fn of_certificate(der: &[u8]) -> Option<(Self, bool)> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        rest.is_empty()
            .then(|| (Self::of_spki(certificate.public_key()), certificate.is_ca()))
    }

    /// Of a SubjectPublicKeyInfo (CKA_PUBLIC_KEY_INFO).
    pub(super) fn of_info(der: &[u8]) -> Option<Self> {
        SubjectPublicKeyInfo::from_der(der)
            .ok()
            .map(|(_, spki)| Self::of_spki(&spki))
    }

    fn of_spki(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        match spki.parsed() {
            Ok(Parsed::RSA(key)) => Self::rsa(key.modulus),
            Ok(Parsed::EC(point)) => {
                let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
                let curve = curve.map_or(Curve::Other, |oid| Curve::from_oid(&oid.to_id_string()));
                Self::Ec(curve, point.data().to_vec())
            }
            _ => gost::Key::of_spki(spki.raw).map_or(Self::Other, Self::Gost),
        }
    }

    /// From CKA_MODULUS.
    pub(super) fn rsa(modulus: &[u8]) -> Self {
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        Self::Rsa(modulus[zeros..].to_vec())
    }

    /// From CKA_EC_PARAMS and CKA_EC_POINT: an OCTET STRING, or the bare point that some tokens give.
    pub(super) fn ec(params: &[u8], point: &[u8]) -> Self {
        let inner = match point {
            [0x04, length, rest @ ..] if *length < 0x80 && usize::from(*length) == rest.len() => rest,
            [0x04, 0x81, length, rest @ ..] if usize::from(*length) == rest.len() => rest,
            bare => bare,
        };
        Self::Ec(Curve::from_params(params), inner.to_vec())
    }

    /// The length of its signatures, bytes.
    pub(super) fn signature_length(&self) -> Option<usize> {
        match self {
            Self::Rsa(modulus) => Some(modulus.len()),
            Self::Ec(curve, _) => curve.half().map(|half| 2 * half),
            Self::Gost(key) => Some(key.signature_length()),
            Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_known_by_number_and_by_name() {
        assert_eq!(Curve::from_params(b"\x06\x05\x2B\x81\x04\x00\x22"), Curve::P384);
        assert_eq!(Curve::from_params(b"\x13\x0Aprime256v1"), Curve::P256);
        assert_eq!(Curve::from_params(b"\x13\x09secp521r1"), Curve::P521);
        for strange in [b"".as_slice(), b"\x13\x0Cedwards25519", b"\x06\x50\x2B", b"\x06"] {
            assert_eq!(Curve::from_params(strange), Curve::Other);
        }
    }

    #[test]
    fn points_are_the_same_wrapped_or_bare() {
        let params = b"\x06\x05\x2B\x81\x04\x00\x23";
        let bare = [[4].as_slice(), &[9; 132]].concat();
        let wrapped = [[4, 0x81, 133].as_slice(), &bare].concat();
        assert_eq!(PublicKey::ec(params, &bare), PublicKey::ec(params, &wrapped));
        let bare = [[4].as_slice(), &[9; 64]].concat();
        let wrapped = [[4, 65].as_slice(), &bare].concat();
        assert_eq!(PublicKey::ec(params, &bare), PublicKey::ec(params, &wrapped));
    }

    #[test]
    fn moduli_are_compared_without_leading_zeros() {
        assert_eq!(PublicKey::rsa(&[0, 0, 1, 2]), PublicKey::rsa(&[1, 2]));
        assert_eq!(PublicKey::rsa(&[0, 1, 2]).signature_length(), Some(2));
    }
}
