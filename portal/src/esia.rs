//! ESIA for portals: the `client_secret` of its OAuth 2.0, as three public clients make it.
//!
//! An information system registered with ESIA signs each of its requests with its own GOST
//! key; the signature is the `client_secret`. The official guide ("Методические рекомендации
//! по использованию ЕСИА") was not at hand when this was written, and public clients disagree
//! on the string that is signed and on how the signature is wrapped. So each [`Variant`] is named
//! after the client it was read from, and a portal chooses the one that ESIA accepts from it.
//!
//! This is for the system's own key; a citizen's agent has no part in it. Nothing here reads a
//! clock, makes random numbers or speaks HTTP.
//!
//! ```
//! use portal::esia::{Request, Variant};
//! # fn sign_with_the_systems_key(message: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![7; 64]) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let certificate = b"DER";
//! let request = Request {
//!     client_id: "MNEMONIC",
//!     scope: "openid fullname",
//!     redirect_uri: "https://portal.example/back",
//!     state: "6f2a3f1e-9a4b-4c63-8a5e-0d9a8f1c2b3d", // a random GUID, kept with the session
//!     timestamp: time::OffsetDateTime::UNIX_EPOCH,     // now
//!     code: None,
//! };
//! let secret = Variant::GoApiEpgu.client_secret(&request, certificate, sign_with_the_systems_key)?;
//! let query = Variant::GoApiEpgu.parameters(&request, certificate, &secret);
//! assert!(query.contains(&("client_id", "MNEMONIC".to_owned())));
//! # Ok(())
//! # }
//! ```

mod cms;

use std::fmt;

use base64ct::{Base64Url, Base64UrlUnpadded, Encoding as _};
use gost3410::Algorithm;
use plugin_protocol::encoding::{base64, hex, sha256};
use time::{OffsetDateTime, UtcOffset};

/// Where requests go in production.
pub const PRODUCTION: &str = "https://esia.gosuslugi.ru";
/// Where they go for tests.
pub const TEST: &str = "https://esia-portal1.test.gosuslugi.ru";

/// How a `client_secret` is made, named after the public client that makes it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// LdDl/esia-potato (also ekapusta/oauth2-esia, fr05t1k `CliSignerPKCS7`): the first version, said to be
    /// retired. Signs scope, timestamp, client_id, state; a detached CMS in base64url.
    EsiaPotato,
    /// ofstudio/go-api-epgu: version 2. Signs client_id, scope, timestamp, state, redirect_uri, and the code
    /// when it asks for the token; the raw signature `s || r` in padded base64url; the certificate by its
    /// Streebog-256.
    GoApiEpgu,
    /// fr05t1k/esia: version 2. Signs scope, timestamp, client_id, state; the raw signature in base64url without
    /// padding; the certificate by its SHA-256.
    Fr05t1kEsia,
}

/// A request to ESIA, for the authorization code or, with one, for the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The system's mnemonic.
    pub client_id: &'a str,
    /// Scopes, separated by spaces.
    pub scope: &'a str,
    /// Where ESIA sends the person back to.
    pub redirect_uri: &'a str,
    /// A random GUID, new for every request.
    pub state: &'a str,
    /// Now; written in UTC.
    pub timestamp: OffsetDateTime,
    /// The authorization code, when the token is asked for.
    pub code: Option<&'a str>,
}

/// Why there is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretError<E> {
    /// The certificate is none, or its key is not of GOST R 34.10-2012.
    Certificate,
    /// What the signer said.
    Signer(E),
    /// The signature has not the length of the key's: this many bytes.
    Length(usize),
}

impl<E: fmt::Display> fmt::Display for SecretError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate => f.write_str("the system's certificate has no GOST R 34.10-2012 key"),
            Self::Signer(error) => write!(f, "the system's key did not sign: {error}"),
            Self::Length(length) => write!(
                f,
                "a signature of {length} bytes, where s and r are 32 or 64 bytes each"
            ),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for SecretError<E> {}

