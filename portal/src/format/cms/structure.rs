//! SignedData with exactly one signer (RFC 5652 section 5).

use cms::signed_data::SignerIdentifier;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
use der::Decode;
use spki::AlgorithmIdentifierOwned;

use super::tlv::{INTEGER, OCTET_STRING, OID, SEQUENCE, SET, Tlv, Values, context};
use crate::error::VerifyError;

/// A SignedData of one signer, borrowed from its DER; nothing in it is verified.
pub(super) struct SignedData<'a> {
    /// eContent; `None` when detached.
    pub(super) content: Option<&'a [u8]>,
    /// The X.509 certificates in it, as they are.
    pub(super) certificates: Vec<&'a [u8]>,
    pub(super) signer: SignerInfo<'a>,
}

/// The one SignerInfo.
pub(super) struct SignerInfo<'a> {
    pub(super) sid: SignerIdentifier,
    /// The whole AlgorithmIdentifier.
    pub(super) digest_algorithm: &'a [u8],
    /// What is in signedAttrs: values of Attribute.
    pub(super) signed_attributes: &'a [u8],
    /// The whole AlgorithmIdentifier.
    pub(super) signature_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) has_unsigned_attributes: bool,
}

const fn malformed(what: &'static str) -> VerifyError {
    VerifyError::Malformed(what)
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo. `der` must come from [`super::ber::to_der`].
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, VerifyError> {
        let mut info = sequence(der).ok_or(malformed("not a ContentInfo"))?;
        if !oid_is(info.expect(OID), ID_SIGNED_DATA) {
            return Err(malformed("not a SignedData"));
        }
        let inner = info.expect(context(0)).filter(|_| info.end().is_some());
        let inner = inner.ok_or(malformed("not a ContentInfo"))?;
        let mut data = sequence(inner.content).ok_or(malformed("not a SignedData"))?;
        let not_signed_data = malformed("not a SignedData");
        let version = data.expect(INTEGER).ok_or(not_signed_data.clone())?;
        let digests = data.expect(SET).ok_or(not_signed_data.clone())?;
        let encapsulated = data.expect(SEQUENCE).ok_or(not_signed_data.clone())?;
        let certificates = data.optional(context(0));
        let _crls = data.optional(context(1));
        let signers = data.expect(SET).ok_or(not_signed_data.clone())?;
        data.end().ok_or(not_signed_data)?;
        if !matches!(version.content, [1] | [3]) {
            return Err(malformed("SignedData of a version other than 1 and 3"));
        }
        let signed_data = Self {
            content: content(encapsulated)?,
            certificates: certificates.map_or(Ok(Vec::new()), x509_certificates)?,
            signer: one_signer(signers)?,
        };
        signed_data.check_digest_is_announced(digests)?;
        Ok(signed_data)
    }

    /// RFC 5652 section 5.1: digestAlgorithms lists the signer's.
    fn check_digest_is_announced(&self, digests: Tlv<'_>) -> Result<(), VerifyError> {
        let listed = Values::new(digests.content).all().unwrap_or_default();
        let own = algorithm(self.signer.digest_algorithm)?.oid;
        let mut listed = listed.iter().filter_map(|tlv| algorithm(tlv.raw).ok());
        if listed.any(|identifier| identifier.oid == own) {
            return Ok(());
        }
        Err(malformed(
            "digestAlgorithms does not list the signer's digest algorithm",
        ))
    }
}

/// An AlgorithmIdentifier.
pub(super) fn algorithm(der: &[u8]) -> Result<AlgorithmIdentifierOwned, VerifyError> {
    AlgorithmIdentifierOwned::from_der(der).map_err(|_| malformed("not an AlgorithmIdentifier"))
}

/// The values in a SEQUENCE that is all of `der`.
pub(super) fn sequence(der: &[u8]) -> Option<Values<'_>> {
    let mut values = Values::new(der);
    let sequence = values.expect(SEQUENCE)?;
    values.end()?;
    Some(Values::new(sequence.content))
}

pub(super) fn oid_is(tlv: Option<Tlv<'_>>, oid: ObjectIdentifier) -> bool {
    tlv.is_some_and(|tlv| tlv.tag == OID && tlv.content == oid.as_bytes())
}

/// EncapsulatedContentInfo (section 5.2): id-data alone.
fn content(encapsulated: Tlv<'_>) -> Result<Option<&[u8]>, VerifyError> {
    let mut values = Values::new(encapsulated.content);
    if !oid_is(values.expect(OID), ID_DATA) {
        return Err(malformed("the content type is not id-data"));
    }
    let Some(explicit) = values.optional(context(0)) else {
        return values
            .end()
            .map(|()| None)
            .ok_or(malformed("not an EncapsulatedContentInfo"));
    };
    let mut inner = Values::new(explicit.content);
    let octets = inner
        .expect(OCTET_STRING)
        .filter(|_| inner.end().is_some() && values.end().is_some());
    octets
        .map(|octets| Some(octets.content))
        .ok_or(malformed("the content is not an OCTET STRING"))
}

/// The Certificates of a CertificateSet (section 10.2.3); other kinds are passed over.
fn x509_certificates(set: Tlv<'_>) -> Result<Vec<&[u8]>, VerifyError> {
    let all = Values::new(set.content)
        .all()
        .ok_or(malformed("not a CertificateSet"))?;
    let x509 = all.iter().filter(|choice| choice.tag == SEQUENCE);
    Ok(x509.map(|choice| choice.raw).collect())
}

fn one_signer(signers: Tlv<'_>) -> Result<SignerInfo<'_>, VerifyError> {
    let all = Values::new(signers.content)
        .all()
        .ok_or(malformed("not a set of SignerInfo"))?;
    match all.as_slice() {
        [one] => signer_info(one.raw),
        _ => Err(malformed("not exactly one signer")),
    }
}

/// SignerInfo (section 5.3).
fn signer_info(der: &[u8]) -> Result<SignerInfo<'_>, VerifyError> {
    let not_signer_info = || malformed("not a SignerInfo");
    let mut values = sequence(der).ok_or_else(not_signer_info)?;
    let version = values.expect(INTEGER).ok_or_else(not_signer_info)?;
    let sid = values.next().ok_or_else(not_signer_info)?;
    let digest_algorithm = values.expect(SEQUENCE).ok_or_else(not_signer_info)?;
    let signed_attributes = values
        .optional(context(0))
        .ok_or(VerifyError::SignedAttributes("there are none"))?;
    let signature_algorithm = values.expect(SEQUENCE).ok_or_else(not_signer_info)?;
    let signature = values.expect(OCTET_STRING).ok_or_else(not_signer_info)?;
    let unsigned = values.optional(context(1));
    values.end().ok_or_else(not_signer_info)?;
    let sid = SignerIdentifier::from_der(sid.raw).map_err(|_| malformed("not a SignerIdentifier"))?;
    let version_fits = match sid {
        SignerIdentifier::IssuerAndSerialNumber(_) => version.content == [1],
        SignerIdentifier::SubjectKeyIdentifier(_) => version.content == [3],
    };
    if !version_fits {
        return Err(malformed("the SignerInfo's version does not fit its signer identifier"));
    }
    Ok(SignerInfo {
        sid,
        digest_algorithm: digest_algorithm.raw,
        signed_attributes: signed_attributes.content,
        signature_algorithm: signature_algorithm.raw,
        signature: signature.content,
        has_unsigned_attributes: unsigned.is_some(),
    })
}
