//! Building a [`Policy`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use const_oid::ObjectIdentifier;
use plugin_protocol::encoding::{from_base64, sha256};
use plugin_protocol::{ProofFormat, Purpose, SignatureAlgorithm};
use time::Duration;

use super::{Anchor, Budget, ExtendedKeyUsage, Policy, Rules, UnsignedAttributes, default_validator, parse};
use crate::certificate::Certificate;
use crate::error::{Place, VerifyError};
use crate::path::{KnownSignatures, PathValidator};
use crate::qualification::QualifiedDemand;
use crate::revocation::Revocation;
use crate::signature::Scheme;
use crate::trust_list::TrustList;
use crate::uec::UecPolicy;

/// Why a policy cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// A trust anchor or intermediate is no certificate.
    Certificate(VerifyError),
    /// What was given as the root of universal electronic cards is none.
    NoCardRoot(&'static str),
    /// No trust anchor was given: nothing could ever be accepted.
    NoTrustAnchor,
    /// Nothing is left of this allow-list.
    NothingAllowed(&'static str),
    /// An OID is not in dotted decimal form.
    Oid(String),
    /// A trust anchor is no authority's certificate (basicConstraints without `cA`): nothing could end at it.
    NotAnAuthority(String),
    /// A PEM file holds no certificate, or something else.
    Pem(String),
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(error) => write!(f, "{error}"),
            Self::NoCardRoot(why) => write!(
                f,
                "no root of universal electronic cards: {why}; give its CV certificate, binary (7F21…)"
            ),
            Self::NoTrustAnchor => f.write_str("the policy has no trust anchor, so it could accept nobody"),
            Self::NothingAllowed(what) => write!(f, "the policy allows no {what}, so it could accept nobody"),
            Self::NotAnAuthority(subject) => write!(
                f,
                "the certificate of {subject} is no authority's, so nobody's certificate could lead to it; name its issuer's root"
            ),
            Self::Oid(text) => write!(f, "{text:?} is not an object identifier"),
            Self::Pem(why) => write!(f, "not a PEM file of certificates: {why}"),
        }
    }
}

impl std::error::Error for PolicyError {}

/// A certificate of a trust list that paths cannot end at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Whose it is, by its name in the list.
    pub authority: String,
    /// Why.
    pub why: PolicyError,
}

impl From<VerifyError> for PolicyError {
    fn from(error: VerifyError) -> Self {
        Self::Certificate(error)
    }
}

/// Collects what a portal accepts; see [`Policy::builder`] for the defaults.
#[derive(Clone)]
pub struct PolicyBuilder {
    anchors: Vec<Anchor>,
    intermediates: Vec<Certificate>,
    formats: Vec<ProofFormat>,
    algorithms: Vec<SignatureAlgorithm>,
    certificate_schemes: Vec<Scheme>,
    extended_key_usage: ExtendedKeyUsage,
    required_policies: Vec<ObjectIdentifier>,
    forbidden_policies: Vec<ObjectIdentifier>,
    qualified: QualifiedDemand,
    accredited: HashMap<[u8; 32], Arc<str>>,
    unsigned_attributes: UnsignedAttributes,
    clock_skew: Duration,
    max_age: Duration,
    budget: Budget,
    revocation: Revocation,
    purpose: Purpose,
    validator: Arc<dyn PathValidator>,
    universal_cards: Option<UecPolicy>,
}

impl Default for PolicyBuilder {
    fn default() -> Self {
        Self {
            anchors: Vec::new(),
            intermediates: Vec::new(),
            formats: vec![ProofFormat::WebEid, ProofFormat::Jws, ProofFormat::Cms],
            algorithms: SignatureAlgorithm::ALL.to_vec(),
            certificate_schemes: SignatureAlgorithm::ALL.map(Scheme::from).to_vec(),
            extended_key_usage: ExtendedKeyUsage::default(),
            required_policies: Vec::new(),
            forbidden_policies: Vec::new(),
            qualified: QualifiedDemand::default(),
            accredited: HashMap::new(),
            unsigned_attributes: UnsignedAttributes::default(),
            clock_skew: Duration::minutes(2),
            max_age: Duration::minutes(5),
            budget: Budget::default(),
            revocation: Revocation::none(),
            purpose: Purpose::default(),
            validator: default_validator(),
            universal_cards: None,
        }
    }
}

impl PolicyBuilder {
    /// Trusts paths that end at this certificate (DER).
    pub fn trust_anchor(mut self, der: &[u8]) -> Result<Self, PolicyError> {
        let certificate = anchor(der)?;
        self.anchors.push(Anchor {
            certificate,
            test: false,
        });
        Ok(self)
    }

