//! The software token's certificates: a test root, and a fictional person's.

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::ID_KP_CLIENT_AUTH;
use const_oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_EC_PUBLIC_KEY, SECP_256_R_1, SECP_384_R_1};
use der::asn1::{Any, BitString, OctetString, SetOfVec};
use der::flagset::FlagSet;
use der::{DateTime, Encode, Sequence, Tag};
use plugin_protocol::TEST_ORGANIZATION;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{EcdsaKeyPair, KeyPair};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};
use time::{Duration, OffsetDateTime};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::certpolicy::PolicyInformation;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::{Time, Validity};

use super::rsa::RSA_ENCRYPTION;
use crate::certificate::Role;

/// How long a person's certificate is valid.
pub(super) const VALIDITY: Duration = Duration::days(2 * 365);
/// How long the root is.
pub(super) const ROOT_VALIDITY: Duration = Duration::days(20 * 365);
/// Clocks of a portal and of this machine may differ by so much.
const SKEW: Duration = Duration::hours(1);

/// Protection class КС1 as a certificate policy, which qualified certificates must name.
const POLICY_KC1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.643.100.113.1");

/// What a certificate's key is; the public key's bits come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    P256,
    P384,
}

/// TBSCertificate (RFC 5280 section 4.1), version 3.
#[derive(Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0")]
    version: Version,
    serial_number: SerialNumber,
    signature: AlgorithmIdentifierOwned,
    issuer: RdnSequence,
    validity: Validity,
    subject: RdnSequence,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3")]
    extensions: Extensions,
}

/// Certificate (RFC 5280 section 4.1).
#[derive(Sequence)]
struct Certificate {
    tbs_certificate: TbsCertificate,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// The test root's own certificate, DER.
pub(super) fn root(key: &EcdsaKeyPair, now: OffsetDateTime) -> der::Result<Vec<u8>> {
    let public = key.public_key().as_ref();
    let name = root_name()?;
    let extensions = vec![
        extension(
            &BasicConstraints {
                ca: true,
                path_len_constraint: Some(0),
            },
            true,
        )?,
        extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), true)?,
        extension(&key_identifier(public)?, false)?,
    ];
    issue(
        key,
        name,
        spki(Kind::P256, public)?,
        validity(now, ROOT_VALIDITY)?,
        extensions,
    )
}

/// A person's certificate for `role`, DER, issued by the root with `key`.
pub(super) fn person(
    key: &EcdsaKeyPair,
    role: Role,
    kind: Kind,
    public: &[u8],
    now: OffsetDateTime,
) -> der::Result<Vec<u8>> {
    let usage: FlagSet<KeyUsages> = match role {
        Role::Authentication => KeyUsages::DigitalSignature.into(),
        Role::Signing => KeyUsages::NonRepudiation.into(),
    };
    let authority = AuthorityKeyIdentifier {
        key_identifier: Some(key_identifier(key.public_key().as_ref())?.0),
        ..AuthorityKeyIdentifier::default()
    };
    let policy = PolicyInformation {
        policy_identifier: POLICY_KC1,
        policy_qualifiers: None,
    };
    let mut extensions = vec![
        extension(
            &BasicConstraints {
                ca: false,
                path_len_constraint: None,
            },
            true,
        )?,
        extension(&KeyUsage(usage), true)?,
        extension(&key_identifier(public)?, false)?,
        extension(&authority, false)?,
        extension(&CertificatePolicies(vec![policy]), false)?,
    ];
    if role == Role::Authentication {
        extensions.push(extension(&ExtendedKeyUsage(vec![ID_KP_CLIENT_AUTH]), false)?);
    }
    issue(
        key,
        person_name()?,
        spki(kind, public)?,
        validity(now, VALIDITY)?,
        extensions,
    )
}

