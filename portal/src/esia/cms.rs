//! A detached CMS SignedData (RFC 5652) by one GOST key: contentType, messageDigest, signingTime.
//!
//! The certificate is carried over byte for byte, and its issuer's name and serial number with it.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNED_DATA, ID_SIGNING_TIME};
use der::asn1::UtcTime;
use der::{Decode, Encode};
use gost3410::{Algorithm, PublicKey};
use time::OffsetDateTime;
use x509_cert::certificate::Raw;

use super::SecretError;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;
/// `[0]`, constructed.
const CONTEXT_0: u8 = 0xA0;

/// The DER of a ContentInfo over `content`; `sign` signs the signed attributes.
pub(super) fn detached<E>(
    content: &[u8],
    certificate: &[u8],
    now: OffsetDateTime,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, SecretError<E>>,
) -> Result<Vec<u8>, SecretError<E>> {
    let signer = Signer::read(certificate).ok_or(SecretError::Certificate)?;
    let attributes = attributes(content, signer.algorithm, now).ok_or(SecretError::Certificate)?;
    let signature = sign(&tlv(SET, &[&attributes]))?;
    let digest = tlv(SEQUENCE, &[&oid(signer.algorithm.digest_oid())]);
    let signer_info = tlv(
        SEQUENCE,
        &[
            &tlv(INTEGER, &[&[1]]),
            &tlv(SEQUENCE, &[&signer.issuer, &tlv(INTEGER, &[&signer.serial])]),
            &digest,
            &tlv(CONTEXT_0, &[&attributes]),
            &tlv(SEQUENCE, &[&oid(signer.algorithm.key_oid())]),
            &tlv(OCTET_STRING, &[&signature]),
        ],
    );
    let signed_data = tlv(
        SEQUENCE,
        &[
            &tlv(INTEGER, &[&[1]]),
            &tlv(SET, &[&digest]),
            &tlv(SEQUENCE, &[&oid(ID_DATA)]),
            &tlv(CONTEXT_0, &[certificate]),
            &tlv(SET, &[&signer_info]),
        ],
    );
    Ok(tlv(SEQUENCE, &[&oid(ID_SIGNED_DATA), &tlv(CONTEXT_0, &[&signed_data])]))
}

/// What the certificate tells of who signs.
struct Signer {
    algorithm: Algorithm,
    /// The issuer's Name, DER.
    issuer: Vec<u8>,
    /// The content of the serial number's INTEGER.
    serial: Vec<u8>,
}

impl Signer {
    fn read(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::certificate::CertificateInner::<Raw>::from_der(der).ok()?;
        let tbs = certificate.tbs_certificate();
        let spki = tbs.subject_public_key_info().to_der().ok()?;
        let algorithm = PublicKey::from_spki_der(&spki).ok()?.algorithm();
        (algorithm != Algorithm::Gost2001).then_some(Self {
            algorithm,
            issuer: tbs.issuer().to_der().ok()?,
            serial: tbs.serial_number().as_bytes().to_vec(),
        })
    }
}

/// The content of the SET OF signed attributes, in DER's order.
fn attributes(content: &[u8], algorithm: Algorithm, now: OffsetDateTime) -> Option<Vec<u8>> {
    let seconds = u64::try_from(now.unix_timestamp()).ok()?;
    let time = UtcTime::from_unix_duration(std::time::Duration::from_secs(seconds)).ok()?;
    let attribute = |kind: ObjectIdentifier, value: &[u8]| tlv(SEQUENCE, &[&oid(kind), &tlv(SET, &[value])]);
    let mut all = [
        attribute(ID_CONTENT_TYPE, &oid(ID_DATA)),
        attribute(ID_SIGNING_TIME, &time.to_der().ok()?),
        attribute(ID_MESSAGE_DIGEST, &tlv(OCTET_STRING, &[&algorithm.digest(content)])),
    ];
    all.sort();
    Some(all.concat())
}

fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    tlv(0x06, &[oid.as_bytes()])
}

/// A value in DER: its tag, its shortest length, its content in parts.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7F) => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
            out.push(0x80 | octets.len() as u8);
            out.extend(octets);
        }
    }
    out.extend(content);
    out
}
