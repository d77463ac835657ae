//! The two base64 alphabets of the protocol, and SHA-2, in one place.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use ring::digest::{SHA256, digest};

/// RFC 4648 section 4, with padding: certificates, signatures, CMS.
pub fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// RFC 4648 section 5, without padding: JWK, JWS, thumbprints, nonces.
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Strict inverse of [`base64`]: canonical padding, no whitespace; `None` otherwise.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text).ok()
}

/// Strict inverse of [`base64url`]: no padding, no whitespace; `None` otherwise.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// SHA-256 (FIPS 180-4), 32 bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
