//! The software token's certificates: a test root, and a fictional person's.

use std::io;

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::ID_KP_CLIENT_AUTH;
use const_oid::db::rfc5912::{ECDSA_WITH_SHA_256, ID_EC_PUBLIC_KEY, SECP_256_R_1, SECP_384_R_1};
use der::asn1::{Any, BitString, OctetString, OctetStringRef, SetOfVec};
use der::flagset::FlagSet;
use der::{DateTime, Decode, Encode, Sequence, Tag};
use gost3410::{Algorithm, ParameterSet, PublicKey, SecretKey};
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

use super::key::Family;
use super::person::Person;
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
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
    /// GOST R 34.10-2012 on a parameter set.
    Gost(Algorithm, ParameterSet),
}

impl Kind {
    pub(super) fn family(self) -> Family {
        match self {
            Self::Rsa => Family::Rsa,
            Self::P256 | Self::P384 => Family::Ecdsa,
            Self::Gost(algorithm, _) => Family::Gost(algorithm),
        }
    }
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

/// A test authority: a key and a name of [`TEST_ORGANIZATION`].
pub(crate) struct Authority {
    key: AuthorityKey,
    common_name: &'static str,
}

/// What an authority signs with.
enum AuthorityKey {
    P256(Box<EcdsaKeyPair>),
    Gost(Box<SecretKey>),
}

impl AuthorityKey {
    fn read(root: Root, pkcs8: &[u8]) -> io::Result<Self> {
        match root {
            Root::Ecdsa => super::store::pair(pkcs8).map(|pair| Self::P256(Box::new(pair))),
            Root::Gost => match SecretKey::from_pkcs8_der(pkcs8) {
                Ok(key) => Ok(Self::Gost(Box::new(key))),
                Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            },
        }
    }

    /// The kind, and the bits of the public key.
    fn public(&self) -> der::Result<(Kind, Vec<u8>)> {
        match self {
            Self::P256(key) => Ok((Kind::P256, key.public_key().as_ref().to_vec())),
            Self::Gost(key) => {
                let key = key.public_key();
                let bits = OctetStringRef::new(&key.to_x509())?.to_der()?;
                Ok((Kind::Gost(key.algorithm(), key.parameter_set()), bits))
            }
        }
    }
}

/// The token's authorities: every chain is of one family of algorithms, as a portal expects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// P-256; it issues for RSA keys too.
    Ecdsa,
    /// GOST R 34.10-2012.
    Gost,
}

impl Root {
    /// The stem of its files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ecdsa => "root",
            Self::Gost => "gost-root",
        }
    }

    const fn common_name(self) -> &'static str {
        match self {
            Self::Ecdsa => "eid-agent software token",
            Self::Gost => "eid-agent software token, GOST",
        }
    }

    /// The kind of its key.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Ecdsa => Kind::P256,
            Self::Gost => Kind::Gost(Algorithm::Gost2012_256, ParameterSet::Tc26_256A),
        }
    }
}

/// What a person's certificate is to say.
pub(crate) struct Wish<'a> {
    pub(crate) person: &'a Person,
    pub(crate) role: Role,
    /// Its first and last moment.
    pub(crate) validity: (OffsetDateTime, OffsetDateTime),
    /// A serial number of its own; random where there is none.
    pub(crate) serial: Option<SerialNumber>,
}

/// The validity of a new certificate of a person.
pub(crate) fn validity_from(now: OffsetDateTime) -> (OffsetDateTime, OffsetDateTime) {
    (now - SKEW, now + VALIDITY)
}

impl Authority {
    /// The software token's own, with its key in PKCS#8.
    pub(super) fn new(root: Root, pkcs8: &[u8]) -> io::Result<Self> {
        Ok(Self {
            key: AuthorityKey::read(root, pkcs8)?,
            common_name: root.common_name(),
        })
    }

    /// Another one of the same family, with a new key that is kept nowhere.
    pub(crate) fn stranger(root: Root, common_name: &'static str) -> io::Result<Self> {
        let key = AuthorityKey::read(root, &super::store::generate(root.kind())?)?;
        Ok(Self { key, common_name })
    }

