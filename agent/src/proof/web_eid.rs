//! `web-eid:1.0`: the Web eID authentication token.

use plugin_protocol::encoding::base64;
use plugin_protocol::proof::WebEidToken;
use plugin_protocol::{Proof, SignatureAlgorithm};

use super::{Finish, Subject};

/// What `appVersion` says.
///
/// Web eID wants a URL that names the program and its version, so that a faulty
/// release can be recognised in a portal's log; validators do not read it. This
/// program has no site of its own, and borrowing a name would be a lie: the
/// host is under `.invalid`, which RFC 2606 section 2 keeps for ever without an owner.
pub const APP_VERSION: &str = concat!("https://eid-agent.invalid/releases/", env!("CARGO_PKG_VERSION"));

pub(super) fn draft(subject: &Subject, signer: &[u8], algorithm: SignatureAlgorithm) -> (Vec<u8>, Finish) {
    let to_be_signed = plugin_protocol::web_eid::to_be_signed(&subject.origin, &subject.challenge, algorithm);
    let unverified_certificate = base64(signer);
    let finish = move |signature: Vec<u8>| {
        Ok(Proof::WebEid(WebEidToken {
            unverified_certificate,
            algorithm,
            signature: base64(&signature),
            app_version: APP_VERSION.to_owned(),
        }))
    };
    (to_be_signed, Box::new(finish))
}
