//! What a universal electronic card (УЭК) hands out to prove itself (PROTOCOL.md section 12, `uec`).
//!
//! The card's own bytes, wrapped and versioned; nobody has verified them yet.

use serde::{Deserialize, Serialize};

/// The value of [`UecProof::version`].
pub const UEC_PROOF_VERSION: u32 = 1;

/// The members of a `uec` proof besides `format`. All strings but `application` are base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UecProof {
    /// [`UEC_PROOF_VERSION`]; another one is refused.
    pub version: u32,
    /// The confirmation statement's canonical bytes. Its `certificate_sha256` is of `certificate`.
    pub statement: String,
    /// The version of the card's identification application, which decides encodings and what is signed.
    pub application: UecApplication,
    /// The CV certificate of the identification application, type 05: `7F21`, EF 000B (GOST) or 000D (RSA).
    pub certificate: String,
    /// The CV certificates above it, each signed by the next: the issuer's (type 02, EF 000C or 000E) first.
    pub issuers: Vec<String>,
    /// What the card's signature covers: complete TLVs in their order, without template and padding.
    pub message: String,
    /// The card's signature (value of `5F74`): 64 bytes of GOST R 34.10-2001 in the order of its version, or an RSA block.
    pub cryptogram: String,
    /// The terminal's CV certificate (type 07), which `message` names.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub terminal: Option<String>,
    /// What was read after PIN1 (block 1-2), as TLVs. The card does not sign it.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub data: Option<String>,
    /// The holder's signature, made with PIN2.
    #[serde(
        default,
        deserialize_with = "crate::shape::present",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub holder: Option<UecHolder>,
}

impl UecProof {
    /// How many characters it holds, for a verifier that bounds its work.
    pub fn size(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let many = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        let holder = |holder: &UecHolder| many(&holder.certificates) + holder.signature.len();
        [&self.statement, &self.certificate, &self.message, &self.cryptogram]
            .map(String::len)
            .iter()
            .sum::<usize>()
            + many(&self.issuers)
            + optional(&self.terminal)
            + optional(&self.data)
            + self.holder.as_ref().map_or(0, holder)
    }
}

/// The versions of the identification application (value of tag `9F08`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum UecApplication {
    /// 10h: numbers big-endian.
    #[serde(rename = "1.0")]
    V10,
    /// 11h: numbers little-endian.
    #[serde(rename = "1.1")]
    V11,
}

impl UecApplication {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V10 => "1.0",
            Self::V11 => "1.1",
        }
    }
}

/// A signature that the holder allowed with PIN2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UecHolder {
    /// X.509 certificates, base64 DER: that of the key first, then those above it, as the card holds them (EF 0011).
    pub certificates: Vec<String>,
    /// base64; 64 bytes as the card gave them.
    pub signature: String,
}
