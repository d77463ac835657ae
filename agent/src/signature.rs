//! Message signatures (RFC 9421) as the agent verifies and makes them.
//!
//! The profile's text is [`plugin_protocol::http_signature`]; here are the keys.
//! Both kinds are prepared once per pairing, not once per request.

use plugin_protocol::http_signature::{ResponseSignature, content_digest, signature_header};
use plugin_protocol::pairing::Jwk;
use ring::agreement::{self, EphemeralPrivateKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use crate::error::Error;

/// A plugin's public key, ready to verify with.
pub struct PluginKey(UnparsedPublicKey<[u8; 65]>);

impl PluginKey {
    /// From its JWK; `None` if the point is not on the curve.
    pub fn new(jwk: &Jwk) -> Option<Self> {
        let point = jwk.to_point();
        is_on_curve(&point).then(|| Self(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)))
    }

    /// Whether `signature` (raw `r || s`) over `base` was made with the private key.
    pub fn verify(&self, base: &str, signature: &[u8; 64]) -> bool {
        self.0.verify(base.as_bytes(), signature).is_ok()
    }
}

/// `ring` checks a point only where it computes with it: one key agreement does.
fn is_on_curve(point: &[u8]) -> bool {
    let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
    EphemeralPrivateKey::generate(&agreement::ECDH_P256, &SystemRandom::new())
        .and_then(|ours| agreement::agree_ephemeral(ours, &peer, |_| ()))
        .is_ok()
}

/// The agent's key of one pairing. Neither `Clone` nor `Debug`.
pub struct AgentKey {
    pair: EcdsaKeyPair,
    key_id: String,
    random: SystemRandom,
}

impl AgentKey {
    /// A fresh key in PKCS#8 (RFC 5958) DER, to be kept in the pairings file.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, Error> {
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map(|document| Zeroizing::new(document.as_ref().to_vec()))
            .map_err(|_| Error::Internal("the system gives no randomness".to_owned()))
    }

    /// From PKCS#8 DER; `None` if it is no P-256 key.
    pub fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).ok()?;
        let key_id = Jwk::from_point(pair.public_key().as_ref())?.key_id();
        Some(Self { pair, key_id, random })
    }

    /// The public key.
    pub fn jwk(&self) -> Option<Jwk> {
        Jwk::from_point(self.pair.public_key().as_ref())
    }

    /// Signs an answer, bound to the signature of the request it answers.
    pub fn sign_response(
        &self,
        status: u16,
        body: &[u8],
        request_signature: &[u8; 64],
        created: i64,
    ) -> Result<ResponseHeaders, Error> {
        let input = ResponseSignature {
            created,
            key_id: self.key_id.clone(),
        };
        let content_digest = content_digest(body);
        let base = input.base(status, &content_digest, request_signature);
        let signature = self
            .pair
            .sign(&self.random, base.as_bytes())
            .map_err(|_| Error::Internal("the system gives no randomness".to_owned()))?;
        Ok(ResponseHeaders {
            content_digest,
            signature_input: input.to_header(),
            signature: signature_header(signature.as_ref()),
        })
    }
}

/// The three headers of a signed answer.
pub struct ResponseHeaders {
    /// `Content-Digest` (RFC 9530).
    pub content_digest: String,
    /// `Signature-Input`.
    pub signature_input: String,
    /// `Signature`.
    pub signature: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use plugin_protocol::http_signature::parse_signature_header;

    #[test]
    fn an_answer_verifies_with_the_public_key_and_for_its_request_alone() {
        let agent = AgentKey::from_pkcs8(&AgentKey::generate().unwrap()).unwrap();
        let jwk = agent.jwk().unwrap();
        let headers = agent.sign_response(200, b"{}", &[7; 64], 1000).unwrap();
        let input = ResponseSignature::parse(&headers.signature_input).unwrap();
        assert_eq!(input.key_id, jwk.key_id());
        let signature = parse_signature_header(&headers.signature).unwrap();
        let key = PluginKey::new(&jwk).unwrap();
        let verifies = |status, body: &[u8], request: &[u8; 64]| {
            key.verify(&input.base(status, &content_digest(body), request), &signature)
        };
        assert!(verifies(200, b"{}", &[7; 64]));
        assert!(!verifies(201, b"{}", &[7; 64]));
        assert!(!verifies(200, b"{ }", &[7; 64]));
        assert!(!verifies(200, b"{}", &[8; 64]));
    }

    #[test]
    fn a_point_off_the_curve_is_no_key() {
        assert!(PluginKey::new(&Jwk::from_coordinates(&[1; 32], &[1; 32])).is_none());
        assert!(PluginKey::new(&Jwk::from_coordinates(&[0; 32], &[0; 32])).is_none());
    }
}
