//! The order of r and s: tokens differ, X.509 and CMS have one.
//!
//! Nothing in PKCS#11 says in which order a token puts the two numbers of a GOST signature.
//! So the first signature of each token and size is tried in every order against the key of the
//! certificate: one signature is made, and nothing is asked of the person or the token again.
//! The order found is remembered here, in the agent, for as long as it runs: a module's process
//! that crashes and comes back changes nothing.
//!
//! It is learned once. A later signature that is not in the remembered order does not verify, and
//! the operation ends with that: a device that changes its mind is out of order, and something
//! that would believe it again and again would hide this. Starting the agent anew learns anew.

use gost3410::{PublicKey, Signature, SignatureOrder};
use plugin_protocol::HashFunction;
use plugin_protocol::api::SignatureScheme;

use super::public_key::gost_key;
use crate::error::Error;
use crate::token::{SignData, SignInput, SignJob, TokenId};

/// So many tokens' orders are remembered; the oldest is forgotten first.
const REMEMBERED: usize = 64;

/// The orders of one module's tokens, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Orders(Vec<(TokenId, HashFunction, SignatureOrder)>);

impl Orders {
    /// The signatures of a job in the order of X.509; those of other schemes as they are.
    pub(super) fn settle(
        &mut self,
        token: &TokenId,
        job: &SignJob,
        signatures: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let pairs = job.inputs.iter().zip(signatures);
        pairs
            .map(|(input, signature)| match input.scheme {
                SignatureScheme::Gost => self.in_order(token, &job.certificate, input, &signature),
                _ => Ok(signature),
            })
            .collect()
    }

    fn in_order(
        &mut self,
        token: &TokenId,
        certificate: &[u8],
        input: &SignInput,
        octets: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let order = match self.known(token, input.hash) {
            Some(order) => order,
            None => self.learn(token, certificate, input, octets)?,
        };
        let signature = Signature::from_order(order, octets).map_err(|_| Error::SignatureMismatch)?;
        Ok(signature.to_x509())
    }

    fn known(&self, token: &TokenId, hash: HashFunction) -> Option<SignatureOrder> {
        let known = self.0.iter().find(|(known, size, _)| known == token && *size == hash);
        known.map(|(_, _, order)| *order)
    }

    /// The order in which this signature verifies.
    fn learn(
        &mut self,
        token: &TokenId,
        certificate: &[u8],
        input: &SignInput,
        octets: &[u8],
    ) -> Result<SignatureOrder, Error> {
        let key = gost_key(certificate).ok_or(Error::SignatureMismatch)?;
        let digest = match &input.data {
            SignData::Message(message) => input.hash.digest(message),
            SignData::Digest(digest) => digest.clone(),
        };
        let order = found(&key, &digest, octets).ok_or(Error::SignatureMismatch)?;
        tracing::debug!(%token, hash = input.hash.name(), ?order, "the order of r and s");
        if self.0.len() >= REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((token.clone(), input.hash, order));
        Ok(order)
    }
}

/// The first order in which `octets` verify.
fn found(key: &PublicKey, digest: &[u8], octets: &[u8]) -> Option<SignatureOrder> {
    let verifies = |order: &SignatureOrder| {
        let signature = Signature::from_order(*order, octets);
        signature.is_ok_and(|signature| key.verify_digest(digest, &signature).is_ok())
    };
    SignatureOrder::ALL.into_iter().find(verifies)
}

#[cfg(test)]
mod tests;
