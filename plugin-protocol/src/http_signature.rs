//! Message signatures between plugin and agent: one fixed profile of RFC 9421.
//!
//! Requests cover method, target URI and body digest, and the idempotency key
//! when there is one; responses cover status, body digest and the very request
//! signature they answer. Both use `ecdsa-p256-sha256` (section 3.3.4: raw
//! `r || s`). The profile fixes the spelling: labels, order and quoting are as
//! written here, so parsing is a comparison and not an interpretation.

use crate::encoding::{base64, from_base64, sha256};
use crate::limits::NONCE_LENGTH;

/// The `tag` of a request signature.
pub const REQUEST_TAG: &str = "eid-agent-request";
/// The `tag` of a response signature.
pub const RESPONSE_TAG: &str = "eid-agent-response";

const ALGORITHM: &str = "ecdsa-p256-sha256";

/// `Content-Digest` (RFC 9530) of a body; the empty body has one too.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", base64(&sha256(body)))
}

/// The `Signature` header of a raw 64-byte signature.
pub fn signature_header(signature: &[u8]) -> String {
    format!("sig=:{}:", base64(signature))
}

/// The raw 64-byte signature of a `Signature` header; `None` for any other spelling.
pub fn parse_signature_header(header: &str) -> Option<[u8; 64]> {
    let text = header.strip_prefix("sig=:")?.strip_suffix(':')?;
    from_base64(text)?.try_into().ok()
}

/// `Signature-Input` of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    /// When it was made, seconds since 1970-01-01 UTC.
    pub created: i64,
    /// Never used twice: 16 to 64 characters of base64url.
    pub nonce: String,
    /// The plugin key's thumbprint ([`crate::pairing::Jwk::key_id`]).
    pub key_id: String,
    /// Whether `Idempotency-Key` is among the covered components.
    pub idempotent: bool,
}

impl RequestSignature {
    /// The `@signature-params` value, as in the header after `sig=`.
    fn parameters(&self) -> String {
        let idempotency = if self.idempotent { r#" "idempotency-key""# } else { "" };
        format!(
            r#"("@method" "@target-uri" "content-digest"{idempotency});created={};nonce="{}";keyid="{}";alg="{ALGORITHM}";tag="{REQUEST_TAG}""#,
            self.created, self.nonce, self.key_id
        )
    }

    /// The `Signature-Input` header.
    pub fn to_header(&self) -> String {
        format!("sig={}", self.parameters())
    }

    /// Parses a `Signature-Input` header of exactly this profile; `None` for anything else.
    pub fn parse(header: &str) -> Option<Self> {
        let [created, nonce, key_id] = quoted_parameters(header)?;
        let parsed = Self {
            created: created.parse().ok()?,
            nonce: nonce.to_owned(),
            key_id: key_id.to_owned(),
            idempotent: header.contains(r#""idempotency-key""#),
        };
        let well_formed = NONCE_LENGTH.contains(&nonce.len()) && is_base64url(nonce) && is_base64url(key_id);
        (well_formed && parsed.to_header() == header).then_some(parsed)
    }

    /// The signature base (section 2.5), ASCII.
    ///
    /// `method` in upper case, `target_uri` absolute, `content_digest` the header's
    /// value, `idempotency_key` its header's value when [`Self::idempotent`].
    pub fn base(&self, method: &str, target_uri: &str, content_digest: &str, idempotency_key: Option<&str>) -> String {
        let mut base =
            format!("\"@method\": {method}\n\"@target-uri\": {target_uri}\n\"content-digest\": {content_digest}\n");
        if self.idempotent {
            base.push_str(&format!(
                "\"idempotency-key\": {}\n",
                idempotency_key.unwrap_or_default()
            ));
        }
        base.push_str(&format!("\"@signature-params\": {}", self.parameters()));
        base
    }
}

/// `Signature-Input` of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseSignature {
    /// When it was made, seconds since 1970-01-01 UTC.
    pub created: i64,
    /// The thumbprint of the agent's key for this pairing.
    pub key_id: String,
}

impl ResponseSignature {
    fn parameters(&self) -> String {
        format!(
            r#"("@status" "content-digest" "signature";req;key="sig");created={};keyid="{}";alg="{ALGORITHM}";tag="{RESPONSE_TAG}""#,
            self.created, self.key_id
        )
    }

    /// The `Signature-Input` header.
    pub fn to_header(&self) -> String {
        format!("sig={}", self.parameters())
    }

    /// Parses a `Signature-Input` header of exactly this profile; `None` for anything else.
    pub fn parse(header: &str) -> Option<Self> {
        let created = between(header, ";created=", ";")?.parse().ok()?;
        let key_id = between(header, ";keyid=\"", "\"")?.to_owned();
        let parsed = Self { created, key_id };
        (is_base64url(&parsed.key_id) && parsed.to_header() == header).then_some(parsed)
    }

    /// The signature base. `request_signature` is the raw signature of the request answered.
    pub fn base(&self, status: u16, content_digest: &str, request_signature: &[u8; 64]) -> String {
        format!(
            "\"@status\": {status}\n\"content-digest\": {content_digest}\n\"signature\";req;key=\"sig\": :{}:\n\"@signature-params\": {}",
            base64(request_signature),
            self.parameters()
        )
    }
}

fn quoted_parameters(header: &str) -> Option<[&str; 3]> {
    Some([
        between(header, ";created=", ";")?,
        between(header, ";nonce=\"", "\"")?,
        between(header, ";keyid=\"", "\"")?,
    ])
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

fn is_base64url(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(idempotent: bool) -> RequestSignature {
        RequestSignature {
            created: 1_795_642_692,
            nonce: "n".repeat(22),
            key_id: "k".repeat(43),
            idempotent,
        }
    }

    #[test]
    fn headers_round_trip_and_nothing_else_parses() {
        for idempotent in [false, true] {
            let header = request(idempotent).to_header();
            assert_eq!(RequestSignature::parse(&header), Some(request(idempotent)));
            for other in [
                header.replace("sig=", "sig1="),
                header.replace(" \"@target-uri\"", ""),
                format!("{header} "),
                header.replace("created=", "created=0"),
                header.replace(";tag=", ";expires=1;tag="),
                header.replace("nnnn", "n\"n"),
            ] {
                assert_eq!(RequestSignature::parse(&other), None, "{other}");
            }
        }
        let response = ResponseSignature {
            created: 5,
            key_id: "k".repeat(43),
        };
        assert_eq!(ResponseSignature::parse(&response.to_header()), Some(response));
    }

    #[test]
    fn signature_header_is_strict() {
        let header = signature_header(&[7; 64]);
        assert_eq!(parse_signature_header(&header), Some([7; 64]));
        assert_eq!(parse_signature_header(&signature_header(&[7; 63])), None);
        assert_eq!(parse_signature_header(&header.replace("sig=", "sig1=")), None);
    }
}