    /// Trusts every certificate of a PEM file.
    pub fn trust_anchors_pem(self, pem: &[u8]) -> Result<Self, PolicyError> {
        certificates_of_pem(pem)?
            .iter()
            .try_fold(self, |builder, der| builder.trust_anchor(der))
    }

    /// Trusts a test root (DER): identities from it say [`crate::VerifiedIdentity::is_test`].
    /// Without this a certificate of [`plugin_protocol::TEST_ORGANIZATION`] is refused whatever else is trusted.
    pub fn test_root(mut self, der: &[u8]) -> Result<Self, PolicyError> {
        let certificate = anchor(der)?;
        self.anchors.push(Anchor {
            certificate,
            test: true,
        });
        Ok(self)
    }

    /// Trusts every certificate of a PEM file as a test root.
    pub fn test_roots_pem(self, pem: &[u8]) -> Result<Self, PolicyError> {
        certificates_of_pem(pem)?
            .iter()
            .try_fold(self, |builder, der| builder.test_root(der))
    }

    /// An intermediate authority's certificate (DER) to build paths with; it is not trusted by itself.
    pub fn intermediate(mut self, der: &[u8]) -> Result<Self, PolicyError> {
        self.intermediates.push(parse(der, Place::Intermediate)?);
        Ok(self)
    }

    /// Every certificate of a PEM file as an intermediate.
    pub fn intermediates_pem(self, pem: &[u8]) -> Result<Self, PolicyError> {
        certificates_of_pem(pem)?
            .iter()
            .try_fold(self, |builder, der| builder.intermediate(der))
    }

    /// Takes universal electronic cards (УЭК) as well, by the format `uec`, on these terms. Their proofs come out of
    /// [`crate::verify_any`] as a type of their own. What they prove is less than a signature by a certificate does:
    /// see [`crate::assurance`].
    pub fn universal_cards(mut self, cards: UecPolicy) -> Self {
        self.universal_cards = Some(cards);
        self
    }

    /// The proof formats accepted, instead of all but `cms-challenge`. `uec` among them changes nothing:
    /// [`universal_cards`](Self::universal_cards) alone lets it in.
    pub fn formats(mut self, formats: &[ProofFormat]) -> Self {
        self.formats = formats.to_vec();
        self
    }

