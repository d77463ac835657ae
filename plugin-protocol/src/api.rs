//! The bodies of the localhost API, version 1.
//!
//! Unknown members are ignored, so a newer side can add some.

use serde::{Deserialize, Serialize};

use crate::format::UnknownFormat;
use crate::pairing::{Bytes32, Jwk};
use crate::qualified::QualifiedFacts;
use crate::{Challenge, ErrorCode, HashFunction, Origin, Problem, Proof, ProofFormat, Purpose, SignatureAlgorithm};

/// Gives a string newtype its OpenAPI schema.
#[cfg(feature = "openapi")]
macro_rules! string_schema {
    ($name:ident, $description:literal, $max:literal) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($description))
                    .max_length(Some($max))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
    };
}
#[cfg(feature = "openapi")]
pub(crate) use string_schema;

/// `GET /v1/hello`: the constant body.
pub const HELLO: &str = r#"{"protocol":"eid-agent","api":["1"]}"#;

/// `POST /v1/pairings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairingRequest {
    /// Who asks.
    #[serde(deserialize_with = "crate::shape::object")]
    pub client: Client,
    /// SHA-256 over label, key thumbprint and nonce (PROTOCOL.md section 5).
    pub commitment: Bytes32,
}

/// Who a plugin says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Client {
    /// Shown to the person as "calls itself …": 1 to 64 characters, none of them a control, invisible or
    /// bidirectional-control character.
    pub name: String,
    /// Its public key.
    #[serde(deserialize_with = "crate::shape::object")]
    pub jwk: Jwk,
}

/// Answer to `POST /v1/pairings`, 201.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairingOffer {
    /// Names this attempt in the next call.
    pub id: String,
    /// The agent's key for this pairing.
    pub agent_jwk: Jwk,
    /// The agent's nonce.
    pub agent_nonce: Bytes32,
    /// Seconds until the attempt ends.
    pub expires_in: u64,
}

/// `POST /v1/pairings/{id}/reveal`; sent again with the same nonce it waits for the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RevealRequest {
    /// The nonce that opens the commitment.
    pub nonce: Bytes32,
}

/// Answer to reveal: 202 while the person compares, 200 when paired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PairingStatus {
    /// The attempt's id.
    pub id: String,
    /// Where it stands.
    pub state: PairingState,
}

/// Where a pairing stands. The other ends are problems: `declined`, `expired`, `commitment_mismatch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PairingState {
    /// The person compares the digits.
    AwaitingConsent,
    /// The keys know each other.
    Paired,
}

/// One entry of `GET /v1/pairings`; a plugin sees its own alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairing {
    /// The plugin key's thumbprint, base64url.
    pub id: String,
    /// The name it gave itself.
    pub name: String,
    /// When it was paired, RFC 3339.
    pub created: String,
}

/// `GET /v1/pairings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pairings {
    /// The caller's pairing.
    pub pairings: Vec<Pairing>,
}

/// `GET /v1/info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Info {
    /// The agent's version, SemVer.
    pub version: String,
    /// Versions of the localhost API.
    pub api: Vec<String>,
    /// Proof formats; those unknown to this version are left out when read.
    #[serde(deserialize_with = "crate::lenient::known")]
    pub formats: Vec<ProofFormat>,
    /// Signature algorithms; those unknown to this version are left out when read.
    #[serde(deserialize_with = "crate::lenient::known")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Whether unattended test approval is on: nothing it signs proves a person.
    pub test: bool,
    /// Numbers a caller can run into.
    pub limits: Limits,
}

/// The limits a caller may want to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Bytes of a request body.
    pub max_body: usize,
    /// Seconds of a long poll.
    pub max_wait: u64,
    /// Seconds an operation waits for token and person.
    pub operation_lifetime: u64,
    /// Seconds a result is kept.
    pub result_lifetime: u64,
    /// Documents under one consent.
    pub max_signature_items: usize,
}

/// What kind of thing holds the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A smart card read over PC/SC by the agent itself.
    Card,
    /// A token behind a PKCS#11 module.
    Pkcs11,
    /// The embedded software token, or a PKCS#12 file.
    Software,
}

/// What is known of a token's PIN before it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PinState {
    /// Nothing to report.
    Ok,
    /// A wrong PIN was given since the last right one (CKF_USER_PIN_COUNT_LOW).
    Low,
    /// One try is left (CKF_USER_PIN_FINAL_TRY).
    FinalTry,
    /// Locked (CKF_USER_PIN_LOCKED).
    Locked,
    /// Must be changed first (CKF_USER_PIN_TO_BE_CHANGED).
    MustChange,
    /// This token asks for no PIN.
    NotNeeded,
}

/// A token as a plugin may know it: no label, no name, no certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenSummary {
    /// Opaque; the same for the same token in the same place.
    pub id: String,
    /// What holds the key.
    pub kind: TokenKind,
    /// The reader's or slot's name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// The PIN's state.
    pub pin: PinState,
    /// Tries left, where the token tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// The PIN is typed on the reader (CKF_PROTECTED_AUTHENTICATION_PATH).
    pub pin_pad: bool,
    /// A token for tests: nothing it signs proves a person.
    pub test: bool,
}

/// `GET /v1/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Tokens present now.
    pub tokens: Vec<TokenSummary>,
    /// What could not be looked at, so that its tokens are missing here; those unknown to this version are left
    /// out when read.
    #[serde(
        default,
        deserialize_with = "crate::lenient::known",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub unavailable: Vec<Unavailable>,
}

/// A source of tokens that could not be looked at: neither its name nor a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unavailable {
    /// What kind of source.
    pub source: SourceKind,
    /// Why, as an error code.
    pub reason: ErrorCode,
}

/// What tokens come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A PKCS#11 module.
    Pkcs11,
    /// The PC/SC service of the smart card readers.
    Pcsc,
    /// The embedded software token, or a PKCS#12 file.
    Software,
}

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
fn attested() -> bool {
    true
}

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

/// One record of the history as its plugin may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    /// Its number.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// `confirmation`, `signatures` or `certificate`.
    pub action: String,
    /// The portal.
    pub origin: Origin,
    /// The page that embedded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_origin: Option<Origin>,
    /// `false`: which page asked was not known; `origin` is the service that the plugin stood for.
    #[serde(default = "attested", skip_serializing_if = "Clone::clone")]
    pub origin_attested: bool,
    /// `done`, or the error code.
    pub outcome: String,
}

/// `GET /v1/history`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// At most 100 records.
    pub entries: Vec<HistoryEntry>,
}
