//! `cms` and `cms-challenge`: CAdES-BES (ETSI EN 319 122-1) in CMS SignedData (RFC 5652).
//!
//! One signer; signed attributes contentType, messageDigest, signingTime and
//! signing-certificate-v2. Certificates and names are carried over byte for
//! byte: re-encoding a certificate with an oddity in it would break its hash.

mod algorithm;
mod structure;

use const_oid::db::rfc5911::{
    ID_AA_SIGNING_CERTIFICATE_V_2, ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNED_DATA, ID_SIGNING_TIME,
};
use der::asn1::{GeneralizedTime, OctetString, SetOfVec, UtcTime};
use der::{Any, AnyRef, DateTime, Decode, Encode, EncodeValue, Tagged};
use plugin_protocol::encoding::base64;
use plugin_protocol::proof::CmsProof;
use plugin_protocol::{HashFunction, Proof, SignatureAlgorithm};
use time::{OffsetDateTime, UtcOffset};
use x509_cert::attr::{Attribute, Attributes};

use self::structure::{EssCertIdV2, IssuerAndSerial, SignedData, SignerInfo, SigningCertificateV2};
use super::Finish;
use crate::error::Error;

/// The draft of a SignedData over `content` (id-data).
///
/// The bytes to be signed are the DER of the signed attributes as a SET OF
/// (RFC 5652 section 5.4). messageDigest uses the hash function of the signature,
/// as RFC 8933 demands.
pub(super) fn draft(
    content: Vec<u8>,
    detached: bool,
    certificates: &[&[u8]],
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
    wrap: fn(CmsProof) -> Proof,
) -> Result<(Vec<u8>, Finish), Error> {
    let attributes = signed_attributes(&content, certificates[0], algorithm, now).map_err(internal)?;
    let to_be_signed = attributes.to_der().map_err(internal)?;
    let sid = issuer_and_serial(certificates[0])?;
    let certificates = certificate_set(certificates)?;
    let finish = move |signature: Vec<u8>| {
        let signer = SignerInfo::new(sid, attributes, algorithm, signature)?;
        let attached = (!detached).then_some(&content[..]);
        let signed_data = SignedData::new(attached, certificates, signer, algorithm)?;
        let content_info = content_info(&signed_data)?;
        Ok(CmsProof {
            cms: base64(&content_info),
            content: detached.then(|| base64(&content)),
        })
    };
    let finish = move |signature| finish(signature).map(wrap).map_err(internal);
    Ok((to_be_signed, Box::new(finish)))
}

fn content_info(signed_data: &SignedData) -> der::Result<Vec<u8>> {
    let info = cms::content_info::ContentInfo {
        content_type: ID_SIGNED_DATA,
        content: any(signed_data)?,
    };
    info.to_der()
}

fn signed_attributes(
    content: &[u8],
    signer: &[u8],
    algorithm: SignatureAlgorithm,
    now: OffsetDateTime,
) -> der::Result<Attributes> {
    let digest = OctetString::new(algorithm.hash().digest(content))?;
    Attributes::try_from(vec![
        attribute(ID_CONTENT_TYPE, any(&ID_DATA)?)?,
        attribute(ID_MESSAGE_DIGEST, any(&digest)?)?,
        attribute(ID_SIGNING_TIME, signing_time(now)?)?,
        attribute(
            ID_AA_SIGNING_CERTIFICATE_V_2,
            any(&signing_certificate(signer, algorithm)?)?,
        )?,
    ])
}

fn attribute(oid: const_oid::ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    let values = SetOfVec::try_from(vec![value])?;
    Ok(Attribute { oid, values })
}

/// signing-certificate-v2 (RFC 5035 section 3): the SHA-256 of the signer's certificate, with GOST its Streebog,
/// so that whoever verifies such a signature needs no other family of hash functions.
///
/// `hashAlgorithm` of SHA-256 is left out because that is its DEFAULT, `issuerSerial`
/// because section 4 lets it be where the certificate is known otherwise: the
/// signer identifier beside it holds the same issuer and serial number.
fn signing_certificate(signer: &[u8], algorithm: SignatureAlgorithm) -> der::Result<SigningCertificateV2> {
    let (hash, hash_algorithm) = match algorithm.is_gost() {
        true => (algorithm.hash(), Some(algorithm::digest(algorithm.hash()))),
        false => (HashFunction::Sha256, None),
    };
    let cert_hash = OctetString::new(hash.digest(signer))?;
    Ok(SigningCertificateV2 {
        certs: vec![EssCertIdV2 {
            hash_algorithm,
            cert_hash,
        }],
    })
}

/// Whole seconds, UTC: UTCTime for the years 1950 to 2049, GeneralizedTime otherwise (RFC 5652 section 11.3).
fn signing_time(now: OffsetDateTime) -> der::Result<Any> {
    let utc = now.to_offset(UtcOffset::UTC);
    let year = u16::try_from(utc.year()).map_err(|_| der::ErrorKind::DateTime)?;
    let time = DateTime::new(
        year,
        utc.month().into(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second(),
    )?;
    if (1950..2050).contains(&year) {
        any(&UtcTime::from_date_time(time)?)
    } else {
        any(&GeneralizedTime::from_date_time(time))
    }
}

/// The issuer's name and the serial number as the certificate spells them.
fn issuer_and_serial(signer: &[u8]) -> Result<IssuerAndSerial, Error> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(signer).map_err(|_| unreadable())?;
    let issuer = Any::from_der(certificate.issuer().as_raw()).map_err(|_| unreadable())?;
    let serial = Any::new(der::Tag::Integer, certificate.raw_serial()).map_err(|_| unreadable())?;
    Ok(IssuerAndSerial { issuer, serial })
}

/// The signer's certificate and the intermediates, each once.
fn certificate_set(certificates: &[&[u8]]) -> Result<SetOfVec<Any>, Error> {
    let mut distinct: Vec<Any> = Vec::new();
    for der in certificates {
        let certificate = Any::from_der(der).map_err(|_| unreadable())?;
        if !distinct.contains(&certificate) {
            distinct.push(certificate);
        }
    }
    SetOfVec::try_from(distinct).map_err(internal)
}

/// A value with its tag, its bytes as they are encoded.
fn any<T: EncodeValue + Tagged>(value: &T) -> der::Result<Any> {
    let der = value.to_der()?;
    AnyRef::try_from(&der[..]).map(Any::from)
}

fn unreadable() -> Error {
    Error::NoCertificate("a certificate on the token cannot be read".to_owned())
}

fn internal(error: der::Error) -> Error {
    Error::Internal(format!("CMS: {error}"))
}
