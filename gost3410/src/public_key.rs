//! Public keys: import with every check, export, verification.

use crate::octets::Octets;
use crate::point::Point;
use crate::{Algorithm, Error, ParameterSet, Signature, spki, verify};
use alloc::vec::Vec;
use der::Decode;
use der::asn1::OctetStringRef;

/// A public key: an algorithm, a parameter set and a point.
///
/// Every constructor checks that both coordinates are below p, that the point lies on the curve, and that it lies in
/// the subgroup of prime order. A value of this type has passed.
///
/// Two keys are equal when algorithm, parameter set and point are; [`PublicKey::same_point`] lets the names of the
/// curve differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: Algorithm,
    set: ParameterSet,
    point: Point,
}

impl PublicKey {
    /// Takes `x || y`, each little-endian: the octets of the OCTET STRING in X.509's BIT STRING (RFC 4491 section
    /// 2.3.2, RFC 9215 section 4.3), also the end of a CryptoAPI PUBLICKEYBLOB.
    ///
    /// ```
    /// use gost3410::{Algorithm, Error, ParameterSet, PublicKey};
    ///
    /// let nowhere = [1; 64];
    /// let refused = PublicKey::from_x509(Algorithm::Gost2012_256, ParameterSet::Tc26_256A, &nowhere);
    /// assert_eq!(refused, Err(Error::PublicKeyNotOnCurve));
    /// ```
    pub fn from_x509(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<Self, Error> {
        let (x, y) = halves(algorithm, set, octets)?;
        PublicKey::checked(
            algorithm,
            set,
            Octets::from_le(set.size(), x)?,
            Octets::from_le(set.size(), y)?,
        )
    }

    /// Takes `x || y`, each big-endian: how most programs outside X.509 pass a point.
    pub fn from_x_y(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<Self, Error> {
        let (x, y) = halves(algorithm, set, octets)?;
        PublicKey::checked(
            algorithm,
            set,
            Octets::from_be(set.size(), x)?,
            Octets::from_be(set.size(), y)?,
        )
    }

    /// Takes `04 || x || y`, each big-endian: an uncompressed point of SEC 1 section 2.3.3, as libgcrypt has it.
    pub fn from_sec1(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<Self, Error> {
        match octets.split_first() {
            Some((4, x_y)) => PublicKey::from_x_y(algorithm, set, x_y),
            _ => Err(Error::Length {
                what: "uncompressed point",
                expected: 1 + set.size().pair_bytes(),
                got: octets.len(),
            }),
        }
    }

    /// Takes the CKA_VALUE of a PKCS#11 public key: `x || y`, each little-endian, bare as the standard has it or in
    /// the OCTET STRING that some modules leave around it.
    pub fn from_pkcs11_value(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<Self, Error> {
        if octets.len() == set.size().pair_bytes() {
            return PublicKey::from_x509(algorithm, set, octets);
        }
        let inner = <&OctetStringRef>::from_der(octets).map_err(|_| Error::Der("the value of the public key"))?;
        PublicKey::from_x509(algorithm, set, inner.as_bytes())
    }

    /// Takes the DER of an X.509 SubjectPublicKeyInfo. Its parameters must name a known set, and may name the hash
    /// function of the key's algorithm, but no other.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        let (algorithm, set, inner) = spki::read_spki(der)?;
        PublicKey::from_x509(algorithm, set, inner)
    }

    #[cfg(feature = "signing")]
    pub(crate) fn point(&self) -> &Point {
        &self.point
    }

    /// Gives `x || y`, each little-endian ([`PublicKey::from_x509`]).
    pub fn to_x509(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.set.size().pair_bytes());
        self.point.x.push_le(&mut octets);
        self.point.y.push_le(&mut octets);
        octets
    }

    /// Gives `x || y`, each big-endian ([`PublicKey::from_x_y`]).
    pub fn to_x_y(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.set.size().pair_bytes());
        self.point.x.push_be(&mut octets);
        self.point.y.push_be(&mut octets);
        octets
    }

    /// Gives `04 || x || y`, each big-endian ([`PublicKey::from_sec1`]).
    pub fn to_sec1(&self) -> Vec<u8> {
        let mut octets = self.to_x_y();
        octets.insert(0, 4);
        octets
    }

    /// Gives the DER of an X.509 SubjectPublicKeyInfo. It names the hash function where OpenSSL's engine does.
    pub fn to_spki_der(&self) -> Vec<u8> {
        spki::make_spki(self.algorithm, self.set, &self.to_x509())
    }

    /// The algorithm that its signatures are made with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of its curve, as it came.
    pub fn parameter_set(&self) -> ParameterSet {
        self.set
    }

    /// Whether both are the same point on the same curve, whatever name the curve goes by.
    pub fn same_point(&self, other: &PublicKey) -> bool {
        self.set.same_curve(other.set) && self.point == other.point
    }

    /// Verifies a signature of a digest: the octets of the algorithm's hash function, as they come.
    ///
    /// Takes varying time; nothing here is secret.
    ///
    /// ```
    /// # use gost3410::{Algorithm, ParameterSet, SecretKey};
    /// # let key = SecretKey::generate(Algorithm::Gost2012_512, ParameterSet::Tc26_512C)?;
    /// let mut hasher = key.public_key().algorithm().hasher();
    /// hasher.update(b"a long ");
    /// hasher.update(b"message");
    /// let digest = hasher.finalize();
    /// let signature = key.sign_digest(&digest)?;
    /// key.public_key().verify_digest(&digest, &signature)?;
    /// # Ok::<(), gost3410::Error>(())
    /// ```
    pub fn verify_digest(&self, digest: &[u8], signature: &Signature) -> Result<(), Error> {
        let (expected, got) = (self.set.size().pair_bytes(), signature.size().pair_bytes());
        if expected != got {
            return Err(Error::Length {
                what: "signature",
                expected,
                got,
            });
        }
        verify::verify(self.set.curve(), &self.point, digest, signature)
    }

    /// Hashes a message with the algorithm's hash function and verifies its signature.
    pub fn verify_message(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        self.verify_digest(&self.algorithm.digest(message), signature)
    }

    fn checked(algorithm: Algorithm, set: ParameterSet, x: Octets, y: Octets) -> Result<Self, Error> {
        Ok(PublicKey {
            algorithm,
            set,
            point: Point::checked(set.curve(), x, y)?,
        })
    }

    #[cfg(feature = "signing")]
    pub(crate) fn from_point(algorithm: Algorithm, set: ParameterSet, point: Point) -> Self {
        PublicKey { algorithm, set, point }
    }
}

fn halves(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    if algorithm.size() != set.size() {
        return Err(Error::AlgorithmMismatch);
    }
    let expected = set.size().pair_bytes();
    if octets.len() != expected {
        return Err(Error::Length {
            what: "public key",
            expected,
            got: octets.len(),
        });
    }
    Ok(octets.split_at(expected / 2))
}

impl signature::Verifier<Signature> for PublicKey {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), signature::Error> {
        Ok(self.verify_message(message, signature)?)
    }
}

impl signature::hazmat::PrehashVerifier<Signature> for PublicKey {
    fn verify_prehash(&self, digest: &[u8], signature: &Signature) -> Result<(), signature::Error> {
        Ok(self.verify_digest(digest, signature)?)
    }
}
