//! The `jws` format: JWS compact serialisation (RFC 7515 section 7.1) with `x5c`.

use serde::{Deserialize, Serialize};

use crate::encoding::{base64, base64url};
use crate::{SignatureAlgorithm, Statement};

/// The value of `typ`; a JWS of another kind can never pass for a confirmation.
pub const JWS_TYPE: &str = "eid-confirmation+jws";

/// The protected header: exactly these three members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwsHeader {
    /// The signature algorithm.
    pub alg: SignatureAlgorithm,
    /// [`JWS_TYPE`].
    pub typ: String,
    /// The signer's certificate first, then intermediates; base64 (not base64url) DER (RFC 7515 section 4.1.6).
    pub x5c: Vec<String>,
}

impl JwsHeader {
    /// The header for a signature with `algorithm` by the first of `certificates` (DER).
    pub fn new(algorithm: SignatureAlgorithm, certificates: &[&[u8]]) -> Self {
        Self {
            alg: algorithm,
            typ: JWS_TYPE.to_owned(),
            x5c: certificates.iter().map(|der| base64(der)).collect(),
        }
    }
}

/// The JWS signing input: `base64url(header) "." base64url(statement)`.
pub fn to_be_signed(header: &JwsHeader, statement: &Statement) -> String {
    let header = serde_json::to_vec(header).expect("a struct of strings serialises");
    format!("{}.{}", base64url(&header), base64url(&statement.to_canonical_json()))
}
