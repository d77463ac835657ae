//! The ASN.1 of what we write: RFC 5652 sections 5.1 and 5.3, RFC 5035 section 4.
//!
//! Like those of the crate `cms`, but certificates, issuer and serial number
//! stay opaque, so their bytes cannot change.

use cms::content_info::CmsVersion;
use cms::signed_data::EncapsulatedContentInfo;
use const_oid::db::rfc5911::ID_DATA;
use der::asn1::{OctetString, SetOfVec};
use der::{Any, Sequence, ValueOrd};
use plugin_protocol::SignatureAlgorithm;
use spki::AlgorithmIdentifierOwned;
use x509_cert::attr::Attributes;

use super::algorithm;

/// `SignedData`, without CRLs.
#[derive(Sequence)]
pub(super) struct SignedData {
    version: CmsVersion,
    digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    encap_content_info: EncapsulatedContentInfo,
    #[asn1(
        context_specific = "0",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    certificates: Option<SetOfVec<Any>>,
    signer_infos: SetOfVec<SignerInfo>,
}

impl SignedData {
    /// Version 1: id-data, X.509 certificates, an issuerAndSerialNumber (section 5.1).
    pub(super) fn new(
        attached: Option<&[u8]>,
        certificates: SetOfVec<Any>,
        signer: SignerInfo,
        algorithm: SignatureAlgorithm,
    ) -> der::Result<Self> {
        let econtent = attached.map(|content| Any::new(der::Tag::OctetString, content));
        Ok(Self {
            version: CmsVersion::V1,
            digest_algorithms: SetOfVec::try_from(vec![algorithm::digest(algorithm.hash())])?,
            encap_content_info: EncapsulatedContentInfo {
                econtent_type: ID_DATA,
                econtent: econtent.transpose()?,
            },
            certificates: Some(certificates),
            signer_infos: SetOfVec::try_from(vec![signer])?,
        })
    }
}

/// `SignerInfo`, without unsigned attributes.
#[derive(Sequence, ValueOrd)]
pub(super) struct SignerInfo {
    version: CmsVersion,
    sid: IssuerAndSerial,
    digest_algorithm: AlgorithmIdentifierOwned,
    #[asn1(
        context_specific = "0",
        tag_mode = "IMPLICIT",
        constructed = "true",
        optional = "true"
    )]
    signed_attrs: Option<Attributes>,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: OctetString,
}

impl SignerInfo {
    /// Version 1, which goes with issuerAndSerialNumber; ECDSA `signature` as raw `r || s`, that of GOST as it stays, `s || r`.
    pub(super) fn new(
        sid: IssuerAndSerial,
        signed_attrs: Attributes,
        algorithm: SignatureAlgorithm,
        signature: Vec<u8>,
    ) -> der::Result<Self> {
        let signature = match algorithm.is_ecdsa() {
            true => algorithm::ecdsa_sig_value(&signature)?,
            false => signature,
        };
        Ok(Self {
            version: CmsVersion::V1,
            sid,
            digest_algorithm: algorithm::digest(algorithm.hash()),
            signed_attrs: Some(signed_attrs),
            signature_algorithm: algorithm::signature(algorithm)?,
            signature: OctetString::new(signature)?,
        })
    }
}

/// `IssuerAndSerialNumber`, both as they stand in the certificate.
#[derive(Sequence, ValueOrd)]
pub(super) struct IssuerAndSerial {
    /// `Name`.
    pub(super) issuer: Any,
    /// `CertificateSerialNumber`.
    pub(super) serial: Any,
}

/// `SigningCertificateV2`, without policies.
#[derive(Sequence)]
pub(super) struct SigningCertificateV2 {
    /// The signer's certificate comes first; it is the only one.
    pub(super) certs: Vec<EssCertIdV2>,
}

/// `ESSCertIDv2` without issuerSerial.
#[derive(Sequence)]
pub(super) struct EssCertIdV2 {
    /// Absent for SHA-256, its default, which DER demands then.
    pub(super) hash_algorithm: Option<AlgorithmIdentifierOwned>,
    /// The hash of the whole certificate.
    pub(super) cert_hash: OctetString,
}
