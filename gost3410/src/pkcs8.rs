//! Private keys in PKCS#8, in the forms that OpenSSL's GOST engine reads.
//!
//! What a PrivateKeyInfo's OCTET STRING holds was never settled by one standard, and programs differ. The forms can be
//! told apart by length: a bare number is 32 or 64 octets, masked ones are multiples of that, and no DER form of such a
//! number has such a length but a short INTEGER, which the engine does not take for one either.

use crate::octets::Octets;
use crate::spki::{make_algorithm, read_algorithm};
use crate::{Algorithm, Error, ParameterSet, SecretKey, sign};
use ::pkcs8::{PrivateKeyInfo, PrivateKeyInfoRef};
use alloc::vec::Vec;
use der::asn1::{BitStringRef, OctetStringRef, UintRef};
use der::{Decode, Encode, Reader, SliceReader, Tag};
use zeroize::Zeroizing;

/// How many numbers a masked key may consist of: itself and seven masks.
const MOST_FACTORS: usize = 8;

/// Reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5208, RFC 5958).
pub(crate) fn read(der: &[u8]) -> Result<SecretKey, Error> {
    let info = PrivateKeyInfoRef::from_der(der).map_err(|_| Error::Der("the PKCS#8 PrivateKeyInfo"))?;
    let (algorithm, set) = read_algorithm(&info.algorithm.oid, info.algorithm.parameters)?;
    let key = read_private(algorithm, set, info.private_key.as_bytes())?;
    if let Some(bits) = info.public_key {
        // The example of R 50.1.112-2016 counts an unused bit where there is none; the octets are what is compared.
        must_belong(&key, bits.raw_bytes())?;
    }
    Ok(key)
}

/// Reads the content of the privateKey OCTET STRING.
fn read_private(algorithm: Algorithm, set: ParameterSet, content: &[u8]) -> Result<SecretKey, Error> {
    let malformed = |_| Error::Der("the private key");
    if content.len().is_multiple_of(set.size().bytes()) {
        return unmask(algorithm, set, content);
    }
    match Tag::peek(&SliceReader::new(content).map_err(malformed)?) {
        Ok(Tag::OctetString) => {
            let inner = <&OctetStringRef>::from_der(content).map_err(malformed)?;
            unmask(algorithm, set, inner.as_bytes())
        }
        Ok(Tag::Integer) => {
            let number = UintRef::from_der(content).map_err(malformed)?;
            from_integer(algorithm, set, number.as_bytes())
        }
        Ok(Tag::Sequence) => read_masked_sequence(algorithm, set, content),
        _ => Err(Error::Der("the private key")),
    }
}

/// `SEQUENCE { maskedPrivateKey OCTET STRING, publicKey OCTET STRING }`, the second x || y, each little-endian.
fn read_masked_sequence(algorithm: Algorithm, set: ParameterSet, content: &[u8]) -> Result<SecretKey, Error> {
    let malformed = |_: der::Error| Error::Der("the masked private key");
    let mut reader = SliceReader::new(content).map_err(malformed)?;
    let (masked, public) = reader
        .sequence(|inner| Ok((<&OctetStringRef>::decode(inner)?, <&OctetStringRef>::decode(inner)?)))
        .map_err(malformed)?;
    reader.finish().map_err(malformed)?;
    let key = unmask(algorithm, set, masked.as_bytes())?;
    must_belong(&key, public.as_bytes())?;
    Ok(key)
}

/// Multiplies a number by the masks that follow it, all little-endian, all modulo q.
fn unmask(algorithm: Algorithm, set: ParameterSet, octets: &[u8]) -> Result<SecretKey, Error> {
    let one = set.size().bytes();
    if octets.is_empty() || !octets.len().is_multiple_of(one) || octets.len() > MOST_FACTORS * one {
        return Err(Error::Length {
            what: "private key",
            expected: one,
            got: octets.len(),
        });
    }
    let factors: Result<Vec<_>, Error> = octets
        .chunks(one)
        .map(|le| Octets::from_le(set.size(), le).map(Zeroizing::new))
        .collect();
    let secret = sign::product(set.curve(), &factors?).ok_or(Error::PrivateKeyRange)?;
    SecretKey::checked(algorithm, set, secret)
}

fn from_integer(algorithm: Algorithm, set: ParameterSet, be: &[u8]) -> Result<SecretKey, Error> {
    let mut padded = Zeroizing::new(Octets::zero(set.size()));
    let at = set.size().bytes().checked_sub(be.len()).ok_or(Error::PrivateKeyRange)?;
    (*padded).as_mut()[at..].copy_from_slice(be);
    SecretKey::checked(algorithm, set, padded)
}

/// Refuses a public key, bare or in an OCTET STRING, that is not the private key's own.
fn must_belong(key: &SecretKey, octets: &[u8]) -> Result<(), Error> {
    let own = key.public_key().to_x509();
    let same = octets == own || <&OctetStringRef>::from_der(octets).is_ok_and(|inner| inner.as_bytes() == own);
    if same { Ok(()) } else { Err(Error::PublicKeyMismatch) }
}

/// Writes a PrivateKeyInfo with the bare number.
pub(crate) fn write(key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let public = key.public_key();
    let number = key.to_le_bytes();
    let private_key = OctetStringRef::new(&number).expect("a key is short");
    let algorithm = make_algorithm(public.algorithm(), public.parameter_set());
    let info = PrivateKeyInfo::<_, _, BitStringRef<'_>> {
        algorithm,
        private_key,
        public_key: None,
    };
    Zeroizing::new(info.to_der().expect("a key is short"))
}
