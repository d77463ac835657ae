//! [`PathValidator`] over `certval`.
//!
//! What `certval` 0.2.0-rc.1 does not do, and how it is met here:
//! - it finds paths through stores of its own: not used, see [`super`];
//! - it leaves the trust anchor's own constraints to its caller: [`under_anchor`] brings them in;
//! - it does not tell why a signature failed, nor which algorithms it may use:
//!   [`super::Search`] checks the allow-list first, and the callback below verifies with [`crate::signature`];
//! - it knows no CertID in a GOST hash: [`cert_id`] writes them anew;
//! - it takes the first revocation source that answers: here every piece of evidence
//!   is asked, newest first, and "revoked" outweighs "good";
//! - delta CRLs, CRLs for some reasons, indirect CRLs, CRLs and OCSP responses by keys other than the
//!   issuer's and its delegates', and locally trusted responders are unsupported: the status stays unknown.

use std::collections::BTreeSet;
use std::sync::Arc;

use certval::{
    CertificationPath, CertificationPathResults, CertificationPathSettings, Error, PDVTrustAnchorChoice,
    PathValidationStatus as Status, PkiEnvironment, TimeOfInterest, check_revocation_local,
    enforce_trust_anchor_constraints, process_ocsp_response, validate_path_rfc5280,
};
use der::asn1::BitString;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use time::OffsetDateTime;

use super::cert_id::{self, Renamed};
use super::known::fingerprint;
use super::{Path, PathValidator};
use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::policy::{Policy, Rules};
use crate::revocation::{CertificateStatus, Evidence};
use crate::signature::{CheckedKey, Encoding, PublicKey, Scheme, ended_algorithm, verify_ended};
use crate::work::Work;

/// Validates paths with `certval`, and every signature with [`crate::signature`].
#[derive(Clone, Copy, Debug, Default)]
pub struct CertvalValidator;

impl PathValidator for CertvalValidator {
    fn validate(&self, path: &Path<'_>, now: OffsetDateTime, policy: &Policy, work: &Work) -> Result<(), VerifyError> {
        let certval_path = to_certval(path)?;
        let settings = under_anchor(settings(now, policy)?, &certval_path, path)?;
        let environment = environment(Verifier::new(path, policy, work));
        let mut results = CertificationPathResults::new();
        validate_path_rfc5280(&environment, &settings, &certval_path, &mut results).map_err(|error| {
            if work.exhausted() {
                return VerifyError::BudgetExceeded("signature checks");
            }
            let failed = results.get_failure_index().map(|index| index as usize);
            to_verify_error(error, failed, path)
        })
    }

    fn check_revocation(
        &self,
        path: &Path<'_>,
        now: OffsetDateTime,
        policy: &Policy,
        work: &Work,
    ) -> Result<Vec<CertificateStatus>, VerifyError> {
        if !policy.revocation.is_checked() {
            return Ok(path.links().map(|_| CertificateStatus::NotChecked).collect());
        }
        let inquiry = Inquiry {
            settings: settings(now, policy)?,
            verifier: Verifier::new(path, policy, work),
            policy,
            now,
        };
        let mut statuses = Vec::new();
        for (index, (subject, issuer)) in path.links().enumerate() {
            let place = if index == 0 { Place::Signer } else { Place::Intermediate };
            let status = inquiry.status_of(subject, issuer, place)?;
            if work.exhausted() {
                return Err(VerifyError::BudgetExceeded("signature checks"));
            }
            if status == CertificateStatus::Unknown && policy.revocation.is_required() {
                return Err(VerifyError::RevocationUnknown(place));
            }
            statuses.push(status);
        }
        Ok(statuses)
    }
}

/// The inputs of RFC 5280 section 6.1.1.
fn settings(now: OffsetDateTime, policy: &Policy) -> Result<CertificationPathSettings, VerifyError> {
    let mut settings = CertificationPathSettings::new();
    settings.set_time_of_interest(time_of_interest(now)?);
    settings.set_require_ta_store(false);
    settings.set_enforce_trust_anchor_constraints(true);
    if !policy.rules().required_policies.is_empty() {
        settings.set_initial_explicit_policy_indicator(true);
        let wanted: BTreeSet<_> = policy.rules().required_policies.iter().copied().collect();
        settings.set_initial_policy_set_from_oid_set(wanted);
    }
    Ok(settings)
}

