//! What a plugin asks for.

use serde::{Deserialize, Serialize};

use crate::format::UnknownFormat;
use crate::{Challenge, HashFunction, Origin, ProofFormat, Purpose};

/// `POST /v1/confirmations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmationRequest {
    /// The portal, as the browser names it.
    pub origin: Origin,
    /// The origin of the page in the browser's address bar, when `origin` is embedded in it and another one;
    /// absent when they are the same.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub top_origin: Option<Origin>,
    /// The portal's challenge.
    pub challenge: Challenge,
    /// The name of a proof format; kept as text so that an unknown one can be refused by name.
    pub format: String,
    /// For `cms` and `cms-challenge`: leave the content out of the CMS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detached: bool,
    /// For `uec`: have the holder sign with PIN2 as well as the card authenticate itself; without it the card
    /// alone does, after PIN1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holder_signature: bool,
    /// What the person is asked to agree to.
    #[serde(default)]
    pub purpose: Purpose,
    /// A token's id, to leave the person no choice of another.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub token: Option<String>,
    /// base64 DER: only this certificate's key may sign.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub certificate: Option<String>,
    /// `false`: the caller cannot tell which page asks, and `origin` is the service that it stands for. Taken only
    /// with the format `cms-challenge`, and for an origin that the literal policy names.
    #[serde(default = "attested", skip_serializing_if = "Clone::clone")]
    pub origin_attested: bool,
}

impl ConfirmationRequest {
    /// The format by its name.
    pub fn proof_format(&self) -> Result<ProofFormat, UnknownFormat> {
        self.format.parse()
    }
}

/// `POST /v1/signatures`: digests of documents, signed by a key meant for signing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureRequest {
    /// The portal, as the browser names it.
    pub origin: Origin,
    /// The origin of the page in the browser's address bar, when `origin` is embedded in it and another one;
    /// absent when they are the same.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub top_origin: Option<Origin>,
    /// 1 to 20 documents under one consent.
    #[serde(deserialize_with = "crate::shape::objects")]
    pub items: Vec<SignatureItem>,
    /// base64 DER: only this certificate's key may sign.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub certificate: Option<String>,
    /// A token's id.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub token: Option<String>,
}

/// One document to be signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureItem {
    /// The document's name as the person will read it: at most 100 characters, no control characters.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
    /// The hash function of `hash`.
    pub hash_function: HashFunction,
    /// base64; as long as the hash function says.
    pub hash: String,
}

/// `POST /v1/certificates`: the certificate of a key meant for signing, or for signing in; nothing is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateRequest {
    /// The portal, as the browser names it.
    pub origin: Origin,
    /// The origin of the page in the browser's address bar, when `origin` is embedded in it and another one;
    /// absent when they are the same.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub top_origin: Option<Origin>,
    /// A token's id.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub token: Option<String>,
    /// What the certificate's key is meant for.
    #[serde(default, skip_serializing_if = "CertificateRole::is_default")]
    pub role: CertificateRole,
    /// `false`: the caller cannot tell which page asks, and `origin` is the service that it stands for. Taken only
    /// with the role `authentication`, and for an origin that the literal policy names.
    #[serde(default = "attested", skip_serializing_if = "Clone::clone")]
    pub origin_attested: bool,
}

/// What the key of a certificate is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CertificateRole {
    /// Signing documents (nonRepudiation): what `POST /v1/signatures` takes.
    #[default]
    Signing,
    /// Confirming identity and signing in (digitalSignature): what `POST /v1/confirmations` takes.
    Authentication,
}

impl CertificateRole {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The caller knows the page's origin, unless it says otherwise.
pub(super) fn attested() -> bool {
    true
}
