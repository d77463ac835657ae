//! Why a proof was refused, and what a portal can do about it.

use std::fmt;

use plugin_protocol::{ProofFormat, SignatureAlgorithm};
use time::OffsetDateTime;

/// Which certificate of the path an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The person's own certificate.
    Signer,
    /// An authority between the person and the trust anchor.
    Intermediate,
    /// The trust anchor.
    Anchor,
    /// The terminal that a universal electronic card was read by.
    Terminal,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signer => "the signer's certificate",
            Self::Intermediate => "an intermediate authority's certificate",
            Self::Anchor => "the trust anchor",
            Self::Terminal => "the terminal's certificate",
        })
    }
}

/// What helps after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Issue a new challenge and let the person try again.
    TryAgain,
    /// The person needs another certificate, or must renew this one.
    AnotherCertificate,
    /// The portal lacks trust anchors, intermediates or revocation evidence, or its policy is too narrow.
    PortalSetup,
    /// The plugin or agent made something that is no proof: a fault of software, or an attack.
    Software,
}

/// Why a proof was refused.
///
/// The variants stand in alphabetical order. Each has a stable [`code`](Self::code),
/// a [`Remedy`], and a key for the sentence a person reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// An algorithm, here by its name, whose use for signing ended with 2019: GOST R 34.10-2001 and 34.11-94.
    AlgorithmEnded(Place, &'static str),
    /// The algorithm named is not one for the certificate's kind of key.
    AlgorithmMismatch,
    /// The policy's allow-list does not hold this algorithm, or nothing here verifies it.
    AlgorithmNotAllowed(String),
    /// The proof's format has no name for this algorithm, so no such proof can exist.
    AlgorithmNotInFormat(SignatureAlgorithm, ProofFormat),
    /// The proof asks for more work than the policy's [`crate::Budget`] grants.
    BudgetExceeded(&'static str),
    /// A universal electronic card's proof, where one by a certificate is wanted: [`crate::verify_any`] takes both.
    CardProof,
    /// A certificate in the path is signed with an algorithm the policy does not allow.
    CertificateAlgorithm(Place),
    /// A certificate breaks RFC 5280 in the point named.
    CertificateEncoding(Place, &'static str),
    /// A certificate is no longer valid.
    CertificateExpired(Place, OffsetDateTime),
    /// The signer's certificate is an authority's (`cA` TRUE) and names no person.
    CertificateIsAuthority,
    /// The signed bytes name another certificate than the one shown.
    CertificateMismatch,
    /// A certificate is not valid yet.
    CertificateNotYetValid(Place, OffsetDateTime),
    /// A certificate is revoked or on hold.
    CertificateRevoked(Place),
    /// A certificate's signature does not verify with its issuer's key.
    CertificateSignature(Place),
    /// The proof is for another challenge.
    ChallengeMismatch,
    /// The portal's own challenge is shorter than this format allows.
    ChallengeTooShort,
    /// The content does not have the digest that was signed.
    ContentMismatch,
    /// A certificate has a critical extension that is not understood.
    CriticalExtension(Place),
    /// The signer's certificate is not meant for this (extKeyUsage).
    ExtendedKeyUsage,
    /// The policy does not take this proof format.
    FormatNotAllowed(&'static str),
    /// The signature of a card's holder is wrong in the point named, or missing where it is demanded.
    HolderSignature(&'static str),
    /// An authority in the path may not issue certificates (basicConstraints, keyUsage).
    IssuerNotAuthority,
    /// A public key is of a kind, size or encoding that is not accepted.
    KeyNotAccepted(Place),
    /// The signer's key is not for authentication (keyUsage lacks digitalSignature, or is missing).
    KeyUsage,
    /// The proof is not what its format says, in the point named.
    Malformed(&'static str),
    /// The signer's name lies outside an authority's name constraints.
    NameConstraints,
    /// The policy demands a qualified certificate, and this one falls short in the point named.
    NotQualified(&'static str),
    /// The proof is for another origin.
    OriginMismatch,
    /// The path is longer than an authority in it allows.
    PathLength,
    /// The signer's certificate is under a policy that is refused here.
    PolicyForbidden(String),
    /// The path is not valid under any of the certificate policies demanded.
    PolicyMissing,
    /// The proof is for another purpose.
    PurposeMismatch,
    /// Whether a certificate is revoked cannot be told from the evidence given.
    RevocationUnknown(Place),
    /// The proof's signature does not verify with the certificate's key.
    SignatureInvalid,
    /// CMS signed attributes are missing, repeated, out of order, or contradict each other.
    SignedAttributes(&'static str),
    /// The signing time lies in the future.
    SigningTimeInFuture(OffsetDateTime),
    /// The signing time is too long ago.
    SigningTimeTooOld(OffsetDateTime),
    /// A card's data, or its holder's certificate, name another SNILS than the card's certificate.
    SnilsMismatch,
    /// The card's message names another terminal than the one whose certificate was sent along.
    TerminalMismatch,
    /// A test certificate, and the policy names no such test root.
    TestCertificate,
    /// No path leads from the certificate to a trust anchor.
    UnknownIssuer,
}

impl VerifyError {
    /// A stable name for logs, metrics and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmEnded(..) => "algorithm_ended",
            Self::AlgorithmMismatch => "algorithm_mismatch",
            Self::AlgorithmNotAllowed(_) => "algorithm_not_allowed",
            Self::AlgorithmNotInFormat(..) => "algorithm_not_in_format",
            Self::BudgetExceeded(_) => "budget_exceeded",
            Self::CardProof => "card_proof",
            Self::CertificateAlgorithm(_) => "certificate_algorithm",
            Self::CertificateEncoding(..) => "certificate_encoding",
            Self::CertificateExpired(..) => "certificate_expired",
            Self::CertificateIsAuthority => "certificate_is_authority",
            Self::CertificateMismatch => "certificate_mismatch",
            Self::CertificateNotYetValid(..) => "certificate_not_yet_valid",
            Self::CertificateRevoked(_) => "certificate_revoked",
            Self::CertificateSignature(_) => "certificate_signature",
            Self::ChallengeMismatch => "challenge_mismatch",
            Self::ChallengeTooShort => "challenge_too_short",
            Self::ContentMismatch => "content_mismatch",
            Self::CriticalExtension(_) => "critical_extension",
            Self::ExtendedKeyUsage => "extended_key_usage",
            Self::FormatNotAllowed(_) => "format_not_allowed",
            Self::HolderSignature(_) => "holder_signature",
            Self::IssuerNotAuthority => "issuer_not_authority",
            Self::KeyNotAccepted(_) => "key_not_accepted",
            Self::KeyUsage => "key_usage",
            Self::Malformed(_) => "malformed",
            Self::NameConstraints => "name_constraints",
            Self::NotQualified(_) => "not_qualified",
            Self::OriginMismatch => "origin_mismatch",
            Self::PathLength => "path_length",
            Self::PolicyForbidden(_) => "policy_forbidden",
            Self::PolicyMissing => "policy_missing",
            Self::PurposeMismatch => "purpose_mismatch",
            Self::RevocationUnknown(_) => "revocation_unknown",
            Self::SignatureInvalid => "signature_invalid",
            Self::SignedAttributes(_) => "signed_attributes",
            Self::SigningTimeInFuture(_) => "signing_time_in_future",
            Self::SigningTimeTooOld(_) => "signing_time_too_old",
            Self::SnilsMismatch => "snils_mismatch",
            Self::TerminalMismatch => "terminal_mismatch",
            Self::TestCertificate => "test_certificate",
            Self::UnknownIssuer => "unknown_issuer",
        }
    }

    /// What helps.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::ChallengeMismatch
            | Self::OriginMismatch
            | Self::PurposeMismatch
            | Self::SigningTimeInFuture(_)
            | Self::SigningTimeTooOld(_) => Remedy::TryAgain,
            Self::AlgorithmEnded(..)
            | Self::CertificateAlgorithm(_)
            | Self::CertificateEncoding(..)
            | Self::CertificateExpired(..)
            | Self::CertificateIsAuthority
            | Self::CertificateNotYetValid(..)
            | Self::CertificateRevoked(_)
            | Self::CertificateSignature(_)
            | Self::CriticalExtension(_)
            | Self::ExtendedKeyUsage
            | Self::IssuerNotAuthority
            | Self::KeyNotAccepted(_)
            | Self::KeyUsage
            | Self::NameConstraints
            | Self::NotQualified(_)
            | Self::PathLength
            | Self::PolicyForbidden(_)
            | Self::PolicyMissing
            | Self::TestCertificate => Remedy::AnotherCertificate,
            Self::AlgorithmNotAllowed(_)
            | Self::ChallengeTooShort
            | Self::FormatNotAllowed(_)
            | Self::RevocationUnknown(_)
            | Self::UnknownIssuer => Remedy::PortalSetup,
            Self::AlgorithmMismatch
            | Self::AlgorithmNotInFormat(..)
            | Self::BudgetExceeded(_)
            | Self::CardProof
            | Self::CertificateMismatch
            | Self::ContentMismatch
            | Self::HolderSignature(_)
            | Self::Malformed(_)
            | Self::SignatureInvalid
            | Self::SignedAttributes(_)
            | Self::SnilsMismatch
            | Self::TerminalMismatch => Remedy::Software,
        }
    }

    /// Whether the same person with the same certificate may succeed with a new challenge.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.remedy(), Remedy::TryAgain) || matches!(self, Self::RevocationUnknown(_))
    }

    /// The key of the sentence a person reads: fewer than codes, since a person can do fewer things.
    pub const fn user_message_key(&self) -> &'static str {
        match self {
            Self::CertificateExpired(..) => "certificate-expired",
            Self::CertificateNotYetValid(..) => "certificate-not-yet-valid",
            Self::CertificateRevoked(_) => "certificate-revoked",
            Self::SigningTimeInFuture(_) | Self::SigningTimeTooOld(_) => "check-clock-and-try-again",
            Self::TestCertificate => "test-certificate",
            _ => match self.remedy() {
                Remedy::TryAgain => "try-again",
                Remedy::AnotherCertificate => "certificate-not-suitable",
                Remedy::PortalSetup => "portal-cannot-check",
                Remedy::Software => "proof-not-valid",
            },
        }
    }

    /// How much an error tells about a path that was tried: the highest is reported
    /// when several paths fail. A path that fails late is the one that was meant.
    pub(crate) const fn rank(&self) -> u8 {
        match self {
            Self::UnknownIssuer => 0,
            Self::CertificateSignature(_) => 1,
            Self::BudgetExceeded(_) => 2,
            Self::RevocationUnknown(_) => 8,
            Self::CertificateRevoked(_) => 9,
            _ => 5,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmEnded(place, name) => write!(
                f,
                "{place} needs {name}, whose use has ended; a certificate of GOST R 34.10-2012 takes its place"
            ),
            Self::AlgorithmMismatch => f.write_str("the signature algorithm is not one for the certificate's key"),
            Self::AlgorithmNotAllowed(name) => write!(f, "the signature algorithm {name} is not allowed here"),
            Self::AlgorithmNotInFormat(algorithm, format) => {
                let able: Vec<_> = algorithm.formats().map(ProofFormat::name).collect();
                let able = able.join(" and ");
                write!(
                    f,
                    "{format} has no name for {algorithm}; the formats that have one are {able}"
                )
            }
            Self::BudgetExceeded(what) => write!(f, "the proof asks for too much work: {what}"),
            Self::CardProof => {
                f.write_str("the proof is a universal electronic card's, where one by a certificate is wanted")
            }
            Self::CertificateAlgorithm(place) => {
                write!(f, "{place} is signed with an algorithm that is not allowed here")
            }
            Self::CertificateEncoding(place, what) => write!(f, "{place} is not a proper certificate: {what}"),
            Self::CertificateExpired(place, when) => write!(f, "{place} expired at {when}"),
            Self::CertificateIsAuthority => f.write_str("the certificate is an authority's, not a person's"),
            Self::CertificateMismatch => f.write_str("the signed bytes name another certificate"),
            Self::CertificateNotYetValid(place, when) => write!(f, "{place} is not valid before {when}"),
            Self::CertificateRevoked(place) => write!(f, "{place} is revoked"),
            Self::CertificateSignature(place) => write!(f, "{place} was not signed by its issuer's key"),
            Self::ChallengeMismatch => f.write_str("the proof is for another challenge"),
            Self::ChallengeTooShort => f.write_str("the challenge is too short for this format"),
            Self::ContentMismatch => f.write_str("the content does not have the digest that was signed"),
            Self::CriticalExtension(place) => write!(f, "{place} has a critical extension that is not understood"),
            Self::ExtendedKeyUsage => f.write_str("the certificate is not meant for this use (extKeyUsage)"),
            Self::FormatNotAllowed(format) => write!(f, "the proof format {format} is not accepted here"),
            Self::HolderSignature(what) => write!(f, "the signature of the card's holder: {what}"),
            Self::IssuerNotAuthority => f.write_str("an issuer in the path may not issue certificates"),
            Self::KeyNotAccepted(place) => write!(f, "{place} has a key of a kind or size that is not accepted"),
            Self::KeyUsage => f.write_str("the certificate's key is not for authentication (keyUsage)"),
            Self::Malformed(what) => write!(f, "the proof is malformed: {what}"),
            Self::NameConstraints => f.write_str("the certificate's name is outside its authority's constraints"),
            Self::NotQualified(why) => write!(f, "the certificate is not a qualified one: {why}"),
            Self::OriginMismatch => f.write_str("the proof is for another origin"),
            Self::PathLength => f.write_str("the certification path is longer than allowed"),
            Self::PolicyForbidden(oid) => write!(f, "the certificate policy {oid} is refused here"),
            Self::PolicyMissing => f.write_str("the path is valid under none of the demanded certificate policies"),
            Self::PurposeMismatch => f.write_str("the proof is for another purpose"),
            Self::RevocationUnknown(place) => write!(f, "it is not known whether {place} is revoked"),
            Self::SignatureInvalid => f.write_str("the signature does not verify with the certificate's key"),
            Self::SignedAttributes(what) => write!(f, "the signed attributes are wrong: {what}"),
            Self::SigningTimeInFuture(when) => write!(f, "the signing time {when} lies in the future"),
            Self::SigningTimeTooOld(when) => write!(f, "the signing time {when} is too long ago"),
            Self::SnilsMismatch => f.write_str("what came with the card names another SNILS than its certificate"),
            Self::TerminalMismatch => f.write_str("the card names another terminal than the one shown"),
            Self::TestCertificate => f.write_str("a test certificate, and tests are not accepted here"),
            Self::UnknownIssuer => f.write_str("no path leads from the certificate to a trust anchor"),
        }
    }
}

impl std::error::Error for VerifyError {}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn every_error() -> Vec<VerifyError> {
        use VerifyError::*;
        let (place, now) = (Place::Signer, OffsetDateTime::UNIX_EPOCH);
        vec![
            AlgorithmEnded(place, "x"),
            AlgorithmMismatch,
            AlgorithmNotAllowed("x".to_owned()),
            AlgorithmNotInFormat(SignatureAlgorithm::Gost256, ProofFormat::Jws),
            BudgetExceeded("x"),
            CardProof,
            CertificateAlgorithm(place),
            CertificateEncoding(place, "x"),
            CertificateExpired(place, now),
            CertificateIsAuthority,
            CertificateMismatch,
            CertificateNotYetValid(place, now),
            CertificateRevoked(place),
            CertificateSignature(place),
            ChallengeMismatch,
            ChallengeTooShort,
            ContentMismatch,
            CriticalExtension(place),
            ExtendedKeyUsage,
            FormatNotAllowed("x"),
            HolderSignature("x"),
            IssuerNotAuthority,
            KeyNotAccepted(place),
            KeyUsage,
            Malformed("x"),
            NameConstraints,
            NotQualified("x"),
            OriginMismatch,
            PathLength,
            PolicyForbidden("x".to_owned()),
            PolicyMissing,
            PurposeMismatch,
            RevocationUnknown(place),
            SignatureInvalid,
            SignedAttributes("x"),
            SigningTimeInFuture(now),
            SigningTimeTooOld(now),
            SnilsMismatch,
            TerminalMismatch,
            TestCertificate,
            UnknownIssuer,
        ]
    }

    /// The code is the variant's name in snake case, so that no two share one.
    #[test]
    fn codes_are_the_variants_names_in_alphabetical_order() {
        let name = |error: &VerifyError| {
            let debug = format!("{error:?}");
            debug.split('(').next().unwrap_or_default().to_owned()
        };
        let snake = |name: &str| {
            name.chars()
                .enumerate()
                .fold(String::new(), |mut out, (index, letter)| {
                    if letter.is_uppercase() && index > 0 {
                        out.push('_');
                    }
                    out.push(letter.to_ascii_lowercase());
                    out
                })
        };
        let names: Vec<_> = every_error().iter().map(name).collect();
        assert!(names.is_sorted());
        for (error, name) in every_error().iter().zip(names) {
            assert_eq!(error.code(), snake(&name));
        }
    }

    #[test]
    fn only_what_another_try_can_mend_is_retryable() {
        let retryable: Vec<_> = every_error()
            .iter()
            .filter(|e| e.is_retryable())
            .map(VerifyError::code)
            .collect();
        let expected = [
            "challenge_mismatch",
            "origin_mismatch",
            "purpose_mismatch",
            "revocation_unknown",
            "signing_time_in_future",
            "signing_time_too_old",
        ];
        assert_eq!(retryable, expected);
    }
}
