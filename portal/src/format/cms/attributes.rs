//! The signed attributes of CAdES-BES (ETSI EN 319 122-1 section 5.2, RFC 5652 section 11, RFC 5035).

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{
    ID_AA_SIGNING_CERTIFICATE_V_2, ID_CONTENT_TYPE, ID_DATA, ID_MESSAGE_DIGEST, ID_SIGNING_TIME,
};
use der::{Decode, Encode};
use plugin_protocol::HashFunction;
use time::OffsetDateTime;
use x509_cert::time::Time;

use super::structure::{SignerInfo, algorithm, oid_is, sequence};
use super::tlv::{INTEGER, OCTET_STRING, OID, SEQUENCE, SET, Tlv, Values, context};
use crate::certificate::{Certificate, magnitude};
use crate::error::VerifyError;
use crate::signature::hash_from_identifier;

/// id-aa-CMSAlgorithmProtection (RFC 6211): optional, but right when there.
const ALGORITHM_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.52");
/// Most certificates named in signing-certificate-v2.
const MAX_NAMED: usize = 16;

/// Signed attributes of proper form: each type once, in DER order.
pub(super) struct SignedAttributes<'a> {
    attributes: Vec<Attribute<'a>>,
    content: &'a [u8],
}

struct Attribute<'a> {
    /// Content octets of the type.
    oid: &'a [u8],
    values: Vec<Tlv<'a>>,
}

const fn wrong(what: &'static str) -> VerifyError {
    VerifyError::SignedAttributes(what)
}

impl<'a> SignedAttributes<'a> {
    /// Reads what is in signedAttrs: strictly ascending in DER (X.690 section 11.6), no type twice.
    pub(super) fn parse(content: &'a [u8]) -> Result<Self, VerifyError> {
        let all = Values::new(content).all().ok_or(wrong("not a set of attributes"))?;
        if all.windows(2).any(|pair| pair[0].raw >= pair[1].raw) {
            return Err(wrong("not in DER order, or one is there twice"));
        }
        let attributes: Option<Vec<_>> = all.iter().map(|tlv| attribute(tlv.raw)).collect();
        let attributes = attributes.ok_or(wrong("not an Attribute"))?;
        for (index, attribute) in attributes.iter().enumerate() {
            if attributes[..index].iter().any(|other| other.oid == attribute.oid) {
                return Err(wrong("an attribute is there twice"));
            }
        }
        Ok(Self { attributes, content })
    }

    /// The bytes that are signed: a SET OF, not the `[0]` it is sent as (RFC 5652 section 5.4).
    pub(super) fn to_be_signed(&self) -> Result<Vec<u8>, VerifyError> {
        let mut out = Vec::with_capacity(self.content.len() + 8);
        super::ber::emit(SET, self.content, &mut out).map_err(|_| wrong("too large"))?;
        Ok(out)
    }

    /// content-type is id-data and message-digest is the content's (RFC 5652 sections 11.1, 11.2).
    pub(super) fn check_content(&self, content: &[u8], hash: HashFunction) -> Result<(), VerifyError> {
        if !oid_is(Some(self.single(ID_CONTENT_TYPE, wrong("content-type"))?), ID_DATA) {
            return Err(wrong("content-type is not id-data"));
        }
        let digest = self.single(ID_MESSAGE_DIGEST, wrong("message-digest"))?;
        if digest.tag != OCTET_STRING {
            return Err(wrong("message-digest"));
        }
        if digest.content != hash.digest(content) {
            return Err(VerifyError::ContentMismatch);
        }
        Ok(())
    }

