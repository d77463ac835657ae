//! The software token's revocation list (RFC 5280 section 5), for the mock's revoked certificate.

use der::asn1::{BitString, Uint};
use der::{Encode, Sequence};
use spki::AlgorithmIdentifierOwned;
use time::OffsetDateTime;
use x509_cert::certificate::Version;
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::CrlNumber;
use x509_cert::name::RdnSequence;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

use super::certificate::{Authority, ROOT_VALIDITY, extension, moment};

/// TBSCertList (RFC 5280 section 5.1.2), version 2.
#[derive(Sequence)]
struct TbsCertList {
    version: Version,
    signature: AlgorithmIdentifierOwned,
    issuer: RdnSequence,
    this_update: Time,
    next_update: Time,
    revoked_certificates: Vec<Revoked>,
    #[asn1(context_specific = "0")]
    crl_extensions: Extensions,
}

/// An entry without a reason: "unspecified".
#[derive(Sequence)]
struct Revoked {
    serial_number: SerialNumber,
    revocation_date: Time,
}

/// CertificateList (RFC 5280 section 5.1).
#[derive(Sequence)]
struct CertificateList {
    tbs_cert_list: TbsCertList,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl Authority {
    /// A CRL (DER) of `now` that holds these serial numbers, at least one, and stays good as long as a test root.
    pub(crate) fn crl(&self, revoked: &[SerialNumber], now: OffsetDateTime) -> der::Result<Vec<u8>> {
        let at = moment(now)?;
        let entry = |serial: &SerialNumber| Revoked {
            serial_number: serial.clone(),
            revocation_date: at,
        };
        let number = CrlNumber(Uint::new(&now.unix_timestamp().to_be_bytes())?);
        let tbs_cert_list = TbsCertList {
            version: Version::V2,
            signature: self.algorithm(),
            issuer: self.name()?,
            this_update: at,
            next_update: moment(now + ROOT_VALIDITY)?,
            revoked_certificates: revoked.iter().map(entry).collect(),
            crl_extensions: vec![extension(&self.key_identifier()?, false)?, extension(&number, false)?],
        };
        CertificateList {
            signature: self.sign(&tbs_cert_list.to_der()?)?,
            tbs_cert_list,
            signature_algorithm: self.algorithm(),
        }
        .to_der()
    }
}