/// The same, narrowed by what the trust anchor's own certificate says (RFC 5937 section 3.2).
///
/// `validate_path_rfc5280` itself looks at no extension of the anchor, whatever the settings say.
fn under_anchor(
    settings: CertificationPathSettings,
    certval_path: &CertificationPath,
    path: &Path<'_>,
) -> Result<CertificationPathSettings, VerifyError> {
    let narrowed =
        enforce_trust_anchor_constraints(&settings, &certval_path.trust_anchor).map_err(|error| match error {
            Error::Unrecognized => VerifyError::CriticalExtension(Place::Anchor),
            error => to_verify_error(error, Some(0), path),
        })?;
    // An empty set would mean "any policy" to what comes next.
    let nothing_left = narrowed.get_initial_policy_set_as_oid_set().is_empty();
    if nothing_left && settings.get_initial_explicit_policy_indicator() {
        return Err(VerifyError::PolicyMissing);
    }
    Ok(narrowed)
}

/// The epoch itself switches `certval`'s time checks off, so it and earlier moments are refused.
fn time_of_interest(now: OffsetDateTime) -> Result<TimeOfInterest, VerifyError> {
    u64::try_from(now.unix_timestamp())
        .ok()
        .filter(|seconds| *seconds > 0)
        .and_then(|seconds| TimeOfInterest::from_unix_secs(seconds).ok())
        .ok_or(VerifyError::CertificateNotYetValid(Place::Signer, now))
}

/// An environment that can do nothing but verify signatures of the allowed schemes, as often as the budget grants.
fn environment(verifier: Verifier) -> PkiEnvironment {
    let mut environment = PkiEnvironment::new();
    environment.add_verify_signature_message_callback(
        move |_: &PkiEnvironment,
              message: &[u8],
              signature: &BitString,
              algorithm: &AlgorithmIdentifierOwned,
              spki: &SubjectPublicKeyInfoOwned| {
            verifier
                .verify(message, signature, algorithm, spki)
                .ok_or(Error::PathValidation(Status::SignatureVerificationFailure))
        },
    );
    environment
}

/// Verifies what `certval` asks for.
#[derive(Clone)]
struct Verifier {
    work: Work,
    rules: Arc<Rules>,
    with_ended: bool,
    /// The path's authorities; only an OCSP responder's key is not among them.
    keys: Arc<[(SubjectPublicKeyInfoOwned, CheckedKey)]>,
    renamed: Option<Renamed>,
}

impl Verifier {
    fn new(path: &Path<'_>, policy: &Policy, work: &Work) -> Self {
        Self {
            work: work.clone(),
            rules: policy.shared_rules(),
            with_ended: path.with_ended,
            keys: path.links().map(|(_, issuer)| issuer.checked_key()).collect(),
            renamed: None,
        }
    }

    fn verify(
        &self,
        message: &[u8],
        signature: &BitString,
        algorithm: &AlgorithmIdentifierOwned,
        spki: &SubjectPublicKeyInfoOwned,
    ) -> Option<()> {
        let message = self.renamed.as_ref().map_or(message, |renamed| renamed.signed(message));
        let print = fingerprint(message, signature, algorithm, spki)?;
        if self.rules.known_signatures.contains(&print) {
            return Some(());
        }
        if self.with_ended && ended_algorithm(algorithm.oid).is_some() {
            let signature = signature.as_bytes()?;
            let verifies = || verify_ended(algorithm, spki, message, signature);
            return self.work.check_once(print, verifies).ok()?.then_some(());
        }
        let allowed = &self.rules.certificate_schemes;
        let scheme = Scheme::from_identifier(algorithm).filter(|scheme| allowed.contains(scheme))?;
        let signature = signature.as_bytes()?;
        let verifies = || {
            let key = match self.keys.iter().find(|(known, _)| known == spki) {
                Some((_, checked)) => checked.read(spki),
                None => PublicKey::from_spki(spki),
            };
            key.is_ok_and(|key| key.verify(scheme, Encoding::Asn1, message, signature).is_ok())
        };
        self.work.check_once(print, verifies).ok()?.then_some(())
    }
}

fn to_certval(path: &Path<'_>) -> Result<CertificationPath, VerifyError> {
    let downwards = path
        .intermediates
        .iter()
        .rev()
        .map(|certificate| certificate.parsed().clone());
    Ok(CertificationPath::new(
        to_anchor(path.anchor)?,
        downwards.collect(),
        path.signer.parsed().clone(),
    ))
}

