//! The DER around keys: their algorithm and its parameters, and the SubjectPublicKeyInfo.
//!
//! ```text
//! GostR3410-2012-PublicKeyParameters ::= SEQUENCE {          -- RFC 9215 section 4.2; RFC 4491 has a third member
//!     publicKeyParamSet  OBJECT IDENTIFIER,
//!     digestParamSet     OBJECT IDENTIFIER OPTIONAL }
//! subjectPublicKey BIT STRING contains OCTET STRING: x || y, each little-endian
//! ```

use crate::{Algorithm, Error, ParameterSet};
use alloc::vec::Vec;
use const_oid::ObjectIdentifier;
use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::{Any, Decode, Encode, Reader, SliceReader, Tag, Tagged};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};

/// The arc of the encryption parameter sets of GOST 28147-89, which a key of RFC 4491 may name as the third parameter.
const ENCRYPTION_PARAMETERS: &str = "1.2.643.2.2.31.";

/// Reads what kind of key an AlgorithmIdentifier names.
///
/// The hash function follows the key's algorithm. A digest parameter may repeat it, and must not contradict it.
pub(crate) fn read_algorithm(
    oid: &ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
) -> Result<(Algorithm, ParameterSet), Error> {
    let algorithm = Algorithm::from_key_oid(oid).ok_or(Error::UnknownAlgorithm)?;
    let parameters = parameters.ok_or(Error::UnknownParameterSet)?;
    if parameters.tag() != Tag::Sequence {
        return Err(Error::Der("the parameters of the key"));
    }
    let set = read_parameters(algorithm, parameters.value())?;
    if set.size() != algorithm.size() {
        return Err(Error::AlgorithmMismatch);
    }
    Ok((algorithm, set))
}

fn read_parameters(algorithm: Algorithm, content: &[u8]) -> Result<ParameterSet, Error> {
    let malformed = |_| Error::Der("the parameters of the key");
    let mut reader = SliceReader::new(content).map_err(malformed)?;
    let curve: ObjectIdentifier = ObjectIdentifier::decode(&mut reader).map_err(malformed)?;
    let set = ParameterSet::from_oid(&curve).ok_or(Error::UnknownParameterSet)?;
    if !reader.is_finished() {
        let digest: ObjectIdentifier = ObjectIdentifier::decode(&mut reader).map_err(malformed)?;
        if digest != algorithm.digest_parameter_oid() {
            return Err(Error::DigestParameter);
        }
    }
    if !reader.is_finished() {
        let encryption: ObjectIdentifier = ObjectIdentifier::decode(&mut reader).map_err(malformed)?;
        if !alloc::format!("{encryption}").starts_with(ENCRYPTION_PARAMETERS) {
            return Err(Error::Der("the encryption parameter of the key"));
        }
    }
    if reader.is_finished() {
        Ok(set)
    } else {
        Err(Error::Der("the parameters of the key"))
    }
}

/// Makes the AlgorithmIdentifier of a key, the digest parameter in it where OpenSSL's engine writes one.
pub(crate) fn make_algorithm(algorithm: Algorithm, set: ParameterSet) -> AlgorithmIdentifier<Any> {
    let mut content = set.oid().to_der().expect("an identifier has an encoding");
    if set.names_digest() || algorithm == Algorithm::Gost2001 {
        let digest = algorithm.digest_parameter_oid();
        content.extend(digest.to_der().expect("an identifier has an encoding"));
    }
    let parameters = Any::new(Tag::Sequence, content).expect("two identifiers are short");
    AlgorithmIdentifier {
        oid: algorithm.key_oid(),
        parameters: Some(parameters),
    }
}

/// Takes a SubjectPublicKeyInfo apart: the kind of key, and x || y, each little-endian.
pub(crate) fn read_spki(der: &[u8]) -> Result<(Algorithm, ParameterSet, &[u8]), Error> {
    let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| Error::Der("the SubjectPublicKeyInfo"))?;
    let (algorithm, set) = read_algorithm(&spki.algorithm.oid, spki.algorithm.parameters)?;
    let bits = spki
        .subject_public_key
        .as_bytes()
        .ok_or(Error::Der("the BIT STRING of the public key"))?;
    let inner = <&OctetStringRef>::from_der(bits).map_err(|_| Error::Der("the OCTET STRING of the public key"))?;
    Ok((algorithm, set, inner.as_bytes()))
}

/// Makes a SubjectPublicKeyInfo of x || y, each little-endian.
pub(crate) fn make_spki(algorithm: Algorithm, set: ParameterSet, inner: &[u8]) -> Vec<u8> {
    let inner = OctetStringRef::new(inner)
        .and_then(|inner| inner.to_der())
        .expect("a key is short");
    let subject_public_key = BitStringRef::from_bytes(&inner).expect("a key is short");
    let spki = SubjectPublicKeyInfo {
        algorithm: make_algorithm(algorithm, set),
        subject_public_key,
    };
    spki.to_der().expect("a key is short")
}