    /// signing-time (RFC 5652 section 11.3): UTCTime for the years 1950 to 2049, else GeneralizedTime.
    pub(super) fn signing_time(&self) -> Result<OffsetDateTime, VerifyError> {
        let error = wrong("signing-time");
        let value = self.single(ID_SIGNING_TIME, error.clone())?;
        let time = Time::from_der(value.raw).map_err(|_| error.clone())?;
        if matches!(time, Time::GeneralTime(time) if time.to_date_time().year() < 2050) {
            return Err(wrong("signing-time before 2050 is not UTCTime"));
        }
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| error.clone())?;
        OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| error)
    }

    /// signing-certificate-v2 (RFC 5035 section 3): its first entry is the signer's certificate.
    pub(super) fn check_signing_certificate(&self, signer: &Certificate) -> Result<(), VerifyError> {
        let error = wrong("signing-certificate-v2");
        let value = self.single(ID_AA_SIGNING_CERTIFICATE_V_2, error.clone())?;
        let entries = signing_certificates(value).ok_or(error.clone())?;
        let first = entries.first().ok_or(error.clone())?;
        let entry = EssCertId::parse(first.raw).ok_or(error)?;
        if entry.hash == Some(HashFunction::Sha256) {
            return Err(wrong("signing-certificate-v2 names SHA-256, its default"));
        }
        let hash = entry.hash.unwrap_or(HashFunction::Sha256);
        let serial_fits = entry.issuer_serial.is_none_or(|named| names(named, signer).is_some());
        if entry.certificate_hash != hash.digest(signer.der()) || !serial_fits {
            return Err(VerifyError::CertificateMismatch);
        }
        Ok(())
    }

    /// CMSAlgorithmProtection, when there, repeats the SignerInfo's algorithms (RFC 6211 section 2).
    pub(super) fn check_algorithm_protection(&self, signer: &SignerInfo<'_>) -> Result<(), VerifyError> {
        if self.find(ALGORITHM_PROTECTION).is_none() {
            return Ok(());
        }
        let error = wrong("the algorithms are not those protected");
        let value = self.single(ALGORITHM_PROTECTION, error.clone())?;
        let mut values = sequence(value.raw).ok_or(error.clone())?;
        let digest = values.expect(SEQUENCE).ok_or(error.clone())?;
        let signature = values.expect(context(1)).filter(|_| values.end().is_some());
        let own = sequence(signer.signature_algorithm).map(|own| own.all());
        let protected = signature.map(|signature| Values::new(signature.content).all());
        if digest.raw != signer.digest_algorithm || own != protected {
            return Err(error);
        }
        Ok(())
    }

    fn find(&self, oid: ObjectIdentifier) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.oid == oid.as_bytes())
    }

    /// The one value of an attribute that must be there.
    fn single(&self, oid: ObjectIdentifier, missing: VerifyError) -> Result<Tlv<'a>, VerifyError> {
        match self.find(oid).map(|attribute| attribute.values.as_slice()) {
            Some([value]) => Ok(*value),
            Some(_) => Err(wrong("an attribute has not exactly one value")),
            None => Err(missing),
        }
    }
}

/// Attribute ::= SEQUENCE { attrType, attrValues SET OF } (RFC 5652 section 5.3).
fn attribute(der: &[u8]) -> Option<Attribute<'_>> {
    let mut values = sequence(der)?;
    let oid = values.expect(OID)?.content;
    let set = values.expect(SET)?;
    values.end()?;
    Some(Attribute {
        oid,
        values: Values::new(set.content).all()?,
    })
}

/// SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies OPTIONAL }.
fn signing_certificates(value: Tlv<'_>) -> Option<Vec<Tlv<'_>>> {
    let mut values = sequence(value.raw)?;
    let certificates = Values::new(values.expect(SEQUENCE)?.content).all()?;
    let _policies = values.optional(SEQUENCE);
    values.end()?;
    (certificates.len() <= MAX_NAMED).then_some(certificates)
}

/// ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL }.
struct EssCertId<'a> {
    /// `None`: left out, SHA-256.
    hash: Option<HashFunction>,
    certificate_hash: &'a [u8],
    issuer_serial: Option<Tlv<'a>>,
}

impl<'a> EssCertId<'a> {
    fn parse(der: &'a [u8]) -> Option<Self> {
        let mut values = sequence(der)?;
        let hash = match values.optional(SEQUENCE) {
            Some(identifier) => Some(hash_from_identifier(&algorithm(identifier.raw).ok()?)?),
            None => None,
        };
        let certificate_hash = values.expect(OCTET_STRING)?.content;
        let issuer_serial = values.optional(SEQUENCE);
        values.end()?;
        Some(Self {
            hash,
            certificate_hash,
            issuer_serial,
        })
    }
}

/// IssuerSerial ::= SEQUENCE { issuer GeneralNames, serialNumber }: one directoryName, the certificate's issuer.
fn names(issuer_serial: Tlv<'_>, certificate: &Certificate) -> Option<()> {
    let mut values = Values::new(issuer_serial.content);
    let general_names = values.expect(SEQUENCE)?;
    let serial = values.expect(INTEGER)?;
    values.end()?;
    let mut general_names = Values::new(general_names.content);
    let directory_name = general_names.expect(context(4))?;
    general_names.end()?;
    let issuer = certificate.issuer().to_der().ok()?;
    (directory_name.content == issuer && magnitude(serial.content) == certificate.serial()).then_some(())
}