fn to_anchor(certificate: &Certificate) -> Result<PDVTrustAnchorChoice, VerifyError> {
    PDVTrustAnchorChoice::try_from(certificate.der())
        .map_err(|_| VerifyError::CertificateEncoding(Place::Anchor, "not usable as a trust anchor"))
}

/// `failed` counts from the trust anchor (0) down to the signer.
fn to_verify_error(error: Error, failed: Option<usize>, path: &Path<'_>) -> VerifyError {
    let signer_index = path.intermediates.len() + 1;
    let place = match failed {
        Some(0) => Place::Anchor,
        Some(index) if index < signer_index => Place::Intermediate,
        _ => Place::Signer,
    };
    let certificate = match failed {
        Some(0) => path.anchor,
        Some(index) if index < signer_index => path.intermediates[signer_index - 1 - index],
        _ => path.signer,
    };
    let Error::PathValidation(status) = error else {
        return VerifyError::CertificateEncoding(place, "an extension cannot be read");
    };
    match status {
        Status::InvalidNotAfterDate => VerifyError::CertificateExpired(place, certificate.validity().1),
        Status::InvalidNotBeforeDate => VerifyError::CertificateNotYetValid(place, certificate.validity().0),
        Status::SignatureVerificationFailure => VerifyError::CertificateSignature(place),
        Status::NameChainingFailure => VerifyError::UnknownIssuer,
        Status::MissingBasicConstraints | Status::InvalidBasicConstraints | Status::InvalidKeyUsage => {
            VerifyError::IssuerNotAuthority
        }
        Status::InvalidPathLength => VerifyError::PathLength,
        Status::NameConstraintsViolation => VerifyError::NameConstraints,
        Status::NullPolicySet => VerifyError::PolicyMissing,
        Status::UnprocessedCriticalExtension => VerifyError::CriticalExtension(place),
        Status::InsufficientKeySize => VerifyError::KeyNotAccepted(place),
        Status::ProcessingLimitExceeded => VerifyError::BudgetExceeded("policy processing"),
        Status::InvalidPolicyMapping => {
            VerifyError::CertificateEncoding(place, "a policy mapping to or from anyPolicy")
        }
        _ => VerifyError::CertificateEncoding(place, "an extension cannot be read"),
    }
}

/// Asks the evidence about certificates, one after the other.
struct Inquiry<'a> {
    settings: CertificationPathSettings,
    verifier: Verifier,
    policy: &'a Policy,
    now: OffsetDateTime,
}

impl Inquiry<'_> {
    fn status_of(
        &self,
        subject: &Certificate,
        issuer: &Certificate,
        place: Place,
    ) -> Result<CertificateStatus, VerifyError> {
        let mut status = CertificateStatus::Unknown;
        for evidence in self.policy.revocation.evidence_for(subject, self.now) {
            match self.ask(&evidence, subject, issuer)? {
                Some(true) => return Err(VerifyError::CertificateRevoked(place)),
                Some(false) if status == CertificateStatus::Unknown => status = evidence.good(),
                _ => {}
            }
        }
        Ok(status)
    }

    /// `Some(true)`: revoked; `Some(false)`: good; `None`: this says nothing of the certificate.
    fn ask(
        &self,
        evidence: &Evidence<'_>,
        subject: &Certificate,
        issuer: &Certificate,
    ) -> Result<Option<bool>, VerifyError> {
        let mut results = CertificationPathResults::new();
        let anchor = to_anchor(issuer)?;
        let mut path = CertificationPath::new(anchor, Vec::new(), subject.parsed().clone());
        let mut verifier = self.verifier.clone();
        if let Evidence::Ocsp { der, .. } = evidence {
            verifier.renamed = cert_id::in_sha_256(der, issuer);
        }
        let renamed = verifier.renamed.as_ref().map(|renamed| renamed.response.clone());
        let environment = environment(verifier);
        let answer = match evidence {
            Evidence::Crl { der, .. } => {
                path.crls[0] = Some(der.to_vec());
                check_revocation_local(&environment, &self.settings, &path, &mut results)
            }
            Evidence::Ocsp { der, .. } => process_ocsp_response(
                &environment,
                &self.settings,
                &mut results,
                renamed.as_deref().unwrap_or(der),
                path.trust_anchor.decoded(),
                0,
                "given",
                subject.parsed(),
            ),
        };
        Ok(match answer {
            Ok(()) => Some(false),
            Err(Error::PathValidation(Status::CertificateRevoked | Status::CertificateRevokedEndEntity)) => Some(true),
            Err(_) => None,
        })
    }
}
