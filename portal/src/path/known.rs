//! Signatures on the policy's own authorities, verified once when the policy is built.
//!
//! A portal's intermediates are the same for every proof; verifying the root's
//! signature on them each time would be half of the work. What is remembered names the
//! message, the signature, the algorithm and the key, so nothing else can pass for it.

use std::collections::HashSet;

use certval::DeferDecodeSigned;
use der::asn1::BitString;
use der::{Decode, Encode};
use ring::digest::{Context, SHA256};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::certificate::Certificate;
use crate::error::Place;
use crate::signature::{Encoding, Scheme};

/// Fingerprints of signatures that verified.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownSignatures(HashSet<[u8; 32]>);

impl KnownSignatures {
    /// Verifies every signature of one of `authorities` on another, with the allowed schemes.
    pub(crate) fn among(authorities: &[&Certificate], schemes: &[Scheme]) -> Self {
        let mut known = HashSet::new();
        for subject in authorities {
            for issuer in authorities.iter().filter(|issuer| subject.may_be_issued_by(issuer)) {
                known.extend(verified(subject, issuer, schemes));
            }
        }
        Self(known)
    }

    /// Whether exactly this signature verified before; see [`fingerprint`].
    pub(crate) fn contains(&self, print: &[u8; 32]) -> bool {
        self.0.contains(print)
    }
}

fn verified(subject: &Certificate, issuer: &Certificate, schemes: &[Scheme]) -> Option<[u8; 32]> {
    let signed = DeferDecodeSigned::from_der(subject.der()).ok()?;
    let scheme = Scheme::from_identifier(&signed.signature_algorithm).filter(|scheme| schemes.contains(scheme))?;
    let key = issuer.public_key(Place::Anchor).ok()?;
    let signature = signed.signature.as_bytes()?;
    key.verify(scheme, Encoding::Asn1, &signed.tbs_field, signature).ok()?;
    fingerprint(
        &signed.tbs_field,
        &signed.signature,
        &signed.signature_algorithm,
        issuer.spki(),
    )
}

/// SHA-256 of the four, each after its length.
pub(super) fn fingerprint(
    message: &[u8],
    signature: &BitString,
    algorithm: &AlgorithmIdentifierOwned,
    spki: &SubjectPublicKeyInfoOwned,
) -> Option<[u8; 32]> {
    let parts = [
        message,
        signature.as_bytes()?,
        &algorithm.to_der().ok()?,
        &spki.to_der().ok()?,
    ];
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut print = [0; 32];
    print.copy_from_slice(context.finish().as_ref());
    Some(print)
}