    /// Its own certificate, DER.
    pub(crate) fn root(&self, now: OffsetDateTime) -> der::Result<Vec<u8>> {
        let (kind, public) = self.key.public()?;
        let constraints = BasicConstraints {
            ca: true,
            path_len_constraint: Some(0),
        };
        let extensions = vec![
            extension(&constraints, true)?,
            extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), true)?,
            extension(&key_identifier(&public)?, false)?,
        ];
        let validity = validity((now - SKEW, now + ROOT_VALIDITY))?;
        self.issue(serial()?, self.name()?, spki(kind, &public)?, validity, extensions)
    }

    /// A person's certificate, DER.
    pub(crate) fn person(&self, wish: &Wish<'_>, kind: Kind, public: &[u8]) -> der::Result<Vec<u8>> {
        let usage: FlagSet<KeyUsages> = match wish.role {
            Role::Authentication => KeyUsages::DigitalSignature.into(),
            Role::Signing => KeyUsages::NonRepudiation.into(),
        };
        let policy = PolicyInformation {
            policy_identifier: POLICY_KC1,
            policy_qualifiers: None,
        };
        let constraints = BasicConstraints {
            ca: false,
            path_len_constraint: None,
        };
        let mut extensions = vec![
            extension(&constraints, true)?,
            extension(&KeyUsage(usage), true)?,
            extension(&key_identifier(public)?, false)?,
            extension(&self.key_identifier()?, false)?,
            extension(&CertificatePolicies(vec![policy]), false)?,
        ];
        if wish.role == Role::Authentication {
            extensions.push(extension(&ExtendedKeyUsage(vec![ID_KP_CLIENT_AUTH]), false)?);
        }
        let serial = wish.serial.clone().map_or_else(serial, Ok)?;
        let subject = wish.person.subject()?;
        self.issue(
            serial,
            subject,
            spki(kind, public)?,
            validity(wish.validity)?,
            extensions,
        )
    }

    /// Names its key in what it issues.
    pub(super) fn key_identifier(&self) -> der::Result<AuthorityKeyIdentifier> {
        Ok(AuthorityKeyIdentifier {
            key_identifier: Some(key_identifier(&self.key.public()?.1)?.0),
            ..AuthorityKeyIdentifier::default()
        })
    }

    pub(super) fn name(&self) -> der::Result<RdnSequence> {
        name(&[
            ("2.5.4.6", Tag::PrintableString, "RU"),
            ("2.5.4.10", Tag::Utf8String, TEST_ORGANIZATION),
            ("2.5.4.3", Tag::Utf8String, self.common_name),
        ])
    }

    fn issue(
        &self,
        serial_number: SerialNumber,
        subject: RdnSequence,
        spki: SubjectPublicKeyInfoOwned,
        validity: Validity,
        extensions: Extensions,
    ) -> der::Result<Vec<u8>> {
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number,
            signature: self.algorithm(),
            issuer: self.name()?,
            validity,
            subject,
            subject_public_key_info: spki,
            extensions,
        };
        Certificate {
            signature: self.sign(&tbs_certificate.to_der()?)?,
            tbs_certificate,
            signature_algorithm: self.algorithm(),
        }
        .to_der()
    }

    /// A signature over DER, as certificates and CRLs carry it.
    pub(super) fn sign(&self, tbs: &[u8]) -> der::Result<BitString> {
        let failed = || der::Error::from(der::ErrorKind::Failed);
        match &self.key {
            AuthorityKey::P256(key) => {
                let signature = key.sign(&SystemRandom::new(), tbs).map_err(|_| failed())?;
                BitString::from_bytes(signature.as_ref())
            }
            AuthorityKey::Gost(key) => {
                let signature = key.sign_message(tbs).map_err(|_| failed())?;
                BitString::from_bytes(&signature.to_x509())
            }
        }
    }

    /// What it signs with; neither has parameters (RFC 5758 section 3.2, RFC 9215 section 3).
    pub(super) fn algorithm(&self) -> AlgorithmIdentifierOwned {
        let oid = match &self.key {
            AuthorityKey::P256(_) => ECDSA_WITH_SHA_256,
            AuthorityKey::Gost(key) => key.public_key().algorithm().signature_oid(),
        };
        AlgorithmIdentifierOwned { oid, parameters: None }
    }
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

fn validity((begin, end): (OffsetDateTime, OffsetDateTime)) -> der::Result<Validity> {
    Ok(Validity::new(moment(begin)?, moment(end)?))
}

/// UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5).
pub(super) fn moment(time: OffsetDateTime) -> der::Result<Time> {
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
        Kind::Gost(algorithm, set) => {
            let point = <&OctetStringRef>::from_der(public)?;
            let key = PublicKey::from_x509(algorithm, set, point.as_bytes());
            let key = key.map_err(|_| der::Error::from(der::ErrorKind::Failed))?;
            return SubjectPublicKeyInfoOwned::from_der(&key.to_spki_der());
        }
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

pub(super) fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> der::Result<Extension> {
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

pub(super) fn name(attributes: &[(&str, Tag, &str)]) -> der::Result<RdnSequence> {
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