impl Request<'_> {
    /// `yyyy.MM.dd HH:mm:ss Z`, in UTC.
    fn timestamp(&self) -> String {
        let at = self.timestamp.to_offset(UtcOffset::UTC);
        let (date, time) = (at.date(), at.time());
        format!(
            "{:04}.{:02}.{:02} {:02}:{:02}:{:02} +0000",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 3] = [Self::EsiaPotato, Self::GoApiEpgu, Self::Fr05t1kEsia];

    /// The path of the authorization endpoint, or of the token's when there is a code.
    pub const fn path(self, request: &Request<'_>) -> &'static str {
        match (self, request.code.is_some()) {
            (Self::EsiaPotato, false) => "/aas/oauth2/ac",
            (Self::EsiaPotato, true) => "/aas/oauth2/te",
            (Self::GoApiEpgu | Self::Fr05t1kEsia, false) => "/aas/oauth2/v2/ac",
            (Self::GoApiEpgu | Self::Fr05t1kEsia, true) => "/aas/oauth2/v3/te",
        }
    }

    /// The string that is signed, in UTF-8: members without separators.
    pub fn to_be_signed(self, request: &Request<'_>) -> String {
        let timestamp = request.timestamp();
        let Request {
            client_id,
            scope,
            redirect_uri,
            state,
            code,
            ..
        } = *request;
        match self {
            Self::EsiaPotato | Self::Fr05t1kEsia => [scope, &timestamp, client_id, state].concat(),
            Self::GoApiEpgu => [
                client_id,
                scope,
                &timestamp,
                state,
                redirect_uri,
                code.unwrap_or_default(),
            ]
            .concat(),
        }
    }

    /// The `client_secret`. `sign` signs a message (hashing it with the Streebog of its key) with the key of
    /// `certificate` (DER) and answers `s || r`, as PKCS#11 and X.509 have it; CryptoAPI's bytes must be reversed first.
    pub fn client_secret<E>(
        self,
        request: &Request<'_>,
        certificate: &[u8],
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<String, SecretError<E>> {
        let message = self.to_be_signed(request);
        if self == Self::EsiaPotato {
            let cms = cms::detached(message.as_bytes(), certificate, request.timestamp, |attributes| {
                signature(sign, attributes)
            })?;
            return Ok(Base64Url::encode_string(&cms));
        }
        let signature = signature(sign, message.as_bytes())?;
        Ok(match self {
            Self::Fr05t1kEsia => Base64UrlUnpadded::encode_string(&signature),
            _ => Base64Url::encode_string(&signature),
        })
    }

    /// `client_certificate_hash`, lower-case hexadecimal, where the variant sends one.
    pub fn certificate_hash(self, certificate: &[u8]) -> Option<String> {
        match self {
            Self::EsiaPotato => None,
            Self::GoApiEpgu => Some(hex(&Algorithm::Gost2012_256.digest(certificate))),
            Self::Fr05t1kEsia => Some(hex(&sha256(certificate))),
        }
    }

    /// The parameters of the request, not yet percent-encoded.
    ///
    /// `permissions`, which version 2 can take for what `scope` has no word for, is the caller's to add
    /// (see [`permissions`]).
    pub fn parameters(self, request: &Request<'_>, certificate: &[u8], secret: &str) -> Vec<(&'static str, String)> {
        let text = str::to_owned;
        let mut parameters = vec![
            ("client_id", text(request.client_id)),
            ("client_secret", text(secret)),
            ("redirect_uri", text(request.redirect_uri)),
            ("scope", text(request.scope)),
            ("state", text(request.state)),
            ("timestamp", request.timestamp()),
        ];
        match request.code {
            None => parameters.extend([("response_type", text("code")), ("access_type", text("online"))]),
            Some(code) => parameters.extend([
                ("grant_type", text("authorization_code")),
                ("code", text(code)),
                ("token_type", text("Bearer")),
            ]),
        }
        parameters.extend(
            self.certificate_hash(certificate)
                .map(|hash| ("client_certificate_hash", hash)),
        );
        parameters
    }
}

/// The value of `permissions`: base64 of its JSON.
pub fn permissions(json: &str) -> String {
    base64(json.as_bytes())
}

fn signature<E>(sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>, message: &[u8]) -> Result<Vec<u8>, SecretError<E>> {
    let signature = sign(message).map_err(SecretError::Signer)?;
    match signature.len() {
        64 | 128 => Ok(signature),
        other => Err(SecretError::Length(other)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::convert::Infallible;

    use super::*;

    fn request(code: Option<&str>) -> Request<'_> {
        Request {
            client_id: "ID",
            scope: "openid fullname",
            redirect_uri: "https://p.example/back",
            state: "STATE",
            timestamp: time::macros::datetime!(2026-11-26 07:05:09 +3),
            code,
        }
    }

    /// The three strings as facts have them; the timestamp is in UTC whatever offset it came with.
    #[test]
    fn each_variant_signs_its_own_string() {
        let at = "2026.11.26 04:05:09 +0000";
        let first = format!("openid fullname{at}IDSTATE");
        for (variant, ask, token) in [
            (Variant::EsiaPotato, first.clone(), first.clone()),
            (Variant::Fr05t1kEsia, first.clone(), first),
            (
                Variant::GoApiEpgu,
                format!("IDopenid fullname{at}STATEhttps://p.example/back"),
                format!("IDopenid fullname{at}STATEhttps://p.example/backCODE"),
            ),
        ] {
            assert_eq!(variant.to_be_signed(&request(None)), ask);
            assert_eq!(variant.to_be_signed(&request(Some("CODE"))), token);
        }
    }

    #[test]
    fn raw_signatures_are_wrapped_as_the_variant_says() {
        let sign = |_: &[u8]| Ok::<_, Infallible>(vec![0xFB; 64]);
        let secret = |variant: Variant| variant.client_secret(&request(None), b"", sign).unwrap();
        let padded = secret(Variant::GoApiEpgu);
        assert!(padded.ends_with("==") && padded.starts_with("-_v7"));
        assert_eq!(secret(Variant::Fr05t1kEsia), padded.trim_end_matches('='));
        let short = |_: &[u8]| Ok::<_, Infallible>(vec![0; 63]);
        let refused = Variant::GoApiEpgu.client_secret(&request(None), b"", short);
        assert_eq!(refused, Err(SecretError::Length(63)));
        let deaf = |_: &[u8]| Err("no token");
        let refused = Variant::GoApiEpgu.client_secret(&request(None), b"", deaf);
        assert_eq!(refused, Err(SecretError::Signer("no token")));
        let refused = Variant::EsiaPotato.client_secret(&request(None), b"no certificate", sign);
        assert_eq!(refused, Err(SecretError::Certificate));
    }

    #[test]
    fn parameters_name_the_certificate_where_the_variant_does() {
        let names = |variant: Variant, code| -> Vec<_> {
            let parameters = variant.parameters(&request(code), b"certificate", "secret");
            parameters.into_iter().map(|(name, _)| name).collect()
        };
        assert!(!names(Variant::EsiaPotato, None).contains(&"client_certificate_hash"));
        assert!(names(Variant::GoApiEpgu, None).contains(&"response_type"));
        assert!(names(Variant::Fr05t1kEsia, Some("c")).contains(&"grant_type"));
        // Streebog-256 of the empty string (RFC 6986's function; the value is OpenSSL's).
        let empty = "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb";
        assert_eq!(Variant::GoApiEpgu.certificate_hash(b"").as_deref(), Some(empty));
    }
}
