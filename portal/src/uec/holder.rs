//! The holder's signature: made with PIN2, verified with an X.509 certificate from the card.

use der::Encode;
use plugin_protocol::encoding::from_base64;
use plugin_protocol::uec::{UecApplication, UecHolder};
use x509_cert::ext::pkix::KeyUsages;

use super::suite::{ByteOrder, UecSuite};
use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::path;
use crate::revocation::CertificateStatus;
use crate::subject::Subject;
use crate::verify::Context;

/// A signature of the card's holder that fits the key in a certificate.
#[derive(Clone, Debug)]
pub struct HolderSignature {
    certificate: Certificate,
    subject: Subject,
    order: ByteOrder,
    path: HolderPath,
}

/// What is known of the certificate of a holder's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HolderPath {
    /// It leads to one of the policy's trust anchors. GOST R 34.10-2001 was taken on the way.
    Valid {
        /// The authorities' certificates (DER), from its issuer up to the trust anchor.
        path: Vec<Vec<u8>>,
        /// What is known of revocation, the signer's first, the anchor left out.
        revocation: Vec<CertificateStatus>,
        /// It ends at a test root.
        test: bool,
    },
    /// It leads to nobody this portal knows: anyone may have made it.
    Unknown,
}

impl HolderSignature {
    /// Names and numbers in the certificate; as good as its [`path`](Self::path).
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// Which order of octets fitted: no source says which one a card has.
    pub fn byte_order(&self) -> ByteOrder {
        self.order
    }

    /// Whether the certificate leads to somebody the portal trusts.
    pub fn path(&self) -> &HolderPath {
        &self.path
    }

    /// Whether the signer is known to be the card's person: a valid path, and the card's SNILS in the certificate.
    pub fn is_proven(&self) -> bool {
        matches!(self.path, HolderPath::Valid { .. }) && self.subject.snils().is_some()
    }

    /// Verifies it over `hash`, the value of `DF02`.
    pub(super) fn verify(
        holder: &UecHolder,
        hash: &[u8],
        card: (UecApplication, UecSuite),
        snils: &str,
        demanded: bool,
        context: &Context<'_>,
    ) -> Result<Self, VerifyError> {
        if card != (UecApplication::V11, UecSuite::Gost) {
            return Err(VerifyError::Malformed(
                "no card of this kind makes a holder's signature",
            ));
        }
        let signature = from_base64(&holder.signature).ok_or(NOT_BASE64)?;
        let certificates: Result<Vec<_>, _> = holder.certificates.iter().enumerate().map(read).collect();
        let mut certificates = certificates?.into_iter();
        let signer = certificates
            .next()
            .ok_or(VerifyError::Malformed("the holder's signature has no certificate"))?;
        let extra: Vec<_> = certificates.collect();
        check_fitness(&signer)?;
        let subject = Subject::from_name(signer.subject());
        check_snils(&subject, snils, demanded)?;
        let order = fitting_order(&signer, hash, &signature, context)?;
        let path = find_path(&signer, &extra, demanded, context)?;
        Ok(Self {
            certificate: signer,
            subject,
            order,
            path,
        })
    }
}

const NOT_BASE64: VerifyError = VerifyError::Malformed("a member of the holder's signature is not base64");

fn read((index, text): (usize, &String)) -> Result<Certificate, VerifyError> {
    let place = if index == 0 { Place::Signer } else { Place::Intermediate };
    Certificate::from_der(&from_base64(text).ok_or(NOT_BASE64)?, place)
}

/// A person's certificate whose key may sign.
fn check_fitness(signer: &Certificate) -> Result<(), VerifyError> {
    if signer.subject().is_empty() {
        return Err(VerifyError::CertificateEncoding(
            Place::Signer,
            "the subject's name is empty",
        ));
    }
    if signer.is_authority() {
        return Err(VerifyError::CertificateIsAuthority);
    }
    let usages = [KeyUsages::DigitalSignature, KeyUsages::NonRepudiation];
    if !usages.into_iter().any(|usage| signer.key_usage_has(usage)) {
        return Err(VerifyError::KeyUsage);
    }
    Ok(())
}

/// The certificate's SNILS is the card's; it may lack one where nothing is concluded from it.
fn check_snils(subject: &Subject, snils: &str, demanded: bool) -> Result<(), VerifyError> {
    let unusable = subject.unusable().contains(&"SNILS");
    match subject.snils() {
        Some(found) if found == snils => Ok(()),
        None if !unusable && !demanded => Ok(()),
        _ => Err(VerifyError::SnilsMismatch),
    }
}

fn fitting_order(
    signer: &Certificate,
    hash: &[u8],
    signature: &[u8],
    context: &Context<'_>,
) -> Result<ByteOrder, VerifyError> {
    let key = signer.spki().to_der().ok();
    let key = key.and_then(|der| gost3410::PublicKey::from_spki_der(&der).ok());
    let key = key.filter(|key| key.algorithm() == gost3410::Algorithm::Gost2001);
    let key = key.ok_or(VerifyError::KeyNotAccepted(Place::Signer))?;
    // The order of the card's own version first.
    for order in [ByteOrder::LittleEndian, ByteOrder::BigEndian] {
        context.work.check_signature()?;
        if order.verifies(&key, hash, signature) {
            return Ok(order);
        }
    }
    Err(VerifyError::HolderSignature(
        "it does not verify with its certificate's key",
    ))
}

/// A certificate that is known to be bad is refused; one that nobody here knows, only where it is demanded.
fn find_path(
    signer: &Certificate,
    extra: &[Certificate],
    demanded: bool,
    context: &Context<'_>,
) -> Result<HolderPath, VerifyError> {
    match path::find_with_ended(signer, extra, context.policy, context.now, context.work) {
        Ok(found) => {
            let above = found.intermediates.iter().copied().chain([found.anchor]);
            Ok(HolderPath::Valid {
                path: above.map(|certificate| certificate.der().to_vec()).collect(),
                revocation: found.revocation,
                test: found.test,
            })
        }
        Err(VerifyError::UnknownIssuer) if !demanded => Ok(HolderPath::Unknown),
        Err(error) => Err(error),
    }
}
