//! OCSP responses that name their certificates by a hash of GOST R 34.11, told to `certval` in SHA-256.
//!
//! A CertID (RFC 6960 section 4.1.1) is a name and carries no trust, so any hash will do for it; `certval`
//! computes SHA-1 and SHA-2 alone. Here the names that fit the issuer are written anew. The signature is still
//! checked over the bytes that were signed: see [`Renamed::signed`].

use certval::ocsp::{BasicOcspResponse, CertId, OcspResponse};
use const_oid::db::rfc5912::ID_SHA_256;
use der::asn1::{AnyRef, OctetString};
use der::{Decode, Encode, Reader, SliceReader};
use gost3410::Algorithm;
use spki::AlgorithmIdentifierOwned;

use crate::certificate::Certificate;

/// A response whose CertIDs were written anew.
#[derive(Clone)]
pub(super) struct Renamed {
    /// The OCSPResponse, DER.
    pub(super) response: Vec<u8>,
    /// Its ResponseData, which nobody signed …
    told: Vec<u8>,
    /// … and the one that was signed.
    signed: Vec<u8>,
}

impl Renamed {
    /// The bytes whose signature vouches for `message`: the response's own for what was written anew.
    pub(super) fn signed<'a>(&'a self, message: &'a [u8]) -> &'a [u8] {
        if message == self.told { &self.signed } else { message }
    }
}

/// The same response with CertIDs in SHA-256; `None` where none of them names a certificate of `issuer` by a GOST hash.
pub(super) fn in_sha_256(response: &[u8], issuer: &Certificate) -> Option<Renamed> {
    let mut response = OcspResponse::from_der(response).ok()?;
    let bytes = response.response_bytes.as_mut()?;
    let signed = first_of_sequence(bytes.response.as_bytes())?;
    let mut basic = BasicOcspResponse::from_der(bytes.response.as_bytes()).ok()?;
    let mut any = false;
    for single in &mut basic.tbs_response_data.responses {
        if let Some(renamed) = renamed(&single.cert_id, issuer) {
            single.cert_id = renamed;
            any = true;
        }
    }
    if !any {
        return None;
    }
    bytes.response = OctetString::new(basic.to_der().ok()?).ok()?;
    Some(Renamed {
        response: response.to_der().ok()?,
        told: basic.tbs_response_data.to_der().ok()?,
        signed,
    })
}

/// The CertID in SHA-256, if it is in a GOST hash and names this issuer.
fn renamed(named: &CertId, issuer: &Certificate) -> Option<CertId> {
    let gost = Algorithm::from_digest_oid(&named.hash_algorithm.oid)?;
    let name = issuer.subject().to_der().ok()?;
    let key = issuer.spki().subject_public_key.raw_bytes();
    let fits =
        named.issuer_name_hash.as_bytes() == gost.digest(&name) && named.issuer_key_hash.as_bytes() == gost.digest(key);
    let sha_256 = |data: &[u8]| OctetString::new(plugin_protocol::encoding::sha256(data)).ok();
    Some(CertId {
        hash_algorithm: AlgorithmIdentifierOwned {
            oid: ID_SHA_256,
            parameters: None,
        },
        issuer_name_hash: sha_256(&name)?,
        issuer_key_hash: sha_256(key)?,
        serial_number: named.serial_number.clone(),
    })
    .filter(|_| fits)
}

/// The first value in a SEQUENCE, as it is.
fn first_of_sequence(der: &[u8]) -> Option<Vec<u8>> {
    let content = AnyRef::from_der(der).ok()?.value();
    let mut reader = SliceReader::new(content).ok()?;
    Some(reader.tlv_bytes().ok()?.to_vec())
}
