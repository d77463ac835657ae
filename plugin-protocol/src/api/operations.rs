//! Operations, and what they give.

use serde::{Deserialize, Serialize};

use crate::qualified::QualifiedFacts;
use crate::{HashFunction, Problem, Proof};

/// The result of `POST /v1/certificates`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SigningCertificate {
    /// base64 DER.
    pub certificate: String,
    /// What `POST /v1/signatures` makes with its key: one for each hash function that the key can sign a digest of;
    /// none where the role was `authentication`. Those unknown to this version are left out when read.
    #[serde(deserialize_with = "crate::lenient::known")]
    pub algorithms: Vec<SignatureMethod>,
    /// The id of the token that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A signature scheme with its hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureMethod {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// The hash function.
    pub hash_function: HashFunction,
}

/// The result of `POST /v1/signatures`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Signatures {
    /// The signer's certificate, base64 DER.
    pub certificate: String,
    /// One per item, in their order.
    pub items: Vec<SignatureOutcome>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureOutcome {
    /// How it was made.
    pub scheme: SignatureScheme,
    /// The hash function of the item.
    pub hash_function: HashFunction,
    /// base64; ECDSA as raw `r || s`, GOST as `s || r` (the order of X.509 and CMS).
    pub signature: String,
}

/// A signature scheme without its hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SignatureScheme {
    /// ECDSA (FIPS 186-5).
    #[serde(rename = "ECDSA")]
    Ecdsa,
    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2).
    #[serde(rename = "RSA-PKCS1")]
    RsaPkcs1,
    /// RSASSA-PSS (RFC 8017 section 8.1), MGF1 with the same hash, salt as long as the hash.
    #[serde(rename = "RSA-PSS")]
    RsaPss,
    /// GOST R 34.10-2012 (RFC 7091) with Streebog of the key's size.
    #[serde(rename = "GOSTR3410-2012")]
    Gost,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// No suitable token is present yet.
    AwaitingToken,
    /// The window is open.
    AwaitingConsent,
    /// The token signs.
    Signing,
    /// `proof`, `signatures` or `certificate` is there.
    Done,
    /// `problem` is there.
    Failed,
    /// Ended by the caller.
    Cancelled,
    /// The time ran out.
    Expired,
}

impl OperationState {
    /// Whether nothing will change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled | Self::Expired)
    }
}

/// An operation: the answer to `POST` (202, or 200 when already final) and `GET`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: OperationState,
    /// Seconds until it expires, or until its result is forgotten.
    pub expires_in: u64,
    /// The proof of a confirmation that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// The signatures of a signing that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Signatures>,
    /// The signing certificate that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<SigningCertificate>,
    /// What the certificate of an operation that is done says in the form of Russian qualified certificates.
    /// Read off it and verified by nobody; left out where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualified: Option<QualifiedFacts>,
    /// Why it failed, was cancelled or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// A test token, or nobody was asked: this proves no person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
}
