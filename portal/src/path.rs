//! From a certificate to a trust anchor: finding paths, and the seam to what validates one.
//!
//! Finding is ours, so that it is bounded and sees only what it was given.
//! Validating (RFC 5280 section 6.1) is [`PathValidator`]'s, today `certval`.

mod cert_id;
mod certval;
mod known;

use plugin_protocol::encoding::sha256;
use time::OffsetDateTime;

pub use self::certval::CertvalValidator;
pub(crate) use self::known::KnownSignatures;
use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::policy::{Anchor, Policy};
use crate::revocation::CertificateStatus;
use crate::work::Work;

/// Validates one certification path at one moment. The seam behind which `certval`, a release candidate, stands.
pub trait PathValidator: Send + Sync {
    /// RFC 5280 section 6.1 on this path: signatures, validity, names and their constraints,
    /// basicConstraints, key usage of authorities, policies, critical extensions.
    fn validate(&self, path: &Path<'_>, now: OffsetDateTime, policy: &Policy, work: &Work) -> Result<(), VerifyError>;

    /// What the policy's evidence says of each certificate, the signer's first.
    ///
    /// Fails when one is revoked, or unknown and the policy wants to know.
    fn check_revocation(
        &self,
        path: &Path<'_>,
        now: OffsetDateTime,
        policy: &Policy,
        work: &Work,
    ) -> Result<Vec<CertificateStatus>, VerifyError>;
}

/// A path not yet validated.
#[derive(Clone, Debug)]
pub struct Path<'a> {
    /// The person's certificate.
    pub signer: &'a Certificate,
    /// The authorities from the signer's issuer upwards, without the anchor.
    pub intermediates: Vec<&'a Certificate>,
    /// Where it ends.
    pub anchor: &'a Certificate,
    /// Whether GOST R 34.10-2001 is taken as well: for the holder of a universal electronic card alone.
    pub(crate) with_ended: bool,
}

impl<'a> Path<'a> {
    /// The certificates that others vouch for, the signer's first, each with its issuer.
    pub fn links(&self) -> impl Iterator<Item = (&'a Certificate, &'a Certificate)> {
        let issuers = self.intermediates.iter().copied().chain([self.anchor]);
        let subjects = std::iter::once(self.signer).chain(self.intermediates.iter().copied());
        subjects.zip(issuers.collect::<Vec<_>>())
    }
}

/// A path that is valid. Comes out of [`find`] alone.
#[derive(Debug)]
pub(crate) struct ValidPath<'a> {
    pub(crate) test: bool,
    pub(crate) intermediates: Vec<&'a Certificate>,
    pub(crate) anchor: &'a Certificate,
    pub(crate) revocation: Vec<CertificateStatus>,
}

impl ValidPath<'_> {
    /// The signer's own issuer, by its name in the policy's trust list, if its accreditation is in force there.
    ///
    /// Nobody above it counts: an accredited authority, or the state's own root, may well stand over one whose
    /// accreditation ended.
    pub(crate) fn accredited<'p>(&self, policy: &'p Policy) -> Option<&'p str> {
        let issuer = self.intermediates.first().copied().unwrap_or(self.anchor);
        let known = policy.rules().accredited.get(&sha256(issuer.der()));
        known.map(|name| &**name)
    }
}

/// Finds the first valid path; when there is none, the error that tells most.
pub(crate) fn find<'a>(
    signer: &'a Certificate,
    extra: &'a [Certificate],
    policy: &'a Policy,
    now: OffsetDateTime,
    work: &'a Work,
) -> Result<ValidPath<'a>, VerifyError> {
    search(signer, extra, policy, now, work, false)
}

/// The same where keys and signatures of GOST R 34.10-2001 are taken too: for who must verify what is that old.
pub(crate) fn find_with_ended<'a>(
    signer: &'a Certificate,
    extra: &'a [Certificate],
    policy: &'a Policy,
    now: OffsetDateTime,
    work: &'a Work,
) -> Result<ValidPath<'a>, VerifyError> {
    search(signer, extra, policy, now, work, true)
}

