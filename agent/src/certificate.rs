//! What a certificate says: for the person to read and for the use case to choose.

mod card;
mod qualified;

use gost3410::{Algorithm, ObjectIdentifier, ParameterSet};
use plugin_protocol::TEST_ORGANIZATION;
use plugin_protocol::qualified::QualifiedFacts;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// What a key's certificate lets it do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// digitalSignature: confirms identity, signs in.
    Authentication,
    /// nonRepudiation (contentCommitment): signs documents.
    Signing,
}

/// Why a certificate is shown but not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// A certification authority's own.
    Authority,
    /// Its key usage does not allow this.
    WrongUsage,
}

/// A certificate as the person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Common name, or the whole subject where there is none.
    pub name: String,
    /// Organization of the subject, if any.
    pub organization: Option<String>,
    /// Common name of the issuer.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// What kind of key it is of, in the field's own names: "P-256", "RSA 2048",
    /// "GOST R 34.10-2012, 256 bit, TC26 A".
    pub key: String,
    /// Begin of validity.
    pub not_before: OffsetDateTime,
    /// End of validity.
    pub not_after: OffsetDateTime,
    /// What it says in the form of Russian qualified certificates.
    pub qualified: QualifiedFacts,
    /// Issued by a test authority.
    pub test: bool,
    digital_signature: bool,
    non_repudiation: bool,
    authority: bool,
}

impl Summary {
    /// Reads a DER certificate, or the CV certificate of a universal card; `None` if it is neither.
    pub fn read(der: &[u8]) -> Option<Self> {
        if is_cv_certificate(der) {
            return card::summary(der);
        }
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let usage = certificate.key_usage().ok()?.map(|usage| usage.value);
        let name = |name: &x509_parser::x509::X509Name| {
            let common = name
                .iter_common_name()
                .next()
                .and_then(|value| value.as_str().ok())
                .map(str::to_owned);
            common.unwrap_or_else(|| name.to_string())
        };
        let organization = |name: &x509_parser::x509::X509Name| {
            name.iter_organization()
                .next()
                .and_then(|value| value.as_str().ok())
                .map(str::to_owned)
        };
        Some(Self {
            name: name(certificate.subject()),
            organization: organization(certificate.subject()),
            issuer: name(certificate.issuer()),
            serial: plugin_protocol::encoding::hex(certificate.raw_serial()),
            key: kind_of_key(certificate.public_key()),
            not_before: certificate.validity().not_before.to_datetime(),
            not_after: certificate.validity().not_after.to_datetime(),
            qualified: qualified::facts(&certificate),
            test: organization(certificate.issuer()).as_deref() == Some(TEST_ORGANIZATION),
            digital_signature: usage.as_ref().is_some_and(|usage| usage.digital_signature()),
            non_repudiation: usage.as_ref().is_some_and(|usage| usage.non_repudiation()),
            authority: certificate.is_ca(),
        })
    }

    /// Whether it may be offered for `role` at `now`, and if not, why.
    ///
    /// A qualified certificate commonly has both usages: it serves both roles. One
    /// with nonRepudiation alone never confirms, one without it never signs documents.
    pub fn fit(&self, role: Role, now: OffsetDateTime) -> Result<(), Unfit> {
        let usage = match role {
            Role::Authentication => self.digital_signature,
            Role::Signing => self.non_repudiation,
        };
        match () {
            () if self.authority => Err(Unfit::Authority),
            () if !usage => Err(Unfit::WrongUsage),
            () if now < self.not_before => Err(Unfit::NotYetValid),
            () if now > self.not_after => Err(Unfit::Expired),
            () => Ok(()),
        }
    }
}

/// Whether this is the CV certificate of a universal electronic card (`7F21`), which is no DER of X.509.
pub(crate) fn is_cv_certificate(certificate: &[u8]) -> bool {
    certificate.starts_with(&[0x7F, 0x21])
}

/// The curve or the length of a key; of a kind that is not known here, its algorithm's OID.
fn kind_of_key(key: &SubjectPublicKeyInfo<'_>) -> String {
    if let Some(gost) = gost_key(key) {
        return gost;
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
    match (key.parsed(), curve.map(|oid| oid.to_id_string()).as_deref()) {
        (Ok(PublicKey::RSA(rsa)), _) => format!("RSA {}", rsa.key_size()),
        (Ok(PublicKey::EC(_)), Some("1.2.840.10045.3.1.7")) => "P-256".to_owned(),
        (Ok(PublicKey::EC(_)), Some("1.3.132.0.34")) => "P-384".to_owned(),
        (Ok(PublicKey::EC(_)), Some("1.3.132.0.35")) => "P-521".to_owned(),
        _ => key.algorithm.algorithm.to_id_string(),
    }
}

/// The algorithm of a GOST key, by its OID.
pub(crate) fn gost_algorithm(key: &SubjectPublicKeyInfo<'_>) -> Option<Algorithm> {
    let oid = ObjectIdentifier::new(&key.algorithm.algorithm.to_id_string()).ok()?;
    Algorithm::from_key_oid(&oid)
}

/// A GOST key: the standard, the size and, where it is a known one, the parameter set.
fn gost_key(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let standard = match gost_algorithm(key)? {
        Algorithm::Gost2001 => "GOST R 34.10-2001",
        Algorithm::Gost2012_256 => "GOST R 34.10-2012, 256 bit",
        Algorithm::Gost2012_512 => "GOST R 34.10-2012, 512 bit",
    };
    let set = gost_parameters(key).map(|set| format!(", {}", set_name(set)));
    Some(format!("{standard}{}", set.unwrap_or_default()))
}

/// The first member of the parameters (RFC 9215 section 4.2): the set's OID.
fn gost_parameters(key: &SubjectPublicKeyInfo<'_>) -> Option<ParameterSet> {
    let parameters = key.algorithm.parameters.as_ref()?;
    let (_, oid) = x509_parser::der_parser::der::parse_der_oid(parameters.data).ok()?;
    let oid = ObjectIdentifier::new(&oid.as_oid().ok()?.to_id_string()).ok()?;
    ParameterSet::from_oid(&oid)
}

/// The set as people call it; its own name is twice as long as a window has room for.
fn set_name(set: ParameterSet) -> &'static str {
    match set {
        ParameterSet::CryptoProTest | ParameterSet::Tc26_512Test => "test set",
        ParameterSet::CryptoProA => "CryptoPro A",
        ParameterSet::CryptoProB => "CryptoPro B",
        ParameterSet::CryptoProC => "CryptoPro C",
        ParameterSet::CryptoProXchA => "CryptoPro XchA",
        ParameterSet::CryptoProXchB => "CryptoPro XchB",
        ParameterSet::Tc26_256A | ParameterSet::Tc26_512A => "TC26 A",
        ParameterSet::Tc26_256B | ParameterSet::Tc26_512B => "TC26 B",
        ParameterSet::Tc26_256C | ParameterSet::Tc26_512C => "TC26 C",
        ParameterSet::Tc26_256D => "TC26 D",
    }
}
