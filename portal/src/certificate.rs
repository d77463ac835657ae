//! A certificate as it came in: parsed, checked for form, not yet trusted.

use certval::{ExtensionProcessing, PDVCertificate, PDVExtension};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280;
use der::Decode;
use der::asn1::UintRef;
use spki::SubjectPublicKeyInfoOwned;
use time::OffsetDateTime;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::KeyUsages;
use x509_cert::name::Name;

use crate::error::{Place, VerifyError};
use crate::signature::{CheckedKey, KeyKind, PublicKey, Scheme, SignatureError, ended_algorithm};

/// Largest certificate read, bytes.
const MAX_CERTIFICATE: usize = 16 * 1024;
/// Largest serial number (RFC 5280 section 4.1.2.2), octets.
const MAX_SERIAL: usize = 20;

/// A certificate of proper form (RFC 5280 section 4.1). Nobody has verified its signature.
#[derive(Clone)]
pub struct Certificate {
    parsed: PDVCertificate,
    key: CheckedKey,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

impl Certificate {
    /// Parses DER and checks what needs no issuer: version, serial number, names, extensions.
    pub fn from_der(der: &[u8], place: Place) -> Result<Self, VerifyError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(VerifyError::CertificateEncoding(place, "larger than 16 KiB"));
        }
        let parsed =
            PDVCertificate::try_from(der).map_err(|_| VerifyError::CertificateEncoding(place, "not X.509 in DER"))?;
        let key = CheckedKey::default();
        let certificate = Self { parsed, key };
        certificate
            .check_form()
            .map_err(|what| VerifyError::CertificateEncoding(place, what))?;
        Ok(certificate)
    }

    fn check_form(&self) -> Result<(), &'static str> {
        let tbs = self.parsed.decoded().tbs_certificate();
        if tbs.version() != Version::V3 {
            return Err("not version 3");
        }
        check_serial(tbs.serial_number().as_bytes())?;
        if tbs.issuer().is_empty() {
            return Err("the issuer's name is empty");
        }
        if self.parsed.decoded().signature().unused_bits() != 0 {
            return Err("unused bits in the signature");
        }
        if self.parsed.decoded().signature_algorithm() != tbs.signature() {
            return Err("two different signature algorithms");
        }
        let extensions = self.extensions();
        for (index, extension) in extensions.iter().enumerate() {
            if extensions[..index]
                .iter()
                .any(|other| other.extn_id == extension.extn_id)
            {
                return Err("an extension is there twice");
            }
        }
        Ok(())
    }

    /// The certificate's own bytes.
    pub fn der(&self) -> &[u8] {
        self.parsed.as_bytes()
    }

    pub(crate) fn parsed(&self) -> &PDVCertificate {
        &self.parsed
    }

    /// The issuer's name.
    pub fn issuer(&self) -> &Name {
        self.parsed.decoded().tbs_certificate().issuer()
    }

    /// The subject's name.
    pub fn subject(&self) -> &Name {
        self.parsed.decoded().tbs_certificate().subject()
    }

    /// The serial number's octets, without a sign octet.
    pub fn serial(&self) -> &[u8] {
        magnitude(self.parsed.decoded().tbs_certificate().serial_number().as_bytes())
    }

    /// First and last moment of validity.
    pub fn validity(&self) -> (OffsetDateTime, OffsetDateTime) {
        let validity = self.parsed.decoded().tbs_certificate().validity();
        (to_time(&validity.not_before), to_time(&validity.not_after))
    }

    pub(crate) fn spki(&self) -> &SubjectPublicKeyInfoOwned {
        self.parsed.decoded().tbs_certificate().subject_public_key_info()
    }

    /// The public key, if it is of a kind and size this portal takes.
    pub(crate) fn public_key(&self, place: Place) -> Result<PublicKey<'_>, VerifyError> {
        let spki = self.spki();
        let key = self.key.read(spki).map_err(|error| match error {
            SignatureError::Ended(name) => VerifyError::AlgorithmEnded(place, name),
            _ => VerifyError::KeyNotAccepted(place),
        })?;
        let rsa = matches!(key.kind(), KeyKind::Rsa | KeyKind::RsaPss(_));
        if rsa && !rsa_size_accepted(spki.subject_public_key.raw_bytes()) {
            return Err(VerifyError::KeyNotAccepted(place));
        }
        Ok(key)
    }

    /// Whether the key is of GOST R 34.10-2001, whose use for signatures ended.
    pub(crate) fn has_ended_key(&self) -> bool {
        ended_algorithm(self.spki().algorithm.oid).is_some()
    }

    /// The key and what is known of it, to be used without the certificate.
    pub(crate) fn checked_key(&self) -> (SubjectPublicKeyInfoOwned, CheckedKey) {
        (self.spki().clone(), self.key.clone())
    }

    /// What the issuer signed this certificate with, if it is something this portal verifies.
    pub(crate) fn signature_scheme(&self, place: Place) -> Result<Scheme, VerifyError> {
        let identifier = self.parsed.decoded().signature_algorithm();
        if let Some(name) = ended_algorithm(identifier.oid) {
            return Err(VerifyError::AlgorithmEnded(place, name));
        }
        Scheme::from_identifier(identifier).ok_or(VerifyError::CertificateAlgorithm(place))
    }

    fn extensions(&self) -> &[Extension] {
        let extensions = self.parsed.decoded().tbs_certificate().extensions();
        extensions.map_or(&[], |extensions| extensions.as_slice())
    }

    fn extension(&self, oid: &ObjectIdentifier) -> Option<&PDVExtension> {
        self.parsed.get_extension(oid).ok().flatten()
    }

    /// The DER value of an extension, by its identifier.
    pub(crate) fn raw_extension(&self, oid: &ObjectIdentifier) -> Option<&[u8]> {
        let found = self.extensions().iter().find(|extension| extension.extn_id == *oid);
        found.map(|extension| extension.extn_value.as_bytes())
    }

    /// Whether keyUsage is there and has this bit.
    pub(crate) fn key_usage_has(&self, bit: KeyUsages) -> bool {
        matches!(self.extension(&rfc5280::ID_CE_KEY_USAGE), Some(PDVExtension::KeyUsage(usage)) if usage.0.contains(bit))
    }

    /// Whether basicConstraints says `cA` TRUE.
    pub(crate) fn is_authority(&self) -> bool {
        matches!(
            self.extension(&rfc5280::ID_CE_BASIC_CONSTRAINTS),
            Some(PDVExtension::BasicConstraints(constraints)) if constraints.ca
        )
    }

    /// extKeyUsage; `None` when absent.
    pub(crate) fn extended_key_usage(&self) -> Option<&[ObjectIdentifier]> {
        match self.extension(&rfc5280::ID_CE_EXT_KEY_USAGE) {
            Some(PDVExtension::ExtendedKeyUsage(usage)) => Some(&usage.0),
            _ => None,
        }
    }

    /// The identifiers in certificatePolicies; empty when absent.
    pub(crate) fn policies(&self) -> Vec<ObjectIdentifier> {
        match self.extension(&rfc5280::ID_CE_CERTIFICATE_POLICIES) {
            Some(PDVExtension::CertificatePolicies(policies)) => {
                policies.0.iter().map(|policy| policy.policy_identifier).collect()
            }
            _ => Vec::new(),
        }
    }

    /// subjectKeyIdentifier.
    pub(crate) fn subject_key_identifier(&self) -> Option<&[u8]> {
        match self.extension(&rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER) {
            Some(PDVExtension::SubjectKeyIdentifier(identifier)) => Some(identifier.0.as_bytes()),
            _ => None,
        }
    }

    /// keyIdentifier of authorityKeyIdentifier.
    pub(crate) fn authority_key_identifier(&self) -> Option<&[u8]> {
        match self.extension(&rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER) {
            Some(PDVExtension::AuthorityKeyIdentifier(identifier)) => identifier
                .key_identifier
                .as_ref()
                .map(|identifier| identifier.as_bytes()),
            _ => None,
        }
    }

    /// Whether `issuer` may have issued this certificate: its name fits, and its key identifier does not contradict.
    pub(crate) fn may_be_issued_by(&self, issuer: &Self) -> bool {
        let identifiers = self.authority_key_identifier().zip(issuer.subject_key_identifier());
        certval::compare_names(self.issuer(), issuer.subject())
            && identifiers.is_none_or(|(wanted, found)| wanted == found)
    }

    /// Whether the issuer or the subject is an organisation of this name.
    pub(crate) fn names_organization(&self, organization: &str) -> bool {
        let names = [self.issuer(), self.subject()];
        let mut attributes = names.into_iter().flat_map(Name::iter);
        attributes.any(|attribute| {
            attribute.oid == const_oid::db::rfc4519::ORGANIZATION_NAME
                && crate::subject::text_of(&attribute.value).is_some_and(|text| text == organization)
        })
    }
}

