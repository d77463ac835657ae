//! The structure of a PKCS#12 file (RFC 7292 section 4), in DER.

use cms::content_info::ContentInfo;
use cms::encrypted_data::EncryptedData;
use der::asn1::{OctetString, OctetStringRef};
use der::{Any, Decode, Encode, Sequence};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier};
use zeroize::Zeroizing;

use super::pbe::{Closed, MacData, decrypt, verify};

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
const KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
const SHROUDED_KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const CERTIFICATE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");

/// PFX.
#[derive(Sequence)]
struct Pfx {
    version: u8,
    auth_safe: ContentInfo,
    #[asn1(optional = "true")]
    mac_data: Option<MacData>,
}

/// SafeBag; its attributes (names, identifiers) are not needed: keys are found by their public half.
#[derive(Sequence)]
struct SafeBag {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0")]
    value: Any,
    #[asn1(optional = "true")]
    attributes: Option<Any>,
}

/// CertBag.
#[derive(Sequence)]
struct CertificateBag {
    id: ObjectIdentifier,
    #[asn1(context_specific = "0")]
    value: OctetString,
}

/// EncryptedPrivateKeyInfo (RFC 5208 section 6).
#[derive(Sequence)]
struct EncryptedKey {
    algorithm: AlgorithmIdentifierOwned,
    data: OctetString,
}

/// What a password opens.
#[derive(Default)]
pub(super) struct Contents {
    /// DER.
    pub(super) certificates: Vec<Vec<u8>>,
    /// PKCS#8, DER.
    pub(super) keys: Vec<Zeroizing<Vec<u8>>>,
}

/// A file whose outer structure is right.
pub(super) struct File {
    pfx: Pfx,
    content: Vec<u8>,
    safes: Vec<ContentInfo>,
}

impl File {
    /// Reads the outer structure; a file in BER is refused with what helps.
    pub(super) fn parse(der: &[u8]) -> Result<Self, String> {
        let wrong =
            |error: der::Error| format!("is no PKCS#12 file in DER ({error}); `openssl pkcs12` can write it anew");
        let pfx = Pfx::from_der(der).map_err(wrong)?;
        if pfx.version != 3 || pfx.auth_safe.content_type != DATA {
            return Err("is a PKCS#12 file of a kind that is not supported (signed, or of another version)".to_owned());
        }
        let content = octets(&pfx.auth_safe.content).map_err(wrong)?;
        let safes = Vec::<ContentInfo>::from_der(&content).map_err(wrong)?;
        Ok(Self { pfx, content, safes })
    }

    /// The certificates that are there for everyone to read.
    pub(super) fn public_certificates(&self) -> Vec<Vec<u8>> {
        let plain = self.safes.iter().filter(|safe| safe.content_type == DATA);
        let mut contents = Contents::default();
        for safe in plain {
            // A key among them stays closed; only what is open is taken.
            let bags = octets(&safe.content).and_then(|octets| Vec::<SafeBag>::from_der(&octets));
            for bag in bags.unwrap_or_default().iter().filter(|bag| bag.id == CERTIFICATE_BAG) {
                let _ = contents.take(bag, "");
            }
        }
        contents.certificates
    }

    /// Opens everything with the password.
    pub(super) fn open(&self, password: &str) -> Result<Contents, Closed> {
        if let Some(mac) = &self.pfx.mac_data {
            verify(mac, password, &self.content)?;
        }
        let mut contents = Contents::default();
        for safe in &self.safes {
            let opened = open_safe(safe, password)?;
            // A wrong password may decrypt to padding that looks right, where no MAC told before.
            for bag in Vec::<SafeBag>::from_der(&opened).map_err(|_| Closed::Password)? {
                contents.take(&bag, password)?;
            }
        }
        Ok(contents)
    }
}

impl Contents {
    fn take(&mut self, bag: &SafeBag, password: &str) -> Result<(), Closed> {
        let broken = |_: der::Error| Closed::Unsupported("a broken entry".to_owned());
        let value = Zeroizing::new(bag.value.to_der().map_err(broken)?);
        match bag.id {
            KEY_BAG => self.keys.push(value),
            SHROUDED_KEY_BAG => {
                let key = EncryptedKey::from_der(&value).map_err(broken)?;
                self.keys.push(decrypt(&key.algorithm, password, key.data.as_bytes())?);
            }
            CERTIFICATE_BAG => {
                let certificate = CertificateBag::from_der(&value).map_err(broken)?;
                if certificate.id == X509_CERTIFICATE {
                    self.certificates.push(certificate.value.into_bytes().to_vec());
                }
            }
            // CRLs, secrets and nested safes are of no use here.
            _ => {}
        }
        Ok(())
    }
}

fn open_safe(safe: &ContentInfo, password: &str) -> Result<Zeroizing<Vec<u8>>, Closed> {
    let broken = |_: der::Error| Closed::Unsupported("a broken part".to_owned());
    match safe.content_type {
        DATA => octets(&safe.content).map(Zeroizing::new).map_err(broken),
        ENCRYPTED_DATA => {
            let der = safe.content.to_der().map_err(broken)?;
            let info = EncryptedData::from_der(&der).map_err(broken)?.enc_content_info;
            let ciphertext = info
                .encrypted_content
                .ok_or(Closed::Unsupported("a part without content".to_owned()))?;
            decrypt(&info.content_enc_alg, password, ciphertext.as_bytes())
        }
        other => Err(Closed::Unsupported(format!("a part of type {other}"))),
    }
}

/// The content of an OCTET STRING.
fn octets(any: &Any) -> der::Result<Vec<u8>> {
    let der = any.to_der()?;
    <&OctetStringRef>::from_der(&der).map(|octets| octets.as_bytes().to_vec())
}
