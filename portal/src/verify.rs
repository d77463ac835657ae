//! The verifier: a pure function of (proof, origin, challenge, policy, now).

use plugin_protocol::{Challenge, Origin, Proof, SignatureAlgorithm};
use time::OffsetDateTime;
use x509_cert::ext::pkix::KeyUsages;

use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::format;
use crate::identity::{Signed, Verified, VerifiedIdentity};
use crate::path;
use crate::policy::Policy;
use crate::qualification::Qualification;
use crate::uec;
use crate::work::Work;

/// What a proof is verified against; the formats share it.
pub(crate) struct Context<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) challenge: &'a Challenge,
    pub(crate) policy: &'a Policy,
    pub(crate) now: OffsetDateTime,
    pub(crate) work: &'a Work,
}

impl<'a> Context<'a> {
    /// For a proof of a format that the policy takes, and a challenge that is long enough for it.
    fn of(
        proof: &Proof,
        origin: &'a Origin,
        challenge: &'a Challenge,
        policy: &'a Policy,
        now: OffsetDateTime,
        work: &'a Work,
    ) -> Result<Self, VerifyError> {
        check_format(proof, challenge, policy)?;
        Ok(Self {
            origin,
            challenge,
            policy,
            now,
            work,
        })
    }
}

/// A proof whose signature verified with the key of a certificate that nobody has verified yet.
pub(crate) struct Opened {
    pub(crate) certificate: Certificate,
    /// Other certificates the proof brought; only material to build paths with.
    pub(crate) extra: Vec<Certificate>,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) signed: Signed,
}

/// Verifies a proof by a certificate for this origin and challenge, at this moment. That of a universal electronic card
/// is [`VerifyError::CardProof`], so that code written for certificates never meets one: [`verify_any`] takes both.
///
/// Reads no clock, no file and no network. `challenge` must come from
/// [`crate::ChallengeStore::take`] or something as unforgiving, so that no
/// proof is looked at twice. Checks the proof's form and bindings first, then its signature,
/// then the certificate's own fitness, then the path and revocation.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let now = time::OffsetDateTime::now_utc();
/// # let pki = fixtures::pki::TestPki::at(now.unix_timestamp());
/// # let person = pki.person("Иванов Иван Иванович").issue();
/// let origin: plugin_protocol::Origin = "https://portal.example".parse()?;
/// let policy = portal::Policy::builder()
///     .test_root(&pki.root.certificate)?
///     .intermediate(&pki.intermediate.certificate)?
///     .build()?;
/// let challenge = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".parse()?;
/// # let tbs = plugin_protocol::web_eid::to_be_signed(&origin, &challenge, plugin_protocol::SignatureAlgorithm::ES256);
/// # let proof = plugin_protocol::Proof::WebEid(plugin_protocol::proof::WebEidToken {
/// #     unverified_certificate: plugin_protocol::encoding::base64(&person.certificate),
/// #     algorithm: plugin_protocol::SignatureAlgorithm::ES256,
/// #     signature: plugin_protocol::encoding::base64(&person.key.sign_fixed(person.key.default_algorithm(), &tbs)),
/// #     app_version: "https://example.org/1.0.0".to_owned(),
/// # });
/// let identity = portal::verify(&proof, &origin, &challenge, &policy, now)?;
/// assert_eq!(identity.subject().common_name(), Some("Иванов Иван Иванович"));
/// assert!(identity.is_test());
/// # Ok(())
/// # }
/// ```
pub fn verify(
    proof: &Proof,
    origin: &Origin,
    challenge: &Challenge,
    policy: &Policy,
    now: OffsetDateTime,
) -> Result<VerifiedIdentity, VerifyError> {
    let work = Work::new(policy.rules().budget);
    let context = Context::of(proof, origin, challenge, policy, now, &work)?;
    by_certificate(proof, &context)
}