    /// The algorithms a person may sign a proof with, instead of all of them.
    pub fn algorithms(mut self, algorithms: &[SignatureAlgorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// The algorithms that may stand on certificates, CRLs and OCSP responses, instead of all with SHA-2 or Streebog.
    pub fn certificate_algorithms(mut self, schemes: &[Scheme]) -> Self {
        self.certificate_schemes = schemes.to_vec();
        self
    }

    /// Another rule of extKeyUsage.
    pub fn extended_key_usage(mut self, rule: ExtendedKeyUsage) -> Self {
        self.extended_key_usage = rule;
        self
    }

    /// The path must be valid under this certificate policy (RFC 5280 section 6.1.1 (c));
    /// several: under any of them. Every authority in the path must assert it or anyPolicy.
    pub fn require_policy(mut self, oid: &str) -> Result<Self, PolicyError> {
        self.required_policies.push(parse_oid(oid)?);
        Ok(self)
    }

    /// Refuses signers whose certificate names this policy (Web eID's "disallowed policies").
    pub fn forbid_policy(mut self, oid: &str) -> Result<Self, PolicyError> {
        self.forbidden_policies.push(parse_oid(oid)?);
        Ok(self)
    }

    /// How much of a qualified certificate (63-ФЗ) the signer's must be; nothing unless told.
    pub fn qualified(mut self, demand: QualifiedDemand) -> Self {
        self.qualified = demand;
        self
    }

    /// Trusts the authorities whose accreditation is in force in this list, and counts them as accredited.
    ///
    /// A certificate of the list that is no proper authority's is left out; the second value says which and why.
    pub fn trust_list(self, list: &TrustList) -> (Self, Vec<LeftOut>) {
        self.accredit(list, false)
    }

    /// The same for a list made for tests: identities from it say [`crate::VerifiedIdentity::is_test`].
    pub fn test_trust_list(self, list: &TrustList) -> (Self, Vec<LeftOut>) {
        self.accredit(list, true)
    }

    fn accredit(mut self, list: &TrustList, test: bool) -> (Self, Vec<LeftOut>) {
        let mut left_out = Vec::new();
        for authority in list.in_force() {
            let name: Arc<str> = authority.name.as_str().into();
            for der in authority.certificates() {
                match anchor(der) {
                    Ok(certificate) => {
                        if self.accredited.insert(sha256(der), Arc::clone(&name)).is_none() {
                            self.anchors.push(Anchor { certificate, test });
                        }
                    }
                    Err(why) => left_out.push(LeftOut {
                        authority: authority.name.clone(),
                        why,
                    }),
                }
            }
        }
        (self, left_out)
    }

    /// What to do with unsigned attributes of a CMS.
    pub fn unsigned_attributes(mut self, rule: UnsignedAttributes) -> Self {
        self.unsigned_attributes = rule;
        self
    }

    /// How far the person's clock may be ahead of or behind the portal's; two minutes unless told.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// How old a signing time may be; five minutes unless told.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Another work budget.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Whether and from what evidence revocation is checked.
    pub fn revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// The purpose a statement must name; "confirm identity" unless told.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Another path validator than [`crate::path::CertvalValidator`].
    pub fn path_validator(mut self, validator: Arc<dyn PathValidator>) -> Self {
        self.validator = validator;
        self
    }

    /// The policy.
    pub fn build(mut self) -> Result<Policy, PolicyError> {
        let cards = self.universal_cards.as_ref();
        if cards.is_some_and(|cards| cards.roots.is_empty()) {
            return Err(PolicyError::NoCardRoot("none was given"));
        }
        if self.anchors.is_empty() && cards.is_none() {
            return Err(PolicyError::NoTrustAnchor);
        }
        if self.anchors.is_empty() {
            self.formats.clear();
        }
        self.formats.retain(|format| *format != ProofFormat::Uec);
        self.formats.extend(cards.map(|_| ProofFormat::Uec));
        if self.algorithms.is_empty() || self.certificate_schemes.is_empty() {
            return Err(PolicyError::NothingAllowed("algorithm"));
        }
        if self.formats.is_empty() {
            return Err(PolicyError::NothingAllowed("proof format"));
        }
        let anchors = self.anchors.iter().map(|anchor| &anchor.certificate);
        let authorities: Vec<_> = anchors.chain(&self.intermediates).collect();
        let known_signatures = KnownSignatures::among(&authorities, &self.certificate_schemes);
        let rules = Rules {
            anchors: self.anchors,
            intermediates: self.intermediates,
            formats: self.formats,
            algorithms: self.algorithms,
            certificate_schemes: self.certificate_schemes,
            known_signatures,
            extended_key_usage: self.extended_key_usage,
            required_policies: self.required_policies,
            forbidden_policies: self.forbidden_policies,
            qualified: self.qualified,
            accredited: self.accredited,
            unsigned_attributes: self.unsigned_attributes,
            clock_skew: self.clock_skew,
            max_age: self.max_age,
            budget: self.budget,
            validator: self.validator,
            universal_cards: self.universal_cards,
        };
        Ok(Policy::new(rules, self.revocation, self.purpose))
    }
}

fn anchor(der: &[u8]) -> Result<Certificate, PolicyError> {
    let certificate = parse(der, Place::Anchor)?;
    match certificate.is_authority() {
        true => Ok(certificate),
        false => Err(PolicyError::NotAnAuthority(certificate.subject().to_string())),
    }
}

fn parse_oid(text: &str) -> Result<ObjectIdentifier, PolicyError> {
    ObjectIdentifier::new(text).map_err(|_| PolicyError::Oid(text.to_owned()))
}

/// The DER of every certificate in a PEM file; an error when there is none or something else.
///
/// Lines may be of any length and text may stand between the certificates (RFC 7468 sections 2 and 5.2):
/// published certificates of authorities come in lines of 76.
fn certificates_of_pem(pem: &[u8]) -> Result<Vec<Vec<u8>>, PolicyError> {
    let text = std::str::from_utf8(pem).map_err(|_| PolicyError::Pem("not text".to_owned()))?;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (block, after) = begun
            .split_once("-----END CERTIFICATE-----")
            .ok_or_else(|| PolicyError::Pem("a block other than CERTIFICATE, or one that does not end".to_owned()))?;
        found.push(der_of_block(block)?);
        rest = after;
    }
    if found.is_empty() {
        return Err(PolicyError::Pem("no certificate in it".to_owned()));
    }
    Ok(found)
}

/// What is between `-----BEGIN ` and the end of a block: its label, then base64.
fn der_of_block(block: &str) -> Result<Vec<u8>, PolicyError> {
    let (label, body) = block.split_once("-----").unwrap_or((block, ""));
    if label != "CERTIFICATE" {
        return Err(PolicyError::Pem(format!("a block of kind {}", label.escape_debug())));
    }
    let base64: String = body.split_ascii_whitespace().collect();
    from_base64(&base64).ok_or_else(|| PolicyError::Pem("a certificate in it is not base64".to_owned()))
}