fn search<'a>(
    signer: &'a Certificate,
    extra: &'a [Certificate],
    policy: &'a Policy,
    now: OffsetDateTime,
    work: &'a Work,
    with_ended: bool,
) -> Result<ValidPath<'a>, VerifyError> {
    let mut search = Search {
        with_ended,
        policy,
        extra,
        now,
        work,
        best: VerifyError::UnknownIssuer,
    };
    let mut chain = vec![signer];
    match search.extend(&mut chain)? {
        Some(path) => Ok(path),
        None => Err(search.best),
    }
}

struct Search<'a> {
    with_ended: bool,
    policy: &'a Policy,
    extra: &'a [Certificate],
    now: OffsetDateTime,
    work: &'a Work,
    best: VerifyError,
}

impl<'a> Search<'a> {
    /// Depth first: anchors, then the policy's intermediates, then those the proof brought.
    /// `Err` ends the whole search.
    fn extend(&mut self, chain: &mut Vec<&'a Certificate>) -> Result<Option<ValidPath<'a>>, VerifyError> {
        let last = chain[chain.len() - 1];
        for anchor in &self.policy.rules().anchors {
            if last.may_be_issued_by(&anchor.certificate) {
                self.work.step()?;
                match self.try_path(chain, anchor) {
                    Ok(path) => return Ok(Some(path)),
                    Err(error @ VerifyError::BudgetExceeded(_)) => return Err(error),
                    Err(error) => self.note(error),
                }
            }
        }
        if chain.len() > self.work.budget().path_length {
            return Ok(None);
        }
        let known = self.policy.rules().intermediates.iter().chain(self.extra);
        for issuer in known {
            if !last.may_be_issued_by(issuer) || chain.iter().any(|used| same_entity(used, issuer)) {
                continue;
            }
            self.work.step()?;
            chain.push(issuer);
            let found = self.extend(chain)?;
            chain.pop();
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn try_path(&self, chain: &[&'a Certificate], anchor: &'a Anchor) -> Result<ValidPath<'a>, VerifyError> {
        let path = Path {
            signer: chain[0],
            intermediates: chain[1..].to_vec(),
            anchor: &anchor.certificate,
            with_ended: self.with_ended,
        };
        self.check_algorithms(&path)?;
        let validator = &self.policy.rules().validator;
        validator.validate(&path, self.now, self.policy, self.work)?;
        if self.work.exhausted() {
            return Err(VerifyError::BudgetExceeded("signature checks"));
        }
        check_test_mark(&path, anchor.test)?;
        let revocation = validator.check_revocation(&path, self.now, self.policy, self.work)?;
        Ok(ValidPath {
            test: anchor.test,
            intermediates: path.intermediates,
            anchor: path.anchor,
            revocation,
        })
    }

    /// The allow-list of algorithms and key sizes, over the whole path.
    fn check_algorithms(&self, path: &Path<'_>) -> Result<(), VerifyError> {
        for (index, (subject, issuer)) in path.links().enumerate() {
            let place = if index == 0 { Place::Signer } else { Place::Intermediate };
            if self.with_ended && issuer.has_ended_key() {
                continue; // which signs with GOST R 34.10-2001 alone; the validator verifies it
            }
            let scheme = subject.signature_scheme(place)?;
            if !self.policy.rules().certificate_schemes.contains(&scheme) {
                return Err(VerifyError::CertificateAlgorithm(place));
            }
            let issuer_place = if std::ptr::eq(issuer, path.anchor) {
                Place::Anchor
            } else {
                Place::Intermediate
            };
            issuer.public_key(issuer_place)?;
        }
        Ok(())
    }

    fn note(&mut self, error: VerifyError) {
        if error.rank() > self.best.rank() {
            self.best = error;
        }
    }
}

/// Whether two certificates bind the same name and key: such a pair in one path makes a loop (RFC 4158 section 2.4.2).
fn same_entity(a: &Certificate, b: &Certificate) -> bool {
    a.spki() == b.spki() && a.subject() == b.subject()
}

/// A certificate that says it is a test's is refused unless the policy names its root as a test root.
fn check_test_mark(path: &Path<'_>, test_root: bool) -> Result<(), VerifyError> {
    let mut certificates = path.links().map(|(subject, _)| subject).chain([path.anchor]);
    let marked = certificates.any(|certificate| certificate.names_organization(plugin_protocol::TEST_ORGANIZATION));
    if marked && !test_root {
        Err(VerifyError::TestCertificate)
    } else {
        Ok(())
    }
}