/// Verifies a proof of any kind that the policy takes: by a certificate, as [`verify`] does, or a universal electronic
/// card's. Which of the two it was is in the type that comes out; what it is worth in [`Verified::assurance`].
///
/// ```
/// # fn raise(_: &portal::VerifiedIdentity) {}
/// fn judge(verified: &portal::Verified) {
///     match verified {
///         portal::Verified::Certificate(person) => raise(person),
///         portal::Verified::Card(card) if card.assurance().proves(portal::assurance::Proven::HolderSignature) => {
///             println!("the holder of the card with SNILS {} signed", card.snils());
///         }
///         portal::Verified::Card(card) => println!("card {}: only its PIN1, says the agent", card.masked_number()),
///         _ => println!("a kind of proof that this portal does not know yet"),
///     }
/// }
/// ```
pub fn verify_any(
    proof: &Proof,
    origin: &Origin,
    challenge: &Challenge,
    policy: &Policy,
    now: OffsetDateTime,
) -> Result<Verified, VerifyError> {
    let work = Work::new(policy.rules().budget);
    let context = Context::of(proof, origin, challenge, policy, now, &work)?;
    match proof {
        Proof::Uec(card) => {
            format::check_size(proof, policy)?;
            uec::verify(card, &context).map(|card| Verified::Card(Box::new(card)))
        }
        _ => by_certificate(proof, &context).map(|identity| Verified::Certificate(Box::new(identity))),
    }
}

fn check_format(proof: &Proof, challenge: &Challenge, policy: &Policy) -> Result<(), VerifyError> {
    let format = proof.format();
    if !policy.formats().contains(&format) {
        return Err(VerifyError::FormatNotAllowed(format.name()));
    }
    if challenge.as_str().len() < format.min_challenge() {
        return Err(VerifyError::ChallengeTooShort);
    }
    Ok(())
}

fn by_certificate(proof: &Proof, context: &Context<'_>) -> Result<VerifiedIdentity, VerifyError> {
    let (policy, now, work) = (context.policy, context.now, context.work);
    let opened = format::open(proof, context)?;
    check_signer(&opened.certificate, policy)?;
    let path = path::find(&opened.certificate, &opened.extra, policy, now, work)?;
    let accredited = path.accredited(policy);
    let qualification = Qualification::judge(&opened.certificate, accredited, &path.revocation, now);
    if let Some(why) = qualification.falls_short(policy.rules().qualified) {
        return Err(VerifyError::NotQualified(why));
    }
    Ok(VerifiedIdentity::new(
        &opened.certificate,
        path,
        qualification,
        opened.algorithm,
        proof.format(),
        opened.signed,
    ))
}

/// The signer's certificate (DER) as a proof shows it, verified by nobody: only to ask an OCSP responder about it.
pub fn unverified_signer(proof: &Proof, policy: &Policy) -> Result<Vec<u8>, VerifyError> {
    format::unverified_signer(proof, policy).map(|certificate| certificate.der().to_vec())
}

/// Whether this certificate is one a person authenticates with.
fn check_signer(certificate: &Certificate, policy: &Policy) -> Result<(), VerifyError> {
    if certificate.subject().is_empty() {
        return Err(VerifyError::CertificateEncoding(
            Place::Signer,
            "the subject's name is empty",
        ));
    }
    if certificate.is_authority() {
        return Err(VerifyError::CertificateIsAuthority);
    }
    if !certificate.key_usage_has(KeyUsages::DigitalSignature) {
        return Err(VerifyError::KeyUsage);
    }
    check_extended_key_usage(certificate, policy)?;
    let mut policies = certificate.policies().into_iter();
    match policies.find(|found| policy.rules().forbidden_policies.contains(found)) {
        Some(forbidden) => Err(VerifyError::PolicyForbidden(forbidden.to_string())),
        None => Ok(()),
    }
}

fn check_extended_key_usage(certificate: &Certificate, policy: &Policy) -> Result<(), VerifyError> {
    let rule = &policy.rules().extended_key_usage;
    let accepted = match certificate.extended_key_usage() {
        _ if rule.any_of.is_empty() => true,
        None => rule.absent_allowed,
        Some(found) => found.iter().any(|usage| rule.any_of.contains(usage)),
    };
    if accepted {
        Ok(())
    } else {
        Err(VerifyError::ExtendedKeyUsage)
    }
}