fn issue(
    key: &EcdsaKeyPair,
    subject: RdnSequence,
    spki: SubjectPublicKeyInfoOwned,
    validity: Validity,
    extensions: Extensions,
) -> der::Result<Vec<u8>> {
    let algorithm = AlgorithmIdentifierOwned {
        oid: ECDSA_WITH_SHA_256,
        parameters: None,
    };
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: serial()?,
        signature: algorithm.clone(),
        issuer: root_name()?,
        validity,
        subject,
        subject_public_key_info: spki,
        extensions,
    };
    let signature = key.sign(&SystemRandom::new(), &tbs_certificate.to_der()?);
    let signature = signature.map_err(|_| der::Error::from(der::ErrorKind::Failed))?;
    let signature = BitString::from_bytes(signature.as_ref())?;
    Certificate {
        tbs_certificate,
        signature_algorithm: algorithm,
        signature,
    }
    .to_der()
}

/// 16 random octets, positive.
fn serial() -> der::Result<SerialNumber> {
    let mut octets = [0; 16];
    SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| der::Error::from(der::ErrorKind::Failed))?;
    octets[0] = octets[0] & 0x3F | 0x40;
    SerialNumber::new(&octets)
}

fn validity(now: OffsetDateTime, length: Duration) -> der::Result<Validity> {
    Ok(Validity::new(moment(now - SKEW)?, moment(now + length)?))
}

/// UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5).
fn moment(time: OffsetDateTime) -> der::Result<Time> {
    let seconds = u64::try_from(time.unix_timestamp()).map_err(|_| der::ErrorKind::DateTime)?;
    Ok(Time::from(DateTime::from_unix_duration(
        std::time::Duration::from_secs(seconds),
    )?))
}

fn spki(kind: Kind, public: &[u8]) -> der::Result<SubjectPublicKeyInfoOwned> {
    let (oid, parameters) = match kind {
        Kind::Rsa => (RSA_ENCRYPTION, Any::null()),
        Kind::P256 => (ID_EC_PUBLIC_KEY, Any::encode_from(&SECP_256_R_1)?),
        Kind::P384 => (ID_EC_PUBLIC_KEY, Any::encode_from(&SECP_384_R_1)?),
    };
    let algorithm = AlgorithmIdentifierOwned {
        oid,
        parameters: Some(parameters),
    };
    Ok(SubjectPublicKeyInfoOwned {
        algorithm,
        subject_public_key: BitString::from_bytes(public)?,
    })
}

/// Method 1 of RFC 7093: the leftmost 160 bits of SHA-256 of the public key's bits.
fn key_identifier(public: &[u8]) -> der::Result<SubjectKeyIdentifier> {
    Ok(SubjectKeyIdentifier(OctetString::new(
        &plugin_protocol::encoding::sha256(public)[..20],
    )?))
}

fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> der::Result<Extension> {
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

fn root_name() -> der::Result<RdnSequence> {
    name(&[
        ("2.5.4.6", Tag::PrintableString, "RU"),
        ("2.5.4.10", Tag::Utf8String, TEST_ORGANIZATION),
        ("2.5.4.3", Tag::Utf8String, "eid-agent software token"),
    ])
}

/// Nobody: the СНИЛС and the ИНН are the published examples of their check digits.
fn person_name() -> der::Result<RdnSequence> {
    name(&[
        ("2.5.4.6", Tag::PrintableString, "RU"),
        ("2.5.4.4", Tag::Utf8String, "Образцова"),
        ("2.5.4.42", Tag::Utf8String, "Вера Тестовна"),
        ("2.5.4.3", Tag::Utf8String, "Образцова Вера Тестовна"),
        ("1.2.643.100.3", Tag::NumericString, "11223344595"),
        ("1.2.643.3.131.1.1", Tag::NumericString, "500100732259"),
    ])
}

fn name(attributes: &[(&str, Tag, &str)]) -> der::Result<RdnSequence> {
    let mut name = RdnSequence::default();
    for (oid, tag, value) in attributes {
        let oid = ObjectIdentifier::new(oid).map_err(|_| der::Error::from(der::ErrorKind::Failed))?;
        let attribute = AttributeTypeAndValue {
            oid,
            value: Any::new(*tag, value.as_bytes())?,
        };
        name.push(RelativeDistinguishedName::from(SetOfVec::try_from(vec![attribute])?));
    }
    Ok(name)
}