/// A positive INTEGER's octets without its sign octet, as serial numbers are compared.
pub(crate) fn magnitude(integer: &[u8]) -> &[u8] {
    match integer {
        [0, rest @ ..] if !rest.is_empty() => rest,
        _ => integer,
    }
}

fn check_serial(octets: &[u8]) -> Result<(), &'static str> {
    match octets {
        [] | [0] => Err("the serial number is zero"),
        [first, ..] if first & 0x80 != 0 => Err("the serial number is negative"),
        _ if octets.len() > MAX_SERIAL => Err("the serial number is longer than 20 octets"),
        _ => Ok(()),
    }
}

/// RSAPublicKey (RFC 8017 appendix A.1.1).
#[derive(der::Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// 2048 to 8192 bits and an odd exponent of at least 65537 (FIPS 186-5 section 5.4 (e)).
fn rsa_size_accepted(der: &[u8]) -> bool {
    let Ok(key) = RsaPublicKey::from_der(der) else {
        return false;
    };
    let bits = bit_length(key.modulus.as_bytes());
    let exponent = key.exponent.as_bytes();
    let odd = exponent.last().is_some_and(|octet| octet & 1 == 1);
    (2048..=8192).contains(&bits) && odd && (17..=33).contains(&bit_length(exponent))
}

fn bit_length(octets: &[u8]) -> usize {
    octets
        .first()
        .map_or(0, |first| octets.len() * 8 - first.leading_zeros() as usize)
}

fn to_time(time: &x509_cert::time::Time) -> OffsetDateTime {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
