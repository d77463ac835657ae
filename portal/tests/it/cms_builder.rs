//! A CMS written by hand, so that any part of it can be wrong.

use fixtures::der_writer::{explicit, integer, octet_string, oid, read_tlv, sequence, set_of, time, tlv};
use fixtures::pki::{Issued, SignatureAlgorithm as CertificateAlgorithm};
use plugin_protocol::encoding::{base64, sha256};
use plugin_protocol::proof::CmsProof;
use plugin_protocol::{HashFunction, Proof, ProofFormat, SignatureAlgorithm};

use crate::support::{Scene, x509};

pub const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
pub const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
pub const ID_DATA: &str = "1.2.840.113549.1.7.1";
pub const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";

/// Every part of a SignedData, right until changed.
pub struct Cms {
    pub content_info_type: &'static str,
    pub version: u64,
    pub digest_algorithms: Vec<Vec<u8>>,
    pub content_type: &'static str,
    pub content: Vec<u8>,
    pub detached: bool,
    pub certificates: Vec<Vec<u8>>,
    pub signer_version: u64,
    pub sid: Vec<u8>,
    pub digest_algorithm: Vec<u8>,
    /// Sorted unless `as_given`.
    pub attributes: Vec<Vec<u8>>,
    pub as_given: bool,
    /// Sign the attributes as they stand, not in DER order.
    pub no_attributes: bool,
    pub signature_algorithm: Vec<u8>,
    pub unsigned: Option<Vec<u8>>,
    pub signers: usize,
    pub algorithm: SignatureAlgorithm,
}

impl Cms {
    pub fn statement(scene: &Scene, signer: &Issued, algorithm: SignatureAlgorithm) -> Self {
        let statement = scene.statement(&signer.certificate).to_canonical_json();
        Self::over(statement, scene, signer, algorithm)
    }

    pub fn over(content: Vec<u8>, scene: &Scene, signer: &Issued, algorithm: SignatureAlgorithm) -> Self {
        let hash = algorithm.hash();
        let digest_algorithm = sequence(&[&oid(hash_oid(hash))]);
        Self {
            content_info_type: SIGNED_DATA,
            version: 1,
            digest_algorithms: vec![digest_algorithm.clone()],
            content_type: ID_DATA,
            attributes: vec![
                attribute(CONTENT_TYPE, &[&oid(ID_DATA)]),
                attribute(MESSAGE_DIGEST, &[&octet_string(&hash.digest(&content))]),
                attribute(SIGNING_TIME, &[&time(scene.now.unix_timestamp())]),
                attribute(
                    SIGNING_CERTIFICATE_V2,
                    &[&signing_certificate(&sha256(&signer.certificate))],
                ),
            ],
            content,
            detached: false,
            certificates: signer.chain(),
            signer_version: 1,
            sid: issuer_and_serial(&signer.certificate),
            digest_algorithm,
            as_given: false,
            no_attributes: false,
            signature_algorithm: x509(algorithm).identifier(),
            unsigned: None,
            signers: 1,
            algorithm,
        }
    }

    /// Replaces the attribute of this type; no values: takes it out.
    pub fn set(&mut self, kind: &str, values: &[&[u8]]) {
        let head = oid(kind);
        self.attributes.retain(|attribute| {
            let (_, content, _) = read_tlv(attribute);
            !content.starts_with(&head)
        });
        if !values.is_empty() {
            self.attributes.push(attribute(kind, values));
        }
    }

    pub fn der(&self, signer: &Issued) -> Vec<u8> {
        let parts: Vec<_> = self.attributes.iter().map(Vec::as_slice).collect();
        let attributes = if self.as_given {
            parts.concat()
        } else {
            read_tlv(&set_of(&parts)).1.to_vec()
        };
        let message = if self.no_attributes {
            self.content.clone()
        } else {
            tlv(0x31, &attributes)
        };
        let signature = signer.key.sign(self.scheme(), &message);
        let signed = if self.no_attributes {
            Vec::new()
        } else {
            tlv(0xa0, &attributes)
        };
        let unsigned = self.unsigned.as_ref().map_or(Vec::new(), |content| tlv(0xa1, content));
        let signer_info = sequence(&[
            &integer(self.signer_version),
            &self.sid,
            &self.digest_algorithm,
            &signed,
            &self.signature_algorithm,
            &octet_string(&signature),
            &unsigned,
        ]);
        let content = if self.detached {
            Vec::new()
        } else {
            explicit(0, &octet_string(&self.content))
        };
        let digests: Vec<_> = self.digest_algorithms.iter().map(Vec::as_slice).collect();
        let certificates: Vec<_> = self.certificates.iter().map(Vec::as_slice).collect();
        let certificates = tlv(0xa0, read_tlv(&set_of(&certificates)).1);
        let signed_data = sequence(&[
            &integer(self.version),
            &set_of(&digests),
            &sequence(&[&oid(self.content_type), &content]),
            &certificates,
            &tlv(0x31, &signer_info.repeat(self.signers)),
        ]);
        sequence(&[&oid(self.content_info_type), &explicit(0, &signed_data)])
    }

    pub fn proof(&self, signer: &Issued, format: ProofFormat) -> Proof {
        let proof = CmsProof {
            cms: base64(&self.der(signer)),
            content: self.detached.then(|| base64(&self.content)),
        };
        wrap(proof, format)
    }

    fn scheme(&self) -> CertificateAlgorithm {
        x509(self.algorithm)
    }
}

pub fn wrap(proof: CmsProof, format: ProofFormat) -> Proof {
    match format {
        ProofFormat::Cms => Proof::Cms(proof),
        ProofFormat::CmsChallenge => Proof::CmsChallenge(proof),
        _ => panic!("not a CMS format"),
    }
}

pub fn attribute(kind: &str, values: &[&[u8]]) -> Vec<u8> {
    sequence(&[&oid(kind), &set_of(values)])
}

/// SigningCertificateV2 with one ESSCertIDv2 of this SHA-256.
pub fn signing_certificate(hash: &[u8]) -> Vec<u8> {
    sequence(&[&sequence(&[&sequence(&[&octet_string(hash)])])])
}

pub fn issuer_and_serial(certificate: &[u8]) -> Vec<u8> {
    let (issuer, serial) = issuer_serial_parts(certificate);
    sequence(&[&issuer, &serial])
}

/// The issuer's Name and the serial INTEGER, whole.
pub fn issuer_serial_parts(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, certificate, _) = read_tlv(certificate);
    let (_, tbs, _) = read_tlv(certificate);
    let (_, _, after_version) = read_tlv(tbs);
    let (tag, serial, after_serial) = read_tlv(after_version);
    let (_, _, after_algorithm) = read_tlv(after_serial);
    let (_, issuer, _) = read_tlv(after_algorithm);
    (tlv(0x30, issuer), tlv(tag, serial))
}

pub fn hash_oid(hash: HashFunction) -> &'static str {
    match hash {
        HashFunction::Sha256 => "2.16.840.1.101.3.4.2.1",
        HashFunction::Sha384 => "2.16.840.1.101.3.4.2.2",
        HashFunction::Sha512 => "2.16.840.1.101.3.4.2.3",
        HashFunction::Streebog256 => "1.2.643.7.1.1.2.2",
        HashFunction::Streebog512 => "1.2.643.7.1.1.2.3",
    }
}
